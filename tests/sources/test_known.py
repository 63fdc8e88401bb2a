"""A history that remembers what held nothing: the same findings, whatever happens to the file."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.model.blob import KEY_SIZE, version_key
from hardenctl.rules.fakes import FAKES
from hardenctl.rules.secrets import RULES
from hardenctl.sources.known import Known, read

assert RULES
TOKEN = FAKES["secret-github-token"]()
AUDIT = ["audit", "--history", "--format", "json", "--select", "secret", "--allow-gaps"]
KILLS = 50 if os.environ.get("NIGHTLY") else 10


def audit(root: Path, *more: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Exit code, findings and counts of an audit of history. A file is so young that no whole outcome is recalled."""
    (root / "f0.py").touch()
    done = subprocess.run(
        [sys.executable, "-m", "hardenctl", *AUDIT, *more], cwd=root, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    return done.returncode, report["findings"], report["scanned"]


@pytest.fixture
def project(make_repository: Callable[..., Any]) -> Any:
    """A leak in an old version, one in a message, and files that hold nothing."""
    repository = make_repository()
    for number in range(6):
        (repository.root / f"f{number}.py").write_text(f"x = {number}\n" * 20)
        if number == 2:
            (repository.root / "conf.py").write_text(f'TOKEN = "{TOKEN}"\n')
        if number == 3:
            (repository.root / "conf.py").write_text("TOKEN = os.environ['TOKEN']\n")
        repository.git("add", ".")
        repository.git("commit", "-qm", f"{number}" if number != 4 else f"old token: {TOKEN}")
    return repository


def test_the_second_run_says_the_same(project: Any) -> None:
    """Findings, exit code and counts; less is read."""
    truth = audit(project.root, "--no-cache")
    assert not (project.root / ".git/hardenctl").exists()
    first, second = audit(project.root), audit(project.root)
    assert first[:2] == second[:2] == truth[:2]
    assert truth[0] == 1
    assert (first[2]["files"], first[2]["blobs"]) == (second[2]["files"], second[2]["blobs"])
    assert second[2]["bytes"] < first[2]["bytes"]  # the work tree is looked at every time


def test_what_is_new_is_found(project: Any) -> None:
    """A version that nobody has looked at yet, and a known one under a name that reads otherwise."""
    audit(project.root)
    other = FAKES["secret-gitlab-token"]() if "secret-gitlab-token" in FAKES else TOKEN[::-1]
    (project.root / "new.env").write_text(f"GITLAB_TOKEN={other}\nPASSWORD=Xk9vQ2mZ7pLw4TnB\n")
    project.git("add", ".")
    project.git("commit", "-qm", "new")
    assert audit(project.root)[:2] == audit(project.root, "--no-cache")[:2]
    (project.root / "plain.txt").write_text("secret: Xk9vQ2mZ7pLw4TnB8\n")
    (project.root / "plain.env").write_text("secret: Xk9vQ2mZ7pLw4TnB8\n")
    project.git("add", ".")
    project.git("commit", "-qm", "two names")
    for _ in range(2):
        assert audit(project.root)[:2] == audit(project.root, "--no-cache")[:2]


def test_another_policy_looks_again(project: Any) -> None:
    """A rule of the project's own finds what held nothing before."""
    assert audit(project.root)[0] == 1
    (project.root / "hardenctl.toml").write_text('[[secrets.custom]]\nid = "two"\npattern = "x = 2"\n')
    found = {each["rule"] for each in audit(project.root)[1]}
    assert "secret-custom" in found
    assert audit(project.root)[:2] == audit(project.root, "--no-cache")[:2]


def test_it_holds_neither_names_nor_values(project: Any) -> None:
    """Hashes of ids and paths, nothing of what holds something."""
    audit(project.root)
    content = (project.root / ".git/hardenctl/known").read_bytes()
    assert not any(word in content for word in (b"conf.py", b"TOKEN", TOKEN.encode(), b"f1.py"))
    leaking = project.git("rev-parse", "HEAD~3:conf.py").strip()
    assert version_key(leaking, "conf.py") not in {content[at : at + KEY_SIZE] for at in range(len(content))}


def test_where_the_git_folder_cannot_be_written(project: Any, tmp_path: Path) -> None:
    """The user's cache does as well."""
    (project.root / ".git/hardenctl").write_text("a file in its place")
    first, second = audit(project.root), audit(project.root)
    assert first[:2] == second[:2]
    assert second[2]["bytes"] < first[2]["bytes"]
    assert list(Path(os.environ["XDG_CACHE_HOME"], "hardenctl/known").iterdir())
    del tmp_path


@settings(max_examples=60)
@given(data=st.data())
def test_a_file_that_is_not_whole_is_none(data: st.DataObject) -> None:
    """Any byte changed, any part cut off or put on: nothing of it is believed."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        place, edition = Path(folder, "known"), bytes(32)
        known = Known([place], edition)
        known.add({version_key(str(number), "a") for number in range(5)})
        whole = place.read_bytes()
        assert len(read(place, edition)) == 5 * KEY_SIZE
        damaged = bytearray(whole)
        kind = data.draw(st.sampled_from(["flip", "cut", "add"]))
        if kind == "flip":
            damaged[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            damaged = damaged[: data.draw(st.integers(0, len(whole) - 1))]
        else:
            damaged += data.draw(st.binary(min_size=1, max_size=2 * KEY_SIZE))
        place.write_bytes(damaged)
        assert read(place, edition) == b""
        assert not Known([place], edition).has("1", "a")
        assert not Known([place], bytes([1]) * 32).has("1", "a")


def test_a_file_of_somebody_else_is_none(project: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What comes with a repository is not believed: the key is the user's."""
    audit(project.root)
    edition = (project.root / ".git/hardenctl/known").read_bytes()[18:50]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
    leaking = project.git("rev-parse", "HEAD~3:conf.py").strip()
    planted = Known([project.root / ".git/hardenctl/known"], edition)
    planted.add({version_key(leaking, "conf.py")})
    assert planted.has(leaking, "conf.py")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "ours"))
    assert audit(project.root)[:2] == audit(project.root, "--no-cache")[:2]
    assert audit(project.root)[0] == 1


def test_a_damaged_object_is_no_clean_one(project: Any) -> None:
    """Cut in half it is a gap, again and again; repaired, what it holds is found."""
    (project.root / "big.py").write_text("".join(f"a{n} = {n * 7919}\n" for n in range(4000)) + f'TOKEN = "{TOKEN}"\n')
    project.git("add", ".")
    project.git("commit", "-qm", "in")
    oid = project.git("rev-parse", "HEAD:big.py").strip()
    project.git("rm", "-q", "big.py")
    project.git("commit", "-qm", "out")
    place = project.root / ".git/objects" / oid[:2] / oid[2:]
    whole = place.read_bytes()
    place.chmod(0o644)
    place.write_bytes(whole[: len(whole) // 2])
    for arguments in (["--no-cache"], [], []):
        done = subprocess.run(
            [sys.executable, "-m", "hardenctl", *AUDIT[:-1], *arguments],
            cwd=project.root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert json.loads(done.stdout)["gaps"]
    place.write_bytes(whole)
    assert audit(project.root)[1] == audit(project.root, "--no-cache")[1]


def test_two_at_once_lose_nothing_but_work(tmp_path: Path) -> None:
    """Each keeps what the other has kept meanwhile."""
    place, edition = tmp_path / "known", bytes(32)
    one, two = Known([place], edition), Known([place], edition)
    one.add({version_key("1", "a")})
    two.add({version_key("2", "a")})
    again = Known([place], edition)
    assert again.has("1", "a")
    assert again.has("2", "a")
    assert again.passed == 2


def test_killed_at_any_moment(project: Any) -> None:
    """The next run is right, and what was being written is never believed when torn."""
    truth = audit(project.root, "--no-cache")
    dice = random.Random(20261126)  # noqa: S311 - no secret
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "hardenctl", *AUDIT], cwd=project.root, stdout=subprocess.DEVNULL
        )
        time.sleep(dice.uniform(0.02, 0.5))  # not a wait for anything: the moment is the dice's
        process.send_signal(signal.SIGKILL)
        process.wait()
        (project.root / "f0.py").write_text(f"x = {dice.random()}\n")
        project.git("commit", "-qam", "more")
        assert audit(project.root)[1] == audit(project.root, "--no-cache")[1]
    assert audit(project.root)[1] == truth[1]


def test_info_and_clear(project: Any) -> None:
    """What is kept is said, and gone afterwards; the next audit is the same."""
    truth = audit(project.root)

    def cache(command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "hardenctl", "cache", command],
            cwd=project.root,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    left = project.root / ".git/hardenctl/.known.1.tmp"
    left.write_bytes(b"half")
    said = cache("info")
    assert "versions of files and messages in which nothing was found" in said
    assert "what a run that was stopped left" in said
    assert "removed" in cache("clear")
    assert not left.exists()
    assert cache("info") == "nothing is kept\n"
    assert cache("clear") == "nothing is kept\n"
    assert audit(project.root)[:2] == truth[:2]
