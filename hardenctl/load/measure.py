"""What was measured: counts and histograms by endpoint and by stage, added up from the generators' messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hardenctl.load.drift import Slices
from hardenctl.load.histogram import Histogram


@dataclass(slots=True)
class Series:
    """The requests of one endpoint, or of all. `latency` holds the successful ones only: fast errors flatter."""

    ok: int = 0
    failed: int = 0
    latency: Histogram = field(default_factory=Histogram)
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All finished requests."""
        return self.ok + self.failed

    @property
    def error_rate(self) -> float | None:
        """Failed of all, as a fraction; None without a request."""
        return self.failed / self.total if self.total else None

    def add(self, delta: Mapping[str, Any]) -> None:
        """Add a generator's delta for one endpoint."""
        self.ok += delta["ok"]
        self.failed += delta["failed"]
        self.latency.add((bucket, count) for bucket, count in delta["latency"])
        for kind, count in delta["errors"].items():
            self.errors[kind] = self.errors.get(kind, 0) + count


@dataclass(slots=True)
class Window:
    """A stretch of measured time: all endpoints together and each by name. `cpu` is the target's, a share of 1.

    `slices` are there where a whole run is looked through for drift.
    """

    seconds: float = 0.0
    overall: Series = field(default_factory=Series)
    endpoints: dict[str, Series] = field(default_factory=dict)
    cpu: float | None = None
    slices: Slices | None = None

    def add(self, endpoints: Mapping[str, Mapping[str, Any]]) -> None:
        """Add the deltas of one message."""
        for name, delta in endpoints.items():
            self.overall.add(delta)
            self.endpoints.setdefault(name, Series()).add(delta)

    def series(self, endpoint: str | None) -> Series:
        """The series of an endpoint, or of all; an empty one for an endpoint nobody asked."""
        return self.overall if endpoint is None else self.endpoints.get(endpoint, Series())


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of the timeline. Rates are per second, latencies in milliseconds.

    `cpu` is the target's share of 1, `memory` its bytes.
    """

    at: float
    stage: int
    users: int
    rps: float
    failed: float
    p50: float | None
    p95: float | None
    p99: float | None
    cpu: float | None
    measured: bool
    memory: float | None = None
