"""`hardenctl preflight`: the pre-deployment checklist as one go / no-go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.cli.auditing import EXIT, make_report, policy_of, root_of, show
from hardenctl.cli.check_cors import live
from hardenctl.cli.request import Request
from hardenctl.formats.dotenv import Dotenv
from hardenctl.model.checklist import Check, Checklist, State
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.model.settings import SecretSettings
from hardenctl.policy.policy import Policy
from hardenctl.report.checklist import checklist_json, render_checklist
from hardenctl.report.style import look_of

_EXIT_CODES = """Exit codes: 0 go; 1 no-go; 2 usage, could not run, or something asked for was not checked (unless
--allow-gaps). What was not asked for is shown as not checked and fails nothing."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXIT_CODES)
    def preflight(
        path: Annotated[str, typer.Argument(help="The project.", metavar="[PATH]", show_default=False)] = ".",
        *,
        env_file: Annotated[
            Path | None, typer.Option(metavar="FILE", help="The environment it will run with; held to the example.")
        ] = None,
        env_example: Annotated[
            Path | None, typer.Option(metavar="FILE", help="What names the variables. [default: .env.example]")
        ] = None,
        url: Annotated[
            str | None,
            typer.Option(metavar="URL", help="Ask this target: CORS, TLS, security headers. Network: that host only."),
        ] = None,
        origin: Annotated[
            list[str] | None, typer.Option(metavar="ORIGIN", help="An origin the target is meant for; repeatable.")
        ] = None,
        load_result: Annotated[
            Path | None, typer.Option(metavar="RESULT.json", help="What `load run --output json=FILE` wrote.")
        ] = None,
        platform: Annotated[
            str | None,
            typer.Option(
                metavar="PLATFORM", help="Ask it, or one of the policy's targets, for the names of its variables."
            ),
        ] = None,
        environment: Annotated[
            str, typer.Option(metavar="NAME", help="The platform's environment; gcp: project, kubernetes: namespace.")
        ] = "",
        config: Annotated[str | None, typer.Option(metavar="FILE", help="The policy file to use.")] = None,
        fail_on: Annotated[
            str | None, typer.Option(metavar="SEVERITY", help="The least severity of a finding that is no-go.")
        ] = None,
        baseline: Annotated[str | None, typer.Option(metavar="FILE", help="The baseline to use.")] = None,
        allow_gaps: Annotated[
            bool, typer.Option("--allow-gaps", help="Go although something was not checked.")
        ] = False,
        format: Annotated[  # noqa: A002 - the option's name
            str, typer.Option(metavar="FORMAT", help="`text` or `json`.")
        ] = "text",
        quiet: Annotated[bool, typer.Option("--quiet", help="Leave out what is in order.")] = False,
    ) -> int:
        """The pre-deployment checklist: each line go, no-go or not checked."""
        if format not in {"text", "json"}:
            raise UsageError(f"there is no format `{format}`", help="formats: text, json")
        if origin and url is None:
            raise UsageError("--origin needs --url", help="name the target")
        request = Request(paths=(path,), config=config, fail_on=fail_on, baseline=baseline, allow_gaps=allow_gaps)
        root = root_of(request)
        policy = policy_of(request, root)
        example = _example(env_example, env_file, root)
        checks = [
            _audit(request),
            _environment(env_file, example),
            _platform(platform, environment, example, policy.settings.secrets),
            *_target(request, url, origin or []),
            _load(load_result, policy),
        ]
        checklist = Checklist(tuple(checks))
        verdict = checklist.verdict(allow_gaps=allow_gaps)
        if format == "json":
            show(checklist_json(checklist, verdict))
        else:
            show(render_checklist(checklist, verdict, look_of(sys.stdout, quiet=quiet)))
        return EXIT[verdict]


def _audit(request: Request) -> Check:
    from hardenctl.probe.checklist import report_check

    return report_check("audit", make_report(request), "hardenctl audit")


def _example(given: Path | None, env_file: Path | None, root: Path) -> Dotenv | None:
    from hardenctl.probe.checklist import find_example, read_env

    path = given or find_example(*([env_file.parent] if env_file else []), root)
    return read_env(path) if path else None


def _environment(env_file: Path | None, example: Dotenv | None) -> Check:
    from hardenctl.probe.checklist import environment_check, read_env

    if env_file is None:
        return Check("environment", State.UNCHECKED, "name the file with --env-file", asked=False)
    return environment_check(read_env(env_file), example)


def _platform(platform: str | None, environment: str, example: Dotenv | None, settings: SecretSettings) -> Check:
    from hardenctl.generate.targets import destination_of, place_named
    from hardenctl.probe.checklist import platform_check
    from hardenctl.probe.live_platform import LISTABLE, platform_names

    if platform is None:
        return Check("platform variables", State.UNCHECKED, "name the platform with --platform", asked=False)
    place = place_named(platform, environment, settings)
    if place.target is None and platform not in LISTABLE:
        return Check(
            "platform variables", State.UNCHECKED, f"{platform} cannot be asked for names; {', '.join(LISTABLE)} can"
        )
    try:
        # Vault and 1Password are asked for a key's neighbours: the target says where they are.
        destination = destination_of(place, "NAME" if place.target else "", settings)
        return platform_check(platform, platform_names(destination), example)
    except (ToolError, UsageError) as error:
        return Check("platform variables", State.UNCHECKED, error.what)


def _target(request: Request, url: str | None, origins: list[str]) -> Iterator[Check]:
    from hardenctl.probe.checklist import report_check
    from hardenctl.probe.live import PAUSE, Client, parse_address
    from hardenctl.probe.live_site import site_checks

    if url is None:
        for name in ("CORS", "TLS", "security headers"):
            yield Check(name, State.UNCHECKED, "name the target with --url", asked=False)
        return
    client = Client(parse_address(url), pause=PAUSE)
    try:
        yield report_check("CORS", live(request, url, origins), f"hardenctl check cors --url {client.address.shown}")
    except ToolError as error:
        yield Check("CORS", State.UNCHECKED, error.what)
    try:
        yield from site_checks(client)
    except ToolError as error:
        yield Check("TLS and headers", State.UNCHECKED, error.what)
    finally:
        client.close()


def _load(path: Path | None, policy: Policy) -> Check:
    from hardenctl.load.outputs import read_document
    from hardenctl.probe.checklist import load_check

    if path is None:
        return Check("load", State.UNCHECKED, "name a result with --load-result", asked=False)
    return load_check(read_document(path), policy.settings.load)
