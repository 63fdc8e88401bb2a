"""Values that a program reads from its input: `echo value | docker login --password-stdin`, `chpasswd <<< ada:value`.

Rows of a dump are told here too: `ada@example.org:value`, line after line.
"""

from __future__ import annotations

import re

from hardenctl.detect.secrets.candidate import PLAIN_STRING, Candidate, How, trimmed
from hardenctl.detect.secrets.language import Quoting
from hardenctl.model.pattern import lazy_pattern

_PROGRAM = lazy_pattern(
    r"(?P<pairs>\bchpasswd)\Z|(?P<token>--with-token)\Z|(?P<net>\bnet[ \t]{1,3}user)\Z"
    r"|(?:--password-stdin|--stdin|\bsudo[ \t]{1,3}-k?S)\Z",
    re.IGNORECASE,
)
_VALUE = r"(?:(?P<quote>[\"'])(?P<quoted>[^\"'\n]{3,300}?)(?P=quote)|(?P<bare>[^\s|\"'`<>]{3,300}))"
_PIPED = lazy_pattern(
    rf"\b(?:echo|printf)[ \t]{{1,4}}(?:-\w{{1,3}}[ \t]{{1,4}}){{0,3}}(?:[\"']?%s(?:\\n)?[\"']?[ \t]{{1,4}})?{_VALUE}"
    r"[ \t]{0,8}(?:\\\n[ \t]{0,40})?\|[^|\n]{0,200}\Z"
)
_HERE = lazy_pattern(rf"[^\n|;]{{0,120}}?<<<[ \t]{{0,4}}{_VALUE}")
_BELOW = lazy_pattern(
    r"[^\n|;]{0,120}?<<-?[ \t]{0,4}[\"']?\w{1,20}[\"']?[^\n]{0,80}\n[ \t]*(?P<bare>[^\n]{3,300})(?P<quote>)(?P<quoted>)"
)
_TWICE = lazy_pattern(r"\\n")  # `echo -e 'value\nvalue' | passwd`: asked for again
_HASHED = lazy_pattern(r"[ \t]+(?:-e|--encrypted)\b")
_NET_USER = lazy_pattern(
    r"[ \t]{1,3}[\w.\\-]{1,60}[ \t]{1,3}(?P<quote>\"?)(?P<bare>[^\s\"/*]{3,120})(?P=quote)(?=\s|\Z)"
)
_ROW = lazy_pattern(
    r"^[\w.+-]{1,64}@[\w-]{1,40}(?:\.[\w-]{1,40}){1,3}:(?P<value>[^\s:/@]{4,100})[ \t\r]*$", re.MULTILINE
)
_BEFORE = 400  # characters of a line before the program's name
_LINE = 200
_MODULE = 2000  # characters before a user's line in which the module's name is looked for


def stream(text: str, offset: int, language: Quoting) -> Candidate | None:  # noqa: PLR0911 - a case a line
    """What a program is given to read, from the last character of its name, or of the first of a row's value."""
    if text[offset] == '"':
        return _of_module(text, offset)
    found = _PROGRAM.search(text, max(0, offset - 30), offset + 1)
    if found is None:
        return _row(text, offset) if language is not Quoting.QUOTED else None
    if found["net"]:
        given = _NET_USER.match(text, offset + 1)
        return trimmed(text, *given.span("bare"), "password", How.FLAG, given["quote"]) if given else None
    if found["pairs"] and _HASHED.match(text, offset + 1):
        return None
    given = (
        _PIPED.search(text, max(0, found.start() - _BEFORE), found.start())
        or _HERE.match(text, offset + 1)
        or _BELOW.match(text, offset + 1)
    )
    if given is None:
        return None
    start, end = given.span("quoted" if given["quoted"] else "bare")
    if again := _TWICE.search(text, start, end):
        end = again.start()
    user = ""
    if found["pairs"]:
        user, colon, _ = text[start:end].partition(":")
        if not colon:
            return None
        start += len(user) + 1
    return trimmed(text, start, end, "token" if found["token"] else "password", How.FLAG, given["quote"], user)


def _of_module(text: str, offset: int) -> Candidate | None:
    """The password of a user whom a login module of Java's knows: `user_ada="value"`."""
    if "LoginModule" not in text[max(0, offset - _MODULE) : offset]:
        return None
    body = PLAIN_STRING['"'].match(text, offset + 1)
    return trimmed(text, *body.span(1), "user password", How.PAIR, '"') if body else None


def _row(text: str, offset: int) -> Candidate | None:
    """The password beside an address, where the line before or after holds another such pair."""
    start = text.rfind("\n", max(0, offset - _LINE), offset) + 1
    row = _ROW.match(text, start)
    if row is None or row.start("value") != offset:
        return None
    previous = text.rfind("\n", max(0, start - _LINE), max(0, start - 1)) + 1
    if _ROW.match(text, row.end() + 1) or (start and _ROW.match(text, previous)):
        return trimmed(text, *row.span("value"), "password", How.PAIR, "")
    return None
