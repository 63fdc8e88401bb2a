"""Writes docs/images/audit.svg: the report of `hardenctl audit` on the demo project, as a terminal shows it.

Run it in a checkout: `python docs/make_picture.py`. The demo's credentials are made at run time and never in a report.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH = 96
LINES = 78  # of the report; findings are left out where it is longer, the summary never
_HEADER = re.compile(r"\S.* ─{3,} ")
_FINDING = re.compile(r"  (?:critical|high|medium|low|info)  ")
PICTURE = Path("docs/images/audit.svg")
# A dark window of its own, which reads the same on GitHub's dark and light pages.
THEME = TerminalTheme(
    (27, 31, 36),
    (212, 217, 222),
    [
        (72, 79, 88),
        (215, 0, 0),
        (0, 135, 0),
        (175, 135, 0),
        (0, 135, 215),
        (175, 0, 175),
        (0, 135, 135),
        (177, 186, 196),
    ],
)


def main() -> None:
    """Make the demo, audit it, draw the picture."""
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        _run("demo", "--quiet", str(demo))
        report = _run("audit", ".", "--no-progress", cwd=demo)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(report), encoding="utf-8", newline="\n")


def draw(report: str) -> str:
    """The report, with its ANSI colours, as an SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(f"$ hardenctl audit\n\n{shorten(report.rstrip())}"))
    return console.export_svg(title="hardenctl audit", theme=THEME, unique_id="audit")


def shorten(report: str) -> str:
    """The worst finding of each file that fits, and the summary; what is left out is said."""
    # Time and commit would make every picture a new one.
    lines = re.sub(r"\d+\.\d s", "0.2 s", re.sub(r" at [0-9a-f]{10},", ",", report)).split("\n")
    summary = next(index for index in range(len(lines) - 1, -1, -1) if _plain(lines[index]).startswith("────"))
    kept: list[str] = []
    found, shown = 0, 0
    for section in _split(lines[:summary], _HEADER):
        findings = _split(section, _FINDING)
        found += len(findings) - 1
        if len(kept) + len(findings[0]) + len(findings[1]) <= LINES - len(lines) + summary - 2:
            kept += [*findings[0], *findings[1]]
            shown += 1
    return "\n".join([*kept, f"  ({found - shown} more findings are not in this picture)", "", *lines[summary:]])


def _split(lines: list[str], start: re.Pattern[str]) -> list[list[str]]:
    """Lines in parts that each begin with a match of `start`; what stands before the first is a part too, if any."""
    parts: list[list[str]] = []
    for line in lines:
        if not parts or start.match(_plain(line)):
            parts.append([])
        parts[-1].append(line)
    return parts


def _plain(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def _run(*arguments: str, cwd: Path | None = None) -> str:
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "hardenctl", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
