"""Charts of a run as SVG: lines over time, and the spread of latencies on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hardenctl.load.histogram import edges
from hardenctl.report.page import escape

WIDTH, HEIGHT = 560, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 24
_INNER, _TALL = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
_BARS = 56
_CLOCK_STEPS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)  # seconds, up to 24 h
_LABEL = 26.0  # points that two labels beside each other need
STYLE = """
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:22px 28px}
figure{margin:0}figcaption{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline;font-size:14px}
figcaption i{display:inline-block;width:14px;height:0;border-top:3px solid;vertical-align:middle;margin-right:5px}
figcaption output{font-weight:650;font-variant-numeric:tabular-nums}
svg{display:block;width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:var(--dim)}
.grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--dim)}.warm{fill:var(--none-bg);opacity:.75}
.stage{stroke:var(--dim);stroke-dasharray:1 3}.limit{stroke:var(--bad);stroke-dasharray:6 4;stroke-width:1.5}
svg .limit-name{fill:var(--bad)}.cross{stroke:var(--text);stroke-width:1;visibility:hidden}
.line{fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}.area{stroke:none;opacity:.13}
.bar{fill:var(--a)}.mark{stroke:var(--text);stroke-width:1}svg .mark-name{fill:var(--text)}
svg .mark-name,svg .limit-name{paint-order:stroke;stroke:var(--bg);stroke-width:3px;font-weight:600}
""" + "".join(
    f".line.{each}{{stroke:var(--{each})}}.area.{each}{{fill:var(--{each})}}i.{each}{{border-color:var(--{each})}}"
    for each in "abcd"
)
# of several lines each has a dash of its own: colours are not for all eyes
STYLE += """
i.many.b{border-top-style:dashed}i.many.c{border-top-style:dotted}
.line.many.b{stroke-dasharray:7 3}.line.many.c{stroke-dasharray:2 3}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A series: its key in the points, its name, and its colour (`a` to `d`)."""

    key: str
    name: str
    colour: str = "a"


class _Plot:
    """A drawing area with a vertical scale from 0 to `top`, and a horizontal one that `across` gives (0 to 1)."""

    def __init__(self, top: float, unit: str, across: Callable[[float], float]) -> None:
        self.parts: list[str] = []
        self._marks = ticks(top)
        self._top = self._marks[-1]
        self._unit = unit
        self._across = across

    def x(self, value: float) -> float:
        """Where a value of the horizontal scale stands."""
        return LEFT + min(1.0, max(0.0, self._across(value))) * _INNER

    def y(self, value: float) -> float:
        """Where a value of the vertical scale stands."""
        return TOP + _TALL * (1 - value / self._top)

    def grid(self, labels: Iterable[tuple[float, str]]) -> None:
        """The horizontal lines with their values, and the labels of the horizontal scale."""
        for mark in self._marks:
            self._level("grid", mark)
            self._text(LEFT - 6, self.y(mark) + 4, show(mark, self._unit), anchor="end")
        for value, label in labels:
            at_edge = self.x(value) > WIDTH - RIGHT - _LABEL / 2  # half of it would be cut off
            self._text(self.x(value), HEIGHT - 6, label, anchor="end" if at_edge else "middle")

    def shade(self, until: float) -> None:
        """The warm-up."""
        width = self.x(until) - LEFT
        self.parts.append(f'<rect class="warm" x="{LEFT}" y="{TOP}" width="{width:.1f}" height="{_TALL}"/>')
        if width > 2 * _LABEL:
            self._text(LEFT + 4, TOP + 12, "warm-up")

    def upright(self, kind: str, value: float, name: str = "") -> None:
        """A vertical line, with a name at its head."""
        x = self.x(value)
        self.parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + _TALL}"/>')
        if name:
            self._text(x + 3, TOP + 10, name, kind=f"{kind}-name")

    def limit(self, value: float) -> None:
        """A target, as a horizontal line."""
        self._level("limit", value)
        name = f"target {show(value, self._unit)}"
        self._text(WIDTH - RIGHT, self.y(value) - 4, name, anchor="end", kind="limit-name")

    def line(self, points: Sequence[Mapping[str, Any]], key: str, colour: str, *, filled: bool) -> None:
        """A series, broken where there is no value, and the area under it."""
        line, area = "", ""
        for run in _runs(points, key):
            steps = [f"{self.x(at):.1f} {self.y(value):.1f}" for at, value in run]
            line += f"M{'L'.join(steps)}" + ("h.1" if len(run) == 1 else "")
            if filled and len(run) > 1:
                floor = TOP + _TALL
                area += f"M{self.x(run[0][0]):.1f} {floor}L{'L'.join(steps)}L{self.x(run[-1][0]):.1f} {floor}Z"
        if area:
            self.parts.append(f'<path class="area {colour}" d="{area}"/>')
        if line:
            self.parts.append(f'<path class="line {colour}{"" if filled else " many"}" d="{line}"/>')

    def bars(self, counts: Sequence[int]) -> None:
        """Bars of equal width over the whole width."""
        width = _INNER / len(counts)
        for index, count in enumerate(counts):
            if count:
                tall = max(1.0, _TALL - (self.y(count) - TOP))  # one slow request among thousands is still to be seen
                x, y = LEFT + index * width, TOP + _TALL - tall
                self.parts.append(
                    f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" height="{tall:.1f}"/>'
                )

    def figure(self, title: str, legend: str, about: str, attributes: str = "") -> str:
        """The whole figure; `about` is what someone hears who cannot see it."""
        return (
            f"<figure><figcaption><strong>{escape(title)}</strong>{legend}</figcaption>"
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(about)}"{attributes}>'
            f"{''.join(self.parts)}</svg></figure>"
        )

    def _level(self, kind: str, value: float) -> None:
        y = self.y(value)
        self.parts.append(f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')

    def _text(self, x: float, y: float, text: str, *, anchor: str = "", kind: str = "") -> None:
        attributes = (f' text-anchor="{anchor}"' if anchor else "") + (f' class="{kind}"' if kind else "")
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{escape(text)}</text>')


def line_chart(
    title: str,
    points: Sequence[Mapping[str, Any]],
    lines: Sequence[Line],
    unit: str,
    *,
    limit: float | None = None,
    warm_up: float = 0.0,
    stages: Sequence[float] = (),
) -> str:
    """Lines over time, empty where nothing was measured. `limit` is a target, `stages` are the times they end."""
    values = [point[each.key] for point in points for each in lines if point.get(each.key) is not None]
    if not values:
        return ""
    last, worst = max(points[-1]["at"], 1e-9), max(values)
    # a target far above everything would flatten what there is to see
    limit = limit if limit is not None and limit <= 4 * worst else None
    plot = _Plot(max(worst, limit or 0) * 1.04 or 1.0, unit, lambda at: at / last)
    if warm_up > 0:
        plot.shade(warm_up)
    plot.grid((at, _clock(at)) for at in moments(last))
    for at in stages:
        if at < last:
            plot.upright("stage", at)
    for each in lines:
        plot.line(points, each.key, each.colour, filled=len(lines) == 1)
    if limit is not None:
        plot.limit(limit)
    plot.parts.append(f'<line class="cross" y1="{TOP}" y2="{TOP + _TALL}"/>')
    many = " many" if len(lines) > 1 else ""
    legend = "".join(
        f'<span><i class="{each.colour}{many}" aria-hidden="true"></i>{escape(each.name)} '
        f'<output data-key="{each.key}"></output></span>'
        for each in lines
    )
    about = f"{title}, over {_clock(last)}: " + "; ".join(_about(points, each, unit) for each in lines)
    series = ",".join(each.key for each in lines)
    attributes = f' data-series="{series}" data-unit="{unit}" data-last="{last}" tabindex="0"'
    return plot.figure(title, f'{legend}<output class="dim" data-key="at"></output>', about, attributes)


def histogram(
    title: str, pairs: Sequence[Sequence[int]], marks: Mapping[str, float | None], limit: float | None
) -> str:
    """How latencies (milliseconds) are spread, in bars of equal ratio. `marks` are values to point at, by name."""
    if not pairs:
        return ""
    low = max(0.05, edges(min(bucket for bucket, _ in pairs))[0])
    high = max(edges(max(bucket for bucket, _ in pairs))[1], low * 1.5)
    low, high = low / 1.02, high * 1.02

    def across(value: float) -> float:
        return math.log(max(value, low) / low) / math.log(high / low)

    bars = [0] * _BARS
    for bucket, count in pairs:
        bars[min(_BARS - 1, int(across(sum(edges(bucket)) / 2) * _BARS))] += count
    plot = _Plot(max(bars) * 1.12, "", across)
    plot.grid((value, show(value, "ms")) for value in _decades(low, high))
    plot.bars(bars)
    if limit is not None and low <= limit <= high:
        plot.upright("limit", limit)
    known = {name: value for name, value in marks.items() if value is not None}
    named = -_LABEL
    for name, value in known.items():
        beside = plot.x(value) - named < _LABEL  # the lowest of a bunch is named; all stand in the caption
        plot.upright("mark", value, "" if beside else name)
        named = named if beside else plot.x(value)
    said = ", ".join(f"{name} {show(value, 'ms')}" for name, value in known.items())
    total = sum(count for _, count in pairs)
    about = f"{title}: {total:,} requests from {show(low, 'ms')} to {show(high, 'ms')}; {said}"
    return plot.figure(title, f'<span class="dim">{escape(said)}</span>', about)


def ticks(top: float, most: int = 4) -> list[float]:
    """Round numbers from 0 to at least `top`, about so many steps."""
    rough = top / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    return [round(step * index, 10) for index in range(math.ceil(top / step * 0.9999) + 1)]


def moments(last: float, most: int = 6) -> list[float]:
    """Times from 0 to at most `last` seconds that a clock shows as round ones."""
    step = next((each for each in _CLOCK_STEPS if last / each <= most), last / most)
    return [step * index for index in range(int(last / step) + 1)]


def show(value: float, unit: str) -> str:
    """A value with its unit, as short as it may be: `250 ms`, `1.5 s`, `40%`, `120 MB`, `1,200`."""
    if unit == "ms":
        return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.3g} ms"  # noqa: PLR2004 - a second
    if unit == "%":
        return f"{value * 100:.3g}%"
    if unit == "B":
        return f"{value / 1e9:.3g} GB" if value >= 1e9 else f"{value / 1e6:.3g} MB"  # noqa: PLR2004 - a gigabyte
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"  # noqa: PLR2004 - three digits


def _runs(points: Sequence[Mapping[str, Any]], key: str) -> Iterator[list[tuple[float, float]]]:
    """The stretches that have a value."""
    run: list[tuple[float, float]] = []
    for point in points:
        if point.get(key) is not None:
            run.append((point["at"], point[key]))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _about(points: Sequence[Mapping[str, Any]], line: Line, unit: str) -> str:
    values = [point[line.key] for point in points if point.get(line.key) is not None]
    if not values:
        return f"{line.name} not measured"
    return f"{line.name} from {show(min(values), unit)} to {show(max(values), unit)}"


def _clock(seconds: float) -> str:
    """`45 s`, `2:30`, `1:00:00`."""
    whole = round(seconds)
    if seconds < 10 and seconds != whole:  # noqa: PLR2004 - where a fraction can be told
        return f"{seconds:.3g} s"
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _decades(low: float, high: float) -> Iterator[float]:
    """Round values of a logarithmic axis: 1, 2, 5, 10 ..., fewer where there are many."""
    factors: Sequence[float] = (1, 2, 5) if high / low < 300 else (1,)  # noqa: PLR2004 - more than two decades and a half
    if high / low < 4:  # noqa: PLR2004 - less than two steps of 1, 2, 5
        factors = (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (value for factor in factors if low <= (value := factor * 10.0**exponent) <= high)
