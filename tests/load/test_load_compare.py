"""Comparing runs with a baseline: the statistic, the verdict, the files, and real runs that became slower."""

from __future__ import annotations

import copy
import json
import math
import random
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.cli.app import run as hardenctl
from hardenctl.load.baseline import BEGIN, END, baseline_path, read_baseline, save_run, to_run
from hardenctl.load.compare import Shift, calm, compare, runs_needed, shift, student, with_comparison
from hardenctl.load.document import to_junit
from hardenctl.model.errors import DocumentError, UsageError

LoadRun = Callable[..., tuple[int, dict[str, Any]]]
_LOGS = st.lists(st.floats(-3, 3), min_size=2, max_size=9)


def figures(p95: float, requests: int = 2000, failures: int = 0) -> dict[str, Any]:
    """Metrics whose p95 is known to 1 %."""
    latency = {"mean": p95 / 2, "p50": p95 / 2, "p95": p95, "p99": p95 * 1.5, "max": p95 * 2}
    bounds = {key: [latency[key] * 0.99, latency[key] * 1.01] for key in ("p50", "p95", "p99")}
    return {
        "requests": requests,
        "failures": failures,
        "error_rate": failures / requests,
        "rps": (requests - failures) / 20,
        "latency_ms": latency,
        "bounds_ms": bounds,
        "errors": {},
    }


def result(p95: float = 100.0, **changes: Any) -> dict[str, Any]:
    """A run's document, as far as comparisons look at it. `changes` are dotted keys with `__` for the dot."""
    document: dict[str, Any] = {
        "schema_version": 1,
        "kind": "load",
        "scenario": "normal",
        "digest": "0123456789abcdef",
        "target": {"url": "http://127.0.0.1:8000/secret-path?q=1"},
        "started": "2026-11-27T06:00:00+00:00",
        "verdict": "pass",
        "exit_code": 0,
        "reasons": [],
        "interrupted": False,
        "aborted": None,
        "seconds": 20.0,
        "gates": [],
        "stages": [{"users": 50}],
        "cpu": 0.3,
        "machine": {"cpus": 2, "cpu": "A CPU", "memory": 2**34, "system": "Linux", "python": "3.12.1"},
        "generator": {"processes": 1, "saturated": False, "dropped_arrivals": 0, "locust": "2.47.0"},
        "timeline": [
            {"at": at / 2, "stage": 0, "measured": at > 4, "p95": p95 * (1 + 0.02 * (at % 3))} for at in range(40)
        ],
        "metrics": figures(p95),
        "endpoints": {"GET /a": figures(p95, 500), "GET /b": figures(p95, 500)},
    }
    for key, value in changes.items():
        place = document
        *folders, last = key.split("__")
        for name in folders:
            place = place[name]
        place[last] = value
    return document


def judged(before: list[float], now: list[float], **changes: Any) -> dict[str, Any]:
    """The comparison of runs with these p95."""
    return compare("main", [to_run(result(each)) for each in before], [to_run(result(each, **changes)) for each in now])


_QUIET = [100, 102, 98, 101, 99]


@pytest.mark.parametrize(
    ("before", "now", "verdict", "words"),
    [
        pytest.param(_QUIET, [101], "pass", "", id="the-same"),
        pytest.param(_QUIET, [130], "fail", "+30.0%", id="slower-by-30-percent"),
        pytest.param(_QUIET, [112], "fail", "+12.0%", id="slower-by-a-little-more-than-a-tenth"),
        pytest.param(_QUIET, [108], "pass", "", id="certain-and-too-small-to-tell"),
        pytest.param(_QUIET, [60], "pass", "", id="faster"),
        pytest.param([100], [200], "inconclusive", "nobody knows the noise: 2 more", id="two-runs-tell-nothing"),
        pytest.param([100, 101], [200], "inconclusive", "1 more of the baseline", id="nor-do-three"),
        pytest.param([100, 101], [130, 131], "fail", "+29", id="two-and-two-do"),
        pytest.param([100, 60, 160, 130, 80], [120], "inconclusive", "more runs of each", id="too-noisy-to-say"),
        pytest.param([100, 102, 98, 101, 400], [130], "inconclusive", "too noisy", id="an-odd-run-makes-it-unsure"),
        pytest.param([100, 102, 98, 101, 400, 99, 100, 101, 98, 102], [99], "inconclusive", "", id="and-never-a-pass"),
    ],
)
def test_verdicts(before: list[float], now: list[float], verdict: str, words: str) -> None:
    """A certain rise that is worth telling fails, ruling out 30 % passes, and else more runs are asked for."""
    found = judged(before, now)
    assert found["verdict"] == verdict
    assert found["exit_code"] == {"pass": 0, "fail": 1, "inconclusive": 3}[verdict]
    assert words in " ".join(found["reasons"])
    assert bool(found["reasons"]) == (verdict != "pass")


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"machine__cpus": 8}, "not the same machine"),
        ({"machine__cpu": "Another CPU"}, "Another CPU"),
        ({"machine__memory": 2**35}, "32 GiB"),
        ({"target__url": "http://10.0.0.1/"}, "target 10.0.0.1"),
        ({"generator__processes": 2}, "2 generator(s)"),
        ({"generator__saturated": True}, "saturated"),
        ({"generator__dropped_arrivals": 3}, "arrivals were dropped"),
        ({"interrupted": True}, "interrupted"),
        ({"aborted": "nothing but errors"}, "ended early"),
        ({"metrics": figures(100) | {"requests": 0}}, "no request"),
    ],
)
def test_runs_that_cannot_be_compared(changes: dict[str, Any], note: str) -> None:
    """Another machine, topology or a run that measured itself never passes and never fails: it says why."""
    found = judged(_QUIET, [200], **changes)
    assert found["verdict"] == "inconclusive"
    assert note in " ".join(found["notes"])


def points(values: list[float], stage: int = 0) -> list[dict[str, Any]]:
    """A timeline of measured half seconds."""
    return [{"stage": stage, "measured": True, "p95": value} for value in values]


def test_calm_moments_are_what_is_compared() -> None:
    """A burst of other work in a third of a run moves the calm p95 by little, a slower service by all it is slower."""
    steady = [100.0 + each % 3 for each in range(40)]
    burst = [value * 5 if 10 <= at < 24 else value for at, value in enumerate(steady)]
    found = {name: calm(points(values)) for name, values in {"steady": steady, "burst": burst}.items()}
    slower = calm(points([1.3 * value for value in steady]))
    assert found["steady"]
    assert found["burst"]
    assert slower
    assert found["burst"][0] == pytest.approx(found["steady"][0], rel=0.02)
    assert slower[0] == pytest.approx(1.3 * found["steady"][0])
    assert found["burst"][1] > 5 * found["steady"][1]
    assert calm(points(steady[:11])) is None
    assert calm([{**each, "measured": False} for each in points(steady)]) is None
    staged = calm([*points(steady), *points([3 * value for value in steady], stage=1)])
    assert staged
    assert staged[0] == pytest.approx(math.sqrt(3) * found["steady"][0])
    assert staged[1] < 2 * found["steady"][1]


def test_an_uneven_run_is_less_sure() -> None:
    """The same rise that a quiet run shows for certain is none of a run that varied ten times as much within."""
    before = [0.0, 0.02, -0.02, 0.01, -0.01]
    assert shift(before, [0.2], uneven=0.5).outcome == "worse"
    assert shift(before, [0.2], uneven=10).outcome == "unknown"


def test_errors_and_endpoints_count_too() -> None:
    """More errors, or one endpoint that became slow among many requests, fail though the p95 of all stayed."""
    errors = judged(_QUIET, [100], metrics=figures(100, failures=40))
    assert errors["verdict"] == "fail"
    assert "error_rate against the baseline: 2.000% of requests failed, 0.000% in the baseline" in errors["reasons"]
    slow = judged(_QUIET, [100], endpoints={"GET /a": figures(100, 500), "GET /b": figures(250, 500)})
    assert slow["verdict"] == "fail"
    assert slow["reasons"][0].startswith("p95{GET /b} against the baseline: +150.0%")


@given(_LOGS, _LOGS, st.floats(-2, 2))
def test_a_comparison_has_no_sides_and_no_unit(before: list[float], now: list[float], moved: float) -> None:
    """Swapping the sides turns the change round, and a constant factor on all latencies changes nothing."""
    there, back = shift(before, now), shift(now, before)
    assert there.change == pytest.approx(-back.change)
    assert there.low == pytest.approx(-(back.high or 0.0))
    scaled = shift([each + moved for each in before], [each + moved for each in now])
    assert scaled.change == pytest.approx(there.change, abs=1e-9)
    assert scaled.high == pytest.approx(there.high, abs=1e-9)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=8), st.floats(0.01, 1))
def test_the_noise_is_never_below_what_a_run_leaves_open(values: list[float], error: float) -> None:
    """Runs that agree by luck don't make their sample surer than it is."""
    found = shift(values, [0.0], error)
    assert found.noise is not None
    assert found.noise >= student(0.95, len(values) - 1) * error


@pytest.mark.parametrize(
    ("level", "freedom", "expected"),
    [(0.95, 2, 2.919986), (0.95, 4, 2.131847), (0.995, 5, 4.032143), (0.99, 30, 2.457262), (0.95, 1, 6.313752)],
)
def test_students_quantiles(level: float, freedom: int, expected: float) -> None:
    """As in Student's table (NIST/SEMATECH handbook, 1.3.6.7.2)."""
    assert student(level, freedom) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("before", "now"), [(5, 1), (3, 1), (5, 5), (10, 3)])
@pytest.mark.parametrize("noise", [0.02, 0.05, 0.10, 0.2])
def test_false_alarms_stay_below_the_level(before: int, now: int, noise: float) -> None:
    """Of 4,000 pairs with normal noise, at most 6 % are called slower though nothing changed."""
    chance = random.Random(f"{before} {now} {noise}")  # noqa: S311 - a simulation
    alarms = 0
    for _ in range(4000):
        runs = [chance.gauss(0, noise) for _ in range(before + now)]
        alarms += shift(runs[:before], runs[before:]).outcome == "worse"
    assert alarms <= 240


def test_as_many_runs_as_are_asked_for_are_enough() -> None:
    """With the noise as it is, so many runs more of each side tell, and one less does not."""
    found = Shift(0.0, -0.5, 0.5)
    more = runs_needed(5, 1, found)
    assert more is not None
    deviation = 0.5 / (student(0.95, 4) * math.sqrt(math.pi / 2 / 5 + 1))

    def reach(count: int) -> float:
        spread = math.sqrt(math.pi / 2 / (5 + count) + (math.pi / 2 if count > 1 else 1) / (1 + count))
        return student(0.95, 4 + 2 * count) * deviation * spread

    assert reach(more) < math.log(1.3) <= reach(more - 1)


@pytest.mark.parametrize(
    ("own", "compared", "both"),
    [("pass", "fail", "fail"), ("inconclusive", "pass", "inconclusive"), ("fail", "inconclusive", "fail")],
)
def test_the_worse_verdict_is_the_runs(own: str, compared: str, both: str) -> None:
    """Failed beats inconclusive, which beats passed; an interrupted run keeps its exit code; JUnit has the case."""
    now = {"pass": 100.0, "fail": 200.0, "inconclusive": 100.0}[compared]
    runs = [to_run(result(each)) for each in (_QUIET if compared != "inconclusive" else [100])]
    document = result(now, verdict=own, exit_code={"pass": 0, "fail": 1, "inconclusive": 3}[own])
    joined = with_comparison(document, compare("main", runs, [to_run(document)]))
    assert joined["verdict"] == both
    assert joined["exit_code"] == {"pass": 0, "fail": 1, "inconclusive": 3}[both]
    case = ET.fromstring(to_junit(joined)).find("testcase[@name='calm_p95 against the baseline']")  # noqa: S314 - our own
    assert case is not None
    assert [child.tag for child in case] == {"pass": [], "fail": ["failure"], "inconclusive": ["error"]}[compared]
    stopped = with_comparison({**document, "interrupted": True, "exit_code": 130}, joined["baseline"])
    assert stopped["exit_code"] == 130


def test_a_baseline_grows_and_keeps_the_newest(tmp_path: Path) -> None:
    """Runs are added up to twenty; nothing of the target's address but its host is kept."""
    path = tmp_path / ".hardenctl" / "load" / "baselines" / "main.json"
    assert baseline_path(tmp_path, "main") == path
    for number in range(23):
        before = read_baseline(path, "main") if path.exists() else None
        count = save_run(path, before, "main", result(100 + number))
        assert count == min(20, number + 1)
    kept = read_baseline(path, "main").runs
    assert [run["metrics"]["latency_ms"]["p95"] for run in kept] == [103 + each for each in range(20)]
    assert "secret-path" not in path.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="saturated"):
        save_run(path, None, "main", result(generator__saturated=True))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"kind": "load-baseline", "schema_version": 1, "runs": []}', '{"kind": "load"}', "\xff"]
)
def test_what_is_no_baseline(tmp_path: Path, text: str) -> None:
    """A file of another kind, an empty one and a torn one are told with what to do."""
    path = tmp_path / "main.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DocumentError, match="no baseline"):
        read_baseline(path, "main")


@pytest.mark.parametrize("key", ["metrics", "endpoints", "setup", "cpu", "started"])
def test_a_merged_baseline_is_checked(tmp_path: Path, key: str) -> None:
    """People merge these files: a run that lost a key, or has impossible figures, is told and never compared."""
    path = tmp_path / "main.json"
    save_run(path, None, "main", result())
    whole = json.loads(path.read_text(encoding="utf-8"))
    broken = copy.deepcopy(whole)
    del broken["runs"][0][key]
    path.write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(DocumentError):
        read_baseline(path, "main")
    whole["runs"][0]["metrics"]["latency_ms"]["p95"] = -1
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(DocumentError):
        read_baseline(path, "main")


def test_compare_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Results against results: a verdict, its exit code, each format; wrong input is exit 2 with help."""
    names = []
    for number, p95 in enumerate([100, 103, 97, 101, 99, 140]):
        names.append(str(tmp_path / f"{number}.json"))
        Path(names[-1]).write_text(json.dumps(result(p95)), encoding="utf-8")
    before = [part for name in names[:5] for part in ("--baseline", name)]
    junit = tmp_path / "out.xml"
    assert hardenctl(["load", "compare", names[5], *before, "--output", f"junit={junit}"]) == 1
    told = capsys.readouterr().out
    assert "slower" in told
    assert "100.0 ms -> 140.0 ms" in told
    assert "noise ±" in told
    assert 'failures="' in junit.read_text(encoding="utf-8")
    assert hardenctl(["load", "compare", names[4], *before[:8], "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["verdict"], found["runs"], found["now_runs"]) == ("load-comparison", "pass", 4, 1)
    assert hardenctl(["load", "compare", names[5], "--baseline", names[0], "--format", "markdown"]) == 3
    assert "| p95 | 100 | 140 | +40.0% | - | unknown |" in capsys.readouterr().out
    other = tmp_path / "other.json"
    other.write_text(json.dumps(result(digest="another")), encoding="utf-8")
    for arguments, words in (
        ([str(other), *before], "another scenario"),
        ([names[0], "--baseline", "nowhere"], "there is no baseline"),
        ([names[0], "--baseline", "no name"], "is no name"),
        ([names[0], *before, "--format", "html"], "no format"),
        ([names[0], *before, "--output", "junit=/nowhere/at/all"], "cannot be written"),
    ):
        assert hardenctl(["load", "compare", *arguments]) == 2
        errors = capsys.readouterr().err
        assert "error:" in errors
        assert words in errors


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is an empty project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_service_that_became_slower_is_found(
    target: Any,
    scenario_file: Callable[..., Path],
    load_run: LoadRun,
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Real runs: four fill a baseline and the guide's table, a fifth passes against it, one of a slow service fails."""
    guide = project / "docs" / "PERFORMANCE_BENCHMARKING.md"
    guide.parent.mkdir()
    guide.write_text(f"# Performance\n\n{BEGIN}\n{END}\n\nThe end.\n", encoding="utf-8")
    target.delay = 0.03
    load = ("--host", target.url, "--file", scenario_file("/ok"), "--gate", "p95<5s", "--users", "400", "--rate")

    def run(*more: str) -> tuple[int, dict[str, Any]]:
        return load_run(*load, *more, seconds=8, warm_up="1s")

    for _ in range(4):
        assert run("40", "--save-baseline", "main")[0] == 0
    assert "added to the baseline `main`, 4 run(s)" in capsys.readouterr().err
    text = guide.read_text(encoding="utf-8")
    assert text.startswith("# Performance")
    assert text.endswith("The end.\n")
    assert "| main | " in text
    code, document = run("40", "--baseline", "main")
    assert document["baseline"]["comparison"][0]["baseline"] >= 30
    target.delay = 0.3
    code, document = run("40", "--baseline", "main", "--save-baseline", "main")
    assert (code, document["verdict"], document["baseline"]["verdict"]) == (1, "fail", "fail")
    told = capsys.readouterr()
    assert "not added to the baseline `main`: the run is slower" in told.err
    assert "calm_p95 against the baseline" in told.out
    code, _ = run("20", "--baseline", "main")
    assert code == 2
    assert "another scenario" in capsys.readouterr().err
