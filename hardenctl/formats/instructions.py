"""A Dockerfile's text into instructions, as BuildKit splits it: continuations, comments between them, heredocs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property

from hardenctl.formats.strand import Strand
from hardenctl.model.record import field, record
from hardenctl.model.text import Span

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_DIRECTIVE = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$")
_KEYWORD = re.compile(r"\s*([A-Za-z]+)(?:\s+|$)")
_HEREDOC = re.compile(r"(?<!\S)\d*<<(-?)(['\"]?)([A-Za-z_][\w.-]*)\2(?!\S)")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?\s+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PAIR = re.compile(r"""([^\s="']+)(?:=((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')*))?""", re.DOTALL)
_WITH_HEREDOC = frozenset(("RUN", "COPY", "ADD"))
_WITH_FLAGS = frozenset(("RUN", "COPY", "ADD", "FROM", "HEALTHCHECK"))


@record
class Item:
    """A string of an exec form. `span` is what stands between the quotes."""

    text: str
    span: Span


@record
class Heredoc:
    """`name` with the lines up to it."""

    name: str
    body: Strand
    expands: bool  # False where the name was quoted


@record(slots=False, eq=False)
class Instruction:
    """One instruction. `rest` is everything after the keyword and its flags, continuation marks taken out.

    A flag that stands there several times (`--exclude`, `--mount`) has a line for each.
    `span` runs from the keyword to the end of the last line, heredocs left out. An ONBUILD's own instruction is
    `trigger`.
    """

    keyword: str
    span: Span
    keyword_span: Span
    rest: Strand
    flags: dict[str, str] = field(default_factory=dict)
    heredocs: tuple[Heredoc, ...] = ()
    trigger: Instruction | None = None

    @cached_property
    def items(self) -> tuple[Item, ...] | None:
        """The strings of an exec form; None for a shell form, which also is what malformed JSON is read as."""
        text = self.rest.text.strip()
        if not text.startswith("["):
            return None
        try:
            values = json.loads(text)
        except ValueError:
            return None
        if not all(isinstance(value, str) for value in values):
            return None
        spans = [self.rest.span(match.start(1), match.end(1)) for match in _STRING.finditer(self.rest.text)]
        return tuple(Item(value, span) for value, span in zip(values, spans, strict=True))

    @cached_property
    def words(self) -> tuple[Item, ...]:
        """The words of COPY, ADD, FROM, USER and the like: exec form or split at blanks, quotes taken off."""
        if self.items is not None:
            return self.items
        found = re.finditer(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""", self.rest.text)
        return tuple(Item(re.sub("[\"']", "", match[0]), self.rest.span(*match.span())) for match in found)

    @cached_property
    def pairs(self) -> tuple[tuple[Item, Item | None], ...]:
        """Name and value of each assignment of ENV, ARG and LABEL; `ENV name value` counts too."""
        text = self.rest.text
        if self.keyword != "ARG" and not re.match(r"\s*[^\s=]+=", text):
            match = re.match(r"\s*(\S+)\s+(.*\S)", text, re.DOTALL)
            return ((self._item(match, 1), self._item(match, 2)),) if match else ()
        return tuple(
            (self._item(match, 1), self._item(match, 2) if match[2] is not None else None)
            for match in _PAIR.finditer(text)
        )

    def _item(self, match: re.Match[str], group: int) -> Item:
        raw, (start, end) = match[group], match.span(group)
        if raw[:1] in ('"', "'") and raw[-1:] == raw[:1] and len(raw) > 1:
            return Item(raw[1:-1], self.rest.span(start + 1, end - 1))
        return Item(raw.replace('"', ""), self.rest.span(start, end))


def parse_instructions(path: str, text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile in order. Lines that are none (a template's markup, say) are passed over."""
    lines = [match.span() for match in _LINE.finditer(text) if match.start() < match.end()]
    escape, index = _escape(text, lines), 0
    while index < len(lines):
        logical, index = _logical(path, text, lines, index, escape)
        if logical is None:
            continue
        match = _KEYWORD.match(logical.text)
        if not match:
            continue
        instruction = _instruction(logical, match)
        inner = instruction.trigger or instruction
        if inner.keyword in _WITH_HEREDOC and "<<" in inner.rest.text:
            heredocs, index = _heredocs(path, text, lines, index, inner)
            inner = Instruction(inner.keyword, inner.span, inner.keyword_span, inner.rest, inner.flags, heredocs)
            if instruction.trigger:
                inner = Instruction(
                    "ONBUILD", instruction.span, instruction.keyword_span, instruction.rest, trigger=inner
                )
            instruction = inner
        yield instruction


def _escape(text: str, lines: list[tuple[int, int]]) -> str:
    """The escape character: a directive of the first comment lines may make it a backtick."""
    for start, end in lines:
        match = _DIRECTIVE.match(text[start:end].strip())
        if not match:
            break
        if match[1].lower() == "escape":
            return match[2]
    return "\\"


def _logical(path: str, text: str, lines: list[tuple[int, int]], index: int, escape: str) -> tuple[Strand | None, int]:
    """The logical line that begins at a line, and the index of the line after it."""
    pieces: list[str] = []
    places: list[int] = []
    continued = False
    while index < len(lines):
        start, end = lines[index]
        line = text[start:end].rstrip("\r\n")
        bare = line.strip()
        index += 1
        if not bare or bare.startswith("#"):
            if continued:
                continue  # comments and blank lines may stand between continued ones
            return None, index
        stripped = line.rstrip()
        continued = stripped.endswith(escape)
        kept = stripped[:-1] if continued else line
        pieces.append(kept)
        places.extend(range(start, start + len(kept)))
        if not continued:
            break
    joined = "".join(pieces)
    return Strand(path, joined, [*places, places[-1] + 1 if places else 0]), index


def _instruction(logical: Strand, match: re.Match[str]) -> Instruction:
    keyword = match[1].upper()
    at = match.end()
    flags: dict[str, str] = {}
    while keyword in _WITH_FLAGS and (flag := _FLAG.match(logical.text, at)):
        name, value = flag[1], flag[2] or ""
        flags[name] = f"{flags[name]}\n{value}" if name in flags else value
        at = flag.end()
    end = max(len(logical.text.rstrip()), match.end(1))
    rest = logical.cut(min(at, end), end)
    trigger = None
    if keyword == "ONBUILD" and (inner := _KEYWORD.match(rest.text)):
        trigger = _instruction(rest, inner)
    return Instruction(
        keyword, logical.span(match.start(1), end), logical.span(*match.span(1)), rest, flags, (), trigger
    )


def _heredocs(
    path: str, text: str, lines: list[tuple[int, int]], index: int, instruction: Instruction
) -> tuple[tuple[Heredoc, ...], int]:
    """The heredocs an instruction names, and the index of the line after them; one without an end is none."""
    found = []
    for match in _HEREDOC.finditer(instruction.rest.text):
        for at in range(index, len(lines)):
            line = text[slice(*lines[at])].rstrip("\r\n")
            if (line.lstrip("\t") if match[1] else line) == match[3]:
                body = Strand.of(path, text, lines[index][0], lines[at][0])
                found.append(Heredoc(match[3], body, expands=not match[2]))
                index = at + 1
                break
    return tuple(found), index
