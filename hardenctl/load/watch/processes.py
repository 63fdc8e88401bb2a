"""The target's processes on this machine: a gunicorn master and its workers count together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from hardenctl.load.watch import Usage
from hardenctl.model.errors import ToolError, UsageError


class ProcessWatch:
    """Samples process trees. Needs psutil, which comes with locust. Memory is resident: shared pages count twice."""

    def __init__(self, pids: Sequence[int], about: str) -> None:
        import psutil  # type: ignore[import-untyped,unused-ignore]

        self.about = about
        self._ended = False
        self._errors: Any = psutil.Error
        try:
            self._roots = [psutil.Process(pid) for pid in pids]
            affinity = getattr(self._roots[0], "cpu_affinity", None)
            self.cpus = len(affinity()) if affinity else psutil.cpu_count() or 1
        except (psutil.Error, ValueError, OverflowError):
            raise UsageError(f"there is no process {pids[0]} to watch", help="check --target-pid") from None
        self._last: dict[tuple[int, float], float] = {}
        self._at = 0.0

    def sample(self) -> Usage:
        """The use since the last call; nothing for the first call, and for ever once a process has ended."""
        now = time.perf_counter()
        members: list[Any] = []
        try:
            for root in self._roots:
                if not root.is_running() or root.status() == "zombie":
                    return self._end()
                members += [root, *root.children(recursive=True)]
        except self._errors:
            return self._end()
        used: dict[tuple[int, float], float] = {}
        memory = 0
        for member in members:
            try:
                times = member.cpu_times()
                used[(member.pid, member.create_time())] = times.user + times.system
                memory += member.memory_info().rss
            except self._errors:  # a worker that was just replaced
                continue
        # a worker that is new since the last look has spent all its time since then
        spent = sum(seconds - self._last.get(key, 0.0) for key, seconds in used.items())
        elapsed = now - self._at
        first, self._last, self._at = not self._last, used, now
        return Usage(None if first or elapsed <= 0 else max(0.0, spent / elapsed / self.cpus), memory)

    def close(self) -> None:
        """Nothing was started."""

    @property
    def problem(self) -> str:
        """Says so once a process has ended."""
        return "the target's process ended" if self._ended else ""

    def _end(self) -> Usage:
        self._ended = True
        return Usage()


def listeners(port: int) -> list[int]:
    """The processes that listen on a TCP port, without those that have it from a parent. Raises UsageError, ToolError.

    A gunicorn worker inherits its master's socket, so it listens too; its master is what is meant.
    """
    import psutil

    try:
        found = [
            each
            for each in psutil.net_connections(kind="tcp")
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
        ]
    except psutil.Error:
        raise ToolError("this system does not let you see who listens on a port", help="use --target-pid") from None
    pids = {each.pid for each in found if each.pid is not None}
    if not pids:
        what = "another user's process listens" if found else "no process of this machine listens"
        raise UsageError(f"{what} on port {port}", help="check --target-port, or use --target-pid")
    return sorted({_highest(pid, port) for pid in pids})


def _highest(pid: int, port: int) -> int:
    """The highest of a process and its parents that has the port: psutil names one holder of a socket alone."""
    import psutil

    try:
        for parent in psutil.Process(pid).parents():
            if not any(each.laddr and each.laddr.port == port for each in parent.net_connections(kind="tcp")):
                break
            pid = parent.pid
    except psutil.Error:  # it ended just now, or is another user's
        pass
    return pid
