"""What yields blobs: the work tree, the index, history, standard input. Only this room and `fix` talk to git."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hardenctl.model.blob import Source
from hardenctl.model.errors import UsageError
from hardenctl.sources.repository import find_place

if TYPE_CHECKING:
    from hardenctl.sources.unpacked import HoldsArchives

__all__ = ["open_source"]


def open_source(
    paths: Sequence[str | Path] = (),
    *,
    staged: bool = False,
    since: str | None = None,
    history: bool = False,
    all_objects: bool = False,
    submodules: bool = False,
    archives: bool = False,
    stdin_filename: str | None = None,
    exclude: Sequence[str] = (),
    salt: bytes | None = None,
    stdin: IO[bytes] | None = None,
    jobs: int = 1,
    edition: bytes | None = None,
) -> Source:
    """The source that a command line asks for.

    `paths` are files or folders, none means the current folder; `-` alone is standard input, named by
    `stdin_filename` and read from `stdin` (the process's own by default). `exclude` are the policy's globs, `salt`
    is the baseline's; `jobs` is how many processes may run at a time; `archives` asks for what is in archives as well;
    `edition` lets a history remember what it has looked at.
    Raises UsageError for what cannot be asked together or isn't there, SourceError where git does not give it.
    """
    source = _open(
        paths,
        staged=staged,
        since=since,
        history=history,
        all_objects=all_objects,
        submodules=submodules,
        stdin_filename=stdin_filename,
        exclude=exclude,
        salt=salt,
        stdin=stdin,
        jobs=jobs,
        archives=archives,
        edition=edition,
    )
    if not archives:
        return source
    from hardenctl.sources.unpacked import Unpacked

    return Unpacked(source)


def _open(
    paths: Sequence[str | Path],
    *,
    staged: bool,
    since: str | None,
    history: bool,
    all_objects: bool,
    submodules: bool,
    stdin_filename: str | None,
    exclude: Sequence[str],
    salt: bytes | None,
    stdin: IO[bytes] | None,
    jobs: int,
    archives: bool,
    edition: bytes | None,
) -> HoldsArchives:
    ways = [
        name
        for name, asked in {
            "--staged": staged,
            "--since": since is not None,
            "--history": history or all_objects,
        }.items()
        if asked
    ]
    if len(ways) > 1:
        raise UsageError(f"{' and '.join(ways)} cannot be asked together", help="run one audit for each")
    if submodules and (ways or "-" in map(str, paths)):
        raise UsageError(
            "`--submodules` goes with the work tree alone", help="audit a submodule on its own: name its folder"
        )
    if "-" in map(str, paths):
        if len(paths) > 1 or ways:
            raise UsageError("`-` (standard input) stands alone", help="run a second audit for the rest")
        from hardenctl.sources.stdin import StdinSource

        return StdinSource(stdin or standard_input(), stdin_filename, salt=salt, archives=archives)
    if stdin_filename:
        raise UsageError("`--stdin-filename` goes with `-`", help="`hardenctl audit - --stdin-filename app/main.py`")
    if since is not None and not since.strip("."):
        raise UsageError("`--since` names no revision", help="`--since origin/main`, or `--since v1.0..v1.1`")
    if staged:
        from hardenctl.sources.staged import StagedSource

        return StagedSource(find_place(paths, on_disk=False), exclude=exclude, salt=salt)
    if ways:
        from hardenctl.sources.history import open_history

        return open_history(
            find_place(paths, on_disk=False),
            since,
            all_objects=all_objects,
            exclude=exclude,
            salt=salt,
            jobs=jobs,
            edition=edition,
        )
    from hardenctl.sources.worktree import WorkTreeSource

    return WorkTreeSource(find_place(paths), exclude=exclude, salt=salt, submodules=submodules, jobs=jobs)


def standard_input() -> IO[bytes]:
    """Standard input. Raises UsageError where it is closed."""
    if sys.stdin is None:
        raise UsageError("standard input is closed", help="pipe something into it, or name files")
    return sys.stdin.buffer
