"""Editing environment files: values change, everything else stays as it was written.

python-dotenv says where a binding starts and ends and what its value is; this only finds the value inside.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hardenctl.model.errors import DocumentError, UsageError

_VALUE = re.compile(
    r"""(?P<name>\s*(?:export[^\S\r\n]+)?(?:'[^']+'|[^=\#\s]+))[^\S\r\n]*=(?P<blank>[^\S\r\n]*)
        (?P<value>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\r\n]*?)
        (?P<after>(?:(?:(?<=\s)|[^\S\r\n]+|(?<=['"]))\#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\r|\n)?)\Z""",
    re.VERBOSE | re.DOTALL,
)
_BARE_NAME = re.compile(r"(?P<name>\s*(?:export[^\S\r\n]+)?(?:'[^']+'|[^=\#\s]+))(?P<after>.*)\Z", re.DOTALL)
_BARE = re.compile(r"[A-Za-z0-9_./:@%+,=?^-]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A stretch of an environment file: a binding with the comments above it, or (key None) something else.

    `text` is what stands in the file; `value` is what python-dotenv reads, without interpolation; None for a bare name.
    """

    key: str | None
    value: str | None
    text: str

    def with_value(self, value: str) -> Entry:
        """The same entry with another value.

        Comments stay, and so do quotes unless the value needs others. Blanks around `=` go: no shell takes them.
        """
        match = _VALUE.match(self.text)
        if match is not None:
            after = match["after"]
            if after.startswith("#") and not match["value"]:  # `KEY= # comment`: the blank keeps the comment a comment
                after = match["blank"] + after
            return replace(self, value=value, text=f"{match['name']}={quote(value, match['value'][:1])}{after}")
        name = _BARE_NAME.match(self.text)  # `KEY` or `export KEY`, without `=`
        if name is None:
            raise DocumentError(f"`{self.key}` stands in a form that cannot be edited", help="write it as KEY=VALUE")
        return replace(self, value=value, text=f"{name['name']}={quote(value)}{name['after']}")


def parse(text: str, path: str) -> list[Entry]:
    """The entries of an environment file, in order; joined they are the text again.

    Raises DocumentError at the first line python-dotenv cannot read: it would be lost when the file is loaded.
    """
    from dotenv.parser import parse_stream

    mark = "\ufeff" if text.startswith("\ufeff") else ""
    # newline="" keeps CRLF: universal newlines would change lines nobody asked to change.
    entries = [Entry(None, None, mark)] if mark else []
    for binding in parse_stream(io.StringIO(text, newline="")):
        if binding.error:
            raise DocumentError(
                f"{path}:{binding.original.line}: this line is no KEY=VALUE, comment or blank line",
                line=binding.original.line,
                help="repair or remove the line",
            )
        entries.append(Entry(binding.key, binding.value, binding.original.string))
    return entries


def join(entries: list[Entry]) -> str:
    """The text of a file."""
    return "".join(each.text for each in entries)


def values(entries: list[Entry]) -> Mapping[str, str]:
    """Key to value; the last one of a repeated key counts, as for every reader of these files."""
    return {each.key: each.value for each in entries if each.key is not None and each.value is not None}


def set_value(entries: list[Entry], key: str, value: str) -> list[Entry]:
    """The entries with a key set: where it stands (all places, if repeated), else in a new line at the end."""
    if not _NAME.fullmatch(key):
        raise UsageError(f"`{key}` cannot be the name of an environment variable", help="use letters, digits and `_`")
    if any(each.key == key for each in entries):
        return [each.with_value(value) if each.key == key else each for each in entries]
    text = join(entries)
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = newline if text.strip("\ufeff") and not text.endswith(("\n", "\r")) else ""
    return [*entries, Entry(key, value, f"{gap}{key}={quote(value)}{newline}")]


def quote(value: str, preferred: str = "") -> str:
    """A value as python-dotenv, Compose and `sh` all read it back.

    Bare where it can be, since `docker run --env-file` takes quotes for part of the value; else in single quotes,
    inside which none of the three expands anything. Raises UsageError for what no quoting carries through all of them.
    """
    if _BARE.fullmatch(value):
        return f"{preferred}{value}{preferred}" if preferred in {"'", '"'} else value
    if "'" not in value and "\\" not in value and "\n" not in value and "\r" not in value:
        return f"'{value}'"
    raise UsageError(
        "a value with quotes, backslashes or line breaks is read differently by python-dotenv, Compose and sh",
        help="choose another alphabet: `urlsafe`, `db`, `alnum` and `hex` need no quoting",
    )
