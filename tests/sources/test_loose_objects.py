"""Loose objects: read as git reads them, or left to git."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardenctl.model.errors import SourceError
from hardenctl.sources.git import Git
from hardenctl.sources.loose import FEW, LARGEST, LooseObjects
from hardenctl.sources.objects import ObjectReader, stream


def _path(root: Path, oid: str) -> Path:
    return root / ".git" / "objects" / oid[:2] / oid[2:]


_MADE: list[Any] = []


def _oracle(make_repository: Callable[..., Any]) -> Any:
    """One repository for all examples of the test."""
    if not _MADE:
        _MADE.append(make_repository({"a": "a"}, "oracle"))
    return _MADE[0]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=200) | st.sampled_from([b"", b"x\0y", b"blob 3\0abc", b"a" * 70_000]))
def test_git_is_the_oracle(make_repository: Callable[..., Any], data: bytes):
    """Whatever git wrote is read as git reads it, its kind too; both readers of objects say the same."""
    git = Git(_oracle(make_repository).root)
    oid = git.run("hash-object", "-w", "--stdin", input=data).decode().strip()
    assert LooseObjects(git).read(oid) == ("blob", data)
    assert git.run("cat-file", "blob", oid) == data
    for found in (next(stream(git, [oid])), ObjectReader(git).read(oid)):
        assert (found.oid, found.kind, found.data, found.whole) == (oid, "blob", data, True)


def test_commits_and_trees(make_repository: Callable[..., Any]):
    """They are objects like any other."""
    git = Git(make_repository({"a.py": "x = 1\n"}).root)
    for name, kind in (("HEAD", "commit"), ("HEAD^{tree}", "tree")):
        oid = git.run("rev-parse", name).decode().strip()
        assert LooseObjects(git).read(oid) == (kind, git.run("cat-file", kind, oid))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-3], id="torn"),
        pytest.param(lambda data: data + b"more", id="something-behind-it"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: zlib.compress(b"blob 7\0x = 20\n"), id="another-content"),
        pytest.param(lambda _: zlib.compress(b"blob 900\0x = 1\n"), id="another-size"),
        pytest.param(lambda _: b"no zlib at all", id="not-compressed"),
    ],
)
def test_a_damaged_object_is_gits_to_complain_of(make_repository: Callable[..., Any], damage: Callable[[bytes], bytes]):
    """It is never taken for the object, nor for an empty one."""
    repository = make_repository({"a.py": "x = 1\n"})
    git = Git(repository.root)
    oid = git.run("rev-parse", "HEAD:a.py").decode().strip()
    path = _path(repository.root, oid)
    path.chmod(0o644)
    path.write_bytes(damage(path.read_bytes()))
    assert LooseObjects(git).read(oid) is None
    try:
        (found,) = stream(git, [oid])
    except SourceError:
        return
    assert found.data != b""  # git overlooks what stands behind an object, and whether an id fits


def test_what_is_packed_missing_or_large_is_gits(make_repository: Callable[..., Any]):
    """And comes from it all the same."""
    repository = make_repository({"a.py": "x = 1\n"})
    git = Git(repository.root)
    oid = git.run("rev-parse", "HEAD:a.py").decode().strip()
    repository.git("gc", "-q", "--prune=now")
    large = git.run("hash-object", "-w", "--stdin", input=b"a" * (LARGEST + 1)).decode().strip()
    loose = LooseObjects(git)
    assert [loose.read(each) for each in (oid, large, "0" * 40, "", "f" * 64)] == [None] * 5
    assert [each.data for each in stream(git, [oid, "0" * 40])] == [b"x = 1\n", None]
    assert next(stream(git, [large])).data == b"a" * (LARGEST + 1)


def test_many_are_asked_of_one_process(make_repository: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    """For more than a few, a git process is no dearer."""
    git = Git(make_repository({"a.py": "x = 1\n"}).root)
    oid = git.run("rev-parse", "HEAD:a.py").decode().strip()
    asked: list[str] = []
    read = LooseObjects.read
    monkeypatch.setattr(LooseObjects, "read", lambda self, each: asked.append(each) or read(self, each))
    for count, times in ((FEW, FEW), (FEW + 1, 0)):
        asked.clear()
        assert [each.data for each in stream(git, [oid] * count)] == [b"x = 1\n"] * count
        assert len(asked) == times


def test_a_linked_worktree(make_repository: Callable[..., Any], tmp_path: Path):
    """Where the store is elsewhere, git reads."""
    repository = make_repository({"a.py": "x = 1\n"})
    oid = Git(repository.root).run("rev-parse", "HEAD:a.py").decode().strip()
    repository.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Git(tmp_path / "linked")
    assert LooseObjects(linked).read(oid) is None
    assert next(stream(linked, [oid])).data == b"x = 1\n"


def test_a_quarantine_is_read(make_repository: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What GIT_OBJECT_DIRECTORY names is where a hook's objects are."""
    repository = make_repository({"a.py": "x = 1\n"})
    git = Git(repository.root)
    oid = git.run("hash-object", "-w", "--stdin", input=b"new\n").decode().strip()
    path = _path(repository.root, oid)
    moved = tmp_path / "quarantine" / oid[:2] / oid[2:]
    moved.parent.mkdir(parents=True)
    path.rename(moved)
    assert LooseObjects(Git(repository.root)).read(oid) is None
    monkeypatch.chdir(repository.root)
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "quarantine"))
    assert LooseObjects(Git(repository.root)).read(oid) == ("blob", b"new\n")
