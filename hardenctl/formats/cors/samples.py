"""Texts that a regular expression matches: what lookalikes are made from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MOST = 16  # texts of one pattern


def samples(pattern: str) -> list[str]:
    """Some texts that match: each alternative once, repeats as often as they must be (and not at all where allowed)."""
    from re import _parser  # type: ignore[attr-defined]  # the standard library's own reading of a pattern

    try:
        return _texts(_parser.parse(pattern))
    except (re.error, OverflowError, RecursionError):
        return []


def _texts(tokens: Iterable[tuple[Any, Any]]) -> list[str]:
    texts = [""]
    for name, argument in tokens:
        texts = [text + each for text in texts for each in _one(str(name), argument)][:MOST]
    return texts


def _one(name: str, argument: Any) -> list[str]:
    """The texts of one token of a parsed pattern."""
    if name == "LITERAL":
        return [chr(argument)]
    if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        low, _, inner = argument
        once = [each * max(int(low), 1) for each in (["a"] if str(inner[0][0]) == "ANY" else _texts(inner))]
        return once if low else [*once, ""]
    if name == "SUBPATTERN":
        return _texts(argument[-1])
    if name == "BRANCH":
        return [text for branch in argument[1] for text in _texts(branch)]
    if name == "IN":
        return _members(argument)
    # A lone `.` is mostly a dot that somebody forgot to escape.
    return {"ANY": ["."], "NOT_LITERAL": ["a"]}.get(name, [""])


def _members(options: Iterable[tuple[Any, Any]]) -> list[str]:
    """Characters of a set: the ones it names (`(a|b)` is parsed as a set, too), else one of a range or class."""
    named = [chr(argument) for name, argument in options if str(name) == "LITERAL"]
    if named:
        return named[:3]
    for name, argument in options:
        if str(name) == "RANGE":
            return [chr(argument[0])]
        if str(name) == "CATEGORY" and "DIGIT" in str(argument):
            return ["1"]
    return ["a"]
