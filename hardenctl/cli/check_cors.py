"""`hardenctl check cors`: the code, with `--url` a live target, with `--app` the application in a subprocess."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hardenctl.cli.auditing import EXIT, policy_of, root_of, show
from hardenctl.cli.options import EXIT_CODES, takes_request
from hardenctl.cli.request import Request
from hardenctl.model.errors import UsageError
from hardenctl.model.report import Report
from hardenctl.policy.baseline import load_baseline
from hardenctl.report.formats import check_format, render, split_outputs, write_file
from hardenctl.report.style import look_of

if TYPE_CHECKING:
    from hardenctl.probe.live_cors import Asked


def register(app: typer.Typer, audit: Callable[[Request], int]) -> None:
    """Add the command; `audit` is what it does without `--url` and `--app`."""

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
            typer.Option(metavar="ORIGIN", help="With --url or --app: an origin it is meant for; repeatable."),
        ] = None,
        app: Annotated[
            str | None,
            typer.Option(
                "--app",
                metavar="MODULE:ATTR",
                help="Ask the project's ASGI or WSGI application in a subprocess instead. This executes the project's "
                "code: its modules are imported and its handler of `/` is called.",
            ),
        ] = None,
        env: Annotated[
            list[str] | None,
            typer.Option("--env", metavar="NAME=VALUE", help="With --app: a variable it is run with; repeatable."),
        ] = None,
        python: Annotated[
            str | None,
            typer.Option("--python", metavar="PATH", help="With --app: its interpreter (default: that of `.venv`)."),
        ] = None,
    ) -> int:
        """Which websites may talk to the service."""
        if url is not None and app is not None:
            raise UsageError("--url and --app are two targets", help="run the command once for each")
        if app is None and (env or python):
            raise UsageError("--env and --python need --app", help="they say how the application is run")
        if app is not None:
            return _probe(request, _application(request, app, env or [], python or ""), origin or [])
        if url is None:
            if origin:
                raise UsageError(
                    "--origin needs --url or --app", help="`origins` in the policy say whom the code may let in"
                )
            return audit(request)
        return _probe(request, _live_target(url), origin or [])


def _application(request: Request, name: str, env: list[str], python: str) -> Asked:
    """The project's application, to be run in the folder that was named."""
    from hardenctl.probe.app import AppClient, check_name, environment

    check_name(name)
    folder = Path(request.paths[0]) if request.paths else Path.cwd()
    if not folder.is_dir():
        raise UsageError("--app needs the folder the application is imported from", help="name a folder, or none")
    return AppClient(name, folder, environment(env), interpreter=python)


def _probe(request: Request, target: Asked, origins: list[str]) -> int:
    """Ask, print, write the outputs."""
    if request.asks_git or "-" in request.paths:
        raise UsageError(
            "--url and --app look at something live, not at git", help="leave out --staged, --since and --history"
        )
    check_format(request.format)
    outputs = split_outputs(request.outputs)
    report = probe_report(request, target, origins)
    for name, path in outputs:
        write_file(report, name, path)
    show(render(report, request.format, look_of(sys.stdout, quiet=request.quiet, verbose=request.verbose)))
    return EXIT[report.verdict]


def _live_target(url: str) -> Asked:
    from hardenctl.probe.live import PAUSE, Client, parse_address

    return Client(parse_address(url), pause=PAUSE)


def live(request: Request, url: str, origins: list[str]) -> Report:
    """The report of a live target, judged by the policy of the project in the request's path."""
    return probe_report(request, _live_target(url), origins)


def probe_report(request: Request, target: Asked, origins: list[str]) -> Report:
    """The report of a live target or application, judged by the policy of the project in the request's path."""
    from hardenctl.probe.live_cors import live_report

    for each in origins:
        if not is_origin(each):
            raise UsageError(
                "`--origin` is no origin", help="write scheme, host and port, as in https://app.example.com"
            )
    root = root_of(request)
    baseline = load_baseline(root, Path(request.baseline) if request.baseline else None)
    return live_report(
        target,
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
