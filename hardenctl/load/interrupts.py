"""SIGINT and SIGTERM through all phases of a run: the first stops and reports, the second kills."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self


def _end() -> None:
    raise KeyboardInterrupt


class Interrupts:
    """Handles both signals while entered, also a SIGINT that a parent handed down as ignored.

    Until there is something to report, a signal ends the program. `running` names what stops and what kills. Before
    that is known and after it is over, `hold` notes the first signal, so that the report is written.
    """

    def __init__(self) -> None:
        self.came = False
        self._first: Callable[[], object] = _end
        self._second: Callable[[], object] = _end
        self._before: dict[int, Any] = {}

    def running(self, stop: Callable[[], object], kill: Callable[[], object]) -> None:
        """There is something to stop, and to kill."""
        self._first, self._second = stop, kill

    def hold(self) -> None:
        """Note the first signal in `came`; the second ends the program."""
        self._first, self._second = bool, _end

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        ask, self.came = (self._second if self.came else self._first), True
        ask()
