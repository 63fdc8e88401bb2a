"""Writing files that hold credentials: guarded by git's opinion, atomic, readable by their owner only."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import sys
from pathlib import Path

from hardenctl.model.blob import Standing
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.files import read_small
from hardenctl.sources.standing import git_standing


def refuse_unfit(path: Path) -> None:
    """Raise UsageError where a file cannot be one of credentials.

    Where git tracks it, or would take it with the next `git add`; and what is no file: a device would be replaced by
    one, /dev/null for root, and a pipe be waited for.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"`{path}` is no regular file", help="name a file; without `--write` it goes to a pipe")
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


def read_private(path: Path, root: Path | None = None) -> str | None:
    """The text of a file that is going to be rewritten, line ends as they are; None where there is none.

    `root` is the project in which it was found, None for one that the user named.
    """
    try:
        return read_small(path, root).decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SourceError(f"`{path}` is not UTF-8 text", help="convert it, or name another file") from None
    except OSError as error:
        raise SourceError(f"`{path}` cannot be read: {error.strerror}", help="put a readable file there") from None


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, mode 0600, or leave it as it was.

    Killed in the middle it leaves nothing: on Linux the new file has no name until it is whole. What a run that was
    killed between the name and the place left behind (elsewhere: while it wrote) goes with the next one.
    On Windows there are no modes: the file inherits its folder's access list. A link keeps pointing where it did.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        _clear(target)
        _write_whole(temporary, text.encode("utf-8"))
        os.replace(temporary, target)  # noqa: PTH105 - the atomic one
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise SourceError(f"`{path}` cannot be written: {error.strerror}", help="check the folder") from None
        raise


def _write_whole(path: Path, data: bytes) -> None:
    """Make a new file, mode 0600 before a byte is in it. Raises OSError."""
    descriptor, named = _unnamed(path.parent), False
    if descriptor is None:
        descriptor, named = (
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600),
            True,
        )
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
        if not named:
            # Given a folder's descriptor Python calls linkat(2), which can follow the link in /proc.
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.link(f"/proc/self/fd/{stream.fileno()}", path, src_dir_fd=folder, follow_symlinks=True)
            finally:
                os.close(folder)


def _unnamed(folder: Path) -> int | None:
    """A new file without a name in a folder; None where the system or the file system knows none."""
    if sys.platform != "linux":
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError:
        return None


def _clear(target: Path) -> None:
    """Remove what runs that are gone left beside a file."""
    if os.name != "posix":  # asking Windows whether a process lives ends it
        return
    for each in target.parent.glob(f"{glob.escape(target.name)}.*.????????.tmp"):
        process = each.name.removeprefix(f"{target.name}.").partition(".")[0]
        if process.isdigit() and not _lives(int(process)):
            each.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
