from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl.cli.app import run
from hardenctl.render import TEMPLATES
from hardenctl.rules.fakes import scramble

PASSWORD = scramble("render", 24)


@pytest.fixture
def project(make_repository: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project, and the current folder."""
    repository = make_repository(
        {
            "main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "docker-compose.yml": f"services:\n  api:\n    build: .\n    environment:\n      DB_PASSWORD: {PASSWORD}\n",
        }
    )
    monkeypatch.chdir(repository.root)
    root: Path = repository.root
    return root


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name the templates are listed, from the one table."""
    assert run(["render"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(TEMPLATES)


def test_stdout(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A template goes to standard output, filled from the project, and nothing is written."""
    assert run(["render", "gunicorn", "--set", "port=9999"]) == 0
    printed = capsys.readouterr().out
    assert "gunicorn for main:app" in printed
    assert '"PORT", "9999"' in printed
    assert not (project / "gunicorn.conf.py").exists()


def test_what_a_rendered_file_needs_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A compose file is no use without what it builds and starts: what the project lacks is named beside it."""
    assert run(["render", "compose"]) == 0
    lacking = capsys.readouterr()
    assert "hardenctl render gunicorn --write" in lacking.err
    assert "hardenctl render dockerfile --write" in lacking.err
    assert "note:" not in lacking.out
    for name in ("gunicorn", "dockerfile"):
        assert run(["render", name, "--write"]) == 0
    capsys.readouterr()
    assert run(["render", "compose"]) == 0
    assert "which is not there" not in capsys.readouterr().err
    assert (project / "Dockerfile").exists()


def test_a_dockerfile_that_a_variable_names_is_not_called_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which file it is, only the environment says."""
    build = "    build:\n      context: .\n      dockerfile: docker/${PYTHON}/Dockerfile\n"
    (project / "compose.yml").write_text(f"services:\n  web:\n{build}    command: uvicorn main:app\n")
    assert run(["render", "compose"]) == 0
    assert "it builds" not in capsys.readouterr().err


def test_write_new(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that isn't there is written, its folder too; a second time it is up to date."""
    assert run(["render", "github-actions", str(project), "--write"]) == 0
    assert (project / ".github/workflows/hardenctl.yml").is_file()
    capsys.readouterr()
    assert run(["render", "github-actions", str(project), "--write"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_present_file_stays(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A present file is shown as a diff and left alone; the credential in it is not shown."""
    before = (project / "docker-compose.yml").read_bytes()
    assert run(["render", "compose", "--write"]) == 2
    printed = capsys.readouterr()
    assert "-      DB_PASSWORD: " in printed.out
    assert "+    read_only: true" in printed.out
    assert PASSWORD not in printed.out + printed.err
    assert "--force replaces it" in printed.err
    assert (project / "docker-compose.yml").read_bytes() == before
    assert run(["render", "compose", ".", "--write", "--force"]) == 0
    assert b"read_only" in (project / "docker-compose.yml").read_bytes()


def test_present_name_is_used(project: Path) -> None:
    """Beside a `compose.yaml`, a second file would only confuse Compose."""
    (project / "docker-compose.yml").rename(project / "compose.yaml")
    assert run(["render", "compose", "--write", "--force"]) == 0
    assert not (project / "docker-compose.yml").exists()
    assert "read_only" in (project / "compose.yaml").read_text(encoding="utf-8")


def test_ignore_file_is_completed(project: Path) -> None:
    """An ignore file keeps its lines and gets what it lacks, without --force."""
    (project / ".gitignore").write_text("mine\n", encoding="utf-8")
    assert run(["render", "gitignore", "--write"]) == 0
    lines = (project / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "mine"
    assert ".env.*" in lines


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param(["gunicron"], "did you mean `gunicorn`?", id="misspelt"),
        pytest.param(["gunicorn", "--set", "prot=1"], "did you mean `port`?", id="misspelt fact"),
        pytest.param(["gunicorn", "--force"], "--force needs --write", id="force alone"),
        pytest.param(["gunicorn", "missing"], "is no folder", id="no folder"),
        pytest.param(["gunicorn", "main.py"], "is no folder", id="a file"),
    ],
)
@pytest.mark.usefixtures("project")
def test_errors(arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Mistakes are errors with help and exit code 2."""
    assert run(["render", *arguments]) == 2
    assert what in capsys.readouterr().err


def test_targets_that_cannot_be_used(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder, or bytes that are no text, in place of the target are errors."""
    (project / "Dockerfile").mkdir()
    (project / "gunicorn.conf.py").write_bytes(b"\xff\xfe\x00")
    (project / ".github").write_text("", encoding="utf-8")
    assert run(["render", "dockerfile", "--write", "--force"]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert run(["render", "gunicorn", "--write", "--force"]) == 2
    assert "is not UTF-8" in capsys.readouterr().err
    assert run(["render", "github-actions", "--write", "--force"]) == 2
    assert "cannot be" in capsys.readouterr().err


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "forced"])
@pytest.mark.parametrize(
    ("template", "link", "lands"),
    [
        pytest.param("gitignore", ".gitignore", "outside/victim", id="completed"),
        pytest.param("compose", "docker-compose.yml", "outside/victim", id="replaced"),
        pytest.param("gunicorn", "gunicorn.conf.py", "outside/new", id="dangling"),
        pytest.param("github-actions", ".github", "outside", id="through-a-folder"),
    ],
)
def test_nothing_is_written_through_a_link(  # noqa: PLR0917 - a table's columns
    template: str,
    link: str,
    lands: str,
    force: tuple[str, ...],
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A link in a project that is not trusted leads nowhere: what it points to stays as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/victim").write_text("mine\n", encoding="utf-8")
    (project / link).unlink(missing_ok=True)
    (project / link).symlink_to(tmp_path / lands)
    assert run(["render", template, "--write", *force]) == 2
    assert "symbolic link" in capsys.readouterr().err
    assert [each.name for each in (tmp_path / "outside").iterdir()] == ["victim"]
    assert (tmp_path / "outside/victim").read_text(encoding="utf-8") == "mine\n"
