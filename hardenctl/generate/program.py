"""Other people's programs: a platform's own tool, a database's client. They are asked, and answer or don't in time.

What they are told goes through standard input, where no other user of the machine can read it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from hardenctl.model.errors import ToolError


def find(program: str, install: str) -> str:
    """Where a program is; on Windows also the `.cmd` that subprocess would not find. Raises ToolError."""
    found = shutil.which(program)
    if found is None:
        raise ToolError(f"`{program}` is not installed, or not on PATH", help=f"install {install}")
    return found


def ask(
    program: str,
    arguments: Sequence[str],
    text: str = "",
    *,
    install: str,
    patience: float,
    late: str = "",
    environment: Mapping[str, str] | None = None,
    descriptors: tuple[int, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """What a program answered to `text` within `patience` seconds. Raises ToolError where it is missing, or late.

    `install` and `late` say what to do then. `environment` is what it gets in place of this process's own.
    """
    found = find(program, install)
    try:
        done = subprocess.run(  # noqa: S603 - a program that the user has and asked for
            [found, *arguments],
            input=text.encode(),  # bytes: text would get other line ends on Windows
            capture_output=True,
            timeout=patience,
            check=False,
            env=environment,
            pass_fds=descriptors,
        )
    except subprocess.TimeoutExpired:
        # From None: the exception carries what was sent.
        raise ToolError(f"`{program}` took longer than {patience:.0f} s", help=late) from None
    except OSError as error:
        raise ToolError(
            f"`{program}` could not be started: {error.strerror}", help=f"does `{program} --version` work here?"
        ) from None
    out, error_output = (each.decode("utf-8", "replace") for each in (done.stdout, done.stderr))
    return subprocess.CompletedProcess([program, *arguments], done.returncode, out, error_output)


def first_line(text: str) -> str:
    """What a program said, in short."""
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "it said nothing")
