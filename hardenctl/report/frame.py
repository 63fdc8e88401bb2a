"""The code frame of a finding: its lines, already masked, with numbers and a caret."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.model.finding import FrameLine, Severity
from hardenctl.report.style import Look, cells, clip, visible

INDENT = "    "


def frame(lines: tuple[FrameLine, ...], severity: Severity, look: Look, *, end: int = 0) -> Iterator[str]:
    """The frame's lines as a terminal shows them.

    A finding of one line gets a caret line under it; one of several is marked along the gutter, where carets under
    each line would be louder than the code. `end` is its last line, which a long one's frame doesn't reach.
    """
    if not any(line.text.strip() for line in lines):
        return
    digits = len(str(lines[-1].number))
    room = look.width - len(INDENT) - digits - 3
    hit = [line for line in lines if line.caret]
    for line in _without_blank_edges(lines):
        text, left, right = _crop(line, room)
        bar = look.severity(severity, "┃") if line.caret else look.dim("│")
        number = f"{line.number:>{digits}}"
        yield f"{INDENT}{number if line.caret else look.dim(number)} {bar} {text}".rstrip()
        if line.caret and len(hit) == 1:
            carets = look.severity(severity, "^" * max(1, right - left))
            yield f"{INDENT}{' ' * digits} {look.dim('│')} {' ' * left}{carets}"
    if lines[-1].number < end:
        yield f"{INDENT}{' ' * digits} {look.severity(severity, '┃')} {look.dim('…')}"


def _without_blank_edges(lines: tuple[FrameLine, ...]) -> tuple[FrameLine, ...]:
    """Context that is only white space says nothing at the top and bottom."""
    shown = [index for index, line in enumerate(lines) if line.caret or line.text.strip()]
    return lines[shown[0] : shown[-1] + 1]


def _crop(line: FrameLine, room: int) -> tuple[str, int, int]:
    """The line in at most `room` columns around its caret, and the caret as columns of what is shown."""
    start, end = line.caret or (0, 0)
    before, marked, after = (visible(part) for part in (line.text[:start], line.text[start:end], line.text[end:]))
    if line.caret and not marked:
        marked = " "  # a caret behind the last character needs a column too
    keep = max(room - cells(marked) - 2, room // 3)  # columns for what stands before the caret
    cut = ""
    while before and cells(before) + len(cut) > keep and cells(before + marked + after) + len(cut) > room:
        before, cut = before[1:], "…"
    shown = clip(cut + before + marked + after, room)
    left = cells(cut + before)
    return shown, left, min(left + cells(marked), room)
