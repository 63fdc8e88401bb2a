"""`hardenctl render`: configuration files from templates."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.cli.auditing import show
from hardenctl.detect.redact import mask
from hardenctl.detect.secrets import sensitive_spans
from hardenctl.fix.files import Refused, locate
from hardenctl.formats.project import ProjectFacts
from hardenctl.model.blob import Blob, Provenance
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.files import read_small, top_of
from hardenctl.model.settings import CustomSecret
from hardenctl.policy.load import load_policy
from hardenctl.render import TEMPLATES, Template, detect_facts, merge, override, render, template_named
from hardenctl.render.environment import kept_environment
from hardenctl.report.style import visible
from hardenctl.sources.repository import find_place
from hardenctl.sources.worktree import WorkTreeSnapshot


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("render")
    def command(
        name: Annotated[
            str | None, typer.Argument(metavar="NAME", help=f"{', '.join(TEMPLATES)}; none lists them.")
        ] = None,
        path: Annotated[Path, typer.Argument(metavar="PATH", help="The project.")] = Path(),
        *,
        settings: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="KEY=VALUE", help="Override a fact: app=shop.api:app, port=9000, ..."),
        ] = None,
        write: Annotated[bool, typer.Option("--write", help="Write the file, and show what changes.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    ) -> None:
        """Render a template, filled from what the project is, to standard output or into the project."""
        if name is None:
            width = max(map(len, TEMPLATES))
            show("".join(f"{each.name:<{width}}  {each.summary} ({each.path})\n" for each in TEMPLATES.values()))
            return
        template = template_named(name)
        if force and not write:
            raise UsageError("--force needs --write", help="without --write nothing is overwritten anyway")
        if not path.is_dir():
            raise UsageError(f"`{path}` is no folder", help="name the project's folder")
        facts = override(detect_facts(WorkTreeSnapshot(find_place([path]))), settings or ())
        text = render(name, facts)
        if write:
            _write(path, template, text, force=force)
        else:
            show(text)
        sys.stderr.writelines(
            f"note: {visible(each)}\n" for each in (*_dropped(name, facts), *_lacking(path, text, facts))
        )


def _dropped(name: str, facts: ProjectFacts) -> Iterator[str]:
    """What the present compose file has and the rendered one does not."""
    if name != "compose":
        return
    if facts.left_out:
        services = ", ".join(f"`{each}`" for each in facts.left_out)
        yield f"left out, as only the web service and its stores are rendered: {services} of {facts.compose}"
    if left := kept_environment(facts)[1]:
        variables = ", ".join(f"`{each}`" for each in left)
        yield f"left to {facts.env_file}, being credentials, accounts or for development: {variables}"


def _lacking(folder: Path, text: str, facts: ProjectFacts) -> Iterator[str]:
    """What a rendered file refers to and the project does not have."""
    if '"gunicorn.conf.py"' in text and not (folder / "gunicorn.conf.py").exists():
        yield "it starts gunicorn with gunicorn.conf.py, which is not there: hardenctl render gunicorn --write"
    if "\n    build:" not in text or "dockerfile_inline" in text:
        return
    dockerfile = folder / facts.image.dockerfile
    if "$" in facts.image.dockerfile:
        return  # which file that is, the environment says
    if not dockerfile.exists():
        yield f"it builds ./{facts.image.dockerfile}, which is not there: hardenctl render dockerfile --write"
    elif facts.installs and "gunicorn" not in facts.installs and "gunicorn" not in (_read(dockerfile) or ""):
        yield f"it starts gunicorn, which neither the dependencies nor {facts.image.dockerfile} install: add it"


def _write(folder: Path, template: Template, text: str, *, force: bool) -> None:
    names = (template.path, *template.aliases)
    name = next((name for name in names if (folder / name).exists()), template.path)
    target = folder / name
    try:
        locate(folder, name)
    except Refused as refused:  # a link in a repository that is not trusted could lead anywhere
        raise SourceError(f"`{target}` is left alone: {refused}", help="put a file in its place") from None
    present = _read(target)
    if present is not None and template.lines and not force:
        text = merge(present, text)
    if present == text:
        sys.stdout.write(f"{target} is up to date\n")
        return
    show(_diff(target, present or "", text, load_policy(folder).settings.secrets.custom if present else ()))
    if present is not None and not template.lines and not force:
        raise UsageError(f"`{target}` is there already and was left as it is", help="--force replaces it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise SourceError(
            f"`{target}` cannot be written: {error.strerror}", help="put it where you may write"
        ) from None
    sys.stdout.write(f"{target} written\n")


def _read(path: Path) -> str | None:
    try:
        return read_small(path, top_of(path.parent)).decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SourceError(f"`{path}` is not UTF-8 text", help="move it away first") from None
    except OSError as error:
        raise SourceError(f"`{path}` cannot be read: {error.strerror}", help="put a readable file there") from None


def _diff(path: Path, before: str, after: str, custom: tuple[CustomSecret, ...]) -> str:
    """A unified diff in which every credential of the old file is masked."""
    blob = Blob(Provenance(path.as_posix()), before.encode("utf-8"))
    masked = mask(blob.text, sensitive_spans(blob, custom))
    lines = difflib.unified_diff(
        masked.splitlines(), after.splitlines(), f"{path.as_posix()} (now)", path.as_posix(), lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)
