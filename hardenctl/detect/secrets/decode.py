"""What an encoded value says: base64, hex, percent and backslash escapes, one within another to a bounded depth."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote

from hardenctl.model.pattern import lazy_pattern

DEEPEST = 3  # encodings within each other
SHORTEST = 20  # characters: what is shorter holds no token of a known format
_BASE64 = lazy_pattern(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX = lazy_pattern(r"(?:[0-9a-fA-F]{2}){16,}")
_PERCENT = lazy_pattern(r"%[0-9a-fA-F]{2}")
_BACKSLASH = lazy_pattern(r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\"'/nrt\\])")
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}


def decoded(value: str, depth: int = DEEPEST) -> Iterator[str]:
    """Every text a value decodes to, outermost encoding first. Nothing where it is not encoded."""
    if depth == 0 or len(value) < SHORTEST:
        return
    for text in _once(value):
        if text != value:
            yield text
            yield from decoded(text.strip(), depth - 1)


def _once(value: str) -> Iterator[str]:
    if _PERCENT.search(value):
        yield unquote(value, errors="ignore")
    if _BACKSLASH.search(value):
        yield _BACKSLASH.sub(_unescaped, value)
    raw = None
    if _HEX.fullmatch(value):
        raw = bytes.fromhex(value)
    elif _BASE64.fullmatch(value):
        try:
            plain = value.rstrip("=").replace("-", "+").replace("_", "/")
            raw = base64.b64decode(plain + "=" * (-len(plain) % 4))
        except binascii.Error:
            return
    if raw is not None and (text := _as_text(raw)) is not None:
        yield text


def _unescaped(match: re.Match[str]) -> str:
    escape = match[0][1:]
    return chr(int(escape[1:], 16)) if escape[0] in "ux" else _SIMPLE.get(escape, escape)


def _as_text(raw: bytes) -> str | None:
    """Bytes as text, in UTF-8 or (as Windows' tools encode commands) UTF-16; None where they are neither."""
    if raw[1:2] == b"\0":
        raw = raw[: len(raw) // 2 * 2].replace(b"\0", b"")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else None
