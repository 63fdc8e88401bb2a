"""Rules where Python leaves docstrings out."""

from __future__ import annotations

import subprocess
import sys


def test_pages_are_there_without_docstrings() -> None:
    """With PYTHONOPTIMIZE=2 each rule has the page that it has without."""
    code = "from hardenctl.rules import RULES; print([(each.id, each.page.text) for each in RULES])"
    said = [
        subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, check=True).stdout
        for options in ([], ["-OO"])
    ]
    assert said[0] == said[1]
