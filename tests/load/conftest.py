"""A loopback server whose behaviour is known, and short runs against it."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


class Target(ThreadingHTTPServer):
    """A server that can fail, freeze, hang and die. `hits` counts requests by path."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls:  # the handshake belongs to the connection's own thread, not to the one that accepts
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.hits: dict[str, int] = {}
        self.headers: list[dict[str, str]] = []
        self.documents: dict[str, Any] = {}
        self.open_sockets: set[socket.socket] = set()
        self.frozen_until = 0.0
        self.delay = 0.0
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def die(self) -> None:
        """Stop listening and drop every connection."""
        self.shutdown()
        self.server_close()
        for each in list(self.open_sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Target

    def setup(self) -> None:
        super().setup()
        self.server.open_sockets.add(self.request)

    def finish(self) -> None:
        self.server.open_sockets.discard(self.request)
        super().finish()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.server.hits[path] = self.server.hits.get(path, 0) + 1
        self.server.headers.append(dict(self.headers))
        status, body = 200, b"ok"
        time.sleep(max(0.0, self.server.frozen_until - time.monotonic()))
        time.sleep(self.server.delay)
        if path == "/fail":
            status = 503
        elif path == "/slow":
            time.sleep(0.05)
        elif path == "/hang":
            time.sleep(60)
        elif path == "/redirect":
            status = 302
        elif path in self.server.documents:
            body = json.dumps(self.server.documents[path]).encode()
        elif path not in {"/", "/ok", "/login"}:
            status = 404
        if path == "/login":
            body = json.dumps({"access_token": "t" * 8}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/ok")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def target() -> Iterator[Target]:
    """A server of one's own."""
    server = Target()
    yield server
    server.die()


@pytest.fixture
def tls_target(tmp_path: Path) -> Iterator[Target]:
    """A server whose certificate nobody signed but itself."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert"), "-subj", "/CN=localhost"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server = Target(context)
    yield server
    server.die()


@pytest.fixture
def scenario_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a scenario that asks for paths as fast as its users can, and return its path."""

    def write(*paths: str, extra: str = "", think: str = "5ms..15ms") -> Path:
        endpoints = "".join(f"  - {{path: {path}}}\n" for path in paths)
        file = tmp_path / "scenario.yaml"
        file.write_text(f"think-time: {think}\ntimeout: 3s\nendpoints:\n{endpoints}{extra}", encoding="utf-8")
        return file

    return write


@pytest.fixture
def load_run(tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run `hardenctl load run` in this process; gives its exit code and its JSON document ({} for none)."""
    from hardenctl.cli.app import run

    def call(*arguments: str | Path, seconds: float = 3, warm_up: str = "500ms") -> tuple[int, dict[str, Any]]:
        output = tmp_path / "load.json"
        output.unlink(missing_ok=True)
        spawning = () if "--rate" in arguments else ("--spawn-rate", "50")
        code = run(
            [
                *("load", "run", "--users", "10", *spawning, "--no-progress", "--no-evidence"),
                *("--run-time", f"{seconds}s", "--warm-up", warm_up, "--output", f"json={output}"),
                *map(str, arguments),
            ]
        )
        return code, json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}

    return call
