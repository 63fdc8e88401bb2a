"""The result page in a real browser, and the arithmetic of its charts."""

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from browser import Browser
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.load.builtin import builtin
from hardenctl.load.charts import Line, histogram, line_chart, moments, show, ticks
from hardenctl.load.document import to_document, to_markdown
from hardenctl.load.histogram import bucket_of
from hardenctl.load.html import to_html
from hardenctl.load.measure import Point, Window
from hardenctl.load.plan import plan
from hardenctl.load.result_schema import json_schema
from hardenctl.load.run import Run
from hardenctl.load.target import LoadTarget
from hardenctl.load.verdict import conclude
from hardenctl.model.settings import LoadSettings

_BASELINE = {
    "name": "main",
    "runs": 5,
    "now_runs": 1,
    "verdict": "fail",
    "exit_code": 1,
    "reasons": ["p95 against the baseline: +20.0%"],
    "comparison": [
        {
            "metric": "p95",
            "endpoint": None,
            "baseline": 5.0,
            "now": 6.0,
            "change": 0.2,
            "low": 0.15,
            "high": 0.25,
            "noise": 0.05,
            "outcome": "worse",
            "judged": True,
            "reason": "+20.0%",
        }
    ],
    "notes": ["<i>the machine differs</i>"],
}


def document(points: int = 80, endpoints: int = 3) -> dict[str, Any]:
    """A result of a run with a warm-up, errors, a missed gate and a baseline."""
    made = plan(
        builtin("spike").resized(seconds=points / 2),
        LoadTarget("http://127.0.0.1:8000", "127.0.0.1", ("127.0.0.1",)),
        LoadSettings(),
        gates=("p95<300ms", "p99<40ms", "error_rate<1%", "cpu<70%", "rps>=10"),
        warm_up=5,
    )
    run = Run(made, dt.datetime(2026, 1, 2, tzinfo=dt.UTC), seconds=points / 2, watched="process 1", locust="2.47.0")
    run.whole = Window(seconds=points / 2 - 5, cpu=0.3)
    for number in range(endpoints):
        latency = [(bucket_of(3 + each * each / 900), 20) for each in range(300)]
        delta = {"ok": 6000, "failed": 90, "latency": latency, "errors": {f"HTTP {500 + number}": 90}}
        run.whole.add({f"GET /things/{number}": delta})
    run.stages = [run.whole, run.whole]
    for number in range(points):
        wave = 20 + 10 * math.sin(number / 9)
        run.timeline.append(
            Point(
                at=(number + 1) / 2,
                stage=number * 3 // points,
                users=min(number, 50),
                rps=wave * 10 if number > 10 else 0.0,
                failed=wave / 3,
                p50=wave if number > 10 else None,
                p95=wave * 2 if number > 10 else None,
                p99=wave * 3 if number > 10 else None,
                cpu=wave / 100,
                measured=number > 10,
                memory=1e8 + number * 1e5,
            )
        )
    return {**to_document(conclude(run)), "baseline": _BASELINE}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of such a result."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(to_html(document()), encoding="utf-8")
    return path


def test_the_page_in_a_browser(written: Path, browser: Browser) -> None:
    """Every chart is drawn, in light and dark; nothing is complained of and nothing is asked of any network."""
    assert written.stat().st_size < 200_000
    grounds = set()
    for dark in (False, True):
        browser.open(written, dark=dark)
        assert browser.errors == []
        assert browser.requests == [written.resolve().as_uri()]
        titles = browser.ask("[...document.querySelectorAll('figcaption strong')].map(e => e.textContent)")
        assert titles == [
            *("Successful requests a second", "Latency", "Errors a second", "Users", "CPU of the target"),
            *("Memory of the target", "Spread of latencies"),
        ]
        sizes = browser.ask(
            "[...document.querySelectorAll('figure svg')].map(e => {const b = [...e.querySelectorAll('.line,.bar')]"
            ".map(p => p.getBoundingClientRect()); return Math.max(...b.map(r => r.right))"
            " - Math.min(...b.map(r => r.left))})"
        )
        assert all(size > 60 for size in sizes), sizes
        grounds.add(browser.ask("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_the_page_says_what_the_result_says(written: Path, browser: Browser) -> None:
    """Verdict, gates, errors and the comparison are on it, as text and never as markup."""
    browser.open(written)
    text = browser.ask("document.body.innerText")
    for words in ("failed", "✗ fail", "error_rate<1%", "HTTP 502", "+20.0%", "<i>the machine differs</i>", "/things/2"):
        assert words in text, words


def test_values_under_the_arrow_keys(written: Path, browser: Browser) -> None:
    """A chart can be walked through with the keyboard, and all charts show the same moment."""
    browser.open(written)
    browser.ask("document.querySelector('figure svg').focus()")
    browser.press("End")
    browser.press("ArrowLeft")
    said = browser.ask("[...document.querySelectorAll('output[data-key=at]')].map(e => e.textContent)")
    assert len(set(said)) == 1
    assert said[0].startswith("at ")
    assert browser.ask("document.querySelector('output[data-key=users]').textContent") == "50"
    assert browser.ask("getComputedStyle(document.querySelector('.cross')).visibility") == "visible"


def test_a_narrow_screen(written: Path, browser: Browser) -> None:
    """On a telephone nothing is wider than the screen; tables scroll on their own."""
    browser.open(written, width=390)
    assert browser.ask("document.documentElement.scrollWidth <= 390")


def test_each_picture_has_words(written: Path, browser: Browser) -> None:
    """Someone who hears the page gets the range of each series; tables name their columns and rows."""
    browser.open(written)
    labels = browser.ask("[...document.querySelectorAll('svg[role=img]')].map(e => e.getAttribute('aria-label'))")
    assert len(labels) == 7
    assert all(" from " in label for label in labels), labels
    assert browser.ask("[...document.querySelectorAll('th')].every(e => e.scope)")
    assert browser.ask("document.documentElement.lang") == "en"


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_ticks_reach_the_top_in_few_round_steps(top: float) -> None:
    """The highest tick is at or above the value, and not far above."""
    marks = ticks(top)
    assert 3 <= len(marks) <= 6
    assert top * 0.999 <= marks[-1] <= top * 2


@pytest.mark.parametrize(
    ("last", "shown"),
    [
        pytest.param(600.2, [0, 120, 240, 360, 480, 600], id="two-minutes-each-in-ten"),
        pytest.param(70, [0, 20, 40, 60], id="a-minute-and-more"),
        pytest.param(86401, [0, 14400.17, 28800.33, 43200.5, 57600.67, 72000.83, 86401], id="beyond-a-day"),
        pytest.param(1e-9, [0], id="nothing"),
    ],
)
def test_moments_are_round_on_a_clock(last: float, shown: list[float]) -> None:
    """Minutes are not cut into hundreds of seconds."""
    assert moments(last) == pytest.approx(shown, abs=0.01)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        pytest.param(0.25, "ms", "0.25 ms", id="short"),
        pytest.param(1500, "ms", "1.5 s", id="long"),
        pytest.param(0.705, "%", "70.5%", id="share"),
        pytest.param(123_000_000, "B", "123 MB", id="memory"),
        pytest.param(2.5e9, "B", "2.5 GB", id="much-memory"),
        pytest.param(1234.5, "", "1,234", id="count"),
        pytest.param(2.5, "", "2.5", id="fraction"),
    ],
)
def test_values_are_short(value: float, unit: str, shown: str) -> None:
    """With their unit, as people read them."""
    assert show(value, unit) == shown


def test_a_line_breaks_where_nothing_was_measured() -> None:
    """A gap in the values is a gap in the line, and a lone value is still to be seen."""
    values = [1, 2, None, 3, None, 4, 5]
    points = [{"at": float(at), "v": value} for at, value in enumerate(values)]
    drawn = line_chart("Title", points, [Line("v", "value")], "")
    path = drawn.partition('class="line a" d="')[2].partition('"')[0]
    assert path.count("M") == 3
    assert path.count("h.1") == 1
    assert line_chart("Title", [{"at": 0.0, "v": None}], [Line("v", "value")], "") == ""


def test_a_target_far_above_is_not_drawn() -> None:
    """It would press the line flat; one within reach is drawn and named."""
    points = [{"at": float(at), "v": 10.0} for at in range(5)]
    assert "target 20 ms" in line_chart("Title", points, [Line("v", "value")], "ms", limit=20)
    assert "target" not in line_chart("Title", points, [Line("v", "value")], "ms", limit=300)


def test_each_latency_is_in_a_bar() -> None:
    """One of a second among thousands of a millisecond has a bar of its own; markers beside each other share a name."""
    pairs = [[bucket_of(1.0), 5000], [bucket_of(1000.0), 1]]
    drawn = histogram("Title", pairs, {"p50": 1.0, "p95": 1.0, "p99": 1.0}, 300)
    assert drawn.count('class="bar"') == 2
    assert drawn.count('class="mark"') == 3
    assert drawn.count('class="mark-name"') == 1
    assert 'class="limit"' in drawn
    assert histogram("Title", [], {}, None) == ""


def test_the_result_is_what_its_schema_says() -> None:
    """Each key of a result is in the published schema, and the schema holds for it; wrong values are refused."""
    schema, result = json_schema(), json.loads(json.dumps(document()))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(result, schema)
    assert set(result) == set(schema["properties"])
    for part in ("gates", "stages", "timeline"):
        assert set(result[part][0]) == set(schema["properties"][part]["items"]["properties"]), part
    assert set(result["generator"]) == set(schema["properties"]["generator"]["properties"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**result, "verdict": "not measured"}, schema)


def test_markdown_compares_with_the_baseline() -> None:
    """A pull request shows what changed."""
    assert "| p95 | 5 | 6 | +20.0% | ±5.0% | worse |" in to_markdown(document())


def test_a_page_stays_small() -> None:
    """Twenty-four hours of points, three hundred endpoints and as many kinds of error fit below 200 kB."""
    text = to_html(document(points=24 * 3600 * 2, endpoints=300))
    assert len(text.encode()) < 200_000
    points = json.loads(text.partition('id="points">')[2].partition("</script>")[0])
    assert 200 <= len(points["at"]) <= 240
    assert "240 more are not shown" in text
