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
LINES = 64  # of the report; the middle is left out where it is longer, the summary never
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
    console.print(Text.from_ansi(f"$ hardenctl audit\n{_middle_out(report.rstrip())}"))
    return console.export_svg(title="hardenctl audit", theme=THEME, unique_id="audit")


def _middle_out(report: str) -> str:
    """The head and the summary of a long report."""
    # The time it took would make every picture a new one.
    lines = re.sub(r"in \d+\.\d s", "in 0.2 s", report).split("\n")
    if len(lines) <= LINES:
        return "\n".join(lines)
    summary = next(index for index in range(len(lines) - 1, -1, -1) if "────" in lines[index])
    tail = lines[summary:]
    return "\n".join([*lines[: LINES - len(tail)], f"  ({summary - LINES + len(tail)} lines left out here)", "", *tail])


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
