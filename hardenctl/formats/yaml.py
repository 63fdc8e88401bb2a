"""A positioned YAML model: every key and value knows the span it was read from.

Built from PyYAML's event stream with a stack of our own, so that neither deep nesting nor aliases can hurt: libyaml's
composer recurses (100,000 brackets crash the interpreter), and a billion laughs stays one shared node per anchor.
Nothing is ever constructed from a tag. Plain scalars resolve by the core schema of YAML 1.2, as Compose and
Kubernetes (go-yaml) read them: `yes` and `22:22` are strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hardenctl.formats.strand import Strand
from hardenctl.model.errors import DocumentError
from hardenctl.model.record import field, record
from hardenctl.model.text import Span

DEEPEST = 200  # levels of nesting; real files stay below 30
MOST_MERGED = 200_000  # entries that merge keys copy; real files stay below a thousand
LARGEST = 5_000_000  # characters; a vendored OpenAPI description or a CRD bundle stays below it

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)+")
_MERGE = "<<"
_ESCAPED = {"x": 2, "u": 4, "U": 8}  # digits behind the letter of an escape


@record(slots=False, eq=False)
class Scalar:
    """A leaf. `text` is its content as a string, `span` the source with its quotes but without anchor and tag."""

    span: Span
    text: str
    style: str | None = None  # None plain, else one of ' " | >
    tag: str | None = None
    source: str = field(default="", repr=False)  # the source text of `span`

    @cached_property
    def value(self) -> Any:
        """The plain Python value: None, bool, int, float or str."""
        if self.style is not None or self.tag not in (None, "!"):
            return None if self.tag == "!reset" else self.text
        return _resolve(self.text)

    @cached_property
    def strand(self) -> Strand:
        """The content with the place of each character."""
        return Strand(self.span.path, self.text, self._places)

    @property
    def inner(self) -> Span:
        """The span without the quotes."""
        return self.strand.whole if self.text else self.span

    @cached_property
    def _places(self) -> list[int]:
        """File offset of each character of `text`: folded lines, escapes and indentation make them differ."""
        source, at = self.source, 0
        if self.style in ("'", '"'):
            at = 1
        elif self.style in ("|", ">"):
            at = source.find("\n") + 1
        places = []
        for char in self.text:
            if char in " \n" and not source[at : at + 1].isspace():
                places.append(self.span.start + min(at, len(source)))
                continue
            if char not in " \n":
                while at < len(source) and source[at].isspace() and source[at] != char:
                    at += 1
                before, at = at, self._past_escape(char, at)
                if at > before and source[at - 1] == "\\":
                    places.append(self.span.start + min(at, len(source)))
                    at += 1 + _ESCAPED.get(source[at : at + 1], 0)
                    continue
            places.append(self.span.start + min(at, len(source)))
            at += 1
        places.append(self.span.start + min(at, len(source)))
        return places

    def _past_escape(self, char: str, at: int) -> int:
        """The offset in `source` of a character that an escape or a doubled quote may stand before."""
        source = self.source
        if self.style == '"' and source[at : at + 1] == "\\" and char != "\\":
            at += 1
            while source[at : at + 1].isspace():  # an escaped line break
                at += 1
            return at + 1 if source[at : at + 1] == "\\" else at
        return at + 1 if source[at : at + 2] in ("\\\\", "''") and self.style in ("'", '"') else at


@record(slots=False, eq=False)
class Sequence:
    """A list of nodes."""

    span: Span
    items: tuple[Node, ...]
    tag: str | None = None

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


@record(slots=False, eq=False)
class Mapping:
    """Keys and values in source order, merge keys resolved; of a repeated key the last one counts.

    `duplicates` holds the keys that a later one of the same name overrides.
    """

    span: Span
    entries: tuple[tuple[Scalar, Node], ...]
    tag: str | None = None
    duplicates: tuple[Scalar, ...] = ()

    @cached_property
    def _index(self) -> dict[str, tuple[Scalar, Node]]:
        return {key.text: (key, value) for key, value in self.entries}

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        return iter(self._index.values())

    def key(self, name: str) -> Scalar | None:
        """The key node of that name."""
        entry = self._index.get(name)
        return entry[0] if entry else None

    def value_of(self, name: str) -> Node | None:
        """The value of one key."""
        entry = self._index.get(name)
        return entry[1] if entry else None

    def get(self, *names: str) -> Node | None:
        """The value below a path of keys; None where any is missing."""
        node: Node | None = self
        for name in names:
            if not isinstance(node, Mapping):
                return None
            node = node.value_of(name)
        return node

    def text(self, *names: str) -> str | None:
        """The text of the scalar below a path of keys; None where there is none or it is null."""
        node = self.get(*names)
        return node.text if isinstance(node, Scalar) and node.value is not None else None

    def mapping(self, *names: str) -> Mapping:
        """The mapping below a path of keys; an empty one where there is none."""
        node = self.get(*names)
        return node if isinstance(node, Mapping) else Mapping(node.span if node else self.span, ())


Node = Scalar | Sequence | Mapping


def plain(node: Node | None) -> Any:
    """Plain Python of a node. Aliases share one object, so a billion laughs stays small; a cycle becomes None."""
    return _plain(node, {})


def _plain(node: Node | None, known: dict[int, Any]) -> Any:
    if node is None or isinstance(node, Scalar):
        return node.value if node is not None else None
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = None
    result: Any
    if isinstance(node, Sequence):
        result = [_plain(item, known) for item in node]
    else:
        result = {key.text: _plain(value, known) for key, value in node}
    known[id(node)] = result
    return result


def walk(node: Node) -> Iterator[Node]:
    """Every node once, parents first, however often aliases name it."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, Sequence):
            waiting.extend(reversed(each.items))
        elif isinstance(each, Mapping):
            waiting.extend(value for _, value in reversed(each.entries))


def load_yaml(text: str, path: str) -> tuple[Node, ...]:
    """The documents of a YAML text. Raises DocumentError with the line where it is not YAML, too deep or too large."""
    import yaml

    if len(text) > LARGEST:
        raise DocumentError(f"the YAML file is larger than {LARGEST // 1_000_000} million characters")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(text, path).build(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = (error.problem or "").partition(" '!")[0]  # a tag's handle: an unquoted password can look like one
        raise DocumentError(f"not valid YAML: {problem}", line=mark.line + 1 if mark else 0) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DocumentError("not valid YAML: a control character", line=line) from None


class _Builder:
    """Turns events into nodes. Collections being read are lists on a stack."""

    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path
        self.shift = int(text.startswith("\ufeff"))  # marks don't count a byte order mark
        self.merged = 0
        self.anchors: dict[str, Node] = {}
        self.documents: list[Node] = []
        self.stack: list[_Open] = []

    def build(self, events: Iterator[Any]) -> tuple[Node, ...]:
        for event in events:
            kind = type(event).__name__
            if kind == "ScalarEvent":
                self.add(self.scalar(event), event.anchor)
            elif kind == "AliasEvent":
                self.add(self.alias(event), None)
            elif kind in ("MappingStartEvent", "SequenceStartEvent"):
                if len(self.stack) >= DEEPEST:
                    raise DocumentError(f"YAML nested deeper than {DEEPEST} levels", line=event.start_mark.line + 1)
                self.stack.append(_Open(kind == "MappingStartEvent", event))
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                opened = self.stack.pop()
                self.add(self.close(opened, event), opened.event.anchor)
            elif kind == "DocumentStartEvent":
                self.anchors = {}
        return tuple(self.documents)

    def add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if self.stack:
            self.stack[-1].nodes.append(node)
        else:
            self.documents.append(node)

    def scalar(self, event: Any) -> Scalar:
        start, end = event.start_mark.index + self.shift, event.end_mark.index + self.shift
        if (event.anchor or event.tag) and (match := _PROPERTIES.match(self.text, start, end)):
            start = match.end()
        source = self.text[start:end].rstrip() if event.style in ("|", ">") else self.text[start:end]
        return Scalar(Span(self.path, start, start + len(source)), event.value, event.style or None, event.tag, source)

    def alias(self, event: Any) -> Node:
        if event.anchor in self.anchors:
            return self.anchors[event.anchor]
        if any(opened.event.anchor == event.anchor for opened in self.stack):
            problem = "an alias refers to itself"
        else:
            problem = "undefined alias"  # not its name: `PASSWORD: *hunter2` is a password that lacks its quotes
        raise DocumentError(f"not valid YAML: {problem}", line=event.start_mark.line + 1)

    def close(self, opened: _Open, event: Any) -> Node:
        start = opened.event.start_mark.index + self.shift
        end = event.end_mark.index + self.shift
        if not opened.event.flow_style:  # a block's end mark is where the next token starts
            end = max((node.span.end for node in opened.nodes[-2:] if node.span.start >= start), default=start)
        span = Span(self.path, start, max(start, end))
        if not opened.mapping:
            return Sequence(span, tuple(opened.nodes), opened.event.tag)
        mapping = _mapping(span, opened.nodes, opened.event.tag)
        self.merged += max(len(mapping.entries) - len(opened.nodes) // 2, 0)
        if self.merged > MOST_MERGED:
            raise DocumentError(f"merge keys copy more than {MOST_MERGED} entries", line=event.start_mark.line + 1)
        return mapping


class _Open:
    """A collection whose end has not been read yet."""

    __slots__ = ("event", "mapping", "nodes")

    def __init__(self, mapping: bool, event: Any) -> None:  # noqa: FBT001 - which of the two kinds it is
        self.mapping, self.event = mapping, event
        self.nodes: list[Node] = []


def _mapping(span: Span, nodes: list[Node], tag: str | None) -> Mapping:
    own: dict[str, tuple[Scalar, Node]] = {}
    merged: dict[str, tuple[Scalar, Node]] = {}
    duplicates = []
    for key, value in zip(nodes[::2], nodes[1::2], strict=True):
        if not isinstance(key, Scalar):
            continue  # a complex key: nothing we read has one
        if key.text == _MERGE and key.style is None:
            for source in value if isinstance(value, Sequence) else (value,):
                if isinstance(source, Mapping):
                    for entry in source:
                        merged.setdefault(entry[0].text, entry)
            continue
        if key.text in own:
            duplicates.append(own.pop(key.text)[0])
        own[key.text] = (key, value)
    inherited = tuple(entry for name, entry in merged.items() if name not in own)
    return Mapping(span, (*inherited, *own.values()), tag, tuple(duplicates))


def _resolve(text: str) -> Any:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) < 40 and _INT.fullmatch(text):  # noqa: PLR2004 - longer than any number that means something
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if len(text) < 40 and _FLOAT.fullmatch(text):  # noqa: PLR2004 - as above
        return float(text)
    return text
