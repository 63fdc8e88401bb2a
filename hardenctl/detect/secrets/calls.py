"""Calls and tuples in which no key but their name says which argument is the credential: `login("ada", "value")`."""

from __future__ import annotations

import functools
import re

from hardenctl.detect.secrets.candidate import PLAIN_STRING, Candidate, How, is_name, trimmed
from hardenctl.model.pattern import lazy_pattern

_PAIRS = r"(?:auth|login|log_in|sign_?in|credentials?|authenticator|simple_bind(?:_s)?|pw_set|password_set|authenticate"
_PAIRS += r"|(?:username_?password(?:_?authentication)?_?token)|password_?authentication|create_?(?:super_?)?user)\Z"
_CONNECTIONS = r"(?:getConnection|mysqli?(?:_p?connect)?|pg_connect|PDO|connect)\Z"
_SIGNINGS = r"(?:jwt|jsonwebtoken|jose)\.(?:sign|verify|encode|decode)\Z|createHmac\Z"
_CREATED = lazy_pattern(r"user\Z", re.IGNORECASE)
_ASKING = lazy_pattern(
    r"(?:get|find|has|is)(?:_|(?=[A-Z]))(?!connection)", re.IGNORECASE
)  # `get_social_auth("x", "y")`
_KEYEDS = r"(?:\bhmac\.new|\bFernet)\Z"
# A user and a password, in a call or assigned as a tuple.
_PAIR = lazy_pattern(_PAIRS, re.IGNORECASE)
_CONNECTION = lazy_pattern(_CONNECTIONS)
_SIGNING = lazy_pattern(_SIGNINGS, re.IGNORECASE)
_KEYED = lazy_pattern(_KEYEDS)
_ANY = lazy_pattern(f"(?i:{_PAIRS}|{_SIGNINGS})|{_CONNECTIONS}|{_KEYEDS}")  # most names are none of them
OPEN = lazy_pattern(r"[ \t]*(?:=[ \t]*)?\(\s{0,40}")
_EXPRESSION = lazy_pattern(r"[\w.$:>-]{1,80}(?:\([^()\n]{0,80}\))?|\{[^{}\n]{0,200}\}")
_STRING = lazy_pattern(r"(?:b|@)?(?P<quote>[\"'])")
_COMMA = lazy_pattern(r"\s{0,40},\s{0,40}")
_PORTED = lazy_pattern(r"[^,()\n]{1,80},\s{0,9}\d{2,5}\s{0,9},")  # `connect(host, 22, user, password)`
_MOST = 4  # arguments looked at


def argument(text: str, offset: int, name: str) -> Candidate | None:
    """The argument that is a credential, of the call or tuple that opens at or after `offset` and is called `name`."""
    opened = OPEN.match(text, offset) if _is_placed(name) and not _ASKING.match(name.rpartition(".")[2]) else None
    if opened is None:
        return None
    if _PAIR.search(name):
        found = _arguments(text, opened.end(), 3)
        if _CREATED.search(name) and len(found) > 2 and found[2]:  # noqa: PLR2004 - a user, an address, a password
            found = [found[0], found[2]]
        if len(found) > 1 and found[0] and found[1]:
            (start, end), (first, last) = found[0], found[1]
            return trimmed(text, first, last, f"{name} password", How.POSITION, text[first - 1], text[start:end])
        return None
    which = 0 if _KEYED.search(name) else 1 if _SIGNING.search(name) else 2 if _CONNECTION.search(name) else None
    if which is None:
        return None
    if which == 2 and _PORTED.match(text, opened.end()):  # noqa: PLR2004 - the place after address and user
        which = 3
    found = _arguments(text, opened.end(), which + 1)
    place = found[which] if len(found) > which else None
    if place and name.endswith("connect") and is_name(text[slice(*place)]):
        return None  # `connect("a", "b", "c")` connects anything
    what = "password" if which > 1 else "secret"
    return trimmed(text, *place, f"{name} {what}", How.POSITION, text[place[0] - 1]) if place else None


@functools.lru_cache(maxsize=8192)
def _is_placed(name: str) -> bool:
    return bool(_ANY.search(name))


def _arguments(text: str, at: int, most: int) -> list[tuple[int, int] | None]:
    """The spans of the first arguments, None for one that is no string."""
    found: list[tuple[int, int] | None] = []
    while len(found) < min(most, _MOST):
        string = _STRING.match(text, at)
        body = PLAIN_STRING[string["quote"]].match(text, string.end()) if string else None
        other = None if body else _EXPRESSION.match(text, at)
        if body is None and other is None:
            break
        found.append(body.span(1) if body else None)
        end = body.end() if body else other.end() if other else at
        comma = _COMMA.match(text, end)
        if comma is None:
            break
        at = comma.end()
    return found
