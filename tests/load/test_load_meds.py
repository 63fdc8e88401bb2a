"""The four scenarios, and the rendered Locust file, against a real service under gunicorn."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser

from hardenctl.formats.project import ProjectFacts
from hardenctl.render.render import render

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="gunicorn is POSIX only")]
MEDS = Path(__file__).parents[2] / "examples" / "meds"


@pytest.fixture(scope="module")
def meds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The example under gunicorn on a free port; its URL and process id."""
    folder = tmp_path_factory.mktemp("meds")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "MEDS_SECRET_KEY": secrets.token_hex(),
        "MEDS_DATABASE": str(folder / "meds.db"),
        "MEDS_BIND": f"127.0.0.1:{port}",
        "MEDS_HASH_COST": "256",
        "WEB_CONCURRENCY": "2",
    }
    log = (folder / "log").open("wb")
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "main:app"]
    process = subprocess.Popen(command, cwd=MEDS, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):  # noqa: S310 - loopback
                break
        except OSError:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
    yield url, process.pid
    process.terminate()
    process.wait(timeout=20)
    log.close()


@pytest.mark.parametrize("scenario", ["normal", "peak", "stress", "spike"])
def test_a_scenario_at_reduced_scale(
    meds: tuple[str, int], scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    """Each built-in scenario runs through its stages at most 20 users, all tasks answered, in five seconds.

    Its page opens in a real browser with all charts, CPU and memory of gunicorn's processes included.
    """
    from hardenctl.cli.app import run

    url, pid = meds
    monkeypatch.setenv("MEDS_LOAD_PASSWORD", secrets.token_urlsafe())
    output = tmp_path / "load.json"
    size = ("--users", "20", "--spawn-rate", "50", "--run-time", "5s", "--warm-up", "1s")
    gates = ("--gate", "p50<1s", "--gate", "error_rate<5%", "--gate", "rps>=5", "--gate", "cpu<100%")
    code = run(
        [
            "load",
            "run",
            "--no-evidence",
            "--scenario",
            scenario,
            "--file",
            str(MEDS / "load.yaml"),
            "--host",
            url,
            *size,
            *gates,
            "--target-pid",
            str(pid),
            "--no-progress",
            "--output",
            f"json={output}",
            "--output",
            f"html={tmp_path / 'load.html'}",
        ]
    )
    document = json.loads(output.read_text(encoding="utf-8"))
    assert (code, document["verdict"]) == (0, "pass"), document["reasons"]
    browser.open(tmp_path / "load.html")
    assert (browser.errors, len(browser.requests)) == ([], 1)
    assert browser.ask("document.querySelectorAll('figure svg').length") == 7
    assert {"create an item", "view reminders", "analytics"} <= set(document["endpoints"])
    assert document["metrics"]["failures"] == 0
    assert max(point["users"] for point in document["timeline"]) == 20
    assert os.environ["MEDS_LOAD_PASSWORD"] not in output.read_text(encoding="utf-8")


def test_the_rendered_locust_file_under_bare_locust(meds: tuple[str, int], tmp_path: Path) -> None:
    """`load_test.py` runs under `locust` itself: both users, CRUD, login and analytics, without a failure."""
    url, _ = meds
    (tmp_path / "load_test.py").write_text(render("locustfile", ProjectFacts(name="meds")), encoding="utf-8")
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "locust",
            "-f",
            "load_test.py",
            f"--host={url}",
            "--users=22",
            "--spawn-rate=22",
            "--run-time=4s",
            "--headless",
            "--json",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr
    stats = {each["name"]: each for each in json.loads(result.stdout)}
    assert {"POST /items", "GET /reminders", "POST /entries", "GET /analytics/summary", "/auth/login"} <= set(stats)
    assert sum(each["num_failures"] for each in stats.values()) == 0
    assert '"SpikeUser": 2' in result.stderr


def test_the_rendered_locust_file_on_a_service_without_its_paths(meds: tuple[str, int], tmp_path: Path) -> None:
    """What the target's OpenAPI document doesn't know is left out, so that a stranger's service isn't full of 404s."""
    from hardenctl.cli.app import run

    text = render("locustfile", ProjectFacts(name="meds")).replace('"/items"', '"/things"').replace("/entries", "/x")
    (tmp_path / "load_test.py").write_text(text, encoding="utf-8")
    output = tmp_path / "load.json"
    code = run(
        [
            "load",
            "run",
            "--no-evidence",
            "--locustfile",
            str(tmp_path / "load_test.py"),
            "--host",
            meds[0],
            "--users",
            "5",
            "--spawn-rate",
            "50",
            "--run-time",
            "3s",
            "--gate",
            "error_rate<20%",
            "--no-progress",
            "--output",
            f"json={output}",
        ]
    )
    document = json.loads(output.read_text(encoding="utf-8"))
    assert code in {0, 3}
    assert set(document["endpoints"]) <= {"GET /reminders", "GET /analytics/summary", "/auth/login"}
    assert document["metrics"]["failures"] == 0
