"""Masks secrets in text that is going to be shown: code frames, diffs, neighbouring lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BULLETS = "•" * 8


def mask(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """`text` with each span replaced by eight bullets, so that not even a value's length shows.

    Spans may overlap. Line breaks inside a span are kept, so that line numbers stay right.
    """
    masked, position = [], 0
    for start, end in merge(spans):
        masked.append(text[position:start])
        masked.append("\n".join(BULLETS if line.strip() else "" for line in text[start:end].split("\n")))
        position = end
    masked.append(text[position:])
    return "".join(masked)


def merge(spans: Iterable[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """The spans sorted, overlapping ones joined, empty ones dropped."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
