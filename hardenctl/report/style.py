"""How text reaches a terminal: colours, widths, wrapping, and control characters made visible.

Our own because importing rich costs 59 ms of CPU, more than a whole hook run.

The colours are of the 256-colour cube, where every terminal means the same shade, and each has a contrast of at least
3:1 on black and on white, so that one palette serves dark and light backgrounds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import TextIO

from hardenctl.model.finding import Severity
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import record

NARROWEST = 40
_DIGITS = 4  # of a width that somebody means
_WORDS = lazy_pattern(r"(?<!\S)\(?\d[\d.,]* (?:s|ms|kB|MB|bytes)\b\S*|\S+")
MEASURE = 100  # columns: longer lines of prose are hard to read, however wide the terminal is
COLOURS = {"red": 160, "orange": 166, "ochre": 136, "blue": 32, "green": 28, "grey": 243}
_SEVERITY = {
    Severity.CRITICAL: "red",
    Severity.HIGH: "orange",
    Severity.MEDIUM: "ochre",
    Severity.LOW: "blue",
    Severity.INFO: "grey",
}
_PLAIN = str.maketrans({"│": "|", "┃": ">", "─": "-", "·": ",", "•": "*", "…": "~", "━": "=", "┄": ".", "→": ">"})


@record
class Look:
    """How a text report is shown. `unicode` False is for streams that cannot write box characters."""

    width: int = 80
    colour: bool = False
    unicode: bool = True
    quiet: bool = False
    verbose: bool = False

    def paint(self, text: str, colour: str = "", *, bold: bool = False) -> str:
        """`text` in a colour of `COLOURS`; unchanged where there is no colour."""
        if not self.colour or not text:
            return text
        codes = (["1"] if bold else []) + ([f"38;5;{COLOURS[colour]}"] if colour else [])
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes else text

    def severity(self, severity: Severity, text: str) -> str:
        """`text` in the severity's colour."""
        return self.paint(text, _SEVERITY[severity], bold=severity >= Severity.HIGH)

    def dim(self, text: str) -> str:
        """What the eye may skip."""
        return self.paint(text, "grey")

    def final(self, text: str) -> str:
        """`text` as the stream can write it."""
        return text if self.unicode else text.translate(_PLAIN)


def look_of(
    stream: TextIO, environ: Mapping[str, str] | None = None, *, quiet: bool = False, verbose: bool = False
) -> Look:
    """The look for a stream: its width, and colour where a terminal or FORCE_COLOR wants it and NO_COLOR doesn't mind.

    Off a terminal the width is COLUMNS, else 80.
    """
    environ = os.environ if environ is None else environ
    terminal = stream.isatty()
    if environ.get("NO_COLOR"):
        colour = False
    elif environ.get("FORCE_COLOR"):
        colour = environ["FORCE_COLOR"] != "0"
    else:
        colour = terminal and environ.get("TERM") != "dumb" and _ansi_works()
    return Look(_width(environ, terminal=terminal), colour, _writes_unicode(stream), quiet, verbose)


def _width(environ: Mapping[str, str], *, terminal: bool) -> int:
    columns = environ.get("COLUMNS", "")
    said = int(columns) if columns.isdecimal() and len(columns) <= _DIGITS else 0
    return max(said or (_columns() if terminal else 80), NARROWEST)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns or 80
    except (OSError, ValueError):
        return 80


def _writes_unicode(stream: TextIO) -> bool:
    try:
        "│┃─·•…━┄→".encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _ansi_works() -> bool:
    """Whether the terminal reads ANSI sequences: always, but on Windows only once its console is told to."""
    if sys.platform != "win32":
        return True
    import ctypes

    kernel, mode = ctypes.windll.kernel32, ctypes.c_ulong()
    handle = kernel.GetStdHandle(-11)
    return bool(kernel.GetConsoleMode(handle, ctypes.byref(mode)) and kernel.SetConsoleMode(handle, mode.value | 4))


def visible(text: str) -> str:
    r"""`text` with everything that could steer a terminal or hide (escapes, bidi, zero-width) as `\x1b`, `\u202e`."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or character == "\u3000":
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def cells(text: str) -> int:
    """How many columns a terminal needs for printable text: wide East Asian characters two, combining ones none."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def clip(text: str, width: int) -> str:
    """`text` cut to so many columns, with an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    while text and cells(text) > width - 1:
        text = text[:-1]
    return text + "…"


def wrap(text: str, width: int) -> Iterator[str]:
    """`text` in lines of at most so many columns, broken at spaces, and inside a word only where it needs more.

    A number stays with its unit. A link is never broken: one that the terminal itself wraps can still be opened.
    """
    line = ""
    for match in _WORDS.finditer(text):
        word = match[0]
        if line and cells(line) + 1 + cells(word) > width:
            yield line
            line = ""
        while cells(word) > width and "://" not in word:
            piece = word
            while cells(piece) > width:
                piece = piece[: max(1, len(piece) - max(1, (cells(piece) - width) // 2))]
            yield piece
            word = word[len(piece) :]
        line = f"{line} {word}" if line and word else line or word
    if line:
        yield line
