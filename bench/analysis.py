"""What reading a service's CORS set-ups and launch lines costs, beside parsing all of its Python files once.

    python bench/analysis.py SERVICE...

Wall seconds, best of three: start-up included for us, and excluded for `ast.parse` over every file (which no check can
go below if it parses everything). The limit is one second for a service of 1,000 Python files.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

LIMIT = 1.0  # seconds for 1,000 Python files
_WIDTHS = (10, 11, 8, 10, 10, 12)


def main() -> None:
    """Print a line for each service."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="+", type=Path)
    options = parser.parse_args()
    heads = zip((".py files", "parse all", "cors", "of parse", "gunicorn", "cors/1,000"), _WIDTHS, strict=True)
    print(f"{'service':<30}" + "".join(f"{head:>{width}}" for head, width in heads))
    for service in options.services:
        listed = subprocess.run(["git", "ls-files", "*.py"], cwd=service, capture_output=True, text=True, check=True)
        files = [service / line for line in listed.stdout.splitlines()]
        parse = best(lambda files=files: parse_all(files))
        cors, gunicorn = (best(lambda subject=each, at=service: check(subject, at)) for each in ("cors", "gunicorn"))
        # A small service's start-up says nothing of a large one's reading.
        scaled = cors / max(len(files), 1000) * 1000
        note = "" if scaled <= LIMIT else f"  over {LIMIT:g} s"
        figures = zip((parse, cors, cors / parse, gunicorn, scaled), _WIDTHS[1:], strict=True)
        print(f"{service.name:<30}{len(files):>10}" + "".join(f"{each:>{width}.2f}" for each, width in figures) + note)


def best(work: Callable[[], None]) -> float:
    """Seconds of the fastest of three runs."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def parse_all(files: list[Path]) -> None:
    """Parse every file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each in files:
            try:
                ast.parse(each.read_bytes())
            except (SyntaxError, ValueError, OSError):
                continue


def check(subject: str, service: Path) -> None:
    """Run one check."""
    command = [
        sys.executable,
        "-m",
        "hardenctl",
        "check",
        subject,
        str(service),
        "--format",
        "json",
        "--fail-on",
        "never",
    ]
    subprocess.run(command, capture_output=True, check=False)


if __name__ == "__main__":
    main()
