"""The load generator: reads a job from standard input, runs it with Locust, streams what happened as JSON lines.

Locust is a library here, in a process of its own: it monkey-patches sockets on import and cannot live beside the
terminal view. The stream goes to a duplicate of standard output, which itself then points at standard error, so that
nothing a user's Locust file prints can get between. Standard input brings the job, then `go`, then perhaps `stop`; its
end means that the parent is gone, and the whole process group with it.
"""

# mypy: disallow_untyped_calls=False
from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

import gevent
import gevent.event
import gevent.monkey
import locust
import locust.argument_parser
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from hardenctl.load.scenarios.arrivals import Arrivals
from hardenctl.load.scenarios.recorder import Recorder
from hardenctl.load.scenarios.users import make_users

_ORPHANED = 70
_BEAT = 0.02  # seconds between two looks at how late the event loop is
_LATE = 0.05


class Generator:
    """One job's run."""

    def __init__(self, job: dict[str, Any], out: int) -> None:
        self.job = job
        self.out = out
        self.recorder = Recorder()
        self.stop_asked = gevent.event.Event()
        self.go = gevent.event.Event()
        self.stage = 0
        self.started = 0.0
        self.beats = [0, 0, 0.0]
        self.arrivals: Arrivals | None = None
        self.reporter: Any = None
        self.environment: Any = None
        self.runner: Any = None

    def prepare(self) -> None:
        """Load what is to be run. It is the user's own code where there is a Locust file."""
        self.environment = self._environment()
        self.runner = self.environment.create_local_runner()
        self.listen_to_requests()

    def listen_to_requests(self) -> None:
        """Count what the users do."""
        watch_unfinished(self.recorder, self.job["grace"])
        if not self.job["locustfile"]:
            # Locust's own statistics cost a tenth of a request, and nobody reads them
            self.environment.events.request._handlers.clear()  # noqa: SLF001 - there is no other way
        self.environment.events.request.add_listener(self.recorder.on_request)

    def _environment(self) -> Environment:
        job = self.job
        if job["locustfile"]:
            classes, shapes = load_locustfile(job["locustfile"])
            parser = locust.argument_parser.get_parser(default_config_files=[])
            options = parser.parse_args(["--headless", "-f", job["locustfile"], "--host", job["host"]])
            environment = Environment(
                user_classes=list(classes.values()),
                shape_class=shapes[0] if shapes and job["use_shape"] else None,
                events=locust.events,
                host=job["host"],
                parsed_options=options,
                stop_timeout=job["grace"],
            )
            locust.events.init.fire(environment=environment, runner=None, web_ui=None)
        else:
            environment = Environment(user_classes=make_users(job), host=job["host"], stop_timeout=job["grace"])
        return environment

    def run(self) -> None:
        """Everything from `ready` to `end`."""
        self.prepare()
        self.say({"kind": "ready", "locust": locust.__version__, "shape": bool(self.environment.shape_class)})
        self.go.wait()
        self.begin()
        if self.environment.shape_class:
            self.drive_shape()
        else:
            self.drive()
        self.finish()

    def begin(self, elapsed: float = 0.0) -> None:
        """Start the clock, the reports and the watch over the event loop. `elapsed`: seconds the run is old already."""
        self.started = time.perf_counter() - elapsed
        self.recorder.measure_from = time.time() + self.job["warm_up"] - elapsed
        gevent.spawn(self.beat)
        self.reporter = gevent.spawn(self.report)

    def finish(self) -> None:
        """Stop the users and say the last."""
        measured = max(0.0, time.perf_counter() - self.started - self.job["warm_up"])
        if self.arrivals:
            self.arrivals.stop(self.job["grace"])
        self.stop_users()
        self.reporter.kill()
        self.tick()
        self.say({"kind": "end", "measured": measured, "stopped": self.stop_asked.is_set()})

    def stop_users(self) -> None:
        """End the users, and Locust with them."""
        self.runner.quit()

    def drive(self) -> None:
        """Lead the users through the stages."""
        ends = self.started
        for number, stage in enumerate(self.job["stages"]):
            self.stage = number
            ends += stage["seconds"]
            if stage["rate"] is not None:
                self.arrivals = self.arrivals or Arrivals(self.environment)
                self.arrivals.run(stage["rate"], stage["users"], ends, self.stop_asked)
            else:
                self.runner.start(stage["users"], spawn_rate=stage["spawn_rate"])
            self.stop_asked.wait(max(0.0, ends - time.perf_counter()))
            if self.stop_asked.is_set():
                return
            self.tick()

    def drive_shape(self) -> None:
        """Let the Locust file's own shape lead, up to the hard limit of time."""
        self.runner.start_shape()
        limit = time.perf_counter() + self.job["limit"]
        while not self.stop_asked.wait(0.1) and time.perf_counter() < limit:
            # at its end the shape's greenlet is killed by the very `quit` it calls, so it may be dead and not None
            if self.runner.shape_greenlet is None or self.runner.shape_greenlet.dead:
                return

    def report(self) -> None:
        """Send what came in, twice a second."""
        while True:
            gevent.sleep(self.job["interval"])
            self.tick()

    def beat(self) -> None:
        """Watch how late the event loop is: a generator that lags measures itself."""
        while True:
            before = time.perf_counter()
            gevent.sleep(_BEAT)
            late = time.perf_counter() - before - _BEAT
            if time.time() >= self.recorder.measure_from:
                self.beats[0] += late > _LATE
                self.beats[1] += 1
                self.beats[2] = max(self.beats[2], late)

    def tick(self) -> None:
        """Send one message."""
        late, beats, worst = self.beats
        self.beats = [0, 0, 0.0]
        warm, self.recorder.warm = self.recorder.warm, [0, 0]
        self.say(
            {
                "kind": "tick",
                "at": time.perf_counter() - self.started,
                "stage": self.stage,
                "users": self.arrivals.busy if self.arrivals else self.runner.user_count,
                "measuring": time.time() >= self.recorder.measure_from,
                "endpoints": self.recorder.take(),
                "warm": warm,
                "cpu_seconds": time.process_time(),
                "late": [late, beats, worst],
                "dropped": self.arrivals.take_dropped() if self.arrivals else 0,
            }
        )

    def say(self, message: dict[str, Any]) -> None:
        """Write one line; a parent that is gone ends the run."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self.out, data) :]
        except OSError:
            _vanish()

    def listen(self, rest: bytes) -> None:
        """Obey the parent, from a real thread: a Locust file that blocks the event loop cannot make an orphan."""
        loop = gevent.get_hub().loop
        go, stop = loop.async_(), loop.async_()
        go.start(self.go.set)
        stop.start(self.ask_to_stop)

        def read() -> None:
            buffer = rest
            while True:
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    if line.strip() in (b"go", b"stop"):
                        (go if line.strip() == b"go" else stop).send()
                data = os.read(0, 4096)
                if not data:
                    _vanish()
                buffer += data

        gevent.monkey.get_original("_thread", "start_new_thread")(read, ())

    def ask_to_stop(self) -> None:
        """Stop and report, in whatever phase."""
        self.stop_asked.set()
        self.go.set()


def watch_unfinished(recorder: Recorder, grace: float) -> None:
    """Count requests that a stopped user leaves without an answer; a target that hangs would look idle otherwise."""
    for session in (FastHttpSession, HttpSession):
        setattr(session, "request", _watched(session.request, recorder, grace))  # noqa: B010 - mypy sees a method


def _watched(original: Any, recorder: Recorder, grace: float) -> Any:
    def request(self: Any, method: str, url: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        started = time.time()
        try:
            return original(self, method, url, name, *args, **kwargs)
        except gevent.GreenletExit:
            recorder.unfinished(name or url, started, grace * 0.9)
            raise

    return request


def _vanish() -> None:
    """End at once, with everything that a Locust file may have started."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(_ORPHANED)


def main() -> None:
    """Run one job."""
    out = os.dup(1)
    os.dup2(2, 1)
    data = b""
    while b"\n" not in data:
        piece = os.read(0, 65536)
        if not piece:
            return
        data += piece
    line, rest = data.split(b"\n", 1)
    generator = _role(json.loads(line), out)
    for number in (signal.SIGINT, signal.SIGTERM):
        # a parent that was started in the background hands down SIGINT as ignored
        signal.signal(number, signal.SIG_DFL)
        gevent.signal_handler(number, generator.ask_to_stop)
    generator.listen(rest)
    generator.run()
    sys.stdout.flush()
    os._exit(0)


def _role(job: dict[str, Any], out: int) -> Generator:
    if "role" not in job:
        return Generator(job, out)
    from hardenctl.load.scenarios.distributed import MasterGenerator, WorkerGenerator

    return MasterGenerator(job, out) if job["role"] == "master" else WorkerGenerator(job, out)
