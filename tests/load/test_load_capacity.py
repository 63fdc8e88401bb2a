"""The search for the highest rate: its arithmetic with simulated targets, then real runs against a known limit."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.cli.load_capacity import summary
from hardenctl.load.capacity import Capacity, Holds, Limits, Probe, needed_requests, plan_at, search, searchable
from hardenctl.load.capacity_document import WRITERS, json_schema, to_document
from hardenctl.load.gates import Outcome, parse_gate
from hardenctl.load.plan import plan
from hardenctl.load.scenario import Endpoint, Scenario, Stage
from hardenctl.load.target import LoadTarget
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.model.settings import LoadSettings
from hardenctl.report.style import Look

TARGET = LoadTarget("http://127.0.0.1:8000", "127.0.0.1", ("127.0.0.1",))


class Simulated:
    """A target that holds up to `capacity`, and a clock that only its probes and pauses move."""

    def __init__(self, capacity: float, *, generator: float = 1e9, blurred: float = 0.0, hiccups: float = 0.0) -> None:
        self.capacity, self.generator, self.blurred, self.hiccups = capacity, generator, blurred, hiccups
        self.now = 0.0
        self.chance = random.Random(7)  # noqa: S311 - a simulation
        self.dies_at = 1e9

    def probe(self, rate: float, seconds: float) -> Probe:
        """One probe."""
        self.now += seconds + 5
        if rate >= self.dies_at:
            self.dies_at = 0.0
            return Probe(rate, seconds, Holds.MISSED, "connection refused", answered=False)
        if rate > self.generator:
            return Probe(rate, seconds, Holds.LIMITED, "saturated")
        if abs(rate / self.capacity - 1) < self.blurred:
            return Probe(rate, seconds, Holds.OPEN, "too close")
        missed = rate > self.capacity or self.chance.random() < self.hiccups
        return Probe(rate, seconds, Holds.MISSED if missed else Holds.HELD)

    def search(self, needed: int = 59, **changes: Any) -> Capacity:
        """Search it."""
        wishes = {"lowest": 1.0, "highest": 10_000.0, "tolerance": 0.1, "probe": 15.0, "warm_up": 5.0, "longest": 1e9}
        limits = Limits(**{**wishes, **changes})
        return search(limits, needed, self.probe, clock=lambda: self.now, rest=lambda _: None)


@settings(deadline=None, max_examples=300)
@given(
    capacity=st.floats(1.5, 9000),
    tolerance=st.sampled_from([0.01, 0.05, 0.1, 0.3]),
    needed=st.integers(1, 5000),
    hiccups=st.sampled_from([0.0, 0.02]),
)
def test_a_limit_is_found(capacity: float, tolerance: float, needed: int, hiccups: float) -> None:
    """The limit lies between the two rates, as close as was asked, and 25 rates at most are tried."""
    target = Simulated(capacity, hiccups=hiccups)
    found = target.search(needed, tolerance=tolerance)
    if hiccups and found.verdict is not Outcome.PASS:
        return  # two hiccups of the same rate: rare, and never a wrong pass
    assert found.verdict is Outcome.PASS, found.said
    assert found.held is not None
    assert found.missed is not None
    assert found.held <= capacity
    if not hiccups:
        assert capacity < found.missed
    assert found.missed - found.held <= max(tolerance * found.missed, 0.011 * found.missed)
    assert len(found.settled) <= 25


@pytest.mark.parametrize(
    ("target", "changes", "verdict", "held", "missed", "words"),
    [
        pytest.param(Simulated(0.5), {}, Outcome.FAIL, None, 1, "below 1/s", id="below-the-lowest-rate"),
        pytest.param(Simulated(90, generator=100), {"start": 200}, Outcome.PASS, 86, 93.9, "between", id="limit-first"),
        pytest.param(
            Simulated(1e9, generator=300),
            {},
            Outcome.INCONCLUSIVE,
            300,
            None,
            "the generator is the limit",
            id="generator",
        ),
        pytest.param(
            Simulated(1e9), {"highest": 500}, Outcome.PASS, 500, None, "at least 500/s", id="the-highest-holds"
        ),
        pytest.param(Simulated(100), {"longest": 60}, Outcome.INCONCLUSIVE, None, None, "allowed", id="out-of-time"),
        pytest.param(Simulated(100, blurred=0.2), {}, Outcome.INCONCLUSIVE, 80, None, "is open", id="too-close-to-say"),
        pytest.param(
            Simulated(100, blurred=9), {"longest": 3000}, Outcome.INCONCLUSIVE, None, None, "", id="nothing-can-be-said"
        ),
    ],
)
def test_what_a_search_comes_to(
    *,
    target: Simulated,
    changes: dict[str, Any],
    verdict: Outcome,
    held: float | None,
    missed: float | None,
    words: str,
) -> None:
    """A lower bound is only ever called one, with what was in the way."""
    found = target.search(needed=1500, **changes)
    assert found.verdict is verdict, found.said
    assert words in found.said
    if held is None:
        assert found.held is None or "allowed" in found.said
    else:
        assert found.held == pytest.approx(held, rel=0.12)
    if missed is not None:
        assert found.missed == pytest.approx(missed, rel=0.12)


def test_a_dead_target_is_no_capacity() -> None:
    """It is asked once more, slowly."""
    target = Simulated(100)
    target.dies_at = 0.0
    found = target.search()
    assert (found.verdict, [each.only_asked for each in found.probes]) == (Outcome.FAIL, [False, True])
    assert "does not answer" in found.said


def test_a_target_that_dies_is_not_a_limit() -> None:
    """What killed it is named, and what it held before."""
    target = Simulated(1000)
    target.dies_at = 200
    found = target.search(start=50)
    assert found.verdict is Outcome.FAIL
    assert "the target does no longer answer, neither 200 requests a second nor one" in found.said
    assert found.held == 100


def test_a_target_that_is_only_swamped() -> None:
    """Nothing but late answers at the first rate is no death: slower, it answers."""
    target = Simulated(20)
    probe = target.probe

    def swamped(rate: float, seconds: float) -> Probe:
        made = probe(rate, seconds)
        return Probe(rate, seconds, Holds.MISSED, "late", answered=False) if rate > 60 else made

    target.probe = swamped  # type: ignore[method-assign]
    found = target.search(start=240)
    assert (found.verdict, found.probes[1].rate, found.probes[1].only_asked) == (Outcome.PASS, 1, True)
    assert found.held == pytest.approx(20, rel=0.1)


def test_a_target_that_does_not_recover() -> None:
    """What held and no longer does is no capacity."""
    target = Simulated(100)
    probe = target.probe

    def wearing(rate: float, seconds: float) -> Probe:
        made = probe(rate, seconds)
        if made.holds is Holds.MISSED:
            target.capacity = min(target.capacity, 60)
        return made

    target.probe = wearing  # type: ignore[method-assign]
    found = target.search(start=80)
    assert found.verdict is Outcome.INCONCLUSIVE
    assert "did not recover" in found.said or "no rate holds any more" in found.said


def test_the_interrupt_of_a_search() -> None:
    """What is known is kept."""
    target = Simulated(1000)
    probe = target.probe

    def once(rate: float, seconds: float) -> Probe:
        return probe(rate, seconds) if rate < 100 else Probe(rate, 1, Holds.OPEN, interrupted=True)

    target.probe = once  # type: ignore[method-assign]
    found = target.search(start=60)
    assert (found.interrupted, found.held, found.missed) == (True, 60, None)
    assert "at least 60/s" in found.said


def test_a_generator_that_fails_midway() -> None:
    """What is known by then is kept beside the error; without a probe there is only the error."""
    target = Simulated(1000)
    probe = target.probe

    def failing(rate: float, seconds: float) -> Probe:
        if rate > 100:
            raise ToolError("it did not start", help="try again")
        return probe(rate, seconds)

    target.probe = failing  # type: ignore[method-assign]
    found = target.search(start=60)
    assert (found.verdict, found.held, found.error is None) == (Outcome.INCONCLUSIVE, 60, False)
    assert found.said == "at least 60/s: it did not start"
    with pytest.raises(ToolError):
        target.search(start=200)


@pytest.mark.parametrize(
    ("gates", "needed"),
    [
        pytest.param(("p95<300ms",), 59, id="a-percentile"),
        pytest.param(("p95<300ms", "error_rate<0.1%"), 2995, id="an-error-rate"),
        pytest.param(("p95{a}<1s",), 236, id="an-endpoint-that-is-asked-every-fourth-time"),
        pytest.param(("cpu<70%",), 1, id="no-sample"),
    ],
)
def test_how_long_a_probe_must_be(gates: tuple[str, ...], needed: int) -> None:
    """Long enough that a clean run can pass."""
    endpoints = (Endpoint("a", weight=1), Endpoint("b", weight=3))
    assert needed_requests(tuple(map(parse_gate, gates)), endpoints) == needed


def test_the_plan_of_a_probe() -> None:
    """One stage at its rate, room for what is under way, no request-rate gate, and an end for what is hopeless."""
    scenario = Scenario("x", "", (Stage(10, 10_000, rate=1),), targets=("p95<2s", "error_rate<1%"))
    made = plan_at(searchable(plan(scenario, TARGET, LoadSettings())), 100, 15, 5)
    (stage,) = made.scenario.stages
    assert (stage.seconds, stage.rate, stage.users, made.warm_up) == (20, 100, 400, 5)
    assert [str(gate) for gate in made.abort] == ["p95<6,000ms", "error_rate<10%"]
    with pytest.raises(UsageError, match="says nothing of a short probe"):
        searchable(plan(scenario, TARGET, LoadSettings(), gates=("rps>=5",)))


def test_reports_of_a_search() -> None:
    """JSON as its schema says; the others say the same."""
    limits = Limits(1, 10_000, 0.1, 15, 5, 600)
    found = Simulated(130).search()
    found.probes.append(Probe(300, 2, Holds.OPEN, "<b>|", interrupted=True))
    import datetime as dt

    base = plan(Scenario("x", "", (Stage(10, 10, rate=1),)), TARGET, LoadSettings(), gates=("p95<300ms",))
    document = json.loads(json.dumps(to_document(found, base, limits, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))))
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(document, json_schema())
    assert set(document) == set(json_schema()["properties"])
    assert f"| {found.held:g} | held |" in WRITERS["markdown"](document)
    assert "&lt;b>\\|" in WRITERS["markdown"](document)
    assert 'failures="0" errors="0"' in WRITERS["junit"](document)
    text = summary(document, Look(colour=False, unicode=True, width=100))
    assert found.said in text
    assert "interrupted" in text


class Limited:
    """A server that works on so many requests at once, each for a fixed time: its capacity is known."""

    def __init__(self, at_once: int, seconds: float) -> None:
        self.at_once, self.seconds = at_once, seconds
        self.url = ""
        self.hits = 0
        self.loop = asyncio.new_event_loop()
        self.server: asyncio.Server | None = None
        ready = threading.Event()
        self.thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)

    def _serve(self, ready: threading.Event) -> None:
        async def begin() -> None:
            gate = asyncio.Semaphore(self.at_once)

            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    while True:
                        await reader.readuntil(b"\r\n\r\n")
                        self.hits += 1
                        async with gate:
                            await asyncio.sleep(self.seconds)
                        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    pass
                finally:
                    writer.close()

            self.server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000)
            self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

        self.loop.run_until_complete(begin())
        ready.set()
        self.loop.run_forever()

    def close(self) -> None:
        """Stop listening and answering."""

        async def end() -> None:
            assert self.server
            self.server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def limited() -> Iterator[Callable[[int, float], Limited]]:
    """Servers of known capacity."""
    made: list[Limited] = []

    def make(at_once: int, seconds: float) -> Limited:
        made.append(Limited(at_once, seconds))
        return made[-1]

    yield make
    for each in made:
        each.close()


SHORT = ("--probe-time", "4s", "--warm-up", "1s", "--gate", "p95<400ms", "--gate", "error_rate<5%", "--no-progress")


def capacity(folder: Path, url: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """`hardenctl load capacity` in this process: exit code and document."""
    from hardenctl.cli.app import run

    file, output = folder / "ok.yaml", folder / "capacity.json"
    file.write_text("endpoints: [{path: /ok}]\ntimeout: 10s\n", encoding="utf-8")
    command = ["load", "capacity", "--host", url, "--file", str(file), *SHORT, "--output", f"json={output}"]
    code = run([*command, *arguments])
    return code, json.loads(output.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_real_limit_is_found(limited: Callable[[int, float], Limited], tmp_path: Path) -> None:
    """Four at once, 40 ms each, are 100 a second at most: less what the sleeps overrun, and within the tolerance."""
    code, document = capacity(tmp_path, limited(4, 0.04).url, "--start", "70", "--tolerance", "30%")
    assert code == 0, document
    assert 60 <= document["held_rate"] <= 108
    assert document["held_rate"] < document["missed_rate"] <= 160
    assert document["missed_rate"] - document["held_rate"] <= 0.3 * document["missed_rate"]


@pytest.mark.slow
def test_a_limit_below_the_lowest_rate(limited: Callable[[int, float], Limited], tmp_path: Path) -> None:
    """It is failed, with no rate that held, and the hopeless probes end early."""
    code, document = capacity(tmp_path, limited(1, 0.05).url, "--lowest", "50", "--start", "60")
    assert code == 1
    assert document["held_rate"] is None
    assert "below 50/s" in document["said"]


@pytest.mark.slow
def test_a_real_dead_target(tmp_path: Path) -> None:
    """Nobody listens: failed after one probe and a question."""
    code, document = capacity(tmp_path, "http://127.0.0.1:9")
    assert code == 1
    assert [probe["only_asked"] for probe in document["probes"]] == [False, True]
    assert "connection refused" in document["said"]


@pytest.mark.slow
def test_too_few_users_are_the_generator_s_limit(limited: Callable[[int, float], Limited], tmp_path: Path) -> None:
    """A generator with two users on answers of 40 ms makes 50 a second: at least that, and no word of the target."""
    url = limited(1000, 0.04).url
    code, document = capacity(tmp_path, url, "--users", "2", "--start", "15", "--tolerance", "50%")
    assert code == 3
    assert document["missed_rate"] is None
    assert 0 < document["held_rate"] < 52
    assert "the generator is the limit" in document["said"]
    assert document["ceiling"]["holds"] == "generator limited"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_search(limited: Callable[[int, float], Limited], tmp_path: Path, number: int) -> None:
    """Exit 130, the report written, no process left."""
    server = limited(100, 0.01)
    (tmp_path / "ok.yaml").write_text("endpoints: [{path: /ok}]\n", encoding="utf-8")
    command = [sys.executable, "-m", "hardenctl", "load", "capacity", "--host", server.url, "--file", "ok.yaml", *SHORT]
    process = subprocess.Popen(
        [*command, "--start", "50", "--output", "json=capacity.json"], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while server.hits < 100:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    assert process.wait(timeout=30) == 130
    assert not psutil.wait_procs(children, timeout=10)[1]
    document = json.loads((tmp_path / "capacity.json").read_text(encoding="utf-8"))
    assert (document["interrupted"], document["exit_code"]) == (True, 130)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--lowest", "0"), "--lowest must be above 0", id="no-rate"),
        pytest.param(("--highest", "99999"), "and 10,000", id="beyond-the-cap"),
        pytest.param(("--start", "5", "--lowest", "10"), "--start must lie", id="start-outside"),
        pytest.param(("--tolerance", "often"), "no share", id="no-tolerance"),
        pytest.param(("--max-time", "10s"), "--max-time must hold a probe", id="no-time"),
        pytest.param(("--gate", "rps>=5"), "says nothing of a short probe", id="a-rate-gate"),
        pytest.param(("--format", "html"), "no format `html`", id="no-such-format"),
        pytest.param(("--output", "html=x"), "no format `html`", id="no-such-output"),
        pytest.param(("--host", "http://192.0.2.1"), "--confirm-host 192.0.2.1", id="a-host-to-confirm"),
    ],
)
def test_wrong_options(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Refused before any load is made, exit 2."""
    from hardenctl.cli.app import run

    file = tmp_path / "ok.yaml"
    file.write_text("endpoints: [{path: /ok}]\n", encoding="utf-8")
    command = ["load", "capacity", "--file", str(file), "--host", "http://127.0.0.1:9"]
    assert run([*command, *arguments]) == 2
    assert words in capsys.readouterr().err
