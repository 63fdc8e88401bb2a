"""Env files: which files are, what they hold, and where.

python-dotenv decides what a key and its value are; here they get positions. A line it cannot parse is kept as a
broken entry, since Docker's `--env-file` and the shell read such lines too.
"""

from __future__ import annotations

import io
import re
from functools import cached_property

from hardenctl.formats.paths import environment_of, is_example
from hardenctl.model.address import past_path
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import record
from hardenctl.model.text import Lines, Span

_ENTRY = lazy_pattern(
    r"""\s*(?P<export>export[^\S\r\n]+)?(?:'(?P<quoted>[^']+)'|(?P<key>[^=\#\s]+))[^\S\r\n]*
        (?P<sign>=[^\S\r\n]*)?""",
    re.VERBOSE,
)
_QUOTED = lazy_pattern(r"""'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)\"""", re.DOTALL)
_BARE = lazy_pattern(r"[^\r\n]*?(?=\s+#|\s*(?:[\r\n]|\Z))")
_COMMENTED = lazy_pattern(r"^[^\S\r\n]*#[^\S\r\n]*(?:export[^\S\r\n]+)?([A-Za-z_]\w*)[^\S\r\n]*=", re.MULTILINE)


@record
class Entry:
    """One assignment. `value` is None for a key without `=`; `value_span` is what stands between the quotes.

    `broken` entries are lines that python-dotenv passes over.
    """

    key: str
    value: str | None
    key_span: Span
    value_span: Span
    line: int
    quote: str = ""
    export: bool = False
    comment: str = ""
    broken: bool = False


@record(slots=False)
class Dotenv:
    """A parsed env file. `path` is its address, `name` the path people know; they differ for a past version only."""

    path: str
    text: str
    entries: tuple[Entry, ...]

    @cached_property
    def name(self) -> str:
        """The path, without the address of a past version."""
        return past_path(self.path) or self.path

    @property
    def is_past(self) -> bool:
        """Whether this is a version that only history holds."""
        return self.name != self.path

    @property
    def is_example(self) -> bool:
        """Whether the file is a template for others, by name."""
        return is_example(self.name)

    @property
    def environment(self) -> str | None:
        """The environment it configures: `production`, `staging`, `development`, `test`; None where it doesn't say."""
        return environment_of(self.name)

    @cached_property
    def values(self) -> dict[str, str | None]:
        """Key to value as an application sees them: the last one wins."""
        return {entry.key: entry.value for entry in self.entries if not entry.broken}

    @cached_property
    def documented(self) -> frozenset[str]:
        """All keys the file names, those in commented-out lines too."""
        return frozenset((*(entry.key for entry in self.entries), *_COMMENTED.findall(self.text)))


def parse_dotenv(path: str, text: str) -> Dotenv:
    """The env file of a text. Never fails: what cannot be parsed is a broken entry, or nothing."""
    from dotenv.parser import parse_stream

    entries, lines = [], Lines(text)
    position = len(text) - len(text.removeprefix("\ufeff"))
    for binding in parse_stream(io.StringIO(text)):
        original = binding.original.string
        if binding.key is not None or binding.error:
            entry = _entry(path, original, position, lines, binding.value, broken=binding.error)
            if entry:
                entries.append(entry)
        position += len(original)
    return Dotenv(path, text, tuple(entries))


def _entry(path: str, original: str, position: int, lines: Lines, value: str | None, *, broken: bool) -> Entry | None:
    match = _ENTRY.match(original)
    if not match or (broken and not match["sign"]):
        return None
    group = "key" if match["key"] is not None else "quoted"
    start, end = match.span(group)
    first, last, quote, rest = match.end(), match.end(), "", original[match.end() :]
    if match["sign"] and not (len(match["sign"]) > 1 and rest.startswith("#")):
        quoted = None if broken else _QUOTED.match(original, match.end())
        if quoted:
            first, last = quoted.span("single" if quoted["single"] is not None else "double")
            quote, rest = original[match.end()], original[quoted.end() :]
        elif bare := _BARE.match(original, match.end()):
            first, last = bare.span()
            rest = original[last:]
    return Entry(
        key=match[group],
        value=original[first:last] if broken else value,
        key_span=Span(path, position + start, position + end),
        value_span=Span(path, position + first, position + last),
        line=lines.position(position + start).line,
        quote=quote,
        export=bool(match["export"]),
        comment=rest.strip().removeprefix("#").strip() if rest.strip().startswith("#") else "",
        broken=broken,
    )
