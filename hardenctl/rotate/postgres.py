r"""PostgreSQL: a role's new password, over the connection that `PGHOST`, `PGUSER` and the like give.

What is sent is a SCRAM verifier, as psql's own `\password` sends: the password is in no statement, and so in no log.
`psql` reads its standard input; nothing stands in an argument.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hardenctl.model.errors import ToolError, UsageError
from hardenctl.rotate.server import ask

ITERATIONS = 4096  # what PostgreSQL itself uses (scram_iterations)
TWINS = ("_a", "_b")


def scram_verifier(password: str, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """What PostgreSQL stores for a password (RFC 5803); ASCII, since anything else needs SASLprep first."""
    salt = salt if salt is not None else secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(each).decode() for each in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{text[0]}${text[1]}:{text[2]}"


def owner_of(role: str) -> str:
    """The owner role that a login role, one of two, stands for."""
    return role[:-2] if role.endswith(TWINS) else role


def twin_of(role: str) -> str:
    """The login role whose turn is next."""
    return owner_of(role) + (TWINS[1] if role.endswith(TWINS[0]) else TWINS[0])


def identifier(name: str) -> str:
    """A name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string, quoted for SQL, whatever standard_conforming_strings says."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f" E'{escaped}'"


def alter_statement(role: str, verifier: str) -> str:
    """Give a role a password."""
    return f"ALTER ROLE {identifier(role)} PASSWORD{literal(verifier)};"


def twin_statement(twin: str, verifier: str, *, exists: bool) -> str:
    """Make a login role that acts as its owner, or give it a password: in one transaction."""
    owner = owner_of(twin)
    make = "ALTER" if exists else "CREATE"
    return (
        f"BEGIN; {make} ROLE {identifier(twin)} LOGIN INHERIT PASSWORD{literal(verifier)}; "
        f"GRANT {identifier(owner)} TO {identifier(twin)}; "
        # What it creates belongs to the owner, so that the other of the two can use it.
        f"ALTER ROLE {identifier(twin)} SET role = {literal(owner)}; COMMIT;"
    )


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """The server that libpq's environment variables lead to. Raises ToolError, which never holds a statement."""

    program: str = "psql"

    def prepare(self, role: str) -> None:
        """Raise where there is no psql, no connection, or no such role."""
        if not self.has(role):
            raise ToolError(f"there is no role `{role}` on the server", help="name it with --role")

    def has(self, role: str) -> bool:
        """Whether there is such a role."""
        return self.run(f"SELECT count(*) FROM pg_roles WHERE rolname ={literal(role)};").strip() == "1"  # noqa: S608 - quoted

    def verifier(self, role: str) -> str:
        """What is stored for a role now; empty where only a superuser may look."""
        try:
            return self.run(f"SELECT rolpassword FROM pg_authid WHERE rolname ={literal(role)};").strip()  # noqa: S608 - quoted
        except ToolError:
            return ""

    def change(self, role: str, password: str, old: Sequence[str]) -> Callable[[], None]:
        """`ALTER ROLE`: whoever still has the old password is refused from now on."""
        before = self.verifier(role) or next(map(scram_verifier, old), "")
        if not before:
            raise UsageError(
                f"nothing could be put back if a delivery failed: nobody here knows the old password of `{role}`",
                help="use --alternate, or connect as a superuser",
            )
        self.run(alter_statement(role, scram_verifier(password)))
        return lambda: self._restore(role, before)

    def finish(self, role: str) -> None:
        """`ALTER ROLE` has replaced the old password already."""

    def _restore(self, role: str, verifier: str) -> None:
        self.run(alter_statement(role, verifier))

    def change_twin(self, twin: str, password: str) -> None:
        """Give the role whose turn is next a password, and see that it can log in. Nobody uses it yet."""
        self.run(twin_statement(twin, scram_verifier(password), exists=self.has(twin)))
        host = os.environ.get("PGHOST", "")
        if not host or host.startswith("/"):
            return  # by a socket the server asks the system who it is: that says nothing about a password
        with _password_file(f"*:*:*:{twin}:{password}\n") as (path, descriptors):
            environment = {name: value for name, value in os.environ.items() if name not in {"PGPASSWORD", "PGSERVICE"}}
            self.run("SELECT 1;", {**environment, "PGUSER": twin, "PGPASSFILE": path}, descriptors)

    def run(self, statements: str, environment: dict[str, str] | None = None, descriptors: tuple[int, ...] = ()) -> str:
        """Run statements; what they printed."""
        arguments = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password"]
        # Terse: the usual error quotes the statement.
        arguments += ["--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--set=SHOW_CONTEXT=never"]
        return ask(
            self.program,
            arguments,
            statements,
            package="PostgreSQL's client",
            connection="PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSFILE or PGSERVICE",
            environment=environment,
            descriptors=descriptors,
        )


@contextmanager
def _password_file(line: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A password file for libpq, and the descriptors that its reader has to inherit.

    On Linux it is in memory and has no name: whatever happens to this process, nothing is left.
    """
    if sys.platform == "linux":
        descriptor = os.memfd_create("pgpass", 0)
        try:
            os.fchmod(descriptor, 0o600)  # libpq passes over a file that others could read
            os.write(descriptor, line.encode())
            yield f"/proc/self/fd/{descriptor}", (descriptor,)
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile("w", prefix="hardenctl-", suffix=".pgpass", encoding="utf-8") as stream:
        stream.write(line)
        stream.flush()
        yield stream.name, ()
