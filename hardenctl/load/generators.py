"""The generator processes: starting them, reading their streams, stopping them. None outlives its parent."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hardenctl.model.errors import ToolError

_MAIN = "import sys; sys.path.append(sys.argv[1]); from hardenctl.load.scenarios.generator import main; main()"
_ROOT = str(Path(__file__).parents[2])
_SECRET_NAME = re.compile(r"TOKEN|PASS|SECRET|KEY|CREDENTIAL", re.IGNORECASE)
MASTER = -1
_TAIL = 4000  # characters of a failed generator's last words


def require_locust() -> None:
    """Raise ToolError where Locust isn't installed; doesn't import it."""
    import importlib.util

    try:
        found = importlib.util.find_spec("locust")
    except (ImportError, ValueError):  # something keeps it from being imported
        found = None
    if found is None:
        raise ToolError("load tests need Locust, which is not installed", help="pip install 'hardenctl[load]'")


class Generators:
    """One process for each job. Their messages arrive at `messages` as (index, message); None ends a stream.

    A master's job brings messages of its workers too, each with the index of its worker; its own is `MASTER`.
    """

    def __init__(self, jobs: Sequence[Mapping[str, Any]], secrets: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, **(secrets or {}), "PYTHONUNBUFFERED": "1"}
        self.messages: queue.Queue[tuple[int, dict[str, Any] | None]] = queue.Queue()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._words = [tempfile.TemporaryFile() for _ in jobs]  # noqa: SIM115 - closed by `close`
        for index, job in enumerate(jobs):
            process = self._start(index)
            self._processes.append(process)
            self._tell(process, json.dumps(job).encode())
            number = MASTER if job.get("role") == "master" else index
            threading.Thread(target=self._read, args=(number, process), daemon=True).start()

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":  # no sessions there; a new group keeps Ctrl-C from the child
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        return subprocess.Popen(  # noqa: S603 - our own interpreter with our own module
            [sys.executable, "-P", "-c", _MAIN, _ROOT],  # -P: a locust.py in the current folder is none of ours
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words[index],
            env=self._environment,
            **group,
        )

    def go(self, index: int | None = None) -> None:
        """Let all begin, or one."""
        for process in self._processes if index is None else [self._processes[index]]:
            self._tell(process, b"go")

    def stop(self) -> None:
        """Ask all to stop and report."""
        for process in self._processes:
            self._tell(process, b"stop")

    def kill(self) -> None:
        """End all at once, with everything they started."""
        for process in self._processes:
            with contextlib.suppress(OSError):
                if sys.platform == "win32":
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Leave nothing behind."""
        self.kill()
        for process in self._processes:
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
        for words in self._words:
            words.close()

    def last_words(self, index: int) -> str:
        """The end of what a generator wrote to standard error, credentials of the environment masked."""
        words = self._words[index]
        words.seek(0, os.SEEK_END)
        words.seek(max(0, words.tell() - _TAIL))
        text = words.read().decode("utf-8", "replace")
        for name, value in self._environment.items():
            if _SECRET_NAME.search(name) and len(value) > 3:  # noqa: PLR2004 - shorter ones would mask words
                text = text.replace(value, "••••••••")
        return text.strip()

    def _tell(self, process: subprocess.Popen[bytes], line: bytes) -> None:
        with contextlib.suppress(OSError):  # it ended; its stream says so
            assert process.stdin is not None  # noqa: S101 - we asked for a pipe
            process.stdin.write(line + b"\n")
            process.stdin.flush()

    def _read(self, index: int, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 - we asked for a pipe
        with contextlib.suppress(OSError, ValueError):  # the pipe was closed under us
            for line in process.stdout:
                with contextlib.suppress(ValueError):
                    message = json.loads(line)
                    if isinstance(message, dict) and "kind" in message:
                        self.messages.put((message.get("worker", index), message))
        self.messages.put((index, None))
