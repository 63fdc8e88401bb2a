"""Credentials that an address or an Authorization header gives away: `://user:password@`, `Bearer ...`."""

from __future__ import annotations

import base64
import binascii
import re

from hardenctl.detect.secrets.candidate import Candidate, How
from hardenctl.detect.secrets.language import Quoting
from hardenctl.model.pattern import lazy_pattern

_USERINFO = lazy_pattern(
    r"(?P<scheme>[A-Za-z][\w+.-]{1,30})://(?P<user>[^\s/:@\"'<>`]{0,100}):(?P<password>[^\s/\"'<>`]{1,200})@(?=[\w.\[{$%-])",
    re.ASCII,
)
# A password with a `/` in it that nobody escaped: clients refuse the URL, but it is written down all the same. Digits
# before the `/` are a port, and what follows the `@` must be a host with a port, a path or an end: no package's scope.
_SLASHED = lazy_pattern(
    r"(?P<scheme>[A-Za-z][\w+.-]{1,30})://(?P<user>[^\s/:@\"'<>`?#]{0,100}):(?!\d{1,5}/)"
    r"(?P<password>[^\s\"'<>`@?#]{1,200})@(?=[\w-]+(?:\.[\w-]+)*(?::\d|/|[\"'`\s]|\Z))",
    re.ASCII,
)
# Oracle's own: `jdbc:oracle:thin:user/password@`, `sqlplus user/password@`.
_ORACLE = lazy_pattern(
    r"(?:thin:|sqlplus\s[^\n]{0,40}?)(?P<user>\w{1,40})/(?P<password>[^\s/@\"']{1,100})@", re.IGNORECASE
)
_SCHEME = lazy_pattern(
    r"(?P<scheme>bearer|basic|token|apikey|splunk)[ \t]{1,4}(?P<value>[\w+/=.~:-]{7,6000})\Z", re.IGNORECASE | re.ASCII
)
_OPAQUE = lazy_pattern(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[\w+/-]{16,}={0,2}", re.ASCII)
_HEADER = lazy_pattern(r"uthorization\\?[\"']?\s?[:=,]\s?(?:\\?[\"'])?\Z")
_SCHEME_VALUE = lazy_pattern(r"[\w+/=.~:|-]{0,6000}", re.ASCII)


def userinfo(text: str, offset: int, language: Quoting) -> Candidate | None:
    """The password in an address, from its `@`."""
    del language
    start = text.rfind("://", max(0, offset - 310), offset)
    begin = start
    while begin > 0 and start - begin < 30 and (text[begin - 1].isalnum() or text[begin - 1] in "+.-"):  # noqa: PLR2004
        begin -= 1
    found = (_USERINFO.match(text, begin) or _SLASHED.match(text, begin)) if start >= 0 else None
    if found is None:
        oracle = _ORACLE.search(text, max(0, offset - 200), offset + 1)
        if oracle is None:
            return None
        return Candidate(*oracle.span("password"), oracle["password"], "oracle", How.USERINFO, "", oracle["user"])
    start, end = found.span("password")
    return Candidate(start, end, found["password"], found["scheme"], How.USERINFO, "", found["user"])


def scheme(text: str, offset: int, language: Quoting) -> Candidate | None:
    """What follows the name of a scheme in a header, from its seventh character."""
    del language
    start = max(0, offset - 20)
    found = _SCHEME.search(text, start, offset + 1)
    if found is None:
        return None
    rest = _SCHEME_VALUE.match(text, offset + 1)
    begin, end = found.start("value"), rest.end() if rest else offset + 1
    while end > begin and text[end - 1] in ".:":
        end -= 1
    if text.startswith("..", end):
        return None  # the rest is left out
    value, word = text[begin:end], found["scheme"].lower()
    if word == "basic":
        decoded = basic(value)
        if decoded is None:  # some services want a token of their own behind it
            is_token = _OPAQUE.fullmatch(value) and _HEADER.search(text, max(0, start - 20), found.start())
            return Candidate(begin, end, value, word, How.SCHEME) if is_token else None
        return Candidate(begin, end, value, "basic", How.BASIC, "", decoded[0])
    return Candidate(begin, end, value, word, How.SCHEME)


def basic(value: str) -> tuple[str, str] | None:
    """User and password of a Basic authorization value, or None where it is none."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    user, colon, password = decoded.partition(":")
    return (user, password) if colon and decoded.isprintable() else None
