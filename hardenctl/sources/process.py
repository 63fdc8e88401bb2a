"""Starts a program on Linux with what the system has for it: question and complaints are files in memory.

So nobody has to read and write at the same time. `subprocess`, which can do far more, imports threads, selectors,
signals and locales: 3 ms of a hook run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

AVAILABLE = hasattr(os, "memfd_create") and hasattr(os, "posix_spawnp")
_KILL, _PIPE = 9, 13  # the numbers of signals, and not the module that names them


class Process:
    """A running program, with what `subprocess.Popen` calls these things. `complaints` are read once it has ended."""

    stdin = stderr = None

    def __init__(self, command: list[str], environment: Mapping[str, str], question: bytes, size: int) -> None:
        """Start it; `size` is that of the buffer in front of its output. Raises OSError."""
        self.returncode: int | None = None
        self._complaints = os.memfd_create("stderr")
        given = os.memfd_create("stdin")
        output, end = os.pipe()
        try:
            with open(given, "wb", closefd=False) as file:
                file.write(question)
            os.lseek(given, 0, os.SEEK_SET)
            actions = [(os.POSIX_SPAWN_DUP2, each, to) for to, each in enumerate((given, end, self._complaints))]
            self.pid = os.posix_spawnp(command[0], command, environment, file_actions=actions, setsigdef=[_PIPE])
        except OSError:
            os.close(output)
            os.close(self._complaints)
            raise
        finally:
            os.close(given)
            os.close(end)
        self.stdout = open(output, "rb", size)  # noqa: PTH123, SIM115 - as above; whoever ends the process closes it

    def kill(self) -> None:
        """End it, whatever it is doing."""
        if self.returncode is None:
            os.kill(self.pid, _KILL)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.lseek(self._complaints, 0, os.SEEK_SET)
            with open(self._complaints, "rb") as file:  # noqa: PTH123 - as above
                self.complaints = file.read()
        return self.returncode
