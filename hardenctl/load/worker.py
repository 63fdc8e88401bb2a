"""A worker of a run that a master on another machine leads. What may be loaded from here is decided here."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardenctl import __version__
from hardenctl.load.generators import Generators, require_locust
from hardenctl.load.interrupts import Interrupts
from hardenctl.load.plan import GRACE, INTERVAL, check_environment
from hardenctl.load.target import allow_target
from hardenctl.load.verdict import INTERRUPTED
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.model.settings import LoadSettings

_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class WorkerWishes:
    """The options of a worker: its master's host and port, how many generators it runs, and what it may load."""

    address: tuple[str, int]
    processes: int = 1
    confirm_host: str | None = None
    locustfile: Path | None = None


def parse_address(text: str) -> tuple[str, int]:
    """`HOST:PORT` as a pair. Raises UsageError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        raise UsageError(f"`{text}` is no address", help="write it as 10.0.0.5:5557")
    return host.strip("[]"), int(port)


def serve(wishes: WorkerWishes, settings: LoadSettings, tell: Callable[[str], object]) -> int:
    """Work until the master has enough; the exit code. `tell` says what happens, in a line.

    Raises UsageError where the target may not be loaded from here, ToolError where the master is gone or never was.
    """
    require_locust()
    if wishes.locustfile is not None and not wishes.locustfile.is_file():
        raise UsageError(f"{wishes.locustfile} is no file", help="check --locustfile")
    file = str(wishes.locustfile.resolve()) if wishes.locustfile else None
    job = {
        "role": "worker",
        "address": list(wishes.address),
        "locustfile": file,
        "use_shape": False,
        "grace": GRACE,
        "interval": INTERVAL,
    }
    with Interrupts() as interrupts:
        generators = Generators([job] * wishes.processes)
        try:
            interrupts.running(generators.stop, generators.kill)
            tell(f"waiting for the master at {wishes.address[0]}:{wishes.address[1]}")
            return _attend(generators, wishes, settings, tell, interrupts)
        finally:
            generators.close()


def _attend(
    generators: Generators,
    wishes: WorkerWishes,
    settings: LoadSettings,
    tell: Callable[[str], object],
    interrupts: Interrupts,
) -> int:
    streams, finished = set(range(wishes.processes)), set()
    while streams:
        try:
            index, message = generators.messages.get(timeout=0.25)
        except queue.Empty:
            continue
        if message is None:
            streams.discard(index)
            if index not in finished and not interrupts.came:
                words = generators.last_words(index).splitlines()
                raise ToolError(
                    f"the worker ended: {words[-1][:200] if words else 'without a word'}",
                    help="start it again once the cause is gone; the master goes on without it",
                )
        elif message["kind"] == "job":
            _check(message, wishes, settings)
            tell(f"loading {message['host']}")
            generators.go(index)
        elif message["kind"] == "end":
            finished.add(index)
        elif message["kind"] == "abandoned":
            raise ToolError("the master is gone: stopped", help="start it again, and the workers after it")
    tell("done")
    return INTERRUPTED if interrupts.came else 0


def _check(message: dict[str, Any], wishes: WorkerWishes, settings: LoadSettings) -> None:
    """Whether a job may be done here. The master's word is not enough: anybody may be at the other end."""
    if message["version"] != __version__:
        raise UsageError(
            f"the master is hardenctl {message['version']}, and this is {__version__}", help="install the same version"
        )
    allow_target(str(message["host"]), confirmed=wishes.confirm_host, hosts=settings.hosts)
    check_environment(message["missing"], {})
    if bool(message["locustfile"]) != (wishes.locustfile is not None):
        raise UsageError(
            "the master runs a Locust file" if message["locustfile"] else "the master runs no Locust file",
            help="give each worker the same --locustfile as the master: code is never sent",
        )
