from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from hardenctl.cli.app import run
from hardenctl.generate import files as generate_files
from hardenctl.generate.accounts import Url
from hardenctl.model.errors import SourceError
from hardenctl.rotate import rotation
from hardenctl.rotate.postgres import identifier, literal, scram_verifier
from hardenctl.rules.fakes import scramble

pytestmark = pytest.mark.slow

OLD = scramble("old database password", 24)
ENV = Path(".env.production")


@pytest.fixture
def project(postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A project whose file has a login, a server that knows it, and an environment that leads there."""
    monkeypatch.chdir(tmp_path)
    for name, value in postgres.environment.items():
        monkeypatch.setenv(name, value)
    roles = ("app_a", "app_b", "app")
    postgres.run(f"CREATE ROLE app LOGIN PASSWORD {literal(OLD)}; CREATE SCHEMA shop AUTHORIZATION app;")
    url = "postgresql" + f"://app:{OLD}@127.0.0.1:{postgres.port}/postgres"
    ENV.write_text(f"# ours\nPOSTGRES_USER=app\nPOSTGRES_PASSWORD={OLD}\nDATABASE_URL={url}\n", encoding="utf-8")
    yield postgres
    postgres.run("DROP SCHEMA shop CASCADE;" + "".join(f"DROP ROLE IF EXISTS {each};" for each in roles))


def log_in(postgres: Any, folder: Path, sql: str = "SELECT current_user;") -> subprocess.CompletedProcess[str]:
    """Log in as a service does: read the file, connect with what its URL says."""
    url = Url.parse(dotenv_values(folder / ENV)["DATABASE_URL"] or "")
    assert url is not None
    environment = {**os.environ, **postgres.environment, "PGUSER": url.user or "", "PGPASSWORD": url.password or ""}
    return subprocess.run([postgres.psql, "-XqAtc", sql], env=environment, capture_output=True, text=True, check=False)


def refused(postgres: Any, password: str, user: str = "app") -> bool:
    """Whether a password no longer opens the server."""
    environment = {**os.environ, **postgres.environment, "PGUSER": user, "PGPASSWORD": password}
    done = subprocess.run([postgres.psql, "-XqAtc", "SELECT 1"], env=environment, capture_output=True, check=False)
    return done.returncode != 0


def test_verifier_is_the_servers_own(project: Any) -> None:
    """With the same salt, ours is what PostgreSQL computes; the same fixture's password was set in the clear."""
    import base64

    stored = project.run("SELECT rolpassword FROM pg_authid WHERE rolname = 'app';").strip()
    salt = base64.b64decode(stored.split("$")[1].split(":")[1])
    assert scram_verifier(OLD, salt) == stored


@pytest.mark.parametrize("name", ["plain", 'a"b', "a'b", "a\\b", "ä ö; DROP TABLE x"])
def test_quoting(project: Any, name: str) -> None:
    """Names and strings arrive as they are, whatever is in them."""
    assert project.run(f"SELECT{literal(name)}, 1 AS {identifier(name)};").strip() == f"{name}|1"


def test_alter_role(project: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The new password works, the old one does not, all keys of the file agree, and nobody saw it."""
    assert run(["rotate", "POSTGRES_PASSWORD", "--write", str(ENV), "--apply", "--yes"]) == 0
    values = dotenv_values(ENV)
    new = values["POSTGRES_PASSWORD"] or ""
    assert (values["DATABASE_URL"] or "").startswith("postgresql" + f"://app:{new}@")
    assert ENV.read_text(encoding="utf-8").startswith("# ours\nPOSTGRES_USER=app\n")
    assert log_in(project, tmp_path).stdout == "app\n"
    assert refused(project, OLD)
    printed = capsys.readouterr()
    assert "rotated POSTGRES_PASSWORD, DATABASE_URL" in printed.out
    log = next(Path("/tmp").glob("hctl-pg-*/log"))  # noqa: S108 - the fixture's
    seen = printed.out + printed.err + Path(".hardenctl/rotation.json").read_text() + log.read_text(errors="replace")
    assert new not in seen
    assert "SCRAM-SHA-256" in seen
    assert run(["rotate", "POSTGRES_PASSWORD", "--apply", "--yes"]) == 0
    assert refused(project, new)
    assert log_in(project, tmp_path).returncode == 0


def fail_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the first write of a file fail."""
    real, calls = generate_files.write_private, list[Path]()

    def write(path: Path, text: str) -> None:
        calls.append(path)
        if len(calls) == 1:
            raise SourceError("the disk is full", help="try again")
        real(path, text)

    monkeypatch.setattr(rotation, "write_private", write)


@pytest.mark.parametrize("alternate", [False, True], ids=["alter role", "alternate"])
def test_roll_back(
    project: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    alternate: bool,
) -> None:
    """When the delivery fails the old password works again, the file is as it was, and nothing is noted."""
    before = ENV.read_bytes()
    fail_to_write(monkeypatch)
    extra = ["--alternate"] if alternate else []
    assert run(["rotate", "DATABASE_URL", "--write", str(ENV), "--apply", "--yes", *extra]) == 2
    printed = capsys.readouterr()
    assert "the disk is full; everything is as it was" in printed.err
    assert ENV.read_bytes() == before
    assert log_in(project, tmp_path).stdout == "app\n"
    assert not Path(".hardenctl").exists()


def test_alternating_roles_refuse_nobody(project: Any, tmp_path: Path) -> None:
    """A client that reads the file before each of 200 connections sees no refusal across three rotations."""
    results: list[subprocess.CompletedProcess[str]] = []
    stop = threading.Event()

    def client() -> None:
        while not stop.is_set() or len(results) < 200:
            results.append(log_in(project, tmp_path, "CREATE TABLE IF NOT EXISTS shop.t(); SELECT session_user;"))

    # Once before the two clients race: PostgreSQL's IF NOT EXISTS is no lock against another session's CREATE.
    log_in(project, tmp_path, "CREATE TABLE IF NOT EXISTS shop.t();")
    threads = [threading.Thread(target=client) for _ in range(2)]
    for each in threads:
        each.start()
    rotate = [sys.executable, "-m", "hardenctl", "rotate", "DATABASE_URL", "--write", str(ENV)]
    users = []
    for _ in range(3):
        time.sleep(0.5)
        subprocess.run([*rotate, "--apply", "--alternate", "--yes"], check=True, capture_output=True)
        users.append(dotenv_values(ENV)["POSTGRES_USER"])
    stop.set()
    for each in threads:
        each.join()
    assert users == ["app_a", "app_b", "app_a"]
    assert [each.stderr for each in results if each.returncode] == []
    assert len(results) >= 200
    assert {each.stdout.strip() for each in results} == {"app", "app_a", "app_b"}
    assert project.run("SELECT tableowner FROM pg_tables WHERE tablename = 't';") == "app\n"
    assert refused(project, OLD, "app_a")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param(["POSTGRES_PASSWORD", "--apply", "--role", "nobody"], "no role `nobody`", id="no such role"),
        pytest.param(["POSTGRES_PASSWORD", "--alternate"], "--alternate needs --apply", id="alternate alone"),
    ],
)
def test_refusals(project: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str) -> None:
    """What cannot be is refused before anything changes."""
    assert run(["rotate", *arguments, "--write", str(ENV), "--yes"]) == 2
    assert what in capsys.readouterr().err
    assert not refused(project, OLD)


def test_wrong_connection(project: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there is an error that says where the connection comes from; nothing is made."""
    before = ENV.read_bytes()
    monkeypatch.setenv("PGPORT", "1")
    assert run(["rotate", "POSTGRES_PASSWORD", "--write", str(ENV), "--apply", "--yes"]) == 2
    printed = capsys.readouterr()
    assert "`psql` failed" in printed.err
    assert "PGHOST" in printed.err
    assert ENV.read_bytes() == before
    assert not refused(project, OLD)
