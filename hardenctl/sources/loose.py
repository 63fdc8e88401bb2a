"""Reads loose objects: what `git add` has just written needs no git process, which costs a hook run 2 ms.

An object counts only where its bytes are whole and have the id that was asked for. Anything else (a packed object, one
in an alternate store, a sha256 repository, a damaged file) is git's to read, and to complain of.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hardenctl.sources.index import sha1

if TYPE_CHECKING:
    from hardenctl.sources.git import Git

FEW = 8  # objects of one question: for more, one git process is no dearer
LARGEST = 1 << 20  # bytes of an object, packed or not
_ID = 40  # characters of a SHA-1


class LooseObjects:
    """The loose objects of a repository."""

    def __init__(self, git: Git) -> None:
        self._folder = _objects(git)

    def read(self, oid: str) -> tuple[str, bytes] | None:
        """The kind and the content of an object; None where git has to be asked."""
        if self._folder is None or len(oid) != _ID:
            return None
        try:
            with (self._folder / oid[:2] / oid[2:]).open("rb") as file:
                packed = file.read(LARGEST + 1)
        except OSError:
            return None
        content = _unpacked(packed)
        if content is None or sha1(content).hex() != oid:
            return None
        head, _, data = content.partition(b"\0")
        kind, _, size = head.partition(b" ")
        return (kind.decode("ascii"), data) if size == str(len(data)).encode() else None


def _unpacked(packed: bytes) -> bytes | None:
    import zlib  # here: nothing staged takes none

    if len(packed) > LARGEST:
        return None
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed, LARGEST)
    except zlib.error:
        return None
    return content if stream.eof and not stream.unused_data else None


def _objects(git: Git) -> Path | None:
    """The folder of objects, where that is plain: a `.git` folder, or what a hook's variable says."""
    from hardenctl.sources.git import find_top

    if given := git.environment.get("GIT_OBJECT_DIRECTORY"):
        return Path(given)
    if "GIT_DIR" in git.environment:
        return None
    top = find_top(git.folder)
    folder = None if top is None else top / ".git" / "objects"
    return folder if folder is not None and os.path.isdir(folder) else None  # noqa: PTH112 - a hot path
