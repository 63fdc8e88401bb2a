"""Positions and decoding."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.model.text import Lines, decode, is_binary


@given(st.text(alphabet="ab\n\ré€", max_size=60))
def test_offset_and_position_are_inverse(text: str) -> None:
    """Every offset has one line and column, and they lead back to it."""
    lines = Lines(text)
    for offset in range(len(text) + 1):
        place = lines.position(offset)
        assert lines.offset(place.line, place.column) == offset
        assert 1 <= place.line <= len(lines)


@given(st.text(alphabet="ab\n\ré", max_size=60))
def test_lines_are_those_of_universal_newlines(text: str) -> None:
    r"""The line table agrees with Python's own reading of `\n`, `\r\n` and `\r`."""
    expected = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = Lines(text)
    assert [lines.line(number) for number in range(1, len(lines) + 1)] == expected


@given(st.text(alphabet="aé€😀", max_size=20))
def test_byte_columns_of_ast_become_character_columns(line: str) -> None:
    """A UTF-8 byte column, as `ast` gives it, is the offset of the same character."""
    lines = Lines("x = 1\n" + line)
    for index in range(len(line) + 1):
        assert lines.offset_utf8(2, len(line[:index].encode())) == 6 + index


def test_a_line_past_the_end_is_the_end() -> None:
    """Asking past the end gives the end, and an empty line."""
    lines = Lines("a\nb")
    assert lines.offset(9) == 3
    assert lines.line(9) == ""
    assert lines.line(0) == ""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("é".encode(), "é", id="utf-8"),
        pytest.param(codecs.BOM_UTF8 + b"a", "a", id="utf-8-with-mark"),
        pytest.param("é=1".encode("utf-16"), "é=1", id="utf-16-with-mark"),
        pytest.param("é".encode("utf-32"), "é", id="utf-32-with-mark"),
        pytest.param(b"caf\xe9", "café", id="latin-1"),
        pytest.param(b"url = 'postgres://app@db/shop'\n\0", "url = 'postgres://app@db/shop'\n\0", id="a-nul-behind"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_decode(data: bytes, expected: str) -> None:
    """Any bytes become text, by their mark, as UTF-8, or as Latin-1."""
    assert decode(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\x7fELF\0\0", True, id="nul"),
        pytest.param("a".encode("utf-16"), False, id="utf-16-is-text"),
        pytest.param("\ufeffa".encode("utf-32-le"), False, id="utf-32-le-is-text"),
        pytest.param("\ufeffa".encode("utf-32-be"), False, id="utf-32-be-is-text"),
        pytest.param(b"plain", False, id="text"),
        pytest.param(b"a" * 9000 + b"\0", False, id="late-nul-as-git"),
        pytest.param(b"url = 'postgres://app:pass@db/shop'\n\0", False, id="one-at-the-end"),
        pytest.param(b"#\0\npassword = 'hunter2'\n", False, id="one-stray-nul"),
        pytest.param(b"KEY = 'a value'\n" * 20 + b"\0" * 3000, False, id="filled-up"),
        pytest.param(b"KEY = 'a value'\n" * 20 + b"\0\1\2" * 30, True, id="text-before-numbers"),
        pytest.param(b"name" + b"\0" * 400 + b"a = 1\n" * 2000, True, id="a-header-before-text"),
    ],
)
def test_is_binary(data: bytes, expected: bool) -> None:  # noqa: FBT001 - a table's column
    """Binary is what git calls so, but for UTF-16 and UTF-32 with a mark."""
    assert is_binary(data) is expected
