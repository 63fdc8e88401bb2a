"""Gives Typer commands the options of `request.py`, each also as a HARDENCTL_ environment variable."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from hardenctl.cli.request import OPTIONS, Kind, Option, Request

EXIT_CODES = """Exit codes: 0 passed; 1 the gate failed (a finding at --fail-on or above); 2 usage, could not run, or a
gap: something asked for could not be looked at (unless --allow-gaps). Each option is also a HARDENCTL_ variable, as in
HARDENCTL_FAIL_ON=high; what only another command has bears its name, as in HARDENCTL_INIT_DRY_RUN=1."""
_PATHS_HELP = "Files or folders; `-` is standard input. [default: .]"


def takes_request(command: Callable[..., int]) -> Callable[..., int]:
    """Put all options of `Request` in front of a command's own; it is called with a Request and its own."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    fields = {"paths", *(option.field for option in OPTIONS)}
    lists = {"paths", *(option.field for option in OPTIONS if option.kind is Kind.LIST)}

    def run(**values: Any) -> int:
        request: dict[str, Any] = {
            name: tuple(values[name] or ()) if name in lists else values[name] for name in fields
        }
        return command(Request(**request), **{name: value for name, value in values.items() if name not in fields})

    paths = inspect.Parameter(
        "paths",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[str] | None, typer.Argument(help=_PATHS_HELP, metavar="[PATH]", show_default=False)],
    )
    own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    parameters = [paths, *map(_parameter, OPTIONS), *own]
    run.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    return run


def _parameter(option: Option) -> inspect.Parameter:
    kinds: dict[Kind, tuple[Any, Any]] = {
        Kind.FLAG: (bool, False),
        Kind.VALUE: (str | None, None),
        Kind.LIST: (list[str] | None, None),
    }
    annotation, default = kinds[option.kind]
    if option.field == "format":
        annotation, default = str, "full"
    declared = typer.Option(
        option.flag,
        envvar=option.variable,
        help=option.help,
        metavar=option.metavar or None,
        show_envvar=False,
        show_default=False,
    )
    return inspect.Parameter(
        option.field, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[annotation, declared]
    )
