"""Watching the target while it is loaded: its CPU and memory, from its processes, its container or Prometheus.

    Watched (what the user named) -> open_watch() -> Watch.sample() -> Usage

A watch that loses its target says so in `problem`: a gate then reads "not measured" or inconclusive, never a figure of
the time before.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

from hardenctl.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Usage:
    """A moment's use. `cpu` is a share of 1 of the CPUs the target may use, `memory` in bytes; None is not known."""

    cpu: float | None = None
    memory: float | None = None


class Watch(Protocol):
    """Something that can be asked for the target's use, twice a second and without waiting."""

    about: str  # what is watched, for the report

    @property
    def problem(self) -> str:
        """Why there is nothing (more) to see; empty while there is."""

    def sample(self) -> Usage:
        """What the target used since the last call, or at its newest measurement."""

    def close(self) -> None:
        """Leave nothing running."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What to watch: at most one of a process, the process that listens on a port, a container, or Prometheus.

    With `prometheus` (a base URL), `cpu_query` is PromQL for a share of 1 and `memory_query` for bytes.
    """

    pid: int | None = None
    port: int | None = None
    container: str | None = None
    prometheus: str | None = None
    cpu_query: str | None = None
    memory_query: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError where options contradict one another."""
        ways = [each.name for each in fields(self)[:4] if getattr(self, each.name) is not None]
        if len(ways) > 1:
            named = " and ".join(f"--target-{name}" for name in ways)
            raise UsageError(f"{named} don't go together", help="name the target's CPU in one way")
        if self.prometheus is None and (self.cpu_query or self.memory_query):
            raise UsageError(
                "--cpu-query and --memory-query need --target-prometheus", help="name the server that they are asked of"
            )
        if self.prometheus is not None and not self.cpu_query:
            raise UsageError(
                "--target-prometheus needs --cpu-query",
                help="PromQL for the share of 1 that the target uses of its CPUs, as "
                "'sum(rate(process_cpu_seconds_total{job=\"web\"}[30s])) / 2' for a service of 2 CPUs",
            )


def open_watch(watched: Watched) -> Watch | None:
    """Begin to watch; None where nothing was named. Raises UsageError or ToolError where it cannot be."""
    if watched.pid is not None or watched.port is not None:
        from hardenctl.load.watch.processes import ProcessWatch, listeners

        if watched.pid is not None:
            return ProcessWatch([watched.pid], f"process {watched.pid} and its children")
        assert watched.port is not None  # noqa: S101 - one of the two is set
        roots = listeners(watched.port)
        return ProcessWatch(roots, f"what listens on port {watched.port} (process {', '.join(map(str, roots))})")
    if watched.container is not None:
        from hardenctl.load.watch.container import ContainerWatch

        return ContainerWatch(watched.container)
    if watched.prometheus is not None:
        from hardenctl.load.watch.prometheus import PrometheusWatch

        return PrometheusWatch(watched.prometheus, watched.cpu_query or "", watched.memory_query)
    return None
