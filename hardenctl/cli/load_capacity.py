"""`hardenctl load capacity`: the highest rate at which a target holds its gates."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hardenctl.cli.auditing import show
from hardenctl.cli.load_options import (
    Config,
    ConfirmHost,
    CpuQuery,
    Har,
    HarHost,
    NoProgress,
    OpenApi,
    Output,
    Processes,
    TargetContainer,
    TargetPid,
    TargetPort,
    TargetPrometheus,
)
from hardenctl.load.capacity import Holds, Limits, Probe, needed_requests, plan_at, search, searchable, to_probe
from hardenctl.load.capacity_document import WRITERS, called, to_document
from hardenctl.load.duration import parse_duration, show_duration
from hardenctl.load.interrupts import Interrupts
from hardenctl.load.outputs import check_outputs, write_outputs
from hardenctl.load.plan import Plan
from hardenctl.load.prepare import Wishes, prepare
from hardenctl.load.run import run as run_plan
from hardenctl.load.scenario import MAX_RATE, MAX_SECONDS, MAX_USERS
from hardenctl.load.verdict import INTERRUPTED, conclude
from hardenctl.load.watch import Watched
from hardenctl.model.errors import UsageError
from hardenctl.policy.load import load_policy
from hardenctl.report.style import Look, look_of, visible, wrap

EPILOG = (
    "Exit codes: 0 found, 1 the lowest rate missed or the target died, 2 could not run, 3 inconclusive "
    "(the generator or the time was the limit), 130 interrupted."
)
_MARKS = {
    Holds.HELD: ("✓", "green"),
    Holds.MISSED: ("✗", "red"),
    Holds.LIMITED: ("!", "ochre"),
    Holds.OPEN: ("?", "ochre"),
}
_VERDICTS = {"pass": ("green", "found"), "fail": ("red", "failed"), "inconclusive": ("ochre", "inconclusive")}


def capacity(
    *,
    host: Annotated[str, typer.Option("--host", metavar="URL", help="The target, as http://127.0.0.1:8000.")],
    file: Annotated[
        Path | None, typer.Option(metavar="SCENARIO.yaml", help="Endpoints, authentication and targets from there.")
    ] = None,
    start: Annotated[
        float | None,
        typer.Option(metavar="N", help="The first rate. [default: where a probe is just long enough to tell]"),
    ] = None,
    lowest: Annotated[float, typer.Option(metavar="N", help="The lowest rate to try.")] = 1.0,
    highest: Annotated[float, typer.Option(metavar="N", help="The highest rate to try.")] = MAX_RATE,
    tolerance: Annotated[
        str, typer.Option(metavar="SHARE", help="How close what held and what missed have to come.")
    ] = "10%",
    probe_time: Annotated[
        str, typer.Option(metavar="DURATION", help="Measured in each probe; longer where the gates need it.")
    ] = "15s",
    warm_up: Annotated[str, typer.Option(metavar="DURATION", help="Before each probe, not counted.")] = "5s",
    max_time: Annotated[
        str, typer.Option(metavar="DURATION", help="No probe begins that would end later than this.")
    ] = "20m",
    users: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=MAX_USERS, help="Requests under way at once. [default: what the rate needs, twice]"
        ),
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE", help="As 'p95<300ms'; replaces the scenario's own. Repeatable."),
    ] = None,
    openapi: OpenApi = None,
    har: Har = None,
    har_host: HarHost = None,
    target_pid: TargetPid = None,
    target_port: TargetPort = None,
    target_container: TargetContainer = None,
    target_prometheus: TargetPrometheus = None,
    cpu_query: CpuQuery = None,
    processes: Processes = 1,
    confirm_host: ConfirmHost = None,
    config: Config = None,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="full, json, markdown or junit.")] = "full",  # noqa: A002 - the option's name
    output: Output = None,
    no_progress: NoProgress = False,
) -> int:
    """Search the highest rate that a target holds its gates at. Network: that host only."""
    if format != "full" and format not in WRITERS:
        raise UsageError(f"there is no format `{format}`", help=f"formats: full, {', '.join(WRITERS)}")
    outputs = check_outputs(output or (), WRITERS)
    limits = _limits(start, lowest, highest, tolerance, (probe_time, warm_up, max_time))
    settings = load_policy(Path(), config).settings.load
    wishes = Wishes(
        host=host,
        file=file,
        rate=limits.start or limits.lowest,
        seconds=limits.warm_up + limits.probe,
        warm_up=limits.warm_up,
        users=users or MAX_USERS,
        gates=tuple(gate or ()),
        openapi=openapi,
        har=har,
        har_host=har_host,
        watched=Watched(target_pid, target_port, target_container, target_prometheus, cpu_query),
        processes=processes,
        confirm_host=confirm_host,
    )
    with Interrupts() as interrupts:
        plan = searchable(prepare(wishes, settings))
        started = dt.datetime.now(tz=dt.UTC)
        needed = needed_requests(plan.gates, plan.scenario.endpoints)
        probe = _prober(plan, limits, users, interrupts, wanted=not no_progress)
        found = search(limits, needed, probe, rest=lambda seconds: _rest(seconds, interrupts))
        document = to_document(found, plan, limits, started)
        try:
            write_outputs(outputs, document, WRITERS)
        finally:  # what it came to is seen whatever became of the files
            show(summary(document, look_of(sys.stdout)) if format == "full" else WRITERS[format](document))
    if found.error:
        raise found.error
    return INTERRUPTED if interrupts.came else int(document["exit_code"])


def summary(document: Mapping[str, Any], look: Look) -> str:
    """What came of a search, for people."""
    gates = ", ".join(map(str, document["gates"]))
    lines = [
        look.paint("load capacity", bold=True) + f"  {document['target']['url']}  {visible(gates)}",
        "",
        look.dim(f"    {'rate':>8}  {'holds':<17} {'requests/s':>10} {'p95':>10} {'errors':>8} {'CPU':>5}"),
        *_probes(document, look),
        "",
    ]
    for note in document["notes"]:
        lines += [look.dim("  " + part) for part in wrap(f"note: {visible(note)}", look.width - 2)]
    colour, words = _VERDICTS[document["verdict"]]
    took = show_duration(round(document["seconds"]))
    ended = " (interrupted)" if document["interrupted"] else ""
    lines.append(look.paint(f"{words}{ended}", colour, bold=True) + f" in {took}")
    lines += ["  " + part for part in wrap(visible(document["said"]), look.width - 2)]
    return look.final("\n".join(lines) + "\n")


def _probes(document: Mapping[str, Any], look: Look) -> Iterator[str]:
    for probe in document["probes"]:
        holds = Holds(probe["holds"])
        mark, colour = _MARKS[holds]
        figures = (
            _figure(probe["rps"], "{:,.1f}", 10),
            _figure(probe["p95_ms"], "{:,.1f} ms", 10),
            _figure(probe["error_rate"], "{:.2%}", 8),
            _figure(probe["cpu"], "{:.0%}", 5),
        )
        row = f"{probe['rate']:>8g}  {called(probe):<17} {' '.join(figures)}"
        yield look.paint(f"  {mark if look.unicode else ' '} ", colour) + row
        if probe["reason"] and holds is not Holds.HELD:
            yield from (look.dim("      " + part) for part in wrap(visible(probe["reason"]), look.width - 6))


def _figure(value: float | None, form: str, width: int) -> str:
    return ("-" if value is None else form.format(value)).rjust(width)


def _prober(
    plan: Plan, limits: Limits, users: int | None, interrupts: Interrupts, *, wanted: bool
) -> Callable[[float, float], Probe]:
    """What carries out one probe."""
    from hardenctl.cli.load_view import watching

    def probe(rate: float, seconds: float) -> Probe:
        if interrupts.came:
            return Probe(rate, 0.0, Holds.OPEN, "interrupted", interrupted=True)
        with watching(wanted=wanted) as on_point:
            run = run_plan(plan_at(plan, rate, seconds, limits.warm_up, users), on_point, interrupts)
        made = to_probe(rate, conclude(run))
        if wanted:
            sys.stderr.write(f"{rate:g}/s: {made.holds.value}{f' ({made.reason})' if made.reason else ''}\n")
        return made

    return probe


def _rest(seconds: float, interrupts: Interrupts) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not interrupts.came:
        time.sleep(0.05)


def _limits(start: float | None, lowest: float, highest: float, tolerance: str, times: tuple[str, str, str]) -> Limits:
    """The options as limits. Raises UsageError."""
    probe, warm_up, longest = map(parse_duration, times)
    if not 0 < lowest <= highest <= MAX_RATE:
        raise UsageError(
            f"--lowest must be above 0, and --highest between it and {MAX_RATE:,.0f}", help="rates are per second"
        )
    if start is not None and not lowest <= start <= highest:
        raise UsageError("--start must lie between --lowest and --highest", help="or leave it out")
    try:
        share = float(tolerance.removesuffix("%")) / (100 if tolerance.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0.005 <= share <= 1:  # noqa: PLR2004 - finer than rates are rounded to
        raise UsageError(f"--tolerance {tolerance} is no share between 0.5% and 100%", help="write it as 10%")
    if probe <= 0 or not warm_up + probe <= longest <= MAX_SECONDS:
        raise UsageError(
            "--max-time must hold a probe with its warm-up, and be 24 hours at most",
            help="use a longer --max-time or a shorter --probe-time",
        )
    return Limits(lowest, highest, share, probe, warm_up, longest, start)
