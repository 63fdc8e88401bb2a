from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from hardenctl.cli.app import run
from hardenctl.formats.paths import LEDGER
from hardenctl.generate.stamps import Ledger, Place
from hardenctl.model.errors import SourceError, ToolError
from hardenctl.rotate.postgres import PostgreSQL, owner_of, twin_of
from hardenctl.rules.fakes import scramble

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fakes are POSIX scripts")

OLD = scramble("old credential", 40)
ENV = Path(".env.production")

# Notes what it is given; `fail-PROGRAM` beside it makes it fail where it is given something.
FAKE = """\
#!{python} -IS
import json, os, pathlib, sys
folder, name, value = pathlib.Path({folder!r}), os.path.basename(sys.argv[0]), sys.stdin.read()
with (folder / "calls").open("a") as stream:
    stream.write(json.dumps([name, sys.argv[1:], value]) + "\\n")
sys.exit(1 if value and (folder / ("fail-" + name)).exists() else 0)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a file, and fake `gh` and `railway` on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("gh", "railway"):
        (programs / name).write_text(FAKE.format(python=sys.executable, folder=str(tmp_path)), encoding="utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    ENV.write_text(f"DEBUG=false\nEMPTY_KEY=\nSECRET_KEY={OLD}\n", encoding="utf-8")
    return tmp_path


def given(folder: Path) -> list[tuple[str, str]]:
    """Which program was given what."""
    if not (folder / "calls").exists():
        return []
    calls = [json.loads(line) for line in (folder / "calls").read_text(encoding="utf-8").splitlines()]
    return [(name, value) for name, _, value in calls if value]


EVERYWHERE = ["--write", str(ENV), "--push", "github", "--push", "railway", "--environment", "production", "--yes"]


def test_everywhere_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One new value goes to the file and both platforms; the second time the ledger knows where."""
    assert run(["rotate", "SECRET_KEY", *EVERYWHERE]) == 0
    new = dotenv_values(ENV)["SECRET_KEY"] or ""
    assert len(new) == 64
    assert given(folder) == [("gh", new), ("railway", new)]
    assert run(["rotate", "SECRET_KEY", "--yes"]) == 0
    newer = dotenv_values(ENV)["SECRET_KEY"] or ""
    assert newer != new
    assert given(folder)[2:] == [("gh", newer), ("railway", newer)]
    printed = capsys.readouterr()
    assert printed.out == "rotated SECRET_KEY\n" * 2
    assert not [each for each in (OLD, new, newer) if each in printed.err + Path(LEDGER).read_text(encoding="utf-8")]
    assert {(each.place, each.environment) for each in Ledger().stamps} == {
        ("file:.env.production", "production"),
        ("github", "production"),
        ("railway", "production"),
    }


def test_roll_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the second platform fails, the first gets the old value again and the file keeps it."""
    (folder / "fail-railway").touch()
    assert run(["rotate", "SECRET_KEY", *EVERYWHERE]) == 2
    printed = capsys.readouterr()
    (first, new), *rest = given(folder)
    assert first == "gh"
    assert rest == [("railway", new), ("railway", OLD), ("gh", OLD)]
    assert dotenv_values(ENV)["SECRET_KEY"] == OLD
    assert "not put back: railway (production)" in printed.err  # it fails at that, too: perhaps it has the new one
    assert "run the same command again" in printed.err
    assert not Path(LEDGER).exists()
    assert new not in printed.out + printed.err


def test_what_cannot_be_put_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file nobody here knows the old value: the error names who has the new one."""
    (folder / "fail-railway").touch()
    assert run(["rotate", "SECRET_KEY", "--push", "github", "--push", "railway", "--yes"]) == 2
    assert "not put back: SECRET_KEY at github" in capsys.readouterr().err
    (folder / "fail-railway").unlink()
    assert run(["rotate", "SECRET_KEY", "--push", "github", "--push", "railway", "--yes"]) == 0
    assert given(folder)[-1][1] == given(folder)[-2][1]


def test_urls_follow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A password's URLs change with it, also at the platform that has one; the statement has a placeholder."""
    url = "postgresql" + f"://app:{OLD}@db/app"
    ENV.write_text(f"POSTGRES_USER=app\nPOSTGRES_DB=app\nPOSTGRES_PASSWORD={OLD}\nDATABASE_URL={url}\n")
    Ledger().stamp("DATABASE_URL", Place("github", "production"), url, "connection-url")
    assert run(["rotate", "POSTGRES_PASSWORD", "--write", str(ENV), "--yes"]) == 0
    values = dotenv_values(ENV)
    new = values["POSTGRES_PASSWORD"] or ""
    assert new != OLD
    assert values["POSTGRES_USER"] == values["POSTGRES_DB"] == "app"
    assert given(folder) == [("gh", values["DATABASE_URL"])]
    printed = capsys.readouterr().out
    assert "ALTER ROLE \"app\" PASSWORD '<new>'" in printed
    assert new not in printed
    assert run(["rotate", "DATABASE_URL", "--yes", "--write", str(ENV)]) == 0
    assert dotenv_values(ENV)["POSTGRES_PASSWORD"] not in {new, None}


@pytest.mark.parametrize(
    ("role", "statements"),
    [
        pytest.param("my-app", ['ALTER ROLE "my-app" ', "ALTER USER `my-app` ", "SETUSER my-app >"], id="dash"),
        pytest.param('a"; x `', ['ALTER ROLE "a""; x `" ', 'ALTER USER `a"; x ``` ', 'SETUSER "\\x61'], id="quotes"),
        pytest.param("a\x1b[2J", ['ALTER ROLE "a\\x1b[2J" ', "ALTER USER `a\\x1b[2J` "], id="escape"),
    ],
)
def test_statements_of_any_role(
    folder: Path, capsys: pytest.CaptureFixture[str], role: str, statements: list[str]
) -> None:
    """What is printed to be run names the role as each server reads it, and steers no terminal."""
    del folder
    ENV.write_text(f"POSTGRES_PASSWORD={OLD}\n", encoding="utf-8")
    assert run(["rotate", "POSTGRES_PASSWORD", "--write", str(ENV), "--role", role, "--yes"]) == 0
    printed = capsys.readouterr().out
    assert [each for each in statements if each not in printed] == []


@pytest.mark.parametrize("error", [SourceError("`x` cannot be written: No space left", help="y"), KeyboardInterrupt()])
def test_a_file_that_cannot_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """A full disk or Ctrl-C before the new file is there leaves the old one, and the platforms get their value back."""

    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr("hardenctl.rotate.rotation.write_private", refuse)
    arguments = ["rotate", "SECRET_KEY", "--write", str(ENV), "--push", "github", "--environment", "production"]
    assert run([*arguments, "--yes"]) == 2
    printed = capsys.readouterr()
    assert "everything is as it was" in printed.err
    assert "help: " in printed.err
    assert dotenv_values(ENV)["SECRET_KEY"] == OLD
    assert given(folder)[-1] == ("gh", OLD)


def test_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` says what is where and how old, oldest first."""
    del folder
    run(["rotate", "SECRET_KEY", "--write", str(ENV), "--yes"])
    today = datetime.now(UTC).date()
    text = Path(LEDGER).read_text(encoding="utf-8")
    Path(LEDGER).write_text(text.replace(str(today), str(today - timedelta(days=100))), encoding="utf-8")
    capsys.readouterr()
    assert run(["rotate", "--list"]) == 0
    assert capsys.readouterr().out == f"{today - timedelta(days=100)}   100 days  SECRET_KEY  .env.production  due\n"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param([], "no key is named", id="no key"),
        pytest.param(["SECRET_KEY"], "does not know where", id="no place"),
        pytest.param(["SECRET_KEY", "--write", ".env.staging"], "no file `", id="no file"),
        pytest.param(["SECRET_KYE", "--write", str(ENV)], "did you mean `SECRET_KEY`", id="misspelt"),
        pytest.param(["EMPTY_KEY", "--write", str(ENV)], "is empty: there is nothing to replace", id="empty"),
        pytest.param(["OTHER", "--write", str(ENV)], "name a key that it has", id="unlike any"),
        pytest.param(["STRIPE_SECRET_KEY", "--push", "github"], "issued by somebody else", id="not ours to make"),
        pytest.param(["SECRET_KEY", "--write", str(ENV), "--alternate"], "needs --apply", id="alternate alone"),
        pytest.param(["SECRET_KEY", "--push", "nowhere"], "no platform `nowhere`", id="no platform"),
        pytest.param(["SECRET_KEY", "--write", str(ENV), "--apply"], "who logs in", id="no role"),
    ],
)
def test_refusals(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str) -> None:
    """What cannot be is refused before anything is made."""
    assert run(["rotate", *arguments, "--yes"]) == 2
    printed = capsys.readouterr()
    assert what in printed.err
    assert "help: " in printed.err
    assert given(folder) == []
    assert dotenv_values(ENV)["SECRET_KEY"] == OLD


def test_nobody_to_ask(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal and `--yes` nothing happens."""
    assert run(["rotate", "SECRET_KEY", "--write", str(ENV)]) == 2
    assert "no terminal to confirm on" in capsys.readouterr().err
    assert given(folder) == []


def test_nobody_to_ask_and_no_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service without any standard input is told the same."""
    monkeypatch.setattr("sys.stdin", None)
    assert run(["rotate", "SECRET_KEY", "--write", str(ENV)]) == 2
    assert "no terminal to confirm on" in capsys.readouterr().err
    assert given(folder) == []


def test_file_that_git_sees(make_repository: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A new value is not written where git would take it."""
    repository = make_repository({".env.production": f"SECRET_KEY={OLD}\n"})
    monkeypatch.chdir(repository.root)
    assert run(["rotate", "SECRET_KEY", "--write", str(ENV), "--yes"]) == 2
    assert dotenv_values(ENV)["SECRET_KEY"] == OLD


@pytest.mark.parametrize(
    ("role", "owner", "twin"),
    [
        ("app", "app", "app_a"),
        ("app_a", "app", "app_b"),
        ("app_b", "app", "app_a"),
        ("data_app", "data_app", "data_app_a"),
    ],
)
def test_turns(role: str, owner: str, twin: str) -> None:
    """Whose turn is next, and for whom both act."""
    assert (owner_of(role), twin_of(role)) == (owner, twin)


def test_psql_in_trouble(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A psql that is missing, cannot start, hangs or fails is an error without the statement."""
    with pytest.raises(ToolError, match="not installed"):
        PostgreSQL().prepare("app")
    program = folder / "bin" / "psql"
    for script, what in (
        ("#!/no/such/thing\n", "could not be started"),
        ("#!/bin/sh\necho oops >&2; exit 1\n", "failed: oops"),
        (f"#!{sys.executable}\nimport time; time.sleep(9)\n", "took longer"),
    ):
        program.write_text(script, encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setattr("hardenctl.rotate.server.PATIENCE", 2.0)
        with pytest.raises(ToolError, match=what) as caught:
            PostgreSQL().change("app", OLD, [OLD])
        assert "SCRAM" not in str(caught.value) + caught.value.help
    assert PostgreSQL("no-such-psql").program not in os.environ
