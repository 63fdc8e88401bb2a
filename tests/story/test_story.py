"""The founding story as one test, from an installed wheel: before, repair, after."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows"),
]


class Installed:
    """hardenctl in a virtual environment of its own, from a wheel built of this checkout."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bin = home / "venv" / "bin"
        dist = home / "dist"
        run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", dist, cwd=CHECKOUT)
        run(sys.executable, "-m", "venv", "--without-pip", home / "venv")
        (wheel,) = dist.glob("hardenctl-*.whl")
        site = Path(run(self.bin / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        zipfile.ZipFile(wheel).extractall(site)
        # Dependencies come from the environment the tests run in; its editable hardenctl is not on this path.
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        assert str(home) in run(self.bin / "python", "-c", "import hardenctl; print(hardenctl.__file__)", cwd=home)

    def __call__(self, *arguments: str | Path, cwd: Path, expect: int = 0) -> str:
        """Run hardenctl; its standard output. The exit code is part of the story."""
        done = subprocess.run(
            [self.bin / "python", "-m", "hardenctl", *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def audit(self, project: Path, *, expect: int) -> dict[str, Any]:
        """The JSON report of an audit."""
        report: dict[str, Any] = json.loads(self("audit", ".", "--format", "json", cwd=project, expect=expect))
        return report


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command that has to succeed; its standard output."""
    done = subprocess.run([*command], cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def hardenctl(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The tool as a user has it."""
    return Installed(tmp_path_factory.mktemp("installed"))


def open_rules(report: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    """Rule to the places of its open findings."""
    found: dict[str, list[tuple[str, int]]] = {}
    for finding in report["findings"]:
        if finding["status"] == "open":
            found.setdefault(finding["rule"], []).append((finding["path"], finding["line"]))
    return found


def line_of(project: Path, path: str, needle: str) -> int:
    """The number of the first line that holds `needle`."""
    lines = (project / path).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if needle in line)


def answers(port: int) -> bool:
    """Whether the service on this loopback port says that it is healthy."""
    probe = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        probe.request("GET", "/health")
        return probe.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        probe.close()


@pytest.fixture
def serve() -> Iterator[Any]:
    """Start real gunicorn on a free loopback port; ends it afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def start(project: Path, environment: dict[str, str]) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = (project.parent / "gunicorn.log").open("wb")
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "main:app",
                "--bind",
                f"127.0.0.1:{port}",
                "--config",
                "gunicorn.conf.py",
            ],
            cwd=project,
            env={**os.environ, **environment, "PYTHONWARNINGS": "ignore"},
            stdout=log,
            stderr=log,
        )
        log.close()
        started.append(server)
        host = f"http://127.0.0.1:{port}"
        for _ in range(150):
            if answers(port):
                return host
            assert server.poll() is None, (project.parent / "gunicorn.log").read_text()
            time.sleep(0.1)
        raise AssertionError((project.parent / "gunicorn.log").read_text())

    yield start
    for server in started:
        server.terminate()
        server.wait(timeout=20)


def test_story(hardenctl: Installed, tmp_path: Path, serve: Any) -> None:
    """A newcomer replays the four repairs, and each of the four problems is gone at the end."""
    hardenctl("demo", "project", cwd=tmp_path)
    project = tmp_path / "project"
    credentials = [
        line.split("=", 1)[1]
        for line in (project / ".env.prod").read_text(encoding="utf-8").splitlines()
        if "PASSWORD" in line or "SECRET" in line
    ]
    assert credentials

    # Before: the four problems, at their lines.
    before = hardenctl.audit(project, expect=1)
    found = open_rules(before)
    assert (".env.prod", line_of(project, ".env.prod", "SECRET_KEY")) in found["env-file-committed"]
    assert ("main.py", line_of(project, "main.py", "add_middleware")) in found["cors-any-origin-credentials"]
    assert ("main.py", line_of(project, "main.py", "allow_methods")) in found["cors-wildcard-methods"]
    assert ("main.py", line_of(project, "main.py", "allow_headers")) in found["cors-wildcard-headers"]
    workers = found["gunicorn-hardcoded-workers"]
    assert ("docker-compose.yml", line_of(project, "docker-compose.yml", "gunicorn")) in workers
    assert any(rule.startswith("secret-") for rule in found)
    assert "gitignore-env-not-ignored" in found
    full = hardenctl("audit", cwd=project, expect=1)
    for value in credentials:
        assert value not in full
        assert value not in json.dumps(before)

    # Repair.
    hardenctl("fix", "--apply", "--unsafe-fixes", ".", cwd=project)
    written = hardenctl("generate", "env", "--template", ".env.example", "--write", ".env.production", cwd=project)
    environment = dict(
        line.split("=", 1)
        for line in (project / ".env.production").read_text(encoding="utf-8").splitlines()
        if "=" in line and not line.startswith("#")
    )
    assert not any(len(value) > 15 and value in written for key, value in environment.items() if "SECRET" in key)
    hardenctl("render", "compose", "--write", "--force", ".", cwd=project)
    hardenctl("render", "locustfile", "--write", "--force", ".", cwd=project)
    assert (project / "load_test.py").is_file()
    assert run("git", "-C", project, "ls-files", "--", ".env.prod", ".env.production") == ""

    # The repaired app still works: under real gunicorn, with the generated environment, under load.
    host = serve(project, {**environment, "DATABASE_URL": "", "WEB_CONCURRENCY": "2"})
    result = tmp_path / "load.json"
    load = ("load", "run", "--scenario", "normal", "--host", host, "--users", "5", "--spawn-rate", "5")
    gates = ("--gate", "p95<2000ms", "--gate", "rps>=1", "--gate", "error_rate<5%")
    hardenctl(*load, "--run-time", "8s", "--warm-up", "1s", *gates, "--output", f"json={result}", cwd=project)
    assert json.loads(result.read_text(encoding="utf-8"))["verdict"] == "pass"
    assert (project / ".hardenctl" / "load" / "normal.json").is_file()

    # After: the four are gone, and the score is up.
    shutil.rmtree(project / "__pycache__", ignore_errors=True)
    run("git", "-C", project, "add", "-A")
    after = hardenctl.audit(project, expect=0)
    remaining = open_rules(after)
    for rule in (
        "env-file-committed",
        "gitignore-env-not-ignored",
        "cors-any-origin-credentials",
        "cors-any-origin",
        "cors-wildcard-methods",
        "cors-wildcard-headers",
        "gunicorn-hardcoded-workers",
    ):
        assert rule not in remaining
    assert not [rule for rule in remaining if rule.startswith("secret-")]
    assert after["score"]["overall"] > before["score"]["overall"]
    assert "load-no-evidence" in found
    assert not [rule for rule in remaining if rule.startswith("load-")]
    score = json.loads(hardenctl("score", "--format", "json", cwd=project))["score"]
    assert score["load_evidence"]
    assert not [note for note in score["notes"] if "load result" in note]
    assert after["score"]["categories"]["performance"] > 8.0
    assert after["score"]["categories"]["security"] > before["score"]["categories"]["security"]
