"""Database servers whose passwords are rotated: what each can do, and how its own client is asked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Protocol

from hardenctl.model.errors import ToolError

PATIENCE = 30.0  # seconds a client may take


class Server(Protocol):
    """A server, over the connection that its client's environment variables give. Each method raises ToolError."""

    def prepare(self, role: str) -> None:
        """Raise where there is no client, no connection, or no such role."""

    def change(self, role: str, password: str, old: Sequence[str]) -> Callable[[], None]:
        """Give a role a new password; gives what puts back the old one.

        `old` are the passwords that the project's files hold. Raises UsageError, and changes nothing, where nothing
        could be put back.
        """

    def finish(self, role: str) -> None:
        """Every place has the new password: the old one opens nothing any more."""


def ask(
    program: str,
    arguments: Sequence[str],
    text: str,
    *,
    package: str,
    connection: str,
    environment: dict[str, str] | None = None,
    descriptors: tuple[int, ...] = (),
) -> str:
    """What a client printed for statements on its standard input; nothing of them stands in an argument.

    `package` is what to install where it is missing, `connection` the variables that lead to the server, and
    `environment` what it gets in place of this process's own.
    """
    found = shutil.which(program)
    if found is None:
        raise ToolError(f"`{program}` is not installed, or not on PATH", help=f"install {package}")
    try:
        done = subprocess.run(  # noqa: S603 - the server's own client
            [found, *arguments],
            input=text,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
            env=environment,
            pass_fds=descriptors,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"`{program}` took longer than {PATIENCE:.0f} s", help="look at the server's locks") from None
    except OSError as error:
        raise ToolError(f"`{program}` could not be started: {error.strerror}") from None
    if done.returncode:
        said = next((line for line in (done.stderr or done.stdout).splitlines() if line.strip()), "it said nothing")
        raise ToolError(f"`{program}` failed: {said.strip()[:200]}", help=f"the connection is what {connection} say")
    return done.stdout
