"""The files of a project as fixes may touch them: inside the root, no links, unchanged since they were read."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath


class Refused(Exception):  # noqa: N818 - says what it does
    """A file that must not be touched; the text is the reason."""


def locate(root: Path, path: str) -> Path:
    """The file a path means. Raises Refused for one that is, or leads through, a link or leaves the root."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or ".git" in parts or (os.name == "nt" and "\\" in path):
        raise Refused(f"{path} is not a file of the project")
    real = Path(os.path.realpath(root))
    target = real.joinpath(*parts)
    if Path(os.path.realpath(target.parent)) != target.parent or target.is_symlink():
        raise Refused(f"{path} is behind a symbolic link")
    above = next((each for each in target.parents if os.path.lexists(each)), real)
    if not above.is_dir():
        raise Refused(f"{path} cannot be written: {above.relative_to(real).as_posix()} is no folder")
    return target


def read(root: Path, path: str) -> bytes | None:
    """The bytes on disk, None where there is no file. Raises Refused."""
    target = locate(root, path)
    try:
        if not stat.S_ISREG(target.lstat().st_mode):
            raise Refused(f"{path} is not a regular file")
        return target.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Refused(f"{path} could not be read: {error.strerror}") from None
