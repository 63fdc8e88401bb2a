"""Drift: how seldom what doesn't grow is called growing, how surely a leak is found, and both on real servers."""

import datetime as dt
import json
import math
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.load.builtin import builtin
from hardenctl.load.document import WRITERS, to_document
from hardenctl.load.drift import FEWEST, Slices, find_trend, low_of
from hardenctl.load.gates import Outcome, builtin_gates, judge_gate, parse_gate
from hardenctl.load.histogram import bucket_of
from hardenctl.load.measure import Window
from hardenctl.load.plan import plan
from hardenctl.load.result_schema import json_schema
from hardenctl.load.run import Run
from hardenctl.load.scenario import Scenario, Stage
from hardenctl.load.target import LoadTarget
from hardenctl.load.verdict import conclude
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import LoadSettings

TARGET = LoadTarget("http://127.0.0.1:8000", "127.0.0.1", ("127.0.0.1",))
MIB = 2.0**20
HOUR = 3600.0
Shape = Callable[[random.Random, Sequence[float]], list[float]]


def noise(share: float) -> Shape:
    """Independent noise."""
    return lambda chance, times: [chance.gauss(0, share) for _ in times]


def alike(shared: float) -> Shape:
    """A first-order autoregression: what is high stays high for a while."""

    def make(chance: random.Random, times: Sequence[float]) -> list[float]:
        values, last = [], chance.gauss(0, 0.03)
        for _ in times:
            last = shared * last + chance.gauss(0, 0.03 * math.sqrt(1 - shared * shared))
            values.append(last)
        return values

    return make


def sawtooth(cycles: float) -> Shape:
    """A garbage collector: up by 30 %, and down at once."""

    def make(chance: random.Random, times: Sequence[float]) -> list[float]:
        phase = chance.random()
        return [0.3 * ((cycles * at + phase) % 1) + chance.gauss(0, 0.01) for at in times]

    return make


def wandering(chance: random.Random, times: Sequence[float]) -> list[float]:
    """A random walk: what an allocator keeps, for no reason."""
    values, last = [], 0.0
    for _ in times:
        last += chance.gauss(0, 0.01)
        values.append(last)
    return values


def caches(chance: random.Random, times: Sequence[float]) -> list[float]:
    """Caches that fill in the first minutes, by a fifth."""
    return [0.2 * (1 - math.exp(-at / 0.05)) + chance.gauss(0, 0.01) for at in times]


def jump(chance: random.Random, times: Sequence[float]) -> list[float]:
    """One step of a tenth, some time."""
    when = chance.random()
    return [(0.1 if at > when else 0.0) + chance.gauss(0, 0.01) for at in times]


def outliers(chance: random.Random, times: Sequence[float]) -> list[float]:
    """A bad slice in ten."""
    return [chance.gauss(0, 0.02) + (chance.random() < 0.1) * chance.random() for _ in times]


def stairs(share: float) -> Shape:
    """A leak that an allocator hands out in steps of 5 %."""
    return lambda chance, times: [math.floor(share * at / 0.05) * 0.05 + chance.gauss(0, 0.003) for at in times]


def outcomes(shape: Shape, *, leak: float = 0.0, slices: int = 30, trials: int = 200) -> dict[Outcome, float]:
    """The shares of an hour's verdicts on `memory_drift<10%/h`, of 100 MiB that leak so much an hour besides."""
    chance = random.Random(20261127)  # noqa: S311 - a simulation
    gate, found = parse_gate("memory_drift<10%/h"), dict.fromkeys(Outcome, 0.0)
    times = [(number + 0.5) / slices for number in range(slices)]
    for _ in range(trials):
        window = Window(slices=Slices(0, HOUR, HOUR / slices))
        assert window.slices
        for at, value in zip(times, shape(chance, times), strict=True):
            window.slices.remember(at * HOUR, 100 * MIB * (1 + value + leak * at))
        found[judge_gate(gate, window).outcome] += 1 / trials
    return found


@pytest.mark.parametrize("slices", [12, 30])
@pytest.mark.parametrize(
    ("shape", "passes"),
    [
        pytest.param(noise(0.02), 0.9, id="noise"),
        pytest.param(noise(0.0), 1.0, id="nothing-moves"),
        pytest.param(alike(0.5), 0.5, id="neighbours-alike"),
        pytest.param(alike(0.8), 0.4, id="neighbours-much-alike"),
        pytest.param(sawtooth(1.3), 0.0, id="one-collection"),
        pytest.param(sawtooth(2.5), 0.0, id="two-collections"),
        pytest.param(sawtooth(5), 0.1, id="five-collections"),
        pytest.param(sawtooth(12), 0.5, id="twelve-collections"),
        pytest.param(wandering, 0.4, id="wandering"),
        pytest.param(caches, 0.7, id="caches-fill"),
        pytest.param(jump, 0.2, id="one-jump"),
        pytest.param(outliers, 0.7, id="bad-slices"),
    ],
)
def test_what_does_not_grow_is_no_leak(shape: Shape, passes: float, slices: int) -> None:
    """At most 3 % of runs without a leak fail, whatever their memory does; those that can be told from one pass."""
    found = outcomes(shape, slices=slices)
    assert found[Outcome.FAIL] <= 0.03
    assert found[Outcome.PASS] >= passes


@pytest.mark.parametrize(
    ("shape", "leak", "fails"),
    [
        pytest.param(noise(0.02), 0.3, 0.95, id="noise"),
        pytest.param(noise(0.0), 0.12, 1.0, id="nothing-else-moves"),
        pytest.param(alike(0.5), 0.3, 0.9, id="neighbours-alike"),
        pytest.param(sawtooth(5), 0.3, 0.9, id="under-collections"),
        pytest.param(caches, 0.3, 0.9, id="after-caches-filled"),
        pytest.param(outliers, 0.3, 0.9, id="bad-slices"),
        pytest.param(stairs(0.4), 0.0, 0.9, id="in-steps"),
    ],
)
def test_a_leak_is_found(shape: Shape, leak: float, fails: float) -> None:
    """Growth of 30 % an hour fails 10 % in most runs, and passes in none."""
    found = outcomes(shape, leak=leak)
    assert found[Outcome.FAIL] >= fails
    assert found[Outcome.PASS] == 0


@given(
    start=st.floats(10, 1e9),
    slope=st.floats(-0.9, 5),
    number=st.integers(FEWEST, 40),
    seconds=st.floats(10, 86_400),
)
def test_a_straight_line(start: float, slope: float, number: int, seconds: float) -> None:
    """Its slope is found, and lies within the bounds, in whatever units."""
    hours = seconds / HOUR
    grown = slope / max(1.0, hours)
    samples = [(at * seconds / number, start * (1 + grown * at / number * hours)) for at in range(number)]
    trend = find_trend(samples)
    assert trend is not None
    assert trend.slope == pytest.approx(grown, rel=1e-3, abs=1e-3 / hours)
    assert trend.low is None or trend.low <= trend.slope + 1e-9
    assert trend.high is None or trend.high >= trend.slope - 1e-9
    assert trend.start == pytest.approx(start, rel=1e-3)


def window(seconds: float, *, per_hour: float = 0.0, start: float = 100 * MIB, latency: float = 0.0) -> Window:
    """A run of so many seconds, with memory that grows by a share an hour, or a latency in milliseconds that does."""
    made = Window(slices=Slices.of(0, seconds))
    assert made.slices
    for at in range(int(seconds * 2)):
        value = 1 + per_hour * at / 2 / HOUR
        if latency:
            histogram = made.slices.latency_at(at / 2)
            assert histogram
            for _ in range(20):
                histogram.record(latency * value)
        else:
            made.slices.remember(at / 2, start * value)
    return made


@pytest.mark.parametrize(
    ("gate", "measured", "outcome", "words"),
    [
        pytest.param("memory_drift<10%/h", window(3600), Outcome.PASS, "+0.0 MiB in 58 m", id="an-even-hour"),
        pytest.param("memory_drift<10%/h", window(3600, per_hour=0.3), Outcome.FAIL, "MiB in 58 m", id="a-leak"),
        pytest.param(
            "memory_drift<10%/h", window(60), Outcome.INCONCLUSIVE, "measure for 12 m", id="a-minute-shows-no-leak"
        ),
        pytest.param(
            "memory_drift<10%/h", window(60, per_hour=0.5), Outcome.INCONCLUSIVE, "warming up", id="a-minute-of-growth"
        ),
        pytest.param("memory_drift<10%/h", window(60, per_hour=5), Outcome.FAIL, "MiB", id="a-burst-pipe"),
        pytest.param("memory_drift<10%/h", window(9), Outcome.INCONCLUSIVE, "10 are needed", id="nine-slices"),
        pytest.param("memory_drift<10%/h", Window(), Outcome.INCONCLUSIVE, "--target-pid", id="nobody-looked"),
        pytest.param("memory_drift<10%/h", window(3600, per_hour=-0.3), Outcome.PASS, "-", id="it-shrinks"),
        pytest.param(
            "memory_drift<10%/h",
            window(3600, per_hour=0.3, start=MIB),
            Outcome.INCONCLUSIVE,
            "little",
            id="a-third-MiB",
        ),
        pytest.param("latency-drift<20%", window(3600, latency=50), Outcome.PASS, "+0 ms", id="an-even-latency"),
        pytest.param(
            "latency_drift<20%/h",
            window(3600, latency=50, per_hour=0.5),
            Outcome.FAIL,
            "ms in 58 m",
            id="it-gets-slower",
        ),
        pytest.param("latency_drift<20%/h", Window(), Outcome.INCONCLUSIVE, "0 slices", id="no-request"),
        pytest.param(
            "latency_drift<20%/h", window(3600, latency=1, per_hour=0.5), Outcome.INCONCLUSIVE, "little", id="half-a-ms"
        ),
    ],
)
def test_verdicts(gate: str, measured: Window, outcome: Outcome, words: str) -> None:
    """Pass and fail are said where the run was long enough to show what the target allows."""
    result = judge_gate(parse_gate(gate), measured)
    assert result.outcome is outcome, result.reason
    assert words in result.reason


def test_gates_of_drift() -> None:
    """They are read, shown in one way, and refused where they make no sense."""
    assert str(parse_gate("memory-drift < 7.5 %")) == "memory_drift<7.5%/h"
    assert str(parse_gate("latency_drift<2000%/h")) == "latency_drift<2,000%/h"
    assert parse_gate("latency_drift<20%/h") == parse_gate("latency_drift<20%")
    for wrong in ("memory_drift<5ms", "memory_drift<0%", "memory_drift{GET /}<5%", "memory_drift>5%", "cpu<70%/h"):
        with pytest.raises(UsageError):
            parse_gate(wrong)


def test_soak_carries_the_targets_of_drift() -> None:
    """The built-in soak does, another load doesn't; memory that nobody watched is named and doesn't count."""
    made = plan(builtin("soak"), TARGET, LoadSettings())
    assert [str(gate) for gate in made.gates][-2:] == ["memory_drift<10%/h", "latency_drift<20%/h"]
    assert made.slices() == Slices(30.0, 3600.0, 119.0)
    assert plan(builtin("normal"), TARGET, LoadSettings()).slices() is None
    memory = builtin_gates(LoadSettings(), carries_rate=False, drifts=True)[-2]
    assert judge_gate(memory, Window()).outcome is Outcome.NOT_MEASURED


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(builtin("spike"), id="a-load-that-changes"),
        pytest.param(Scenario("x", "", (Stage(60, 5),), by_stage=True), id="stages-that-are-judged"),
    ],
)
def test_drift_needs_a_steady_load(scenario: Scenario) -> None:
    """What changes with the load is no drift."""
    with pytest.raises(UsageError, match="a load that stays the same"):
        plan(scenario, TARGET, LoadSettings(), gates=("latency_drift<20%/h",))


def test_slices() -> None:
    """A slice's memory is a low one; its latency needs twenty requests; what lies outside doesn't count."""
    assert low_of([5, 1, 9, 3]) == 1
    assert low_of(range(20)) == 2
    slices = Slices.of(10, 40)
    assert slices.seconds == 1
    assert slices.latency_at(9.9) is None
    assert slices.latency_at(40) is None
    slices.remember(9, 1)
    slices.remember(41, 1)
    assert slices.memory() == []
    for number in range(20):
        histogram = slices.latency_at(12.5)
        assert histogram is not None
        assert slices.p95() == []
        histogram.record(number)
    assert slices.p95() == [(12.5, pytest.approx(18, rel=0.01))]


SERVER = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
leak, slower = int(sys.argv[1]), float(sys.argv[2])
kept, began = [], time.monotonic()

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        kept.append(b"x" * leak)
        time.sleep(0.03 + slower * (time.monotonic() - began))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def server() -> Iterator[Callable[[int, float], tuple[str, int]]]:
    """Start a server that keeps so many bytes and gets so much slower; its URL and process id."""
    started: list[subprocess.Popen[str]] = []

    def start(leak: int, slower: float) -> tuple[str, int]:
        command = [sys.executable, "-c", SERVER, str(leak), str(slower)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        started.append(process)
        assert process.stdout
        return f"http://127.0.0.1:{process.stdout.readline().strip()}", process.pid

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("leak", "slower", "memory", "latency"),
    [
        pytest.param(0, 0.0, {"pass"}, {"pass", "inconclusive"}, id="steady"),
        pytest.param(20_000, 0.0, {"fail"}, {"pass", "inconclusive"}, id="leaking"),
        pytest.param(0, 0.004, {"pass"}, {"fail"}, id="getting-slower"),
    ],
)
def test_a_shortened_soak(
    *,
    server: Callable[[int, float], tuple[str, int]],
    scenario_file: Callable[..., Path],
    load_run: Callable[..., tuple[int, dict[str, Any]]],
    leak: int,
    slower: float,
    memory: set[str],
    latency: set[str],
) -> None:
    """Twenty seconds of soak under targets that show in so little time: the leak fails, the steady server doesn't."""
    url, pid = server(leak, slower)
    code, document = load_run(
        *("--file", scenario_file("/", think="20ms..40ms", extra="extends: soak\n"), "--host", url),
        *("--target-pid", str(pid), "--gate", "memory_drift<500%/h", "--gate", "latency_drift<2000%/h"),
        seconds=22,
        warm_up="2s",
    )
    found = {gate["metric"]: gate["outcome"] for gate in document["gates"]}
    assert found["memory_drift"] in memory, document["gates"]
    assert found["latency_drift"] in latency, document["gates"]
    assert (code == 1) == ("fail" in found.values())


def soaked(memory_per_hour: float, *, latency_per_hour: float = 0.0) -> Run:
    """An hour of soak whose target grew."""
    run = Run(plan(builtin("soak"), TARGET, LoadSettings()), dt.datetime(2026, 1, 2, tzinfo=dt.UTC), seconds=3600.0)
    run.whole = Window(seconds=3570, cpu=0.3, slices=run.plan.slices())
    bucket = bucket_of(20)
    run.whole.add({"GET /": {"ok": 9000, "failed": 0, "latency": [(bucket, 9000)], "errors": {}}})
    run.stages = [run.whole]
    assert run.whole.slices
    for at in range(30, 3600, 2):
        run.whole.slices.remember(at, 100 * MIB * (1 + memory_per_hour * at / HOUR))
        histogram = run.whole.slices.latency_at(at)
        assert histogram
        histogram.record(20 * (1 + latency_per_hour * at / HOUR))
    return run


def test_a_soak_that_leaks_fails() -> None:
    """What passed before, though its memory was recorded, fails by name, in every report."""
    assert conclude(soaked(0.02)).verdict is Outcome.PASS
    result = conclude(soaked(0.4))
    assert (result.verdict, result.exit_code, result.reasons) == (Outcome.FAIL, 1, ("memory_drift<10%/h was missed",))
    document = json.loads(json.dumps(to_document(result)))
    jsonschema.validate(document, json_schema())
    for write in WRITERS.values():
        assert "memory_drift" in write(document)


def test_a_target_that_shrinks() -> None:
    """A slope below zero is a value like any other in each report."""
    document = json.loads(json.dumps(to_document(conclude(soaked(-0.4)))))
    jsonschema.validate(document, json_schema())
    gate = next(each for each in document["gates"] if each["metric"] == "memory_drift")
    assert gate["value"] <= gate["high"] < 0
    assert 'x="-' not in WRITERS["html"](document)


def test_what_a_watch_or_a_generator_loses() -> None:
    """Memory that was lost sight of passes no more, a leak stays one; a busy generator's slowness is its own."""
    lost = soaked(0.0)
    lost.watch_problem = "the container stopped"
    assert any("memory_drift<10%/h: the container stopped" in reason for reason in conclude(lost).reasons)
    leaked = soaked(0.4)
    leaked.watch_problem = "the target's process ended"
    assert conclude(leaked).verdict is Outcome.FAIL
    slower = soaked(0.0, latency_per_hour=0.9)
    assert conclude(slower).verdict is Outcome.FAIL
    slower.generator.cpu = [0.95] * 10
    assert conclude(slower).verdict is Outcome.INCONCLUSIVE
