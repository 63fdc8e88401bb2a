from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from hardenctl import demo
from hardenctl.audit import audit
from hardenctl.cli.app import run
from hardenctl.demo import write_demo
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.policy.policy import default_policy
from hardenctl.sources import open_source


def git(folder: Path, *arguments: str) -> str:
    """Run git in the demo."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_it_is_a_repository_with_a_history(tmp_path: Path) -> None:
    """Everything is committed, the production settings last, and the work tree is clean."""
    write_demo(tmp_path / "demo")
    assert git(tmp_path / "demo", "status", "--porcelain", "--ignored") == ""
    assert git(tmp_path / "demo", "log", "--format=%s|%an").splitlines()[0] == "Settings of the production server|Demo"
    assert {".env.prod", "main.py", "docker-compose.yml", "Dockerfile", ".env.example", "README.md"} <= set(
        git(tmp_path / "demo", "ls-files").split()
    )


def test_credentials_are_made_when_it_is_written(tmp_path: Path) -> None:
    """Two demos share no credential, two with one seed share all."""
    for name, seed in (("a", None), ("b", None), ("c", "x"), ("d", "x"), ("e", "y")):
        write_demo(tmp_path / name, seed=seed)
    made = {name: dotenv_values(tmp_path / name / ".env.prod") for name in "abcde"}
    for key in ("SECRET_KEY", "POSTGRES_PASSWORD", "STRIPE_API_KEY", "SMTP_PASSWORD"):
        assert made["c"][key] == made["d"][key]
        assert len({made[name][key] for name in "abce"}) == 4
    password = str(made["a"]["POSTGRES_PASSWORD"])
    assert password in str(made["a"]["DATABASE_URL"])
    assert password in (tmp_path / "a" / "docker-compose.yml").read_text(encoding="utf-8")


def test_the_four_problems_are_found(tmp_path: Path) -> None:
    """An audit names committed credentials, open CORS, hard-coded workers and the published database."""
    write_demo(tmp_path / "demo")
    report = audit(open_source([tmp_path / "demo"]), default_policy())
    found = {(each.finding.rule, each.finding.location.path) for each in report.open}
    assert {
        ("env-file-committed", ".env.prod"),
        ("gitignore-env-not-ignored", ".gitignore"),
        ("cors-any-origin-credentials", "main.py"),
        ("cors-wildcard-methods", "main.py"),
        ("cors-wildcard-headers", "main.py"),
        ("gunicorn-hardcoded-workers", "docker-compose.yml"),
        ("gunicorn-timeout-unset", "docker-compose.yml"),
    } <= found
    assert report.gaps == ()


def test_the_users_git_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing, hooks and global excludes of the user's own git neither run nor keep `.env.prod` out."""
    (tmp_path / "ignore").write_text(".env*\n", encoding="utf-8")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (hooks / "pre-commit").chmod(0o755)
    (tmp_path / "config").write_text(
        f"[core]\nexcludesFile = {(tmp_path / 'ignore').as_posix()}\nhooksPath = {hooks.as_posix()}\n"
        "[commit]\ngpgSign = true\n[user]\nname = Somebody\nemail = else@example.com\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{name}_NAME")
        monkeypatch.delenv(f"GIT_{name}_EMAIL")
    write_demo(tmp_path / "demo")
    assert ".env.prod" in git(tmp_path / "demo", "ls-files").split()
    assert git(tmp_path / "demo", "log", "-1", "--format=%an <%ae>").strip() == "Demo <demo@example.com>"


def test_only_into_an_empty_folder(tmp_path: Path) -> None:
    """A folder that holds something, or a file, is refused and left as it was; an empty one is fine."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x", encoding="utf-8")
    for name in ("full", "full/mine"):
        with pytest.raises(UsageError, match="is not empty"):
            write_demo(tmp_path / name)
    assert os.listdir(tmp_path / "full") == ["mine"]  # noqa: PTH208 - names are enough
    (tmp_path / "empty").mkdir()
    write_demo(tmp_path / "empty")
    assert (tmp_path / "empty" / "main.py").is_file()


@pytest.mark.parametrize("existed", [True, False])
def test_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool) -> None:  # noqa: FBT001
    """Where git is missing in the middle, half a project is not left behind."""
    if existed:
        (tmp_path / "demo").mkdir()

    def broken(source: str, _values: object) -> str:
        if "store" in source:
            raise OSError(28, "No space left on device")
        return "x\n"

    monkeypatch.setattr(demo, "template_text", broken)
    with pytest.raises(SourceError, match="No space left"):
        write_demo(tmp_path / "demo")
    assert (tmp_path / "demo").exists() is existed
    assert not existed or not list((tmp_path / "demo").iterdir())


def test_unwritable_place(tmp_path: Path) -> None:
    """A folder below a file is an error, not a traceback."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be written"):
        write_demo(tmp_path / "file" / "demo")


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says what comes next; with --quiet it prints the folder alone, for scripts."""
    assert run(["demo", str(tmp_path / "a"), "--seed", "x"]) == 0
    printed = capsys.readouterr().out
    assert "hardenctl fix --apply --unsafe-fixes" in printed
    assert "hardenctl generate env --write .env.production" in printed
    assert not [
        value
        for value in dotenv_values(tmp_path / "a" / ".env.prod").values()
        if value and len(value) > 15 and value in printed
    ]
    assert run(["demo", "--quiet", str(tmp_path / "b")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'b'}\n"
    assert run(["demo", str(tmp_path / "b")]) == 2
    assert "is not empty" in capsys.readouterr().err


class Service:
    """The demo app under real gunicorn, asked as a browser would."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = ""

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The demo, with an environment from `generate env` and the rendered gunicorn.conf.py, on a free loopback port."""
    project = tmp_path / "demo"
    write_demo(project)
    monkeypatch.chdir(project)
    assert run(["render", "gitignore", "--write"]) == 0
    assert run(["generate", "env", "--write", ".env.production", "--set", "ENVIRONMENT=production"]) == 0
    assert run(["render", "gunicorn", "--write"]) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {key: value or "" for key, value in dotenv_values(".env.production").items()}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "-b", f"127.0.0.1:{port}", "main:app"],
            env={**os.environ, **environment, "WEB_CONCURRENCY": "2"},
            stdout=log,
            stderr=log,
        )
    service = Service(port)
    try:
        for _ in range(200):
            try:
                if service.ask("GET", "/health")[0] == 200:
                    break
            except OSError:
                assert server.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.1)
        else:
            raise AssertionError((tmp_path / "log").read_text())
        yield service
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")
def test_it_really_runs(service: Service) -> None:
    """Accounts, items, entries, reminders and figures work under gunicorn with generated credentials."""
    account = {"username": "ada", "password": "a long one"}
    assert service.ask("GET", "/items")[0] == 401
    assert service.ask("POST", "/auth/register", account)[0] == 201
    assert service.ask("POST", "/auth/register", account)[0] == 409
    assert service.ask("POST", "/auth/login", {**account, "password": "not that one"})[0] == 401
    token = service.ask("POST", "/auth/login", account)[1]["access_token"]
    service.token = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    assert service.ask("GET", "/items")[0] == 401
    service.token = token

    status, item = service.ask("POST", "/items", {"name": "aspirin", "times_a_day": 2})
    assert status == 201
    assert service.ask("GET", f"/items/{item['id']}") == (200, item)
    assert (
        service.ask("PUT", f"/items/{item['id']}", {"name": "aspirin", "dose": "1", "times_a_day": 3})[1]["dose"] == "1"
    )
    assert [each["due"] for each in service.ask("GET", "/reminders")[1]] == [3]
    assert service.ask("POST", "/entries", {"item_id": item["id"], "note": "taken"})[0] == 201
    assert [each["due"] for each in service.ask("GET", "/reminders")[1]] == [2]
    assert service.ask("GET", "/analytics/summary") == (200, {"items": 1, "entries": 1, "entries_today": 1})
    assert service.ask("DELETE", f"/items/{item['id']}")[0] == 204
    assert service.ask("GET", f"/items/{item['id']}")[0] == 404
    assert service.ask("POST", "/items", {"name": "", "times_a_day": 2})[0] == 422

    service.token = ""
    assert service.ask("POST", "/auth/register", {**account, "username": "eve"})[0] == 201
    service.token = service.ask("POST", "/auth/login", {**account, "username": "eve"})[1]["access_token"]
    assert service.ask("GET", "/entries") == (200, [])
