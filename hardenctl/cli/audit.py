"""`hardenctl audit` and `hardenctl scan`."""

from __future__ import annotations

import typer

from hardenctl.cli.auditing import run_audit
from hardenctl.cli.options import EXIT_CODES, takes_request
from hardenctl.cli.request import Request
from hardenctl.cli.subjects import SUBJECTS


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command(epilog=EXIT_CODES)
    @takes_request
    def audit(request: Request) -> int:
        """Look at a repository, or at the named files, with every rule."""
        return run_audit(request, SUBJECTS["audit"]())

    @app.command(epilog=EXIT_CODES)
    @takes_request
    def scan(request: Request) -> int:
        """Look for secrets alone."""
        return run_audit(request, SUBJECTS["scan"]())
