"""Is it slower than it was? Runs against the runs of a baseline, by medians, with the machine's own noise beside them.

The change of a metric is the difference of two medians of logarithms, so that twice as slow and twice as fast weigh the
same and one odd run moves it little. The noise is what runs that should be equal differ by: their pooled standard
deviation, and never less than what the requests of a run leave open. A bound follows from Student's t, since few runs
say little of their own noise; so runs on each side are what makes a verdict, and two in all make none.

What is judged of latency is the calm p95: that of the run's half seconds, and of those the lower quartile. A slower
service is slower in all of them, a machine that was busy with something else in some. On two cores that eight other
programs shared, the p95 of all requests called 7 of 72 equal pairs slower and found 10 of 18 slowed ones, the calm p95
4 and 13. A run that was more uneven within than those of the baseline is so much less sure.

    worse    it rose by a tenth or more, and by more than nothing at 95 % one-sided confidence
    same     a rise of 30 % is ruled out at 95 % confidence (`better` where a fall is certain)
    unknown  neither: more runs are needed

Of one pair of single runs none can be told: on a busy machine such a pair differs by 10 % in 45 % of all cases though
nothing changed. Judged are the calm p95, errors, and the p95 of each endpoint, these at a confidence that keeps all of
them together below 1 % of false alarms; other metrics are shown.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hardenctl.load.confidence import LEVEL, incomplete_beta, rate_bounds
from hardenctl.load.gates import Outcome
from hardenctl.load.verdict import FAILED, INCONCLUSIVE, PASSED

WORTH_TELLING = math.log(1.10)  # a smaller rise is no regression, however certain
TO_RULE_OUT = math.log(1.30)  # a pass says that there is none of this size
FEWEST = 4  # runs on both sides together, from which their noise can be known
_MOST = 40
_ENDPOINTS_ALPHA = 0.01
_ERRORS_LEVEL = 0.995
_MEDIAN = math.pi / 2  # variance of a median against that of a mean, in the limit; less for few values
_ONE_SIDED = 1.645
_LATENCIES = ("p50", "p95", "p99")
_STRETCH = 4  # half seconds that are looked at together for how uneven a run is
_FEWEST_STRETCHES = 3
CALM = "calm_p95"


@dataclass(frozen=True, slots=True)
class Shift:
    """A change as a difference of logarithms: its estimate, one-sided bounds, and half of the range between them.

    Bounds are None where there are too few runs to know the noise.
    """

    change: float
    low: float | None
    high: float | None

    @property
    def noise(self) -> float | None:
        """How far the estimate may be off, as a difference of logarithms."""
        return None if self.high is None else self.high - self.change

    @property
    def outcome(self) -> str:
        """`worse`, `better`, `same` or `unknown`, where more is worse."""
        if self.low is None or self.high is None:
            return "unknown"
        if self.low > 0 and self.change >= WORTH_TELLING:
            return "worse"
        if self.high < 0 and self.change <= -WORTH_TELLING:
            return "better"
        return "same" if self.high < TO_RULE_OUT else "unknown"


def shift(
    before: Sequence[float], now: Sequence[float], error: float = 0.0, level: float = LEVEL, uneven: float = 1.0
) -> Shift:
    """The change between two groups of logarithms.

    `error` is the standard error that a single run's own sample leaves: the noise is never taken to be less. `uneven`
    is how much more the runs of now vary within themselves than those before; below 1 it counts for nothing.
    """
    change = statistics.median(now) - statistics.median(before)
    freedom = len(before) + len(now) - 2
    if freedom < FEWEST - 2:
        return Shift(change, None, None)
    squares = sum((value - statistics.fmean(group)) ** 2 for group in (before, now) for value in group)
    deviation = max(math.sqrt(squares / freedom), error)
    reach = student(level, freedom) * deviation * _spread(len(before), len(now), max(1.0, uneven))
    return Shift(change, change - reach, change + reach)


def _spread(before: int, now: int, uneven: float = 1.0) -> float:
    """The standard error of a difference of medians, in standard deviations of a run before."""
    shares = [(_MEDIAN if count > 2 else 1) / count for count in (before, now)]  # noqa: PLR2004 - see above
    return math.sqrt(shares[0] + shares[1] * uneven**2)


def calm(points: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """The calm p95 of a timeline in milliseconds, and how uneven the run was; None for one of too few moments.

    Stages are calm each by itself and weigh by their moments. Unevenness is the standard error of the mean logarithm
    between stretches of two seconds, what the stages themselves make of it left out.
    """
    stages: dict[int, list[float]] = {}
    for point in points:
        if point["measured"] and point["p95"]:
            stages.setdefault(point["stage"], []).append(math.log(point["p95"]))
    level = 0.0
    stretches: list[float] = []
    for moments in stages.values():
        quartile = statistics.quantiles(moments, n=4)[0] if len(moments) > 1 else moments[0]
        level += quartile * len(moments)
        mean = statistics.fmean(moments)
        starts = range(0, len(moments) - _STRETCH + 1, _STRETCH)
        stretches += [statistics.fmean(moments[start : start + _STRETCH]) - mean for start in starts]
    if len(stretches) < _FEWEST_STRETCHES:
        return None
    uneven = statistics.stdev(stretches) / math.sqrt(len(stretches))
    return math.exp(level / sum(map(len, stages.values()))), uneven


def runs_needed(before: int, now: int, found: Shift) -> int | None:
    """How many more runs of each side would be enough to say, with the noise as it is; None where it is not known."""
    if found.noise is None:
        return max(1, FEWEST - before - now)
    deviation = found.noise / (student(LEVEL, before + now - 2) * _spread(before, now))
    room = TO_RULE_OUT - max(0.0, found.change)
    for more in range(1, _MOST):
        reach = student(LEVEL, before + now + 2 * more - 2) * deviation * _spread(before + more, now + more)
        if reach < room or (found.change >= WORTH_TELLING and reach < found.change):
            return more
    return None


@cache
def student(level: float, freedom: int) -> float:
    """The quantile of Student's t distribution, for a level above one half."""

    def below(value: float) -> float:
        return 1 - incomplete_beta(freedom / 2, 0.5, freedom / (freedom + value * value)) / 2

    high = 1.0
    while below(high) < level:
        high *= 2
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < level else (low, middle)
    return high


def unfit(run: Mapping[str, Any]) -> str:
    """Why a run's figures are not to be compared; empty where they are."""
    generator = run["generator"]
    for wrong, why in (
        (run["interrupted"], "it was interrupted"),
        (run["aborted"], f"it was ended early: {run['aborted']}"),
        (not run["metrics"]["requests"], "it made no request"),
        (run["metrics"]["latency_ms"]["p95"] is None, "no request succeeded"),
        (generator["saturated"], "its generator was saturated and measured itself"),
        (generator["dropped_arrivals"], "arrivals were dropped"),
    ):
        if wrong:
            return why
    return ""


def compare(name: str, before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare runs of the same scenario with a baseline's, both as the runs of a baseline file; JSON-ready.

    Latencies in milliseconds; `change`, `low`, `high` and `noise` as fractions of the baseline's value.
    """
    notes = []
    alike = {run["setup"]["machine"] for run in before} | {run["setup"]["machine"] for run in now}
    if len(alike) > 1:
        notes.append(f"not the same machine or topology: {'; '.join(sorted(alike))}")
    for index, run in enumerate(now, 1):
        if run["unfit"]:
            notes.append(f"run {index} cannot be compared: {run['unfit']}")
    fit = not notes
    rows = [_calm(before, now, fit=fit)]
    rows += [_latency(key, None, before, now, judged=False, fit=fit) for key in _LATENCIES]
    rows.append(_errors(before, now, fit=fit))
    rows.append(_shown("rps", before, now, worse_if=-1, fit=fit))
    if all(run["cpu"] is not None for run in (*before, *now)):
        rows.append(_shown("cpu", before, now, worse_if=1, fit=fit))
    both = [name for name in now[0]["endpoints"] if all(name in run["endpoints"] for run in (*before, *now))]
    level = 1 - _ENDPOINTS_ALPHA / max(1, len(both))
    rows += [_latency("p95", each, before, now, judged=True, fit=fit, level=level) for each in both]
    main = rows[0]
    failed = [row for row in rows if row["judged"] and row["outcome"] == "worse"]
    if failed:
        verdict, code = Outcome.FAIL, FAILED
    elif main["outcome"] == "unknown":
        verdict, code = Outcome.INCONCLUSIVE, INCONCLUSIVE
    else:
        verdict, code = Outcome.PASS, PASSED
    reasons = [f"{metric_name(row)} against the baseline: {row['reason']}" for row in failed or [main]]
    return {
        "name": name,
        "runs": len(before),
        "now_runs": len(now),
        "verdict": verdict.value,
        "exit_code": code,
        "reasons": reasons if code else [],
        "comparison": rows,
        "notes": notes,
    }


def show_noise(value: float | None) -> str:
    """The noise for people: beyond double, how far beyond tells nothing more."""
    return "-" if value is None else f"±{value:.1%}" if value <= 1 else "beyond ±100%"


def with_comparison(document: Mapping[str, Any], comparison: Mapping[str, Any]) -> dict[str, Any]:
    """A run's document with its comparison: failed beats inconclusive, which beats passed."""
    verdict, reasons = document["verdict"], list(document["reasons"])
    order = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL)
    told = comparison["verdict"]
    if order.index(told) > order.index(verdict):
        verdict, reasons = told, list(comparison["reasons"])
    elif told == verdict:
        reasons += comparison["reasons"]
    code = {Outcome.PASS: PASSED, Outcome.FAIL: FAILED}.get(verdict, INCONCLUSIVE)
    return {
        **document,
        "verdict": verdict,
        "exit_code": document["exit_code"] if document["interrupted"] else code,
        "reasons": reasons,
        "baseline": comparison,
    }


def _calm(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], *, fit: bool) -> dict[str, Any]:
    values = [[run["calm"] and run["calm"]["p95_ms"] for run in runs] for runs in (before, now)]
    if any(value is None for group in values for value in group):
        return _row(CALM, None, values, None, judged=True, reason="a run is too short to have calm moments")
    errors = [_own_error(run["metrics"]["bounds_ms"]["p95"]) for run in (*before, *now)]
    uneven = [statistics.median(run["calm"]["uneven"] for run in runs) for runs in (before, now)]
    found = _shift_of(values, statistics.median(errors), LEVEL, uneven[1] / uneven[0] if uneven[0] else 1.0)
    return _row(CALM, None, values, found, judged=True, fit=fit, sides=(len(before), len(now)))


def _latency(
    key: str,
    endpoint: str | None,
    before: Sequence[Mapping[str, Any]],
    now: Sequence[Mapping[str, Any]],
    *,
    judged: bool,
    fit: bool,
    level: float = LEVEL,
) -> dict[str, Any]:
    def metrics(run: Mapping[str, Any]) -> Mapping[str, Any]:
        return run["endpoints"][endpoint] if endpoint else run["metrics"]  # type: ignore[no-any-return]

    values = [[metrics(run)["latency_ms"][key] for run in runs] for runs in (before, now)]
    if any(value is None for group in values for value in group):
        return _row(key, endpoint, values, None, judged=judged, reason="a run has no successful request to time")
    errors = [_own_error(metrics(run)["bounds_ms"][key]) for run in (*before, *now)]
    found = _shift_of(values, statistics.median(errors), level)
    return _row(key, endpoint, values, found, judged=judged, fit=fit, sides=(len(before), len(now)))


def _own_error(bounds: Sequence[float | None]) -> float:
    """The standard error of a percentile's logarithm that one run's requests leave."""
    low, high = bounds
    return math.log(high / low) / (2 * _ONE_SIDED) if low and high else 0.0


def _shown(
    key: str, before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], *, worse_if: int, fit: bool
) -> dict[str, Any]:
    values = [[_figure(run, key) for run in runs] for runs in (before, now)]
    if any(not value for group in values for value in group):
        return _row(key, None, values, None, judged=False)
    return _row(key, None, values, _shift_of(values, 0.0, LEVEL), judged=False, fit=fit, worse_if=worse_if)


def _figure(run: Mapping[str, Any], key: str) -> float:
    return float((run["cpu"] if key == "cpu" else run["metrics"][key]) or 0.0)


def _shift_of(values: Sequence[Sequence[float]], error: float, level: float, uneven: float = 1.0) -> Shift:
    before, now = ([math.log(max(value, 1e-6)) for value in group] for group in values)
    return shift(before, now, error, level, uneven)


def _errors(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], *, fit: bool) -> dict[str, Any]:
    """Error rates of all runs of a side together: worse where the exact bounds don't meet."""
    counts = [
        (sum(run["metrics"]["failures"] for run in runs), sum(run["metrics"]["requests"] for run in runs))
        for runs in (before, now)
    ]
    rates = [failed / total if total else 0.0 for failed, total in counts]
    bounds = [rate_bounds(failed, total, _ERRORS_LEVEL) for failed, total in counts]
    outcome = "unknown"
    if fit:
        outcome = "worse" if bounds[1][0] > bounds[0][1] else "better" if bounds[1][1] < bounds[0][0] else "same"
    reason = f"{rates[1]:.3%} of requests failed, {rates[0]:.3%} in the baseline"
    return {
        "metric": "error_rate",
        "endpoint": None,
        "baseline": rates[0],
        "now": rates[1],
        "change": rates[1] / rates[0] - 1 if rates[0] else None,
        "low": None,
        "high": None,
        "noise": None,
        "outcome": outcome,
        "judged": True,
        "reason": reason,
    }


def _row(
    key: str,
    endpoint: str | None,
    values: Sequence[Sequence[float | None]],
    found: Shift | None,
    *,
    judged: bool,
    fit: bool = True,
    worse_if: int = 1,
    sides: tuple[int, int] = (0, 0),
    reason: str = "",
) -> dict[str, Any]:
    medians = [middle(group) for group in values]
    outcome = "unknown"
    if found and fit:
        outcome = (found if worse_if > 0 else _mirrored(found)).outcome
    return {
        "metric": key,
        "endpoint": endpoint,
        "baseline": medians[0],
        "now": medians[1],
        "change": _fraction(found.change if found else None),
        "low": _fraction(found.low if found else None),
        "high": _fraction(found.high if found else None),
        "noise": _fraction(found.noise if found else None),
        "outcome": outcome,
        "judged": judged,
        "reason": reason or _because(outcome, found, sides, fit=fit),
    }


def _mirrored(found: Shift) -> Shift:
    if found.low is None or found.high is None:
        return found
    return Shift(-found.change, -found.high, -found.low)


def _because(outcome: str, found: Shift | None, sides: tuple[int, int], *, fit: bool) -> str:
    if found is None:
        return "not measured in each run"
    change = f"{math.expm1(found.change):+.1%}"
    if not fit:
        return f"{change}, but the runs cannot be compared"
    if found.low is None or found.high is None:
        more = runs_needed(*sides, found)
        return f"{change}, but of {sum(sides)} runs nobody knows the noise: {more} more of the baseline are needed"
    span = f"{math.expm1(found.low):+.1%} to {math.expm1(found.high):+.1%} at 95 % confidence"
    if outcome != "unknown" or sides == (0, 0):
        return f"{change} ({span})"
    more = runs_needed(*sides, found)
    advice = f"about {more} more runs of each are needed" if more else "this machine is too noisy to tell"
    return f"{change} ({span}): {advice}"


def metric_name(row: Mapping[str, Any]) -> str:
    """As gates call it: `p95`, or `p95{an endpoint}`."""
    return str(row["metric"]) + (f"{{{row['endpoint']}}}" if row.get("endpoint") else "")


def middle(values: Sequence[float | None]) -> float | None:
    """The median of the values that are there, to six digits; None where there are none."""
    there = [value for value in values if value is not None]
    return _six(statistics.median(there)) if there else None


def _fraction(logarithm: float | None) -> float | None:
    return None if logarithm is None else _six(math.expm1(min(logarithm, 50.0)))


def _six(value: float) -> float:
    return float(f"{value:.6g}")
