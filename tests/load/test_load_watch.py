"""The target's CPU and memory: from its processes, its port, its container, Prometheus; and honestly not at all."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hardenctl.load.watch import Usage, Watch, Watched, open_watch
from hardenctl.load.watch.polled import Gone, Polled
from hardenctl.model.errors import HardenctlError, UsageError

_TREE = """
import os, socket, sys, time
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
child = os.fork()
if not child:
    while True: sum(range(1000))
print(listener.getsockname()[1], child, flush=True)
sys.stdin.read()
os.kill(child, 9)
"""


def until(watch: Watch, wanted: Callable[[Usage], bool], seconds: float = 30) -> Usage:
    """Ask until an answer is as wanted."""
    deadline = time.monotonic() + seconds
    while True:
        usage = watch.sample()
        if wanted(usage):
            return usage
        assert time.monotonic() < deadline, (usage, watch.problem)
        time.sleep(0.05)


@pytest.fixture
def tree() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that listens and idles, and a child of it that has the same socket and burns a CPU; and the port."""
    process = subprocess.Popen([sys.executable, "-c", _TREE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    port = int(process.stdout.readline().split()[0])
    yield process, port
    process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="forks")
@pytest.mark.parametrize("by", ["pid", "port"])
def test_a_process_tree_counts_together(by: str, tree: tuple[subprocess.Popen[str], int]) -> None:
    """The idle parent is named, the child's CPU is counted, and memory is that of both."""
    process, port = tree
    watch = open_watch(Watched(pid=process.pid) if by == "pid" else Watched(port=port))
    assert watch
    assert watch.sample().cpu is None  # nothing to compare with yet
    assert str(process.pid) in watch.about
    usage = until(watch, lambda each: bool(each.cpu and each.cpu > 0.01))
    assert usage.memory
    assert usage.memory > 5e6
    process.communicate()
    assert watch.sample() == Usage()
    assert watch.problem == "the target's process ended"


def test_a_port_that_nobody_listens_on() -> None:
    """It is an error before the run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(UsageError, match="no process of this machine listens"):
            open_watch(Watched(port=free.getsockname()[1]))


_DOCKER = """#!{python}
import json, pathlib, sys
say = lambda value: print(json.dumps(value))
state = json.loads(pathlib.Path({state!r}).read_text())
if state.get("broken"): sys.exit(1)
command = sys.argv[1]
if command == "info": print(8)
elif sys.argv[-1] != "web": print("Error: No such container", file=sys.stderr); sys.exit(1)
elif command == "inspect": say([{{"State": {{"Running": state["running"]}}, "HostConfig": state["limits"]}}])
else: say({{"CPUPerc": state["cpu"], "MemUsage": state["memory"] + " / 1GiB"}})
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A docker command that says what it is told to."""
    folder, state = tmp_path / "bin", tmp_path / "state.json"
    folder.mkdir()
    command = folder / "docker"
    command.write_text(_DOCKER.format(python=sys.executable, state=str(state)), encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))

    def says(**changes: Any) -> None:
        usual = {"running": True, "limits": {"NanoCpus": 2_000_000_000}, "cpu": "50.00%", "memory": "64MiB"}
        temporary = tmp_path / "new.json"
        temporary.write_text(json.dumps({**usual, **changes}), encoding="utf-8")
        temporary.replace(state)

    says()
    return says


@pytest.mark.skipif(os.name == "nt", reason="a script with a shebang")
@pytest.mark.parametrize(
    ("limits", "share"),
    [
        pytest.param({"NanoCpus": 2_000_000_000}, 0.25, id="--cpus-2"),
        pytest.param({"CpuQuota": 50_000, "CpuPeriod": 100_000}, 1.0, id="a-quota-of-half-a-cpu"),
        pytest.param({"CpusetCpus": "0-1,4,6"}, 0.125, id="four-cpus-of-a-set"),
        pytest.param({}, 0.0625, id="the-whole-host-of-8"),
    ],
)
def test_a_container(limits: dict[str, Any], share: float, docker: Callable[..., None]) -> None:
    """`docker stats` counts CPUs; what comes of it is the share of those that the container may use."""
    docker(limits=limits)
    watch = open_watch(Watched(container="web"))
    assert watch
    usage = until(watch, lambda each: each.cpu is not None)
    watch.close()
    assert usage == Usage(pytest.approx(share), 64 * 2**20)
    assert watch.about.startswith("container web")


@pytest.mark.skipif(os.name == "nt", reason="a script with a shebang")
def test_a_container_that_ends(docker: Callable[..., None]) -> None:
    """Its zeros are no idle target."""
    watch = open_watch(Watched(container="web"))
    assert watch
    until(watch, lambda each: each.cpu is not None)
    docker(running=False, cpu="0.00%")
    until(watch, lambda _: bool(watch.problem))
    assert (watch.sample(), watch.problem) == (Usage(), "the target's container ended")


@pytest.mark.skipif(os.name == "nt", reason="a script with a shebang")
@pytest.mark.parametrize(
    ("watched", "state", "words"),
    [
        pytest.param(Watched(container="api"), {}, "docker inspect failed for `api`", id="no-such-container"),
        pytest.param(Watched(container="--all"), {}, "is no container's name", id="an-option"),
        pytest.param(Watched(container="web"), {"running": False}, "does not run", id="stopped"),
        pytest.param(Watched(container="web"), {"broken": True}, "docker inspect failed", id="no-daemon"),
    ],
)
def test_containers_that_cannot_be_watched(
    watched: Watched, state: dict[str, Any], words: str, docker: Callable[..., None]
) -> None:
    """They are an error before the run."""
    docker(**state)
    with pytest.raises(HardenctlError, match=words):
        open_watch(watched)


def test_no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the command there is nothing to ask."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HardenctlError, match="needs the docker command"):
        open_watch(Watched(container="web"))


class _Prometheus(BaseHTTPRequestHandler):
    answers: dict[str, Any]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        answer = self.answers.get(parse_qs(parts.query)["query"][0]) if parts.path == "/api/v1/query" else None
        self.send_response(200 if answer is not None else 400)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "success", "data": {"result": answer}}).encode())

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def prometheus() -> Iterator[tuple[str, dict[str, Any]]]:
    """A Prometheus that answers as told; its URL and its answers by query."""
    answers: dict[str, Any] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Prometheus,), {"answers": answers}))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def one(value: str) -> list[dict[str, Any]]:
    """One series with a value, as Prometheus answers."""
    return [{"metric": {}, "value": [1.0, value]}]


def test_prometheus(prometheus: tuple[str, dict[str, Any]]) -> None:
    """CPU and memory are two queries."""
    url, answers = prometheus
    answers.update({"cpu": one("0.42"), "memory": one("1e8")})
    watch = open_watch(Watched(prometheus=url, cpu_query="cpu", memory_query="memory"))
    assert watch
    assert until(watch, lambda each: each.cpu is not None) == Usage(0.42, 1e8)
    assert watch.problem == ""
    watch.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param([], "0 series where one was expected", id="no-series"),
        pytest.param([*one("1"), *one("2"), *one("3")], "3 series", id="several-series"),
        pytest.param([1.0, "NaN"], "no number", id="a-scalar-nan"),
        pytest.param(one("NaN"), "no number", id="nan"),
        pytest.param(one("much"), "no number", id="text"),
        pytest.param(None, "HTTP 400", id="a-query-it-refuses"),
    ],
)
def test_prometheus_without_an_answer(
    answer: list[dict[str, Any]] | None, words: str, prometheus: tuple[str, dict[str, Any]]
) -> None:
    """What is no single number is a problem, never a zero."""
    url, answers = prometheus
    answers["cpu"] = answer
    watch = open_watch(Watched(prometheus=url, cpu_query="cpu"))
    assert watch
    until(watch, lambda _: bool(watch.problem))
    assert words in watch.problem
    assert watch.sample() == Usage()
    watch.close()


def test_a_single_failure_is_no_problem() -> None:
    """The next measurement counts again; one that says that the target is gone ends it."""
    results: list[Usage | LookupError] = [LookupError("once"), Usage(0.5), LookupError("twice"), Gone("gone")]
    seen: list[str] = []

    def measure() -> Usage:
        if len(results) < 3:
            seen.append(watch.problem)
        result = results.pop(0)
        if isinstance(result, LookupError):
            raise result
        return result

    watch = Polled("it", measure, 0.2)
    until(watch, lambda _: watch.problem == "gone")
    assert seen == ["", ""]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"pid": 1, "port": 80}, "--target-pid and --target-port don't go together", id="two-ways"),
        pytest.param({"cpu_query": "up"}, "need --target-prometheus", id="a-query-alone"),
        pytest.param({"prometheus": "http://127.0.0.1"}, "needs --cpu-query", id="no-query"),
    ],
)
def test_options_that_contradict(options: dict[str, Any], words: str) -> None:
    """They are usage errors."""
    with pytest.raises(UsageError, match=words):
        Watched(**options)


@pytest.mark.parametrize("url", ["127.0.0.1:9090", "ftp://127.0.0.1", "http://user:word@127.0.0.1"])
def test_a_prometheus_that_is_no_url(url: str) -> None:
    """It is a usage error that doesn't repeat what may hold a credential."""
    with pytest.raises(UsageError) as caught:
        open_watch(Watched(prometheus=url, cpu_query="up"))
    assert "word" not in caught.value.what


def test_a_run_whose_cpu_could_not_be_read(
    load_run: Callable[..., tuple[int, dict[str, Any]]],
    target: Any,
    prometheus: tuple[str, dict[str, Any]],
) -> None:
    """A CPU gate is inconclusive and says why; nothing of the target's use is in the result."""
    url, _ = prometheus
    code, document = load_run(
        *("--host", target.url, "--gate", "cpu<70%", "--gate", "p50<5s"),
        *("--target-prometheus", url, "--cpu-query", "nothing"),
    )
    assert code == 3
    assert "Prometheus answered HTTP 400" in " ".join(document["reasons"])
    assert (document["cpu"], document["memory"]) == (None, None)
    assert document["watched"]["problem"] == "Prometheus answered HTTP 400"
