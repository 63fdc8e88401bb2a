"""The start-up path without Typer, which costs 220 ms: `--version`, `--help`, audits as hooks start them, and checks.

It reads the same table of options as Typer does and hands anything it doesn't know to Typer, errors included. A test
asserts that a staged audit loads none of typer, rich, pydantic, git, detect_secrets, locust, jinja2 and yaml.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hardenctl import __version__

HELP_COLUMNS = 80  # the most that Typer's help takes
# The subjects of `check`. Their own table imports rules, and has to wait until errors and Ctrl-C are caught.
CHECKED = frozenset({"cors", "gunicorn", "compose", "app", "ci", "dockerfile", "env", "gitignore"})

if TYPE_CHECKING:
    from hardenctl.cli.request import Request


def run_fast(arguments: Sequence[str]) -> int | None:
    """The exit code, or None where Typer has to look at the command line."""
    if list(arguments) == ["--version"]:
        return _show(f"hardenctl {__version__}\n")
    if list(arguments) in (["--help"], ["-h"]):
        return _help()
    command, *rest = with_command(arguments)
    if command == "check" and rest and rest[0] in CHECKED:
        command, *rest = rest  # with an option of its own, as `--url`, it is Typer's all the same
    elif command not in {"audit", "scan"}:
        return None
    if any(_is_setting(name) for name in os.environ):
        return None
    request = parse(rest)
    if request is None:
        return None
    return _run(command, request)


def with_command(arguments: Sequence[str]) -> list[str]:
    """A command line of options alone, or of nothing, is an audit's."""
    first = arguments[0] if arguments else "--"
    if first.startswith("-") and first not in {"--version", "--help", "-h"}:
        return ["audit", *arguments]
    return list(arguments)


def _help() -> int | None:
    """Print the help as Typer made it for 80 columns; narrower terminals are Typer's."""
    from pathlib import Path

    from hardenctl.report.style import look_of

    if sys.stdout is None or look_of(sys.stdout).width < HELP_COLUMNS:
        return None
    return _show(Path(__file__).with_name("help.txt").read_text(encoding="utf-8"))


def _show(text: str) -> int:
    from hardenctl.cli.errors import guarded

    def write() -> int:
        sys.stdout.write(text)
        sys.stdout.flush()  # a reader that is gone shows here, and not in a traceback at exit
        return 0

    return guarded(write)


def _run(command: str, request: Request) -> int:
    from hardenctl.cli.errors import guarded

    def audit() -> int:
        from hardenctl.cli.auditing import run_audit
        from hardenctl.cli.subjects import SUBJECTS

        return run_audit(request, SUBJECTS[command])

    return guarded(audit)


def _is_setting(name: str) -> bool:
    return name.startswith("HARDENCTL_") and name != "HARDENCTL_DEBUG"


def parse(arguments: Sequence[str]) -> Request | None:
    """The request, or None for anything that isn't plainly an option of the table or a path."""
    from hardenctl.cli.request import OPTIONS, Kind, Request

    options = {option.flag: option for option in OPTIONS}
    values: dict[str, Any] = {"paths": ()}
    rest = iter(arguments)
    for argument in rest:
        if argument == "-" or not argument.startswith("-"):
            values["paths"] += (argument,)
            continue
        flag, equals, value = argument.partition("=")
        option = options.get(flag)
        if option is None or (option.kind is Kind.FLAG and equals):
            return None
        if option.kind is Kind.FLAG:
            values[option.field] = True
            continue
        text = value if equals else next(rest, None)
        if text is None or (not equals and text.startswith("-")):
            return None
        values[option.field] = (*values.get(option.field, ()), text) if option.kind is Kind.LIST else text
    return Request(**values)
