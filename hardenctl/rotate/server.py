"""Database servers whose passwords are rotated: what each can do, and how its own client is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hardenctl.generate import program as programs
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
    done = programs.ask(
        program,
        arguments,
        text,
        install=package,
        patience=PATIENCE,
        late="look at the server's locks",
        environment=environment,
        descriptors=descriptors,
    )
    if done.returncode:
        said = programs.first_line(done.stderr or done.stdout)
        raise ToolError(f"`{program}` failed: {said}", help=f"the connection is what {connection} say")
    return done.stdout
