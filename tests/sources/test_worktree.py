"""The work tree: what is listed, what is read, what is a gap and what is left out on purpose. Git is the oracle."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from source_support import Make, blobs_of, gaps_of, status

from hardenctl.model.blob import Blob, Gap, Standing
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.sources import files, open_source
from hardenctl.sources.git import Git
from hardenctl.sources.renames import renames_since
from hardenctl.sources.worktree import WorkTreeSource

NAMES = st.sampled_from([".env", "a.py", "b/.env.local", "b/c.txt", "d e/ü.md", "x.log", "b/y.log", "n\nl.txt"])
IGNORES = st.sampled_from(["*.log", ".env", "b/", "/a.py", "!x.log", "*", "!b/c.txt", ".env.*", "d e"])


def work_tree(path: Path, *names: str, **options: object) -> WorkTreeSource:
    """The source over paths below a folder."""
    source = open_source([path / name for name in names] or [path], **options)  # type: ignore[arg-type]
    assert isinstance(source, WorkTreeSource)
    return source


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tracked=st.sets(NAMES, max_size=4),
    untracked=st.sets(NAMES, max_size=4),
    ignores=st.lists(IGNORES, max_size=4),
)
def test_lists_what_git_lists(
    make_repository: Make, tmp_path: Path, tracked: set[str], untracked: set[str], ignores: list[str]
) -> None:
    """Tracked and untracked files are those of `git ls-files`; what else is there is an ignored env file."""
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)
    repository = make_repository(dict.fromkeys(tracked, "1"))
    repository.write(dict.fromkeys(untracked, "2") | {".gitignore": "\n".join(ignores) + "\n"})
    blobs = blobs_of(work_tree(repository.root))
    for standing, option in ((Standing.TRACKED, "--cached"), (Standing.UNTRACKED, "--others")):
        expected = repository.git("ls-files", "-z", option, "--exclude-standard").split("\0")[:-1]
        assert {path for path, blob in blobs.items() if blob.provenance.standing is standing} == set(expected)
    ignored = {path for path, blob in blobs.items() if blob.provenance.standing is Standing.IGNORED}
    assert all("env" in path for path in ignored)
    everything = repository.git("ls-files", "-z", "--others").split("\0")[:-1]
    folders = {os.path.dirname(path) for path in blobs if path not in ignored} | {""}  # noqa: PTH120 - a string
    assert {path for path in everything if "env" in path and os.path.dirname(path) in folders} <= set(blobs)  # noqa: PTH120


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ignores=st.lists(IGNORES, max_size=4), nested=st.lists(IGNORES, max_size=2), asked=st.sets(NAMES))
def test_ignored_is_what_git_says(
    make_repository: Make, tmp_path: Path, ignores: list[str], nested: list[str], asked: set[str]
) -> None:
    """`ignored` is `git check-ignore --no-index`, for paths that exist and for those that don't."""
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)
    repository = make_repository({"a.py": "1"})
    repository.write({".gitignore": "\n".join(ignores) + "\n", "b/.gitignore": "\n".join(nested) + "\n"})
    done = [path for path in asked if status(repository, "check-ignore", "-q", "--no-index", "--", path) == 0]
    assert open_source([repository.root]).snapshot().ignored(asked) == frozenset(done)  # type: ignore[union-attr]


def test_ignore_patterns_that_nobody_else_has_do_not_count(make_repository: Make) -> None:
    """`.git/info/exclude` hides a file from git here, but `ignored` says what every clone ignores."""
    repository = make_repository({"a": "1"})
    (repository.root / ".git/info/exclude").write_text(".env\n")
    repository.write({".env": "A=1"})
    source = work_tree(repository.root)
    assert source.snapshot().ignored([".env"]) == frozenset()
    assert blobs_of(source)[".env"].provenance.standing is Standing.IGNORED


def test_ignored_answers_for_a_path_that_git_refuses(make_repository: Make) -> None:
    """A path beyond a link makes git give up; the others are still answered."""
    repository = make_repository({".gitignore": ".env\n", "real/a": "1"})
    (repository.root / "link").symlink_to("real")
    assert work_tree(repository.root).snapshot().ignored(["link/.env", ".env", "b"]) == {".env"}


def test_a_folder_inside_a_repository_is_its_own_root(make_repository: Make) -> None:
    """Paths are relative to the named folder, and nothing outside it is looked at."""
    repository = make_repository({"app/a.py": "1", "b.py": "2", ".gitignore": ".env\n"})
    source = work_tree(repository.root, "app")
    assert set(blobs_of(source)) == {"a.py"}
    assert source.snapshot().ignored([".env", "x"]) == {".env"}
    assert source.target.commit == repository.git("rev-parse", "HEAD").strip()


def test_named_files(make_repository: Make) -> None:
    """Only named files are looked at, with the whole repository for cross-file questions."""
    repository = make_repository({"app/a.py": "1", "b.py": "2", "c.py": "3"})
    source = work_tree(repository.root, "app/a.py", "c.py")
    snapshot = source.snapshot()
    assert set(blobs_of(source)) == {"app/a.py", "c.py"}
    assert list(snapshot.paths()) == ["app/a.py", "b.py", "c.py"]
    assert (snapshot.in_scope("b.py"), snapshot.named("c.py"), snapshot.named("b.py")) == (False, True, False)


def test_named_folders(make_repository: Make) -> None:
    """Several folders are looked at with the top of their repository as the root."""
    repository = make_repository({"app/a.py": "1", "deploy/b.py": "2", "c.py": "3"})
    assert set(blobs_of(work_tree(repository.root, "app", "deploy"))) == {"app/a.py", "deploy/b.py"}
    assert set(blobs_of(work_tree(repository.root, "app", "."))) == {"app/a.py", "deploy/b.py", "c.py"}


def test_a_named_file_is_looked_at_though_git_ignores_it(make_repository: Make) -> None:
    """Asking for an ignored file by name is asking for it."""
    repository = make_repository({".gitignore": "*.log\n"})
    repository.write({"x.log": "1"})
    assert set(blobs_of(work_tree(repository.root, "x.log"))) == {"x.log"}


def test_a_named_folder_is_looked_at_though_git_ignores_it(make_repository: Make) -> None:
    """An ignored folder that is named is a plain folder, and no silent pass."""
    repository = make_repository({".gitignore": "build/\n"})
    repository.write({"build/a.py": "1"})
    source = work_tree(repository.root, "build")
    assert set(blobs_of(source)) == {"a.py"}
    assert source.snapshot().is_repository is False


def test_a_plain_folder(tmp_path: Path) -> None:
    """Without git all files are looked at, those of tools and nested repositories left out and counted."""
    for name in ("a.py", "b/.env", ".venv/x.py", "myenv/pyvenv.cfg", "node_modules/y.js", "pkg.egg-info/z"):
        path = tmp_path / "plain" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    (tmp_path / "plain/link").symlink_to(tmp_path)
    source = work_tree(tmp_path / "plain")
    assert {path: blob.provenance.standing for path, blob in blobs_of(source).items()} == {
        "a.py": Standing.UNTRACKED,
        "b/.env": Standing.UNTRACKED,
    }
    assert source.skipped == {"tool folder": 4, "symbolic link": 1}
    snapshot = source.snapshot()
    assert (snapshot.is_repository, snapshot.ignored([".env"]), source.target.commit) == (False, frozenset(), None)


def test_files_of_a_plain_folder(tmp_path: Path) -> None:
    """Named files outside git have the folder they share as root."""
    (tmp_path / "p/q").mkdir(parents=True)
    (tmp_path / "p/a.py").write_text("1")
    (tmp_path / "p/q/b.py").write_text("2")
    assert set(blobs_of(work_tree(tmp_path / "p", "a.py", "q/b.py"))) == {"a.py", "q/b.py"}


def test_an_empty_repository(make_repository: Make) -> None:
    """Nothing is there, nothing is found, and nothing fails: before the first commit too."""
    repository = make_repository()
    source = work_tree(repository.root)
    assert (blobs_of(source), gaps_of(source), source.target.commit) == ({}, [], None)


def test_an_unborn_branch_with_files(make_repository: Make) -> None:
    """Before the first commit, staged files are tracked and the others are not."""
    repository = make_repository()
    repository.write({"a": "1", "b": "2"})
    repository.git("add", "a")
    standings = {path: blob.provenance.standing for path, blob in blobs_of(work_tree(repository.root)).items()}
    assert standings == {"a": Standing.TRACKED, "b": Standing.UNTRACKED}


def test_links_are_not_followed(make_repository: Make, tmp_path: Path) -> None:
    """Neither a link to a file nor one to a folder leads out of the repository, tracked or not."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a").write_text("secret")
    repository = make_repository({"folder/a": "1", "b": "2"})
    (repository.root / "tracked").symlink_to(tmp_path / "outside/a")
    repository.git("add", "tracked")
    (repository.root / "untracked").symlink_to(tmp_path / "outside/a")
    shutil.rmtree(repository.root / "folder")
    (repository.root / "folder").symlink_to(tmp_path / "outside")
    source = work_tree(repository.root)
    assert set(blobs_of(source)) == {"b"}
    assert source.skipped["symbolic link"] == 4
    assert gaps_of(source) == []


def test_a_named_link_into_the_repository(make_repository: Make) -> None:
    """A named link is not followed, and that is said: its target is a file of its own."""
    repository = make_repository({"a": "1"})
    (repository.root / "link").symlink_to("a")
    source = work_tree(repository.root, "link")
    assert (blobs_of(source), gaps_of(source)) == ({}, [Gap("link", "symbolic link: name the file itself")])


@pytest.mark.parametrize(
    ("names", "exclude", "gaps"),
    [
        pytest.param((), (), [Gap("data/pg", "could not be listed: Permission denied")], id="whole-project"),
        pytest.param(("a",), (), [], id="another-file-was-asked-for"),
        pytest.param((), ("data/**",), [], id="excluded-by-policy"),
    ],
)
def test_a_folder_that_git_may_not_open_is_a_gap(
    make_repository: Make,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...],
    exclude: tuple[str, ...],
    gaps: object,
) -> None:
    """Git only warns of an unreadable folder and lists the rest: what is in it has not been looked at."""
    repository = make_repository({"a": "1"})
    heard = Git.run_heard

    def warned(git: Git, *arguments: str, **options: Any) -> tuple[bytes, bytes]:
        out, warnings = heard(git, *arguments, **options)
        said = b"warning: could not open directory 'data/pg/': Permission denied\n"
        return out, warnings + said * (arguments[0] == "ls-files" and "--others" in arguments)

    monkeypatch.setattr(Git, "run_heard", warned)
    source = work_tree(repository.root, *names, exclude=exclude)
    assert set(blobs_of(source)) == {"a"}
    assert gaps_of(source) == gaps


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX")
def test_a_named_pipe_is_a_gap(make_repository: Make) -> None:
    """Nothing waits for a pipe, and nobody takes it for looked at."""
    repository = make_repository({"a": "1"})
    os.mkfifo(repository.root / "pipe")
    assert gaps_of(work_tree(repository.root, "pipe")) == [Gap("pipe", "not a regular file")]


def test_a_named_folder_that_is_passed_over_is_a_gap(make_repository: Make) -> None:
    """A folder that git ignores is not looked at beside others, and that is said; an empty one has nothing in it."""
    repository = make_repository({"a/b": "1", ".gitignore": "out/\n"})
    repository.write({"out/b": "2"})
    (repository.root / "empty").mkdir()
    source = work_tree(repository.root, "a", "out", "empty")
    assert set(blobs_of(source)) == {"a/b"}
    assert [gap.path for gap in gaps_of(source)] == ["out"]


def test_a_named_folder_that_policy_excludes_is_no_gap(make_repository: Make) -> None:
    """It was left out on purpose."""
    repository = make_repository({"a/b": "1", "c/d": "2"})
    source = work_tree(repository.root, "a", "c", exclude=["c/**"])
    assert (set(blobs_of(source)), gaps_of(source)) == ({"a/b"}, [])


def test_a_root_behind_a_link(make_repository: Make, tmp_path: Path) -> None:
    """A folder that is named through a link is audited."""
    repository = make_repository({"a": "1"})
    (tmp_path / "current").symlink_to(repository.root)
    assert set(blobs_of(work_tree(tmp_path / "current"))) == {"a"}


def test_submodules_and_nested_repositories_are_counted(make_repository: Make) -> None:
    """Another repository inside is its own audit."""
    inner = make_repository({"secret": "1"}, "inner")
    repository = make_repository({"a": "1"})
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.root), "sub")
    repository.git("clone", "-q", str(inner.root), "nested")
    source = work_tree(repository.root)
    assert set(blobs_of(source)) == {"a", ".gitmodules"}
    assert source.skipped == {"submodule": 1, "nested repository": 1}


def with_submodules(make_repository: Make) -> Any:
    """A repository with a submodule that has one of its own, and one that is not checked out."""
    inmost = make_repository({"deep.txt": "d"}, "inmost")
    inner = make_repository({"lib/secret.py": "1", ".gitignore": "*.log\n.env\n"}, "inner")
    repository = make_repository({"a": "1"})
    allow = ("-c", "protocol.file.allow=always", "submodule", "--quiet")
    inner.git(*allow, "add", str(inmost.root), "deep")
    inner.git("commit", "-q", "-m", "deep")
    repository.git(*allow, "add", str(inner.root), "vendor/sub")
    repository.git(*allow, "add", str(inmost.root), "gone")
    repository.git("commit", "-q", "-m", "submodules")
    repository.git(*allow, "update", "--init", "--recursive")
    repository.git("submodule", "--quiet", "deinit", "-f", "gone")
    return repository


def test_submodules_on_request(make_repository: Make) -> None:
    """What is checked out of them is looked at as their own git lists it, under their paths; what is not is a gap."""
    repository = with_submodules(make_repository)
    repository.write({"vendor/sub/new.py": "2", "vendor/sub/x.log": "3", "vendor/sub/lib/.env": "A=1"})
    source = work_tree(repository.root, submodules=True)
    blobs = blobs_of(source)
    inner = {"lib/secret.py", ".gitignore", ".gitmodules", "deep/deep.txt", "new.py", "lib/.env"}
    assert set(blobs) == {"a", ".gitmodules", *(f"vendor/sub/{each}" for each in inner)}
    assert blobs["vendor/sub/lib/secret.py"].provenance.standing is Standing.TRACKED
    assert blobs["vendor/sub/new.py"].provenance.standing is Standing.UNTRACKED
    assert blobs["vendor/sub/lib/.env"].provenance.standing is Standing.IGNORED
    assert [gap.path for gap in gaps_of(source)] == ["gone"]
    assert "git submodule update --init" in gaps_of(source)[0].reason
    assert source.skipped == {}
    below = work_tree(repository.root / "vendor", submodules=True)
    assert "sub/deep/deep.txt" in blobs_of(below)
    assert gaps_of(below) == []


def test_a_submodule_that_leads_elsewhere_is_a_gap(make_repository: Make) -> None:
    """Neither a link in its place nor a `.git` that leads nowhere is followed."""
    repository = with_submodules(make_repository)
    other = make_repository({"outside": "1"}, "other")
    shutil.rmtree(repository.root / "vendor/sub")
    (repository.root / "vendor/sub").symlink_to(other.root)
    (repository.root / "gone/.git").write_text("gitdir: /nowhere")
    source = work_tree(repository.root, submodules=True)
    assert set(blobs_of(source)) == {"a", ".gitmodules"}
    gaps = {gap.path: gap.reason for gap in gaps_of(source)}
    assert gaps["vendor/sub"] == "a symbolic link in place of a submodule"
    assert "cannot be read" in gaps["gone"]


@pytest.mark.parametrize("asked", [{"staged": True}, {"since": "HEAD"}, {"history": True}, {"paths": ["-"]}])
def test_submodules_go_with_the_work_tree(make_repository: Make, asked: dict[str, Any]) -> None:
    """Elsewhere git's store has no files of theirs: asking for them is an error, and not passed over."""
    paths = asked.pop("paths", [with_submodules(make_repository).root])
    with pytest.raises(UsageError, match="goes with the work tree alone"):
        open_source(paths, submodules=True, **asked)


@pytest.mark.parametrize("name", ["new\nline.txt", "späße.txt", " blank ", "quote\"'.txt", "-dash", "a:b", "a\\b"])
def test_odd_names(make_repository: Make, name: str) -> None:
    """Names that need quoting elsewhere are read, tracked or not."""
    repository = make_repository({name: "1"})
    repository.write({f"d/{name}": "2"})
    assert set(blobs_of(work_tree(repository.root))) == {name, f"d/{name}"}


def test_a_name_that_is_no_utf8_can_be_printed(make_repository: Make) -> None:
    """Bytes that are no UTF-8 are shown escaped, and the file is read all the same."""
    repository = make_repository({"a": "1"})
    raw = os.fsencode(repository.root) + b"/caf\xe9.env"
    with open(raw, "wb") as file:  # noqa: PTH123 - a name of bytes
        file.write(b"A=1")
    repository.git("add", ".")
    blob = blobs_of(work_tree(repository.root))["caf\\xe9.env"]
    assert blob.data == b"A=1"
    assert blob.path.encode("utf-8")


def test_what_is_deleted_is_no_gap(make_repository: Make) -> None:
    """A tracked file that is gone from the work tree has nothing to look at."""
    repository = make_repository({"a": "1", "b/c": "2"})
    shutil.rmtree(repository.root / "b")
    source = work_tree(repository.root)
    assert (set(blobs_of(source)), gaps_of(source)) == ({"a"}, [])


def test_what_vanishes_between_listing_and_reading(make_repository: Make) -> None:
    """A file that is deleted meanwhile is no gap either; its folder turned into a file neither."""
    repository = make_repository({"a": "1", "b/c": "2", "d": "3"})
    source = work_tree(repository.root)
    assert list(source.snapshot().paths()) == ["a", "b/c", "d"]
    (repository.root / "a").unlink()
    shutil.rmtree(repository.root / "b")
    (repository.root / "b").write_text("now a file")
    (repository.root / "d").unlink()
    (repository.root / "d").mkdir()
    assert (blobs_of(source), gaps_of(source)) == ({}, [])


def test_sparse_checkouts_are_counted(make_repository: Make) -> None:
    """What a sparse checkout leaves out is counted, not called deleted."""
    repository = make_repository({"a/b": "1", "c/d": "2"})
    repository.git("sparse-checkout", "set", "a")
    source = work_tree(repository.root)
    assert set(blobs_of(source)) == {"a/b"}
    assert source.skipped == {"not checked out (sparse checkout)": 1}


def test_a_conflict_is_listed_once(make_repository: Make) -> None:
    """A path in conflict has three entries in the index and is one file."""
    repository = make_repository({"a": "1"})
    repository.git("checkout", "-q", "-b", "other")
    repository.commit({"a": "2"})
    repository.git("checkout", "-q", "main")
    repository.commit({"a": "3"})
    assert status(repository, "merge", "other") == 1
    assert list(blobs_of(work_tree(repository.root))) == ["a"]


def test_linked_worktrees(make_repository: Make, tmp_path: Path) -> None:
    """A linked worktree is a repository like any other."""
    repository = make_repository({"a": "1"})
    repository.git("worktree", "add", "-q", str(tmp_path / "linked"))
    assert set(blobs_of(work_tree(tmp_path / "linked"))) == {"a"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_pipe_in_place_of_a_file_does_not_block(make_repository: Make) -> None:
    """A tracked file that became a pipe is counted; reading it would wait for ever."""
    repository = make_repository({"a": "1"})
    (repository.root / "a").unlink()
    os.mkfifo(repository.root / "a")
    source = work_tree(repository.root)
    assert (blobs_of(source), source.skipped) == ({}, {"not a regular file": 1})


def test_an_unreadable_file_is_a_gap(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be opened is a gap that says why; root can read all, so the refusal is made."""
    repository = make_repository({"a": "1", "b": "2"})
    real = os.open

    def refuse(path: bytes, flags: int, *rest: int) -> int:
        if os.fsencode(path).endswith(b"/a"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest)

    monkeypatch.setattr(files.os, "open", refuse)
    source = work_tree(repository.root)
    assert set(blobs_of(source)) == {"b"}
    assert gaps_of(source) == [Gap("a", "could not be read: Permission denied")]
    assert source.snapshot().read("a") is None


def test_a_file_that_fails_while_it_is_read_is_a_gap(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk error in the middle of a file, or while asking what it is, is a gap too."""
    repository = make_repository({"a": "1"})

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(5, "Input/output error")

    read = os.read

    def fail_in_files(handle: int, size: int) -> bytes:
        if stat.S_ISREG(os.fstat(handle).st_mode):  # not in what git says through a pipe
            fail()
        return read(handle, size)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "read", fail_in_files)
        assert gaps_of(work_tree(repository.root)) == [Gap("a", "could not be read: Input/output error")]
    folder = files.Folder(repository.root)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "open", fail)
        patch.setattr(files.os, "lstat", fail)
        assert folder.read(b"a", "a") == Gap("a", "could not be read: Input/output error")


def test_an_unlistable_folder_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain folder that cannot be listed is a gap."""
    (tmp_path / "p/closed").mkdir(parents=True)
    (tmp_path / "p/a").write_text("1")
    real = os.scandir

    def refuse(path: bytes) -> object:
        if os.fsencode(path).endswith(b"closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    source = work_tree(tmp_path / "p")
    assert set(blobs_of(source)) == {"a"}
    assert gaps_of(source) == [Gap("closed", "could not be listed: Permission denied")]


def test_large_files(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is too large is a gap; something binary of that size is left out."""
    monkeypatch.setattr(files, "LARGEST", 10)
    source = work_tree(make_repository({"text": "x" * 11, "data": b"\0" * 11, "fits": "x" * 10}).root)
    assert set(blobs_of(source)) == {"fits"}
    assert gaps_of(source) == [Gap("text", "larger than 50 MB")]
    assert source.skipped == {"binary": 1}


def test_binary_files_are_counted(make_repository: Make) -> None:
    """By suffix and by content; UTF-16 text with its mark is text."""
    content = {"a.png": "text", "b": b"\0\1", "c": "\ufefftext".encode("utf-16"), "d.svg": "<svg/>"}
    source = work_tree(make_repository(content).root)
    assert set(blobs_of(source)) == {"c", "d.svg"}
    assert source.skipped == {"binary": 2}


def test_excluded_by_policy(make_repository: Make) -> None:
    """What policy excludes is neither looked at nor in scope, and counted."""
    repository = make_repository({"vendor/a": "1", "b": "2"})
    source = work_tree(repository.root, exclude=["vendor/**"])
    assert set(blobs_of(source)) == {"b"}
    assert source.skipped == {"excluded by policy": 1}
    assert not source.snapshot().in_scope("vendor/new")


def test_a_snapshot_keeps_small_blobs_and_not_all(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several readers get the same blob; old ones are let go; what isn't there is None."""
    monkeypatch.setattr(files, "KEPT", 1)
    snapshot = work_tree(make_repository({"a": "1", "b": "2"}).root).snapshot()
    first = snapshot.read("a")
    assert isinstance(first, Blob)
    assert snapshot.read("a") is first
    assert snapshot.read("b") is not None
    assert snapshot.read("a") is not first
    assert snapshot.read("nothing") is None


def test_the_source_can_be_read_twice(make_repository: Make) -> None:
    """A second pass finds and counts the same."""
    source = work_tree(make_repository({"a": "1", "b": b"\0"}).root)
    assert blobs_of(source) == blobs_of(source)
    assert source.skipped == {"binary": 1}


@pytest.mark.parametrize("size", [0, 5, 40, 70, -1])
@pytest.mark.parametrize("staged", [False, True])
def test_a_torn_index_is_said(make_repository: Make, size: int, staged: bool) -> None:  # noqa: FBT001
    """An index that is cut short anywhere is an error with a remedy, also where git would read nonsense from it."""
    repository = make_repository({"a": "1"})
    index = repository.root / ".git/index"
    index.write_bytes(index.read_bytes()[:size])
    with pytest.raises(SourceError, match="is corrupt") as error:
        blobs_of(open_source([repository.root], staged=staged))
    assert "git reset" in error.value.help


def test_an_index_without_checksum_is_read(make_repository: Make) -> None:
    """Git can be told to write no checksum; such an index is whole."""
    repository = make_repository({"a": "1"})
    index = repository.root / ".git/index"
    index.write_bytes(index.read_bytes()[:-20] + bytes(20))
    assert set(blobs_of(work_tree(repository.root))) == {"a"}


def test_an_unreadable_index_is_said(make_repository: Make) -> None:
    """An index that cannot be read is an error (here it is a folder)."""
    repository = make_repository({"a": "1"})
    (repository.root / ".git/index").unlink()
    (repository.root / ".git/index").mkdir()
    with pytest.raises(SourceError, match="could not be read"):
        blobs_of(work_tree(repository.root))


@pytest.mark.parametrize("asked", [{}, {"staged": True}, {"history": True}], ids=str)
@pytest.mark.parametrize("what", ["nothing", "garbage", "gitdir: nowhere", "gitdir: ..", "a loop", "a pipe"])
def test_a_broken_git_file_is_said(tmp_path: Path, what: str, asked: dict[str, Any]) -> None:
    """A `.git` that leads to no repository makes no plain folder and no clean one."""
    place = tmp_path / ".git"
    (tmp_path / "a.py").write_text("1")
    if what == "a loop":
        place.symlink_to(place)
    elif what == "a pipe":
        os.mkfifo(place)
    else:
        place.write_text("" if what == "nothing" else what)
    with pytest.raises(SourceError, match=r"is not a git repository|could not be read"):
        list(open_source([tmp_path], **asked).blobs())


def test_a_broken_repository_is_said(tmp_path: Path) -> None:
    """A `.git` that leads nowhere is an error, not a plain folder whose ignored files count."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x/.git").write_text("gitdir: /nowhere")
    with pytest.raises(SourceError, match="not a git repository that git can read"):
        blobs_of(work_tree(tmp_path / "x"))


def test_git_is_missing(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git a repository cannot be judged, and that is said."""
    repository = make_repository({"a": "1"})
    monkeypatch.setenv("PATH", str(repository.root))
    with pytest.raises(SourceError, match="git is not installed"):
        blobs_of(work_tree(repository.root))


def test_somebody_elses_repository(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git's refusal is passed on with git's remedy."""
    repository = make_repository({"a": "1"})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setattr("hardenctl.sources.git._harmless", lambda _name: True)
    with pytest.raises(SourceError, match="belongs to another user") as error:
        blobs_of(work_tree(repository.root))
    assert "safe.directory" in error.value.help


@pytest.mark.parametrize("was", ["a link", "passed over"])
def test_what_is_a_file_on_disk_is_looked_at(make_repository: Make, was: str) -> None:
    """The index may call it a link, or git may have been told to pass over it: what is on disk counts."""
    repository = make_repository()
    if was == "a link":
        (repository.root / "a.py").symlink_to("b.py")
        repository.git("add", "a.py")
        assert work_tree(repository.root).skipped["symbolic link"] == 1
        (repository.root / "a.py").unlink()
    else:
        repository.commit({"a.py": "1"})
        repository.git("update-index", "--skip-worktree", "a.py")
    repository.write({"a.py": "KEY"})
    assert blobs_of(work_tree(repository.root))["a.py"].data == b"KEY"


def test_two_names_that_are_shown_alike(make_repository: Make) -> None:
    """One of them is looked at, and that the other is not is said."""
    repository = make_repository({"x": "1"})
    repository.write({os.fsdecode(b"a\xe9.py"): "2", "a\\xe9.py": "3"})
    source = work_tree(repository.root)
    assert blobs_of(source).keys() == {"x", "a\\xe9.py"}
    assert [gap.path for gap in gaps_of(source)] == ["a\\xe9.py"]


def test_a_work_tree_that_looks_like_a_bare_repository(make_repository: Make) -> None:
    """Files that happen to be called as git calls its own do not make a repository of a folder that is one."""
    repository = make_repository({"HEAD": "KEY", "objects/x": "1", "refs/x": "2"})
    assert blobs_of(work_tree(repository.root))["HEAD"].data == b"KEY"


@pytest.mark.parametrize("asked", [{}, {"staged": True}, {"history": True}, {"since": "HEAD"}], ids=str)
def test_a_configuration_that_puts_the_files_elsewhere(make_repository: Make, asked: dict[str, Any]) -> None:
    """Git would list this folder as one below another, where nothing is staged and nothing ever was."""
    repository = make_repository({"a": "1"})
    repository.git("config", "extensions.worktreeConfig", "true")
    repository.git("config", "core.worktree", str(repository.root / "../repo"))
    assert "a" in blobs_of(work_tree(repository.root))
    repository.git("config", "core.worktree", str(repository.root.parent))
    with pytest.raises(SourceError, match=r"core\.worktree"):
        list(open_source([repository.root], **asked).blobs())


def test_a_pipe_in_place_of_the_index(make_repository: Make) -> None:
    """Nobody writes to it: it is said, and not waited for."""
    repository = make_repository({"a": "1"})
    (repository.root / ".git/index").unlink()
    os.mkfifo(repository.root / ".git/index")
    with pytest.raises(SourceError, match="no regular file"):
        blobs_of(work_tree(repository.root))


def test_following_renames_runs_no_filter(make_repository: Make, tmp_path: Path) -> None:
    """To compare the work tree git would run what `.gitattributes` and the configuration name."""
    repository = make_repository({"a.py": "1\n" * 9, "kept.json": "{}"})
    repository.git("config", "filter.trap.clean", f"touch {tmp_path}/sprung; cat")
    repository.git("mv", "a.py", "b.py")
    repository.write({".gitattributes": "*.py filter=trap\n", "b.py": "1\n" * 10})
    assert renames_since(repository.root, repository.root / "kept.json") == {"b.py": "a.py"}
    assert not (tmp_path / "sprung").exists()


def test_the_audited_configuration_runs_nothing(make_repository: Make, tmp_path: Path) -> None:
    """Programs that the repository's configuration names are not started."""
    repository = make_repository({"a": "1"})
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "gpg.program"):
        repository.git("config", key, str(trap))
    repository.git("config", "core.hooksPath", str(tmp_path))
    blobs_of(work_tree(repository.root))
    blobs_of(open_source([repository.root], staged=True))
    blobs_of(open_source([repository.root], history=True))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("paths", [["nothing"], [".", "nothing"], ["nothing/at/all.py"]])
def test_a_missing_path(make_repository: Make, paths: list[str]) -> None:
    """A path that isn't there is a usage error, whatever else is named."""
    repository = make_repository({"a": "1"})
    with pytest.raises(UsageError, match="there is no"):
        work_tree(repository.root, *paths)


def test_two_repositories(make_repository: Make) -> None:
    """Paths in two repositories have no common root."""
    one, two = make_repository({"a": "1"}, "one"), make_repository({"b": "1"}, "two")
    with pytest.raises(UsageError, match="different repositories"):
        open_source([one.root / "a", two.root / "b"])


def test_a_bare_repository(make_repository: Make, tmp_path: Path) -> None:
    """A bare repository has no files, and the error says what works."""
    repository = make_repository({"a": "1"})
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    for root in (tmp_path / "bare.git", repository.root / ".git"):
        with pytest.raises(UsageError, match="bare") as error:
            open_source([root])
        assert "--history" in error.value.help


def test_no_path_is_the_current_folder(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bare `audit` looks at where it is started."""
    repository = make_repository({"a": "1"})
    monkeypatch.chdir(repository.root)
    source = open_source()
    assert set(blobs_of(source)) == {"a"}
    assert source.target.path == "."


def test_resolve_changes_nothing(make_repository: Make) -> None:
    """The work tree has no history to add."""
    assert open_source([make_repository({"a": "1"}).root]).resolve(()) == ()
