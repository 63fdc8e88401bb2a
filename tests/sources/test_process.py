"""Running git with what Linux has, and with `subprocess` elsewhere: the same comes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from source_support import Make, blobs_of

from hardenctl.model.errors import SourceError
from hardenctl.sources import open_source, process
from hardenctl.sources.git import Git
from hardenctl.sources.objects import stream

WAYS = [
    pytest.param(
        True, id="light", marks=pytest.mark.skipif(not process.AVAILABLE, reason="needs Linux: memfd and posix_spawn")
    ),
    pytest.param(False, id="subprocess"),
]


@pytest.fixture(params=WAYS)
def git(make_repository: Make, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Git:
    """Git in a repository with one commit, started in one of the two ways."""
    monkeypatch.setattr(process, "AVAILABLE", request.param)
    return Git(make_repository({"a": "1", "b": "2"}).root)


def test_question_and_answer(git: Git) -> None:
    """What is given reaches git, however much it is, and all of the answer comes back."""
    oids = git.run("rev-parse", "HEAD:a", "HEAD:b").decode().split()
    asked = oids * 20_000  # 1.6 MB: more than any pipe holds
    answer = git.run("cat-file", "--batch-check=%(objectname)", input="\n".join(asked).encode())
    assert answer.decode().split() == asked
    assert [each.data for each in stream(git, oids)] == [b"1", b"2"]


def test_warnings_and_errors(git: Git) -> None:
    """Complaints are heard, and an exit code that was not asked for is an error that quotes them."""
    assert git.run_heard("hash-object", "--stdin-paths", input=b"a\n")[1] == b""
    assert git.run("rev-parse", "-q", "--verify", "nope", ok=(1,)) == b""
    with pytest.raises(SourceError, match="Needed a single revision"):
        git.run("rev-parse", "--verify", "nope")


def test_what_is_not_there(git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the folder, nor git."""
    with pytest.raises(SourceError, match="there is no folder"):
        Git(tmp_path / "nothing").run("version")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="git is not installed"):
        Git(git.folder).run("version")


def test_a_stream_that_is_left_early_ends_git(git: Git) -> None:
    """Nobody waits for an answer that nobody reads."""
    oid = git.run("rev-parse", "HEAD:a").decode().strip()
    before = set(psutil.Process().children())  # other tests' servers
    objects = stream(git, [oid] * 50_000)
    assert next(objects).data == b"1"
    assert set(psutil.Process().children()) > before
    objects.close()  # type: ignore[attr-defined]
    assert set(psutil.Process().children()) == before


def test_the_index_is_read_the_same(git: Git) -> None:
    """A staged file comes through either way."""
    (git.folder / "c").write_text("3")
    subprocess.run(["git", "add", "c"], cwd=git.folder, check=True)
    assert set(blobs_of(open_source([git.folder], staged=True))) == {"c"}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- 2>&-"])
def test_without_standard_streams(make_repository: Make, closed: str) -> None:
    """A process that was started without one of its streams asks git all the same."""
    repository = make_repository({"a": "1"})
    repository.write({"b.py": "x = 1\n"})
    repository.git("add", "b.py")
    command = f'"{sys.executable}" -m hardenctl audit --staged --output json=out.json {closed}'
    done = subprocess.run(["sh", "-c", command], cwd=repository.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"files": 1' in (repository.root / "out.json").read_text()
