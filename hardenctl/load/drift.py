"""Whether the target's memory or latency grows while the load stays the same: a slope per hour, and its bounds.

The measured time is cut into slices, and each becomes one value: of memory a low one (what a garbage collector leaves),
of latency its p95. The slope is the median of the slopes of all pairs (Theil 1950, Sen 1968), which growth in the first
fifth of a run, one jump or a bad slice don't move. Its bounds come from the Mann-Kendall statistic's variance, made
wider by what neighbouring slices have in common: memory that goes up and down in waves, or wanders, looks like growth
to a test that takes its samples as independent.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from hardenctl.load.histogram import Histogram

SLICES = 30  # of a run that is long enough
FEWEST = 10
_SHORTEST = 1.0  # seconds of a slice
_Z = statistics.NormalDist().inv_cdf(0.95)  # one-sided, as all bounds here
HOUR = 3600.0
_FEW_REQUESTS = 20  # a slice with fewer has no p95 to speak of
_MOST_ALIKE = 0.95
_WIDEST = (
    0.95  # of all pairs: what is smooth, as a leak is, has neighbours that are much alike, and all slopes are close
)


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth as a share of the level at the start, per hour, with its one-sided 95 % bounds.

    A bound is None where the slices don't give one. `start` and `end` are the fitted levels at both ends of the time
    looked at, of `seconds` in so many `slices`.
    """

    slope: float
    low: float | None
    high: float | None
    start: float
    end: float
    seconds: float
    slices: int


@dataclass(slots=True)
class Slices:
    """The time that drift is looked for in: from second `begins` to `ends`, in slices of `seconds`."""

    begins: float
    ends: float
    seconds: float
    latencies: dict[int, Histogram] = field(default_factory=dict)
    memories: dict[int, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, begins: float, ends: float) -> Slices:
        """Slices of a run's seconds."""
        return cls(begins, ends, max(_SHORTEST, (ends - begins) / SLICES))

    def latency_at(self, at: float) -> Histogram | None:
        """Where latencies of a moment belong; None where drift is not looked for."""
        return self.latencies.setdefault(self._slice(at), Histogram()) if self.begins <= at < self.ends else None

    def remember(self, at: float, memory: float) -> None:
        """Add what the target used at a moment."""
        if self.begins <= at < self.ends:
            self.memories.setdefault(self._slice(at), []).append(memory)

    def p95(self) -> list[tuple[float, float]]:
        """Seconds and p95 in milliseconds, one for each slice."""
        return [
            (self._middle(index), latency.quantile(0.95) or 0.0)
            for index, latency in sorted(self.latencies.items())
            if latency.total >= _FEW_REQUESTS
        ]

    def memory(self) -> list[tuple[float, float]]:
        """Seconds and bytes, one for each slice."""
        return [(self._middle(index), low_of(values)) for index, values in sorted(self.memories.items())]

    def _slice(self, at: float) -> int:
        return int((at - self.begins) / self.seconds)

    def _middle(self, index: int) -> float:
        return self.begins + (index + 0.5) * self.seconds


def low_of(values: Sequence[float]) -> float:
    """The value that a tenth of a slice's lies below: what is in use when nothing waits for the collector."""
    return sorted(values)[len(values) // 10]


def find_trend(samples: Sequence[tuple[float, float]]) -> Trend | None:
    """The trend of (seconds, value) samples, one for each slice; None of fewer than ten, or of nothing."""
    if len(samples) < FEWEST:
        return None
    slopes = sorted((after[1] - before[1]) / (after[0] - before[0]) for before, after in combinations(samples, 2))
    slope = statistics.median(slopes)
    level = statistics.median(value - slope * at for at, value in samples)
    first, last = samples[0][0], samples[-1][0]
    start, end = level + slope * first, level + slope * last
    if start <= 0:
        return None
    residuals = [value - level - slope * at for at, value in samples]
    reach = _Z * math.sqrt(_variance([value for _, value in samples]) * _alike(residuals))
    reach = min(reach, _WIDEST * len(slopes))
    below, above = math.floor((len(slopes) - reach) / 2) - 1, math.ceil((len(slopes) + reach) / 2)
    per_hour = HOUR / start
    return Trend(
        slope=slope * per_hour,
        low=slopes[below] * per_hour if below >= 0 else None,
        high=slopes[above] * per_hour if above < len(slopes) else None,
        start=start,
        end=end,
        seconds=last - first,
        slices=len(samples),
    )


def _variance(values: Sequence[float]) -> float:
    """Of the Mann-Kendall statistic, less what ties take from it."""
    counts: dict[float, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    ties = sum(count * (count - 1) * (2 * count + 5) for count in counts.values())
    number = len(values)
    return (number * (number - 1) * (2 * number + 5) - ties) / 18


def _alike(residuals: Sequence[float]) -> float:
    """How many times wider the variance is for what neighbours share: as of a first-order autoregression.

    A short series shows less of it than there is: Kendall's correction (1954) of (1 + 4r) / n puts it back.
    """
    ranks = _ranks(residuals)
    middle = statistics.fmean(ranks)
    spread = sum((rank - middle) ** 2 for rank in ranks)
    if not spread:
        return 1.0
    shared = sum((one - middle) * (other - middle) for one, other in pairwise(ranks)) / spread
    shared = min(_MOST_ALIKE, shared + (1 + 4 * shared) / len(ranks))
    return max(1.0, (1 + shared) / (1 - shared))


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks, equal values sharing the mean of theirs."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    ranks = [0.0] * len(values)
    position = 0
    while position < len(order):
        end = position
        while end + 1 < len(order) and values[order[end + 1]] == values[order[position]]:
            end += 1
        for index in order[position : end + 1]:
            ranks[index] = (position + end) / 2
        position = end + 1
    return ranks
