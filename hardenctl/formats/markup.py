"""Templates of configuration (cookiecutter, Jinja, Helm): what YAML can read of them."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.yaml import Node, load_yaml
from hardenctl.model.errors import DocumentError

_LONGEST = 1000  # characters beside a piece of markup that tell whether it has a line for itself
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}


def load_template(text: str, path: str, *, expressions: bool = False) -> tuple[Node, ...]:
    """As `load_yaml`, also for a template of YAML: its markup is read as variables and blanks, in the same places.

    `expressions`: `${{ }}` is no markup but the text's own.
    """
    try:
        return load_yaml(text, path)
    except DocumentError:
        pieces: list[str] = []
        at = 0
        for start, end in _markup(text, expressions=expressions):
            pieces += text[at:start], _neutral(text, start, end)
            at = end
        if not pieces:
            raise
        return load_yaml("".join((*pieces, text[at:])), path)


def _markup(text: str, *, expressions: bool) -> Iterator[tuple[int, int]]:
    """Where markup starts and ends; each closing is looked for once, so that none missing costs more than the text."""
    at, missing = 0, set[str]()
    while (start := text.find("{", at)) >= 0:
        at = start + 1
        closing = _CLOSING.get(text[start : start + 2])
        if (
            closing is None
            or closing in missing
            or (expressions and closing == "}}" and text[start - 1 : start] == "$")
        ):
            continue
        end = text.find(closing, start + 2)
        if end < 0:
            missing.add(closing)
        else:
            at = end + 2
            yield start, at


def _neutral(text: str, start: int, end: int) -> str:
    """Text of the same length that YAML has no trouble with.

    A variable for `{{ }}`, a comment for what has a line for itself (blanks before the first line of a block would
    indent it), and blanks elsewhere.
    """
    if text.startswith("{{", start):
        return "$" + "x" * (end - start - 1)
    if text.endswith(("}}", "}}:", "%}", "#}"), max(start - 3, 0), start):  # `{}` is a mapping
        return "x" * (end - start)
    blank = "".join(char if char == "\n" else " " for char in text[start:end])
    before, after = text[max(start - _LONGEST, 0) : start], text[end : end + _LONGEST]
    alone = not before.rpartition("\n")[2].strip() and not after.partition("\n")[0].strip()
    return "#" + blank[1:] if alone else blank
