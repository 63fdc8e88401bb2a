"""`--jobs`: several processes find what one finds."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl.detect import look
from hardenctl.model.blob import Blob, Gap
from hardenctl.rules.fakes import FAKES
from hardenctl.sources import open_source, worktree
from hardenctl.sources.worktree import FileShare

Make = Callable[..., Any]


@pytest.fixture
def repository(make_repository: Make, project_files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project with findings of all kinds in many files, some of them past; few files are many here."""
    monkeypatch.setattr(look, "FEW", 1)
    monkeypatch.setattr(worktree, "MANY", 1)
    monkeypatch.setattr(worktree, "SHARE", 3)
    keys = {f"pkg/k{number}.py": f"K = '{FAKES['stripe-live-key']()}'  # {number}\n" for number in range(7)}
    repository = make_repository(project_files | keys | {"pkg/x.bin": "x", "pkg/b": "\0", "broken.yml": "a: [\n"})
    repository.git("rm", "-q", "pkg/k3.py")
    repository.git("commit", "-q", "-m", "out")
    repository.write({"pkg/new.py": f"N = '{FAKES['aws-access-key-id']()}'\n"})
    return repository


@pytest.mark.parametrize(
    "arguments",
    [["audit"], ["scan"], ["audit", "--history"], ["scan", "--since", "0" * 40], ["audit", "pkg", "main.py"]],
    ids=" ".join,
)
def test_several_processes_find_what_one_finds(
    repository: Any, hardenctl: Callable[..., Any], arguments: list[str]
) -> None:
    """Findings, gaps, what was looked at and left out, and their order: all but the time is the same."""
    reports = []
    for jobs in ("1", "2", "3"):
        result = hardenctl(*arguments, "--jobs", jobs, "--format", "json", "--no-cache", cwd=repository.root)
        reports.append((result.code, re.sub(r'"elapsed_seconds": [\d.e-]+', "", result.out)))
    assert reports[0] == reports[1] == reports[2]
    assert json.loads(result.out)["findings"]


def test_shares_are_what_the_blobs_are(repository: Any) -> None:
    """Each file once, in shares or not, with the same reasons for what is left out."""
    plain, shared = open_source([repository.root]), open_source([repository.root], jobs=2)
    blobs = {(each.path, each.data) for each in plain.blobs() if isinstance(each, Blob)}
    shares = list(shared.shares())  # type: ignore[attr-defined]
    assert all(isinstance(each, FileShare) for each in shares)
    parts = [each for share in shares for each in share.blobs()]
    assert [(each.path, each.data) for each in parts if isinstance(each, Blob)] == sorted(blobs)
    assert sum((share.skipped for share in shares), start=shared.skipped) == plain.skipped  # type: ignore[attr-defined]
    assert sum(map(len, shares)) == len(blobs) + sum(plain.skipped.values())  # type: ignore[attr-defined]


def test_a_named_file_is_looked_at_here(repository: Any) -> None:
    """What the user names must not be passed over in silence: a pipe is a gap, with shares too."""
    os.mkfifo(repository.root / "pipe")
    names = [repository.root / "pipe", *repository.root.glob("pkg/*.py")]
    source = open_source(names, jobs=2)
    assert Gap("pipe", "not a regular file") in list(source.shares())  # type: ignore[attr-defined]


def _die(*_arguments: object) -> None:
    os._exit(9)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the function that dies is there in forked processes alone")
def test_a_process_that_dies_is_no_all_clear(
    repository: Any, hardenctl: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one is killed, for want of memory say, the audit says so and what to do."""
    monkeypatch.setattr(look, "look_at_share", _die)
    result = hardenctl("scan", "--jobs", "2", cwd=repository.root)
    assert result.code == 2
    assert "a process that looked at the repository died" in result.err
    assert "--jobs 1" in result.err


@pytest.mark.parametrize("jobs", ["0", "-1", "many", "1.5", ""])
def test_what_is_no_number_of_processes(tmp_path: Path, hardenctl: Callable[..., Any], jobs: str) -> None:
    """It is an error, and not one process or all of them."""
    result = hardenctl("scan", f"--jobs={jobs}", cwd=tmp_path)
    assert (result.code, "no number of processes" in result.err) == (2, True)
