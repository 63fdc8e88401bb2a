"""The command line: which commands there are, and the one place where errors become `error:`, `help:` and exit 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer

from hardenctl import __version__
from hardenctl.model.errors import HardenctlError

# Typer brings its own copy of click since 0.26; this is its `ClickException` in either.
_ClickError: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="hardenctl",
    help="Harden the deployment of a Python web service.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:  # noqa: FBT001 - a Typer callback
    if value:
        sys.stdout.write(f"hardenctl {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True)) -> None:  # noqa: FBT001, FBT003
    """Harden the deployment of a Python web service."""
    del version


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        code = app(args=list(arguments), prog_name="hardenctl", standalone_mode=False)
    except typer.Abort:
        sys.stderr.write("error: aborted\n")
        return 130
    except HardenctlError as error:
        return fail(error.what, error.help)
    except _ClickError as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "hardenctl"
        return fail(error.format_message(), f"run `{command} --help` to see what there is")
    return code if isinstance(code, int) else 0


def fail(what: str, help: str) -> int:  # noqa: A002 - the word the user reads
    """Print an error the way all of hardenctl does; returns 2."""
    sys.stderr.write(f"error: {what}\n")
    if help:
        sys.stderr.write(f"help: {help}\n")
    return 2
