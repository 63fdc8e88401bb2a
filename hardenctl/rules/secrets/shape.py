"""Token formats written once: a shape gives both the pattern that finds a token and a made-up token for tests.

`"ghp_<a36>"` is the literal `ghp_` and 36 letters or digits. `<a20-40>` is 20 to 40 of them. The letter names the
alphabet; anything outside `<...>` is literal.
"""

from __future__ import annotations

import re

from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.text import DIGITS, LOWER, UPPER
from hardenctl.rules.fakes import ALPHANUMERIC, BASE32, scramble

ALPHABETS: dict[str, tuple[str, str]] = {  # letter -> (class in a pattern, characters for samples)
    "a": ("[A-Za-z0-9]", ALPHANUMERIC),
    "w": ("[A-Za-z0-9_-]", ALPHANUMERIC + "_-"),
    "v": ("[A-Za-z0-9_]", ALPHANUMERIC + "_"),
    "t": ("[A-Za-z0-9-]", ALPHANUMERIC + "-"),
    "p": ("[A-Za-z0-9._-]", ALPHANUMERIC + "_-"),
    "b": ("[A-Za-z0-9+/]", ALPHANUMERIC + "+/"),
    "l": ("[a-z0-9]", LOWER + DIGITS),
    "u": ("[A-Z0-9]", UPPER + DIGITS),
    "h": ("[0-9a-f]", "0123456789abcdef"),
    "H": ("[0-9A-F]", "0123456789ABCDEF"),
    "x": ("[0-9a-fA-F]", "0123456789abcdef"),
    "d": ("[0-9]", DIGITS),
    "c": ("[A-Za-z]", LOWER + UPPER),
    "z": ("[a-z]", LOWER),
    "Z": ("[A-Z]", UPPER),
    "B": ("[A-Z2-7]", BASE32),
}
UUID = "<h8>-<h4>-<h4>-<h4>-<h12>"

_PART = lazy_pattern(r"<([a-zA-Z])(\d+)(?:-(\d+))?>")
_WORDLIKE = frozenset("avluhHxdczZB")


def pattern_of(shape: str) -> str:
    """The regular expression of a shape: no look-around, so that the matcher's engines all take it."""
    parts, position, last = [], 0, ""
    for match in _PART.finditer(shape):
        parts.append(re.escape(shape[position : match.start()]))
        letter, low, high = match.groups()
        parts.append(f"{ALPHABETS[letter][0]}{{{low},{high}}}" if high else f"{ALPHABETS[letter][0]}{{{low}}}")
        position, last = match.end(), letter
    tail = shape[position:]
    parts.append(re.escape(tail))
    opens = r"\b" if shape[0].isalnum() or shape[0] in "_<" else ""
    closes = r"\b" if (last in _WORDLIKE and not tail) or (tail and (tail[-1].isalnum() or tail[-1] == "_")) else ""
    return opens + "".join(parts) + closes


def sample_of(shape: str, seed: str) -> str:
    """A token of a shape, the same every time for one seed; of a range, the shortest."""
    count = iter(range(100))
    return _PART.sub(
        lambda match: scramble(f"{seed}{next(count)}", int(match[2]), ALPHABETS[match[1]][1]),
        shape,
    )
