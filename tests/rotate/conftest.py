from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardenctl.rules.fakes import scramble

ADMIN = scramble("postgres admin", 24)


@dataclass
class PostgreSQL:
    """A running server on loopback: every role needs its password, the administrator's is in `passfile`."""

    port: int
    passfile: Path
    psql: str

    @property
    def environment(self) -> dict[str, str]:
        """What libpq reads to connect as the administrator."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "admin",
            "PGDATABASE": "postgres",
            "PGPASSFILE": str(self.passfile),
        }

    def run(self, statements: str) -> str:
        """Run statements as the administrator."""
        return subprocess.run(
            [self.psql, "-XqAt", "--set=ON_ERROR_STOP=1"],
            input=statements,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout


def binaries() -> Path | None:
    """Where the server's programs are: Debian keeps them off PATH."""
    found = shutil.which("postgres")
    if found:
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda each: float(each.parent.name))


@contextmanager
def server(where: Path) -> Iterator[PostgreSQL]:
    """A server of this process's own, from the programs in `where`; gone afterwards."""
    # A short path: a socket's may have 107 bytes. The server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="hctl-pg-"))
    as_user: dict[str, str] = {}
    if os.name == "posix" and os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = {"user": "postgres", "group": "postgres"}
    passfile = folder.with_name(folder.name + ".pgpass")
    passfile.write_text(f"*:*:*:admin:{ADMIN}\n", encoding="utf-8")
    passfile.chmod(0o600)
    initial = folder.with_name(folder.name + ".pw")
    initial.write_text(ADMIN, encoding="utf-8")
    initial.chmod(0o644)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"

    def control(*arguments: str) -> None:
        subprocess.run(
            [str(where / arguments[0]), *arguments[1:]],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            extra_groups=[] if as_user else None,
            user=as_user.get("user"),
            group=as_user.get("group"),
        )

    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off -c log_statement=all"
    control("initdb", "-D", str(data), "-U", "admin", "-A", "scram-sha-256", f"--pwfile={initial}", "--no-sync", "-N")
    control("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
    try:
        yield PostgreSQL(port, passfile, shutil.which("psql") or "psql")
    finally:
        control("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
        for each in (passfile, initial):
            each.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A server of this run's own. Without PostgreSQL the tests are skipped, and fail in CI."""
    where = binaries()
    if where is None or shutil.which("psql") is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and CI has to have it")
        pytest.skip("PostgreSQL is not installed here")
    with server(where) as running:
        yield running
