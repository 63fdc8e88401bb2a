"""MariaDB: a user's new password, over the connection that `MYSQL_HOST` and the client's option files give.

What is sent is the hash that the server stores (`mysql_native_password`, MariaDB's own default), so the password is in
no statement and in no log. MySQL stores another kind of hash: there the statement is printed, for a person to run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hardenctl.model.errors import ToolError, UsageError
from hardenctl.rotate.server import ask

_NATIVE = re.compile(r"IDENTIFIED BY PASSWORD '(\*[0-9A-F]{40})'")


def native_hash(password: str) -> str:
    """What `PASSWORD()` gives: https://mariadb.com/kb/en/password/."""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()


def literal(text: str) -> str:
    """A string, quoted for SQL, whatever the server's mode says of backslashes."""
    return f"X'{text.encode().hex()}'" if "\\" in text else "'" + text.replace("'", "''") + "'"


def account(user: str, host: str) -> str:
    """A user at a host, quoted for SQL."""
    return "@".join(map(identifier, (user, host)))


def identifier(name: str) -> str:
    """A name, quoted for SQL."""
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True, slots=True)
class MariaDB:
    """The server that the client's variables and option files lead to. Raises ToolError, which holds no statement."""

    def prepare(self, role: str) -> None:
        """Raise where there is no client, no connection, no MariaDB, or no such user with a password of that kind."""
        if "MariaDB" not in self.run("SELECT VERSION();"):
            raise UsageError(
                "--apply knows MariaDB, and this server is MySQL, which stores another kind of hash",
                help="rotate without --apply: it prints the statement to run",
            )
        if not self.accounts(role):
            raise ToolError(f"there is no user `{role}` on the server", help="name it with --role")
        self._stored(role)

    def accounts(self, user: str) -> list[str]:
        """The accounts of a user: one for each host it may come from."""
        rows = self.run(f"SELECT host FROM mysql.user WHERE user = {literal(user)};")  # noqa: S608 - quoted
        return [account(user, host) for host in rows.splitlines()]

    def change(self, role: str, password: str, old: Sequence[str]) -> Callable[[], None]:
        """`ALTER USER`: whoever still has the old password is refused from now on."""
        del old  # the server says what it stores
        before = self._stored(role)
        try:
            self.run("".join(_alter(each, native_hash(password)) for each in before))
        except ToolError:
            with contextlib.suppress(ToolError):
                self._restore(before)  # of several hosts, some may have been changed
            raise
        return lambda: self._restore(before)

    def finish(self, role: str) -> None:
        """`ALTER USER` has replaced the old password already."""

    def _restore(self, before: dict[str, str]) -> None:
        self.run("".join(_alter(name, stored) for name, stored in before.items()))

    def _stored(self, user: str) -> dict[str, str]:
        """Account to stored hash. Raises UsageError for an account whose password is of another kind."""
        found = {}
        for each in self.accounts(user):
            stored = _NATIVE.search(self.run(f"SHOW CREATE USER {each};"))
            if stored is None:
                raise UsageError(
                    f"{each} does not log in with a password of MariaDB's usual kind (mysql_native_password)",
                    help="change it by hand",
                )
            found[each] = stored[1]
        return found

    def run(self, statements: str) -> str:
        """Run statements; what they printed."""
        user = os.environ.get("MYSQL_USER", "")
        return ask(
            "mariadb" if shutil.which("mariadb") else "mysql",
            ["--batch", "--raw", "--skip-column-names", *([f"--user={user}"] if user else [])],
            statements,
            package="MariaDB's client",
            connection="MYSQL_HOST, MYSQL_TCP_PORT, MYSQL_USER and MYSQL_PWD, or the client's option files",
        )


def _alter(name: str, stored: str) -> str:
    return f"ALTER USER {name} IDENTIFIED BY PASSWORD {literal(stored)};"
