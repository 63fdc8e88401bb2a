"""The platforms' own programs, where they are installed: their parser takes our command line and sends exact bytes.

Those that can be pointed at another server are given one on loopback. Without any network, and without an account.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hardenctl.generate.credential import RECIPES, generate
from hardenctl.generate.keypair import generate_pair
from hardenctl.generate.push import PLATFORMS, Destination, push
from hardenctl.rules.fakes import scramble

pytestmark = pytest.mark.slow

VALUES = [
    pytest.param(generate(RECIPES["token"]).value, id="a token"),
    pytest.param(generate(RECIPES["token"], alphabet="printable").value, id="every printable character"),
    pytest.param(generate_pair("ed25519").value.rstrip("\n"), id="lines"),
]


IN_CI = {"aws", "doppler", "gh", "kubectl"}  # .ci/run installs these: there, a missing one fails


def is_missing(program: str) -> bool:
    """Whether a test of a program is skipped."""
    return shutil.which(program) is None and not (os.environ.get("CI") and program in IN_CI)


def needs(program: str) -> pytest.MarkDecorator:
    """Skip, visibly, where a program isn't installed."""
    return pytest.mark.skipif(is_missing(program), reason=f"{program} is not installed here")


class Server(ThreadingHTTPServer):
    """Answers everything with `{}` and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_POST(self) -> None:
        """Keep the body."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.bodies.append(json.loads(body or b"{}"))
        answer = b'{"secrets": {}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@needs("aws")
@pytest.mark.parametrize("value", VALUES)
def test_aws(server: Server, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The AWS command line reads the pipe by its name and sends what was in it."""
    for name, text in {
        "AWS_ACCESS_KEY_ID": scramble("id", 20),
        "AWS_SECRET_ACCESS_KEY": scramble("key", 40),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, text)
    push(Destination("aws", "shop/key"), value)
    (body,) = server.bodies
    assert body["SecretId"] == "shop/key"
    assert body["SecretString"] == value


@needs("doppler")
@pytest.mark.parametrize("value", VALUES)
def test_doppler(server: Server, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Doppler's command line reads standard input and sends what was in it."""
    for name, text in {
        "DOPPLER_API_HOST": server.url,
        "DOPPLER_TOKEN": "dp.pt." + scramble("token", 40),
        "DOPPLER_PROJECT": "shop",
        "DOPPLER_ENABLE_VERSION_CHECK": "false",
    }.items():
        monkeypatch.setenv(name, text)
    push(Destination("doppler", "SECRET_KEY", "prd"), value)
    body = server.bodies[-1]
    assert value in {body.get("secrets", {}).get("SECRET_KEY")} | {
        each.get("value") for each in body.get("change_requests", [])
    }


PARSED = [
    pytest.param("github", "SECRET_KEY", "production", r"gh auth login|GH_TOKEN|no git remotes|not a git", id="gh"),
    pytest.param("docker-secret", "shop", "", r"(?i)docker daemon|swarm|docker API", id="docker"),
    pytest.param("gcp", "shop", "project", r"(?i)active account|credentials|reauth", id="gcloud"),
    pytest.param("kubernetes", "shop/KEY", "prod", r"(?i)refused|connect|configuration", id="kubectl"),
]


@pytest.mark.parametrize("what", ["deliver", "present"])
@pytest.mark.parametrize(("platform", "key", "where", "stops_at"), PARSED)
def test_parsers(  # noqa: PLR0917 - a table
    platform: str, key: str, where: str, stops_at: str, what: str, tmp_path: Path
) -> None:
    """Without an account a program stops at the login, the daemon or the cluster: past its own parser."""
    each = PLATFORMS[platform]
    if is_missing(each.program):
        pytest.skip(f"{each.program} is not installed here")
    destination = Destination(platform, key, where)
    arguments = (each.deliver if what == "deliver" else each.present)(destination)
    done = subprocess.run(
        [each.program, *arguments],
        input=each.payload(destination, "value", ""),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "KUBECONFIG": os.devnull,
            "DOCKER_HOST": "unix:///no/such/socket",
            "CLOUDSDK_CONFIG": str(tmp_path),
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        },
        timeout=60,
        check=False,
    )
    assert done.returncode
    assert re.search(stops_at, done.stderr), done.stderr
    assert not re.search(r"(?i)unknown (flag|command|shorthand)|unrecognized arguments|usage:", done.stderr)
