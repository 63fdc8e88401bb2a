"""The highest rate of requests at which a target holds its gates: doubled until it misses, then halved in between.

Each probe is a short run of the open model, judged like any other run. A rate *held* or *missed* only where its probe
says so at the gates' confidence. A miss is repeated, and two of three count, so that one hiccup of the machine bounds
nothing (binary search with loss verification, ETSI GS NFV-TST 009, 12.3.3).
"""

from __future__ import annotations

import dataclasses
import enum
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from hardenctl.load.confidence import rank_bounds, rate_bounds
from hardenctl.load.duration import show_duration
from hardenctl.load.gates import DRIFTS, Gate, Outcome
from hardenctl.load.plan import Plan
from hardenctl.load.scenario import MAX_USERS, Endpoint, Stage
from hardenctl.load.verdict import Result
from hardenctl.model.errors import ToolError, UsageError

_LONGER = 2  # times that an open probe is repeated, each time twice as long
_ROOM = 1.2  # requests beyond those that a gate needs to pass
_MOST_REQUESTS = 1 << 30
_ASKED = 1.0  # requests a second that any target which is there answers
_FEWEST_USERS = 50
_HOPELESS = {"error_rate": 10.0, "percentile": 3.0}  # times its target: a probe that is sure of it need not go on


class Holds(enum.StrEnum):
    """What a probe says of its rate."""

    HELD = "held"
    MISSED = "missed"
    LIMITED = "generator limited"  # the generator could not make the rate, or had no user left to send with
    OPEN = "open"  # the sample does not allow to say


@dataclass(frozen=True, slots=True)
class Probe:
    """A run at one rate of arrivals a second. `seconds` are measured ones; latencies in milliseconds, shares of 1."""

    rate: float
    seconds: float
    holds: Holds
    reason: str = ""
    requests: int = 0
    rps: float | None = None
    p95: float | None = None
    error_rate: float | None = None
    cpu: float | None = None
    headroom: float | None = None
    answered: bool = True  # whether any request succeeded
    only_asked: bool = False  # it asked whether the target answers at all, and says nothing of its rate
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Where and how long to search. Rates per second, `probe` and `warm_up` and `longest` in seconds.

    The search ends when the rate that held is within `tolerance`, a share, of the next one that did not, or when the
    next probe would end after `longest`. It begins at `start`, by default where a probe is just long enough to tell.
    """

    lowest: float
    highest: float
    tolerance: float
    probe: float
    warm_up: float
    longest: float
    start: float | None = None
    pause: float = 2.0  # between two probes, so that what the last one left behind is worked off


@dataclass(slots=True)
class Capacity:
    """What the search came to: the highest rate that `held`, the lowest above it that `missed`, None where none did.

    `ceiling` is the lowest rate above `held` that did not hold, for whatever cause.
    """

    probes: list[Probe] = field(default_factory=list)
    verdict: Outcome = Outcome.INCONCLUSIVE
    said: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    error: ToolError | None = None  # what ended it, where that was no answer

    @property
    def settled(self) -> dict[float, Probe]:
        """Each rate with the probe that speaks for it: the newest, or the one that two of three agree with."""
        rates: dict[float, list[Probe]] = {}
        for probe in self.probes:
            if not probe.interrupted and not probe.only_asked:
                rates.setdefault(probe.rate, []).append(probe)
        return {rate: _settle(probes) for rate, probes in rates.items()}

    @property
    def held(self) -> float | None:
        """The highest rate that held, below every rate that missed."""
        missed = min((rate for rate, each in self.settled.items() if each.holds is Holds.MISSED), default=math.inf)
        held = [rate for rate, each in self.settled.items() if each.holds is Holds.HELD and rate < missed]
        return max(held, default=None)

    @property
    def missed(self) -> float | None:
        """The lowest rate that missed."""
        return min((rate for rate, each in self.settled.items() if each.holds is Holds.MISSED), default=None)

    @property
    def ceiling(self) -> Probe | None:
        """The lowest rate above `held` that did not hold."""
        held = self.held or 0.0
        above = [each for rate, each in self.settled.items() if rate > held and each.holds is not Holds.HELD]
        return min(above, key=lambda each: each.rate, default=None)


def needed_requests(gates: tuple[Gate, ...], endpoints: tuple[Endpoint, ...]) -> int:
    """How many requests a clean run takes until each gate can pass: 2,995 for an error rate below 0.1 %."""
    weights = {each.name: each.weight for each in endpoints}
    total = sum(weights.values()) or 1
    most = 1
    for gate in gates:
        if gate.quantile is not None:
            count = _fewest(partial(_has_bound, gate.quantile))
        elif gate.metric == "error_rate":
            count = _fewest(partial(_can_pass, gate))
        else:
            continue
        share = weights.get(gate.endpoint, 0) / total if gate.endpoint else 1.0
        most = max(most, math.ceil(count / share) if share else 1)
    return most


def _has_bound(quantile: float, number: int) -> bool:
    return rank_bounds(quantile, number)[1] is not None


def _can_pass(gate: Gate, number: int) -> bool:
    return gate.holds(rate_bounds(0, number)[1])


def searchable(plan: Plan) -> Plan:
    """A plan whose gates a search can hold a rate against. Raises UsageError where one was asked for that it can't."""
    gates = tuple(gate for gate in plan.gates if gate.metric != "rps" and gate.metric not in DRIFTS)
    asked = [gate for gate in plan.gates if gate not in gates and gate.asked]
    if asked:
        raise UsageError(f"`{asked[0]}` says nothing of a short probe", help="search with gates of latency and errors")
    return dataclasses.replace(plan, gates=gates, abort=(*plan.abort, *filter(None, map(_hopeless, gates))))


def _hopeless(gate: Gate) -> Gate | None:
    if gate.metric == "error_rate":
        return dataclasses.replace(gate, target=min(0.5, gate.target * _HOPELESS["error_rate"]))
    if gate.quantile is not None:
        return dataclasses.replace(gate, target=gate.target * _HOPELESS["percentile"])
    return None


def plan_at(plan: Plan, rate: float, seconds: float, warm_up: float, users: int | None = None) -> Plan:
    """The plan of one probe: so many arrivals a second, measured for `seconds`.

    `users` is how many requests may be under way at once; by default twice as many as the latency gates let be.
    """
    slowest = max([1000.0, *(gate.target for gate in plan.gates if gate.quantile is not None)]) / 1000
    most = users or min(MAX_USERS, max(_FEWEST_USERS, plan.processes, math.ceil(rate * slowest * 2)))
    scenario = dataclasses.replace(
        plan.scenario,
        name=f"capacity, {rate:g}/s",
        stages=(Stage(warm_up + seconds, most, rate=rate),),
        by_stage=False,
    )
    return dataclasses.replace(plan, scenario=scenario, warm_up=warm_up)


def to_probe(rate: float, result: Result) -> Probe:
    """A judged run as what it says of its rate."""
    run, series = result.run, result.run.whole.overall
    holds = {Outcome.PASS: Holds.HELD, Outcome.FAIL: Holds.MISSED}.get(result.verdict, Holds.OPEN)
    open_gate = any(each.outcome is Outcome.INCONCLUSIVE for each in result.gates)
    if holds is Holds.OPEN and (run.generator.saturated or (run.generator.dropped and not open_gate)):
        holds = Holds.LIMITED
    return Probe(
        rate=rate,
        seconds=run.whole.seconds,
        holds=holds,
        reason="; ".join(
            [f"{each.gate}: {each.reason}" for each in result.gates if each.outcome is Outcome.FAIL]
            if holds is Holds.MISSED and not run.aborted and series.ok
            else result.reasons
        ),
        requests=series.total,
        rps=series.ok / run.whole.seconds if run.whole.seconds > 0 else None,
        p95=series.latency.quantile(0.95),
        error_rate=series.error_rate,
        cpu=run.whole.cpu,
        headroom=max(0.0, 1 - run.generator.mean_cpu),
        answered=bool(series.ok),
        interrupted=run.interrupted,
    )


def search(
    limits: Limits,
    needed: int,
    probe: Callable[[float, float], Probe],
    *,
    clock: Callable[[], float] = time.monotonic,
    rest: Callable[[float], object] = time.sleep,
) -> Capacity:
    """Search. `probe` is called with a rate and the seconds to measure; `needed` requests let the gates pass.

    Raises ToolError where the first probe can't be carried out; that of a later one is in the result, beside what is
    known by then.
    """
    found = Capacity()
    hunt = _Hunt(limits, needed, probe, found, clock, rest)
    try:
        hunt.bracket_and_halve()
    except _Over as over:
        found.verdict, found.said = over.verdict, over.why
    except ToolError as error:
        if not found.probes:
            raise
        found.error, found.said = error, f"{hunt.known()}: {error.what}"
    found.seconds = clock() - hunt.began
    return found


class _Over(Exception):  # noqa: N818 - no error: the search has its answer
    def __init__(self, verdict: Outcome, why: str) -> None:
        super().__init__(why)
        self.verdict, self.why = verdict, why


@dataclass(slots=True)
class _Hunt:
    limits: Limits
    needed: int
    probe: Callable[[float, float], Probe]
    found: Capacity
    clock: Callable[[], float]
    rest: Callable[[float], object]
    began: float = 0.0

    def bracket_and_halve(self) -> None:
        """End with _Over, always."""
        self.began = self.clock()
        limits, found = self.limits, self.found
        first = self.settle(self.fit(limits.start or self.needed * _ROOM / limits.probe))
        if not first.answered:
            self.still_there(first)
        while found.held is None:
            lowest = min(found.settled)
            if lowest <= limits.lowest:
                self.below(found.settled[lowest])
            self.settle(self.fit(lowest / 2))
        while found.ceiling is None:
            if found.held >= limits.highest:
                self.check_again()
                raise _Over(Outcome.PASS, f"at least {found.held:g}/s: the highest rate that was to be tried held")
            self.settle(self.fit(found.held * 2))
        for middle in self.middles():
            self.settle(middle)
        self.check_again()
        self.conclude()

    def fit(self, rate: float) -> float:
        """A rate people can read, within the limits."""
        return min(max(_nice(rate), self.limits.lowest), self.limits.highest)

    def middles(self) -> Iterator[float]:
        """The next rate to try, while there is one: the geometric middle of what held and what did not."""
        while True:
            held, ceiling = self.found.held, self.found.ceiling
            if held is None:
                raise _Over(Outcome.INCONCLUSIVE, "no rate holds any more: the target changed while it was searched")
            if ceiling is None or ceiling.rate - held <= self.limits.tolerance * ceiling.rate:
                return
            middle = _nice(math.sqrt(held * ceiling.rate))
            if not held < middle < ceiling.rate:
                return
            yield middle

    def settle(self, rate: float) -> Probe:
        """Try a rate until it is said what it holds: what did not hold again, an open one for longer."""
        seconds = max(self.limits.probe, self.needed * _ROOM / rate)
        probes = [self.try_for(rate, seconds)]
        if not probes[0].answered and self.found.held is not None:
            self.still_there(probes[0])
        for _ in range(_LONGER):
            if probes[0].holds is Holds.MISSED and probes[0].answered:
                if len([each for each in probes if each.holds is Holds.MISSED]) > 1:
                    break
            elif probes[-1].holds is Holds.OPEN:
                seconds *= 2
            elif probes[-1].holds is not Holds.LIMITED or len(probes) > 1:
                break
            if not self.time_for(seconds):
                break
            probes.append(self.try_for(rate, seconds))
        return _settle(probes)

    def still_there(self, last: Probe) -> None:
        """Whether a target that answered nothing answers a request a second: a dead one has no capacity."""
        asked = self.try_for(_ASKED, self.limits.probe, only_asked=True)
        if not asked.answered:
            no_longer = "not" if self.found.held is None else "no longer"
            raise _Over(
                Outcome.FAIL,
                f"the target does {no_longer} answer, neither {last.rate:g} requests a second nor one after that: "
                f"{asked.reason or last.reason}",
            )

    def check_again(self) -> None:
        """Whether what held still holds, where a rate that did not came after it: overload can leave damage."""
        found, held = self.found, self.found.held
        last = found.probes[-1]
        if held is None or (last.rate == held and last.holds is Holds.HELD):
            return
        seconds = max(self.limits.probe, self.needed * _ROOM / held)
        if self.time_for(seconds) and self.settle(held).holds is Holds.MISSED:
            raise _Over(Outcome.INCONCLUSIVE, f"{held:g}/s held before, and no longer: the target did not recover")

    def try_for(self, rate: float, seconds: float, *, only_asked: bool = False) -> Probe:
        """One probe, if there is time for it."""
        if not self.time_for(seconds):
            longest, took = show_duration(self.limits.longest), show_duration(round(seconds + self.limits.warm_up))
            raise _Over(
                Outcome.INCONCLUSIVE,
                f"{self.known()}: the next probe, {took} at {rate:g}/s, would end after the {longest} allowed",
            )
        if self.found.probes:
            self.rest(self.limits.pause)
        made = dataclasses.replace(self.probe(rate, seconds), only_asked=only_asked)
        self.found.probes.append(made)
        if made.interrupted:
            self.found.interrupted = True
            raise _Over(Outcome.INCONCLUSIVE, f"{self.known()}: the search was interrupted")
        return made

    def time_for(self, seconds: float) -> bool:
        """Whether a probe that measures so long ends in time."""
        return self.clock() - self.began + self.limits.warm_up + seconds <= self.limits.longest

    def below(self, lowest: Probe) -> None:
        """Not even the lowest rate held."""
        if lowest.holds is Holds.MISSED:
            raise _Over(
                Outcome.FAIL, f"below {lowest.rate:g}/s: the lowest rate that was tried missed: {lowest.reason}"
            )
        raise _Over(Outcome.INCONCLUSIVE, f"nothing is known, not even of {lowest.rate:g}/s: {lowest.reason}")

    def known(self) -> str:
        """What is known so far, in words."""
        held, missed = self.found.held, self.found.missed
        if held is None:
            return "nothing held so far" if missed is None else f"below {missed:g}/s"
        return f"at least {held:g}/s" if missed is None else f"between {held:g} and {missed:g}/s"

    def conclude(self) -> None:
        """The rates have met."""
        ceiling = self.found.ceiling
        if ceiling is None or ceiling.holds is Holds.MISSED:
            raise _Over(Outcome.PASS, self.known())
        if ceiling.holds is Holds.LIMITED:
            raise _Over(
                Outcome.INCONCLUSIVE,
                f"{self.known()}; the generator is the limit at {ceiling.rate:g}/s: {ceiling.reason}",
            )
        raise _Over(Outcome.INCONCLUSIVE, f"{self.known()}; {ceiling.rate:g}/s is open: {ceiling.reason}")


def _settle(probes: list[Probe]) -> Probe:
    """The probe that speaks for a rate."""
    missed = [each for each in probes if each.holds is Holds.MISSED]
    held = [each for each in probes if each.holds is Holds.HELD]
    if len(missed) > len(held):
        return missed[-1]
    return held[-1] if held else probes[-1]


def _fewest(enough: Callable[[int], bool]) -> int:
    """The lowest number that is enough."""
    low, high = 1, 1
    while not enough(high):
        low, high = high + 1, high * 2
        if high > _MOST_REQUESTS:
            return _MOST_REQUESTS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _nice(rate: float) -> float:
    """Three significant digits: rates that people can read."""
    return float(f"{rate:.3g}")
