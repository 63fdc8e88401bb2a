"""The manifests of a distributed load test: confined, and with commands that really run."""

import http.server
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardenctl.formats.project import ProjectFacts
from hardenctl.render import render

FACTS = ProjectFacts(name="shop", service="api", port=9000)


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def target() -> Iterator[str]:
    """A loopback server that answers; its URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def kubernetes() -> dict[str, dict[str, Any]]:
    """The manifests by kind and name."""
    parts = yaml.safe_load_all(render("load-k8s", FACTS))
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in parts}


def commands(kind: str) -> tuple[list[str], list[str]]:
    """The arguments of master and worker, as the manifest starts them."""
    if kind == "compose":
        services = yaml.safe_load(render("load-compose", FACTS))["services"]
        return services["master"]["command"], services["worker"]["command"]
    jobs = kubernetes()
    master, worker = (
        jobs[f"Job/load-{role}"]["spec"]["template"]["spec"]["containers"][0]["args"] for role in ("master", "worker")
    )
    return master, worker


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["compose", "kubernetes"])
def test_the_commands_run(kind: str, target: str, tmp_path: Path) -> None:
    """With this machine's addresses for the cluster's, master and workers find each other and load the target."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"

    def here(argument: str) -> str:
        argument = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", argument)
        argument = re.sub(r"--host=.*", f"--host={target}", argument)
        argument = re.sub(r"(?:0\.0\.0\.0|load-master|master):5557", address, argument)
        return argument.replace("/results", str(tmp_path))

    master, worker = ([here(each) for each in arguments] for arguments in commands(kind))
    command = [sys.executable, "-m", "hardenctl", "load", "run"]
    size = ("--users", "4", "--spawn-rate", "50", "--run-time", "2s", "--warm-up", "500ms", "--gate", "p50<5s")
    leader = subprocess.Popen([*command, *master, *size], stdout=subprocess.PIPE, cwd=tmp_path)
    workers = [subprocess.Popen([*command, *worker], cwd=tmp_path) for _ in range(2)]
    output, _ = leader.communicate(timeout=120)
    assert [leader.returncode, *(each.wait(timeout=60) for each in workers)] == [0, 0, 0]
    text = (tmp_path / "load.json").read_text(encoding="utf-8") if kind == "compose" else output.splitlines()[-1]
    document = json.loads(text)
    assert len(document["generator"]["workers"]) == 2
    assert document["metrics"]["requests"] > 0


def test_pods_are_confined() -> None:
    """What the restricted Pod Security Standard asks for, limits, and no token of the cluster."""
    for role in ("master", "worker"):
        pod = kubernetes()[f"Job/load-{role}"]["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        container = pod["containers"][0]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}
        assert "latest" not in container["image"]


def test_only_workers_reach_the_master() -> None:
    """The channel is neither encrypted nor authenticated: a policy and a network of its own keep others out."""
    parts = kubernetes()
    policy = parts["NetworkPolicy/load"]["spec"]
    assert policy["ingress"][0]["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "worker"
    labels = parts["Job/load-master"]["spec"]["template"]["metadata"]["labels"]
    assert parts["Service/load-master"]["spec"]["selector"].items() <= labels.items()
    compose = yaml.safe_load(render("load-compose", FACTS))
    assert compose["networks"]["load"] == {"internal": True}
    assert not any("ports" in service for service in compose["services"].values())


def test_facts_are_filled_in() -> None:
    """Service, port and network of the project's own compose file."""
    assert "--host=http://api:9000" in commands("kubernetes")[0]
    assert "${LOAD_NETWORK:-shop_front}" in render("load-compose", FACTS)
