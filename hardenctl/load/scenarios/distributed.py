"""Past one machine: a master and its workers over Locust's own distributed mode.

The master shares out users by Locust's dispatcher and arrivals by equal parts, and hands on what its workers say. Each
worker counts in its own histograms; they are added up, exactly, where the gates are. The channel is Locust's: neither
encrypted nor authenticated. So no credential goes over it, and a worker asks its own parent whether it may load what
the master names.
"""

# mypy: disallow_untyped_calls=False
from __future__ import annotations

import os
import secrets
import time
from typing import Any

import gevent
import gevent.event
import locust
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from hardenctl import __version__
from hardenctl.load.scenarios.arrivals import Arrivals
from hardenctl.load.scenarios.generator import Generator
from hardenctl.load.scenarios.recorder import Recorder
from hardenctl.load.scenarios.users import make_users

_OURS = "hardenctl"  # the type of our messages
_SAID = ("ready", "tick", "end")  # what a worker may say
_LOOK = 0.5  # seconds between two looks at who is still there
_ABANDONED = 6.0  # seconds without a word of the master after which a worker stops


class _Master(MasterRunner):
    """Hears our messages, and lets the other workers take over the users of one that was lost."""

    environment: Any

    def handle_message(self, client_id: str, msg: Any) -> None:
        if msg.type == _OURS:
            self.environment.hardenctl.hear(client_id, msg.data)
        else:
            super().handle_message(client_id, msg)

    def rebalancing_enabled(self) -> bool:
        return True


class _Worker(WorkerRunner):
    """Hears our messages in their order among Locust's: the job before the first users."""

    environment: Any

    def handle_message(self, msg: Any) -> None:
        if msg.type == _OURS:
            self.environment.hardenctl.hear(msg.data)
        else:
            super().handle_message(msg)


class MasterGenerator(Generator):
    """Leads workers. Workers are known by numbers in the order they came."""

    def __init__(self, job: dict[str, Any], out: int) -> None:
        super().__init__(job, out)
        self.numbers: dict[str, int] = {}
        self.ready: set[str] = set()
        self.ended: set[str] = set()
        self.lost: set[str] = set()
        self.spawner: Any = None

    @property
    def working(self) -> set[str]:
        """The workers that are there."""
        return self.ready - self.lost

    def prepare(self) -> None:
        """Listen for workers."""
        self.environment = self._environment()
        self.environment.hardenctl = self
        self.environment.events.worker_connect.add_listener(self.welcome)
        host, port = self.job["address"]
        self.runner = self.environment._create_runner(_Master, host, port)  # noqa: SLF001 - with a class of our own

    def run(self) -> None:
        """Everything; what there is to say comes from the workers."""
        self.prepare()
        gevent.spawn(self.watch)
        self.go.wait()
        self.started = time.perf_counter()
        self.tell_all({"kind": "go"})
        if self.environment.shape_class:
            self.drive_shape()
        else:
            self.drive()
        self.finish()

    def drive(self) -> None:
        """Lead the workers through the stages."""
        ends = self.started
        for number, stage in enumerate(self.job["stages"]):
            self.stage = number
            ends += stage["seconds"]
            self.tell_all({"kind": "stage", **self.share_of(stage, ends)})
            if stage["rate"] is None:
                if self.spawner:
                    self.spawner.kill()
                self.spawner = gevent.spawn(self.runner.start, stage["users"], stage["spawn_rate"])
            while (left := ends - time.perf_counter()) > 0 and self.working:
                if self.stop_asked.wait(min(left, _LOOK)):
                    return

    def share_of(self, stage: dict[str, Any], ends: float) -> dict[str, Any]:
        """What each worker does of a stage of the open model; users are Locust's to share out."""
        workers = max(1, len(self.working))
        rate = None if stage["rate"] is None else stage["rate"] / workers
        users = -(-stage["users"] // workers)
        return {"number": self.stage, "rate": rate, "users": users, "seconds": ends - time.perf_counter()}

    def finish(self) -> None:
        """Let the workers finish and say their last."""
        if self.spawner:
            self.spawner.kill()
        self.tell_all({"kind": "halt"})
        deadline = time.perf_counter() + 2 * self.job["grace"] + 5
        while self.working - self.ended and time.perf_counter() < deadline:
            gevent.sleep(_LOOK / 5)
        self.runner.quit()

    def welcome(self, client_id: str, **_: Any) -> None:
        """Tell a worker that came what the job is. Locust calls it before it thinks of giving the worker users."""
        if client_id in self.numbers:
            return
        self.numbers[client_id] = len(self.numbers)
        job = {key: value for key, value in self.job.items() if key not in {"role", "address", "locustfile"}}
        elapsed = time.perf_counter() - self.started if self.started else None
        self.tell(
            client_id,
            {
                "kind": "job",
                "job": {**job, "locustfile": bool(self.job["locustfile"])},
                "elapsed": elapsed,
                "stage": self.stage,
                "version": __version__,
            },
        )

    def hear(self, client_id: str, message: Any) -> None:
        """Hand on what a worker says."""
        number = self.numbers.get(client_id)
        if number is None or client_id in self.lost:
            return  # one that was lost and comes back: what it had not told by then is missing all the same
        if not isinstance(message, dict) or message.get("kind") not in _SAID:
            return  # whoever this is, it is none of our workers
        if message["kind"] == "ready":
            self.ready.add(client_id)
            at = time.perf_counter() - self.started if self.started else 0.0
            message = {**message, "at": at}
        elif message["kind"] == "end":
            self.ended.add(client_id)
            self.tell(client_id, {"kind": "bye"})
        self.say({**message, "worker": number})

    def watch(self) -> None:
        """See who is gone: no heartbeat for seconds, or said so."""
        while True:
            gevent.sleep(_LOOK)
            for client_id in self.working - self.ended:
                node = self.runner.clients.get(client_id)
                if node is None or node.state == "missing":
                    self.lost.add(client_id)
                    at = time.perf_counter() - self.started if self.started else 0.0
                    self.say({"kind": "lost", "worker": self.numbers[client_id], "at": at})

    def tell(self, client_id: str, message: dict[str, Any]) -> None:
        """Say something to one worker."""
        self.runner.send_message(_OURS, message, client_id=client_id)

    def tell_all(self, message: dict[str, Any]) -> None:
        """Say something to all that are there."""
        for client_id in self.working:
            self.tell(client_id, message)


class WorkerGenerator(Generator):
    """Does its share of a master's run."""

    def __init__(self, job: dict[str, Any], out: int) -> None:
        super().__init__({**job, "host": ""}, out)
        self.own_file = job["locustfile"]
        self.over = gevent.event.Event()
        self.connected = False

    def prepare(self) -> None:
        """Connect. What to do comes from the master."""
        self.environment = self._environment()
        self.environment.hardenctl = self
        host, port = self.job["address"]
        self.runner = self.environment._create_runner(_Worker, host, port)  # noqa: SLF001 - with a class of our own
        self.connected = True

    def _environment(self) -> Any:
        return super()._environment() if self.own_file else Environment(user_classes=[])

    def run(self) -> None:
        """Until the master says goodbye, or is gone."""
        gevent.spawn(self.leave_when_asked)
        self.prepare()
        while not self.over.wait(_LOOK):
            heard = self.runner.last_heartbeat_timestamp
            if self.started and heard and time.time() - heard > _ABANDONED:
                super().say({"kind": "abandoned"})
                return
        super().say({"kind": "end"})

    def leave_when_asked(self) -> None:
        """The user's Ctrl-C here: say the last, and tell the master."""
        self.stop_asked.wait()
        if self.started:
            self.finish()
        if self.connected:
            self.environment.events.quitting.fire(environment=self.environment)
            gevent.sleep(_LOOK)
        os._exit(0)

    def hear(self, message: dict[str, Any]) -> None:
        """Obey the master."""
        kind = message["kind"]
        if kind == "job":
            self.adopt(message)
        elif kind == "go":
            self.begin()
        elif kind == "stage":
            self.enter(message)
        elif kind == "halt":
            gevent.spawn(self.finish)
        elif kind == "bye":
            self.over.set()

    def adopt(self, message: dict[str, Any]) -> None:
        """Take a job, once the parent has said that its target may be loaded from here."""
        job = message["job"]
        missing = [name for name in job["needs"] if not os.environ.get(name)]
        super().say(
            {
                "kind": "job",
                "host": job["host"],
                "missing": missing,
                "locustfile": job["locustfile"],
                "version": message["version"],
            }
        )
        self.go.wait()
        if self.stop_asked.is_set():
            return
        for name in job["made_up"]:  # accounts are made up by their users, so each worker has a password of its own
            os.environ[name] = secrets.token_urlsafe(18) + "aA1!"
        self.job = {**job, "locustfile": self.own_file}
        self.recorder = Recorder()
        self.environment.host = job["host"]
        self.environment.stop_timeout = job["grace"]
        if not self.own_file:
            self.environment.user_classes = make_users(job)
        self.listen_to_requests()
        self.stage = message["stage"]
        name = self.runner.client_id.rpartition("_")[0]
        self.say({"kind": "ready", "locust": locust.__version__, "name": name})
        if message["elapsed"] is not None:
            self.begin(message["elapsed"])

    def begin(self, elapsed: float = 0.0) -> None:
        """Start, and tell the parent too."""
        super().begin(elapsed)
        super().say({"kind": "begun"})

    def stop_users(self) -> None:
        """End the users; Locust stays, so that the master can say goodbye."""
        self.runner.stop()

    def enter(self, message: dict[str, Any]) -> None:
        """A stage. Its arrivals are this worker's own; its users come from Locust's dispatcher."""
        if self.started:
            self.tick()
        self.stage = message["number"]
        if message["rate"] is not None:
            self.arrivals = self.arrivals or Arrivals(self.environment)
            until = time.perf_counter() + message["seconds"]
            gevent.spawn(self.arrivals.run, message["rate"], message["users"], until, self.stop_asked)

    def say(self, message: dict[str, Any]) -> None:
        """Tell the master."""
        self.runner.send_message(_OURS, message)
