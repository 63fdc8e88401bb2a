"""Templates of configuration (cookiecutter, Jinja, Helm): what YAML can read of them."""

from __future__ import annotations

import re

from hardenctl.formats.yaml import Node, load_yaml
from hardenctl.model.errors import DocumentError

_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_BESIDE_EXPRESSIONS = re.compile(r"(?<!\$)\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)  # `${{ github.ref }}`


def load_template(text: str, path: str, *, expressions: bool = False) -> tuple[Node, ...]:
    """As `load_yaml`, also for a template of YAML: its markup is read as variables and blanks, in the same places.

    `expressions`: `${{ }}` is no markup but the text's own.
    """
    try:
        return load_yaml(text, path)
    except DocumentError:
        markup = _BESIDE_EXPRESSIONS if expressions else _MARKUP
        if not markup.search(text):
            raise
        return load_yaml(markup.sub(_neutral, text), path)


def _neutral(match: re.Match[str]) -> str:
    """Text of the same length that YAML has no trouble with.

    A variable for `{{ }}`, a comment for what has a line for itself (blanks before the first line of a block would
    indent it), and blanks elsewhere.
    """
    if match[0].startswith("{{"):
        return "$" + "x" * (len(match[0]) - 1)
    before, after = match.string[: match.start()], match.string[match.end() :]
    if before.endswith(("}", "}:")):
        return "x" * len(match[0])
    blank = "".join(char if char == "\n" else " " for char in match[0])
    alone = not before.rpartition("\n")[2].strip() and not after.partition("\n")[0].strip()
    return "#" + blank[1:] if alone else blank
