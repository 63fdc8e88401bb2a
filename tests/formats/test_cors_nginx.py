"""What we say of nginx's configuration against what the real nginx answers."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_cors_corpus import CLASSES, RUNNER, real_classes

from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Confidence, Hit
from hardenctl.model.settings import Settings
from hardenctl.rules.cors import RULES
from hardenctl.sources.memory import MemorySnapshot

TEXT = (Path(__file__).parent.parent / "corpus" / "nginx" / "cases.txt").read_text(encoding="utf-8")
CASES = dict(part.split("\n", 1) for part in ("\n" + TEXT).split("\n=== ")[1:])


def hits(text: str, path: str = "deploy/nginx.conf") -> list[tuple[str, Hit]]:
    """What the rules say of a configuration."""
    found = list(detect_config(MemorySnapshot({path: text}), RULES, Settings()))
    assert not [each for each in found if isinstance(each, Gap)]
    return [(each[0].id, each[1]) for each in found if not isinstance(each, Gap)]


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Asks the real nginx: text and origins to the headers that come back."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        assert not os.environ.get("CI"), "nginx is not installed, and CI has to have it"
        pytest.skip("nginx is not installed here")
    folder = tmp_path_factory.mktemp("nginx")

    def ask(text: str, origins: list[str]) -> dict[str, tuple[str | None, str | None]]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        temporary = "".join(
            f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        body = text.replace("listen PORT", f"listen 127.0.0.1:{port}")
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{}}\n"
            f"http {{ access_log off; {temporary}\n{body} }}\n"
        )
        process = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
        try:
            answers = {}
            for origin in origins:
                answers[origin] = _get(port, origin, process)
            return answers
        finally:
            process.terminate()
            process.wait(timeout=20)

    return ask


def _get(port: int, origin: str, process: subprocess.Popen[bytes]) -> tuple[str | None, str | None]:
    for _ in range(400):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/", headers={"Origin": origin, "Cookie": "a=b"})
            response = connection.getresponse()
        except OSError:
            assert process.poll() is None, "nginx does not take this configuration"
            time.sleep(0.02)
            continue
        finally:
            connection.close()
        if response.status >= 400:
            return None, None
        allowed = response.headers.get_all("Access-Control-Allow-Origin") or []
        credentials = response.headers.get_all("Access-Control-Allow-Credentials") or []
        return ", ".join(allowed) or None, ", ".join(credentials) or None
    raise AssertionError("nginx does not answer")


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_agrees_with_nginx(name: str, nginx: object) -> None:
    """The rules that fire are those that the origins admitted by the real nginx call for; proofs get in."""
    found = hits(CASES[name])
    proofs = [hit.evidence["origin"] for _, hit in found if hit.confidence is Confidence.PROVEN and hit.evidence]
    answers = nginx(CASES[name], [*RUNNER.ORIGINS, *proofs])  # type: ignore[operator]
    admitted = {
        origin: credentials == "true" and allowed == origin
        for origin, (allowed, credentials) in answers.items()
        if allowed in {origin, "*"}
    }
    said = {CLASSES[rule] for rule, _ in found if rule in CLASSES}
    assert said == real_classes({"admitted": admitted, "error": ""})
    assert set(proofs) <= admitted.keys()
