"""Colours, widths, wrapping and visible control characters."""

from __future__ import annotations

import ctypes
import io
import os
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hardenctl.model.finding import Severity
from hardenctl.report.style import COLOURS, Look, cells, clip, look_of, visible, wrap


class Stream(io.StringIO):
    """A stream that says what it is."""

    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal, self._encoding = terminal, encoding

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Its encoding."""
        return self._encoding


def _luminance(index: int) -> float:
    """Relative luminance (WCAG) of a colour of the 256-colour cube."""
    steps = (0, 95, 135, 175, 215, 255)
    cube = index - 16
    rgb = [8 + (index - 232) * 10] * 3 if index >= 232 else [steps[cube // 36], steps[cube // 6 % 6], steps[cube % 6]]
    parts = [value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("name", COLOURS)
def test_every_colour_is_legible_on_dark_and_light(name: str) -> None:
    """Contrast is at least 3:1 on black and on white."""
    luminance = _luminance(COLOURS[name])
    assert (luminance + 0.05) / 0.05 >= 3
    assert 1.05 / (luminance + 0.05) >= 3


@pytest.mark.parametrize(
    ("terminal", "environ", "colour"),
    [
        pytest.param(True, {}, True, id="terminal"),
        pytest.param(False, {}, False, id="pipe"),
        pytest.param(True, {"NO_COLOR": "1"}, False, id="no-color"),
        pytest.param(True, {"NO_COLOR": ""}, True, id="empty-no-color-is-none"),
        pytest.param(False, {"FORCE_COLOR": "1"}, True, id="force-color-in-a-pipe"),
        pytest.param(False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="no-color-wins"),
        pytest.param(True, {"FORCE_COLOR": "0"}, False, id="force-color-0"),
        pytest.param(True, {"TERM": "dumb"}, False, id="dumb-terminal"),
    ],
)
def test_when_there_is_colour(terminal: bool, environ: Mapping[str, str], colour: bool) -> None:  # noqa: FBT001
    """Terminals get colour, pipes don't, and the user's variables decide."""
    assert look_of(Stream(terminal=terminal), environ).colour is colour


@pytest.mark.parametrize(
    ("environ", "width"),
    [
        pytest.param({}, 80, id="pipe-without-columns"),
        pytest.param({"COLUMNS": "132"}, 132, id="columns"),
        pytest.param({"COLUMNS": "7"}, 40, id="never-below-40"),
        pytest.param({"COLUMNS": "wide"}, 80, id="nonsense"),
        pytest.param({"COLUMNS": "0"}, 80, id="zero"),
        pytest.param({"COLUMNS": "9" * 5000}, 80, id="endless"),
    ],
)
def test_width_of_a_pipe(environ: Mapping[str, str], width: int) -> None:
    """A pipe has COLUMNS columns, else 80."""
    assert look_of(Stream(terminal=False), environ).width == width


def test_a_stream_that_cannot_write_box_characters_gets_ascii() -> None:
    """On a Latin-1 stream the box characters have stand-ins."""
    look = look_of(Stream(terminal=False, encoding="latin-1"), {})
    assert look.final("─ │ ┃ • ━") == "- | > * ="
    assert look_of(Stream(terminal=False), {}).final("─") == "─"
    assert not look_of(Stream(terminal=False, encoding="no-such-codec"), {}).unicode


def test_no_colour_means_no_escape() -> None:
    """Without colour painting changes nothing; with it nothing empty is painted."""
    assert Look().severity(Severity.CRITICAL, "critical") == "critical"
    assert Look(colour=True).paint("") == ""
    assert Look(colour=True).paint("x") == "x"
    assert Look(colour=True).paint("x", "red", bold=True) == "\x1b[1;38;5;160mx\x1b[0m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("a\x1b[2Jb", "a\\x1b[2Jb", id="escape-sequence"),
        pytest.param("a\u202eb", "a\\u202eb", id="bidi-override"),
        pytest.param("a\u200bb", "a\\u200bb", id="zero-width-space"),
        pytest.param("a\x9bb", "a\\x9bb", id="c1-control"),
        pytest.param("a\nb\rc", "a\\x0ab\\x0dc", id="line-breaks"),
        pytest.param("a\U000e0041b", "a\\U000e0041b", id="tag-character"),
        pytest.param("a\udcffb", "a\\udcffb", id="undecodable-byte-in-a-file-name"),
        pytest.param("数据\u3000库", "数据\u3000库", id="east-asian-stays"),
        pytest.param("é ✓", "é ✓", id="accents-stay"),
    ],
)
def test_what_steers_a_terminal_is_made_visible(text: str, shown: str) -> None:
    """Control, bidi and invisible characters are shown as escapes."""
    assert visible(text) == shown


@given(st.text())
def test_visible_text_is_harmless_and_stable(text: str) -> None:
    """Whatever goes in, only printable characters (and the wide space) come out, and a second time changes nothing."""
    shown = visible(text)
    assert shown.replace("\u3000", "").isprintable()
    assert visible(shown) == shown
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        pytest.param("abc", 3, id="ascii"),
        pytest.param("数据库", 6, id="wide"),
        pytest.param("e\u0301", 1, id="combining"),
    ],
)
def test_cells(text: str, columns: int) -> None:
    """Widths are a terminal's."""
    assert cells(text) == columns


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"))), st.integers(4, 60))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    """No line is wider than asked for, and all words are there."""
    assume("://" not in text)
    wrapped = list(wrap(text, width))
    assert all(cells(line) <= width for line in wrapped)
    assert "".join("".join(wrapped).split()) == "".join(text.split())


def test_a_number_stays_with_its_unit() -> None:
    """A line never begins with a unit."""
    assert [*wrap("12 files (34 kB) in all, in 0.2 s", 13)] == ["12 files", "(34 kB) in", "all, in 0.2 s"]
    assert [*wrap("it took 0.2 s", 12)] == ["it took", "0.2 s"]


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"))), st.integers(1, 60))
def test_clipped_text_fits(text: str, width: int) -> None:
    """Clipping marks what is missing and fits."""
    clipped = clip(text, width)
    assert cells(clipped) <= width
    assert clipped == text or clipped.endswith("…")


def test_a_link_is_never_broken() -> None:
    """A link wider than the line stays whole on a line of its own."""
    link = "https://example.com/" + "x" * 60
    assert list(wrap(f"see {link} there", 40)) == ["see", link, "there"]


@pytest.mark.parametrize("answers", [True, False])
def test_windows_consoles_are_told_to_read_ansi(monkeypatch: pytest.MonkeyPatch, answers: bool) -> None:  # noqa: FBT001
    """Colour on Windows only where the console can be switched to it."""
    modes: list[int] = []

    def set_mode(handle: int, mode: int) -> bool:
        assert handle == 7
        modes.append(mode)
        return True

    kernel = SimpleNamespace(
        GetStdHandle=lambda number: 7 if number == -11 else 0,
        GetConsoleMode=lambda handle, pointer: answers and bool(handle and pointer),
        SetConsoleMode=set_mode,
    )
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    assert look_of(Stream(terminal=True), {}).colour is answers
    assert modes == ([4] if answers else [])


def test_a_terminal_that_does_not_say_its_width_has_80(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal's width is asked of the system; no answer means 80."""
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((123, 40)))
    assert look_of(Stream(terminal=True), {}).width == 123
    monkeypatch.setattr("os.get_terminal_size", _no_answer)
    assert look_of(Stream(terminal=True), {}).width == 80


def _no_answer(_: int) -> os.terminal_size:
    raise OSError
