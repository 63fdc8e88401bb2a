"""Splicing, encodings and overlaps, for any text."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.fix.text import append, encode, newline_of, overlap, splice
from hardenctl.model.finding import Replace
from hardenctl.model.text import Span, decode

texts = st.text(st.characters(codec="utf-8", exclude_characters="\ufeff\0"), max_size=40)


def edit(start: int, end: int, text: str = "", path: str = "a") -> Replace:
    """A replacement."""
    return Replace(Span(path, start, end), text)


@given(texts, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6), st.text("xyz", max_size=3))
def test_splice_touches_only_the_spans(text: str, pairs: list[tuple[int, int]], new: str):
    """What lies outside the spans is there after it, in order; the spans' own text is gone."""
    chosen: list[Replace] = []
    for first, last in pairs:
        start, end = sorted((min(first, len(text)), min(last, len(text))))
        each = edit(start, end, new)
        if not any(overlap(each, other) for other in chosen):
            chosen.append(each)
    pieces, position = [], 0
    for each in sorted(chosen, key=lambda one: one.span):
        pieces += [text[position : each.span.start], new]
        position = each.span.end
    assert splice(text, chosen) == "".join([*pieces, text[position:]])
    assert splice(text, reversed(chosen)) == splice(text, chosen)


@given(texts, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"]))
def test_encode_is_the_way_back(text: str, encoding: str):
    """What `decode` reads, `encode` writes byte for byte."""
    data = text.encode(encoding, "ignore")
    assert encode(decode(data), data) == data


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE], ids=["utf-16-be", "utf-32-be"])
def test_the_byte_order_stays(mark: bytes):
    """Big-endian files stay big-endian."""
    encoding = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    data = mark + "é".encode(encoding)
    assert encode("éx", data) == mark + "éx".encode(encoding)


@given(texts, st.lists(st.text("ab", min_size=1), max_size=3))
def test_append_keeps_all_that_is_there(text: str, lines: list[str]):
    """The text is the beginning of the result, its last line is ended, and each new line is one."""
    result = append(text, lines)
    assert result.startswith(text)
    assert (result == text) is not bool(lines)
    if lines:
        assert result[len(text) :].split()[-len(lines) :] == lines
        assert result.endswith(newline_of(text))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(edit(0, 2), edit(1, 3), True, id="overlap"),
        pytest.param(edit(0, 2), edit(2, 3), False, id="side-by-side"),
        pytest.param(edit(0, 4), edit(1, 2), True, id="inside"),
        pytest.param(edit(1, 1), edit(1, 1), True, id="two-insertions"),
        pytest.param(edit(0, 2), edit(1, 1), True, id="insertion-inside"),
        pytest.param(edit(0, 2), edit(2, 2), True, id="insertion-at-the-edge"),
        pytest.param(edit(0, 2), edit(3, 3), False, id="insertion-beyond"),
        pytest.param(edit(0, 2), edit(0, 2, path="b"), False, id="another-file"),
    ],
)
def test_overlap(one: Replace, other: Replace, expected: bool):  # noqa: FBT001
    """Two edits may stand side by side; an insertion at another's edge has no clear order."""
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected
