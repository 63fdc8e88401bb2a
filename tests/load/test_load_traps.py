"""What load generators trip over: signals in every phase, processes that are killed, TLS, a disk that is full."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="POSIX signals and process groups")]
EASY = ("--gate", "p95<5s")
MODELS = {
    "closed": ("--users", "10", "--spawn-rate", "50"),
    "open": ("--users", "50", "--rate", "40"),
}
PHASES = ("starting", "spawning", "warm-up", "steady", "stopping", "reporting")
FEW = {"spawning": 2, "stopping": 5}  # requests to wait for
# Each signal, model and phase at least once here; every combination in the nightly run.
PAIRS = [
    ("SIGTERM", "closed", "starting"),
    ("SIGINT", "closed", "spawning"),
    ("SIGTERM", "open", "warm-up"),
    ("SIGINT", "open", "steady"),
    ("SIGTERM", "closed", "stopping"),
    ("SIGTERM", "open", "reporting"),
]
if os.environ.get("NIGHTLY"):
    PAIRS = list(product(("SIGINT", "SIGTERM"), MODELS, PHASES))


class Process:
    """`hardenctl load run` with its generators, each the leader of a process group of its own."""

    def __init__(self, folder: Path, *arguments: str | Path, **environment: str) -> None:
        self.result = folder / "result.json"
        command = [sys.executable, "-m", "hardenctl", "load", "run", "--no-evidence", *map(str, arguments)]
        self.popen = subprocess.Popen(
            [*command, "--output", f"json={self.result}"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env={**os.environ, **environment},
        )
        self.groups: set[int] = set()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Until something holds; the run must not end before."""
        deadline = time.monotonic() + 60
        while not condition():
            self.groups.update(self.generators())
            assert time.monotonic() < deadline
            assert self.popen.poll() is None, self.popen.communicate()[0]
            time.sleep(0.02)
        self.groups.update(self.generators())

    def generators(self) -> list[int]:
        """Process ids of the generators."""
        return [each.pid for each in psutil.Process(self.popen.pid).children()]

    def end(self) -> tuple[int, str]:
        """Exit code and output. Fails where a process of a generator's group is left."""
        output, _ = self.popen.communicate(timeout=60)
        deadline = time.monotonic() + 20
        while left := [pid for pid in psutil.pids() if _group(pid) in self.groups]:
            assert time.monotonic() < deadline, left
            time.sleep(0.05)
        return self.popen.returncode, output


def _group(pid: int) -> int:
    """Its process group; 0 where it is gone, or a zombie that somebody else has to bury."""
    try:
        return 0 if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else os.getpgid(pid)
    except (psutil.Error, OSError):
        return 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start runs, and leave none behind."""
    started: list[Process] = []

    def begin(*arguments: str | Path, **environment: str) -> Process:
        started.append(Process(tmp_path, *arguments, **environment))
        return started[-1]

    yield begin
    for each in started:
        if each.popen.poll() is None:
            each.popen.kill()
            each.popen.communicate()


@pytest.mark.parametrize(("name", "model", "phase"), [pytest.param(*each, id="-".join(each)) for each in PAIRS])
def test_a_signal_in_each_phase(
    target: Any,
    scenario_file: Callable[..., Path],
    start: Callable[..., Process],
    tmp_path: Path,
    *,
    name: str,
    model: str,
    phase: str,
) -> None:
    """Exit 130, the report written as soon as there is a run to report, and no process left, whatever went on."""
    number = signal.Signals[name]
    options = [*MODELS[model], *EASY, "--run-time", "5m", "--warm-up", "4m" if phase == "warm-up" else "1ms"]
    file = scenario_file("/hang" if phase == "stopping" else "/ok")
    file.write_text(file.read_text(encoding="utf-8").replace("timeout: 3s", "timeout: 1m"), encoding="utf-8")
    if phase == "spawning" and model == "closed":
        options[options.index("--spawn-rate") + 1] = "1"
    if phase == "steady":
        options += ["--processes", "2"]
    if phase == "reporting":
        options[options.index("--run-time") + 1] = "1s"
        os.mkfifo(tmp_path / "pipe")  # who writes a report to it waits for a reader
        options += ["--output", "markdown=pipe"]
    run = start("--host", target.url, "--file", file, *options)
    run.wait(lambda: bool(run.generators()))
    if phase not in {"starting", "reporting"}:
        run.wait(lambda: sum(target.hits.values()) >= FEW.get(phase, 30))
    if phase == "reporting":
        run.wait(lambda: not run.generators())
    run.popen.send_signal(number)
    if phase == "stopping":  # it waits for answers that never come; two of the same kind could become one
        run.popen.send_signal(signal.SIGINT if name == "SIGTERM" else signal.SIGTERM)
    if phase == "reporting":
        assert (tmp_path / "pipe").read_text(encoding="utf-8")
    code, output = run.end()
    assert code == 130, output
    assert "Traceback" not in output
    document = json.loads(run.result.read_text(encoding="utf-8"))
    assert document["interrupted"] is (phase != "reporting")
    if phase not in {"starting", "stopping"}:
        assert document["metrics"]["requests"] + document["warm_up_requests"] > 0


def test_a_generator_that_is_killed(
    target: Any, scenario_file: Callable[..., Path], start: Callable[..., Process]
) -> None:
    """Half of the load is no load test: the run could not be carried out, says so, and takes the other one with it."""
    run = start(
        "--host", target.url, "--file", scenario_file("/ok"), *MODELS["closed"], "--processes", "2", "--run-time", "5m"
    )
    run.wait(lambda: target.hits.get("/ok", 0) >= 20)
    first, _ = run.generators()
    os.kill(first, signal.SIGKILL)
    code, output = run.end()
    assert code == 2
    assert "error: the load generator ended without a word" in output


def test_a_full_disk(target: Any, scenario_file: Callable[..., Path], start: Callable[..., Process]) -> None:
    """One report that cannot be written costs neither the others nor what the terminal shows; exit 2."""
    run = start(
        *("--host", target.url, "--file", scenario_file("/ok"), *MODELS["closed"], "--run-time", "1s", *EASY),
        *("--warm-up", "1ms", "--output", "html=/dev/full"),
    )
    code, output = run.end()
    assert code == 2
    assert "error: /dev/full could not be written: No space left on device" in output
    assert "\npassed\n" in output
    assert json.loads(run.result.read_text(encoding="utf-8"))["verdict"] == "pass"


@pytest.mark.parametrize(
    ("extra", "code", "errors"),
    [
        pytest.param("", 1, {"TLS: certificate not trusted"}, id="verified"),
        pytest.param("verify-tls: false\n", 0, set(), id="not-verified"),
    ],
)
def test_tls(
    tls_target: Any,
    scenario_file: Callable[..., Path],
    load_run: Callable[..., tuple[int, dict[str, Any]]],
    *,
    extra: str,
    code: int,
    errors: set[str],
) -> None:
    """A certificate that isn't trusted is a failure with its reason, unless the scenario says not to look."""
    found, document = load_run("--host", tls_target.url, "--file", scenario_file("/ok", extra=extra), *EASY, seconds=2)
    assert found == code, document
    assert set(document["metrics"]["errors"]) == errors


def test_the_wrong_scheme(target: Any, scenario_file: Callable[..., Path], load_run: Callable[..., Any]) -> None:
    """TLS spoken to a server that speaks plain HTTP fails as what it is."""
    url = target.url.replace("http:", "https:")
    code, document = load_run("--host", url, "--file", scenario_file("/ok"), *EASY, seconds=2)
    assert code == 1
    assert set(document["metrics"]["errors"]) <= {"TLS: handshake failed", "connection closed", "timed out"}


@pytest.mark.parametrize(
    ("path", "extra", "why"),
    [
        pytest.param("/fail", "", "nothing but errors for 10 s", id="nothing-but-errors"),
        pytest.param("/slow", "abort: [p95<10ms]\n", "p95<10ms was missed: at least", id="its-own-condition"),
        pytest.param("/hang", "abort: [error_rate<50%]\n", "error_rate<50% was missed: at least", id="nobody-answers"),
    ],
)
def test_a_hopeless_target_ends_the_run(
    target: Any, scenario_file: Callable[..., Path], start: Callable[..., Process], *, path: str, extra: str, why: str
) -> None:
    """Five minutes end early and failed, with the reason on the terminal and in the report, and no process left."""
    file = scenario_file(path, extra=extra)
    file.write_text(file.read_text(encoding="utf-8").replace("timeout: 3s", "timeout: 500ms"), encoding="utf-8")
    options = (*MODELS["closed"], "--gate", "p95<30s", "--run-time", "5m", "--warm-up", "1s")
    run = start("--host", target.url, "--file", file, *options)
    run.wait(lambda: bool(run.generators()))
    code, output = run.end()
    document = json.loads(run.result.read_text(encoding="utf-8"))
    assert code == 1, output
    assert document["aborted"].startswith(why)
    assert any(reason.startswith(f"stopped early: {why}") for reason in document["reasons"])
    assert f"stopped early: {why.partition(':')[0]}" in " ".join(output.split())
    assert document["seconds"] < 60
    assert (document["verdict"], document["interrupted"]) == ("fail", False)


def test_a_slow_name_service(
    target: Any, scenario_file: Callable[..., Path], start: Callable[..., Process], tmp_path: Path
) -> None:
    """Two seconds for a name are two seconds of its users; the generator goes on meanwhile, and is not to blame."""
    (tmp_path / "sitecustomize.py").write_text(
        "import _socket, time\nask = _socket.getaddrinfo\n"
        "def slow(*arguments, **options):\n    time.sleep(2)\n    return ask(*arguments, **options)\n"
        "_socket.getaddrinfo = slow\n",
        encoding="utf-8",
    )
    url = target.url.replace("127.0.0.1", "localhost")
    options = (*MODELS["closed"], *EASY, "--run-time", "6s", "--warm-up", "1ms")
    run = start("--host", url, "--file", scenario_file("/ok"), *options, PYTHONPATH=str(tmp_path))
    code, output = run.end()
    assert code == 0, output
    document = json.loads(run.result.read_text(encoding="utf-8"))
    assert document["metrics"]["latency_ms"]["max"] >= 2000
    assert document["metrics"]["latency_ms"]["p50"] < 1000
    assert document["metrics"]["failures"] == 0
    assert document["generator"]["loop_late_ms_max"] < 1500
