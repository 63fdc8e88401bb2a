"""A measurement that takes its time: taken over and over in a thread, so that asking for the newest never waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hardenctl.load.watch import Usage

STALE = 10.0  # seconds after which a measurement says nothing about now


class Gone(LookupError):  # noqa: N818 - what it says of the target
    """The target is no longer there: what was measured before says nothing of the run."""


class Polled:
    """Calls `measure` every `every` seconds. It raises LookupError where it cannot tell, and Gone where it never will.

    A single failure is no problem: the next measurement may work. Many in a row are.
    """

    def __init__(self, about: str, measure: Callable[[], Usage], every: float) -> None:
        self.about = about
        self._measure = measure
        self._every = every
        self._newest = Usage()
        self._at = float("-inf")
        self._why = ""
        self._gone = False
        self._stopped = threading.Event()
        threading.Thread(target=self._poll, daemon=True).start()

    @property
    def problem(self) -> str:
        """Why there is nothing to see; empty while there is."""
        return self._why if self._gone or time.monotonic() - self._at > STALE else ""

    def sample(self) -> Usage:
        """The newest measurement, unless it is too old."""
        return self._newest if time.monotonic() - self._at <= STALE else Usage()

    def close(self) -> None:
        """Stop asking."""
        self._stopped.set()

    def _poll(self) -> None:
        while not self._stopped.is_set():
            try:
                self._newest = self._measure()
                self._at, self._why = time.monotonic(), ""
            except LookupError as error:
                self._why = str(error.args[0])
                if isinstance(error, Gone):
                    self._gone, self._at = True, float("-inf")
                    return
            self._stopped.wait(self._every)
