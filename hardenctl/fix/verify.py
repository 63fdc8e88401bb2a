"""Parses a fixed file again before it may replace the old one."""

from __future__ import annotations

import ast
import io
import json
import re
import warnings
from collections.abc import Callable

_ENV = re.compile(r"(?:^|[/.])env(?:\.[^/]*)?$", re.IGNORECASE)


def broken(path: str, before: str, after: str) -> str | None:
    """Why a fixed file can't be trusted, None where it parses as well as it did before.

    Formats that have no parser here (Dockerfile, ignore files, Procfile) are never broken.
    """
    count = _parser(path)
    if count is None:
        return None
    problems = count(after)
    if not problems:
        return None
    if _ENV.search(path) and problems <= count(before):
        return None  # dotenv files go on after a bad line; it was there before
    return f"{path} would not parse any more" if not count(before) else f"{path} does not parse"


def _parser(path: str) -> Callable[[str], int] | None:
    lower = path.lower()
    if _ENV.search(lower):
        return _dotenv
    return next((parser for suffix, parser in _PARSERS.items() if lower.endswith(suffix)), None)


def _python(text: str) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return 1
    return 0


def _yaml(text: str) -> int:
    import yaml

    try:
        for _ in yaml.compose_all(text, Loader=yaml.SafeLoader):  # nodes only: tags of others are no error
            pass
    except (yaml.YAMLError, RecursionError):
        return 1
    return 0


def _toml(text: str) -> int:
    import tomllib

    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return 1
    return 0


def _json(text: str) -> int:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return 1
    return 0


def _dotenv(text: str) -> int:
    from dotenv.parser import parse_stream

    return sum(binding.error for binding in parse_stream(io.StringIO(text)))


_PARSERS: dict[str, Callable[[str], int]] = {
    ".py": _python,
    ".yml": _yaml,
    ".yaml": _yaml,
    ".toml": _toml,
    ".json": _json,
}
