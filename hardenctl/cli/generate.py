"""`hardenctl generate`: credentials that nobody needs to see."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.formats.project import store_hosts
from hardenctl.generate.alphabets import ALPHABETS
from hardenctl.generate.credential import RECIPES, Recipe, generate
from hardenctl.generate.env import Filled
from hardenctl.generate.files import check_store, fill_file, store
from hardenctl.generate.push import PLATFORMS, Destination, prepare, push
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import SecretSettings
from hardenctl.policy.load import load_policy
from hardenctl.sources.repository import find_place
from hardenctl.sources.worktree import WorkTreeSnapshot

app = typer.Typer(
    help="Generate credentials. On a terminal only bits and fingerprint are shown; a pipe gets the bare value.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _command(recipe: Recipe) -> Callable[..., None]:
    def command(
        *,
        bits: Annotated[int | None, typer.Option(min=1, help="At least so much entropy.")] = None,
        length: Annotated[int | None, typer.Option(min=1, help="So many characters.")] = None,
        alphabet: Annotated[str | None, typer.Option(help=f"One of: {', '.join(ALPHABETS)}.")] = None,
        write: Annotated[Path | None, typer.Option(metavar="FILE", help="Put it into this dotenv file.")] = None,
        push_to: Annotated[
            str | None, typer.Option("--push", metavar="PLATFORM", help=f"Deliver it: {', '.join(PLATFORMS)}.")
        ] = None,
        environment: Annotated[
            str, typer.Option(metavar="NAME", help="The platform's environment; gcp: project, kubernetes: namespace.")
        ] = "",
        key: Annotated[str | None, typer.Option(metavar="NAME", help="The key to set with --write or --push.")] = None,
        yes: Annotated[bool, typer.Option("--yes", help="Deliver without asking.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Replace a value that is there.")] = False,
        show: Annotated[bool, typer.Option("--show", help="Print the value on a terminal too.")] = False,
    ) -> None:
        settings = _settings()
        _check_options(recipe, write=write, push_to=push_to, key=key, force=force, show=show, environment=environment)
        name = key or recipe.key
        destination = Destination(push_to, name, environment) if push_to else None
        if write is not None:
            check_store(write, name, force=force)
        if destination is not None:
            prepare(destination)
            _confirm(destination, yes=yes)
        credential = generate(recipe, bits=bits, length=length, alphabet=alphabet, settings=settings)
        if write is not None:
            store(write, name, credential.value, force=force)
            sys.stdout.write(f"{write}: {name} set ({credential.describe()})\n")
        elif destination is not None:
            push(destination, credential.value)
            sys.stdout.write(f"{destination} delivered ({credential.describe()})\n")
        elif not sys.stdout.isatty():
            sys.stdout.write(credential.value)
        elif show:
            sys.stdout.write(credential.value + "\n")
        else:
            sys.stdout.write(f"{recipe.name}: {credential.describe()}\n")
            sys.stderr.write("not shown: use --show, a pipe, or --write FILE --key NAME\n")

    return command


def _check_options(
    recipe: Recipe,
    *,
    write: Path | None,
    push_to: str | None,
    key: str | None,
    force: bool,
    show: bool,
    environment: str,
) -> None:
    """Refuse options that say nothing together."""
    if write is not None and push_to is not None:
        raise UsageError("--write and --push exclude each other", help="each makes a value of its own: run it twice")
    if write is None and force:
        raise UsageError("--force needs --write FILE", help="name the file to write to")
    if write is None and push_to is None and key is not None:
        raise UsageError(
            "--key needs --write FILE or --push PLATFORM", help=f"for example --write .env --key {recipe.key}"
        )
    if push_to is None and environment:
        raise UsageError("--environment needs --push PLATFORM", help="name the platform")
    if show and (write is not None or push_to is not None):
        raise UsageError("--show excludes --write and --push", help="what is delivered need not be seen")


def _confirm(destination: Destination, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to confirm on", help="add --yes once you have checked the command")
    typer.confirm(f"{destination}: make a new value and deliver it?", abort=True, err=True)


for _recipe in RECIPES.values():
    app.command(_recipe.name, help=f"{_recipe.summary}.")(_command(_recipe))


@app.command("env")
def env(
    *,
    write: Annotated[Path, typer.Option(metavar="FILE", help="The file to write, mode 0600.")],
    template: Annotated[Path, typer.Option(metavar="FILE", help="The template to fill.")] = Path(".env.example"),
    rotate: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Make this credential anew, and what follows it. Repeatable."),
    ] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting (no credential). Repeatable.")
    ] = None,
) -> None:
    """Fill a template with credentials: nothing is overwritten, nothing is echoed."""
    filled = fill_file(
        template,
        write,
        rotate=rotate or (),
        assign=dict(map(_pair, assign or ())),
        hosts=_hosts(template),
        settings=_settings(),
    )
    sys.stdout.write(_summary(filled, write))


def _hosts(template: Path) -> dict[str, str]:
    """Where compose runs the servers that the template's URLs speak of."""
    folder = template.parent
    return store_hosts(WorkTreeSnapshot(find_place([folder]))) if folder.is_dir() else {}


def _settings() -> SecretSettings:
    return load_policy(Path()).settings.secrets


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        # The text is not shown: it may be a credential that somebody pasted.
        raise UsageError("--set takes KEY=VALUE", help="for example --set ENVIRONMENT=production")
    return key, value


def _summary(filled: Filled, path: Path) -> str:
    """Names, never values."""
    lines = [f"{path} written" if filled.changed else f"{path} is up to date"]
    width = max(map(len, filled.generated), default=0)
    sections = (
        ("generated", [f"{key:<{width}}  {made.describe()}" for key, made in filled.generated.items()]),
        ("put together from other keys", list(filled.assembled)),
        ("kept", list(filled.kept)),
        ("copied as they stand", [", ".join(filled.copied)] if filled.copied else []),
        ("check", [f"{key}: {why}" for key, why in filled.check.items()]),
        ("you must fill", [f"{key}: {why}" for key, why in filled.missing.items()]),
    )
    for title, rows in sections:
        if rows:
            lines += [f"{title}:", *(f"  {row}" for row in rows)]
    return "\n".join(lines) + "\n"
