"""Latency histograms that keep three significant digits and add up exactly.

A value is a whole number of microseconds. Below 4,096 µs each has its own bucket; above, buckets get wider with the
value, so that none is wider than 1/2,048 (0.05 %) of what it holds. Locust's own percentiles keep two digits: any p95
from 295 to 305 ms reads 300, which is just where the gate stands.

The generator and its parent both use this module, so it imports nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

HALF = 2048
_BITS = 12


def bucket_of(milliseconds: float) -> int:
    """The bucket of a latency. Negative latencies (a clock that was set back) count as 0."""
    value = int(milliseconds * 1000)
    if value < HALF * 2:
        return max(value, 0)
    shift = value.bit_length() - _BITS
    return shift * HALF + (value >> shift)


def edges(bucket: int) -> tuple[float, float]:
    """The lowest and the highest latency of a bucket in milliseconds; the highest is exclusive."""
    shift = max(0, bucket // HALF - 1)
    low = (bucket - shift * HALF) << shift
    return low / 1000, (low + (1 << shift)) / 1000


class Histogram:
    """Counts by bucket. Merging loses nothing: it adds."""

    __slots__ = ("counts", "total")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self.counts: dict[int, int] = {}
        self.total = 0
        self.add(pairs)

    def record(self, milliseconds: float) -> None:
        """Count one latency."""
        bucket = bucket_of(milliseconds)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.total += 1

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add (bucket, count) pairs, another histogram's for instance."""
        for bucket, count in pairs:
            self.counts[bucket] = self.counts.get(bucket, 0) + count
            self.total += count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The (bucket, count) pairs, lowest first."""
        return iter(sorted(self.counts.items()))

    def bucket_at(self, rank: int) -> int:
        """The bucket that holds the value of a rank, 1 being the smallest. Raises ValueError where there is none."""
        if not 1 <= rank <= self.total:
            raise ValueError(f"no value has rank {rank} of {self.total}")
        seen = 0
        for bucket, count in self:
            seen += count
            if seen >= rank:
                return bucket
        raise AssertionError  # pragma: no cover - the ranks up to `total` are all in a bucket

    def quantile(self, fraction: float) -> float | None:
        """The latency below or at which this fraction lies, in milliseconds: the middle of its bucket."""
        if not self.total:
            return None
        rank = min(self.total, max(1, -int(-fraction * self.total // 1)))
        return sum(edges(self.bucket_at(rank))) / 2

    @property
    def mean(self) -> float | None:
        """The mean in milliseconds."""
        if not self.total:
            return None
        return sum(sum(edges(bucket)) / 2 * count for bucket, count in self.counts.items()) / self.total

    @property
    def maximum(self) -> float | None:
        """The upper edge of the highest bucket in milliseconds."""
        return edges(max(self.counts))[1] if self.counts else None
