"""`hardenctl check cors`: the code, or with `--url` a live target."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.cli.auditing import EXIT, policy_of, root_of, show
from hardenctl.cli.options import EXIT_CODES, takes_request
from hardenctl.cli.request import Request
from hardenctl.model.errors import UsageError
from hardenctl.model.report import Report
from hardenctl.policy.baseline import load_baseline
from hardenctl.report.formats import check_format, render, split_output, write_file
from hardenctl.report.style import look_of


def register(app: typer.Typer, audit: Callable[[Request], int]) -> None:
    """Add the command; `audit` is what it does without `--url`."""

    @app.command(epilog=EXIT_CODES)
    @takes_request
    def cors(
        request: Request,
        *,
        url: Annotated[
            str | None,
            typer.Option(
                metavar="URL",
                help="Ask a live target instead: GET and OPTIONS with attack origins, 80 requests at most, ten a "
                "second, to that host only.",
            ),
        ] = None,
        origin: Annotated[
            list[str] | None,
            typer.Option(metavar="ORIGIN", help="With --url: an origin the target is meant for; repeatable."),
        ] = None,
    ) -> int:
        """Which websites may talk to the service."""
        if url is None:
            if origin:
                raise UsageError("--origin needs --url", help="`origins` in the policy say whom the code may let in")
            return audit(request)
        return _probe(request, url, origin or [])


def _probe(request: Request, url: str, origins: list[str]) -> int:
    """Ask, print, write the outputs."""
    if request.staged or request.since or request.history or request.all_objects or "-" in request.paths:
        raise UsageError("--url looks at a live target, not at git", help="leave out --staged, --since and --history")
    check_format(request.format)
    outputs = [split_output(text) for text in request.outputs]
    report = live(request, url, origins)
    for name, path in outputs:
        write_file(report, name, path)
    show(render(report, request.format, look_of(sys.stdout, quiet=request.quiet, verbose=request.verbose)))
    return EXIT[report.verdict]


def live(request: Request, url: str, origins: list[str]) -> Report:
    """The report of a live target, judged by the policy of the project in the request's path."""
    from hardenctl.probe.live import PAUSE, Client, parse_address
    from hardenctl.probe.live_cors import live_report

    for each in origins:
        if not is_origin(each):
            raise UsageError(
                "`--origin` is no origin", help="write scheme, host and port, as in https://app.example.com"
            )
    root = root_of(request)
    baseline = load_baseline(root, Path(request.baseline) if request.baseline else None)
    return live_report(
        Client(parse_address(url), pause=PAUSE),
        policy_of(request, root),
        origins,
        baseline=baseline.fingerprints if baseline else (),
        allow_gaps=request.allow_gaps,
    )


def is_origin(text: str) -> bool:
    """Whether a browser could send this as `Origin`."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return False
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return bool(host) and parts.scheme in {"http", "https"} and text == f"{parts.scheme}://{host}{port}"
