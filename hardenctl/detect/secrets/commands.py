"""Values that a word and a blank stand before: `--key value`, `ENV KEY value`, `PASSWORD 'value'`, `-u user:value`."""

from __future__ import annotations

import re

from hardenctl.detect.secrets.candidate import ESCAPED_STRING, PLAIN_STRING, QUOTE, Candidate, How, is_name, trimmed
from hardenctl.detect.secrets.language import Quoting
from hardenctl.model.pattern import lazy_pattern

_FLAG = lazy_pattern(
    r"(?P<key>--?[\w-]{1,60}|\b(?:env|arg|set|setx|export|setenv)(?:[ \t]+-\w{1,4})?[ \t]{1,4}\w{1,70}"
    r"|password|identified(?: with \w{1,40})? by|passwd|requirepass|masterauth"
    r"|securestring(?:[ \t]{1,4}-(?:string|asplaintext|force)){0,2})"
    r"[ \t]{1,8}(?P<first>\S)\Z",
    re.IGNORECASE | re.ASCII,
)
_LETTER = lazy_pattern(r"(?<![^\s\"'`=(\[{,:])(?P<letter>-[upaw])[ \t]{0,8}\S\Z", re.ASCII)
_BESIDE = lazy_pattern(r"(?P<key>[\w.$@-]{2,90})[ \t]{1,8}(?P<quote>[\"'])\Z", re.ASCII)
_ARGUMENT = lazy_pattern(r"([^\s\"'`;|&)\]}>\\]{1,500})")
# Which programs take a password behind which letter.
_PROGRAMS = {
    "-p": lazy_pattern(
        r"\b(?:(?P<tight>mysql\w{0,10}|mariadb[\w-]{0,10})|(?:docker|podman|helm registry|az|oc|cf|nerdctl) login"
        r"|sshpass|mongo\w{0,10}|rabbitmqadmin|influx|couchbase-cli|cbq)\b",
    ),
    "-a": lazy_pattern(r"\b(?:redis-cli|redis-benchmark|valkey-cli)\b"),
    "-w": lazy_pattern(r"\bldap(?:search|add|modify|delete|whoami|passwd)\b"),
}
_CONTINUED = lazy_pattern(r"\\\r?\n[ \t]*(?=[^\s-])")
_WORDS = ("password", "passwd", "identified", "securestring")  # after one of these, only a quoted string is a value
_NO_START = frozenset(" +,.)")  # of what follows a quotation mark that ended a string
_USERS = frozenset({"u", "user", "proxy-user", "auth"})


def flag(text: str, offset: int, language: Quoting) -> Candidate | None:
    """What follows a flag or a word, from its first character."""
    found = _FLAG.search(text, max(0, offset - 100), offset + 1)
    if found is None:
        return _beside(text, offset)
    key, is_word = _named(text, found)
    if not key:
        return _beside(text, offset)
    if below := _CONTINUED.match(text, offset):  # the line goes on below
        offset = below.end()
    value = _value(text, offset, bare=not is_word)
    if value is None or (value[2] and text[value[0]] in _NO_START) or (is_word and value[2] == "`"):
        return None
    start, end, mark = value
    if not mark and language is Quoting.PROSE and not any(map(str.isdigit, text[start:end])):
        return None  # a word of a sentence
    if key in _USERS:
        return _user(text, start, end, mark)
    if text.startswith("pass:", start):  # as OpenSSL's `-passin pass:...`
        start += 5
    return trimmed(text, start, end, key, How.FLAG, mark)


def _named(text: str, found: re.Match[str]) -> tuple[str, bool]:
    """The key, empty where it is none, and whether it is one of `_WORDS`."""
    named, before = found["key"], text[max(0, found.start() - 1) : found.start()]
    if named[0] == "-" and before and before not in " \t\n\r\"'`=([{,:":
        named = named.rpartition("-")[2]  # a word with a hyphen: `ConvertTo-SecureString 'value'`
        if not named.lower().startswith(_WORDS):
            return "", False
    if named.lower().startswith(("identified", "securestring")):
        return "password", True
    return named.lstrip("-").split()[-1], named.lower().startswith(_WORDS)


def _value(text: str, at: int, *, bare: bool) -> tuple[int, int, str] | None:
    quote = QUOTE.match(text, at)
    if quote is not None:
        expression = ESCAPED_STRING if quote["escape"] else PLAIN_STRING[quote["quote"]]
        body = expression.match(text, quote.end())
    else:
        body = _ARGUMENT.match(text, at) if bare else None
    return (*body.span(1), quote["quote"] if quote else "") if body else None


def _user(text: str, start: int, end: int, mark: str) -> Candidate | None:
    """The password of `user:password`."""
    user, colon, _ = text[start:end].partition(":")
    return trimmed(text, start + len(user) + 1, end, "password", How.FLAG, mark, user) if colon else None


def letter(text: str, offset: int, language: Quoting) -> Candidate | None:
    """The argument of a single letter: a user and password, or a password where the program takes one there."""
    del language
    found = _LETTER.search(text, max(0, offset - 12), offset + 1)
    value = _value(text, offset, bare=True) if found and text[offset] not in "-+%" else None
    if found is None or value is None:
        return None
    start, end, mark = value
    if found["letter"] == "-u":
        return _user(text, start, end, mark)
    line = text[max(text.rfind("\n", 0, offset), offset - 200) : offset]
    program = _PROGRAMS[found["letter"]].search(line)
    if program is None:
        return None
    # After a blank, `mysql -p name` asks for the password, and `name` is a database.
    tight = found.end() - found.end("letter") == 1
    if found["letter"] == "-p" and bool(program["tight"]) is not tight:
        return None
    return trimmed(text, start, end, "password", How.FLAG, mark)


def _beside(text: str, offset: int) -> Candidate | None:
    """A random string after its key's name: `storePassword 'value'`, `set(KEY "value")`, `#define KEY "value"`."""
    found = _BESIDE.search(text, max(0, offset - 100), offset + 1)
    body = PLAIN_STRING[found["quote"]].match(text, offset + 1) if found else None
    if found is None or body is None or is_name(body[1]) or " " in body[1] or len(set(body[1])) < 6:  # noqa: PLR2004 - prose quotes words
        return None
    return trimmed(text, *body.span(1), found["key"].strip("-.$@"), How.FLAG, found["quote"])
