"""The baseline file: what it keeps, drops, refuses and survives."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.model.errors import PolicyError
from hardenctl.model.finding import Category, Confidence, Finding, Location, Severity, fingerprint
from hardenctl.policy.baseline import (
    BASELINE,
    Baseline,
    Entry,
    accept,
    load_baseline,
    new_baseline,
    save_baseline,
    update,
)


def finding(rule: str, path: str = "a.py", identity: str = "") -> Finding:
    """A finding that is known by rule, path and identity."""
    where = Location(path, 1, 1, 1, 1)
    known = fingerprint(rule, path, identity)
    return Finding(rule, Severity.LOW, Confidence.LIKELY, Category.SECURITY, "m", where, known, identity)


A, B, C = finding("cors-a"), finding("cors-b"), finding("cors-c", "é/c.yml", "web.ports")


def test_what_is_saved_is_loaded(tmp_path: Path):
    """The file comes back as it was, one finding a line, sorted, each once."""
    baseline = accept(new_baseline(), [C, A, B, A])
    save_baseline(baseline, tmp_path / BASELINE)
    assert load_baseline(tmp_path) == baseline
    assert load_baseline(tmp_path / "elsewhere", tmp_path / BASELINE) == baseline
    lines = [line for line in (tmp_path / BASELINE).read_text("utf-8").splitlines() if "fingerprint" in line]
    assert lines == sorted(lines)
    assert len(lines) == 3
    assert baseline.fingerprints == {each.fingerprint for each in (A, B, C)}


def test_an_empty_one(tmp_path: Path):
    """A baseline without findings is a file too; none at all is None."""
    assert load_baseline(tmp_path) is None
    baseline = new_baseline()
    save_baseline(baseline, tmp_path / BASELINE)
    assert load_baseline(tmp_path) == baseline


def test_each_baseline_has_its_own_salt():
    """Two projects' baselines can't be compared."""
    assert new_baseline().salt != new_baseline().salt
    assert len(new_baseline().salt) == 16


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_stay(tmp_path: Path):
    """A new file has the usual mode; an existing one keeps its own."""
    file = tmp_path / BASELINE
    save_baseline(new_baseline(), file)
    (tmp_path / "usual").touch()
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)
    file.chmod(0o640)
    save_baseline(new_baseline(), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir() if each.name != "usual"] == [BASELINE]


class TestUpdate:
    """An update drops what is gone and takes in nothing unasked."""

    OLD = accept(Baseline(b"salt"), [A, B])

    def test_drops_what_is_gone_and_names_what_is_new(self):
        """B is gone; C is new and stays out."""
        result = update(self.OLD, [A, C])
        assert result.baseline == accept(Baseline(b"salt"), [A])
        assert result.dropped == (Entry.of(B),)
        assert result.new == (Entry.of(C),)
        assert result.moved == ()

    def test_adds_when_asked(self):
        """With `add`, C comes in."""
        assert update(self.OLD, [A, C], add=True).baseline == accept(Baseline(b"salt"), [A, C])

    def test_follows_a_rename(self):
        """The same finding under the file's new name is no new one."""
        moved = finding("cors-a", "b.py")
        result = update(self.OLD, [moved], renamed={"b.py": "a.py"})
        assert result.baseline == accept(Baseline(b"salt"), [moved])
        assert result.moved == (Entry.of(moved),)
        assert result.dropped == (Entry.of(B),)
        assert result.new == ()

    def test_what_was_not_looked_at_is_not_gone(self):
        """A gap at a path, or one that stands for everything, drops nothing."""
        other = accept(Baseline(b"salt"), [A, C])
        assert update(other, [], unseen={"a.py"}).baseline == accept(Baseline(b"salt"), [A])
        assert update(other, [], unseen={"."}).dropped == ()

    @given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
    def test_never_grows_by_itself(self, before: set[str], now: set[str]):
        """For any two states the result is what both have; with `add`, what is there now."""
        old = accept(Baseline(b"salt"), [finding(each) for each in before])
        there = [finding(each) for each in now]
        assert {each.rule for each in update(old, there).baseline.entries} == before & now
        assert {each.rule for each in update(old, there, add=True).baseline.entries} == now


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param("", "is no baseline of version 1", id="empty"),
        pytest.param("[]", "is no baseline of version 1", id="list"),
        pytest.param('{"version": 2, "salt": "", "findings": []}', "is no baseline", id="another-version"),
        pytest.param('{"version": 1, "salt": "xy", "findings": []}', "is no baseline", id="salt"),
        pytest.param('{"version": 1, "salt": "", "findings": [{}]}', "is no baseline", id="no-fingerprint"),
        pytest.param(
            '{"version": 1, "salt": "", "findings": [{"fingerprint": 1, "rule": "", "path": ""}]}',
            "is no baseline",
            id="a-number",
        ),
        pytest.param("{\n<<<<<<< HEAD\n=======\n>>>>>>> x\n}", "merge conflict", id="conflict"),
        pytest.param("[" * 100_000, "is no baseline", id="deep"),
    ],
)  # fmt: skip
def test_what_is_no_baseline(data: str, what: str, tmp_path: Path):
    """A damaged file is an error, never an empty baseline and never a crash."""
    (tmp_path / BASELINE).write_text(data)
    with pytest.raises(PolicyError) as caught:
        load_baseline(tmp_path)
    assert caught.value.what.startswith(f"{BASELINE}: ")
    assert what in caught.value.what


def test_a_named_one_has_to_be_there(tmp_path: Path):
    """A baseline that is named but missing, or no file, is an error."""
    with pytest.raises(PolicyError, match="there is no baseline"):
        load_baseline(tmp_path, tmp_path / "missing.json")
    with pytest.raises(PolicyError):
        load_baseline(tmp_path, tmp_path)


def test_where_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder that isn't there is an error; a failed rename leaves nothing behind."""
    with pytest.raises(PolicyError, match="No such file"):
        save_baseline(new_baseline(), tmp_path / "missing" / BASELINE)

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(PolicyError, match="No space"):
        save_baseline(new_baseline(), tmp_path / BASELINE)
    assert list(tmp_path.iterdir()) == []


def test_two_branches_merge(make_repository: Callable[..., Any]):
    """Each branch accepts findings of its own; git merges the two baselines without a conflict."""
    repository = make_repository()
    file = repository.root / BASELINE
    common = [finding(f"cors-{number}") for number in range(40)]
    baseline = accept(new_baseline(), common)

    def commit(findings: list[Finding]) -> None:
        save_baseline(accept(baseline, findings), file)
        repository.git("add", BASELINE)
        repository.git("commit", "-q", "-m", "baseline")

    commit(common)
    repository.git("branch", "other")
    commit([*common, finding("cors-main", "m.py")])
    repository.git("checkout", "-q", "other")
    commit([*common[1:], finding("cors-other", "o.py")])
    repository.git("merge", "-q", "--no-edit", "main")
    merged = load_baseline(repository.root)
    assert merged == accept(baseline, [*common[1:], finding("cors-main", "m.py"), finding("cors-other", "o.py")])
    assert json.loads(file.read_text())["version"] == 1
