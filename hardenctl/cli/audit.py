"""`hardenctl audit` and `hardenctl scan`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hardenctl.cli.auditing import run_audit
from hardenctl.cli.fix import run_fix
from hardenctl.cli.options import EXIT_CODES, takes_request
from hardenctl.cli.request import Request
from hardenctl.cli.subjects import SUBJECTS
from hardenctl.model.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command(epilog=EXIT_CODES)
    @takes_request
    def audit(
        request: Request,
        *,
        fix: Annotated[bool, typer.Option("--fix", help="Write the safe fixes first, as `fix --apply` does.")] = False,
        unsafe_fixes: Annotated[
            bool, typer.Option("--unsafe-fixes", help="With --fix: also those that change what the program does.")
        ] = False,
    ) -> int:
        """Look at a repository, or at the named files, with every rule."""
        if unsafe_fixes and not fix:
            raise UsageError("--unsafe-fixes needs --fix", help="`hardenctl fix --unsafe-fixes` shows what it would do")
        if fix:
            run_fix(request, write=True, unsafe=unsafe_fixes, stream=sys.stderr)
        return run_audit(request, SUBJECTS["audit"])

    @app.command(epilog=EXIT_CODES)
    @takes_request
    def scan(request: Request) -> int:
        """Look for secrets alone."""
        return run_audit(request, SUBJECTS["scan"])
