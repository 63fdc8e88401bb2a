"""What reads environment files, for real: Compose, Docker's client, sh and python-dotenv agree on what we wrote."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from dotenv import dotenv_values

from hardenctl.generate import dotenv
from hardenctl.generate.accounts import Url
from hardenctl.generate.alphabets import ALPHABETS
from hardenctl.generate.credential import RECIPES, generate

pytestmark = pytest.mark.slow

# What is written without quotes, which `docker run --env-file` would take for a part of the value.
BARE = {f"BARE_{name.upper().replace('-', '_')}_{number}": name for name in RECIPES for number in range(3)}
QUOTED = {f"OWN_{name.upper()}_{number}": name for name in set(ALPHABETS) - {"printable"} for number in range(3)}


@pytest.fixture(scope="module")
def values() -> dict[str, str]:
    """Values of every recipe, and of every alphabet that a person can ask for."""
    made = {key: generate(RECIPES[name]).value for key, name in BARE.items()}
    return made | {key: generate(RECIPES["token"], alphabet=name, bits=300).value for key, name in QUOTED.items()}


@pytest.fixture
def file(values: dict[str, str], tmp_path: Path) -> Path:
    """An environment file with all of them, as `generate --write` writes it."""
    entries = dotenv.parse("", ".env")
    for key, value in values.items():
        entries = dotenv.set_value(entries, key, value)
    path = tmp_path / "all.env"
    path.write_text(dotenv.join(entries), encoding="utf-8", newline="")
    return path


def compose() -> str:
    """Compose 2 or newer; the test is skipped without it, and fails in CI, which installs it."""
    found = shutil.which("docker-compose")
    if found:
        version = subprocess.run([found, "version", "--short"], capture_output=True, text=True, check=False).stdout
        found = None if version.startswith("1.") else found  # another program, in Python
    if found is None:
        assert not os.environ.get("CI"), "Compose is not installed, and CI has to have it"
        pytest.skip("Compose 2 is not installed here")
    return found


def test_compose(values: dict[str, str], file: Path) -> None:
    """Compose itself reads every value as it is, from `env_file` and where it fills in a variable."""
    project = {
        "services": {
            "given": {"image": "x", "env_file": [{"path": file.name}]},
            "filled": {"image": "x", "environment": {key: f"${{{key}}}" for key in values}},
        }
    }
    (file.parent / "compose.json").write_text(json.dumps(project), encoding="utf-8")
    done = subprocess.run(
        [compose(), "--env-file", file.name, "-f", "compose.json", "config", "--format=json"],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(file.parent)},
    )
    services = json.loads(done.stdout)["services"]
    for name in ("given", "filled"):
        # `config` prints what can be read again: a dollar is doubled
        assert {key: text.replace("$$", "$") for key, text in services[name]["environment"].items()} == values


class _Daemon(BaseHTTPRequestHandler):
    """Enough of a Docker engine for `docker create`: it keeps what it is asked to create."""

    server: Any

    def do_GET(self) -> None:
        self._answer({"ApiVersion": "1.41", "OSType": "linux"})

    do_HEAD = do_GET  # noqa: N815 - http.server's names

    def do_POST(self) -> None:
        self.server.created.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer({"Id": "a" * 64, "Warnings": []}, 201)

    def _answer(self, document: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def daemon() -> Iterator[Any]:
    """A stand-in for Docker's engine on loopback: the client is the real one."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Daemon)
    server.created = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker's client is not installed here")
def test_docker_env_file(values: dict[str, str], file: Path, daemon: Any) -> None:
    """Docker's client takes every recipe's values as they are. It knows no quotes: other alphabets are not for it."""
    done = subprocess.run(
        ["docker", "create", "--env-file", str(file), "image"],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(file.parent),
            "DOCKER_HOST": f"tcp://127.0.0.1:{daemon.server_address[1]}",
        },
    )
    assert daemon.created, done.stderr
    read = dict(each.split("=", 1) for each in daemon.created[0]["Env"])
    assert {key: read[key] for key in BARE} == {key: values[key] for key in BARE}


@pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell here")
def test_sh(values: dict[str, str], file: Path) -> None:
    """A POSIX shell that sources the file has every value as it is."""
    script = ". ./all.env; " + "".join(f'printf "%s\\n" "${key}"; ' for key in values)
    done = subprocess.run(["sh", "-c", script], cwd=file.parent, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == list(values.values())


def test_python_dotenv(values: dict[str, str], file: Path) -> None:
    """python-dotenv, which most Python services use, agrees."""
    assert dotenv_values(stream=io.StringIO(file.read_text(encoding="utf-8"))) == values


def test_urls(values: dict[str, str]) -> None:
    """Every value, as the password of a URL that we put together, is what Python's parser takes out of it."""
    template = Url.parse("postgresql" + "://app@db:5432/shop")
    assert template is not None
    for value in values.values():
        parts = urlsplit(str(replace(template, password=value)))
        assert (unquote(parts.password or ""), parts.hostname, parts.port, parts.path) == (value, "db", 5432, "/shop")
