"""Did you mean ...?"""

from __future__ import annotations

import pytest

from hardenctl.model.nearest import close_to, nearest

WORDS = ("medium", "high", "low")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("medum", "medium", id="a-letter-is-missing"),
        pytest.param("hihg", "high", id="letters-are-swapped"),
        pytest.param("critical", "", id="nothing-is-near"),
        pytest.param("", "", id="no-word"),
    ],
)
def test_the_nearest_word(word: str, expected: str) -> None:
    """A misspelt word leads to the one that was meant, a foreign one to none."""
    assert close_to(word, WORDS) == expected
    assert nearest(word, WORDS) == (f"did you mean `{expected}`?" if expected else "")


def test_the_cutoff_asks_for_more() -> None:
    """What is near for one caller is not near enough for another."""
    assert close_to("medum", WORDS, cutoff=0.99) == ""
