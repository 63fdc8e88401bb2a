"""The code frame: its caret stands under what was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.model.finding import FrameLine, Severity
from hardenctl.report.frame import frame
from hardenctl.report.style import Look, cells


def _marked(lines: list[str]) -> str:
    """The text above the carets, by terminal columns."""
    source, carets = next((lines[i - 1], line) for i, line in enumerate(lines) if "^" in line)
    start, width = cells(carets[: carets.index("^")]), carets.count("^")
    marked, column = "", 0
    for character in source:
        if start <= column < start + width:
            marked += character
        column += cells(character)
    return marked


@pytest.mark.parametrize(
    ("text", "caret", "marked"),
    [
        pytest.param('KEY = "••••••••"', (7, 15), "••••••••", id="plain"),
        pytest.param('密码 = "••••••••"', (6, 14), "••••••••", id="after-wide-characters"),
        pytest.param('密码 = "x"', (0, 2), "密码", id="wide-characters-themselves"),
        pytest.param("a\x1b[0m = target", (8, 14), "target", id="after-an-escape-made-visible"),
        pytest.param("x" * 150 + "target", (150, 156), "target", id="far-to-the-right"),
        pytest.param("e\u0301 = target", (5, 11), "target", id="after-a-combining-character"),
        pytest.param("target" + "x" * 150, (0, 6), "target", id="a-long-line-cut-behind"),
    ],
)
@pytest.mark.parametrize("width", [40, 80, 140])
def test_caret_stands_under_what_was_found(text: str, caret: tuple[int, int], marked: str, width: int) -> None:
    """Wide, escaped and cropped text before the caret moves it along."""
    assert _marked(list(frame((FrameLine(7, text, caret),), Severity.HIGH, Look(width)))) == marked


def test_several_lines_are_marked_along_the_gutter() -> None:
    """A finding of several lines has no carets but a heavier bar, and blank context around it is left out."""
    lines = (FrameLine(1, ""), FrameLine(2, "a(", (0, 2)), FrameLine(3, ")", (0, 1)), FrameLine(4, "  "))
    assert list(frame(lines, Severity.HIGH, Look())) == ["    2 ┃ a(", "    3 ┃ )"]


def test_an_empty_frame_is_nothing() -> None:
    """A finding about something missing has no frame."""
    assert list(frame((), Severity.HIGH, Look())) == []
    assert list(frame((FrameLine(1, "", (0, 1)),), Severity.HIGH, Look())) == []


@given(st.text(max_size=200), st.integers(0, 200), st.integers(1, 50), st.integers(40, 160))
def test_any_line_fits(text: str, start: int, length: int, width: int) -> None:
    """Whatever the line and the caret, no line is wider than the terminal and nothing raw comes through."""
    lines = list(frame((FrameLine(999, text, (start, start + length)),), Severity.LOW, Look(width)))
    assert all(cells(line) <= width for line in lines)
    assert all(line.replace("\u3000", "").isprintable() for line in lines)
