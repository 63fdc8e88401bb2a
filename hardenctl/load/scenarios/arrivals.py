"""The open model: requests start at a rate, whatever the target does, so that a stall of it cannot hide."""

from __future__ import annotations

import time
from typing import Any

import gevent
from gevent.pool import Group


class Arrivals:
    """Starts one step of an idle user at each due time; an arrival that finds all users busy is dropped and counted."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.idle: list[Any] = []
        self.made = 0
        self.dropped = 0
        self.group = Group()

    @property
    def busy(self) -> int:
        """How many requests are under way."""
        return len(self.group)

    def take_dropped(self) -> int:
        """Arrivals dropped since the last call."""
        dropped, self.dropped = self.dropped, 0
        return dropped

    def run(self, rate: float, most: int, until: float, stop: Any) -> None:
        """Send arrivals evenly spaced until a time of `time.perf_counter`."""
        start = time.perf_counter()
        number = 0
        while not stop.is_set():
            due = start + number / rate
            if due >= until:
                return
            wait = due - time.perf_counter()
            if wait > 0:
                gevent.sleep(wait)
            number += 1
            user = self.idle.pop() if self.idle else self._make(most)
            if user is None:
                self.dropped += 1
            else:
                self.group.spawn(self._step, user, due)

    def stop(self, grace: float) -> None:
        """Wait for what is under way, then end it."""
        self.group.join(timeout=grace)
        self.group.kill()

    def _make(self, most: int) -> Any:
        if self.made >= most:
            return None
        self.made += 1
        user = self.environment.user_classes[0](self.environment)
        user._state = "running"  # noqa: SLF001 - it has no greenlet of Locust's that would say so
        return user

    def _step(self, user: Any, due: float) -> None:
        try:
            if not user.logged_in:
                user.on_start()
            else:
                # the wait in our own queue is the caller's wait too
                user.late = max(0.0, time.perf_counter() - due)
            user.step()
        finally:
            user.late = 0.0
            self.idle.append(user)
