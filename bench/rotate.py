"""Is a client ever refused while passwords rotate? 1,000 connections across three rotations, on a real PostgreSQL.

Two clients read the delivered file before each connection. The peer is the usual way, one role and `ALTER ROLE`, under
the same load. Skipped, and said so, where PostgreSQL's server is not installed.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from hardenctl.generate.accounts import Url
from hardenctl.rotate.postgres import literal
from hardenctl.rules.fakes import scramble

CONNECTIONS = 1_000
FIRST = scramble("the first password", 24)


def load_fixture() -> Any:
    """The tests' own way to start a server."""
    path = Path(__file__).parents[1] / "tests" / "rotate" / "conftest.py"
    spec = importlib.util.spec_from_file_location("rotate_conftest", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not there")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def measure(server: Any, folder: Path, *options: str) -> tuple[int, int, list[float]]:
    """Connections, refusals, and how long each rotation took, in seconds."""
    file = folder / ".env.production"
    url = "postgresql" + f"://app:{FIRST}@127.0.0.1:{server.port}/postgres"
    file.write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
    server.run(f"DROP ROLE IF EXISTS app_a, app_b, app; CREATE ROLE app LOGIN PASSWORD {literal(FIRST)};")
    results: list[bool] = []
    rotated = threading.Event()

    def client() -> None:
        while len(results) < CONNECTIONS or not rotated.is_set():
            login = Url.parse(dotenv_values(file)["DATABASE_URL"] or "")
            environment = {**os.environ, **server.environment}
            environment |= {"PGUSER": login.user or "", "PGPASSWORD": login.password or ""} if login else {}
            done = subprocess.run(
                [server.psql, "-XqAtc", "SELECT 1"], env=environment, capture_output=True, check=False
            )
            results.append(done.returncode == 0)

    threads = [threading.Thread(target=client) for _ in range(2)]
    for each in threads:
        each.start()
    times: list[float] = []
    for number in range(1, 4):
        while len(results) < number * CONNECTIONS // 4:
            time.sleep(0.05)
        started = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "hardenctl",
            "rotate",
            "DATABASE_URL",
            "--write",
            str(file),
            "--apply",
            "--yes",
        ]
        environment = {**os.environ, **server.environment}
        done = subprocess.run(
            [*command, *options], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            rotated.set()
            results += [False] * CONNECTIONS  # the clients stop
            raise SystemExit(done.stderr)
        times.append(time.perf_counter() - started)
    rotated.set()
    for each in threads:
        each.join()
    return len(results), results.count(False), times


def main() -> int:
    """Print a line a way; 1 where the alternating roles refused somebody."""
    fixture = load_fixture()
    where = fixture.binaries()
    if where is None:
        print("skipped: PostgreSQL's server is not installed")
        return 0
    refusals = {}
    with fixture.server(where) as server:
        for name, options in {"two roles that take turns": ("--alternate",), "ALTER ROLE (the peer)": ()}.items():
            with tempfile.TemporaryDirectory() as folder:
                count, refusals[name], times = measure(server, Path(folder), *options)
            spent = ", ".join(f"{each:.1f}" for each in times)
            print(f"{name:<26} {count} connections, {refusals[name]} refused; rotations took {spent} s")
    return 1 if refusals["two roles that take turns"] else 0


if __name__ == "__main__":
    sys.exit(main())
