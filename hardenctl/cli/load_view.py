"""How a load run looks while it lasts, and what came of it: a live panel on a terminal, plain lines in a pipe or CI."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from hardenctl.cli.load_compare import comparison
from hardenctl.load.duration import show_duration
from hardenctl.load.measure import Point
from hardenctl.load.run import Run
from hardenctl.report.style import Look, visible, wrap

PLAIN_EVERY = 5.0  # seconds between two lines off a terminal
_BARS = "▁▂▃▄▅▆▇█"
_RECENT = 10  # points (5 s) that the figures of the live view cover
_COLOURS = {"pass": "green", "fail": "red", "inconclusive": "ochre", "not measured": "grey"}
_MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "not measured": "-"}


@contextmanager
def watching(*, wanted: bool = True) -> Iterator[Callable[[Run, Point], None] | None]:
    """Give a function to call with each new point of a run; it draws on standard error."""
    if not wanted:
        yield None
    elif sys.stderr.isatty() and not os.environ.get("CI"):
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
            yield lambda run, point: live.update(Text("\n".join(frame(run, point))), refresh=True)
    else:
        yield _Lines(sys.stderr).show


class _Lines:
    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.due = 0.0

    def show(self, run: Run, point: Point) -> None:
        """One line every few seconds."""
        now = time.monotonic()
        if now >= self.due:
            self.due = now + PLAIN_EVERY
            self.stream.write(one_line(run, point) + "\n")
            self.stream.flush()


def one_line(run: Run, point: Point) -> str:
    """The state of a run in one line of plain text."""
    figures = _figures(run)
    phase = "" if point.measured else "  (warm-up)"
    stage = f"stage {point.stage + 1}/{len(run.plan.scenario.stages)}"
    return (
        f"{point.at:7.1f} s  {stage}  {point.users} users  {figures['rps']:.1f} requests/s  "
        f"p50 {_ms(figures['p50'])}  p95 {_ms(figures['p95'])}  p99 {_ms(figures['p99'])}  "
        f"{run.whole.overall.failed:,} errors{_cpu(point)}{_workers(run)}{phase}"
    )


def frame(run: Run, point: Point) -> Sequence[str]:
    """The lines of the live view."""
    scenario, figures = run.plan.scenario, _figures(run)
    series = run.whole.overall
    left = max(0.0, scenario.seconds - point.at)
    phase = "measuring" if point.measured else "warming up (not counted)"
    generator = f"  generator CPU {run.generator.cpu[-1]:.0%}" if run.generator.cpu else ""
    generator += f"  {run.generator.dropped:,} arrivals dropped" if run.generator.dropped else ""
    rate = f"{series.error_rate:.2%}" if series.error_rate is not None else "-"
    return (
        f"{visible(scenario.name)} against {visible(run.plan.target.url)}: {phase}, {show_duration(round(left))} left",
        f"  stage {point.stage + 1}/{len(scenario.stages)}  {point.users} users{_workers(run)}",
        f"  {figures['rps']:8.1f} requests/s  {sparkline([each.rps for each in run.timeline], 40)}",
        f"  p50 {_ms(figures['p50'])}  p95 {_ms(figures['p95'])}  p99 {_ms(figures['p99'])}",
        f"  {series.total:,} requests  {series.failed:,} errors ({rate}){_cpu(point)}{generator}",
        "  Ctrl-C stops and reports, a second one kills",
    )


def sparkline(values: Sequence[float], width: int) -> str:
    """The last values as bars, the highest being full."""
    recent = values[-width:]
    most = max(recent, default=0) or 1
    return "".join(_BARS[min(len(_BARS) - 1, int(value / most * len(_BARS)))] for value in recent)


def summary(document: Mapping[str, Any], look: Look) -> str:
    """What came of a run, for people."""
    metrics, verdict = document["metrics"], document["verdict"]
    latency = metrics["latency_ms"]
    lines = [
        look.paint(f"load {document['scenario']}", bold=True) + f"  {document['target']['url']}",
        (
            f"  {metrics['requests']:,} requests in {show_duration(round(document['measured_seconds'], 1))} after "
            f"{show_duration(document['warm_up_seconds'])} of warm-up: {metrics['rps'] or 0:,.1f} a second, "
            f"{metrics['failures']:,} failed"
        ),
        f"  p50 {_ms(latency['p50'])}  p95 {_ms(latency['p95'])}  p99 {_ms(latency['p99'])}  "
        f"max {_ms(latency['max'])}" + (f"  target CPU {document['cpu']:.0%}" if document["cpu"] is not None else ""),
        "",
        *_endpoints(document, look),
        *_gates(document, look),
        *_errors(metrics, look),
        *(comparison(document["baseline"], look) if document.get("baseline") else ()),
    ]
    if document["held_users"] is not None:
        lines.append(f"  the targets held up to {document['held_users']} users")
    generator = document["generator"]
    free = f"  generator: {generator['headroom']:.0%} of a CPU free in each of its processes"
    dropped = f"; {generator['dropped_arrivals']:,} arrivals dropped" if document["model"] == "open" else ""
    lines.append(look.dim(free + dropped))
    for note in document["notes"]:
        lines += [look.dim("  " + part) for part in wrap(f"note: {visible(note)}", look.width - 2)]
    words = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}[verdict]
    ended = " (interrupted)" if document["interrupted"] else ""
    lines += ["", look.paint(f"{words}{ended}", _COLOURS[verdict], bold=True)]
    for reason in document["reasons"]:
        lines += ["  " + part for part in wrap(visible(reason), look.width - 2)]
    return look.final("\n".join(lines) + "\n")


def _endpoints(document: Mapping[str, Any], look: Look) -> Iterator[str]:
    width = max([8, *(len(visible(name)) for name in document["endpoints"])])
    width = min(width, max(12, look.width - 50))
    yield look.dim(f"  {'endpoint':<{width}} {'requests':>9} {'failed':>7} {'p50':>9} {'p95':>9} {'p99':>9}")
    for name, each in document["endpoints"].items():
        latency = each["latency_ms"]
        yield (
            f"  {visible(name)[:width]:<{width}} {each['requests']:>9,} {each['failures']:>7,} "
            f"{_ms(latency['p50']):>9} {_ms(latency['p95']):>9} {_ms(latency['p99']):>9}"
        )
    yield ""


def _gates(document: Mapping[str, Any], look: Look) -> Iterator[str]:
    for gate in document["gates"]:
        outcome = gate["outcome"]
        mark = _MARKS[outcome] if look.unicode else outcome
        shown = f"{visible(gate['gate']):<24} {gate['shown']:>10}  "
        yield look.paint(f"  {mark} {shown}", _COLOURS[outcome]) + look.dim(visible(gate["reason"]))
    yield ""


def _errors(metrics: Mapping[str, Any], look: Look) -> Iterator[str]:
    for kind, count in list(metrics["errors"].items())[:8]:
        yield look.paint(f"  {count:>9,} x {visible(kind)}", "red")
    if metrics["errors"]:
        yield ""


def _figures(run: Run) -> dict[str, Any]:
    """Rate and percentiles of the last seconds: the newest point with requests, the rate over a few points."""
    recent = run.timeline[-_RECENT:]
    newest = next((each for each in reversed(recent) if each.p50 is not None), None)
    rate = sum(each.rps for each in recent) / len(recent) if recent else 0.0
    return {"rps": rate, **{key: getattr(newest, key) if newest else None for key in ("p50", "p95", "p99")}}


def _workers(run: Run) -> str:
    """How many machines make the load, and how many no longer do."""
    if not run.workers:
        return ""
    lost = sum(each.lost is not None for each in run.workers.values())
    return f"  {len(run.workers) - lost} workers" + (f", {lost} lost" if lost else "")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms" if value < 1000 else f"{value / 1000:,.2f} s"  # noqa: PLR2004 - a second


def _cpu(point: Point) -> str:
    return "" if point.cpu is None else f"  target CPU {point.cpu:.0%}"
