"""Real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from browser import Browser, find_chromium
from hypothesis import settings

# CI asks the same questions every time, so that a push is judged by what it changes; `make nightly` asks new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("everywhere", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") and not os.environ.get("NIGHTLY") else "everywhere")

GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+00:00",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+00:00",
}


class Repository:
    """A git repository below a test's folder. Every method returns at once with the command done."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """Run git here; its standard output. Fails the test where git fails."""
        return subprocess.run(
            ["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True, encoding="utf-8"
        ).stdout

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files, folders included."""
        for path, content in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, str | bytes], message: str = "change") -> str:
        """Write files, commit them (ignored ones too) and return the commit's id."""
        self.write(files)
        if files:
            self.git("add", "-f", "--", *files)
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the developer's git configuration, colours, cache or HARDENCTL_ variables."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "HARDENCTL_")) or name in {"NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
    for name, value in GIT_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def make_repository(tmp_path: Path) -> Callable[..., Repository]:
    """Make a repository, with files committed if any are given."""

    def make(files: Mapping[str, str | bytes] | None = None, name: str = "repo") -> Repository:
        repository = Repository(tmp_path / name)
        if files is not None:
            repository.commit(files)
        return repository

    return make


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium. Without one the tests are skipped, and fail in CI."""
    program = find_chromium()
    if program is None or os.name == "nt":
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed, and CI has to have it")
        pytest.skip("needs Chromium")
    opened = Browser(program)
    yield opened
    opened.close()
