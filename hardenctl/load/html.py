"""A result as one HTML page: no script, no network, charts as SVG. Below 200 kB, however long the run was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from hardenctl.load.histogram import edges

_WIDTH, _HEIGHT, _MARGIN = 640, 140, 44
_MOST_POINTS = 300
_BARS = 60
_COLOURS = {"pass": "#1a7f37", "fail": "#c62828", "inconclusive": "#9a6700", "not measured": "#6e7781"}
_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:920px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid #8884}
th:first-child,td:first-child{text-align:left}
figure{margin:1.2rem 0}figcaption{font-weight:600}svg{width:100%;height:auto;overflow:visible}
text{font:11px system-ui,sans-serif;fill:currentColor}
"""


def to_html(document: Mapping[str, Any]) -> str:
    """The page of a result document."""
    verdict = document["verdict"]
    line = _thinned(document["timeline"])
    body = [
        (
            f"<h1>Load test <code>{escape(document['scenario'])}</code>: "
            f'<span style="color:{_COLOURS[verdict]}">{verdict}</span></h1>'
        ),
        (
            f"<p>{escape(document['target']['url'])}, started {document['started']}; "
            f"{document['measured_seconds']:.0f} s measured after {document['warm_up_seconds']:.0f} s of warm-up.</p>"
        ),
        *(f"<p>{escape(reason)}</p>" for reason in document["reasons"]),
        _gates(document["gates"]),
        _endpoints(document),
        _chart("Successful requests per second", line, {"rps": "#0969da"}),
        _chart("Latency, ms", line, {"p50": "#1a7f37", "p95": "#9a6700", "p99": "#c62828"}),
        _chart("Errors per second", line, {"failed": "#c62828"}),
        _chart("Users", line, {"users": "#8250df"}),
        _chart("CPU of the target, share of 1", line, {"cpu": "#0969da"}),
        _histogram(document["histogram"]),
        f"<p>Generator: {document['generator']['headroom']:.0%} of a CPU free in each process.</p>",
        *(f"<p>Note: {escape(note)}</p>" for note in document["notes"]),
    ]
    title = f"Load test {escape(document['scenario'])}: {verdict}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<link rel="icon" href="data:,"><style>{_STYLE}</style></head>\n'
        "<body>\n" + "\n".join(part for part in body if part) + "\n</body></html>\n"
    )


def _gates(gates: Sequence[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(gate['gate'])}</code></td><td>{escape(gate['shown'])}</td>"
        f'<td style="color:{_COLOURS[gate["outcome"]]}">{gate["outcome"]}</td><td>{escape(gate["reason"])}</td></tr>'
        for gate in gates
    )
    return f"<table><tr><th>gate</th><th>measured</th><th>verdict</th><th></th></tr>{rows}</table>"


def _endpoints(document: Mapping[str, Any]) -> str:
    rows = []
    for name, each in [*document["endpoints"].items(), ("all", document["metrics"])]:
        latency = each["latency_ms"]
        figures = "".join(
            f"<td>{latency[key]:,.1f}</td>" if latency[key] is not None else "<td>-</td>"
            for key in ("p50", "p95", "p99", "max")
        )
        rows.append(
            f"<tr><td>{escape(name)}</td><td>{each['requests']:,}</td><td>{each['failures']:,}</td>"
            f"<td>{each['rps'] or 0:,.1f}</td>{figures}</tr>"
        )
    names = ("endpoint", "requests", "failed", "per second", "p50 ms", "p95 ms", "p99 ms", "max ms")
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>{''.join(rows)}</table>"


def _chart(title: str, points: Sequence[Mapping[str, Any]], series: Mapping[str, str]) -> str:
    """Lines over time; nothing where there is no value."""
    values = [point[key] for point in points for key in series if point[key] is not None]
    if not values:
        return ""
    top, last = max(*values, 1e-9), max(points[-1]["at"], 1e-9)
    lines, legend = [], []
    for key, colour in series.items():
        path = " ".join(
            f"{_MARGIN + point['at'] / last * _WIDTH:.1f},{_HEIGHT * (1 - point[key] / top):.1f}"
            for point in points
            if point[key] is not None
        )
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        legend.append(f'<span style="color:{colour}">{key}</span>')
    return _figure(f"{title} ({', '.join(legend)})" if len(series) > 1 else title, "".join(lines), top, f"{last:.0f} s")


def _histogram(pairs: Sequence[Sequence[int]]) -> str:
    """How latencies are spread, in bars of equal width up to the highest."""
    if not pairs:
        return ""
    top = edges(max(bucket for bucket, _ in pairs))[1]
    bars = [0] * _BARS
    for bucket, count in pairs:
        bars[min(_BARS - 1, int(edges(bucket)[0] / top * _BARS))] += count
    most, width = max(bars), _WIDTH / _BARS
    drawn = "".join(
        f'<rect x="{_MARGIN + index * width:.1f}" y="{_HEIGHT * (1 - count / most):.1f}" width="{width - 1:.1f}" '
        f'height="{_HEIGHT * count / most:.1f}" fill="#0969da"/>'
        for index, count in enumerate(bars)
        if count
    )
    return _figure("Spread of latencies, requests", drawn, most, f"{top:,.0f} ms")


def _figure(caption: str, drawn: str, top: float, right: str) -> str:
    axes = (
        f'<path d="M{_MARGIN} 0V{_HEIGHT}H{_MARGIN + _WIDTH}" fill="none" stroke="currentColor" opacity=".5"/>'
        f'<text x="{_MARGIN - 4}" y="9" text-anchor="end">{top:,.4g}</text>'
        f'<text x="{_MARGIN - 4}" y="{_HEIGHT}" text-anchor="end">0</text>'
        f'<text x="{_MARGIN + _WIDTH}" y="{_HEIGHT + 14}" text-anchor="end">{right}</text>'
    )
    box = f"0 0 {_WIDTH + _MARGIN + 4} {_HEIGHT + 18}"
    return f'<figure><figcaption>{caption}</figcaption><svg viewBox="{box}" role="img">{axes}{drawn}</svg></figure>'


def _thinned(points: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """So many points that a page stays small; of each stretch the one with the highest p99, which is what matters."""
    if len(points) <= _MOST_POINTS:
        return points
    step = -(-len(points) // _MOST_POINTS)
    return [
        max(points[start : start + step], key=lambda point: point["p99"] or 0) for start in range(0, len(points), step)
    ]
