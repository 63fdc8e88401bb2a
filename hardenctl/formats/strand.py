"""Text taken out of a file piece by piece, where each character still knows its place there.

A shell command may stand in a folded YAML scalar, over several lines of a Dockerfile, or in a plain script. The shell
reader works on strands and need not know.
"""

from __future__ import annotations

from collections.abc import Sequence

from hardenctl.model.record import record
from hardenctl.model.text import Span


@record(eq=False)
class Strand:
    """`places[i]` is the file offset of `text[i]`; one more place says where the text ends."""

    path: str
    text: str
    places: Sequence[int]

    @classmethod
    def of(cls, path: str, text: str, start: int = 0, end: int | None = None) -> Strand:
        """A stretch of a file's text as it stands."""
        end = len(text) if end is None else end
        return cls(path, text[start:end], range(start, end + 1))

    def span(self, start: int, end: int) -> Span:
        """The span in the file of `text[start:end]`."""
        if end <= start:
            return Span(self.path, self.places[start], self.places[start])
        return Span(self.path, self.places[start], self.places[end - 1] + 1)

    def cut(self, start: int, end: int) -> Strand:
        """The strand of `text[start:end]`."""
        places = [*self.places[start:end], self.places[end - 1] + 1 if end > start else self.places[start]]
        return Strand(self.path, self.text[start:end], places)

    @property
    def whole(self) -> Span:
        """The span of all of it."""
        return self.span(0, len(self.text))
