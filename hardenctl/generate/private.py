"""Writing files that hold credentials: guarded by git's opinion, atomic, readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from hardenctl.model.blob import Standing
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.sources.standing import git_standing


def refuse_where_git_sees(path: Path) -> None:
    """Raise UsageError where git tracks a file, or would take it with the next `git add`."""
    for each in {path, Path(os.path.realpath(path))}:  # a link and what it points to can stand differently
        standing = git_standing(each)
        if standing is Standing.TRACKED:
            raise UsageError(
                f"git tracks `{path}`: credentials written there would be committed",
                help=f"run `git rm --cached {path}` and ignore it (`hardenctl fix --apply` does both), then try again",
            )
        if standing is Standing.UNTRACKED:
            raise UsageError(
                f"git does not ignore `{path}`: the next `git add` would take the credentials",
                help=f"add `{path.name}` to .gitignore (`hardenctl render gitignore --write` covers all such files)",
            )


def read_private(path: Path) -> str | None:
    """The text of a file that is going to be rewritten, line ends as they are; None where there is none."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SourceError(f"`{path}` is not UTF-8 text", help="convert it, or name another file") from None
    except OSError as error:
        raise SourceError(f"`{path}` cannot be read: {error.strerror}") from None


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, mode 0600, or leave it as it was.

    On Windows there are no modes: the file inherits its folder's access list. A link keeps pointing where it did.
    """
    target = Path(os.path.realpath(path))
    try:
        # mkstemp makes the file 0600 before a byte is in it.
        descriptor, temporary = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise SourceError(f"`{path}` cannot be written: {error.strerror}", help="check the folder") from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)  # noqa: PTH105 - the pair of mkstemp
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108 - as above
        if isinstance(error, OSError):
            raise SourceError(f"`{path}` cannot be written: {error.strerror}") from None
        raise
