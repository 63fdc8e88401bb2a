"""Redis and Valkey: a user's new password, over the connection that `REDIS_HOST`, `REDISCLI_AUTH` and the like give.

A user may have several passwords, and the server takes them as SHA-256: the new one is added, every place gets it, and
then the old ones go. No client is refused in between, and no password is in any command.
https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hardenctl.model.errors import ToolError, UsageError
from hardenctl.rotate.server import ask

_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_ERROR = re.compile(r"^(?:\(error\) )?((?:ERR|NOAUTH|NOPERM|WRONGPASS|Could not|AUTH failed)\b.*)", re.MULTILINE)


@dataclass
class Redis:
    """The server that the variables lead to. Raises ToolError."""

    _old: list[str] = field(default_factory=list, repr=False)

    def prepare(self, role: str) -> None:
        """Raise where there is no client, no connection, no such user, or one that needs no password."""
        user = self.run(f"ACL GETUSER {argument(role)}")
        if not user.strip() or user.strip() == "(nil)":
            raise ToolError(f"there is no user `{role}` on the server", help="name it with --role")
        if re.search(r"\bnopass\b", user):
            raise ToolError(
                f"`{role}` needs no password on this server", help="give it one first: ACL SETUSER, or requirepass"
            )
        if not self._keeper():
            raise ToolError(
                "this server keeps its users nowhere: a restart would bring the old password back",
                help="give it an aclfile or a configuration file; a password on its command line is changed there",
            )

    def change(self, role: str, password: str, old: Sequence[str]) -> Callable[[], None]:
        """Add the new password; the old ones stay until `finish`."""
        del old  # the server says what it has
        name, new = argument(role), hashlib.sha256(password.encode()).hexdigest()
        self._old = _HASH.findall(self.run(f"ACL GETUSER {name}"))
        try:
            self._set(f"ACL SETUSER {name} #{new}")
        except ToolError:
            with contextlib.suppress(ToolError):
                self.run(f"ACL SETUSER {name} !{new}")  # added, and not kept
            raise
        return lambda: self._set(f"ACL SETUSER {name} !{new}")

    def finish(self, role: str) -> None:
        """Take the old passwords away."""
        if self._old:
            self._set(f"ACL SETUSER {argument(role)} " + " ".join(f"!{each}" for each in self._old))

    def _set(self, command: str) -> None:
        """Change the server, and where it keeps its users: the ACL file, else its configuration file."""
        self.run(command)
        self.run(self._keeper())

    def _keeper(self) -> str:
        """The command that keeps users over a restart; empty where there is none."""
        if self.run("CONFIG GET aclfile").split()[1:]:
            return "ACL SAVE"
        return "CONFIG REWRITE" if re.search(r"^config_file:\S", self.run("INFO server"), re.MULTILINE) else ""

    def run(self, command: str) -> str:
        """Run a command; what it printed."""
        where = {name: os.environ.get(f"REDIS_{name}", "") for name in ("HOST", "PORT", "USER", "TLS")}
        if not where["PORT"].isdigit() and where["PORT"]:
            raise UsageError("REDIS_PORT is no port", help="Docker and Kubernetes may have set it: unset REDIS_PORT")
        arguments = [
            *(("-h", where["HOST"]) if where["HOST"] else ()),
            *(("-p", where["PORT"]) if where["PORT"] else ()),
            *(("--user", where["USER"]) if where["USER"] else ()),
            *(("--tls",) if where["TLS"] in {"1", "true", "yes"} else ()),
        ]
        printed = ask(
            "redis-cli",
            ["--no-auth-warning", *arguments],
            command + "\n",
            package="Redis's client",
            connection="REDIS_HOST, REDIS_PORT, REDIS_USER, REDISCLI_AUTH and REDIS_TLS",
        )
        error = _ERROR.search(printed)
        if error or not printed:  # the client exits with 0 all the same
            raise ToolError(
                f"`redis-cli` failed: {error[1][:200] if error else 'no answer from the server'}",
                help="the connection is what REDIS_HOST, REDIS_PORT, REDIS_USER, REDISCLI_AUTH and REDIS_TLS say",
            )
        return printed


def argument(role: str) -> str:
    """A user's name as redis-cli reads one argument, whatever is in it."""
    return '"' + "".join(f"\\x{each:02x}" for each in (role or "default").encode()) + '"'
