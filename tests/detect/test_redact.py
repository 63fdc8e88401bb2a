"""Masking."""

from __future__ import annotations

import itertools
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.detect.redact import BULLETS, mask, merge
from hardenctl.detect.secrets import sensitive_spans
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.fakes import scramble

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


def test_a_value_is_masked_wherever_its_file_says_it() -> None:
    """In a comment, behind a broken quote, in an argument; a common word is not looked for elsewhere."""
    value = scramble("elsewhere", 18)
    text = f'DB_PASSWORD={value}\n# was {value}\n"{value}\nARGS=--bind {value}\nPG_PASSWORD=postgres\n# postgres 17\n'
    masked = mask(text, sensitive_spans(Blob(Provenance("a.conf"), text.encode())))
    assert value not in masked
    assert "# postgres 17" in masked


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        pytest.param("LABEL build={}", True, id="label"),
        pytest.param("run --tag {} now", True, id="argument"),
        pytest.param('bind = "unix:/run/{}.sock"', True, id="part-of-a-path"),
        pytest.param("X-Content-Type-Options OAuth2PasswordRequestFormStrict", False, id="names-in-camel-case"),
        pytest.param("sha256:" + "0a1b2c3d" * 8, False, id="a-digest-stays"),
        pytest.param("/srv/App2/Lib64/site-Packages3/Module", False, id="a-path-stays"),
    ],
)
def test_what_looks_random_is_masked_whatever_it_is_called(line: str, masked: bool) -> None:  # noqa: FBT001 - a column
    """A value that no rule finds is no less secret when a frame shows it as a neighbour."""
    value = random.Random(1).choices(  # noqa: S311 - a fake
        string.ascii_letters + string.digits, k=24
    )
    text = line.format("".join(value))
    shown = mask(text, sensitive_spans(Blob(Provenance("notes.txt"), text.encode())))
    assert (shown != text) is masked
    assert "".join(value) not in shown
