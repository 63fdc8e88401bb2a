"""Real runs of Locust, a few seconds each, against a loopback server that behaves as told."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.slow
LoadRun = Callable[..., tuple[int, dict[str, Any]]]
EASY = ("--gate", "p95<2s", "--gate", "error_rate<5%", "--gate", "rps>=10")


def test_a_healthy_target_passes(
    target: Any, scenario_file: Callable[..., Path], load_run: LoadRun, capsys: pytest.CaptureFixture[str]
) -> None:
    """Gates pass, requests of the warm-up don't count, the target's CPU is measured, the summary says so."""
    file = scenario_file("/ok", "/slow", extra="authentication: {login: {path: /login, method: POST}}\n")
    gates = (*EASY, "--gate", "p50{GET /slow}<1s", "--gate", "cpu<100%")
    code, document = load_run("--host", target.url, "--file", file, *gates, "--target-pid", str(os.getpid()))
    assert (code, document["verdict"], document["reasons"]) == (0, "pass", [])
    measured = document["metrics"]["requests"]
    total = sum(target.hits[path] for path in ("/ok", "/slow", "/login"))
    assert 0 < document["warm_up_requests"] < measured
    assert measured + document["warm_up_requests"] == total
    assert document["endpoints"]["GET /slow"]["latency_ms"]["p50"] >= 50
    assert document["cpu"] > 0
    assert target.hits["/login"] == 10
    assert any(each.get("Authorization") == "Bearer " + "t" * 8 for each in target.headers)
    assert "passed" in capsys.readouterr().out


def test_a_dead_target_fails(target: Any, scenario_file: Callable[..., Path], load_run: LoadRun) -> None:
    """Nothing but refused connections is a failure, however fast they came."""
    target.die()
    code, document = load_run("--host", target.url, "--file", scenario_file("/ok"), seconds=2)
    assert (code, document["verdict"]) == (1, "fail")
    assert "no successful request at all (connection refused)" in document["reasons"]
    assert document["metrics"]["rps"] == 0


def test_a_target_that_dies_midway_fails(target: Any, scenario_file: Callable[..., Path], load_run: LoadRun) -> None:
    """What it did before it died doesn't save it, and its time without answers counts in the rate."""
    timer = threading.Timer(4.0, target.die)
    timer.start()
    code, document = load_run("--host", target.url, "--file", scenario_file("/ok"), *EASY, seconds=5)
    timer.join()
    assert code == 1
    assert document["metrics"]["failures"] > 0
    assert document["metrics"]["rps"] * document["measured_seconds"] == pytest.approx(
        document["metrics"]["requests"] - document["metrics"]["failures"], rel=0.001
    )


def test_fast_errors_don_t_flatter(target: Any, scenario_file: Callable[..., Path], load_run: LoadRun) -> None:
    """Latency is that of successes alone; errors are counted by kind, a redirect among them."""
    code, document = load_run(
        "--host", target.url, "--file", scenario_file("/slow", "/fail", "/redirect"), "--gate", "error_rate<1%"
    )
    assert code == 1
    assert document["metrics"]["latency_ms"]["p50"] >= 50
    assert set(document["metrics"]["errors"]) == {"HTTP 503", "HTTP 302"}
    assert "/ok" not in target.hits


@pytest.mark.parametrize("warm_up", [pytest.param("1ms", id="while-measured"), pytest.param("1s", id="since-warm-up")])
def test_a_hanging_target_fails(
    target: Any, scenario_file: Callable[..., Path], load_run: LoadRun, warm_up: str
) -> None:
    """Requests that are still without an answer at the end are failures: a target that hangs isn't idle."""
    file = scenario_file("/hang")
    file.write_text(file.read_text(encoding="utf-8").replace("3s", "60s"), encoding="utf-8")
    code, document = load_run("--host", target.url, "--file", file, seconds=2, warm_up=warm_up)
    assert code == 1
    assert document["metrics"]["errors"] == {"no answer before the run ended": 10}


def test_zero_requests_are_inconclusive(target: Any, load_run: LoadRun, tmp_path: Path) -> None:
    """A Locust file whose users never ask for anything passes no gate."""
    file = tmp_path / "idle.py"
    file.write_text(
        "from locust import User, task, constant\nclass Idle(User):\n    wait_time = constant(1)\n"
        '    @task\n    def nothing(self):\n        print(\'{"kind": "end"}\', flush=True)\n',
        encoding="utf-8",
    )
    code, document = load_run("--host", target.url, "--locustfile", file, seconds=2)
    assert (code, document["verdict"]) == (3, "inconclusive")
    assert "no request at all was measured" in document["reasons"][0]


def test_too_few_requests_are_inconclusive(target: Any, scenario_file: Callable[..., Path], load_run: LoadRun) -> None:
    """The built-in 0.1 % cannot be said of a few hundred requests; CPU is named as not measured."""
    file = scenario_file("/ok", think="50ms..100ms")
    code, document = load_run("--host", target.url, "--file", file, seconds=2)
    assert code == 3
    outcomes = {gate["gate"]: gate["outcome"] for gate in document["gates"]}
    assert outcomes == {"p95<300ms": "pass", "error_rate<0.1%": "inconclusive", "cpu<70%": "not measured"}
    assert any("cpu<70% was not measured" in note for note in document["notes"])


def test_a_stall_shows_at_a_constant_rate(target: Any, scenario_file: Callable[..., Path], load_run: LoadRun) -> None:
    """In the open model arrivals go on while the target freezes, so that its p95 tells of it."""

    def freeze() -> None:
        while not target.hits.get("/ok"):
            time.sleep(0.05)
        time.sleep(1)
        target.frozen_until = time.monotonic() + 1

    threading.Thread(target=freeze, daemon=True).start()
    code, document = load_run(
        *("--host", target.url, "--file", scenario_file("/ok"), "--rate", "100", "--users", "300"),
        *("--gate", "p50<300ms", "--gate", "rps>=90"),
        seconds=4,
    )
    assert document["model"] == "open"
    assert document["generator"]["dropped_arrivals"] == 0
    assert document["metrics"]["latency_ms"]["p95"] > 600
    assert code == 0


def test_dropped_arrivals_are_said(
    target: Any, scenario_file: Callable[..., Path], load_run: LoadRun, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rate that could not be kept up is no pass."""
    code, document = load_run(
        *("--host", target.url, "--file", scenario_file("/slow"), "--rate", "100", "--users", "2"),
        *("--gate", "p95<2s"),
        seconds=2,
    )
    assert code == 3
    assert document["generator"]["dropped_arrivals"] > 50
    assert f"; {document['generator']['dropped_arrivals']:,} arrivals dropped" in capsys.readouterr().out


def test_a_stress_run_ends_where_it_breaks(target: Any, tmp_path: Path) -> None:
    """The stage that misses a gate ends the run, and the users that held are reported."""
    file = tmp_path / "steps.yaml"
    file.write_text(
        "by-stage: true\nthink-time: 20ms..30ms\nendpoints: [{path: /ok}]\nstages:\n"
        "  - {users: 2, spawn-rate: 50, duration: 2s}\n  - {users: 4, spawn-rate: 50, duration: 3s}\n"
        "  - {users: 6, spawn-rate: 50, duration: 30s}\n",
        encoding="utf-8",
    )

    def slow_down() -> None:
        while not target.hits.get("/ok"):
            time.sleep(0.02)
        time.sleep(2.1)
        target.delay = 0.6

    threading.Thread(target=slow_down, daemon=True).start()
    output = tmp_path / "steps.json"
    from hardenctl.cli.app import run

    code = run(
        [
            "load",
            "run",
            "--no-evidence",
            "--file",
            str(file),
            "--host",
            target.url,
            "--gate",
            "p50<5s",
            "--gate",
            "p99<500ms",
            "--warm-up",
            "100ms",
            "--no-progress",
            "--output",
            f"json={output}",
        ]
    )
    document = json.loads(output.read_text(encoding="utf-8"))
    assert code == 1
    assert document["held_users"] == 2
    assert "at 4 users p99<500ms no longer held" in document["aborted"]
    assert document["seconds"] < 20


def test_two_processes_add_up(target: Any, scenario_file: Callable[..., Path], load_run: LoadRun) -> None:
    """Users are shared out and every request is counted once."""
    file = scenario_file("/ok")
    code, document = load_run("--host", target.url, "--file", file, *EASY, "--processes", "2", warm_up="1500ms")
    assert code == 0
    assert document["metrics"]["requests"] + document["warm_up_requests"] == target.hits["/ok"]
    assert max(point["users"] for point in document["timeline"]) == 10
    assert any(point["rps"] > 0 for point in document["timeline"] if not point["measured"])


def test_a_locust_file_with_a_shape(target: Any, tmp_path: Path) -> None:
    """Its own shape leads the users and ends the run; what it prints does no harm; query values stay out."""
    file = tmp_path / "shaped.py"
    file.write_text(
        "from locust import HttpUser, LoadTestShape, task, constant\n"
        "class Me(HttpUser):\n    wait_time = constant(0.01)\n"
        "    @task\n    def ok(self):\n        print('noise')\n        self.client.get('/ok?key=' + 'abc' * 3)\n"
        "class Two(LoadTestShape):\n    def tick(self):\n"
        "        return (3, 50) if self.get_run_time() < 3 else None\n",
        encoding="utf-8",
    )
    from hardenctl.cli.app import run

    output = tmp_path / "load.json"
    gates = ("--gate", "p95<2s", "--gate", "error_rate<5%")
    arguments = (
        "load",
        "run",
        "--host",
        target.url,
        "--locustfile",
        str(file),
        *gates,
        "--no-progress",
        "--no-evidence",
    )
    code = run([*arguments, "--output", f"json={output}", "--format", "markdown"])
    document = json.loads(output.read_text(encoding="utf-8"))
    assert code == 0
    assert list(document["endpoints"]) == ["/ok?key=…"]
    assert 2 < document["seconds"] < 8


def test_a_locust_file_that_fails(
    target: Any, load_run: LoadRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last words are shown, credentials of the environment masked; exit 2."""
    value = "very" + "secret" + "value"
    monkeypatch.setenv("SHOP_TOKEN", value)
    file = tmp_path / "broken.py"
    file.write_text("import os\nraise RuntimeError('no luck with ' + os.environ['SHOP_TOKEN'])\n", encoding="utf-8")
    code, _ = load_run("--host", target.url, "--locustfile", file)
    errors = capsys.readouterr().err
    assert code == 2
    assert "no luck with" in errors
    assert value not in errors


class Hardenctl:
    """`hardenctl load run` as a process of its own."""

    def __init__(self, folder: Path, *arguments: str, ignore_sigint: bool = False) -> None:
        self.output = folder / "own.json"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hardenctl",
                "load",
                "run",
                *arguments,
                "--no-evidence",
                "--output",
                f"json={self.output}",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if ignore_sigint else None,  # noqa: PLW1509
        )
        self.children: list[psutil.Process] = []

    def wait_for_load(self, target: Any) -> None:
        """Until requests arrive."""
        deadline = time.monotonic() + 20
        while target.hits.get("/ok", 0) < 20:
            assert time.monotonic() < deadline
            assert self.process.poll() is None
            time.sleep(0.05)
        self.children = psutil.Process(self.process.pid).children(recursive=True)
        assert self.children

    def end(self) -> int:
        """The exit code; fails where a child is left."""
        self.process.communicate(timeout=30)
        _, alive = psutil.wait_procs(self.children, timeout=5)
        assert not alive
        return self.process.returncode


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Hardenctl]]:
    """Start runs, and leave none behind."""
    started: list[Hardenctl] = []

    def begin(*arguments: Any, ignore_sigint: bool = False) -> Hardenctl:
        started.append(Hardenctl(tmp_path, *map(str, arguments), ignore_sigint=ignore_sigint))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(
    ("number", "options", "ignore_sigint"),
    [
        pytest.param(signal.SIGINT, (), False, id="ctrl-c"),
        pytest.param(signal.SIGINT, (), True, id="ctrl-c-inherited-as-ignored"),
        pytest.param(signal.SIGTERM, ("--rate", "50", "--run-time", "5m"), False, id="sigterm-open-model"),
    ],
)
def test_a_signal_stops_and_reports(
    target: Any,
    scenario_file: Callable[..., Path],
    start: Callable[..., Hardenctl],
    number: int,
    options: tuple[str, ...],
    *,
    ignore_sigint: bool,
) -> None:
    """The first signal ends the run with its report written, exit 130, and no process left."""
    run = start("--host", target.url, "--file", scenario_file("/ok"), *options, ignore_sigint=ignore_sigint)
    run.wait_for_load(target)
    run.process.send_signal(number)
    assert run.end() == 130
    document = json.loads(run.output.read_text(encoding="utf-8"))
    assert document["interrupted"] is True
    assert document["verdict"] == "inconclusive"
    assert document["metrics"]["requests"] + document["warm_up_requests"] > 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_sigterm_in_a_shape(target: Any, tmp_path: Path, start: Callable[..., Hardenctl]) -> None:
    """Where bare Locust loses its report, ours is written."""
    file = tmp_path / "shaped.py"
    file.write_text(
        "from locust import FastHttpUser, LoadTestShape, task, constant\n"
        "class Me(FastHttpUser):\n    wait_time = constant(0.01)\n"
        "    @task\n    def ok(self):\n        self.client.get('/ok')\n"
        "class Long(LoadTestShape):\n    def tick(self):\n        return (3, 50)\n",
        encoding="utf-8",
    )
    run = start("--host", target.url, "--locustfile", file)
    run.wait_for_load(target)
    time.sleep(1)
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == 130
    assert json.loads(run.output.read_text(encoding="utf-8"))["metrics"]["requests"] > 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_the_second_signal_kills(
    target: Any, scenario_file: Callable[..., Path], start: Callable[..., Hardenctl]
) -> None:
    """A run that waits for a hanging target ends at once at the second signal, still with its report."""
    file = scenario_file("/ok", "/hang")
    file.write_text(file.read_text(encoding="utf-8").replace("timeout: 3s", "timeout: 1m"), encoding="utf-8")
    run = start("--host", target.url, "--file", file)
    run.wait_for_load(target)
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    run.process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert run.end() == 130
    assert time.monotonic() - began < 4
    assert run.output.exists()


def test_no_orphans_when_the_parent_is_killed(
    target: Any, scenario_file: Callable[..., Path], start: Callable[..., Hardenctl]
) -> None:
    """The generator watches its parent and ends with it."""
    run = start("--host", target.url, "--file", scenario_file("/ok"))
    run.wait_for_load(target)
    run.process.kill()
    run.end()


def test_without_locust(tmp_path: Path) -> None:
    """Where Locust isn't installed the error says what to install; exit 2."""
    code = (
        "import sys\n"
        "class No:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'locust': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, No())\n"
        "from hardenctl.cli.app import run\n"
        "sys.exit(run(['load', 'run', '--host', 'http://127.0.0.1:1']))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path, encoding="utf-8"
    )
    assert result.returncode == 2
    assert "pip install 'hardenctl[load]'" in result.stderr
    assert "Traceback" not in result.stderr
