"""A run: starts the generators, adds up what they send, watches the target and the clock, stops them."""

from __future__ import annotations

import contextlib
import datetime as dt
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hardenctl.load.gates import GateResult, Outcome, judge_gate
from hardenctl.load.generators import MASTER, Generators, require_locust
from hardenctl.load.histogram import Histogram
from hardenctl.load.interrupts import Interrupts
from hardenctl.load.measure import Point, Window
from hardenctl.load.plan import GRACE, INTERVAL, Plan
from hardenctl.load.watch import Usage, Watch, open_watch
from hardenctl.model.errors import ToolError

_START_SECONDS = 60.0  # importing Locust takes 2 s on an idle machine
_WORKERS_SECONDS = 300.0  # machines that are still booting
_SILENCE_SECONDS = 30.0
_HOPELESS_SECONDS = 10.0
_HOPELESS_REQUESTS = 50
_ABORT_SECONDS = 3.0  # of measured time before an abort condition may speak
_BUSY = 0.9  # of one CPU: from here a generator delays what it measures


@dataclass(slots=True)
class GeneratorHealth:
    """How the generators fared in measured time. `cpu` are shares of one CPU each; `late` looks at a lagging loop."""

    cpu: list[float] = field(default_factory=list)
    late: int = 0
    beats: int = 0
    worst: float = 0.0
    dropped: int = 0

    @property
    def mean_cpu(self) -> float:
        """The mean share of a CPU that a generator process used."""
        return sum(self.cpu) / len(self.cpu) if self.cpu else 0.0

    @property
    def saturated(self) -> bool:
        """Whether it measured itself: busy, or late by 50 ms and more, in a fifth of the looks."""
        busy = sum(share >= _BUSY for share in self.cpu)
        return busy * 5 > len(self.cpu) or self.late * 5 > self.beats


@dataclass(slots=True)
class Worker:
    """A worker on another machine: its name, the second it joined at (0 from the start), and the one it was lost at."""

    name: str
    joined: float = 0.0
    lost: float | None = None


@dataclass(slots=True)
class Run:
    """What happened. `stages` are windows like `whole`, one for each stage that was reached."""

    plan: Plan
    started: dt.datetime
    whole: Window = field(default_factory=Window)
    stages: list[Window] = field(default_factory=list)
    timeline: list[Point] = field(default_factory=list)
    generator: GeneratorHealth = field(default_factory=GeneratorHealth)
    workers: dict[int, Worker] = field(default_factory=dict)
    warm_requests: int = 0
    locust: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    aborted: str = ""
    watched: str = ""  # what the target's CPU was read from
    watch_problem: str = ""


def run(plan: Plan, on_point: Callable[[Run, Point], None] | None = None, interrupts: Interrupts | None = None) -> Run:
    """Carry out a plan. `on_point` is called twice a second with the run so far and its newest point.

    The first SIGINT or SIGTERM stops and reports, the second kills; `interrupts` are entered by the caller. Raises
    ToolError where Locust is missing or a generator fails.
    """
    if interrupts is None:
        with Interrupts() as own:
            return run(plan, on_point, own)
    require_locust()
    watch = open_watch(plan.watched)
    interrupts.hold()
    generators = Generators(plan.jobs(), plan.secrets)
    try:
        session = _Session(plan, generators, watch, on_point)
        interrupts.running(session.interrupt, generators.kill)
        if interrupts.came:
            session.interrupt()
        return session.carry_out()
    finally:
        interrupts.hold()
        generators.close()
        if watch:
            watch.close()


class _Session:
    def __init__(
        self,
        plan: Plan,
        generators: Generators,
        watch: Watch | None,
        on_point: Callable[[Run, Point], None] | None,
    ) -> None:
        self.plan = plan
        self.generators = generators
        self.watch = watch
        self.on_point = on_point
        self.result = Run(plan, dt.datetime.now(tz=dt.UTC), Window(slices=plan.slices()))
        self.living = set(range(plan.generators))
        self.streams = {MASTER} if plan.master else set(self.living)
        self.finished: set[int] = set()
        self.measured: list[float] = []
        self.cpu: list[tuple[int, float]] = []
        self.users: dict[int, int] = {}
        self.last_cpu: dict[int, tuple[float, float]] = {}
        self.pending = Window()
        self.pending_warm = [0, 0]  # successes and failures of the warm-up, which only the timeline shows
        self.pending_from = 0.0
        self.hopeless_since = 0.0
        self.judged_stages = 0
        self.stop_by: float | None = None

    def carry_out(self) -> Run:
        self._wait_for_all()
        if not self.result.interrupted:
            self.generators.go()
            heard = time.monotonic()
            while self.streams:
                try:
                    index, message = self.generators.messages.get(timeout=0.25)
                except queue.Empty:
                    heard = self._mind_the_clock(heard)
                    continue
                heard = time.monotonic()
                self._take(index, message)
        return self._close()

    def interrupt(self) -> None:
        """Stop and report; called by a signal's handler."""
        self.result.interrupted = True
        self._stop()

    def _wait_for_all(self) -> None:
        """Until each generator is ready, so that they begin together."""
        ready: set[int] = set()
        wanted = self.plan.generators
        seconds = _WORKERS_SECONDS if self.plan.master else _START_SECONDS
        deadline = time.monotonic() + seconds
        while len(ready) < wanted and not self.result.interrupted:
            if time.monotonic() > deadline:
                raise ToolError(
                    f"{len(ready)} of {wanted} workers came within {seconds:.0f} s"
                    if self.plan.master
                    else f"the load generator did not start within {seconds:.0f} s",
                    help="can they reach this machine? start them with `load run --worker`"
                    if self.plan.master
                    else "the machine may be too busy: try again, or with fewer --processes",
                )
            with contextlib.suppress(queue.Empty):
                index, message = self.generators.messages.get(timeout=0.25)
                if message is None:
                    self._fail(index)
                elif message["kind"] == "ready":
                    ready.add(index)
                    self._welcome(index, message)
                elif message["kind"] == "lost":
                    ready.discard(index)
                    self.result.workers.pop(index, None)
        self.living = ready or self.living

    def _welcome(self, index: int, message: dict[str, Any]) -> None:
        self.result.locust = message["locust"]
        if self.plan.master:
            self.result.workers[index] = Worker(f"{index + 1} ({message['name']})", joined=message.get("at", 0.0))

    def _take(self, index: int, message: dict[str, Any] | None) -> None:
        if message is None:
            self.streams.discard(index)
            unfinished = (self.living if index == MASTER else {index}) - self.finished
            if unfinished and not self.result.interrupted:
                self._fail(index)
        elif message["kind"] == "ready":
            self.living.add(index)
            self._welcome(index, message)
        elif message["kind"] == "lost":
            self.living.discard(index)
            self.users.pop(index, None)
            self.result.workers[index].lost = message["at"]
        elif message["kind"] == "end":
            self.finished.add(index)
            self.measured.append(message["measured"])
        elif message["kind"] == "tick":
            self._add(index, message)

    def _fail(self, index: int) -> None:
        words = self.generators.last_words(index)
        lines = words.splitlines()
        raise ToolError(
            f"the load generator failed: {lines[-1][:200]}" if lines else "the load generator ended without a word",
            help="its last words:\n" + "\n".join(lines[-12:]) if len(lines) > 1 else "is the Locust file in order?",
        )

    def _add(self, index: int, message: dict[str, Any]) -> None:
        stage, at = message["stage"], message["at"]
        result = self.result
        while len(result.stages) <= stage:
            result.stages.append(Window())
        for window in (result.whole, result.stages[stage], self.pending):
            window.add(message["endpoints"])
        if result.whole.slices and (latency := result.whole.slices.latency_at(at - INTERVAL / 2)) is not None:
            for delta in message["endpoints"].values():
                latency.add((bucket, count) for bucket, count in delta["latency"])
        result.warm_requests += sum(message["warm"])
        self.pending_warm = [old + new for old, new in zip(self.pending_warm, message["warm"], strict=True)]
        self.users[index] = message["users"]
        result.seconds = max(result.seconds, at)
        health = result.generator
        before_at, before_cpu = self.last_cpu.get(index, (at, message["cpu_seconds"]))
        self.last_cpu[index] = (at, message["cpu_seconds"])
        late, beats, worst = message["late"]
        health.dropped += message["dropped"]
        if message["measuring"]:
            if at - before_at > INTERVAL / 5:
                health.cpu.append((message["cpu_seconds"] - before_cpu) / (at - before_at))
            health.late += late
            health.beats += beats
            health.worst = max(health.worst, worst)
        if index == min(self.living, default=index) and at - self.pending_from >= INTERVAL / 2:
            self._point(stage, at, measuring=message["measuring"])
            self._abort_if_hopeless(stage, at)

    def _point(self, stage: int, at: float, *, measuring: bool) -> None:
        elapsed = at - self.pending_from
        series = self.pending.overall
        succeeded, failed = series.ok + self.pending_warm[0], series.failed + self.pending_warm[1]
        usage = self.watch.sample() if self.watch else Usage()
        if usage.cpu is not None and measuring:
            self.cpu.append((stage, usage.cpu))
        if usage.memory is not None and self.result.whole.slices:
            self.result.whole.slices.remember(at, usage.memory)
        latency: Histogram = series.latency
        point = Point(
            at=round(at, 3),
            stage=stage,
            users=sum(self.users.values()),
            rps=succeeded / elapsed,
            failed=failed / elapsed,
            p50=latency.quantile(0.5),
            p95=latency.quantile(0.95),
            p99=latency.quantile(0.99),
            cpu=usage.cpu,
            memory=usage.memory,
            measured=measuring,
        )
        self.result.timeline.append(point)
        if series.ok or not series.failed:
            self.hopeless_since, self.hopeless_count = at, 0
        else:
            self.hopeless_count += series.failed
        self.pending, self.pending_warm, self.pending_from = Window(), [0, 0], at
        if self.on_point:
            self.on_point(self.result, point)

    hopeless_count = 0

    def _abort_if_hopeless(self, stage: int, at: float) -> None:
        """Stop where going on tells nothing: nothing but errors for a while, an abort condition, a stage that broke."""
        if self.result.aborted or self.stop_by is not None:
            return
        if at - self.hopeless_since >= _HOPELESS_SECONDS and self.hopeless_count >= _HOPELESS_REQUESTS:
            self._abort(f"nothing but errors for {_HOPELESS_SECONDS:.0f} s")
        elif self.plan.abort and at - self.plan.warm_up >= _ABORT_SECONDS and (gone := self._surely_missed()):
            self._abort(f"{gone.gate} was missed: {gone.reason}")
        elif self.plan.scenario.by_stage and stage > self.judged_stages:
            self._finish_stages()
            broken = self.result.stages[self.judged_stages]
            missed = [gate for gate in self.plan.gates if judge_gate(gate, broken).outcome is Outcome.FAIL]
            if missed:
                users = self.plan.scenario.stages[self.judged_stages].users
                self._abort(f"at {users} users {', '.join(map(str, missed))} no longer held")
            self.judged_stages = stage

    def _surely_missed(self) -> GateResult | None:
        judged = (judge_gate(gate, self.result.whole) for gate in self.plan.abort)
        return next((each for each in judged if each.outcome is Outcome.FAIL), None)

    def _abort(self, why: str) -> None:
        self.result.aborted = why
        self._stop()

    def _stop(self) -> None:
        self.stop_by = time.monotonic() + GRACE * 2 + 5
        self.generators.stop()

    def _mind_the_clock(self, heard: float) -> float:
        now = time.monotonic()
        if self.stop_by is not None and now > self.stop_by:
            self.generators.kill()
        elif now - heard > _SILENCE_SECONDS:
            raise ToolError(
                f"the load generator was silent for {_SILENCE_SECONDS:.0f} s",
                help="a Locust file must not block: gevent patches sockets and sleep, but no C code",
            )
        return heard

    def _finish_stages(self) -> None:
        """Give each stage its measured seconds and its CPU."""
        begins = 0.0
        for index, (stage, window) in enumerate(zip(self.plan.scenario.stages, self.result.stages, strict=False)):
            ends = min(begins + stage.seconds, self.result.seconds)
            window.seconds = max(0.0, ends - max(begins, self.plan.warm_up))
            samples = [share for of, share in self.cpu if of == index]
            window.cpu = sum(samples) / len(samples) if samples else None
            begins += stage.seconds

    def _close(self) -> Run:
        result = self.result
        self._finish_stages()
        result.whole.seconds = max(self.measured, default=max(0.0, result.seconds - self.plan.warm_up))
        if self.watch:
            result.watched, result.watch_problem = self.watch.about, self.watch.problem
            if not self.cpu and not result.watch_problem:
                result.watch_problem = "the run was too short for a reading"
        if self.cpu and not result.watch_problem:
            result.whole.cpu = sum(share for _, share in self.cpu) / len(self.cpu)
        return result
