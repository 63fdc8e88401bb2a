"""Bytes to text and back without loss, and edits that splice text at spans."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from hardenctl.model.finding import Replace
from hardenctl.model.text import decode

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def encode(text: str, like: bytes) -> bytes | None:
    """Text in the encoding of the bytes it was decoded from, mark included; None where that loses anything."""
    mark, encoding = _encoding(like)
    try:
        if mark + decode(like).encode(encoding) != like:
            return None
        return mark + text.encode(encoding)
    except UnicodeEncodeError:
        return None


def splice(text: str, edits: Iterable[Replace]) -> str:
    """The text with each edit's span replaced; the spans must not overlap. New lines end as the file's own do."""
    newline = newline_of(text)
    parts, position = [], 0
    for edit in sorted(edits, key=lambda each: each.span):
        parts += [text[position : edit.span.start], edit.text.replace("\n", newline)]
        position = edit.span.end
    return "".join([*parts, text[position:]])


def append(text: str, lines: Iterable[str]) -> str:
    """The text with lines added at its end; with none, the very same text."""
    added = list(lines)
    if not added:
        return text
    newline = newline_of(text)
    start = newline if text and not text.endswith(("\n", "\r")) else ""
    return text + start + "".join(line + newline for line in added)


def newline_of(text: str) -> str:
    """How most lines of a text end."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def overlap(one: Replace, other: Replace) -> bool:
    """Whether two edits touch the same characters, or insert at the same place."""
    a, b = one.span, other.span
    if a.path != b.path:
        return False
    if a.start == a.end or b.start == b.end:
        return a.start <= b.end and b.start <= a.end
    return a.start < b.end and b.start < a.end


def _encoding(data: bytes) -> tuple[bytes, str]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return mark, encoding
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return b"", "latin-1"
    return b"", "utf-8"
