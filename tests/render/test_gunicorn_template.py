from __future__ import annotations

import builtins
import http.client
import io
import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardenctl.formats.project import ProjectFacts
from hardenctl.model.errors import UsageError
from hardenctl.render import override, render

posix = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")


def load(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], *, cpus: int, facts: ProjectFacts | None = None
) -> dict[str, Any]:
    """The configuration as gunicorn would load it on a machine with these cgroup files and CPUs."""

    def fake_open(path: str, **options: Any) -> Any:
        if path.startswith("/sys/fs/cgroup/"):
            if path not in files:
                raise FileNotFoundError(path)
            return io.StringIO(files[path])
        return builtins.open(path, **options)  # noqa: PTH123 - what the template does

    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)), raising=False)
    settings: dict[str, Any] = {"open": fake_open}
    exec(compile(render("gunicorn", facts or ProjectFacts()), "gunicorn.conf.py", "exec"), settings)  # noqa: S102
    return settings


V2 = "/sys/fs/cgroup/cpu.max"
V1_QUOTA, V1_PERIOD = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"


@pytest.mark.parametrize(
    ("files", "cpus", "workers"),
    [
        pytest.param({}, 1, 2, id="1 CPU"),
        pytest.param({}, 2, 3, id="2 CPUs"),
        pytest.param({}, 4, 7, id="4 CPUs"),
        pytest.param({}, 8, 15, id="8 CPUs"),
        pytest.param({V2: "200000 100000\n"}, 80, 3, id="80 cores, a limit of 2: not 159 workers"),
        pytest.param({V2: "max 100000\n"}, 4, 7, id="no limit"),
        pytest.param({V2: "50000 100000\n"}, 4, 2, id="half a CPU"),
        pytest.param({V2: "250000 100000\n"}, 8, 3, id="two and a half"),
        pytest.param({V2: "1600000 100000\n"}, 4, 7, id="a limit beyond what is there"),
        pytest.param({V1_QUOTA: "400000\n", V1_PERIOD: "100000\n"}, 80, 7, id="cgroup v1"),
        pytest.param({V1_QUOTA: "-1\n", V1_PERIOD: "100000\n"}, 2, 3, id="cgroup v1 without a limit"),
        pytest.param({V1_QUOTA: "400000\n"}, 2, 3, id="half of cgroup v1"),
        pytest.param({V2: "\n"}, 2, 3, id="an empty file"),
        pytest.param({V2: "a b\n"}, 2, 3, id="nonsense"),
    ],
)
def test_workers(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cpus: int, workers: int) -> None:
    """max(2, cpu * 2 - 1) of the CPUs the container has."""
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    assert load(monkeypatch, files, cpus=cpus)["workers"] == workers


@pytest.mark.parametrize(("value", "workers"), [("5", 5), ("1", 1), ("", 3)])
def test_web_concurrency(monkeypatch: pytest.MonkeyPatch, value: str, workers: int) -> None:
    """WEB_CONCURRENCY overrides the formula; an empty one does not."""
    monkeypatch.setenv("WEB_CONCURRENCY", value)
    assert load(monkeypatch, {}, cpus=2)["workers"] == workers


def test_other_ways_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 counts by itself; where there is no affinity (macOS), all CPUs count."""
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    settings = load(monkeypatch, {}, cpus=2)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 6, raising=False)
    assert settings["cpus"]() == 6
    monkeypatch.delattr(os, "process_cpu_count")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert settings["cpus"]() == 1


@pytest.mark.parametrize(
    ("facts", "there", "worker"),
    [
        pytest.param(ProjectFacts(framework="flask"), (), None, id="WSGI: gunicorn's default"),
        pytest.param(
            ProjectFacts(framework="fastapi"), ("uvicorn_worker",), "uvicorn_worker.UvicornWorker", id="its package"
        ),
        pytest.param(ProjectFacts(framework="fastapi"), ("gunicorn.workers.gasgi",), "asgi", id="gunicorn 25's own"),
        pytest.param(ProjectFacts(framework="fastapi"), (), "uvicorn.workers.UvicornWorker", id="neither"),
        pytest.param(
            ProjectFacts(framework="fastapi", worker_class="uvicorn_worker.UvicornWorker"),
            (),
            "uvicorn_worker.UvicornWorker",
            id="known from the requirements",
        ),
        pytest.param(
            ProjectFacts(framework="django", app="a.asgi:application"),
            ("uvicorn_worker",),
            "uvicorn_worker.UvicornWorker",
            id="Django on ASGI",
        ),
    ],
)
def test_worker_class(
    monkeypatch: pytest.MonkeyPatch, facts: ProjectFacts, there: tuple[str, ...], worker: str | None
) -> None:
    """ASGI apps get the best worker that is installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in there else None)
    assert load(monkeypatch, {}, cpus=2, facts=facts).get("worker_class") == worker


@posix
def test_gunicorn_takes_it(tmp_path: Path) -> None:
    """`gunicorn --print-config`, the oracle, shows the settings as they were meant."""
    facts = ProjectFacts(framework="fastapi")
    (tmp_path / "gunicorn.conf.py").write_text(render("gunicorn", facts), encoding="utf-8")
    (tmp_path / "main.py").write_text("def app(environ, start_response): ...\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--print-config", "-c", "gunicorn.conf.py", "main:app"],
        cwd=tmp_path,
        env={**os.environ, "PORT": "8123", "WEB_CONCURRENCY": "5"},
        check=True,
        capture_output=True,
        text=True,
    )
    settings = dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    settings = {name.strip(): value.strip() for name, value in settings.items()}
    expected = {
        "bind": "['0.0.0.0:8123']",
        "workers": "5",
        "worker_class": "uvicorn_worker.UvicornWorker",
        "timeout": "120",
        "graceful_timeout": "30",
        "max_requests": "1000",
        "max_requests_jitter": "100",
        "control_socket_disable": "True",
        "accesslog": "-",
    }
    assert {name: settings.get(name) for name in expected} == expected


@posix
@pytest.mark.parametrize(
    ("trusted", "scheme"),
    [
        pytest.param("127.0.0.1", "https", id="the proxy's address"),
        pytest.param("127.0.0.0/8", "https", id="its network"),
        pytest.param("10.231.77.1", "http", id="somebody else"),
    ],
)
def test_the_proxy_is_believed(tmp_path: Path, trusted: str, scheme: str) -> None:
    """Real gunicorn with the rendered file takes X-Forwarded-Proto from whom FORWARDED_ALLOW_IPS names, no other."""
    (tmp_path / "gunicorn.conf.py").write_text(render("gunicorn", ProjectFacts()), encoding="utf-8")
    (tmp_path / "main.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [environ['wsgi.url_scheme'].encode()]\n",
        encoding="utf-8",
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "-c",
                "gunicorn.conf.py",
                "--bind",
                f"fd://{listener.fileno()}",
                "main:app",
            ],
            cwd=tmp_path,
            env={**os.environ, "FORWARDED_ALLOW_IPS": trusted, "WEB_CONCURRENCY": "1"},
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/", headers={"X-Forwarded-Proto": "https"})
            assert connection.getresponse().read().decode() == scheme
            connection.close()
        finally:
            server.terminate()
            server.wait()


def test_compose_trusts_the_gateway_alone() -> None:
    """What the container sees as the proxy on the host is its network's gateway, whatever network is chosen."""
    for facts in (ProjectFacts(), override(ProjectFacts(), ["subnet=10.1.2.0/24"])):
        compose = yaml.safe_load(render("compose", facts))
        (pool,) = compose["networks"]["front"]["ipam"]["config"]
        assert pool["subnet"] == facts.subnet
        assert ipaddress.ip_address(pool["gateway"]) == ipaddress.ip_network(facts.subnet)[1]
        assert compose["services"]["web"]["environment"]["FORWARDED_ALLOW_IPS"] == pool["gateway"]
    with pytest.raises(UsageError, match="is no IPv4 network"):
        override(ProjectFacts(), ["subnet=10.1.2.3/24"])
