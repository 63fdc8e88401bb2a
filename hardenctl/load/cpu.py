"""The target's CPU: a process and all its children, as a share of the CPUs they may use."""

from __future__ import annotations

import time
from typing import Any

from hardenctl.model.errors import UsageError


class CpuWatch:
    """Samples a process tree (a gunicorn master and its workers). Needs psutil, which comes with locust."""

    def __init__(self, pid: int) -> None:
        import psutil  # type: ignore[import-untyped,unused-ignore]

        self._errors: Any = psutil.Error
        try:
            self._process = psutil.Process(pid)
            affinity = getattr(self._process, "cpu_affinity", None)
            self.cpus = len(affinity()) if affinity else psutil.cpu_count() or 1
        except psutil.Error:
            raise UsageError(f"there is no process {pid} to watch", help="check --target-pid") from None
        self._last: dict[tuple[int, float], float] = {}
        self._at = 0.0
        self.gone = False

    def sample(self) -> float | None:
        """The share of 1 since the last call; None for the first call, and for ever once the process has ended."""
        now = time.perf_counter()
        try:
            if not self._process.is_running() or self._process.status() == "zombie":
                self.gone = True
                return None
            members = [self._process, *self._process.children(recursive=True)]
        except self._errors:
            self.gone = True
            return None
        used: dict[tuple[int, float], float] = {}
        for member in members:
            try:
                times = member.cpu_times()
                used[(member.pid, member.create_time())] = times.user + times.system
            except self._errors:  # a worker that was just replaced
                continue
        # a worker that is new since the last look has spent all its time since then
        spent = sum(seconds - self._last.get(key, 0.0) for key, seconds in used.items())
        elapsed = now - self._at
        first, self._last, self._at = not self._last, used, now
        return None if first or elapsed <= 0 else max(0.0, spent / elapsed / self.cpus)
