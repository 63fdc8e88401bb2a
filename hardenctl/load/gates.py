"""Gates that cannot lie: each passes, fails, or says that the sample does not allow to say so.

    p95<300ms   p99<=1s   rps>=500   error_rate<0.1%   cpu<70%   p95{create an item}<250ms   memory_drift<10%/h

A percentile and an error rate are judged by the one-sided 95 % bound of what was measured: pass when the upper bound
holds the target, fail when the lower one misses it, inconclusive between. The request rate is a count over a known
time and the CPU a mean of it: no sample, so they are compared as they are. Drift has bounds of its own (drift.py).
"""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass

from hardenctl.load.confidence import rank_bounds, rate_bounds
from hardenctl.load.drift import FEWEST, HOUR, Slices, find_trend
from hardenctl.load.duration import show_duration
from hardenctl.load.histogram import edges
from hardenctl.load.measure import Series, Window
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import LoadSettings

_GATE = re.compile(
    r"\s*(?P<metric>p\d+(?:\.\d+)?|[a-z][a-z_-]*)\s*(?:\{(?P<endpoint>[^}]+)\}\s*)?(?P<operator><=|>=|<|>)"
    r"\s*(?P<number>\d[\d,_]*(?:\.\d+)?)\s*(?P<unit>ms|s|%/h|%)?\s*"
)
_HELP = (
    "gates look like 'p95<300ms', 'rps>=500', 'error_rate<0.1%', 'cpu<70%', 'memory_drift<10%/h' or "
    "'p95{endpoint name}<250ms'"
)
_SEEN = {"memory_drift": 0.02, "latency_drift": 0.05}  # the growth within a run that can be told from none, as a share
_MATTERS = {"memory_drift": 2.0**20, "latency_drift": 1.0}  # bytes, and milliseconds
DRIFTS = frozenset(_SEEN)


class Outcome(enum.StrEnum):
    """What a gate or a whole run comes to."""

    PASS = "pass"  # noqa: S105 - a word, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_MEASURED = "not measured"  # a built-in gate whose metric nobody offered; never one that was asked for


@dataclass(frozen=True, slots=True)
class Gate:
    """One target. `target` is in milliseconds for a percentile, requests a second for `rps`, else a share of 1.

    Drift is a share of the level at the start, per hour.

    `quantile` is set for percentiles. `asked`: the user wrote it, so that it must be measured.
    """

    metric: str
    operator: str
    target: float
    endpoint: str | None = None
    quantile: float | None = None
    asked: bool = True

    def __str__(self) -> str:
        where = f"{{{self.endpoint}}}" if self.endpoint else ""
        return f"{self.metric}{where}{self.operator}{self.show(self.target)}"

    def show(self, value: float) -> str:
        """A value of this gate's metric with its unit."""
        if self.quantile is not None:
            return f"{value:,.4g}ms" if value < 1000 else f"{value:,.0f}ms"  # noqa: PLR2004 - four digits either way
        if self.metric in DRIFTS:
            return f"{value * 100:.3g}%/h" if abs(value) < 10 else f"{value * 100:,.0f}%/h"  # noqa: PLR2004 - as above
        return f"{value:,.4g}" if self.metric == "rps" else f"{value * 100:.3g}%"

    def holds(self, value: float) -> bool:
        """Whether a value is on the good side."""
        match self.operator:
            case "<":
                return value < self.target
            case "<=":
                return value <= self.target
            case ">":
                return value > self.target
            case _:
                return value >= self.target


@dataclass(frozen=True, slots=True)
class GateResult:
    """What came of a gate. `low` and `high` are the one-sided 95 % bounds; None where the sample has none."""

    gate: Gate
    outcome: Outcome
    value: float | None = None
    low: float | None = None
    high: float | None = None
    samples: int = 0
    reason: str = ""


def parse_gate(text: str, *, asked: bool = True) -> Gate:
    """Read a gate. Raises UsageError."""
    match = _GATE.fullmatch(text)
    if not match:
        raise UsageError(f"`{text}` is no gate", help=_HELP)
    metric = match["metric"].replace("-", "_")
    number = float(match["number"].replace(",", "").replace("_", ""))
    quantile = None
    if metric[0] == "p" and metric[1:2].isdigit():
        quantile = float(metric[1:]) / 100
        if not 0 < quantile < 1:
            raise UsageError(f"`{text}`: a percentile lies between 0 and 100", help=_HELP)
    number = _in_own_unit(text, metric if quantile is None else "percentile", number, match["unit"] or "")
    if number == math.inf:  # every run would pass it, or none
        raise UsageError(f"`{text}`: the number is too large", help=_HELP)
    if (match["operator"][0] == ">") != (metric == "rps"):
        raise UsageError(f"`{text}` holds for a bad run and not for a good one", help=_HELP)
    if metric in {"cpu", *DRIFTS} and match["endpoint"]:
        what = "CPU" if metric == "cpu" else metric
        raise UsageError(f"`{text}`: an endpoint has no {what} of its own", help=_HELP)
    return Gate(metric, match["operator"], number, match["endpoint"], quantile, asked)


def _in_own_unit(text: str, metric: str, number: float, unit: str) -> float:
    """The target in the metric's own unit."""
    if metric == "percentile":
        if unit not in {"ms", "s"}:
            raise UsageError(f"`{text}` needs a unit", help="write 300ms or 0.3s")
        return number * 1000 if unit == "s" else number
    if metric in DRIFTS:
        if unit not in {"%", "%/h"} or not number:
            raise UsageError(f"`{text}`: drift is a percentage an hour, above 0", help=_HELP)
        return number / 100
    if metric in {"error_rate", "cpu"}:
        if unit not in {"%", ""}:
            raise UsageError(f"`{text}`: {metric} is a percentage", help=_HELP)
        share = number / 100 if unit else number
        if share > 1:
            raise UsageError(f"`{text}`: {metric} cannot be above 100 %", help="write 0.1% or the fraction 0.001")
        return share
    if metric != "rps":
        raise UsageError(f"`{text}`: there is no metric `{metric}`", help=_HELP)
    if unit:
        raise UsageError(f"`{text}`: rps is a plain number", help=_HELP)
    return number


def builtin_gates(
    settings: LoadSettings, *, carries_rate: bool, scale: float = 1.0, drifts: bool = False
) -> tuple[Gate, ...]:
    """The policy's targets. The request rate shrinks with `--scale`, as the users do who make it.

    `drifts`: the load stays the same for long enough that drift shows.
    """
    gates = [
        Gate("p95", "<", settings.p95_ms, quantile=0.95, asked=False),
        Gate("error_rate", "<", settings.error_rate, asked=False),
        Gate("cpu", "<", settings.cpu, asked=False),
    ]
    if carries_rate:
        gates.append(Gate("rps", ">=", settings.rps * scale, asked=False))
    if drifts:
        gates.append(Gate("memory_drift", "<", settings.memory_drift, asked=False))
        gates.append(Gate("latency_drift", "<", settings.latency_drift, asked=False))
    return tuple(gates)


def judge_gate(gate: Gate, window: Window) -> GateResult:
    """Hold a gate against what was measured."""
    if gate.metric == "cpu":
        return _judge_cpu(gate, window)
    if gate.metric in DRIFTS:
        return _judge_drift(gate, window.slices)
    series = window.series(gate.endpoint)
    if not series.total:
        asked = f"no request to `{gate.endpoint}`" if gate.endpoint else "no request"
        seen = f"; there were {', '.join(sorted(window.endpoints)[:10])}" if gate.endpoint and window.endpoints else ""
        return GateResult(gate, Outcome.INCONCLUSIVE, reason=asked + seen)
    if gate.metric == "error_rate":
        low, high = rate_bounds(series.failed, series.total)
        return _judge_bounds(gate, series.error_rate, (low, high), series.total)
    if gate.metric == "rps":
        value = series.ok / window.seconds if window.seconds > 0 else 0.0
        outcome = Outcome.PASS if gate.holds(value) else Outcome.FAIL
        return GateResult(gate, outcome, value, value, value, series.total, "successful requests a second")
    return _judge_percentile(gate, series)


def _judge_cpu(gate: Gate, window: Window) -> GateResult:
    if window.cpu is None:
        outcome = Outcome.INCONCLUSIVE if gate.asked else Outcome.NOT_MEASURED
        return GateResult(
            gate, outcome, reason="the target's CPU was not measured: name it by --target-pid or --target-port"
        )
    outcome = Outcome.PASS if gate.holds(window.cpu) else Outcome.FAIL
    return GateResult(gate, outcome, window.cpu, window.cpu, window.cpu, reason="mean of the CPUs the target may use")


def _judge_drift(gate: Gate, slices: Slices | None) -> GateResult:
    """Pass and fail only where a run was long enough to show what the target allows."""
    samples = [] if slices is None else slices.memory() if gate.metric == "memory_drift" else slices.p95()
    if gate.metric == "memory_drift" and not samples:
        outcome = Outcome.INCONCLUSIVE if gate.asked else Outcome.NOT_MEASURED
        reason = "the target's memory was not measured: name it by --target-pid or --target-port"
        return GateResult(gate, outcome, reason=reason)
    trend = find_trend(samples)
    if trend is None:
        reason = f"{len(samples)} slices of the run have enough to say: {FEWEST} are needed, so run longer"
        return GateResult(gate, Outcome.INCONCLUSIVE, samples=len(samples), reason=reason)
    seen = _SEEN[gate.metric]
    needed = seen / gate.target * HOUR
    grown = trend.end - trend.start
    span = show_duration(round(trend.seconds))
    amount = f"{grown / 2**20:+,.1f} MiB" if gate.metric == "memory_drift" else f"{grown:+,.3g} ms"
    low, high = (("unbounded" if each is None else gate.show(each)) for each in (trend.low, trend.high))
    reason = f"{amount} in {span}, from {low} to {high} at 95 % confidence"
    outcome = Outcome.INCONCLUSIVE
    if trend.high is not None and gate.holds(trend.high):
        outcome = Outcome.PASS
        if trend.seconds < needed:
            outcome = Outcome.INCONCLUSIVE
            reason = (
                f"{span} are too short to see {gate.show(gate.target)}: measure for {show_duration(needed)}; {reason}"
            )
    elif trend.low is not None and not gate.holds(trend.low):
        outcome = Outcome.FAIL
        if grown < max(seen * trend.start, _MATTERS[gate.metric]):
            outcome = Outcome.INCONCLUSIVE
            reason = f"too little growth to tell it from warming up: {reason}"
    return GateResult(gate, outcome, trend.slope, trend.low, trend.high, trend.slices, reason)


def _judge_percentile(gate: Gate, series: Series) -> GateResult:
    assert gate.quantile is not None  # noqa: S101 - parse_gate sets it for every percentile
    latency = series.latency
    if not latency.total:
        return GateResult(gate, Outcome.INCONCLUSIVE, reason="no successful request to time")
    lower, upper = rank_bounds(gate.quantile, latency.total)
    # the edge of the bucket that speaks against the verdict: what the histogram cannot tell is not guessed
    low = edges(latency.bucket_at(lower))[0] if lower else None
    high = edges(latency.bucket_at(upper))[1] if upper else None
    return _judge_bounds(gate, latency.quantile(gate.quantile), (low, high), latency.total)


def _judge_bounds(
    gate: Gate, value: float | None, bounds: tuple[float | None, float | None], samples: int
) -> GateResult:
    low, high = bounds
    if high is not None and gate.holds(high):
        outcome, reason = Outcome.PASS, f"at most {gate.show(high)} at 95 % confidence"
    elif low is not None and not gate.holds(low):
        outcome, reason = Outcome.FAIL, f"at least {gate.show(low)} at 95 % confidence"
    else:
        outcome = Outcome.INCONCLUSIVE
        reach = gate.show(high) if high is not None else "unbounded"
        reason = f"{samples:,} requests are too few to say: it may be {gate.show(low or 0)} to {reach}"
    return GateResult(gate, outcome, value, low, high, samples, reason)
