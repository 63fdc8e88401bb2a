"""MariaDB and Redis servers of a test run's own, on loopback; gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hardenctl.rules.fakes import scramble

ADMIN = scramble("administrator of a test server", 24)


@dataclass
class Running:
    """A server: how its client gets in as the administrator, and as somebody else."""

    port: int
    environment: dict[str, str]
    command: Callable[[str], list[str]]
    secret: str  # the variable in which the client takes a password
    folder: Path = field(repr=False)

    def run(self, text: str, user: str = "", password: str = "") -> subprocess.CompletedProcess[str]:
        """Run statements, as the administrator or as a user."""
        environment = {**os.environ, **self.environment}
        if user:
            environment[self.secret] = password
        return subprocess.run(
            self.command(user), input=text, env=environment, capture_output=True, text=True, check=False
        )


def need(program: str) -> str:
    """A server's program. Without it the tests are skipped, and fail in CI."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed, and CI has to have it")
        pytest.skip(f"{program} is not installed here")
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers; fail with its log where it ends."""
    for _ in range(600):
        if answers():
            return
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        time.sleep(0.05)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


@contextmanager
def mariadb() -> Iterator[Running]:
    """A MariaDB server whose administrator logs in with a password."""
    program, install = need("mariadbd"), need("mariadb-install-db")
    folder, port = Path(tempfile.mkdtemp(prefix="hctl-my-")), free_port()
    as_user = ["--user=mysql"] if os.name == "posix" and os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "mysql", "mysql")
    subprocess.run(
        [install, "--no-defaults", f"--datadir={folder}/data", "--auth-root-authentication-method=normal", *as_user],
        check=True,
        capture_output=True,
    )
    start = folder / "start.sql"
    start.write_text(  # a statement a line: so the server reads it
        f"CREATE USER admin@'127.0.0.1' IDENTIFIED BY '{ADMIN}';\n"
        "GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    start.chmod(0o644)
    log = folder / "log"
    arguments = [
        "--no-defaults", f"--datadir={folder}/data", f"--socket={folder}/s", f"--port={port}", *as_user,
        "--bind-address=127.0.0.1", f"--init-file={start}", "--general-log=1", f"--general-log-file={folder}/general",
        "--innodb-buffer-pool-size=8M", "--skip-name-resolve",
    ]  # fmt: skip
    with log.open("wb") as stream:
        process = subprocess.Popen([program, *arguments], stdout=stream, stderr=stream)
    environment = {"MYSQL_HOST": "127.0.0.1", "MYSQL_TCP_PORT": str(port), "MYSQL_USER": "admin", "MYSQL_PWD": ADMIN}
    client = shutil.which("mariadb") or "mysql"
    running = Running(
        port,
        environment,
        lambda user: [client, "--no-defaults", "-BN", f"--user={user or 'admin'}"],
        "MYSQL_PWD",
        folder,
    )
    try:
        wait_for(lambda: running.run("SELECT 1;").returncode == 0, process, log)
        yield running
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis() -> Iterator[Running]:
    """A Redis server whose default user has a password, in a configuration file that the server may rewrite."""
    program = need("redis-server")
    folder, port = Path(tempfile.mkdtemp(prefix="hctl-re-")), free_port()
    configuration = folder / "redis.conf"
    configuration.write_text(f'bind 127.0.0.1\nport {port}\nrequirepass {ADMIN}\nsave ""\ndir {folder}\n')
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen([program, str(configuration)], stdout=stream, stderr=stream)
    environment = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "REDISCLI_AUTH": ADMIN}
    running = Running(
        port,
        environment,
        lambda user: [
            "redis-cli", "--no-auth-warning", "-h", "127.0.0.1", "-p", str(port), *(["--user", user] if user else [])
        ],
        "REDISCLI_AUTH",
        folder,
    )  # fmt: skip
    try:
        wait_for(lambda: "PONG" in running.run("PING\n").stdout, process, log)
        yield running
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
