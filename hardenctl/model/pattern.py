"""Regular expressions compiled at their first use.

Compiling one costs 0.1 to 0.5 ms, and the modules of a hook run declare a hundred of which a file needs a handful.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr

_METHODS = (
    "findall",
    "finditer",
    "flags",
    "fullmatch",
    "groupindex",
    "groups",
    "match",
    "pattern",
    "scanner",
    "search",
    "split",
    "sub",
    "subn",
)


class _Lazy:
    """Stands for a `re.Pattern`. After the first use its methods are the pattern's own, at the same speed."""

    def __init__(self, expression: str | bytes, flags: int) -> None:
        self._given = expression, flags

    def __getattr__(self, name: str) -> object:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled: re.Pattern[Any] = re.compile(*self._given)
        self.__dict__.update({each: getattr(compiled, each) for each in _METHODS})
        return self.__dict__[name]


def lazy_pattern(expression: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` returns, but compiled at its first use. Errors in the expression show only then."""
    return _Lazy(expression, flags)  # type: ignore[return-value]
