"""A line on the terminal while a long audit runs. Never in a pipe, never for short work."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hardenctl.model.blob import Blob
from hardenctl.report.style import clip, visible

PATIENCE = 0.5  # seconds before anything is shown; rich, which draws it, is only imported then
EVERY = 0.1  # seconds between two updates


@contextmanager
def progress(*, wanted: bool = True) -> Iterator[Callable[[Blob], None] | None]:
    """Give a function to call with each blob; it shows how far the work is once that takes a while."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    line = _Line()
    try:
        yield line.advance
    finally:
        line.stop()


class _Line:
    def __init__(self) -> None:
        self.count = 0
        self.due = time.monotonic() + PATIENCE
        self.status: Any = None

    def advance(self, blob: Blob) -> None:
        self.count += 1
        now = time.monotonic()
        if now < self.due:
            return
        self.due = now + EVERY
        from rich.console import Console
        from rich.text import Text

        text = Text(f"{self.count:,} files  {clip(visible(blob.path), 60)}", style="dim")
        if self.status is None:
            self.status = Console(stderr=True).status(text, spinner="dots")
            self.status.start()
        else:
            self.status.update(text)

    def stop(self) -> None:
        if self.status is not None:
            self.status.stop()
