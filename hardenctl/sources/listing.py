"""Which files a folder has: asked of git, or walked where there is no git."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from hardenctl.formats.paths import is_env_file
from hardenctl.model.blob import Gap, Standing
from hardenctl.model.errors import SourceError
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import field, record
from hardenctl.sources.git import Git, shown
from hardenctl.sources.index import check_index

# Never part of a project: what tools put beside it. Walked neither in plain folders nor for ignored env files.
FOREIGN = frozenset(
    """
    .git .hg .svn .venv venv node_modules __pycache__ .tox .nox .mypy_cache .pytest_cache .ruff_cache .cache
    .eggs .gradle .terraform .next .nuxt site-packages
    """.split()  # noqa: SIM905 - one word a line is no easier to read
)

LINK = b"120000"
LEFT_OUT = {LINK: "symbolic link", b"160000": "submodule"}  # modes of what is no file of this repository

# What git says of a folder it may not open, and then goes on without.
_CLOSED = lazy_pattern(rb"^warning: could not open directory '(.+?)/?': (.+)$", re.MULTILINE)


@record
class Entry:
    """One file: `raw` is its path as the file system spells it, `path` the same as it is shown."""

    path: str
    raw: bytes
    standing: Standing
    oid: str | None = None


@record(slots=False, frozen=False)
class Listing:
    """Files by path, what was left out on purpose (by reason), and what could not be listed."""

    entries: dict[str, Entry] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)

    def add(self, raw: bytes, standing: Standing, oid: str | None = None) -> None:
        """Add a file. Two names that are shown alike are one entry: the other is a gap."""
        path = shown(raw)
        if path in self.entries and self.entries[path].raw != raw:
            self.gaps.append(Gap(path, "two files have names that are shown like this: only one was looked at"))
            return
        self.entries[path] = Entry(path, raw, standing, oid)

    def add_all(self, other: Listing, below: bytes) -> None:
        """Take over the listing of a folder below."""
        for entry in other.entries.values():
            self.add(below + b"/" + entry.raw, entry.standing, entry.oid)
        self.skipped += other.skipped
        self.gaps += [Gap(f"{shown(below)}/{gap.path}", gap.reason) for gap in other.gaps]


def list_repository(git: Git, *, submodules: bool = False) -> Listing:
    """Tracked files, untracked ones that git doesn't ignore, and ignored env files beside them.

    Paths are relative to git's folder and below it. Links are counted, not followed; submodules are too, unless they
    are asked for: then one that is not checked out is a gap.
    """
    listing, base = Listing(), os.fsencode(git.folder)
    check_index(git)
    output, warnings = git.run_heard("ls-files", "-z", "-t", "--stage", "--cached", "--others", "--exclude-standard")
    for raw, reason in _CLOSED.findall(warnings):
        listing.gaps.append(Gap(shown(raw), f"could not be listed: {reason.decode('utf-8', 'replace')}"))
    for entry in output.split(b"\0"):
        if not entry:
            continue
        tag, rest = entry[:1], entry[2:]
        if tag == b"?":
            if rest.endswith(b"/"):
                listing.skipped["nested repository"] += 1
            else:
                listing.add(rest, Standing.UNTRACKED)
            continue
        meta, _, raw = rest.partition(b"\t")
        mode, oid, _stage = meta.split(b" ")
        if mode == b"160000" and submodules:
            _add_submodule(listing, git, raw)
        elif mode in LEFT_OUT and not _is_file(base, raw):
            listing.skipped[LEFT_OUT[mode]] += 1
        elif tag == b"S" and not _is_file(base, raw):
            listing.skipped["not checked out (sparse checkout)"] += 1
        else:
            listing.add(raw, Standing.TRACKED, oid.decode())
    for raw in _ignored_env_files(base, listing.entries.values()):
        listing.add(raw, Standing.IGNORED)
    return listing


def _is_file(base: bytes, raw: bytes) -> bool:
    """Whether a file is there, whatever the index says of its name.

    One that was a link, or that git was told to pass over: `update-index --skip-worktree` is a habit for settings of
    one's own.
    """
    try:
        return stat.S_ISREG(os.lstat(os.path.join(base, raw)).st_mode)  # noqa: PTH118 - bytes
    except OSError:
        return False


def _add_submodule(listing: Listing, git: Git, raw: bytes) -> None:
    """What a submodule has checked out, its own submodules included."""
    folder = os.path.join(os.path.realpath(os.fsencode(git.folder)), raw)  # noqa: PTH118 - bytes
    if os.path.realpath(folder) != folder:
        listing.gaps.append(Gap(shown(raw), "a symbolic link in place of a submodule"))
    elif not os.path.lexists(os.path.join(folder, b".git")):  # noqa: PTH118 - as above
        listing.gaps.append(Gap(shown(raw), "a submodule that is not checked out: `git submodule update --init`"))
    else:
        try:
            listing.add_all(list_repository(Git(Path(os.fsdecode(folder))), submodules=True), raw)
        except SourceError as error:
            listing.gaps.append(Gap(shown(raw), f"a submodule that cannot be read: {error.what}"))


def list_folder(root: Path) -> Listing:
    """All files of a plain folder, without those of tools and nested repositories."""
    listing = Listing()
    base = os.fsencode(root)

    def failed(error: OSError) -> None:
        name = os.path.relpath(os.fsencode(error.filename), base)
        listing.gaps.append(Gap(shown(name), f"could not be listed: {error.strerror}"))

    for folder, names, files in os.walk(base, onerror=failed):
        kept = []
        for name in names:
            if os.fsdecode(name) in FOREIGN or name.endswith(b".egg-info"):
                listing.skipped["tool folder"] += 1
            elif os.path.islink(os.path.join(folder, name)):  # noqa: PTH114, PTH118 - bytes, and a hot path
                listing.skipped["symbolic link"] += 1
            elif os.path.exists(os.path.join(folder, name, b"pyvenv.cfg")):  # noqa: PTH110, PTH118 - as above
                listing.skipped["tool folder"] += 1
            else:
                kept.append(name)
        names[:] = sorted(kept)
        prefix = os.path.relpath(folder, base).replace(os.fsencode(os.sep), b"/")
        for name in sorted(files):
            listing.add(name if prefix == b"." else prefix + b"/" + name, Standing.UNTRACKED)
    return listing


def _ignored_env_files(base: bytes, entries: Iterable[Entry]) -> Iterator[bytes]:
    """Env files that git doesn't list, in the folders it lists files of and in the root."""
    listed = {entry.raw for entry in entries}
    folders = {b""}
    for raw in listed:
        folder = raw.rpartition(b"/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition(b"/")[0]
    for folder in sorted(folders):
        try:
            with os.scandir(os.path.join(base, folder)) as items:  # noqa: PTH118 - bytes, and a hot path
                names = [
                    item.name for item in items if b"env" in item.name.lower() and item.is_file(follow_symlinks=False)
                ]
        except OSError:
            continue  # the folder's files are read one by one: each says that it is gone or unreadable
        for name in sorted(names):
            raw = folder + b"/" + name if folder else name
            if raw not in listed and is_env_file(shown(raw)):
                yield raw
