import datetime as dt
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from hardenctl.cli import load_view
from hardenctl.load.builtin import builtin
from hardenctl.load.document import WRITERS, to_document
from hardenctl.load.gates import Outcome
from hardenctl.load.histogram import bucket_of
from hardenctl.load.measure import Point, Window
from hardenctl.load.outputs import check_outputs, write_outputs
from hardenctl.load.plan import Plan, plan
from hardenctl.load.prepare import Wishes, prepare
from hardenctl.load.run import Run
from hardenctl.load.scenario import Authentication, Endpoint, Scenario, Stage
from hardenctl.load.target import LoadTarget
from hardenctl.load.verdict import Result, conclude
from hardenctl.model.errors import HardenctlError, ToolError, UsageError
from hardenctl.model.settings import LoadSettings
from hardenctl.report.style import Look

TARGET = LoadTarget("http://127.0.0.1:8000", "127.0.0.1", ("127.0.0.1",))


def make_run(
    *, ok: int = 5000, failed: int = 0, ms: float = 20, scenario: Scenario | None = None, gates: tuple[str, ...] = ()
) -> Run:
    """A run of ten measured seconds."""
    made = plan(scenario or builtin("normal").resized(seconds=10), TARGET, LoadSettings(), gates=gates)
    run = Run(made, dt.datetime(2026, 1, 2, tzinfo=dt.UTC), seconds=11.0)
    endpoints = {
        "GET /": {"ok": ok, "failed": failed, "latency": [(bucket_of(ms), ok)], "errors": {"HTTP 503": failed}}
    }
    run.whole = Window(seconds=10)
    if ok or failed:
        run.whole.add(endpoints)
    run.stages = [run.whole]
    run.timeline = [Point(float(n), 0, 5, float(n), 0, ms, ms, ms, 0.5, measured=n > 0) for n in range(5)]
    run.generator.cpu = [0.2, 0.3]
    run.generator.beats = 100
    return run


def judged(run: Run) -> tuple[Outcome, int, str]:
    """Verdict, exit code and reasons of a run."""
    result = conclude(run)
    return result.verdict, result.exit_code, "; ".join(result.reasons)


def test_pass() -> None:
    """All gates hold; what was not measured is named in a note and doesn't count."""
    result = conclude(make_run())
    assert (result.verdict, result.exit_code, result.reasons) == (Outcome.PASS, 0, ())
    assert any("cpu<70% was not measured" in note for note in result.notes)


def test_failed_beats_inconclusive() -> None:
    """A missed gate is a failure though another one is open."""
    verdict, code, reasons = judged(make_run(ok=100, ms=500))
    assert (verdict, code) == (Outcome.FAIL, 1)
    assert reasons == "p95<300ms was missed"


def test_no_request_at_all() -> None:
    """It is inconclusive, and the warm-up's requests are mentioned."""
    run = make_run(ok=0)
    run.warm_requests = 7
    verdict, code, reasons = judged(run)
    assert (verdict, code) == (Outcome.INCONCLUSIVE, 3)
    assert "no request at all was measured; 7 in the warm-up" in reasons


def test_no_success_at_all() -> None:
    """It is failed, even where no gate could say so."""
    assert judged(make_run(ok=0, failed=3, gates=("p95<1s",)))[:2] == (Outcome.FAIL, 1)


def test_a_saturated_generator() -> None:
    """It makes a slow run inconclusive, not failed; errors stay errors."""
    run = make_run(ms=500)
    run.generator.cpu = [0.95] * 10
    verdict, code, reasons = judged(run)
    assert (verdict, code) == (Outcome.INCONCLUSIVE, 3)
    assert "the generator was saturated" in reasons
    bad = make_run(ok=100, failed=100)
    bad.generator.late = 50
    assert judged(bad)[0] is Outcome.FAIL


def test_dropped_arrivals() -> None:
    """They are a doubt."""
    run = make_run()
    run.generator.dropped = 5
    assert "5 arrivals were dropped" in judged(run)[2]


def test_interrupted() -> None:
    """It ends with 130 whatever was measured, and never passes."""
    run = make_run()
    run.interrupted = True
    assert judged(run)[:2] == (Outcome.INCONCLUSIVE, 130)


def test_aborted() -> None:
    """A run that was stopped early for good reason failed."""
    run = make_run()
    run.aborted = "nothing but errors for 10 s"
    assert judged(run) == (Outcome.FAIL, 1, "stopped early: nothing but errors for 10 s")


def test_a_target_process_that_ended() -> None:
    """Its CPU says nothing."""
    run = make_run(gates=("cpu<70%",))
    run.whole.cpu = 0.1
    assert judged(run)[0] is Outcome.PASS
    run.watch_problem = "the target's process ended"
    assert "the target's process ended" in judged(run)[2]


def test_gates_that_nobody_could_measure() -> None:
    """A run whose every gate went unmeasured is no pass."""
    run = make_run()
    only_cpu = Run(
        Plan(run.plan.scenario, TARGET, run.plan.gates[2:3], 1.0), run.started, whole=run.whole, stages=run.stages
    )
    assert judged(only_cpu)[0] is Outcome.INCONCLUSIVE


def test_stages_of_a_stress_run() -> None:
    """A stage that misses a gate fails the run though the whole looks fine; what held is said."""
    stress = Scenario("steps", "", (Stage(5, 10), Stage(5, 20), Stage(5, 30)), by_stage=True)
    run = make_run(scenario=stress)
    slow = make_run(ok=200, ms=900).whole
    run.stages = [make_run().whole, slow, make_run().whole]
    result = conclude(run)
    assert (result.verdict, result.held) == (Outcome.FAIL, 10)
    assert "at 20 users" in next(gate.reason for gate in result.gates if gate.gate.metric == "p95")
    assert "held up to 10 users" in load_view.summary(to_document(result), Look())


def test_a_stage_that_the_warm_up_took() -> None:
    """It was not measured, and says nothing about what held."""
    run = make_run(scenario=Scenario("steps", "", (Stage(10, 10, 1), Stage(50, 20, 1)), by_stage=True))
    run.stages = [Window(), run.whole]
    assert conclude(run).held == 20


@pytest.fixture
def result() -> Result:
    """A run with a bit of everything."""
    run = make_run(ok=4000, failed=300, gates=("p95<300ms", "error_rate<1%", "cpu<70%", "p99{GET /x}<1s"))
    run.whole.cpu = 0.4
    return conclude(run)


def test_the_json_document(result: Result) -> None:
    """It is plain JSON with the gates, the metrics, and what a reader needs to trust them."""
    document = json.loads(WRITERS["json"](to_document(result)))
    assert (document["schema_version"], document["kind"], document["verdict"]) == (1, "load", "fail")
    assert document["metrics"]["latency_ms"]["p95"] == pytest.approx(20, rel=0.001)
    assert document["metrics"]["rps"] == 400
    assert [gate["outcome"] for gate in document["gates"]] == ["pass", "fail", "pass", "inconclusive"]
    assert document["generator"]["headroom"] == 0.75
    assert document["stages"][0]["users"] == 50
    assert sum(count for _, count in document["histogram"]) == 4000


def test_markdown(result: Result) -> None:
    """Gates and endpoints as tables."""
    text = WRITERS["markdown"](to_document(result))
    assert text.startswith("## Load test `normal`: fail\n")
    assert "| `error_rate<1%` | 6.98% | fail |" in text
    assert "| GET / | 4,300 | 300 | 400.0 |" in text


def test_junit(result: Result) -> None:
    """A test case per gate and one for the run: failure, error, or none."""
    suite = ET.fromstring(WRITERS["junit"](to_document(result)).encode())  # noqa: S314 - our own
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "5",
        "failures": "2",
        "errors": "1",
    }
    assert [case.get("name") for case in suite][-1] == "the run"


def test_html(result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One page with charts and tables, nothing loaded from anywhere, small however long the run was."""
    from hardenctl.cli.app import run

    result.run.timeline *= 2000
    write_outputs([("json", tmp_path / "a.json")], to_document(result))
    assert run(["load", "report", str(tmp_path / "a.json")]) == 0
    page = capsys.readouterr().out
    assert len(page) < 200_000
    assert page.count("<figure>") == 6
    assert "error_rate&lt;1%" in page
    assert not any(word in page for word in ("http://www", "https://", "url(", "src=", "@import"))


def test_a_report_of_a_run_without_requests() -> None:
    """Where nothing was measured there are no charts, and no crash."""
    run = make_run(ok=0)
    run.timeline = []
    assert "<figure" not in WRITERS["html"](to_document(conclude(run)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param("{", "is no load result", id="broken"),
        pytest.param('{"kind": "audit", "schema_version": 1}', "is no load result", id="another-report"),
    ],
)
def test_what_cannot_be_reported(
    text: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is no result of a run is refused."""
    from hardenctl.cli.app import run

    file = tmp_path / "a.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert run(["load", "report", str(file), "--format", "full"]) == 2
    assert words in capsys.readouterr().err
    assert run(["load", "report", str(file), "--format", "pdf"]) == 2


def test_outputs(result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written whole; a disk that refuses is an error and leaves what was there."""
    outputs = check_outputs([f"json={tmp_path / 'a.json'}", f"junit={tmp_path / 'a.xml'}"])
    write_outputs(outputs, to_document(result))
    before = (tmp_path / "a.json").read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ToolError, match="No space left"):
        write_outputs(outputs, to_document(result))
    assert (tmp_path / "a.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.xml"]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        pytest.param("a.json", "names no file", id="no-format"),
        pytest.param("yaml=a", "no format `yaml`", id="unknown-format"),
        pytest.param("json=no/such/a.json", "cannot be written", id="no-folder"),
    ],
)
def test_wrong_outputs(wish: str, words: str) -> None:
    """They are refused before the run."""
    with pytest.raises(UsageError, match=words):
        check_outputs([wish])


def test_summary(result: Result) -> None:
    """The summary names rate, percentiles, gates, errors, notes and the verdict, in colour and without."""
    for look in (Look(), Look(width=120, colour=True), Look(unicode=False)):
        text = load_view.summary(to_document(result), look)
        for part in ("4,300 requests", "p95 20.0 ms", "target CPU 40%", "300 x HTTP 503", "failed", "was missed"):
            assert part in text
        assert ("\x1b" in text) is look.colour


def test_frame_and_line() -> None:
    """The live view shows stage, users, rate, percentiles, errors, CPU, a sparkline and the time left."""
    run = make_run(failed=3)
    text = "\n".join(load_view.frame(run, run.timeline[-1]))
    for part in ("stage 1/1", "5 users", "requests/s", "p95 20.0 ms", "3 errors", "target CPU 50%", "6 s left", "▁"):
        assert part in text
    line = load_view.one_line(run, run.timeline[0])
    assert "(warm-up)" in line
    assert "\n" not in line
    assert "p95 -" in load_view.one_line(
        Run(run.plan, run.started), Point(0, 0, 0, 0, 0, None, None, None, None, measured=False)
    )


def test_sparkline() -> None:
    """The highest value is a full bar, nothing is the lowest."""
    assert load_view.sparkline([0, 5, 10], 40) == "▁▅█"
    assert load_view.sparkline([0, 0], 40) == "▁▁"
    assert load_view.sparkline([1, 2, 3], 2) == "▆█"


def test_watching_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Plain lines, now and then; nothing where nothing is wanted."""
    run = make_run()
    with load_view.watching(wanted=False) as on_point:
        assert on_point is None
    with load_view.watching() as on_point:
        assert on_point is not None
        for point in run.timeline:
            on_point(run, point)
    assert capsys.readouterr().err.count("\n") == 1


def test_watching_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The live panel is drawn, and gone at the end."""
    run = make_run()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with load_view.watching() as on_point:
        assert on_point is not None
        on_point(run, run.timeline[-1])
    assert "stage 1/1" in capsys.readouterr().err


def test_the_environment_must_be_there() -> None:
    """A variable that a scenario names and nobody set is an error that names it, for login, body and token."""
    how = Authentication(login=Endpoint("log in", "POST", "/login", form={"p": "$SHOP_A"}))
    scenario = Scenario("x", "", (Stage(5, 1),), authentication=how, endpoints=(Endpoint("a", body=["${SHOP_B}"]),))
    with pytest.raises(UsageError, match="SHOP_A, SHOP_B"):
        plan(scenario, TARGET, LoadSettings(), environment={})
    token = Scenario("x", "", (Stage(5, 1),), authentication=Authentication(token_env="SHOP_T"))  # noqa: S106 - the variable
    assert plan(token, TARGET, LoadSettings(), environment={"SHOP_T": "x"}).jobs()


def test_users_are_shared_out() -> None:
    """Three processes get all users and rapid users, none twice."""
    made = plan(builtin("spike"), TARGET, LoadSettings(), processes=3)
    jobs = made.jobs()
    assert [sum(job["stages"][n]["users"] for job in jobs) for n in range(3)] == [50, 500, 50]
    assert sum(job["stages"][1]["rapid"] for job in jobs) == 450
    assert sum(job["stages"][1]["spawn_rate"] for job in jobs) == 45


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"processes": 51}, "--processes", id="more-processes-than-users"),
        pytest.param({"warm_up": 300.0}, "warm-up takes the whole run", id="only-warm-up"),
        pytest.param({"gates": ("p95",)}, "is no gate", id="bad-gate"),
    ],
)
def test_plans_that_cannot_be(options: dict[str, Any], words: str) -> None:
    """They are refused."""
    with pytest.raises(UsageError, match=words):
        plan(builtin("normal"), TARGET, LoadSettings(), **options)


def test_scaled_targets_are_said() -> None:
    """A smaller peak has a smaller rate target, and says so."""
    made = plan(builtin("peak").resized(scale=0.1), TARGET, LoadSettings(), scale=0.1)
    assert "rps>=50" in [str(gate) for gate in made.gates]
    assert any("500 x 0.1" in note for note in made.notes)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        pytest.param({"scale": 0}, "--scale", id="no-scale"),
        pytest.param({"rate": 5.0, "spawn_rate": 1.0}, "don't go together", id="rate-and-spawn-rate"),
        pytest.param({"locustfile": Path("none.py")}, "is no file", id="no-locustfile"),
        pytest.param({"locustfile": Path(__file__), "rate": 5.0}, "don't go together", id="rate-and-locustfile"),
        pytest.param({"users": 10_001}, "hard", id="beyond-the-caps"),
        pytest.param({"rate": 0.0}, "--rate must be above 0", id="no-rate"),
        pytest.param({"rate": float("nan")}, "--rate must be above 0", id="a-rate-that-is-no-number"),
        pytest.param({"rate": float("inf")}, "--rate must be above 0", id="a-rate-without-end"),
        pytest.param({"spawn_rate": float("nan")}, "--spawn-rate must be above 0", id="a-spawn-rate-that-is-none"),
        pytest.param({"scenario": "peek"}, "peak", id="misspelt"),
    ],
)
def test_wishes_that_cannot_be(wishes: dict[str, Any], words: str) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(HardenctlError) as caught:
        prepare(Wishes(host="http://127.0.0.1:1", **wishes), LoadSettings())
    assert words in f"{caught.value.what} {caught.value.help}"


def test_a_file_with_a_scenario(tmp_path: Path) -> None:
    """--scenario takes the load, --file gives endpoints, targets and what a user is."""
    file = tmp_path / "own.yaml"
    file.write_text("targets: [p50<1s]\nendpoints: [{path: /x}]\ntimeout: 3s", encoding="utf-8")
    made = prepare(Wishes(host="http://127.0.0.1:1", file=file, scenario="peak"), LoadSettings())
    assert (made.scenario.name, made.scenario.users, made.scenario.timeout) == ("peak", 500, 3)
    assert [str(gate) for gate in made.gates] == ["p50<1,000ms"]
    assert [each.path for each in made.scenario.endpoints] == ["/x"]


def test_no_endpoints_is_said() -> None:
    """Without a file and without a document `/` alone is loaded, and said."""
    made = prepare(Wishes(host="http://127.0.0.1:1"), LoadSettings())
    assert [each.path for each in made.scenario.endpoints] == ["/"]
    assert any("only `/` is loaded" in note for note in made.notes)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """The scenarios and their targets are listed."""
    from hardenctl.cli.app import run

    assert run(["load", "list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("normal", "peak", "stress", "spike", "soak", "rps>=500"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--format", "yaml"], "no format `yaml`", id="format"),
        pytest.param(["--run-time", "5"], "is no duration", id="duration"),
        pytest.param(["--target-pid", "999999999"], "no process 999999999", id="pid"),
        pytest.param(["--target-pid", "-1"], "no process -1", id="a-pid-that-is-none"),
        pytest.param(["--users", "x"], "Invalid value", id="users"),
    ],
)
def test_usage_errors(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, `error:` and no traceback."""
    from hardenctl.cli.app import run

    assert run(["load", "run", "--host", "http://127.0.0.1:1", *arguments]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert words in errors
