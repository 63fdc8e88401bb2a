"""`hardenctl check SUBJECT`: one subject alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from hardenctl.cli import check_cors
from hardenctl.cli.auditing import run_audit
from hardenctl.cli.options import EXIT_CODES, takes_request
from hardenctl.cli.request import Request
from hardenctl.cli.subjects import SUBJECTS
from hardenctl.report.servers import render_servers

_HELP = {
    "compose": "Compose files.",
    "dockerfile": "Dockerfiles.",
    "app": "The application's own code: tokens, cookies, debugging, whom it believes.",
    "ci": "CI configuration: who can run what with the repository's rights.",
    "env": "Environment files and what is in them.",
    "gitignore": "Whether environment files stay out of git and images.",
}

app = typer.Typer(help="Look at one subject alone.", no_args_is_help=True, rich_markup_mode=None)


def _command(subject: str) -> Callable[..., int]:
    def check(request: Request) -> int:
        return run_audit(request, SUBJECTS[subject])

    return takes_request(check)


for _subject, _text in _HELP.items():
    app.command(_subject, help=_text, epilog=EXIT_CODES)(_command(_subject))
check_cors.register(app, lambda request: run_audit(request, SUBJECTS["cors"]))


@app.command(epilog=EXIT_CODES)
@takes_request
def gunicorn(
    request: Request,
    *,
    effective: Annotated[
        bool,
        typer.Option("--effective", help="Print each launch line with each effective setting and where it is set."),
    ] = False,
) -> int:
    """Launch lines of gunicorn and other servers."""
    return run_audit(request, SUBJECTS["gunicorn"], render_servers if effective else None)
