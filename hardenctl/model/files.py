"""Reading a project's own small files within bounds, and writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from hardenctl.model.errors import UsageError

MOST = 64 * 2**20  # bytes: a baseline of a quarter of a million findings


def read_small(path: Path, root: Path | None = None, most: int = MOST) -> bytes:
    """The bytes of a policy, a baseline, a template: small files that are read whole, whoever wrote them.

    With `root` the file was found in that project, which may be hostile: it has to be a regular one, and no link of
    the project may lead out of it. Without, the user named it: it may be anywhere, and a pipe. Neither may hold more
    than `most` bytes, so that a device or a sparse file fills no memory.
    Raises OSError, whose `strerror` says what is wrong; FileNotFoundError only where there is nothing of that name.
    """
    if root is not None and _leads_out(path, root):
        raise OSError(errno.ELOOP, "a link that leads out of the project", str(path))
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        # A pipe in a project has nobody who writes: opening it must not wait for one.
        handle = os.open(path, flags | (getattr(os, "O_NONBLOCK", 0) if root is not None else 0))
    except FileNotFoundError:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "a link that leads nowhere", str(path)) from None
        raise
    mode = os.fstat(handle).st_mode
    if stat.S_ISDIR(mode) or (root is not None and not stat.S_ISREG(mode)):
        os.close(handle)
        raise OSError(errno.EINVAL, "a folder" if stat.S_ISDIR(mode) else "no regular file", str(path))
    with open(handle, "rb") as stream:  # noqa: PTH123 - a file handle
        data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"larger than {most // 2**20} MiB", str(path))
    return data


def top_of(folder: Path) -> Path:
    """The repository's top that a folder is in; where it is in none, the folder itself. Resolved."""
    folder = folder.resolve()
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def different_files(paths: Iterable[Path]) -> None:
    """Raise UsageError where one file is named twice for output: what is written first would be lost."""
    seen = set()
    for path in paths:
        if (real := os.path.realpath(path)) in seen:
            raise UsageError(f"`--output` names `{path}` twice", help="give each report a file of its own")
        seen.add(real)


def _leads_out(path: Path, root: Path) -> bool:
    """Whether a path lies in a folder as it is written, and really elsewhere."""
    written, real, top = Path(os.path.abspath(path)), Path(os.path.realpath(path)), Path(os.path.realpath(root))  # noqa: PTH100 - keeps links
    inside = written.is_relative_to(top) or written.is_relative_to(os.path.abspath(root))  # noqa: PTH100 - as above
    return inside and not real.is_relative_to(top)


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put `content` in place of a file at once; whatever happens, what was there is left, and nothing beside it.

    What is no file (a named pipe, /dev/stdout) is written to as it is. Raises OSError.
    """
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    import tempfile  # brings shutil and random, 8 ms that a hook run can do without

    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with open(handle, "wb") as stream:  # noqa: PTH123 - a file handle
            stream.write(content)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def usual_mode() -> int:
    """The mode of a new file that is no secret, as the user's mask has it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return 0o666 & ~mask
