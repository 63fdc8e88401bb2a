"""`hardenctl init`: what it adds, and that it overwrites nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardenctl.policy.load import load_policy

HOOKS = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/hardenctl.yml"


def hooks(root: Path) -> list[Any]:
    """The repositories of the pre-commit configuration."""
    return yaml.safe_load((root / HOOKS).read_text())["repos"]


def test_an_empty_project(hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
    """Everything is written, is valid, and a second run writes nothing."""
    repository = make_repository({"Dockerfile": "FROM python:3.12\n"})
    first = hardenctl("init", cwd=repository.root)
    assert first.code == 0
    assert first.out.splitlines() == [
        "wrote hardenctl.toml",
        "wrote .gitignore",
        "wrote .dockerignore",
        f"wrote {HOOKS}",
        f"wrote {WORKFLOW}",
        "next: `pre-commit install`, then `hardenctl audit`",
    ]
    assert load_policy(repository.root).extends == ("standard",)
    assert [each["hooks"][0]["id"] for each in hooks(repository.root)] == ["hardenctl"]
    assert "jobs" in yaml.safe_load((repository.root / WORKFLOW).read_text())
    assert repository.git("check-ignore", ".env.prod").strip() == ".env.prod"
    before = {
        path: path.read_bytes() for path in repository.root.rglob("*") if path.is_file() and ".git/" not in str(path)
    }
    second = hardenctl("init")
    assert second.code == 0
    assert "wrote" not in second.out
    assert "hardenctl.toml holds a policy already" in second.out
    assert {path: path.read_bytes() for path in before} == before


def test_dry_run(hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
    """A diff, and nothing written."""
    repository = make_repository({"a": ""})
    shown = hardenctl("init", "--dry-run", cwd=repository.root)
    assert shown.code == 0
    assert "+++ b/hardenctl.toml" in shown.out
    assert repository.git("status", "--porcelain") == ""


@pytest.mark.parametrize("newline", [pytest.param("\n", id="unix"), pytest.param("\r\n", id="windows")])
def test_what_is_there_is_added_to(newline: str, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
    """Policy, ignore file and hooks go into the files there are; comments and line ends stay."""
    files = {
        "pyproject.toml": "[project]\nname = 'x' # why\n",
        ".gitignore": "dist\n",
        HOOKS: (
            "# hooks\nrepos:\n  - repo: https://example.com/a\n    rev: v1\n    hooks:\n      - id: a  # last\n\n"
            "# after\nci:\n  skip: []\n"
        ),
        ".github/workflows/test.yml": "on: push\n",
    }
    repository = make_repository({path: text.replace("\n", newline) for path, text in files.items()})
    result = hardenctl("init", cwd=repository.root)
    assert result.code == 0
    for path, text in files.items():
        after = (repository.root / path).read_bytes().decode()
        assert [line for line in text.splitlines() if line not in after.splitlines()] == []
        assert after.count("\n") == after.count(newline)
    assert tomllib.loads((repository.root / "pyproject.toml").read_text())["tool"]["hardenctl"]["extends"] == [
        "standard"
    ]
    assert [each["repo"] for each in hooks(repository.root)] == ["https://example.com/a", "local"]
    assert yaml.safe_load((repository.root / HOOKS).read_text())["ci"] == {"skip": []}
    assert (repository.root / WORKFLOW).is_file()
    again = hardenctl("init").out
    assert "wrote" not in again
    assert "added to" not in again


@pytest.mark.parametrize(
    "config",
    [
        pytest.param("repos: []\n", id="empty-list"),
        pytest.param("repos: [{repo: local, hooks: []}]\n", id="flow-style"),
        pytest.param("repos: [\n", id="broken"),
        pytest.param("- a\n", id="another-shape"),
    ],
)
def test_hooks_of_another_shape(config: str, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
    """Where the entry can't be put in safely, it is shown."""
    repository = make_repository({HOOKS: config})
    result = hardenctl("init", cwd=repository.root)
    assert f"{HOOKS}: add this by hand" in result.out
    assert "- id: hardenctl" in result.out
    assert (repository.root / HOOKS).read_text() == config


@pytest.mark.parametrize(
    ("files", "note"),
    [
        pytest.param({".gitlab-ci.yml": "a: b\n"}, ".gitlab-ci.yml: add a job", id="gitlab"),
        pytest.param({".github/workflows/a.yml": "run: hardenctl audit\n"}, "a.yml runs hardenctl already", id="runs"),
        pytest.param({WORKFLOW: "on: push\n"}, f"{WORKFLOW} is there already", id="same-name"),
        pytest.param({HOOKS: "repos: [] # hardenctl\n"}, f"{HOOKS} runs hardenctl already", id="hook"),
        pytest.param({"hardenctl.yaml": "fail-on: low\n"}, "hardenctl.yaml holds a policy already", id="policy"),
    ],
)
def test_what_is_left_alone(
    files: dict[str, str], note: str, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]
):
    """Another CI, and what runs already, is left as it is and named."""
    repository = make_repository(files)
    result = hardenctl("init", cwd=repository.root)
    assert result.code == 0
    assert note in result.out
    assert all((repository.root / path).read_text() == text for path, text in files.items())


def test_links_are_not_written_through(
    hardenctl: Callable[..., Any], make_repository: Callable[..., Any], tmp_path: Path
):
    """A link out of the project stays what it is."""
    outside = tmp_path / "outside"
    outside.write_text("")
    repository = make_repository({})
    for name in (".gitignore", "pyproject.toml", HOOKS):
        (repository.root / name).symlink_to(outside)
    result = hardenctl("init", cwd=repository.root)
    assert result.out.count("is behind a symbolic link") == 3
    assert outside.read_text() == ""


@pytest.mark.parametrize(
    ("path", "what"),
    [
        pytest.param("a", "a project is adopted as a whole", id="file"),
        pytest.param("sub", "inside a repository", id="sub"),
    ],
)
def test_usage(path: str, what: str, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
    """Only the top of a project is adopted."""
    result = hardenctl("init", path, cwd=make_repository({"a": "", "sub/b": ""}).root)
    assert result.code == 2
    assert what in result.err
