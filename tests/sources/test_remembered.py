"""A history whose state is known is not looked at again: the same outcome, and none where anything changed."""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hardenctl.audit import audit
from hardenctl.model.report import Report
from hardenctl.policy.policy import Policy
from hardenctl.rules import RULES
from hardenctl.rules.fakes import FAKES
from hardenctl.rules.secrets import RULES as SECRET_RULES
from hardenctl.sources import open_source, remembered
from hardenctl.sources.repository import find_place
from hardenctl.sources.sealed import places

EDITION = bytes(32)
assert SECRET_RULES
TOKENS = [FAKES[f"secret-{kind}"]() for kind in ("github-token", "npm-token", "pypi-token", "gitlab-token")]


@pytest.fixture(autouse=True)
def old_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are believed at once, but for the tests that are about that."""
    monkeypatch.setattr(remembered, "YOUNG", 0.0)


def look(root: Path, edition: bytes | None = EDITION, **policy: Any) -> Report:
    """An audit of history; without an edition it remembers nothing."""
    source = open_source([root], history=True, edition=edition)
    return audit(source, dataclasses.replace(Policy(), **policy), allow_gaps=True)


def told(report: Report) -> Any:
    """All of a report that must be the same however it came about."""
    notes = [note for note in report.notes if not is_recalled_note(note)]
    return report.findings, report.gaps, report.scanned.files, report.verdict, report.score, report.target, notes


def is_recalled_note(note: str) -> bool:
    """Whether a note says that nothing was looked at."""
    return note.startswith("nothing has changed since")


def recalled(report: Report) -> bool:
    """Whether the outcome is an earlier run's."""
    return any(map(is_recalled_note, report.notes))


@pytest.fixture
def project(make_repository: Callable[..., Any]) -> Any:
    """A leak in an old version, gone since, and one that is there."""
    repository = make_repository({"conf.py": f'TOKEN = "{TOKENS[0]}"\n', "a.py": "x = 1\n"})
    repository.commit({"conf.py": "TOKEN = os.environ['TOKEN']\n", "now.py": f'KEY = "{TOKENS[1]}"\n'})
    return repository


def test_the_second_run_is_recalled(project: Any) -> None:
    """The same findings, counts and verdict, and it says so."""
    first, second = look(project.root), look(project.root)
    assert not recalled(first)
    assert recalled(second)
    assert told(first) == told(second) == told(look(project.root, edition=None))
    assert first.findings


_CHANGES: dict[str, Callable[[Any], object]] = {
    "a file of the work tree": lambda p: (p.root / "a.py").write_text("x = 22\n"),
    "a file that git does not track": lambda p: (p.root / "new.py").write_text("x = 1\n"),
    "a file that is gone": lambda p: (p.root / "a.py").unlink(),
    "its mode": lambda p: (p.root / "a.py").chmod(0o755),
    "what is ignored": lambda p: (p.root / ".git/info/exclude").write_text("*.log\n"),
    "a commit": lambda p: p.commit({"b.py": "y = 1\n"}),
    "a branch": lambda p: p.git("branch", "other"),
    "a tag": lambda p: p.git("tag", "-m", "message", "v1"),
    "a branch that is gone": lambda p: (p.git("branch", "gone", "HEAD~1"), look(p.root), p.git("branch", "-D", "gone")),
    "HEAD": lambda p: p.git("checkout", "-q", "HEAD~1"),
    "a replacement": lambda p: p.git("replace", "HEAD", "HEAD~1"),
    "a note": lambda p: p.git("notes", "add", "-m", "words"),
    "a stash": lambda p: ((p.root / "a.py").write_text("x = 33\n"), p.git("stash")),
}


@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES)
def test_what_has_changed_is_looked_at(project: Any, change: Callable[[Any], object]) -> None:
    """Each thing that a run depends on makes it anew, with the findings of one that remembers nothing."""
    look(project.root)
    assert recalled(look(project.root))
    change(project)
    again = look(project.root)
    assert not recalled(again)
    assert told(again) == told(look(project.root, edition=None))


def test_a_commit_that_only_another_worktree_knows(project: Any, tmp_path: Path) -> None:
    """The HEAD of a linked worktree may be the only way to a commit."""
    project.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    before = look(project.root)
    (tmp_path / "linked/new.py").write_text(f'KEY = "{TOKENS[3]}"\n')
    project.git("-C", str(tmp_path / "linked"), "add", "new.py")
    project.git("-C", str(tmp_path / "linked"), "commit", "-q", "-m", "elsewhere")
    after = look(project.root)
    assert not recalled(after)
    assert len(after.findings) == len(before.findings) + 1


@pytest.mark.parametrize("planted", ["link", "pipe"])
def test_a_git_folder_that_came_with_files(make_repository: Callable[..., Any], tmp_path: Path, planted: str) -> None:
    """Where ours would be, a link leads nowhere that is written to, and a pipe is not waited for."""
    repository = make_repository({"a": "1"})
    own, victim = repository.root / ".git/hardenctl", tmp_path / "victim"
    victim.mkdir()
    if planted == "link":
        own.symlink_to(victim)
    else:
        own.mkdir()
        os.mkfifo(own / "known")
    for _ in range(2):
        assert look(repository.root).verdict == "pass"
    assert list(victim.iterdir()) == []


def test_an_excludes_file_without_end(make_repository: Callable[..., Any]) -> None:
    """The configuration may name a device: git takes it for an empty file, and it fills no memory."""
    repository = make_repository({"a": "1"})
    repository.git("config", "core.excludesFile", "/dev/zero")
    assert look(repository.root).verdict == "pass"


def test_another_edition_policy_or_choice_looks_again(project: Any) -> None:
    """An outcome is one of a policy's settings, its rules and hardenctl's own edition."""
    look(project.root)
    assert not recalled(look(project.root, edition=bytes([1]) * 32))
    look(project.root)
    fewer = audit(open_source([project.root], history=True, edition=EDITION), Policy(), rules=RULES[:5])
    assert not recalled(fewer)
    assert not recalled(audit(open_source([project.root], all_objects=True, edition=EDITION), Policy()))


def test_a_young_file_is_not_believed(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written a moment ago could change without its times telling."""
    monkeypatch.setattr(remembered, "YOUNG", 60.0)
    for _ in range(2):
        assert not recalled(look(project.root))


def test_it_holds_no_value(project: Any) -> None:
    """The values of findings are in no file that is kept, nor in frames of neighbours."""
    look(project.root)
    kept = [each for each in (project.root / ".git/hardenctl").iterdir() if each.name.startswith("outcome-")]
    assert len(kept) == 1
    assert all(token.encode() not in kept[0].read_bytes() for token in TOKENS)
    assert kept[0].stat().st_mode & 0o077 == 0 or os.name == "nt"


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "theirs"])
def test_a_torn_or_planted_outcome_is_none(project: Any, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is believed, and nothing of it is ever run."""
    truth = told(look(project.root))
    (place,) = (project.root / ".git/hardenctl").glob("outcome-*")
    whole = bytearray(place.read_bytes())
    if damage == "cut":
        del whole[-1]
    elif damage == "flip":
        whole[random.Random(1).randrange(len(whole))] ^= 1  # noqa: S311 - no secret
    elif damage == "empty":
        whole.clear()
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", str(project.root.parent / "another user's"))
    place.write_bytes(whole)
    again = look(project.root)
    assert not recalled(again)
    assert told(again) == truth


def test_a_gap_of_the_whole_is_not_remembered(make_repository: Callable[..., Any], tmp_path: Path) -> None:
    """A shallow clone may be completed any time without a ref that moves."""
    origin = make_repository({"a.py": "x = 1\n"})
    origin.commit({"b.py": f'KEY = "{TOKENS[0]}"\n'})
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", origin.root.as_uri(), str(clone)], check=True)
    for _ in range(2):
        report = look(clone)
        assert report.gaps
        assert not recalled(report)


def test_a_bare_repository(project: Any, tmp_path: Path) -> None:
    """Without a work tree, its refs are its state."""
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(project.root), str(bare)], check=True)
    first, second = look(bare), look(bare)
    assert recalled(second)
    assert told(first) == told(second)
    assert places(find_place([bare]).repository, "known")[0].is_relative_to(bare.resolve())


class Life(RuleBasedStateMachine):
    """A repository that lives: whatever is done to it, a run that remembers says what one that does not says."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name, "repo").resolve()
        self.count = 0

    def git(self, *arguments: str) -> None:
        """Git; what it refuses is a step that does nothing."""
        subprocess.run(["git", *arguments], cwd=self.root, check=False, capture_output=True)

    @initialize()
    def begin(self) -> None:
        """The first commit."""
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.root)], check=True)
        self.write("a.py", 0)
        self.commit()

    @rule(name=st.sampled_from(["a.py", "b.env", "c.txt"]), which=st.integers(0, 4))
    def write(self, name: str, which: int) -> None:
        """A file gets another size and perhaps a token."""
        self.count += 1
        token = f'TOKEN = "{TOKENS[which]}"\n' if which < len(TOKENS) else ""
        (self.root / name).write_text(f"{token}x = {'1' * self.count}\n")

    @rule()
    def commit(self) -> None:
        """All there is."""
        self.git("add", "-A")
        self.git("commit", "-qm", f"message {self.count}")

    @rule(which=st.integers(0, 3))
    def leak_in_a_message(self, which: int) -> None:
        """A token in a message."""
        self.git("commit", "-q", "--allow-empty", "-m", f"token: {TOKENS[which]}")

    @rule(command=st.sampled_from([
        "branch side", "checkout -q side", "checkout -q main", "merge -q --no-edit side", "branch -D side",
        "reset -q --hard HEAD~1", "commit -q --amend --no-edit", "tag -f t", "tag -d t", "stash", "stash drop",
        "gc -q --prune=now", "rm -qf a.py", "update-ref refs/notes/x HEAD",
    ]))  # fmt: skip
    def run(self, command: str) -> None:
        """Something that happens to repositories."""
        self.git(*command.split())

    @invariant()
    def says_the_same(self) -> None:
        """Remembering or not."""
        if (self.root / ".git").exists():
            truth = told(look(self.root, edition=None))
            assert told(look(self.root)) == truth
            assert told(look(self.root)) == truth

    def teardown(self) -> None:
        """No folder is left."""
        self._folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=40 if os.environ.get("NIGHTLY") else 6,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
