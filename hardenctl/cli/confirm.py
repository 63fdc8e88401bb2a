"""Asking before something is delivered."""

from __future__ import annotations

import sys

import typer

from hardenctl.model.errors import UsageError
from hardenctl.report.style import visible


def confirm(question: str, *, yes: bool) -> None:
    """Go on where somebody says yes, or said `--yes`. The question names keys and places, never values."""
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("there is no terminal to confirm on", help="add --yes once you have checked the command")
    typer.confirm(visible(question), abort=True, err=True)
