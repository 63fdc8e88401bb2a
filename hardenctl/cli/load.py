"""`hardenctl load`: Locust scenarios against a target, under gates that cannot lie."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hardenctl.cli import load_capacity
from hardenctl.cli.auditing import show
from hardenctl.cli.load_compare import EPILOG, Baselines, compare_results
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
from hardenctl.load.builtin import BUILTIN
from hardenctl.load.document import WRITERS, to_document
from hardenctl.load.duration import parse_duration, show_duration
from hardenctl.load.evidence import store_evidence
from hardenctl.load.interrupts import Interrupts
from hardenctl.load.outputs import check_outputs, read_document, write_outputs
from hardenctl.load.plan import Master
from hardenctl.load.prepare import Wishes, prepare
from hardenctl.load.run import run as run_plan
from hardenctl.load.verdict import INTERRUPTED, conclude
from hardenctl.load.watch import Watched
from hardenctl.load.worker import WorkerWishes, parse_address, serve
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.policy.load import load_policy
from hardenctl.report.style import look_of

app = typer.Typer(help="Load tests with Locust, judged by gates.", no_args_is_help=True, rich_markup_mode=None)

_EXIT_CODES = "Exit codes: 0 passed, 1 a gate failed, 2 could not run, 3 inconclusive, 130 interrupted."


app.command("compare", epilog=EPILOG)(compare_results)
app.command("capacity", epilog=load_capacity.EPILOG)(load_capacity.capacity)


@app.command("list")
def list_scenarios() -> None:
    """The built-in scenarios and their targets."""
    settings = load_policy(Path()).settings.load
    lines = [
        f"{each.name:<8} {show_duration(each.seconds):>11}  up to {each.users:>5,} users  {each.summary}"
        for each in BUILTIN
    ]
    targets = f"p95<{settings.p95_ms:g}ms, error_rate<{settings.error_rate * 100:g}%, cpu<{settings.cpu:.0%}"
    drift = f"memory_drift<{settings.memory_drift * 100:g}%/h, latency_drift<{settings.latency_drift * 100:g}%/h"
    lines += ["", f"targets: {targets} with --target-pid; peak also rps>={settings.rps:g}; soak also {drift}"]
    show("\n".join(lines) + "\n")


@app.command("report")
def report(
    file: Annotated[Path, typer.Argument(metavar="RESULT.json", help="What `load run --output json=FILE` wrote.")],
    format: Annotated[  # noqa: A002 - the option's name
        str, typer.Option(metavar="FORMAT", help="full, json, markdown, junit or html.")
    ] = "html",
) -> None:
    """Print a stored result in another format; HTML is one page without script or network."""
    if format != "full" and format not in WRITERS:
        raise UsageError(f"there is no format `{format}`", help=f"formats: full, {', '.join(WRITERS)}")
    document = read_document(file)
    from hardenctl.cli.load_view import summary

    show(summary(document, look_of(sys.stdout)) if format == "full" else WRITERS[format](document))


def _keep(document: Mapping[str, Any]) -> None:
    """Store the result in the project of the current folder. Not being able to doesn't change what the run came to."""
    try:
        stored = store_evidence(Path.cwd(), document)
    except ToolError as error:
        sys.stderr.write(f"warning: not stored as evidence: {error.what}\n")
    else:
        if stored:
            sys.stderr.write(f"stored as evidence, to be committed: {stored}\n")


@app.command("run", epilog=_EXIT_CODES)
def run_scenario(
    *,
    host: Annotated[
        str | None, typer.Option("--host", metavar="URL", help="The target, as http://127.0.0.1:8000. Required.")
    ] = None,
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="normal, peak, stress, spike or soak.")] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="SCENARIO.yaml", help="Your own scenario, or endpoints for --scenario.")
    ] = None,
    users: Annotated[int | None, typer.Option(metavar="N", min=1, help="The most users at once.")] = None,
    spawn_rate: Annotated[float | None, typer.Option(metavar="N", help="Users started per second.")] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="Open model: N arrivals a second, whatever the target does.")
    ] = None,
    run_time: Annotated[str | None, typer.Option(metavar="DURATION", help="The whole run, as 30s or 5m.")] = None,
    warm_up: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Not counted. [default: a tenth of the run, 30s at most]")
    ] = None,
    scale: Annotated[float, typer.Option(metavar="FACTOR", help="Multiply users and rates.")] = 1.0,
    gate: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE", help="As 'p95<300ms', 'rps>=500'; replaces the scenario's own. Repeatable."),
    ] = None,
    locustfile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Run your own Locust file under these gates (executes it).")
    ] = None,
    openapi: OpenApi = None,
    har: Har = None,
    har_host: HarHost = None,
    target_pid: TargetPid = None,
    target_port: TargetPort = None,
    target_container: TargetContainer = None,
    target_prometheus: TargetPrometheus = None,
    cpu_query: CpuQuery = None,
    memory_query: Annotated[
        str | None, typer.Option(metavar="PROMQL", help="The bytes of memory that the target uses.")
    ] = None,
    processes: Processes = 1,
    master: Annotated[
        bool, typer.Option("--master", help="Lead workers on other machines instead of making load here.")
    ] = False,
    worker: Annotated[
        bool, typer.Option("--worker", help="Make load for a master; scenario and target come from there.")
    ] = False,
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the master listens, or is to be found by a worker.")
    ] = "127.0.0.1:5557",
    expect_workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="Workers that the master waits for before it begins.")
    ] = 1,
    baseline: Annotated[
        str | None, typer.Option(metavar="NAME", help="Compare with this baseline; slower is a failed gate.")
    ] = None,
    save_baseline: Annotated[
        str | None, typer.Option(metavar="NAME", help="Add the run to this baseline; five runs make a good one.")
    ] = None,
    confirm_host: ConfirmHost = None,
    config: Config = None,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="full, json, markdown, junit or html.")] = "full",  # noqa: A002 - the option's name
    output: Output = None,
    no_evidence: Annotated[
        bool, typer.Option("--no-evidence", help="Keep no result in this project's .hardenctl/load.")
    ] = False,
    no_progress: NoProgress = False,
) -> int:
    """Load a target and judge it. Network: that host only."""
    if format != "full" and format not in WRITERS:
        raise UsageError(f"there is no format `{format}`", help=f"formats: full, {', '.join(WRITERS)}")
    outputs = check_outputs(output or ())
    settings = load_policy(Path(), config).settings.load
    where = parse_address(address)
    if worker:
        if master or host is not None:
            raise UsageError("--worker goes with neither --master nor --host", help="both are the master's to say")
        work = WorkerWishes(where, processes, confirm_host, locustfile)
        return serve(work, settings, lambda text: sys.stderr.write(f"{text}\n"))
    if host is None:
        raise UsageError("there is no target", help="name it with --host http://127.0.0.1:8000")
    wishes = Wishes(
        host=host,
        scenario=scenario,
        file=file,
        users=users,
        spawn_rate=spawn_rate,
        rate=rate,
        seconds=parse_duration(run_time) if run_time is not None else None,
        warm_up=parse_duration(warm_up) if warm_up is not None else None,
        scale=scale,
        gates=tuple(gate or ()),
        locustfile=locustfile,
        openapi=openapi,
        har=har,
        har_host=har_host,
        watched=Watched(target_pid, target_port, target_container, target_prometheus, cpu_query, memory_query),
        processes=processes,
        master=Master(*where, expect_workers) if master else None,
        confirm_host=confirm_host,
    )
    from hardenctl.cli.load_view import summary, watching

    baselines = Baselines.of(baseline, save_baseline)
    with Interrupts() as interrupts:
        plan = prepare(wishes, settings)
        baselines.check(plan)
        if master:
            sys.stderr.write(f"waiting for {expect_workers} workers at {address}\n")
        with watching(wanted=not no_progress) as on_point:
            result = conclude(run_plan(plan, on_point, interrupts))
        document = baselines.judge(to_document(result))
        try:
            write_outputs(outputs, document)
        finally:  # what the run came to is seen and kept whatever became of the files
            try:
                show(summary(document, look_of(sys.stdout)) if format == "full" else WRITERS[format](document))
            finally:
                if not no_evidence:
                    _keep(document)
                baselines.keep(document)
    return INTERRUPTED if interrupts.came else int(document["exit_code"])
