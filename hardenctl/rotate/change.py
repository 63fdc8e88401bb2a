"""A credential in an environment file, and all that follows it: what the file becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hardenctl.generate import dotenv
from hardenctl.generate.accounts import Url
from hardenctl.generate.naming import is_credential
from hardenctl.generate.private import read_private, refuse_unfit
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.nearest import nearest

_USERS = ("USER", "USERNAME")


@dataclass(frozen=True)
class HeldCredential:
    """A key of a file and the login it is part of. Values stay in here."""

    path: Path
    key: str
    text: str = field(repr=False)
    secret: str = field(repr=False)  # the password, also where it stands in a URL
    user: str  # who logs in with it; empty where the file does not say

    @classmethod
    def read(cls, path: Path, key: str) -> HeldCredential:
        """What a file holds under a key. Raises UsageError where it holds nothing, or git would see the file."""
        refuse_unfit(path)
        text = read_private(path)
        if text is None:
            raise SourceError(f"there is no file `{path}`", help="the ledger names it; name another with --write")
        values = dotenv.values(dotenv.parse(text, str(path)))
        if not values.get(key):
            raise UsageError(f"`{path}` has no `{key}`", help=nearest(key, values))
        url = Url.parse(values[key])
        secret = url.password or "" if url else values[key]
        if not secret:
            raise UsageError(f"`{key}` in `{path}` holds no password", help="name the key that does")
        return cls(path, key, text, secret, _user(values, secret, url))

    @property
    def values(self) -> Mapping[str, str]:
        """Key to value, as they are."""
        return dotenv.values(dotenv.parse(self.text, str(self.path)))

    def changed(self, secret: str, user: str = "") -> tuple[str, dict[str, str]]:
        """The file's new text, and each key that changes with its new value: all that held the old password."""
        entries = dotenv.parse(self.text, str(self.path))
        changes: dict[str, str] = {}
        for key, value in dotenv.values(entries).items():
            url = Url.parse(value)
            if url is not None and url.password == self.secret:
                changes[key] = str(replace(url, password=secret, user=user or url.user))
            elif value == self.secret and (key == self.key or is_credential(key)):
                changes[key] = secret
            elif user and value == self.user and key.upper().endswith(_USERS):
                changes[key] = user
        for key, value in changes.items():
            entries = dotenv.set_value(entries, key, value)
        return dotenv.join(entries), changes


def _user(values: Mapping[str, str], secret: str, url: Url | None) -> str:
    if url is not None and url.user:
        return url.user
    urls = [other for value in values.values() if (other := Url.parse(value)) and other.password == secret]
    named = [each.user for each in urls if each.user]
    users = {value for key, value in values.items() if key.upper().endswith(_USERS) and value}
    return named[0] if named else users.pop() if len(users) == 1 else ""
