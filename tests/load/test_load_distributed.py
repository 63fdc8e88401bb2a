"""A master and its workers as processes on loopback: exact sums, workers that are killed, come late, or refuse."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from hardenctl import __version__
from hardenctl.load.worker import WorkerWishes, _check, parse_address
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import LoadSettings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="signals and process groups")]


class Cluster:
    """Starts `hardenctl load run` processes that find each other; kills what is left of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """One process; what it says is in its standard output."""
        process = subprocess.Popen(
            [sys.executable, "-m", "hardenctl", "load", "run", "--address", self.address, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            encoding="utf-8",
        )
        self.started.append(process)
        return process

    def master(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """The master; its result is `result()`."""
        return self.start("--master", "--no-evidence", "--output", "json=result.json", *arguments)

    def result(self) -> dict[str, Any]:
        """What the master wrote."""
        data: dict[str, Any] = json.loads((self.folder / "result.json").read_text(encoding="utf-8"))
        return data

    def close(self) -> None:
        """Leave nothing behind."""
        for process in self.started:
            if process.poll() is None:
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
                process.kill()
            process.communicate()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of one's own."""
    made = Cluster(tmp_path)
    yield made
    made.close()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(process: subprocess.Popen[str], seconds: float = 60) -> tuple[int, str]:
    """Exit code and output of a process that ends."""
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output


def kill_with_children(process: subprocess.Popen[str]) -> None:
    """As if its machine were gone."""
    children = psutil.Process(process.pid).children(recursive=True)
    for each in children:
        each.kill()
    process.kill()


def test_histograms_add_up_exactly(cluster: Cluster, target: Any, scenario_file: Callable[..., Path]) -> None:
    """Two workers from the start and one that comes late: every request that the target saw is in the result."""
    file = scenario_file("/ok")
    master = cluster.master(
        *("--host", target.url, "--file", file, "--users", "9", "--spawn-rate", "50", "--expect-workers", "2"),
        *("--run-time", "8s", "--warm-up", "1s", "--gate", "p95<5s"),
    )
    workers = [cluster.start("--worker") for _ in range(2)]
    wait_for(lambda: target.hits.get("/ok", 0) > 0)
    late = cluster.start("--worker")
    code, output = ended(master)
    assert code == 0, output
    result = cluster.result()
    assert result["metrics"]["requests"] + result["warm_up_requests"] == target.hits["/ok"]
    assert sum(count for _, count in result["histogram"]) == result["metrics"]["requests"]
    assert [bool(each["joined"]) for each in result["generator"]["workers"]] == [False, False, True]
    assert any("joined late" in note for note in result["notes"])
    assert max(point["users"] for point in result["timeline"]) == 9
    for worker in (*workers, late):
        assert ended(worker)[0] == 0


def test_a_worker_that_is_killed(cluster: Cluster, target: Any, scenario_file: Callable[..., Path]) -> None:
    """The run goes on with the other, says who was lost when, and is no pass; arrivals at a rate are shared out."""
    master = cluster.master(
        *("--host", target.url, "--file", scenario_file("/ok"), "--rate", "60", "--expect-workers", "2"),
        *("--run-time", "10s", "--warm-up", "1s", "--gate", "p95<5s"),
    )
    first, second = cluster.start("--worker"), cluster.start("--worker")
    wait_for(lambda: target.hits.get("/ok", 0) > 100)
    kill_with_children(second)
    code, output = ended(master)
    assert code == 3, output
    result = cluster.result()
    assert result["verdict"] == "inconclusive"
    assert "1 of 2 workers were lost" in " ".join(result["reasons"])
    lost = [each["lost"] for each in result["generator"]["workers"] if each["lost"] is not None]
    assert len(lost) == 1
    assert 0 < lost[0] < 10
    last = [point["rps"] for point in result["timeline"] if point["at"] > lost[0] + 1]
    assert all(15 <= rps <= 45 for rps in last), last  # the other one's half
    assert ended(first)[0] == 0


def test_signals_in_a_cluster(cluster: Cluster, target: Any, scenario_file: Callable[..., Path]) -> None:
    """A worker that is stopped ends with 130 and is missed by the master; the master's Ctrl-C ends everybody."""
    master = cluster.master(
        *("--host", target.url, "--file", scenario_file("/ok"), "--users", "4", "--run-time", "1h"),
        *("--expect-workers", "2", "--warm-up", "1ms"),
    )
    first, second = cluster.start("--worker"), cluster.start("--worker")
    wait_for(lambda: target.hits.get("/ok", 0) > 50)
    second.send_signal(signal.SIGTERM)
    assert ended(second)[0] == 130
    seen = target.hits["/ok"]
    wait_for(lambda: target.hits["/ok"] > seen + 50)
    master.send_signal(signal.SIGINT)
    code, output = ended(master)
    assert code == 130, output
    assert ended(first)[0] == 0
    result = cluster.result()
    assert result["interrupted"] is True
    assert result["metrics"]["requests"] > 0


def test_a_locust_file_on_each_machine(cluster: Cluster, target: Any, tmp_path: Path) -> None:
    """Code is never sent: master and worker read their own file, and the master's gates hold for it."""
    (tmp_path / "load_test.py").write_text(
        "from locust import FastHttpUser, constant, task\n"
        "class Visitor(FastHttpUser):\n"
        "    wait_time = constant(0.02)\n"
        "    @task\n"
        "    def visit(self):\n"
        "        self.client.get('/ok')\n",
        encoding="utf-8",
    )
    master = cluster.master(
        *("--host", target.url, "--locustfile", "load_test.py", "--users", "4", "--spawn-rate", "50"),
        *("--run-time", "3s", "--warm-up", "500ms", "--gate", "p95<5s"),
    )
    worker = cluster.start("--worker", "--locustfile", "load_test.py")
    code, output = ended(master)
    assert code == 0, output
    result = cluster.result()
    assert result["metrics"]["requests"] + result["warm_up_requests"] == target.hits["/ok"]
    assert ended(worker)[0] == 0


def test_a_master_that_is_gone(cluster: Cluster, target: Any, scenario_file: Callable[..., Path]) -> None:
    """Its workers stop by themselves: nobody is left to load a target."""
    master = cluster.master(
        *("--host", target.url, "--file", scenario_file("/ok"), "--users", "4", "--run-time", "1h"),
    )
    worker = cluster.start("--worker")
    wait_for(lambda: target.hits.get("/ok", 0) > 20)
    kill_with_children(master)
    code, output = ended(worker)
    assert code == 2
    assert "error: the master is gone" in output
    seen = target.hits["/ok"]
    time.sleep(0.3)
    assert target.hits["/ok"] == seen


def test_a_worker_refuses_what_it_may_not_load(cluster: Cluster, tmp_path: Path) -> None:
    """A master's word is not enough for a host outside of private networks; the master's Ctrl-C ends its waiting."""
    file = tmp_path / "s.yaml"
    file.write_text("endpoints: [{path: /}]", encoding="utf-8")
    outside = "192.0.2.1"  # of the networks for documentation: nothing is ever sent there
    master = cluster.master("--host", f"http://{outside}", "--confirm-host", outside, "--file", file)
    code, output = ended(cluster.start("--worker"))
    assert code == 2
    assert f"`{outside}` is outside of this machine" in output
    master.send_signal(signal.SIGINT)
    assert ended(master)[0] == 130


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        pytest.param("127.0.0.1:5557", ("127.0.0.1", 5557), id="ipv4"),
        pytest.param("[::1]:5557", ("::1", 5557), id="ipv6"),
        pytest.param("load-master:1", ("load-master", 1), id="name"),
    ],
)
def test_addresses(text: str, pair: tuple[str, int]) -> None:
    """Host and port."""
    assert parse_address(text) == pair


@pytest.mark.parametrize("text", ["", "host", "host:", ":5557", "host:0", "host:65536", "host:http"])
def test_what_is_no_address(text: str) -> None:
    """It is a usage error."""
    with pytest.raises(UsageError, match="is no address"):
        parse_address(text)


@pytest.mark.parametrize(
    ("message", "wishes", "words"),
    [
        pytest.param({"version": "99.0"}, {}, "the master is hardenctl 99.0", id="another-version"),
        pytest.param({"missing": ["SHOP_PASSWORD"]}, {}, "SHOP_PASSWORD", id="environment"),
        pytest.param({"locustfile": True}, {}, "the master runs a Locust file", id="no-locust-file-here"),
        pytest.param({}, {"locustfile": Path("x")}, "the master runs no Locust file", id="a-locust-file-here"),
        pytest.param({"host": "http://198.51.100.7"}, {}, "outside of this machine", id="host"),
        pytest.param({"host": "file:///etc/passwd"}, {}, "is no URL", id="no-http"),
    ],
)
def test_jobs_that_are_refused(message: dict[str, Any], wishes: dict[str, Any], words: str) -> None:
    """A worker checks a job with its own eyes."""
    job = {"host": "http://127.0.0.1:1", "missing": [], "locustfile": False, "version": __version__, **message}
    with pytest.raises(UsageError, match=words):
        _check(job, WorkerWishes(("127.0.0.1", 5557), **wishes), LoadSettings())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--worker", "--host", "http://127.0.0.1:1"], "--worker goes with neither", id="worker-and-host"),
        pytest.param(["--worker", "--master"], "--worker goes with neither", id="worker-and-master"),
        pytest.param([], "there is no target", id="no-host"),
        pytest.param(
            ["--master", "--processes", "2", "--host", "http://127.0.0.1:1"], "makes no load", id="master-processes"
        ),
        pytest.param(
            ["--master", "--expect-workers", "99", "--users", "9", "--host", "http://127.0.0.1:1"],
            "--expect-workers must be between",
            id="more-workers-than-users",
        ),
    ],
)
def test_usage_errors(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and what to do."""
    from hardenctl.cli.app import run

    assert run(["load", "run", *arguments]) == 2
    assert words in capsys.readouterr().err
