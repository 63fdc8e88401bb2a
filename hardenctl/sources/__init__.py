"""What yields blobs: the work tree, the index, history, standard input. Only this room and `fix` talk to git."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hardenctl.model.blob import Source
from hardenctl.model.errors import UsageError
from hardenctl.sources.repository import find_place
from hardenctl.sources.worktree import WorkTreeSource

__all__ = ["open_source"]


def open_source(
    paths: Sequence[str | Path] = (),
    *,
    staged: bool = False,
    since: str | None = None,
    history: bool = False,
    all_objects: bool = False,
    stdin_filename: str | None = None,
    exclude: Sequence[str] = (),
    salt: bytes | None = None,
) -> Source:
    """The source that a command line asks for.

    `paths` are files or folders, none means the current folder; `-` alone is standard input, named by
    `stdin_filename`. `exclude` are the policy's globs, `salt` is the baseline's. Raises UsageError for what cannot
    be asked together or isn't there, SourceError where git does not give it.
    """
    del stdin_filename
    if staged or since or history or all_objects:
        raise UsageError("only the work tree can be audited so far")
    return WorkTreeSource(find_place(paths), exclude=exclude, salt=salt)
