"""A result as one HTML page without network, below 200 kB however long the run was. Its charts need no script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardenctl.load import charts
from hardenctl.load.charts import Line, show
from hardenctl.load.compare import metric_name, show_noise
from hardenctl.load.duration import show_duration
from hardenctl.load.html_script import SCRIPT
from hardenctl.report.page import call, escape, page, pill, section, table, tile

_MOST_POINTS = 240
_MOST_ENDPOINTS, _MOST_ERRORS = 60, 20
_KINDS = {"pass": "good", "fail": "bad", "inconclusive": "warn", "not measured": "none"}
_NONE = "\N{EN DASH}"
_MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "not measured": _NONE}
_WORDS = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}
_BETTER = {"same": "none", "better": "good", "worse": "bad"}
_CONFIDENCE = (
    "Latency is that of successful requests after the warm-up. A gate passes or fails at 95 % one-sided confidence; "
    "where the sample allows neither it is inconclusive."
)
_STYLE = (
    charts.STYLE
    + """
.meter{width:150px;height:18px;vertical-align:middle}.meter .rail{fill:var(--none-bg)}
.meter .range{fill:currentColor;opacity:.35}.meter .at{stroke:currentColor;stroke-width:2.5}
.meter .target{stroke:var(--text);stroke-dasharray:2 2;stroke-width:1.5}
"""
)


def to_html(document: Mapping[str, Any]) -> str:
    """The page of a result document."""
    verdict = document["verdict"]
    title = f"Load test {document['scenario']}: {_WORDS[verdict]}"
    points = _thinned(document["timeline"])
    main = [
        call(
            _KINDS[verdict],
            {"fail": "Why it failed", "inconclusive": "Why nothing can be said"}.get(verdict, "But"),
            document["reasons"],
        ),
        f'<div class="tiles">{"".join(_tiles(document))}</div>',
        section("Gates", _gates(document["gates"])),
        section("Over time", _charts(document, points)),
        section("Compared with the baseline", *_baseline(document.get("baseline"))),
        section("Endpoints", _endpoints(document)),
        section("Stages", _stages(document["stages"]) if len(document["stages"]) > 1 else ""),
        section("Errors", _errors(document["metrics"])),
        section("Notes", _list(document["notes"])),
        section("How it was measured", _generator(document)),
    ]
    return page(title, _header(document), [*main, _data(points)], _footer(document), style=_STYLE, script=SCRIPT)


def _header(document: Mapping[str, Any]) -> Iterator[str]:
    verdict = document["verdict"]
    yield f"<h1>Load test <code>{escape(document['scenario'])}</code> {pill(_WORDS[verdict], _KINDS[verdict])}"
    yield f"{pill('interrupted', 'warn') if document['interrupted'] else ''}</h1>"
    yield (
        f'<p class="dim"><span class="mono">{escape(document["target"]["url"])}</span> · started '
        f"{escape(document['started'].replace('T', ' '))} · {show_duration(round(document['measured_seconds'], 1))} "
        f"measured after {show_duration(round(document['warm_up_seconds'], 1))} of warm-up · "
        f"{escape(_model(document))}</p>"
    )


def _model(document: Mapping[str, Any]) -> str:
    if document["model"] == "open":
        return f"{max((stage['rate'] or 0 for stage in document['stages']), default=0):g} arrivals a second"
    return f"up to {max((stage['users'] for stage in document['stages']), default=0):,} users"


def _tiles(document: Mapping[str, Any]) -> Iterator[str]:
    metrics, latency = document["metrics"], document["metrics"]["latency_ms"]
    outcome = {gate["metric"]: _KINDS[gate["outcome"]] for gate in document["gates"] if not gate["endpoint"]}
    yield tile(f"{metrics['rps'] or 0:,.1f}", "successful requests a second", outcome.get("rps", ""))
    for key in ("p50", "p95", "p99"):
        yield tile(_ms(latency[key]), f"{key} of latency", outcome.get(key, ""))
    rate = metrics["error_rate"]
    yield tile(
        _NONE if rate is None else f"{rate * 100:.{2 if rate < 0.001 else 3}g}%",  # noqa: PLR2004 - a tile is narrow
        f"errors ({metrics['failures']:,})",
        outcome.get("error_rate", ""),
    )
    yield tile(f"{metrics['requests']:,}", "requests")
    if document["cpu"] is not None:
        yield tile(f"{document['cpu']:.0%}", "CPU of the target", outcome.get("cpu", ""))
    if document.get("memory"):
        yield tile(show(document["memory"]["peak"], "B"), "most memory of the target")
    if document["held_users"] is not None:
        yield tile(f"{document['held_users']:,}", "users held by the targets")


def _gates(gates: Sequence[Mapping[str, Any]]) -> str:
    rows = (
        (
            f"<code>{escape(gate['gate'])}</code>",
            f'<span class="{_KINDS[gate["outcome"]]}">{_MARKS[gate["outcome"]]} {gate["outcome"]}</span>',
            f'<span class="{_KINDS[gate["outcome"]]}">{_meter(gate)}</span>',
            escape(gate["reason"]),
            escape(gate["shown"]),
        )
        for gate in gates
    )
    return table(("gate", "verdict", "measured, 95 % range and target", "because", "measured"), rows, left=4)


def _meter(gate: Mapping[str, Any]) -> str:
    """The measured value with its range beside the target, as a picture; nothing where there is no value."""
    value, target = gate["value"], gate["target"]
    if value is None:
        return ""
    high = gate["high"] if gate["high"] is not None else max(value, target)
    top = max(value, target, min(high, 3 * max(value, target))) * 1.15 or 1.0
    low = gate["low"] if gate["low"] is not None else 0.0

    def x(number: float) -> float:
        return min(max(number, 0.0) / top, 1.0) * 150

    bar = f'<rect class="range" x="{x(low):.1f}" y="5" width="{max(1.0, x(high) - x(low)):.1f}" height="8"/>'
    return (
        '<svg class="meter" viewBox="0 0 150 18" aria-hidden="true"><rect class="rail" y="5" width="150" height="8"/>'
        f'{bar}<line class="at" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="2" y2="16"/>'
        f'<line class="target" x1="{x(target):.1f}" x2="{x(target):.1f}" y1="0" y2="18"/></svg>'
    )


def _charts(document: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> str:
    limits: dict[str, float] = {}
    for gate in document["gates"]:
        if not gate["endpoint"]:
            limits[gate["metric"]] = min(gate["target"], limits.get(gate["metric"], gate["target"]))
    latency = min((value for key, value in limits.items() if key in {"p50", "p95", "p99"}), default=None)
    ends, at = [], 0.0
    for stage in document["stages"]:
        at += stage["seconds"]
        ends.append(at)

    def chart(title: str, lines: Sequence[Line], unit: str, limit: float | None = None) -> str:
        return charts.line_chart(
            title, points, lines, unit, limit=limit, warm_up=document["warm_up_seconds"], stages=ends[:-1]
        )

    spread = document["metrics"]["latency_ms"]
    percentiles = [Line("p50", "p50", "a"), Line("p95", "p95", "b"), Line("p99", "p99", "c")]
    drawn = [
        chart("Successful requests a second", [Line("rps", "requests/s", "a")], "", limits.get("rps")),
        chart("Latency", percentiles, "ms", latency),
        chart("Errors a second", [Line("failed", "errors/s", "b")], ""),
        chart("Users", [Line("users", "users", "c")], ""),
        chart("CPU of the target", [Line("cpu", "CPU", "d")], "%", limits.get("cpu")),
        chart("Memory of the target", [Line("memory", "memory", "d")], "B"),
        charts.histogram(
            "Spread of latencies", document["histogram"], {key: spread[key] for key in ("p50", "p95", "p99")}, latency
        ),
    ]
    return f'<div class="charts">{"".join(drawn)}</div>' if any(drawn) else ""


def _baseline(baseline: Mapping[str, Any] | None) -> Iterator[str]:
    if not baseline:
        return
    yield f"<p>Baseline <code>{escape(baseline.get('name', ''))}</code> of {baseline.get('runs', 1)} run(s).</p>"
    rows = []
    for each in baseline.get("comparison", ()):
        unit = {"rps": "", "error_rate": "%", "cpu": "%"}.get(each["metric"], "ms")
        outcome = str(each.get("outcome", "unknown"))
        rows.append(
            (
                f"<code>{escape(metric_name(each))}</code>",
                *(_NONE if each.get(key) is None else show(each[key], unit) for key in ("baseline", "now")),
                *(_NONE if each.get(key) is None else f"{each[key]:+.1%}" for key in ("change",)),
                show_noise(each.get("noise")),
                f'<span class="{_BETTER.get(outcome, "warn")}">{escape(outcome)}</span>',
            )
        )
    yield table(("metric", "baseline", "this run", "change", "noise", ""), rows)
    yield _list(baseline.get("notes", ()))


def _endpoints(document: Mapping[str, Any]) -> str:
    slowest = sorted(document["endpoints"].items(), key=lambda item: -(item[1]["latency_ms"]["p95"] or 0))
    rows = [_metrics_row(escape(name), each) for name, each in slowest[:_MOST_ENDPOINTS]]
    hidden = len(slowest) - len(rows)
    rows.append(_metrics_row("<strong>all</strong>", document["metrics"]))
    names = ("endpoint", "requests", "failed", "per second", "p50", "p95", "p99", "max")
    return table(names, rows, caption="slowest first" + (f"; {hidden} more are not shown" if hidden else ""))


def _metrics_row(name: str, each: Mapping[str, Any]) -> Sequence[str]:
    latency = each["latency_ms"]
    failed = f"{each['failures']:,}"
    return (
        name,
        f"{each['requests']:,}",
        f'<span class="bad">{failed}</span>' if each["failures"] else failed,
        f"{each['rps'] or 0:,.1f}",
        *(_ms(latency[key]) for key in ("p50", "p95", "p99", "max")),
    )


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    rows = (
        (
            f"{number}",
            f"{stage['rate']:g} arrivals/s" if stage["rate"] else f"{stage['users']:,} users",
            show_duration(round(stage["seconds"], 1)),
            f"{stage['rps'] or 0:,.1f}",
            *(_ms(stage["latency_ms"][key]) for key in ("p50", "p95", "p99")),
            f"{stage['failures']:,}",
            _NONE if stage["cpu"] is None else f"{stage['cpu']:.0%}",
        )
        for number, stage in enumerate(stages, 1)
    )
    return table(("stage", "load", "time", "per second", "p50", "p95", "p99", "failed", "CPU"), rows)


def _errors(metrics: Mapping[str, Any]) -> str:
    kinds = list(metrics["errors"].items())
    rows = [
        (escape(kind), f"{count:,}", f"{count / max(1, metrics['requests']):.2%}")
        for kind, count in kinds[:_MOST_ERRORS]
    ]
    more = f"{len(kinds) - len(rows)} more kinds are not shown" if len(kinds) > len(rows) else ""
    return table(("error", "times", "of all requests"), rows, caption=more)


def _generator(document: Mapping[str, Any]) -> str:
    generator, machine, watched = document["generator"], document["machine"], document.get("watched")
    state = (
        f"Generator processes: {generator['processes']}; {generator['headroom']:.0%} of a CPU free in each, "
        f"the event loop at most {generator['loop_late_ms_max'] or 0:.0f} ms late"
    )
    if generator["saturated"]:
        state += ", saturated"
    if generator["dropped_arrivals"] or document["model"] == "open":
        state += f", {generator['dropped_arrivals']:,} arrivals dropped"
    lines = [state]
    if watched:
        problem = f"; {watched['problem']}" if watched["problem"] else ""
        lines.append(f"CPU and memory of the target: {watched['what']}{problem}")
    for each in generator.get("workers") or ():
        ended = "" if each["lost"] is None else f", lost after {each['lost']:.0f} s"
        lines.append(f"Worker {each['name']}: from {each['joined']:.0f} s on{ended}")
    where = f"{machine['cpus']} CPUs, {machine['system']}, Python {machine['python']}, Locust {generator['locust']}"
    return _list([*lines, f"Machine of the generator: {where}", _CONFIDENCE])


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""


def _data(points: Sequence[Mapping[str, Any]]) -> str:
    """The points for the script, which shows their values under the pointer."""
    keys = ("at", "users", "rps", "failed", "p50", "p95", "p99", "cpu", "memory")
    columns = {
        key: [None if point.get(key) is None else float(f"{point[key]:.4g}") for point in points] for key in keys
    }
    text = json.dumps(columns, separators=(",", ":")).replace("</", "<\\/")
    return f'<script type="application/json" id="points">{text}</script>'


def _footer(document: Mapping[str, Any]) -> str:
    tool = document["tool"]
    name = escape(f"{tool['name']} {tool['version']}")
    return f"{name}. This page holds its data and fetches nothing."


def _ms(value: float | None) -> str:
    return _NONE if value is None else show(value, "ms")


def _thinned(points: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """So many points that a page stays small; of each stretch the one with the highest p99, which is what matters."""
    if len(points) <= _MOST_POINTS:
        return points
    step = -(-len(points) // _MOST_POINTS)
    return [
        max(points[start : start + step], key=lambda point: point["p99"] or 0) for start in range(0, len(points), step)
    ]
