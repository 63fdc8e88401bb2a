"""nginx's configuration as a tree of directives with positions.

https://nginx.org/en/docs/beginners_guide.html#conf_structure
Also of templates: a line that is all markup (`{% if tls %}`) is passed over, and an expression in a word (`{{ host }}`)
stays in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hardenctl.model.errors import DocumentError
from hardenctl.model.text import Span

DEEPEST = 50  # levels; real configurations stay below 8
_TOKEN = re.compile(
    r"""
    (?P<skip> \s+ | \#[^\n]* | \{%.*?%\} | <%.*?%> )
    | (?P<quoted> "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' )
    | (?P<mark> [{};] )
    | (?P<word> (?:
        \{\{.*?\}\} | \$\{\w+[^}\s]*\} | \\. | [^\s{};"'\\] | (?<=[^\s{};])["'] | (?<=[^\s{};])\{\d+(?:,\d*)?\}
      )+ )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Word:
    """An argument: its text without quotes, and where it stands with them."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Directive:
    """`name args;` or `name args { block }`. `span` is all of a simple one, the head of a block."""

    name: str
    args: tuple[Word, ...]
    span: Span
    block: tuple[Directive, ...] | None = None

    def each(self, name: str) -> Iterator[Directive]:
        """The directives of a name that stand in the block itself."""
        return (each for each in self.block or () if each.name == name)


def parse(text: str, path: str) -> tuple[Directive, ...]:
    """The directives of a text. Raises DocumentError for what is no such configuration."""
    open_blocks: list[tuple[list[Directive], list[Word]]] = [([], [])]  # the directives so far, the block's own head
    words: list[Word] = []
    at = 0
    while (token := _TOKEN.match(text, at)) is not None:
        at = token.end()
        mark = token["mark"]
        if mark == ";" and words:
            open_blocks[-1][0].append(_directive(words))
        elif mark == "{":
            if len(open_blocks) > DEEPEST or not words:
                raise _error(text, at)
            open_blocks.append(([], words))
        elif mark == "}":  # what is not ended by `;` is dropped: the code of a Lua block
            if len(open_blocks) == 1:
                raise _error(text, at)
            directives, head = open_blocks.pop()
            open_blocks[-1][0].append(_directive(head, tuple(directives)))
        elif token["skip"] is None and mark is None:
            words.append(Word(_text(token), Span(path, *token.span())))
        if mark is not None:
            words = []
    if at < len(text) or len(open_blocks) > 1:
        raise _error(text, at, "" if at < len(text) else ": a block is not closed")
    return tuple(open_blocks[0][0])


def _error(text: str, at: int, detail: str = "") -> DocumentError:
    return DocumentError(f"not valid nginx configuration{detail}", line=text.count("\n", 0, at) + 1)


def _text(token: re.Match[str]) -> str:
    written = token[0]
    if token["quoted"]:
        written = written[1:-1]
        return re.sub(r"\\(['\"\\])", r"\1", written) if "\\" in written and not written.startswith("~") else written
    return written


def _directive(words: list[Word], block: tuple[Directive, ...] | None = None) -> Directive:
    first, last = words[0].span, words[-1].span
    return Directive(words[0].text, tuple(words[1:]), Span(first.path, first.start, last.end), block)
