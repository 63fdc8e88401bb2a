"""The index file's checksum. Git itself stopped verifying it for speed, and reads nonsense from a torn one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from hardenctl.model.errors import SourceError
from hardenctl.model.files import read_small
from hardenctl.sources.git import Git, find_top, git_folder

_FEW = 1 << 20  # bytes
_SMALLEST = 12 + 20  # bytes: the header and one checksum


def check_index(git: Git) -> None:
    """Raise SourceError where the index is torn; one that isn't there, or carries no checksum, is fine.

    About a millisecond for each megabyte, that is for each 10,000 files.
    """
    path = _index_path(git)
    try:
        data = _content(path) if path else b""
    except FileNotFoundError:
        return
    except OSError as error:
        raise SourceError(
            f"the git index `{path}` could not be read: {error.strerror}", help="let this user read the repository"
        ) from error
    if path is None or (len(data) >= _SMALLEST and _is_whole(data)):
        return
    raise SourceError(
        f"the git index of `{git.folder}` is corrupt",
        help="rebuild it with `rm .git/index && git reset` (work-tree files are kept)",
    )


def _content(path: Path) -> bytes:
    """Its bytes. What is no file, a pipe say, is an error: git would wait for what comes out of it."""
    real = Path(os.path.realpath(path))
    return read_small(real, real.parent, real.stat().st_size)


def _is_whole(data: bytes) -> bool:
    if not any(data[-20:]):  # index.skipHash
        return True
    view = memoryview(data)
    return sha1(view[:-20]) == data[-20:] or _sha256(view[:-32]) == data[-32:]


def sha1(data: memoryview | bytes) -> bytes:
    """The digest that git's checksums and ids are, whatever it is worth otherwise."""
    if len(data) < _FEW:
        with contextlib.suppress(ImportError):  # the interpreter's own: loading OpenSSL for one digest takes 2 ms
            from _sha1 import sha1 as quick  # type: ignore[import-not-found]

            digest: bytes = quick(data, usedforsecurity=False).digest()
            return digest
    import hashlib

    return hashlib.sha1(data, usedforsecurity=False).digest()


def _sha256(data: memoryview) -> bytes:
    import hashlib

    return hashlib.sha256(data, usedforsecurity=False).digest()


def _index_path(git: Git) -> Path | None:
    if given := git.environment.get("GIT_INDEX_FILE"):
        return Path(given)
    top = find_top(git.folder)
    if top is None or "GIT_DIR" in git.environment:
        return None
    return git_folder(top) / "index"
