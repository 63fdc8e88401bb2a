import pytest

from hardenctl.load.gates import Outcome, builtin_gates, judge_gate, parse_gate
from hardenctl.load.histogram import bucket_of
from hardenctl.load.measure import Window
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import LoadSettings


def window(*, ok: int = 0, failed: int = 0, ms: float = 10, slow: int = 0, slow_ms: float = 500) -> Window:
    """Ten measured seconds of one endpoint."""
    latency = [(bucket_of(ms), ok - slow), (bucket_of(slow_ms), slow)]
    made = Window(seconds=10)
    made.add({"GET /": {"ok": ok, "failed": failed, "latency": latency, "errors": {"HTTP 503": failed}}})
    return made


@pytest.mark.parametrize(
    ("text", "shown", "target"),
    [
        pytest.param("p95<300ms", "p95<300ms", 300, id="milliseconds"),
        pytest.param("p99 <= 1.5s", "p99<=1,500ms", 1500, id="seconds-and-spaces"),
        pytest.param("p99.9<2s", "p99.9<2,000ms", 2000, id="a-fraction-of-a-percent"),
        pytest.param("rps>=500", "rps>=500", 500, id="request-rate"),
        pytest.param("rps>1,000", "rps>1,000", 1000, id="thousands"),
        pytest.param("error_rate<0.1%", "error_rate<0.1%", 0.001, id="percent"),
        pytest.param("error-rate<0.001", "error_rate<0.1%", 0.001, id="fraction-and-hyphen"),
        pytest.param("cpu<70%", "cpu<70%", 0.7, id="cpu"),
        pytest.param("p95{create an item}<250ms", "p95{create an item}<250ms", 250, id="endpoint"),
    ],
)
def test_gates_are_read(text: str, shown: str, target: float) -> None:
    """A gate is read, shown in one way, and reads the same when shown."""
    gate = parse_gate(text)
    assert str(gate) == shown
    assert gate.target == pytest.approx(target)
    assert parse_gate(str(gate)) == gate


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("p95", "is no gate", id="no-target"),
        pytest.param("p95<300", "needs a unit", id="no-unit"),
        pytest.param("p95<3%", "needs a unit", id="wrong-unit"),
        pytest.param("p0<3ms", "between 0 and 100", id="no-such-percentile"),
        pytest.param("p100<3ms", "between 0 and 100", id="the-maximum-is-no-percentile"),
        pytest.param("latency<3ms", "no metric `latency`", id="unknown-metric"),
        pytest.param("rps>=5s", "plain number", id="rate-with-unit"),
        pytest.param("rps<500", "holds for a bad run", id="upside-down-rate"),
        pytest.param("p95>300ms", "holds for a bad run", id="upside-down-latency"),
        pytest.param("error_rate<101%", "cannot be above 100 %", id="more-than-all"),
        pytest.param("error_rate<5ms", "percentage", id="errors-in-milliseconds"),
        pytest.param("cpu{GET /}<70%", "no CPU of its own", id="cpu-of-an-endpoint"),
    ],
)
def test_what_is_no_gate(text: str, words: str) -> None:
    """A gate that cannot be meant is refused in words."""
    with pytest.raises(UsageError, match=words):
        parse_gate(text)


@pytest.mark.parametrize(
    ("gate", "measured", "outcome"),
    [
        pytest.param("p95<300ms", window(ok=1000), Outcome.PASS, id="fast-passes"),
        pytest.param("p95<300ms", window(ok=1000, slow=200), Outcome.FAIL, id="a-fifth-slow-fails"),
        pytest.param("p95<300ms", window(ok=1000, slow=50), Outcome.INCONCLUSIVE, id="just-at-the-gate-is-open"),
        pytest.param("p95<300ms", window(ok=58), Outcome.INCONCLUSIVE, id="58-fast-ones-say-nothing-of-p95"),
        pytest.param("p95<300ms", window(ok=59), Outcome.PASS, id="59-do"),
        pytest.param("p95<300ms", window(ok=1000, ms=299), Outcome.PASS, id="299-is-below-300"),
        pytest.param("p95<300ms", window(ok=1000, ms=301), Outcome.FAIL, id="301-is-not"),
        pytest.param("p95<300ms", window(failed=1000), Outcome.INCONCLUSIVE, id="errors-have-no-latency"),
        pytest.param("p95<300ms", Window(), Outcome.INCONCLUSIVE, id="zero-requests-never-pass"),
        pytest.param("error_rate<0.1%", Window(), Outcome.INCONCLUSIVE, id="zero-requests-have-no-error-rate"),
        pytest.param("error_rate<0.1%", window(ok=848), Outcome.INCONCLUSIVE, id="848-clean-ones-are-too-few"),
        pytest.param("error_rate<0.1%", window(ok=2995), Outcome.PASS, id="2995-clean-ones-pass"),
        pytest.param("error_rate<0.1%", window(ok=990, failed=10), Outcome.FAIL, id="a-percent-fails"),
        pytest.param("rps>=500", window(ok=5000), Outcome.PASS, id="5000-in-10-seconds-are-500"),
        pytest.param("rps>=500", window(ok=4999), Outcome.FAIL, id="one-less-is-not"),
        pytest.param("rps>=500", window(ok=100, failed=9900), Outcome.FAIL, id="errors-are-no-throughput"),
        pytest.param("rps>=500", Window(seconds=10), Outcome.INCONCLUSIVE, id="zero-requests-have-no-rate"),
        pytest.param("rps>0", window(ok=0, failed=5), Outcome.FAIL, id="failures-alone-have-no-rate"),
        pytest.param("p95{GET /}<300ms", window(ok=1000), Outcome.PASS, id="an-endpoint"),
        pytest.param("p95{GET /x}<300ms", window(ok=1000), Outcome.INCONCLUSIVE, id="an-endpoint-nobody-asked"),
        pytest.param("cpu<70%", window(ok=1000), Outcome.INCONCLUSIVE, id="an-asked-cpu-must-be-measured"),
    ],
)
def test_verdicts(gate: str, measured: Window, outcome: Outcome) -> None:
    """A gate passes or fails only where the sample allows to say so."""
    assert judge_gate(parse_gate(gate), measured).outcome is outcome


@pytest.mark.parametrize(
    ("share", "outcome"),
    [
        pytest.param(0.69, Outcome.PASS, id="below"),
        pytest.param(0.70, Outcome.FAIL, id="at-the-limit"),
        pytest.param(None, Outcome.NOT_MEASURED, id="a-built-in-one-may-go-unmeasured"),
    ],
)
def test_the_built_in_cpu_gate(share: float | None, outcome: Outcome) -> None:
    """The target's CPU is compared as it is, and named where nobody measured it."""
    gate = next(each for each in builtin_gates(LoadSettings(), carries_rate=False) if each.metric == "cpu")
    assert judge_gate(gate, Window(cpu=share)).outcome is outcome


def test_only_the_peak_carries_the_rate() -> None:
    """The request-rate target holds where the scenario says so, and shrinks with the scale."""
    assert [str(each) for each in builtin_gates(LoadSettings(), carries_rate=False)] == [
        "p95<300ms",
        "error_rate<0.1%",
        "cpu<70%",
    ]
    assert str(builtin_gates(LoadSettings(), carries_rate=True, scale=0.1)[-1]) == "rps>=50"


def test_a_missing_endpoint_names_those_there_are() -> None:
    """A misspelt endpoint in a gate is found from its reason."""
    assert "GET /" in judge_gate(parse_gate("p95{GET /x}<1s"), window(ok=5)).reason
