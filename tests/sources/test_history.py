"""History and ranges: every blob once, the right first commit. `git rev-list --objects` is the oracle."""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from source_support import Make, blobs_of, feed, gaps_of, status

from hardenctl.audit import audit
from hardenctl.detect.redact import BULLETS
from hardenctl.model.blob import Blob, Commit, Gap, SourceKind
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.finding import Category, Confidence, Finding, Location, Severity
from hardenctl.policy.policy import Policy
from hardenctl.rules.fakes import scramble
from hardenctl.sources import git, open_source
from hardenctl.sources.history import HistorySource
from hardenctl.sources.origin import commit_of
from hardenctl.sources.share import MISSING

PATHS = st.sampled_from(["a", "b/c", "b/d e", ".env", "x.png", "n\nl"])
CONTENT = st.sampled_from(["1", "2", "3", "", "\0binary", "é"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PATHS, CONTENT),
        st.tuples(st.just("delete"), PATHS, st.just("")),
        st.tuples(st.just("branch"), st.sampled_from(["x", "y"]), st.just("")),
        st.tuples(st.just("orphan"), st.sampled_from(["o", "p"]), st.just("")),
        st.tuples(st.just("merge"), st.sampled_from(["x", "y", "main", "o"]), CONTENT),
        st.tuples(st.just("tag"), st.sampled_from(["v1", "v2"]), CONTENT),
        st.tuples(st.just("stash"), PATHS, CONTENT),
        st.tuples(st.just("note"), CONTENT, st.just("")),
    ),
    min_size=1,
    max_size=10,
)


def history(path: Path, *names: str, **options: Any) -> HistorySource:
    """The history source of a repository."""
    source = open_source([path / name for name in names] or [path], **({"history": True} | options))
    assert isinstance(source, HistorySource)
    return source


def since(path: Path, revision: str, *names: str) -> HistorySource:
    """The source of a range."""
    return history(path, *names, history=False, since=revision)


def play(repository: Any, steps: Sequence[tuple[str, str, str]]) -> None:
    """Make a history of random steps; a step that git refuses is no step."""
    repository.commit({"a": "0"}, "first")
    for number, (kind, name, content) in enumerate(steps):
        if kind == "write":
            repository.write({name: content})
            repository.git("add", "-f", "--", name)
            status(repository, "commit", "-q", "--allow-empty", "-m", f"step {number}")
        elif kind == "delete" and status(repository, "rm", "-q", "--", name) == 0:
            repository.git("commit", "-q", "-m", f"step {number}")
        elif kind == "branch":
            status(repository, "checkout", "-q", "-B", name)
        elif kind == "orphan":
            status(repository, "checkout", "-q", "--orphan", name)
            status(repository, "commit", "-q", "--allow-empty", "-m", f"orphan {number}")
        elif kind == "merge":
            status(repository, "merge", "-q", "--no-commit", "--allow-unrelated-histories", name)
            repository.write({"evil": f"{content}{number}"})  # an evil merge: born in the resolution
            repository.git("add", "-A", "-f", ".")
            status(repository, "commit", "-q", "-m", f"merge {number}")
        elif kind == "tag":
            status(repository, "tag", "-a", "-m", f"tag {content or number}".replace("\0", ""), name)
        elif kind == "stash":
            repository.write({name: f"stash {content}"})
            status(repository, "stash", "-q", "-u")
        elif kind == "note":
            status(repository, "notes", "add", "-f", "-m", f"note {name}".replace("\0", ""))


def reachable(repository: Any, *revisions: str) -> dict[str, str]:
    """Blob id to name, as git lists them."""
    listed = repository.git("rev-list", "--objects", *revisions)
    objects = dict(line.partition(" ")[::2] for line in listed.splitlines() if line)
    kinds = (line.split() for line in feed(repository, "cat-file", "--batch-check", "\n".join(objects)).splitlines())
    return {oid: objects[oid] for oid, kind, _size in kinds if kind == "blob"}


def names_of(repository: Any) -> dict[str, set[str]]:
    """Every name that any commit gives each blob."""
    names: dict[str, set[str]] = {}
    for commit in repository.git("rev-list", "--all").split():
        for record in repository.git("ls-tree", "-r", "-z", commit).split("\0")[:-1]:
            meta, _, name = record.partition("\t")
            names.setdefault(meta.split(" ")[2], set()).add(name)
    return names


def looked_at(source: HistorySource) -> dict[str, str]:
    """Blob id to path of what a source yields; each id once."""
    found: dict[str, str] = {}
    for blob in source.blobs():
        if isinstance(blob, Blob) and blob.provenance.oid and not blob.path.startswith("("):
            assert blob.provenance.oid not in found
            found[blob.provenance.oid] = blob.path
    return found


def finding(blob: Blob, rule: str = "secret-test", fingerprint: str = "f") -> Finding:
    """A finding at the start of a blob."""
    return Finding(
        rule=rule,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        category=Category.SECURITY,
        message="found",
        location=Location(blob.path, 1, 1, 1, 2),
        fingerprint=fingerprint,
        oid=blob.provenance.oid,
    )


def findings_of(source: HistorySource, text: bytes) -> Sequence[Finding]:
    """One finding of one secret for each blob that holds a text, resolved."""
    found = [finding(blob) for blob in source.blobs() if isinstance(blob, Blob) and text in blob.data]
    return source.resolve(found)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_every_reachable_blob_once(make_repository: Make, tmp_path: Path, steps: list[tuple[str, str, str]]) -> None:
    """Over merges, evil ones too, orphans, tags, notes and stashes: what git reaches is what is looked at."""
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)
    shutil.rmtree(tmp_path / "bare.git", ignore_errors=True)
    repository = make_repository()
    play(repository, steps)
    repository.git("clone", "-q", "--mirror", ".", str(tmp_path / "bare.git"))
    source = history(tmp_path / "bare.git")
    names = names_of(repository)
    binary = {
        oid for oid in reachable(repository, "--all") if all(name.endswith(".png") for name in names.get(oid, [""]))
    }
    binary |= {oid for oid in reachable(repository, "--all") if "\0" in repository.git("cat-file", "blob", oid)}
    found = looked_at(source)
    assert found.keys() == reachable(repository, "--all").keys() - binary
    assert all(name in names[oid] for oid, name in found.items())
    assert source.skipped["binary"] == len(binary)
    assert source.commits == len(repository.git("rev-list", "--all").split())
    assert gaps_of(source) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_first_commit_of_every_blob(
    make_repository: Make, tmp_path: Path, steps: list[tuple[str, str, str]]
) -> None:
    """The commit a finding names holds the blob at one of the paths named, and no parent of it does."""
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)
    repository = make_repository()
    play(repository, steps)
    source = history(repository.root / ".git")
    blobs = [blob for blob in source.blobs() if isinstance(blob, Blob) and not blob.path.startswith("(")]
    head = reachable_tree(repository, "HEAD")
    resolved = source.resolve([finding(blob, fingerprint=str(blob.provenance.oid)) for blob in blobs])
    for blob, found in zip(blobs, resolved, strict=True):
        oid = str(blob.provenance.oid)
        assert found.oid == oid
        assert found.commit is not None
        assert found.occurrences is not None
        assert oid in reachable_tree(repository, found.commit.id)
        parents = repository.git("rev-parse", f"{found.commit.id}^@").split()
        assert not any(oid in reachable_tree(repository, parent) for parent in parents)
        names = {line.split("\t")[1] for line in repository.git("ls-tree", "-rz", found.commit.id).split("\0")[:-1]}
        assert names.intersection(found.occurrences.paths)
        assert found.occurrences.in_head == (oid in head)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, data=st.data())
def test_every_blob_of_a_range_and_of_a_folder(
    make_repository: Make, tmp_path: Path, steps: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    """A range has what git lists for it, and a folder's history what any commit holds below it."""
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)
    repository = make_repository()
    play(repository, steps)
    tips = st.sampled_from(repository.git("rev-list", "--all").split())
    old, new = data.draw(tips), data.draw(tips)
    names = names_of(repository)
    found = looked_at(since(repository.root, f"{old}..{new}"))
    text = {oid for oid in names if "\0" not in repository.git("cat-file", "blob", oid)}
    text -= {oid for oid in text if all(name.endswith(".png") for name in names[oid])}
    assert found.keys() == reachable(repository, new, f"^{old}").keys() & text
    assert all(name in names[oid] and not name.endswith(".png") for oid, name in found.items())
    below = {oid for oid in text if any(name.startswith("b/") for name in names[oid])}
    folder = repository.root / "b"
    folder.mkdir(exist_ok=True)
    source = history(folder)
    assert {str(blob.provenance.oid) for blob in source.blobs() if isinstance(blob, Blob)} >= below
    assert below == looked_at(source).keys() & names.keys()


def reachable_tree(repository: Any, commit: str) -> set[str]:
    """The blob ids in a commit's tree."""
    return {line.split()[2] for line in repository.git("ls-tree", "-r", commit).splitlines()}


def test_history_comes_besides_the_work_tree(make_repository: Make) -> None:
    """The work tree is looked at as ever; a blob it shares with history is looked at there, once."""
    repository = make_repository({"a": "old", "b": "same"})
    repository.commit({"a": "new"})
    repository.write({"c": "untracked", "a": "edited"})
    seen = [(b.path, b.data) for b in history(repository.root).blobs() if isinstance(b, Blob) and b.path[0] != "("]
    assert sorted(seen) == [("a", b"edited"), ("a", b"new"), ("a", b"old"), ("b", b"same"), ("c", b"untracked")]


def test_messages_are_looked_at(make_repository: Make) -> None:
    """Commit and tag messages can hold a credential; who wrote them is known at once."""
    repository = make_repository()
    commit = repository.commit({"a": "1"}, "commit words")
    repository.git("tag", "-a", "-m", "tag words", "v1")
    source = history(repository.root)
    blobs = blobs_of(source)
    assert blobs["(commit message)"].data == b"commit words\n"
    assert blobs["(tag message)"].data == b"tag words\n"
    (found,) = source.resolve([finding(blobs["(commit message)"])])
    assert found.commit is not None
    assert (found.commit.id, found.commit.author) == (commit, "Ada <ada@example.com>")
    assert found.occurrences is not None
    assert (found.occurrences.commits, found.occurrences.paths) == (1, ("(commit message)",))


def test_a_message_that_is_missing_is_a_gap(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that vanishes meanwhile was not looked at, and a file the work tree cannot give was not either."""
    source = history(make_repository({"a": "1"}).root)
    source._list.commits.append("0" * 40)  # noqa: SLF001 - stands for an object that went missing
    monkeypatch.setattr("hardenctl.sources.files.LARGEST", 0)
    assert [gap.reason for gap in gaps_of(source)] == ["larger than 50 MB", MISSING.reason]


@pytest.mark.parametrize(
    ("header", "author", "date"),
    [
        (b"author A <a@b> 0 +0000", "A <a@b>", "1970-01-01T00:00:00+00:00"),
        (b"author A B <> 1700000000 -0330", "A B <>", "2023-11-14T18:43:20-03:30"),
        (b"tagger \xe9 <a@b> 1 +0200", "\\xe9 <a@b>", "1970-01-01T02:00:01+02:00"),
        (b"author A <a@b> 99999999999999999 +0000", "A <a@b>", ""),
        (b"author A <a@b> 1 +9900", "A <a@b>", ""),
        (b"author nonsense", "", ""),
    ],
)
def test_authors_and_dates(header: bytes, author: str, date: str) -> None:
    """Odd names, zones and dates of old or broken commits are no reason to fail."""
    raw = b"tree x\n" + header + b"\n\nauthor Not <me@x> 5 +0000\n"
    assert commit_of("id", raw) == Commit("id", author, date)


def test_a_message_may_have_been_the_first(make_repository: Make) -> None:
    """What a message gave away before a file did came in with the commit of the message."""
    repository = make_repository({"a": "1"})
    first = repository.commit({"a": "2"}, "KEY")
    repository.commit({}, "nothing changes")
    repository.commit({"a": "KEY"})
    repository.git("tag", "-a", "-m", "KEY", "v1", first)
    (found,) = findings_of(history(repository.root / ".git"), b"KEY")
    assert found.commit is not None
    assert (found.commit.id, found.location.path) == (first, "(commit message)")


def test_one_secret_over_many_versions_is_one_finding(make_repository: Make) -> None:
    """The finding stands at the first version, names every path and counts the commits that carried it in."""
    repository = make_repository()
    first = repository.commit({"config": "KEY\n1"}, "in")
    repository.commit({"config": "KEY\n2"}, "edit")
    repository.commit({"copy": "KEY\n2"}, "copy")
    repository.git("rm", "-q", "config", "copy")
    repository.git("commit", "-q", "-m", "out")
    (found,) = findings_of(history(repository.root), b"KEY")
    assert found.commit is not None
    assert found.occurrences is not None
    assert (found.commit.id, found.commit.author) == (first, "Ada <ada@example.com>")
    assert found.commit.date == "2026-01-02T03:04:05+00:00"
    assert found.location.path == "config"
    assert (found.occurrences.commits, set(found.occurrences.paths)) == (3, {"config", "copy"})
    assert found.occurrences.in_head is False


def test_a_secret_that_is_still_there_stays_where_it_is(make_repository: Make) -> None:
    """The finding stands in the work tree's file, with the first commit and every path that held it."""
    repository = make_repository()
    first = repository.commit({"old": "KEY"}, "in")
    repository.git("mv", "old", "new")
    repository.git("commit", "-q", "-m", "rename")
    (found,) = findings_of(history(repository.root), b"KEY")
    assert found.commit is not None
    assert found.occurrences is not None
    assert (found.location.path, found.commit.id) == ("new", first)
    assert (set(found.occurrences.paths), found.occurrences.in_head) == ({"old", "new"}, True)


def test_what_is_told_is_shown_and_masked(make_repository: Make) -> None:
    """Findings in versions and messages get their frames last: in each all secrets are masked, neighbours' as well."""
    repository, values = make_repository(), [scramble(f"told-{number}", 24) for number in range(40)]
    for number, value in enumerate(values):
        before = "# before\n" * (number % 5)
        repository.commit(
            {"settings.py": f'{before}DB_PASSWORD = "{value}"\nAPI_TOKEN = "{value[::-1]}"\n'},
            f"set\n\nadmin_password: {value.swapcase()}",
        )
    repository.git("rm", "-q", "settings.py")
    repository.git("commit", "-q", "-m", "out")
    findings = [each.finding for each in audit(history(repository.root), Policy()).open]
    told = [each for each in findings if each.rule == "secret-generic-assignment"]
    assert len(told) == 3 * len(values)
    assert all(line.text for each in told for line in each.frame if line.caret)
    assert all(sum(BULLETS in line.text for line in each.frame) >= 1 for each in told)
    for value in values:
        assert not any(shown in repr(told) for shown in (value, value[::-1], value.swapcase()))


def test_what_is_in_no_commit_has_no_commit(make_repository: Make) -> None:
    """An uncommitted secret is a finding without history; a finding of another kind is left as it is."""
    repository = make_repository({"a": "1"})
    repository.write({"b": "KEY"})
    source = history(repository.root)
    (found,) = findings_of(source, b"KEY")
    assert (found.commit, found.occurrences) == (None, None)
    other = finding(Blob.empty(".gitignore"), rule="gitignore-env-not-ignored")
    assert list(source.resolve([other, other])) == [other, other]
    assert list(source.resolve([])) == []


def test_an_evil_merge_is_found(make_repository: Make) -> None:
    """A secret born while resolving a conflict is in no parent; the merge is its first commit."""
    repository = make_repository({"a": "base"})
    repository.git("checkout", "-q", "-b", "other")
    repository.commit({"a": "theirs"})
    repository.git("checkout", "-q", "main")
    repository.commit({"a": "ours"})
    assert status(repository, "merge", "other") == 1
    merge = repository.commit({"a": "KEY"}, "merge")
    repository.commit({"a": "clean"})
    (found,) = findings_of(history(repository.root), b"KEY")
    assert found.commit is not None
    assert found.commit.id == merge


def test_every_stash_is_looked_at(make_repository: Make) -> None:
    """Older stashes are only in a reflog, and untracked files of a stash in a third parent."""
    repository = make_repository({"a": "1"})
    for number in (1, 2):
        repository.write({"a": f"stashed {number}", f"new{number}": f"untracked {number}"})
        repository.git("stash", "-q", "-u")
    seen = {blob.data for blob in history(repository.root).blobs() if isinstance(blob, Blob)}
    assert {b"stashed 1", b"untracked 1", b"stashed 2", b"untracked 2"} <= seen


def test_unreachable_objects(make_repository: Make) -> None:
    """`--all-objects` finds what no ref reaches: a dropped commit with its names, a dangling blob without."""
    repository = make_repository({"a": "1"})
    repository.commit({"b/dropped": "KEY"})
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.git("reflog", "expire", "--expire=now", "--all")
    dangling = feed(repository, "hash-object", "-w", "--stdin", "dangling").strip()
    assert b"KEY" not in {blob.data for blob in history(repository.root).blobs() if isinstance(blob, Blob)}
    blobs = blobs_of(history(repository.root, history=False, all_objects=True))
    assert blobs["b/dropped"].data == b"KEY"
    assert blobs[f"(unreachable)/{dangling}"].data == b"dangling"


@pytest.mark.parametrize("asked", [{"history": True}, {"all_objects": True}], ids=str)
def test_a_blob_that_a_ref_names(make_repository: Make, asked: dict[str, Any]) -> None:
    """It goes by the name of the ref: git hands it out to whoever clones."""
    repository = make_repository({"a": "1"})
    for number, name in enumerate(("refs/tags/key", "refs/odd/key", "refs/tags/signed.png")):
        oid = feed(repository, "hash-object", "-w", "--stdin", f"KEY {number}").strip()
        if name.endswith("signed.png"):
            repository.git("tag", "-a", "-m", "x", "inner", oid)
            repository.git("tag", "-a", "-m", "x", "signed.png", "inner")
            repository.git("tag", "-d", "inner")
        else:
            repository.git("update-ref", name, oid)
    blobs = blobs_of(history(repository.root, **({"history": False} | asked)))
    assert [blob.data for path, blob in sorted(blobs.items()) if "(refs/" in path] == [b"KEY 1", b"KEY 0", b"KEY 2"]
    assert "(refs/tags/signed.png)" in blobs


def test_since_looks_at_what_was_added(make_repository: Make) -> None:
    """`--since REV` is REV..HEAD: what was there before is not looked at, what came and went is."""
    repository = make_repository({"a": "1", "old": "old"})
    base = repository.commit({"b": "2"})
    repository.commit({"gone": "KEY", "c": "3"})
    repository.git("rm", "-q", "gone")
    repository.git("commit", "-q", "-m", "out")
    source = since(repository.root, base)
    assert set(looked_at(source).values()) == {"gone", "c"}
    assert (source.target.kind, source.commits) == (SourceKind.RANGE, 2)
    snapshot = source.snapshot()
    assert [path for path in snapshot.paths() if snapshot.in_scope(path)] == ["c"]
    assert (list(snapshot.paths()), snapshot.is_repository) == (["a", "b", "c", "old"], True)
    (found,) = findings_of(source, b"KEY")
    assert found.commit is not None
    assert repository.git("log", "-1", "--format=%s", found.commit.id) == "change\n"


@pytest.mark.parametrize("text", ["main..topic", "main...topic"])
def test_a_range_of_two_branches(make_repository: Make, text: str) -> None:
    """What `topic` has and `main` has not; the other side's changes are out of scope."""
    repository = make_repository({"a": "1"})
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit({"topic": "2"})
    repository.git("checkout", "-q", "main")
    repository.commit({"main": "3"})
    source = since(repository.root, text)
    assert set(looked_at(source).values()) == {"topic"}
    snapshot = source.snapshot()
    assert [path for path in snapshot.paths() if snapshot.in_scope(path)] == ["topic"]


def test_the_first_push_of_a_branch(make_repository: Make) -> None:
    """Git names the old side of a new branch with zeros: everything is new."""
    repository = make_repository({"a": "1"})
    repository.commit({"b": "2"})
    source = since(repository.root, "0" * 40)
    assert set(looked_at(source).values()) == {"a", "b"}
    assert source.snapshot().in_scope("a")


@pytest.mark.parametrize("revision", ["nope", "main..nope", "--all", "-x", "^main", "main:a", "HEAD^{tree}"])
def test_an_unknown_revision(make_repository: Make, revision: str) -> None:
    """A revision that is no commit is an error with a remedy, and never taken for an option."""
    with pytest.raises(SourceError, match="unknown revision") as error:
        since(make_repository({"a": "1"}).root, revision)
    assert "fetch" in error.value.help


def test_since_before_the_first_commit(make_repository: Make) -> None:
    """Without any commit there is no range."""
    with pytest.raises(SourceError, match="no commit yet"):
        since(make_repository().root, "HEAD")


@pytest.mark.parametrize("revision", ["", "..", "..."])
def test_since_nothing(make_repository: Make, revision: str) -> None:
    """An empty revision (an unset variable in CI, say) is a usage error, not an audit of something else."""
    with pytest.raises(UsageError, match="names no revision"):
        since(make_repository({"a": "1"}).root, revision)


def test_history_before_the_first_commit(make_repository: Make) -> None:
    """An empty repository has an empty history; a bare one too."""
    repository = make_repository()
    for root in (repository.root, repository.root / ".git"):
        source = history(root)
        assert (list(source.blobs()), source.commits) == ([], 0)
        assert list(source.snapshot().paths()) == []


def test_history_of_a_subfolder(make_repository: Make) -> None:
    """Paths are relative to the folder, and only its files are looked at, over all of history."""
    repository = make_repository({"app/a": "1", "other/b": "2"})
    repository.commit({"app/a": "3"})
    source = history(repository.root, "app")
    assert {(b.path, b.data) for b in source.blobs() if isinstance(b, Blob) and b.path[0] != "("} == {
        ("a", b"1"),
        ("a", b"3"),
    }
    (found,) = findings_of(source, b"1")
    assert found.occurrences is not None
    assert found.occurrences.paths == ("a",)


@pytest.mark.parametrize("folder", ["sub", "n\nl", pytest.param(b"d\xe9", id="no-utf8")])
@pytest.mark.parametrize("asked", [{"history": True}, {"history": False, "since": "first"}], ids=str)
def test_a_side_that_left_no_trace(make_repository: Make, folder: str | bytes, asked: dict[str, Any]) -> None:
    """What came and went on a merged branch is in the history of the folder, as in that of the whole."""
    repository = make_repository()
    name = os.fsdecode(folder)
    repository.commit({f"{name}/a": "1"})
    repository.git("tag", "first")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit({f"{name}/ b": "KEY"})
    repository.git("rm", "-q", f"{name}/ b")
    repository.git("commit", "-q", "-m", "away")
    repository.git("checkout", "-q", "main")
    repository.commit({f"{name}/c": "2"})
    repository.git("merge", "-q", "--no-edit", "side")
    repository.git("branch", "-q", "-D", "side")
    assert blobs_of(history(repository.root, name, **asked))[" b"].data == b"KEY"
    source = history(repository.root, f"{name}/ b", **asked)
    assert [blob.data for blob in blobs_of(source).values() if not blob.path.startswith("(")] == [b"KEY"]


@pytest.mark.parametrize(
    "asked", [{"history": True}, {"history": False, "since": "first"}, {"all_objects": True}], ids=str
)
def test_a_better_name_counts(make_repository: Make, asked: dict[str, Any]) -> None:
    """A text that a commit also gives the name of a picture, or one that policy excludes, is looked at by its own."""
    repository = make_repository({"x": "1"})
    repository.git("tag", "first")
    repository.commit({"a.png": "KEY", "b/test.py": "KEY", "z.py": "KEY"})
    repository.git("rm", "-q", "-r", "b", "z.py")
    repository.git("commit", "-q", "-m", "the picture is left")
    options = {"history": False} | asked
    assert blobs_of(history(repository.root, exclude=["b"], **options))["z.py"].data == b"KEY"
    assert {b"KEY"} & {blob.data for blob in blobs_of(history(repository.root, exclude=["z.py"], **options)).values()}


@pytest.mark.parametrize("asked", [{"history": True}, {"all_objects": True}], ids=str)
def test_a_picture_of_a_tree_that_a_tag_names(make_repository: Make, asked: dict[str, Any]) -> None:
    """Git tells one name of each blob there, and content tells whether it is a picture."""
    repository = make_repository({"x": "1"})
    repository.commit({"y": "1"})
    oid = feed(repository, "hash-object", "-w", "--stdin", "KEY").strip()
    tree = feed(repository, "mktree", f"100644 blob {oid}\ta.png\n100644 blob {oid}\tz.py\n").strip()
    repository.git("tag", "trees", tree)
    seen = {blob.data for blob in blobs_of(history(repository.root, **({"history": False} | asked))).values()}
    assert b"KEY" in seen


@pytest.mark.parametrize("asked", [{"history": True}, {"since": "first"}, {"all_objects": True}], ids=str)
def test_an_archive_that_has_another_name_too(make_repository: Make, asked: dict[str, Any]) -> None:
    """One name that is an archive's is enough to look into it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inside.py", "KEY")
    repository = make_repository({"x": "1"})
    repository.git("tag", "first")
    repository.commit(dict.fromkeys(["a.bin", "m.zip", "z.bin"], packed.getvalue()))
    repository.git("rm", "-q", "*.*")
    repository.git("commit", "-q", "-m", "away")
    source = open_source([repository.root], archives=True, **asked)
    assert b"KEY" in {blob.data for blob in source.blobs() if isinstance(blob, Blob)}


@pytest.mark.parametrize("asked", [{"since": "first"}, {"all_objects": True}], ids=str)
def test_a_full_disk_is_said(make_repository: Make, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]) -> None:
    """What git is asked goes through files: where there is no room for them, that is the gap."""
    repository = make_repository({"x": "1"})
    repository.git("tag", "first")

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    (gap,) = gaps_of(history(repository.root, **({"history": False} | asked)))
    assert gap.reason.endswith("what git is asked could not be written to disk: No space left on device")


def test_a_file_that_is_named_like_a_message(make_repository: Make) -> None:
    """It is a file: its commit is the one that brought it, and its lines can be shown."""
    repository = make_repository({"x": "1"})
    commit = repository.commit({"(commit message)": "KEY"})
    repository.commit({"(commit message)": "2"})
    source = history(repository.root)
    (found,) = findings_of(source, b"KEY")
    assert found.commit == Commit(commit, "Ada <ada@example.com>", "2026-01-02T03:04:05+00:00")
    (again,) = source.versions([(str(found.oid), found.location.path)])
    assert isinstance(again, Blob)
    assert again.data == b"KEY"


def test_the_message_of_a_tag_at_the_end_of_a_range(make_repository: Make) -> None:
    """A range that ends in a tag takes its message along."""
    repository = make_repository({"x": "1"})
    repository.commit({"x": "2"})
    repository.git("tag", "-a", "-m", "KEY", "v1")
    assert b"KEY\n" in {blob.data for blob in blobs_of(since(repository.root, "HEAD~1..v1")).values()}


def test_history_of_named_files(make_repository: Make) -> None:
    """A file that is deleted by now can be named; one that never was is an error."""
    repository = make_repository({"a": "1", "gone": "2", "odd*": "3", "odd1": "4"})
    repository.git("rm", "-q", "gone")
    repository.git("commit", "-q", "-m", "out")
    assert set(looked_at(history(repository.root, "gone")).values()) == {"gone"}
    assert set(looked_at(history(repository.root, "odd*")).values()) == {"odd*"}
    with pytest.raises(UsageError, match="there is no `never`"):
        list(history(repository.root, "never").blobs())


def test_excluded_by_policy(make_repository: Make) -> None:
    """Excluded paths are left out and counted."""
    repository = make_repository({"vendor/a": "1", "b": "2"})
    source = history(repository.root / ".git", exclude=["vendor/**"])
    assert set(looked_at(source).values()) == {"b"}
    assert source.skipped["excluded by policy"] == 1


def test_past_env_files_are_documents(make_repository: Make) -> None:
    """A deleted env file is in the snapshot under its address; one that git still tracks is not."""
    repository = make_repository({".env": "A=1", "sub/.env.prod": "B=1", "a": "1"})
    gone = repository.git("rev-parse", "HEAD:.env").strip()
    repository.git("rm", "-q", "--cached", ".env")
    repository.git("commit", "-q", "-m", "untrack")
    repository.commit({"sub/.env.prod": "B=2"})
    repository.write({".gitignore": ".env\n"})
    snapshot = history(repository.root).snapshot()
    address = f"{gone}:/.env"
    assert [path for path in snapshot.paths() if ":/" in path] == [address]
    read = snapshot.read(address)
    assert read is not None
    assert (read.data, read.provenance.kind, snapshot.in_scope(address)) == (b"A=1", SourceKind.HISTORY, True)
    assert (snapshot.named(address), snapshot.ignored([".env"])) == (False, {".env"})
    assert snapshot.read(".env") is not None


def test_past_findings_get_their_path_back(make_repository: Make) -> None:
    """Every version of a past file is one finding, at the first, under the path people know."""
    repository = make_repository()
    first = repository.commit({".env": "A=1"})
    repository.commit({".env": "A=2"})
    repository.git("rm", "-q", ".env")
    repository.git("commit", "-q", "-m", "out")
    source = history(repository.root)
    snapshot = source.snapshot()
    past = [blob for path in snapshot.paths() if (blob := snapshot.read(path))]
    assert len(past) == 2
    found = source.resolve([finding(blob, "env-file-in-history", blob.path) for blob in past])
    assert [each.location.path for each in found] == [".env"]
    assert found[0].commit is not None
    assert found[0].commit.id == first
    assert found[0].occurrences is not None
    assert found[0].occurrences.commits == 2


def test_a_shallow_clone_is_a_gap(make_repository: Make, tmp_path: Path) -> None:
    """What a shallow clone lacks was not looked at; a range that is whole has no gap."""
    repository = make_repository({"a": "1"})
    repository.commit({"b": "2"})
    repository.commit({"c": "3"})
    repository.git("clone", "-q", "--depth", "2", repository.root.as_uri(), str(tmp_path / "shallow"))
    (gap,) = gaps_of(history(tmp_path / "shallow"))
    assert "shallow" in gap.reason
    assert gaps_of(since(tmp_path / "shallow", "HEAD~1")) == []
    with pytest.raises(SourceError, match="unknown revision"):
        since(tmp_path / "shallow", "HEAD~2")


def test_a_merged_side_that_is_cut_off_is_a_gap(make_repository: Make, tmp_path: Path) -> None:
    """A way from the old to the new state does not make a range whole: another way may end where the clone does."""
    repository = make_repository({"a": "1"})
    repository.git("checkout", "-q", "-b", "side")
    repository.commit({"b": "KEY"})
    repository.commit({"b": "2"})
    repository.commit({"b": "3"})
    repository.git("checkout", "-q", "main")
    repository.commit({"c": "4"})
    repository.git("merge", "-q", "--no-edit", "side")
    shallow = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth", "3", repository.root.as_uri(), str(shallow))
    (gap,) = gaps_of(since(shallow, "HEAD~2"))
    assert "shallow" in gap.reason
    assert b"KEY" not in {blob.data for blob in since(shallow, "HEAD~2").blobs() if isinstance(blob, Blob)}
    subprocess.run(["git", "fetch", "-q", "--deepen", "2"], cwd=shallow, check=True)
    assert b"KEY" in {blob.data for blob in blobs_of(since(shallow, "HEAD~2")).values()}


def test_nothing_a_partial_clone_says_makes_git_fetch(
    make_repository: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository may allow its own protocol, `ext` with a program to start: git is not let to use any.

    A git before 2.39.4 is played by one that is not told to fetch nothing.
    """
    real = git.environment
    monkeypatch.setattr(git, "environment", lambda folder: real(folder) | {"GIT_NO_LAZY_FETCH": "0"})
    repository = make_repository({"main.py": "1", ".env": "A=1"})
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial.git"
    repository.git("clone", "-q", "--bare", "--filter=blob:none", repository.root.as_uri(), str(clone))
    sprung = tmp_path / "sprung"
    for protocol, url in (("file", repository.root.as_uri()), ("ext", f"ext::touch {sprung}")):
        for key, value in ((f"protocol.{protocol}.allow", "always"), ("remote.origin.url", url)):
            repository.git("-C", str(clone), "config", key, value)
        for asked in ({"history": True}, {"history": False, "since": "0..HEAD"}):
            source = history(clone, **asked)
            assert gaps_of(source)
            with pytest.raises(SourceError):
                source.snapshot().read("main.py")
    assert not sprung.exists()


def test_a_partial_clone_is_a_gap_and_fetches_nothing(make_repository: Make, tmp_path: Path) -> None:
    """Objects that a partial clone left behind are counted as a gap; git is not let to fetch them."""
    repository = make_repository({"a": "old"})
    repository.commit({"a": "new"})
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("clone", "-q", "--filter=blob:none", repository.root.as_uri(), str(tmp_path / "partial"))
    source = history(tmp_path / "partial")
    assert b"old" not in {blob.data for blob in source.blobs() if isinstance(blob, Blob)}
    assert gaps_of(source) == [Gap(".", "1 objects are not in this clone: a partial or damaged one")]


def test_a_damaged_store_is_a_gap(make_repository: Make) -> None:
    """Where history cannot be read to its end, what could be read is looked at and the rest is a gap."""
    repository = make_repository({"a": "old"})
    tree = repository.git("rev-parse", "HEAD^{commit}").strip()
    repository.commit({"b": "new"})
    (repository.root / ".git/objects" / tree[:2] / tree[2:]).unlink()
    source = history(repository.root)
    assert "new" in {blob.data.decode() for blob in source.blobs() if isinstance(blob, Blob)}
    assert any("could not be read to its end" in gap.reason for gap in gaps_of(source))


def test_a_sha256_repository(make_repository: Make, tmp_path: Path) -> None:
    """Longer object ids are ids too."""
    other = make_repository({"a": "1"}, "other")
    if status(other, "init", "-q", "--object-format=sha256", str(tmp_path / "long")) != 0:
        pytest.skip("this git knows no sha256 repositories")
    repository = make_repository({"a": "KEY"}, "long")
    (found,) = findings_of(history(repository.root), b"KEY")
    assert found.commit is not None
    assert len(found.commit.id) == 64
    repository.write({"b": "2"})
    repository.git("add", "b")
    assert set(blobs_of(open_source([repository.root], staged=True))) == {"b"}


def test_a_plain_folder_has_no_history(tmp_path: Path) -> None:
    """History outside git is an error."""
    with pytest.raises(SourceError, match="not in a git repository"):
        history(tmp_path)
