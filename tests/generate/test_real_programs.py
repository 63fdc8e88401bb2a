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
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hardenctl.generate.credential import RECIPES, generate
from hardenctl.generate.keypair import generate_pair
from hardenctl.generate.push import PLATFORMS, Destination, names, push
from hardenctl.rules.fakes import scramble

pytestmark = pytest.mark.slow

VALUES = [
    pytest.param(generate(RECIPES["token"]).value, id="a token"),
    pytest.param(generate(RECIPES["token"], alphabet="printable").value, id="every printable character"),
    pytest.param(generate_pair("ed25519").value.rstrip("\n"), id="lines"),
]


IN_CI = {
    "aws",
    "curl",
    "doppler",
    "gh",
    "heroku",
    "kubectl",
    "sops",
}  # .ci/run installs these: there, a missing one fails


def is_missing(program: str) -> bool:
    """Whether a test of a program is skipped."""
    return shutil.which(program) is None and not (os.environ.get("CI") and program in IN_CI)


def needs(program: str) -> pytest.MarkDecorator:
    """Skip, visibly, where a program isn't installed."""
    return pytest.mark.skipif(is_missing(program), reason=f"{program} is not installed here")


class Server(ThreadingHTTPServer):
    """Answers what it is sent with `{}`, and what it is asked with `answer`; keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answer: Any = {}
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
        self.server.paths.append(f"{self.command} {self.path}")
        self.reply({"secrets": {}})

    do_PUT = do_PATCH = do_POST  # noqa: N815 - http.server's names

    def do_GET(self) -> None:
        """Say what is there."""
        self.reply(self.server.answer)

    def reply(self, data: Any) -> None:
        """JSON."""
        answer = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

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


@needs("heroku")
@pytest.mark.parametrize("value", VALUES)
def test_heroku(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    """Heroku's command line starts our editor, asks, and sends what was in the pipe; the other variables stay."""
    others = {"OTHER": 'it\'s "x"!`$(a)` \\n', "SECRET_KEY": "later"}
    server.answer = dict(others)
    for name, text in {
        "HEROKU_HOST": server.url,
        "HEROKU_API_KEY": scramble("heroku", 36),
        "HEROKU_TELEMETRY": "disabled",
        "HEROKU_DISABLE_AUTOUPDATE": "1",
        "HOME": str(tmp_path),
        # It writes a credential helper into git's own configuration: by a rename, which would replace /dev/null.
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
    }.items():
        monkeypatch.setenv(name, text)
    to = Destination("heroku", "SECRET_KEY", "shop")
    assert names(to) == ["OTHER", "SECRET_KEY"]
    push(to, value)
    assert server.paths == ["PATCH /apps/shop/config-vars"]
    assert server.bodies == [{**others, "SECRET_KEY": value}]


@needs("curl")
@pytest.mark.parametrize("value", VALUES)
def test_render(server: Server, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Curl reads the whole request off standard input and sends exact bytes to Render's API."""
    server.answer = [{"envVar": {"key": "OTHER", "value": "x"}, "cursor": "y"}]
    monkeypatch.setenv("RENDER_HOST", f"{server.url}/v1/")
    monkeypatch.setenv("RENDER_API_KEY", scramble("render", 28))
    to = Destination("render", "SECRET_KEY", "srv-1")
    assert names(to) == ["OTHER"]
    push(to, value)
    assert (server.paths, server.bodies) == (["PUT /v1/services/srv-1/env-vars/SECRET_KEY"], [{"value": value}])


@needs("sops")
@pytest.mark.parametrize("value", VALUES)
def test_sops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    """SOPS reads the pipe by its name; what it encrypted decrypts to the value, and the neighbours stay."""
    pair = generate_pair("ed25519")
    private = load_pem_private_key(pair.value.encode(), None)
    key = tmp_path / "key"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    key.chmod(0o600)
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    monkeypatch.setenv("SOPS_AGE_RECIPIENTS", public)
    monkeypatch.setenv("SOPS_AGE_SSH_PRIVATE_KEY_FILE", str(key))
    monkeypatch.setenv("SOPS_DISABLE_VERSION_CHECK", "1")
    file = tmp_path / "secrets.yaml"
    file.write_text("SECRET_KEY: later\nOTHER: kept\n", encoding="utf-8")
    subprocess.run(["sops", "encrypt", "--in-place", str(file)], check=True, capture_output=True)
    to = Destination("sops", "SECRET_KEY", str(file))
    assert names(to) == ["OTHER", "SECRET_KEY"]
    push(to, value)
    assert value not in file.read_text(encoding="utf-8")
    shown = subprocess.run(["sops", "decrypt", "--output-type=json", str(file)], check=True, capture_output=True)
    assert json.loads(shown.stdout) == {"SECRET_KEY": value, "OTHER": "kept"}


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
