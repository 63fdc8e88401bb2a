"""The index: what the next commit will hold. `git show :path` is the oracle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from source_support import Make, blobs_of, gaps_of, status

from hardenctl.model.blob import Gap, SourceKind
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.sources import objects, open_source, process
from hardenctl.sources.staged import StagedSource

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["a.py", "b/c.py", "b/d.env", "e f.txt"]),
        st.sampled_from(["write", "stage", "delete", "unstage", "rename", "intend"]),
        st.integers(0, 5).map(str),
    ),
    max_size=12,
)


def staged(path: Path, *names: str, **options: object) -> StagedSource:
    """The source of what is staged in a repository."""
    source = open_source([path / name for name in names] or [path], staged=True, **options)  # type: ignore[arg-type]
    assert isinstance(source, StagedSource)
    return source


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, born=st.booleans())
def test_looks_at_what_a_commit_would_hold(
    make_repository: Make,
    tmp_path: Path,
    changes: list[tuple[str, str, str]],
    born: bool,  # noqa: FBT001
) -> None:
    """Whatever was staged, half staged, renamed or unstaged: blobs are the index's own, before a first commit too."""
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)
    repository = make_repository({"a.py": "0", "b/c.py": "0"} if born else None)
    for path, change, content in changes:
        if change == "write":
            repository.write({path: content})
        elif change == "delete":
            (repository.root / path).unlink(missing_ok=True)
        else:
            command = {
                "stage": ("add", "-A", "--", path),
                "unstage": ("reset", "-q", "--", path),
                "rename": ("mv", "-f", path, "renamed.py"),
                "intend": ("add", "-N", "--", path),
            }[change]
            status(repository, *command)
    source = staged(repository.root)
    names = repository.git("diff", "--cached", "--name-only", "-z", "--no-renames", "--diff-filter=d").split("\0")[:-1]
    assert {path: blob.data.decode() for path, blob in blobs_of(source).items()} == {
        path: repository.git("show", f":{path}") for path in names
    }
    snapshot = source.snapshot()
    held = [line.partition("\t") for line in repository.git("ls-files", "-s").splitlines()]
    assert list(snapshot.paths()) == sorted(path for _, _, path in held)
    changed = repository.git("diff", "--cached", "--name-only", "-z", "--no-renames").split("\0")[:-1]
    assert {path for path in ("a.py", "b/c.py", "b/d.env", "e f.txt", "renamed.py") if snapshot.in_scope(path)} == set(
        changed
    )


def test_partial_staging(make_repository: Make) -> None:
    """The staged half is looked at; the work-tree file never is, not even when it is gone."""
    repository = make_repository({"a": "1"})
    repository.write({"a": "staged"})
    repository.git("add", "a")
    repository.write({"a": "not staged"})
    source = staged(repository.root)
    blob = blobs_of(source)["a"]
    assert blob.data == b"staged"
    assert (blob.provenance.kind, blob.provenance.oid) == (SourceKind.INDEX, repository.git("rev-parse", ":a").strip())
    (repository.root / "a").unlink()
    read = source.snapshot().read("a")
    assert read is not None
    assert read.data == b"staged"


def test_the_snapshot_is_the_whole_index(make_repository: Make) -> None:
    """Cross-file questions see unstaged files as the index has them, out of scope."""
    repository = make_repository({"a": "1", "b": "2"})
    repository.write({"b": "3"})
    repository.git("add", "b")
    snapshot = staged(repository.root).snapshot()
    assert (list(snapshot.paths()), snapshot.in_scope("a"), snapshot.in_scope("b")) == (["a", "b"], False, True)
    read = snapshot.read("a")
    assert read is not None
    assert snapshot.read("a") is read
    assert snapshot.read("nothing") is None
    assert snapshot.is_repository


def test_a_staged_deletion_is_in_scope(make_repository: Make) -> None:
    """A deleted file has no blob, but what its absence means can be found."""
    repository = make_repository({".gitignore": ".env\n", "a": "1"})
    repository.git("rm", "-q", ".gitignore")
    source = staged(repository.root)
    assert blobs_of(source) == {}
    assert source.snapshot().in_scope(".gitignore")
    assert source.snapshot().read(".gitignore") is None


def test_named_files_are_looked_at_staged_or_not(make_repository: Make) -> None:
    """A hook run over all files names unchanged ones: their index version is looked at; unnamed ones are not."""
    repository = make_repository({"a": "1", "b/c": "2", "b/d": "3"})
    repository.write({"a": "4", "b/c": "5"})
    repository.git("add", ".")
    assert set(blobs_of(staged(repository.root, "a", "b/d"))) == {"a", "b/d"}
    assert set(blobs_of(staged(repository.root, "b"))) == {"c"}
    assert set(blobs_of(staged(repository.root, "a", "b"))) == {"a", "b/c"}
    assert staged(repository.root, "a").snapshot().named("a")


def test_no_path_is_the_whole_index(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started in a subfolder without a path, all that is staged is looked at; `.` is the subfolder."""
    repository = make_repository()
    repository.write({"a": "1", "sub/b": "2"})
    repository.git("add", ".")
    monkeypatch.chdir(repository.root / "sub")
    assert set(blobs_of(open_source(staged=True))) == {"a", "sub/b"}
    assert set(blobs_of(open_source(["."], staged=True))) == {"b"}


def test_git_ending_early_is_said(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where git dies while objects are read, the audit stops with an error instead of passing."""
    repository = make_repository()
    repository.write({"a": "1", "b": "2"})
    repository.git("add", ".")
    source = staged(repository.root)
    snapshot = source.snapshot()
    repository.git("gc", "-q", "--prune=now")  # packed, so that git reads them
    assert snapshot.read("a") is not None
    objects.end(snapshot._reader._process)  # type: ignore[arg-type]  # noqa: SLF001 - stands for a git that crashed
    with pytest.raises(SourceError, match="git stopped"):
        snapshot.read("b")
    monkeypatch.setattr(process, "AVAILABLE", False)
    monkeypatch.setattr(objects, "_feed", lambda stdin, _question: stdin.close())
    with pytest.raises(SourceError, match="git stopped"):
        list(source.blobs())


def test_a_named_path_that_only_the_index_has(make_repository: Make) -> None:
    """Staged and then deleted on disk is still staged; what git never heard of is an error."""
    repository = make_repository({"b/c": "0"})
    repository.write({"a": "1"})
    repository.git("add", "a")
    (repository.root / "a").unlink()
    shutil.rmtree(repository.root / "b")
    assert set(blobs_of(staged(repository.root, "a"))) == {"a"}
    assert blobs_of(staged(repository.root, "b")) == {}
    with pytest.raises(UsageError, match="there is no `nothing`"):
        blobs_of(staged(repository.root, "nothing"))


def test_conflicts_show_all_sides(make_repository: Make) -> None:
    """Of a path in conflict every side is looked at: any may be what gets committed."""
    repository = make_repository({"a": "base"})
    repository.git("checkout", "-q", "-b", "other")
    repository.commit({"a": "theirs"})
    repository.git("checkout", "-q", "main")
    repository.commit({"a": "ours"})
    assert status(repository, "merge", "other") == 1
    source = staged(repository.root)
    seen = [blob.data for blob in source.blobs() if not isinstance(blob, Gap)]
    assert sorted(seen) == [b"base", b"ours", b"theirs"]
    read = source.snapshot().read("a")
    assert read is not None
    assert read.data == b"theirs"


def test_intent_to_add_is_not_staged(make_repository: Make) -> None:
    """`git add -N` stages no content."""
    repository = make_repository({"a": "1"})
    repository.write({"b": "2"})
    repository.git("add", "-N", "b")
    source = staged(repository.root)
    assert blobs_of(source) == {}
    read = source.snapshot().read("b")
    assert read is not None
    assert read.data == b""


def test_links_submodules_and_binaries_are_counted(make_repository: Make) -> None:
    """What is no text of this repository is left out by mode, suffix and content."""
    inner = make_repository({"x": "1"}, "inner")
    repository = make_repository({"a": "1"})
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.root), "sub")
    (repository.root / "link").symlink_to("/etc/hostname")
    repository.write({"b.png": "text", "c": b"\0"})
    repository.git("add", ".")
    source = staged(repository.root)
    assert {path: blob.data for path, blob in blobs_of(source).items() if path != ".gitmodules"} == {
        "link": b"/etc/hostname"  # its own text, which is what would be committed
    }
    assert source.skipped == {"submodule": 1, "symbolic link": 1, "binary": 2}
    assert source.snapshot().read("link") is None
    assert "sub" not in source.snapshot().paths()


def test_odd_names(make_repository: Make) -> None:
    """Line breaks, quotes and bytes that are no UTF-8 are no obstacle."""
    repository = make_repository({"a": "1"})
    repository.write({"new\nline": "2", "quote\"'": "3"})
    with open(os.fsencode(repository.root) + b"/caf\xe9", "wb") as file:  # noqa: PTH123 - a name of bytes
        file.write(b"4")
    repository.git("add", ".")
    assert {path: blob.data for path, blob in blobs_of(staged(repository.root)).items()} == {
        "new\nline": b"2",
        "quote\"'": b"3",
        "caf\\xe9": b"4",
    }


def test_large_blobs(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is too large is a gap and read past; what comes after it is right."""
    monkeypatch.setattr(objects, "LARGEST", 10)
    monkeypatch.setattr(objects, "HEAD", 4)
    repository = make_repository()
    repository.write({"a": "x" * 3_000_000, "b": b"\0" * 50, "c": "fits"})
    repository.git("add", ".")
    source = staged(repository.root)
    assert {path: blob.data for path, blob in blobs_of(source).items()} == {"c": b"fits"}
    assert gaps_of(source) == [Gap("a", "larger than 50 MB")]
    assert source.skipped["binary"] >= 1


def test_a_missing_object_is_a_gap(make_repository: Make) -> None:
    """An index entry whose object is gone was not looked at, and that is said."""
    repository = make_repository()
    repository.write({"a": "1", "b": "2"})
    repository.git("add", ".")
    oid = repository.git("rev-parse", ":a").strip()
    (repository.root / ".git/objects" / oid[:2] / oid[2:]).unlink()
    source = staged(repository.root)
    assert set(blobs_of(source)) == {"b"}
    assert gaps_of(source) == [Gap("a", "its object is missing from the repository")]


def test_ignored_asks_the_staged_ignore_files(make_repository: Make) -> None:
    """What counts is the ignore file that gets committed, not the one on disk."""
    repository = make_repository({"a": "1"})
    repository.write({".gitignore": ".env\n", "b/.gitignore": "!.env\n*.x\n"})
    repository.git("add", ".")
    repository.write({".gitignore": ".env*\n"})
    snapshot = staged(repository.root).snapshot()
    assert snapshot.ignored([".env", ".env.prod", "b/.env", "b/a.x", "c/.env"]) == {".env", "b/a.x", "c/.env"}
    assert snapshot.ignored([]) == frozenset()


def test_excluded_by_policy(make_repository: Make) -> None:
    """What policy excludes is neither looked at nor in scope."""
    repository = make_repository()
    repository.write({"vendor/a": "1", "b": "2"})
    repository.git("add", ".")
    source = staged(repository.root, exclude=["vendor"])
    assert set(blobs_of(source)) == {"b"}
    assert list(source.snapshot().paths()) == ["b"]


def test_nothing_staged(make_repository: Make) -> None:
    """A clean index has no blobs, and nothing in scope."""
    repository = make_repository({"a": "1"})
    source = staged(repository.root)
    assert (list(source.blobs()), source.snapshot().in_scope("a"), source.commits) == ([], False, 0)
    assert source.target.commit == repository.git("rev-parse", "HEAD").strip()
    assert source.resolve(()) == ()


@pytest.mark.parametrize("where", ["repository", "subfolder"])
def test_under_a_hook_the_index_being_committed_counts(make_repository: Make, tmp_path: Path, where: str) -> None:
    """`git commit FILE` commits an index of its own, named relative to the top: the hook must see that one."""
    repository = make_repository({"a": "1", "sub/b": "1"})
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import sys\nfrom hardenctl.sources import open_source\n"
        "seen = sorted(blob.path for blob in open_source([sys.argv[1]], staged=True).blobs())\n"
        "open(sys.argv[2], 'w').write(' '.join(seen))\n"
    )
    hook = repository.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    path = "." if where == "repository" else "sub"
    hook.write_text(f"#!/bin/sh\n'{sys.executable}' '{probe}' {path} '{tmp_path}/seen'\n")
    hook.chmod(0o755)
    repository.write({"a": "2", "sub/b": "2", "c": "3"})
    repository.git("add", "c")
    subprocess.run(["git", "commit", "-q", "-m", "part", "a", "sub/b"], cwd=repository.root, check=True)
    assert (tmp_path / "seen").read_text() == ("a sub/b" if where == "repository" else "b")


def test_another_repositorys_hook_does_not_leak_in(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started from one repository's hook on another, the variables of the first are not believed."""
    ours, other = make_repository({"a": "1"}, "ours"), make_repository({"b": "1"}, "other")
    other.write({"new": "2"})
    other.git("add", "new")
    monkeypatch.chdir(ours.root)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    monkeypatch.setenv("GIT_DIR", ".git")
    assert set(blobs_of(staged(other.root))) == {"new"}


def test_another_repositorys_work_tree_does_not_leak_in(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables about another repository and its files say nothing of the one we are in."""
    one, two = make_repository({"a": "1"}, "one"), make_repository({"b": "1"}, "two")
    one.write({"leak": "KEY"})
    one.git("add", "leak")
    monkeypatch.setenv("GIT_DIR", str(two.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(two.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(two.root / ".git/index"))
    monkeypatch.chdir(one.root)
    assert blobs_of(open_source([], staged=True)).keys() == {"leak"}
    assert blobs_of(open_source([one.root])).keys() == {"a", "leak"}


def test_a_separate_work_tree(make_repository: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`GIT_DIR` and `GIT_WORK_TREE` together are what the user set, and are honoured."""
    repository = make_repository({"a": "1"})
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("2")
    monkeypatch.chdir(tree)
    monkeypatch.setenv("GIT_DIR", str(repository.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tree))
    subprocess.run(["git", "add", "a"], check=True)
    assert {path: blob.data for path, blob in blobs_of(open_source(["a"], staged=True)).items()} == {"a": b"2"}


def test_a_plain_folder_has_no_index(tmp_path: Path) -> None:
    """`--staged` outside git is an error."""
    with pytest.raises(SourceError, match="not in a git repository"):
        staged(tmp_path)


def test_a_bare_repository_has_no_index(make_repository: Make) -> None:
    """`--staged` of a bare repository is an error that says what works."""
    with pytest.raises(UsageError, match="no index") as error:
        staged(make_repository({"a": "1"}).root / ".git")
    assert "--since" in error.value.help
