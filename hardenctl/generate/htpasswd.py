"""Entries of password files for HTTP Basic authentication, as Apache, nginx, Caddy and Traefik read them."""

from __future__ import annotations

from pathlib import Path

from hardenctl.generate.private import read_private, refuse_unfit, write_private
from hardenctl.model.errors import ToolError, UsageError

# The server checks the password at every request: what Apache's own `htpasswd -B` uses. A slower hash would protect a
# password that can be guessed, and nobody guesses 128 bits.
COST = 5
LONGEST = 72  # bytes that bcrypt reads of a password
_LONGEST_USER = 255  # https://httpd.apache.org/docs/2.4/programs/htpasswd.html#restrictions


def require() -> None:
    """Raise ToolError without `bcrypt`: asked before anything else is done."""
    try:
        import bcrypt  # noqa: F401
    except ImportError:
        raise ToolError(
            "htpasswd entries need the package `bcrypt`", help="run `pip install 'hardenctl[keys]'`"
        ) from None


def check_entry(path: Path, user: str, *, force: bool = False) -> None:
    """Raise UsageError where `store_entry` would: asked before anything is made."""
    if not user or ":" in user or user.startswith("#") or not user.isprintable() or len(user.encode()) > _LONGEST_USER:
        raise UsageError(
            "a user's name is 1 to 255 printable bytes without `:`, and does not start with `#`", help="--user NAME"
        )
    refuse_unfit(path)
    if not force and any(_user(line) == user for line in _lines(path)):
        raise UsageError(f"`{path}` has an entry for `{user}` already", help="--force replaces it")


def entry(user: str, password: str) -> str:
    """The line for a user. Raises UsageError for a password that bcrypt would read only a part of."""
    require()
    import bcrypt

    data = password.encode()
    if len(data) > LONGEST:
        raise UsageError(f"bcrypt reads {LONGEST} bytes of a password, no more", help=f"use --length {LONGEST} at most")
    # The same algorithm under the name that every server knows; `2b` is bcrypt's own.
    return f"{user}:{bcrypt.hashpw(data, bcrypt.gensalt(COST)).decode().replace('$2b$', '$2y$', 1)}"


def store_entry(path: Path, line: str, *, force: bool = False) -> None:
    """Put a line into a password file, mode 0600, in place of the user's old one; all other lines stay."""
    user = _user(line)
    check_entry(path, user, force=force)
    lines = _lines(path)
    at = next((number for number, each in enumerate(lines) if _user(each) == user), len(lines))
    lines[at : at + 1] = [line]
    write_private(path, "".join(f"{each}\n" for each in lines))


def _user(line: str) -> str:
    return line.partition(":")[0]


def _lines(path: Path) -> list[str]:
    return (read_private(path) or "").splitlines()
