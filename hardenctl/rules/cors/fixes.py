"""Remedies for the simple shapes: literals that stand where they can be replaced."""

from __future__ import annotations

import re

from hardenctl.formats.cors.acceptance import EDGE
from hardenctl.formats.cors.document import Argument, CorsSetup, Source
from hardenctl.model.finding import Applicability, Edit, Fix, Replace, advice
from hardenctl.model.text import Span
from hardenctl.rules.cors.ruling import Ruling

_LISTS = frozenset({"['*']", "('*',)", "{'*'}", "['.*']"})
_STRINGS = frozenset({"'*'"})
_ALLOW_ALL = re.compile(r"(?:CORS_ALLOW_ALL_ORIGINS|CORS_ORIGIN_ALLOW_ALL)\s*(?::\s*bool\s*)?=\s*True")
_TITLE = "Read the allowed origins from `CORS_ORIGINS`"


def _normal(text: str) -> str:
    """A literal without blanks and with single quotes."""
    packed = re.sub(r"\s+", "", text).replace('"', "'")
    return packed.replace(",]", "]")


def _from_variable(source: Source) -> str:
    origins = f'{source.os or "os"}.environ.get("CORS_ORIGINS", "").split(",")'
    return f"[origin.strip() for origin in {origins} if origin.strip()]"


def _edits(source: Source, span: Span, text: str) -> tuple[Edit, ...]:
    """The replacement, and `import os` where the file has none."""
    if source.os is not None:
        return (Replace(span, text),)
    start = Span(span.path, source.import_at, source.import_at)
    return (Replace(start, "import os\n"), Replace(span, text))


def restrict_origins(setup: CorsSetup, ruling: Ruling, *names: str) -> Fix:
    """Take the origins from the environment in place of a literal wildcard."""
    if setup.library == "django-cors-headers":
        return _restrict_django(setup, ruling)
    advised = advice("List the origins of the frontend, read from the environment (`CORS_ORIGINS`)")
    if setup.library in EDGE:
        advised = advice("Answer only the origins of the frontend with the header, each written out in full")
    if setup.library in {*EDGE, "headers"} or ruling.outcome.acceptance.patterns:
        return advised
    argument = next((setup.arguments[name] for name in names if name in setup.arguments), None)
    if argument is None:
        if setup.insert_at is None or setup.source is None or setup.library != "flask-cors":
            return advised
        text = f", origins={_from_variable(setup.source)}"
        return Fix(_TITLE, _edits(setup.source, setup.insert_at, text), Applicability.UNSAFE)
    if argument.source is None or ruling.outcome.acceptance.literals not in {("*",), (".*",), ()}:
        return advised
    return _restrict_literal(argument.source, ruling) or advised


def _restrict_literal(source: Source, ruling: Ruling) -> Fix | None:
    """Replace the wildcard where it is written; None where it is more than a plain literal."""
    literal = _normal(source.text)
    if ruling.outcome.decided_by_files:
        return advice("Set the variable to the origins of the frontend")
    if ruling.outcome.variables:  # the literal is a variable's default
        empty = {**dict.fromkeys(_LISTS, "[]"), **dict.fromkeys(_STRINGS, '""')}.get(literal)
        if empty is None:
            return None
        return Fix("Let nobody in by default", (Replace(source.span, empty),), Applicability.UNSAFE)
    if literal in _LISTS or (literal in _STRINGS and ruling.outcome.acceptance.text == "*"):
        return Fix(_TITLE, _edits(source, source.span, _from_variable(source)), Applicability.UNSAFE)
    return None


def _restrict_django(setup: CorsSetup, ruling: Ruling) -> Fix:
    advised = advice("Set `CORS_ALLOW_ALL_ORIGINS = False` and list the origins in `CORS_ALLOWED_ORIGINS`")
    source = setup.source
    if source is None or ruling.outcome.variables or not _ALLOW_ALL.fullmatch(source.text):
        return advised
    if "CORS_ALLOWED_ORIGINS" in setup.arguments or "CORS_ALLOWED_ORIGIN_REGEXES" in setup.arguments:
        off = (Replace(source.span, re.sub("True$", "False", source.text)),)
        return Fix("Let only the listed origins in", off, Applicability.UNSAFE)
    text = f"CORS_ALLOWED_ORIGINS = {_from_variable(source)}"
    return Fix(_TITLE, _edits(source, source.span, text), Applicability.UNSAFE)


def list_out(argument: Argument | None, words: tuple[str, ...], what: str) -> Fix:
    """Put the policy's methods or headers in place of a literal `["*"]`."""
    if argument is None or argument.source is None or _normal(argument.source.text) not in _LISTS | _STRINGS:
        return advice(f"List the {what} the frontend uses")
    same = argument.source.span == argument.span
    if _normal(argument.source.text) in _STRINGS and not same:
        return advice(f"List the {what} the frontend uses")
    quoted = ", ".join(f'"{each}"' for each in words)
    return Fix(f"List the {what}", (Replace(argument.source.span, f"[{quoted}]"),), Applicability.UNSAFE)
