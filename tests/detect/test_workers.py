"""The processes that look at parts of a source: they end with the one that started them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

_PARENT = """
import os, sys, time
from hardenctl.detect.workers import running

def work(number):
    os.write(1, f"{os.getpid()}\\n".encode())  # at once: both write to one pipe
    time.sleep(600)

if __name__ == "__main__":
    with running(work, [(1,), (2,)], 2) as results:
        list(results)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_they_end_with_a_parent_that_is_killed(number: signal.Signals) -> None:
    """What reads the parent's output would wait for them for ever: they hold its other end."""
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        try:
            workers = [int(parent.stdout.readline()) for _ in range(2)]
        finally:
            parent.send_signal(number)
        assert parent.stdout.read() == b""  # returns when the last of them is gone
    deadline = time.monotonic() + 30
    while any(map(_lives, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:  # one that nobody has waited for is dead all the same
        with open(f"/proc/{process}/stat", encoding="utf-8") as stat:  # noqa: PTH123 - as brief as can be
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
