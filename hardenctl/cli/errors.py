"""The one error handler: everything that can stop a command becomes `error:`, `help:` and an exit code.

No value is printed that an exception carries beside a HardenctlError's own words: it could be a secret.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from hardenctl.model.errors import HardenctlError
from hardenctl.report.style import visible

if TYPE_CHECKING:
    import traceback

INTERRUPTED = 130
BROKEN_PIPE = 141

# What writing to standard output fails with where there is no bug of ours: a full disk, a quota, a dead device.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF}


def guarded(command: Callable[[], int]) -> int:
    """The exit code of a command, whatever happens in it."""
    _open_what_is_closed()
    try:
        return command()
    except HardenctlError as error:
        return fail(error.what, error.help)
    except KeyboardInterrupt:
        _tell("error: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        close_output()
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        return _crashed(error)


def fail(what: str, help: str = "") -> int:  # noqa: A002 - the word the user reads
    """Print an error the way all of hardenctl does; returns 2."""
    lines = [
        f"{'  ' if number else f'{label}: '}{visible(line)}\n"
        for label, text in (("error", what), ("help", help))
        for number, line in enumerate(text.splitlines())
    ]
    _tell("".join(lines))
    return 2


def _tell(text: str) -> None:
    """Write to standard error. Where that is full or gone, the exit code is what is left to say."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        close_output(sys.stderr)


def _open_what_is_closed() -> None:
    """Give a process that was started without standard output or error (`>&-`, a service) nothing to write to."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for good


def output_is_closed() -> bool:
    """Whether the process was started without standard output: what is written there is nowhere."""
    return sys.__stdout__ is None


def close_output(stream: TextIO | None = None) -> None:
    """Point standard output (or error) at nothing: its reader has gone, and Python would complain when it exits."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, (stream or sys.stdout).fileno())
    os.close(nothing)


def _crashed(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _UNWRITABLE and error.filename is None:
        close_output()
        return fail(f"the output cannot be written: {os.strerror(error.errno)}", "make room, or send it elsewhere")
    if isinstance(error, FileNotFoundError) and _is_nowhere():
        return fail("the current folder is gone", "go to one that is there")
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    if os.environ.get("HARDENCTL_DEBUG"):
        sys.stderr.writelines(traceback.format_list(frames))
    return fail(
        f"hardenctl crashed: {type(error).__name__} at {_place(frames)}",
        "this is a bug: report that line and `hardenctl --version`; HARDENCTL_DEBUG=1 shows the traceback",
    )


def _is_nowhere() -> bool:
    """Whether the folder that this process is in has been removed."""
    try:
        os.getcwd()  # noqa: PTH109 - as pathlib would ask
    except FileNotFoundError:
        return True
    return False


def _place(frames: Sequence[traceback.FrameSummary]) -> str:
    """The innermost line of ours, as module:line; else the innermost line."""
    package = Path(__file__).parent.parent
    for frame in reversed(frames):
        path = Path(frame.filename)
        if package in path.parents and path != Path(__file__):
            module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
            return f"{module}:{frame.lineno}"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
