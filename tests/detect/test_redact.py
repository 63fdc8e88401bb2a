"""Masking."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hardenctl.detect.redact import BULLETS, mask, merge

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)


@given(st.text(alphabet="abcdef\n", min_size=40, max_size=40), SPANS)
def test_nothing_inside_a_span_survives_and_lines_stay(text: str, spans: list[tuple[int, int]]) -> None:
    """What is masked is gone, what is not is kept in order, and line numbers don't move."""
    covered = {index for start, end in spans for index in range(start, end)}
    kept = "".join(char for index, char in enumerate(text) if index not in covered or char == "\n")
    masked = mask(text, spans)
    assert masked.replace(BULLETS, "") == kept
    assert masked.count("\n") == text.count("\n")


@given(SPANS)
def test_merged_spans_cover_the_same_and_do_not_overlap(spans: list[tuple[int, int]]) -> None:
    """Merging changes no coverage, sorts, and leaves no overlap."""
    merged = merge(spans)
    assert {i for a, b in merged for i in range(a, b)} == {i for a, b in spans for i in range(a, b)}
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(merged))


def test_a_masked_value_does_not_show_its_length() -> None:
    """A long and a short value look alike."""
    assert mask("k=abc", [(2, 5)]) == mask("k=abcdefghijkl", [(2, 14)]) == "k=" + BULLETS
