"""Credentials into environment files: guarded, atomic, nothing overwritten unless asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from hardenctl.generate import dotenv
from hardenctl.generate.env import Filled, fill
from hardenctl.generate.private import read_private, refuse_unfit, write_private
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.files import top_of
from hardenctl.model.settings import SecretSettings
from hardenctl.rules.secrets.values import ValueClass, classify_value

TEMPLATE = Path(".env.example")


def check_store(path: Path, key: str, *, force: bool = False) -> None:
    """Raise UsageError where `store` would: asked before anything is made."""
    refuse_unfit(path)
    entries = dotenv.parse(read_private(path) or "", str(path))
    dotenv.set_value(entries, key, "")  # the name has to be one
    present = dotenv.values(entries).get(key)
    if (
        present is not None
        and not force
        and classify_value(key, present)
        not in {
            ValueClass.EMPTY,
            ValueClass.PLACEHOLDER,
        }
    ):
        raise UsageError(
            f"`{key}` has a value in `{path}` already", help="--force replaces it; whoever still uses the old one fails"
        )


def store(path: Path, key: str, value: str, *, force: bool = False) -> None:
    """Set one key of an environment file; all else stays as it is. Raises UsageError as `check_store`."""
    check_store(path, key, force=force)
    entries = dotenv.parse(read_private(path) or "", str(path))
    write_private(path, dotenv.join(dotenv.set_value(entries, key, value)))


def check_key_file(path: Path, *, force: bool = False) -> None:
    """Raise UsageError where `store_key_pair` would: asked before anything is made."""
    refuse_unfit(path)
    for each in (path, public_path(path)):
        if each.exists() and not force:
            raise UsageError(
                f"`{each}` is there already", help="--force replaces it; what it signed stays signed by it"
            )


def store_key_pair(path: Path, private: str, public: str, *, force: bool = False) -> Path:
    """Write a private key (mode 0600) and its public one beside it, whose path is returned."""
    check_key_file(path, force=force)
    write_private(path, private)
    write_private(public_path(path), public)
    return public_path(path)


def public_path(path: Path) -> Path:
    """Where the public half of a key in `path` goes."""
    return path.with_name(f"{path.name}.pub")


def fill_file(
    template: Path,
    target: Path,
    *,
    rotate: Collection[str] = (),
    assign: Mapping[str, str] | None = None,
    hosts: Mapping[str, str] | None = None,
    settings: SecretSettings | None = None,
) -> Filled:
    """Fill a template into a file, mode 0600, in one step. Raises HardenctlError and leaves the file as it was."""
    if target.exists() and template.exists() and target.samefile(template):
        raise UsageError("the template cannot be its own target", help="name another file with --write")
    refuse_unfit(target)
    # The usual template was not named by anybody: the project brought it.
    text = read_private(template, top_of(Path()) if template == TEMPLATE else None)
    if text is None:
        raise SourceError(
            f"there is no template `{template}`",
            help="name one with --template; `hardenctl render env-example` makes one",
        )
    before = read_private(target)
    filled = fill(
        text,
        before,
        name=str(template),
        target_name=str(target),
        rotate=rotate,
        assign=assign,
        hosts=hosts,
        settings=settings,
    )
    write_private(target, filled.text)  # also where nothing changes: the mode may have to
    return replace(filled, changed=filled.text != before)
