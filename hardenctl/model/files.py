"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put `content` in place of a file at once; whatever happens, what was there is left, and nothing beside it.

    What is no file (a named pipe, /dev/stdout) is written to as it is. Raises OSError.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
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
