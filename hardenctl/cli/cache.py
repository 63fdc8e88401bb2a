"""`hardenctl cache info|clear`: what is kept to be faster, all of which can be made again."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.cli.auditing import show
from hardenctl.model.blob import KEY_SIZE
from hardenctl.model.caches import cache_home
from hardenctl.model.errors import SourceError
from hardenctl.report.style import visible
from hardenctl.sources.known import read
from hardenctl.sources.remembered import NAME
from hardenctl.sources.repository import find_place
from hardenctl.sources.sealed import places

app = typer.Typer(help="What is kept to be faster; no values.", no_args_is_help=True, rich_markup_mode=None)
PathArgument = Annotated[str, typer.Argument(help="The project.", metavar="[PATH]", show_default=False)]
_KILO = 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that is kept: what, where, how large, since when."""

    what: str
    path: Path
    files: int
    size: int
    changed: float


@app.command()
def info(path: PathArgument = ".") -> None:
    """Print what is kept, where, and since when."""
    lines = []
    for each in _kept(path):
        when = dt.datetime.fromtimestamp(each.changed).astimezone().isoformat(" ", "minutes")
        size = f"{each.size / _KILO:,.0f} kB"
        lines += [f"{each.what}\n", f"  {visible(str(each.path))}  {size}, {when}\n"]
    show("".join(lines) or "nothing is kept\n")


@app.command()
def clear(path: PathArgument = ".") -> None:
    """Remove it: of this project, and what all projects share."""
    removed = list(_kept(path))
    for each in removed:
        try:
            if each.path.is_dir() and not each.path.is_symlink():
                shutil.rmtree(each.path)
            else:
                each.path.unlink()
        except FileNotFoundError:
            continue  # somebody else was faster
        except OSError as error:
            raise SourceError(
                f"`{each.path}` cannot be removed: {error.strerror}", help="remove it as the user who owns it"
            ) from None
    show(f"{len(removed)} removed\n" if removed else "nothing is kept\n")


def _kept(path: str) -> Iterator[Kept]:
    """What there is of this project and of all."""
    git = find_place([path]).git
    for place in places(git, "known") if git else ():
        if place.is_file():
            count = len(read(place)) // KEY_SIZE
            yield _one(f"{count:,} versions of files and messages in which nothing was found", place)
        yield from _left(place.parent, f".{place.name}.*.tmp")
    for place in places(git, NAME) if git else ():
        for each in sorted(place.parent.glob(f"{place.name}-*")):
            yield _one("what a run of the whole history came to", each)
        yield from _left(place.parent, f".{place.name}-*.tmp")
    home = cache_home()
    for compiled in sorted(home.glob("secrets-*.hsdb")):
        yield _one("the matcher's compiled expressions", compiled)
    if (home / "policy").is_dir():
        yield _one("policies as they were validated", home / "policy")


def _left(folder: Path, names: str) -> Iterator[Kept]:
    return (_one("what a run that was stopped left", each) for each in sorted(folder.glob(names)))


def _one(what: str, path: Path) -> Kept:
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    stats = [each.stat() for each in files]
    changed = max((each.st_mtime for each in stats), default=path.stat().st_mtime)
    return Kept(what, path, len(files), sum(each.st_size for each in stats), changed)
