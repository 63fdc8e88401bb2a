"""Values in XML and HTML, and pairs of a name and a value: `<password>...</password>`, `name: KEY` and `value: ...`."""

from __future__ import annotations

import re

from hardenctl.detect.secrets.candidate import BEHIND, PLAIN_STRING, QUOTE, Candidate, How, line_value, quoted, trimmed
from hardenctl.detect.secrets.language import Quoting
from hardenctl.model.pattern import lazy_pattern

_BODY = lazy_pattern(r"\s{0,80}(?:<!\[CDATA\[)?([^<>\n]{1,6000}?)(?:\]\]>)?\s{0,80}</")
_OPENING = lazy_pattern(r"<(?P<tag>[\w.:-]{2,60})(?P<attributes>\s[^<>]*)?")
_NAMED = lazy_pattern(r"\s(?:name|key|id)=[\"']([\w.:-]{1,80})[\"']")
_PROPERTY = lazy_pattern(r"<(?:key|name)>([\w.-]{2,80})</(?:key|name)>\s{0,60}<(?:string|value)>\Z")
_TYPED = lazy_pattern(r"\s{0,60}<(?:string|value)>")  # `<value><string>...` of XML-RPC, `<entry name="x"><value>...`
_NAME = lazy_pattern(r"\sname=[\"']([\w.-]{2,80})[\"']\s{0,4}>\Z")
_NAME_BEFORE_VALUE = lazy_pattern(
    r"([\w.-]{2,80})\\{0,2}[\"']?[,\s]{1,60}\\{0,2}[\"']?(?:value|content)\\{0,2}[\"']?[ \t]{0,4}\Z",
    re.IGNORECASE | re.ASCII,
)
_NAME_AFTER_VALUE = lazy_pattern(
    r"<[\w:-]{1,40}\s(?:[^<>]{0,200}?\s)?value=(?P<quote>[\"'])(?P<value>[^\"'<>]{3,500})(?P=quote)\s"
    r"(?:[^<>]{0,200}?\s)?(?:name|key|id)=[\"'](?P<key>[\w.-]{2,80})[\"']\s{0,4}/?>\Z"
)
_VARIABLE = lazy_pattern(r"(?:variable[ \t]+\"(?P<key>[\w-]{2,80})\"[ \t]*\{)\Z")
_DEFAULT = lazy_pattern(r"[^{}]{0,400}?\bdefault[ \t]*=[ \t]*(?=\")")


def element(text: str, offset: int) -> Candidate | None:
    """The body of an element from the `>` of its opening tag: its key is an attribute with a name, else the tag."""
    window = text[max(0, offset - 200) : offset]
    start = window.rfind("<")
    opening = _OPENING.fullmatch(window, start) if start >= 0 else None
    body = _BODY.match(text, offset + 1) if opening else None
    if opening is None or body is None:
        return None
    named = _NAMED.search(opening["attributes"] or "")
    return trimmed(text, *body.span(1), named[1] if named else opening["tag"], How.ELEMENT, "<")


def pair(text: str, offset: int, language: Quoting) -> Candidate | None:
    """A value whose name stands beside it, from the operator between, or from the end of what holds both."""
    window = text[max(0, offset - BEHIND) : offset]
    mark = text[offset]
    if mark in ">{":
        return _tag(text, offset) if mark == ">" else _variable(text, offset)
    name = _NAME_BEFORE_VALUE.search(window)
    if name is None:
        return None
    at = offset + 1
    while at < len(text) and text[at] in " \t":
        at += 1
    quote = QUOTE.match(text, at)
    if quote is not None:
        return quoted(text, quote, name[1], How.PAIR)
    if language is Quoting.QUOTED:
        return None
    found = line_value(text, at, name[1])
    return found and Candidate(found.start, found.end, found.value, found.key, How.PAIR)


def _tag(text: str, offset: int) -> Candidate | None:
    """A value whose key's element or attribute ends here: of a property list, or written before its name."""
    window = max(0, offset - BEHIND)
    typed = _TYPED.match(text, offset + 1)
    named = _PROPERTY.search(text, window, offset + 1) or (typed and _NAME.search(text, window, offset + 1))
    if named:
        body = _BODY.match(text, typed.end() if typed else offset + 1)
        return trimmed(text, *body.span(1), named[1], How.PAIR, "<") if body else None
    before = _NAME_AFTER_VALUE.search(text, max(0, offset - 600), offset + 1)
    return trimmed(text, *before.span("value"), before["key"], How.PAIR, before["quote"]) if before else None


def _variable(text: str, offset: int) -> Candidate | None:
    """The default of a Terraform variable."""
    named = _VARIABLE.search(text, max(0, offset - BEHIND), offset + 1)
    default = _DEFAULT.match(text, offset + 1) if named else None
    body = PLAIN_STRING['"'].match(text, default.end() + 1) if default else None
    return trimmed(text, *body.span(1), named["key"], How.PAIR, '"') if named and body else None
