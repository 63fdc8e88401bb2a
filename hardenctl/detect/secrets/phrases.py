"""What sentences and steps of a test say: `the password is value`, `fill in "password" with "value"`."""

from __future__ import annotations

import re

from hardenctl.detect.secrets.candidate import PLAIN_STRING, Candidate, How, is_name, trimmed
from hardenctl.detect.secrets.language import Quoting
from hardenctl.model.pattern import lazy_pattern

_KEY = lazy_pattern(r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|(?:api|access|secret)[_ -]?key)", re.IGNORECASE)
_COMMENT = lazy_pattern(r"[ \t]*(?:#|//|/?\*|<!--|--|;|%|REM\b)", re.IGNORECASE)
_QUOTED = lazy_pattern(r"\*{0,2}(?P<quote>[\"'`])(?P<value>[^\s\"'`]{4,200})(?P=quote)")
_BARE = lazy_pattern(r"\*{0,2}(?P<value>[^\s\"'`<>,;()*]{6,100})")
_MEASURE = lazy_pattern(r"\d+(?:-[a-z]+)*")  # `the password is 8-character`
_LINE = 2000  # characters of a comment before what it says


def phrase(text: str, offset: int, language: Quoting) -> Candidate | None:
    """The value that a sentence or a step names, from its first character or its quotation mark."""
    before = text[max(0, offset - 60) : offset]
    words = _KEY.findall(before)
    if not words:
        return None
    key = words[-1].replace(" ", "_")
    if not before.rstrip(" \t:*").lower().endswith((" is", " was")):
        body = PLAIN_STRING[text[offset]].match(text, offset + 1) if text[offset] in PLAIN_STRING else None
        return trimmed(text, *body.span(1), key, How.PAIR, text[offset]) if body else None
    start = text.rfind("\n", max(0, offset - _LINE), offset) + 1 or max(0, offset - _LINE)
    line = text[start:offset]
    if language is not Quoting.PROSE and not _COMMENT.match(line):
        return None
    if quoted := _QUOTED.match(text, offset):
        return trimmed(text, *quoted.span("value"), key, How.PAIR, quoted["quote"])
    bare = _BARE.match(text, offset)
    value = bare["value"].rstrip(".:!?") if bare else ""
    if bare is None or is_name(value) or not any(map(str.isdigit, value)) or _MEASURE.fullmatch(value):
        return None  # a word of the sentence
    start = bare.start("value")
    return trimmed(text, start, start + len(value), key, How.PAIR, "")
