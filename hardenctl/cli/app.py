"""The command line: which commands there are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hardenctl import __version__
from hardenctl.cli import (
    audit,
    baseline,
    cache,
    check,
    demo,
    explain,
    fix,
    generate,
    import_,
    init,
    load,
    lsp,
    policy,
    preflight,
    render,
    rotate,
    score,
)
from hardenctl.cli.auditing import run_audit
from hardenctl.cli.errors import INTERRUPTED, fail, guarded
from hardenctl.cli.fast import with_command
from hardenctl.cli.request import Request
from hardenctl.cli.variables import check_environment, give_variables

# Typer brings its own copy of click since 0.26; this is its `ClickException` in either.
_ClickError: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="hardenctl",
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
def root(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> int:
    """Harden the deployment of a Python web service. Without a command, audit the current folder."""
    del version
    return 0 if context.invoked_subcommand else run_audit(Request())


audit.register(app)
app.add_typer(check.app, name="check")
explain.register(app)
app.add_typer(load.app, name="load")
policy.register(app)
fix.register(app)
init.register(app)
app.add_typer(baseline.app, name="baseline")
app.add_typer(import_.app, name="import")
app.add_typer(cache.app, name="cache")
score.register(app)
app.add_typer(generate.app, name="generate")
rotate.register(app)
render.register(app)
demo.register(app)
preflight.register(app)
lsp.register(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    return guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> int:
    try:
        commands = typer.main.get_command(app)
        check_environment(give_variables(commands))
        # What their `main` does, without its ideas of Ctrl-C and of closed pipes: those are `guarded`'s.
        with commands.make_context("hardenctl", with_command(arguments)) as top:
            code = commands.invoke(top)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        sys.stderr.write("error: interrupted\n")
        return INTERRUPTED
    except _ClickError as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "hardenctl"
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            names = ", ".join(sorted(getattr(context.command, "commands", ()))) if context is not None else ""
            return fail(f"`{command}` needs a command", names and f"one of {names}")
        return fail(error.format_message(), f"run `{command} --help` to see what there is")
    return code if isinstance(code, int) else 0
