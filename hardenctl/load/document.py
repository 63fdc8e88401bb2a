"""The result of a run as JSON, version 1, and Markdown and JUnit made from that. None of them has seen a credential."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from hardenctl import __version__
from hardenctl.load.compare import metric_name, show_noise
from hardenctl.load.confidence import rank_bounds
from hardenctl.load.gates import GateResult, Outcome
from hardenctl.load.histogram import Histogram, edges
from hardenctl.load.html import to_html
from hardenctl.load.machine import machine
from hardenctl.load.measure import Series, Window
from hardenctl.load.verdict import Result

SCHEMA_VERSION = 1


def to_document(result: Result) -> dict[str, Any]:
    """The whole result, JSON-ready. Latencies in milliseconds, rates per second, shares of 1."""
    run, plan = result.run, result.run.plan
    scenario = plan.scenario
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "load",
        "tool": {"name": "hardenctl", "version": __version__},
        "scenario": scenario.name,
        "digest": plan.digest,
        "model": "open" if scenario.open_model else "closed",
        "target": {"url": plan.target.url, "addresses": list(plan.target.addresses)},
        "started": run.started.isoformat(timespec="seconds"),
        "verdict": result.verdict.value,
        "exit_code": result.exit_code,
        "reasons": list(result.reasons),
        "notes": list(result.notes),
        "interrupted": run.interrupted,
        "aborted": run.aborted or None,
        "held_users": result.held,
        "seconds": round(run.seconds, 3),
        "warm_up_seconds": round(plan.warm_up, 3),
        "measured_seconds": round(run.whole.seconds, 3),
        "warm_up_requests": run.warm_requests,
        "gates": [_gate(each) for each in result.gates],
        "metrics": _metrics(run.whole.overall, run.whole),
        "endpoints": {name: _metrics(series, run.whole) for name, series in sorted(run.whole.endpoints.items())},
        "stages": [
            {
                "users": stage.users,
                "rate": stage.rate,
                "seconds": round(stage.seconds, 3),
                **_metrics(window.overall, window),
                "cpu": _round(window.cpu),
            }
            for stage, window in zip(scenario.stages, run.stages, strict=False)
        ],
        "cpu": _round(run.whole.cpu),
        "memory": _memory([point.memory for point in run.timeline if point.memory is not None]),
        "watched": {"what": run.watched, "problem": run.watch_problem or None} if run.watched else None,
        "generator": {
            "processes": plan.generators,
            "workers": [
                {"name": each.name, "joined": _round(each.joined), "lost": _round(each.lost)}
                for _, each in sorted(run.workers.items())
            ],
            "cpu_mean": _round(run.generator.mean_cpu),
            "cpu_max": _round(max(run.generator.cpu, default=0.0)),
            "headroom": _round(max(0.0, 1 - run.generator.mean_cpu)),
            "loop_late_ms_max": _round(run.generator.worst * 1000),
            "saturated": run.generator.saturated,
            "dropped_arrivals": run.generator.dropped,
            "locust": run.locust,
        },
        "machine": machine(),
        "timeline": [
            {
                "at": point.at,
                "stage": point.stage,
                "users": point.users,
                "rps": _round(point.rps),
                "failed": _round(point.failed),
                "p50": _round(point.p50),
                "p95": _round(point.p95),
                "p99": _round(point.p99),
                "cpu": _round(point.cpu),
                "memory": _round(point.memory),
                "measured": point.measured,
            }
            for point in run.timeline
        ],
        "histogram": list(run.whole.overall.latency),
    }


def to_markdown(document: Mapping[str, Any]) -> str:
    """A result for a pull request or a step summary."""
    metrics = document["metrics"]
    latency = metrics["latency_ms"]
    lines = [
        f"## Load test `{document['scenario']}`: {document['verdict']}",
        "",
        (
            f"{document['target']['url']}, {document['measured_seconds']:.0f} s measured after "
            f"{document['warm_up_seconds']:.0f} s of warm-up, started {document['started']}."
        ),
        "",
        *(f"- {cell(reason)}" for reason in document["reasons"]),
        *([""] if document["reasons"] else []),
        "| gate | measured | verdict | |",
        "|---|---|---|---|",
        *(
            f"| `{gate['gate'].replace('|', '/')}` | {gate['shown']} | {gate['outcome']} | {cell(gate['reason'])} |"
            for gate in document["gates"]
        ),
        "",
        "| endpoint | requests | failed | per second | p50 ms | p95 ms | p99 ms |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *(_row(cell(name), each) for name, each in document["endpoints"].items()),
        _row("**all**", metrics),
        "",
        *comparison_lines(document.get("baseline")),
        (
            f"Generator processes: {document['generator']['processes']}; {document['generator']['headroom']:.0%} of a "
            f"CPU free in each. Slowest request {latency['max'] or 0:,.0f} ms."
        ),
        *(f"\n> {cell(note)}" for note in document["notes"]),
    ]
    return "\n".join(lines) + "\n"


def comparison_lines(baseline: Mapping[str, Any] | None) -> Iterator[str]:
    """A comparison in Markdown."""
    if not baseline:
        return
    yield f"Compared with the baseline `{baseline['name']}` of {baseline['runs']} run(s):"
    yield ""
    yield "| metric | baseline | now | change | noise | |"
    yield "|---|--:|--:|--:|--:|---|"
    for each in baseline["comparison"]:
        figures = ["-" if each[key] is None else f"{each[key]:,.4g}" for key in ("baseline", "now")]
        change = "-" if each["change"] is None else f"{each['change']:+.1%}"
        columns = [cell(metric_name(each)), *figures, change, show_noise(each["noise"]), each["outcome"]]
        yield f"| {' | '.join(columns)} |"
    yield ""
    yield from (f"> {cell(note)}\n" for note in baseline["notes"])


def to_junit(document: Mapping[str, Any]) -> str:
    """A test case for each gate and each judged comparison, and one for the run itself.

    Inconclusive is an error: neither passed nor failed.
    """
    cases = [(gate["gate"], gate["outcome"], f"{gate['shown']}: {gate['reason']}") for gate in document["gates"]]
    cases += comparison_cases(document.get("baseline"))
    cases.append(("the run", document["verdict"], "; ".join(document["reasons"])))
    return junit(f"load {document['scenario']}", f"load.{document['scenario']}", cases, document["seconds"])


def comparison_cases(baseline: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """The judged metrics of a comparison as test cases: name, outcome and message."""
    outcomes = {"worse": Outcome.FAIL, "unknown": Outcome.INCONCLUSIVE}
    for each in (baseline or {}).get("comparison", ()):
        if each.get("judged"):
            outcome = outcomes.get(each["outcome"], Outcome.PASS)
            yield f"{metric_name(each)} against the baseline", outcome, each["reason"]


def junit(suite_name: str, class_name: str, cases: Sequence[tuple[str, str, str]], seconds: float = 0.0) -> str:
    """A JUnit document of cases as name, outcome and message."""
    suite = ET.Element("testsuite", name=suite_name, time=str(seconds), tests=str(len(cases)))
    for name, outcome, message in cases:
        _judge_case(ET.SubElement(suite, "testcase", classname=class_name, name=name), outcome, message)
    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


WRITERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "json": lambda document: json.dumps(document, ensure_ascii=False) + "\n",
    "markdown": to_markdown,
    "junit": to_junit,
    "html": to_html,
}


def _judge_case(case: ET.Element, outcome: str, message: str) -> None:
    tag = {Outcome.FAIL: "failure", Outcome.INCONCLUSIVE: "error", Outcome.NOT_MEASURED: "skipped"}
    if outcome != Outcome.PASS:
        ET.SubElement(case, tag[Outcome(outcome)], message=message)


def _gate(result: GateResult) -> dict[str, Any]:
    gate = result.gate
    return {
        "gate": str(gate),
        "metric": gate.metric,
        "endpoint": gate.endpoint,
        "operator": gate.operator,
        "target": gate.target,
        "asked": gate.asked,
        "outcome": result.outcome.value,
        "value": _round(result.value),
        "low": _round(result.low),
        "high": _round(result.high),
        "samples": result.samples,
        "shown": "-" if result.value is None else gate.show(result.value),
        "reason": result.reason,
    }


def _memory(values: Sequence[float]) -> dict[str, float | None] | None:
    """The target's memory in bytes over the run; None where nobody looked."""
    if not values:
        return None
    return {"first": _round(values[0]), "last": _round(values[-1]), "peak": _round(max(values))}


def _metrics(series: Series, window: Window) -> dict[str, Any]:
    latency = series.latency
    return {
        "requests": series.total,
        "failures": series.failed,
        "error_rate": _round(series.error_rate),
        "rps": _round(series.ok / window.seconds if window.seconds > 0 else None),
        "latency_ms": {
            "mean": _round(latency.mean),
            "p50": _round(latency.quantile(0.5)),
            "p95": _round(latency.quantile(0.95)),
            "p99": _round(latency.quantile(0.99)),
            "max": _round(latency.maximum),
        },
        "bounds_ms": {f"p{quantile * 100:g}": _bounds(latency, quantile) for quantile in (0.5, 0.95, 0.99)},
        "errors": dict(sorted(series.errors.items(), key=lambda item: -item[1])),
    }


def _bounds(latency: Histogram, quantile: float) -> list[float | None]:
    """Both one-sided 95 % bounds of a percentile; None where the sample is too small to have one."""
    lower, upper = rank_bounds(quantile, latency.total)
    return [
        _round(edges(latency.bucket_at(lower))[0] if lower else None),
        _round(edges(latency.bucket_at(upper))[1] if upper else None),
    ]


def _row(name: str, metrics: Mapping[str, Any]) -> str:
    latency = metrics["latency_ms"]
    figures = [f"{latency[key]:,.1f}" if latency[key] is not None else "-" for key in ("p50", "p95", "p99")]
    return (
        f"| {name} | {metrics['requests']:,} | {metrics['failures']:,} | {metrics['rps'] or 0:,.1f} | "
        f"{' | '.join(figures)} |"
    )


def cell(text: str) -> str:
    """Text that Markdown takes as it is, in a table too."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ") if text else ""


def _round(value: float | None) -> float | None:
    """Six significant digits: more than the histogram has, and no noise."""
    return None if value is None else float(f"{value:.6g}")
