"""Repositories that are not plain: what git hides, stores elsewhere or writes otherwise is looked at, or said."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from source_support import Make, blobs_of, feed, gaps_of, status

from hardenctl.model.blob import Blob, Standing
from hardenctl.model.text import decode, is_binary
from hardenctl.sources import open_source


def seen(root: Path, **asked: Any) -> set[bytes]:
    """The contents that a source yields."""
    return {blob.data for blob in open_source([root], **asked).blobs() if isinstance(blob, Blob)}


def test_a_replaced_commit_is_looked_at_with_what_replaces_it(make_repository: Make) -> None:
    """`git replace` hides a commit and its files from git's own walks: both are in the store, and both are seen."""
    repository = make_repository({"a": "KEY"}, "repo")
    original = repository.git("rev-parse", "HEAD").strip()
    blob = feed(repository, "hash-object", "-w", "--stdin", "harmless").strip()
    tree = feed(repository, "mktree", f"100644 blob {blob}\ta\n").strip()
    replacement = repository.git("commit-tree", "-m", "instead", tree).strip()
    repository.git("replace", original, replacement)
    assert "KEY" not in repository.git("log", "-p", "main")
    for root in (repository.root, repository.root / ".git"):
        assert {b"KEY", b"harmless"} <= seen(root, history=True)
    repository.commit({"b": "later"})
    assert b"KEY" not in seen(repository.root, since="HEAD~1")


def test_a_replaced_blob_is_looked_at(make_repository: Make) -> None:
    """Neither the index nor the tree of a commit shows another content than is stored."""
    repository = make_repository({"a": "1"})
    repository.write({"a": "KEY"})
    repository.git("add", "a")
    oid = repository.git("rev-parse", ":a").strip()
    other = feed(repository, "hash-object", "-w", "--stdin", "harmless").strip()
    repository.git("replace", oid, other)
    assert seen(repository.root, staged=True) == {b"KEY"}


def test_grafts_hide_no_history(make_repository: Make) -> None:
    """A graft file makes a commit look like the first one: what came before it is looked at all the same."""
    repository = make_repository({"a": "KEY"})
    repository.commit({"a": "2"})
    tip = repository.commit({"a": "3"})
    grafts = repository.root / ".git/info/grafts"
    grafts.parent.mkdir(exist_ok=True)
    grafts.write_text(f"{tip}\n")
    assert repository.git("rev-list", "--count", "HEAD").strip() == "1"
    assert {b"KEY", b"2", b"3"} <= seen(repository.root / ".git", history=True)
    assert seen(repository.root, since="HEAD~1") >= {b"3"}


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n".format("4d7a2146" * 8)


@pytest.mark.parametrize("asked", [{}, {"staged": True}, {"history": True}, {"since": "HEAD~1"}], ids=str)
def test_lfs_pointers_are_counted(make_repository: Make, asked: dict[str, Any]) -> None:
    """What a pointer stands for is stored elsewhere: it is left out, and said to be."""
    repository = make_repository({"x": "1"})
    repository.commit({"data.csv": POINTER})
    if asked == {"staged": True}:
        repository.write({"more.csv": POINTER.replace("4d", "5e")})
        repository.git("add", ".")
    source = open_source([repository.root], **asked)
    assert not any(path.endswith(".csv") for path in blobs_of(source))
    assert source.skipped["Git LFS pointer"] >= 1  # type: ignore[attr-defined]
    assert gaps_of(source) == []


def test_a_text_about_lfs_is_no_pointer(make_repository: Make) -> None:
    """Only what is nothing but a pointer is left out."""
    long = POINTER + "KEY" * 1000
    short = POINTER + "KEY = 1\n"
    assert {long.encode(), short.encode()} <= seen(make_repository({"a.md": long, "b.md": short}).root)


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE", "UTF-16", "ISO-8859-1", "UTF-8"])
def test_encodings_of_the_work_tree(make_repository: Make, encoding: str) -> None:
    """`working-tree-encoding` stores UTF-8 and checks something else out: the text is the same from any source."""
    text = "password = 'KEY'  # für später\n" * 3
    repository = make_repository({".gitattributes": f"*.txt working-tree-encoding={encoding}\n"})
    repository.write({"a.txt": text.encode(encoding)})
    repository.git("add", ".")
    staged = blobs_of(open_source([repository.root], staged=True))["a.txt"]
    assert staged.data == text.encode()
    repository.git("commit", "-q", "-m", "x")
    here = blobs_of(open_source([repository.root]))["a.txt"]
    assert here.data == text.encode(encoding)
    assert here.text.lstrip("\ufeff") == staged.text == text


@pytest.mark.parametrize(
    ("data", "binary"),
    [
        pytest.param("KEY = 1\n".encode("utf-16-le") * 9, False, id="little-endian"),
        pytest.param("KEY = 1\n".encode("utf-16-be") * 9, False, id="big-endian"),
        pytest.param("KEY = 1\n".encode("utf-32-le") * 9, False, id="four-bytes-little-endian"),
        pytest.param("KEY = 1\n".encode("utf-32-be") * 9, False, id="four-bytes-big-endian"),
        pytest.param("KEY = 1\nKEY пароль\n数据库 \n".encode("utf-16-le") * 900, False, id="other-alphabets-little"),
        pytest.param("KEY = 1\nKEY пароль\n数据库 \n".encode("utf-16-be") * 900, False, id="other-alphabets-big"),
        pytest.param(b"\0" * 100, True, id="zeros"),
        pytest.param(bytes(range(256)) * 4, True, id="all-bytes"),
        pytest.param(b"\x01\0\x02\0\x03\0" * 50, True, id="small-numbers"),
        pytest.param(b"text\0text\0" * 50, True, id="strings-that-end-in-zeros"),
        pytest.param(b"a\0", True, id="too-short-to-tell"),
        pytest.param("KEY = 1\n".encode("utf-16-le") * 9 + b"\1", False, id="an-odd-byte-at-the-end"),
    ],
)
def test_wide_text_without_a_mark(data: bytes, binary: bool) -> None:  # noqa: FBT001
    """UTF-16 of mostly ASCII tells itself by its zeros; numbers and strings of C do not pass for it."""
    assert is_binary(data) is binary
    if not binary:
        assert decode(data).startswith("KEY = 1\nKEY")


def test_names_that_differ_in_case_alone(make_repository: Make) -> None:
    """Twins that one file on other systems would be are two here, in the index and in history everywhere."""
    repository = make_repository({"x": "1"})
    oids = [feed(repository, "hash-object", "-w", "--stdin", text).strip() for text in ("upper", "lower")]
    for oid, name in zip(oids, ("Config.py", "config.py"), strict=True):
        repository.git("update-index", "--add", "--cacheinfo", f"100644,{oid},{name}")
    assert blobs_of(open_source([repository.root], staged=True)).keys() == {"Config.py", "config.py"}
    repository.git("commit", "-q", "-m", "twins")
    assert {"Config.py", "config.py"} <= blobs_of(open_source([repository.root / ".git"], history=True)).keys()
    assert {b"upper", b"lower"} <= seen(repository.root, since="HEAD~1")


def test_a_work_tree_whose_git_folder_is_links(make_repository: Make, tmp_path: Path) -> None:
    """As `git-new-workdir` makes one: what is linked is read where it is."""
    repository = make_repository({"a": "1"})
    other = tmp_path / "other"
    (other / ".git/logs").mkdir(parents=True)
    for name in ("config", "refs", "objects", "info", "packed-refs"):
        (other / ".git" / name).symlink_to(repository.root / ".git" / name)
    shutil.copy(repository.root / ".git/HEAD", other / ".git/HEAD")
    subprocess.run(["git", "checkout", "-q", "-f"], cwd=other, check=True)
    (other / "b").write_text("2")
    subprocess.run(["git", "add", "b"], cwd=other, check=True)
    assert seen(other) == {b"1", b"2"}
    assert seen(other, staged=True) == {b"2"}
    assert {b"1", b"2"} <= seen(other, history=True)


def test_every_source_works_in_a_linked_worktree(make_repository: Make, tmp_path: Path) -> None:
    """A linked worktree has an index and a HEAD of its own, and the store of all."""
    repository = make_repository({"a": "1"})
    linked = tmp_path / "linked"
    repository.git("worktree", "add", "-q", "-b", "topic", str(linked))
    (linked / "b").write_text("2")
    subprocess.run(["git", "add", "b"], cwd=linked, check=True)
    repository.write({"elsewhere": "3"})
    repository.git("add", "elsewhere")
    assert seen(linked, staged=True) == {b"2"}
    subprocess.run(["git", "commit", "-q", "-m", "two"], cwd=linked, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=linked, check=True, capture_output=True, text=True)
    source = open_source([linked], since="main")
    assert source.target.commit == head.stdout.strip()
    assert seen(linked, since="main") == {b"2", b"two\n"}
    assert {b"1", b"2"} <= seen(linked, history=True)


def test_a_range_of_a_partial_clone_is_a_gap(make_repository: Make, tmp_path: Path) -> None:
    """What the range added and the clone left behind was not looked at, and nothing is fetched."""
    repository = make_repository({"a": "1"})
    repository.commit({"a": "KEY"})
    repository.commit({"a": "2"})
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    repository.git("clone", "-q", "--filter=blob:none", repository.root.as_uri(), str(clone))
    source = open_source([clone], since="HEAD~2")
    assert b"KEY" not in {blob.data for blob in source.blobs() if isinstance(blob, Blob)}
    assert [gap.reason for gap in gaps_of(source)] == ["1 objects are not in this clone: a partial or damaged one"]


def test_messages_of_dropped_commits_and_tags(make_repository: Make) -> None:
    """`--all-objects` reads what unreachable commits and deleted tags say, too."""
    repository = make_repository({"a": "1"})
    repository.commit({"a": "2"}, "KEY in words")
    repository.git("tag", "-a", "-m", "KEY in a tag", "v1")
    repository.git("tag", "-d", "v1")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.git("reflog", "expire", "--expire=now", "--all")
    words = {b"KEY in words\n", b"KEY in a tag\n"}
    assert not words & seen(repository.root, history=True)
    assert words <= seen(repository.root, all_objects=True)


def test_a_link_in_history_is_its_target_and_not_what_it_names(make_repository: Make, tmp_path: Path) -> None:
    """Git stores where a link points to; what is there is never read."""
    (tmp_path / "outside").write_text("KEY")
    repository = make_repository({"a": "1"})
    (repository.root / "link").symlink_to(tmp_path / "outside")
    repository.git("add", "link")
    repository.git("commit", "-q", "-m", "link")
    for asked in ({"history": True}, {"since": "HEAD~1"}, {"staged": True}, {}):
        assert b"KEY" not in seen(repository.root, **asked)


def test_a_sha256_work_tree(make_repository: Make, tmp_path: Path) -> None:
    """Long ids in the listing and in history beside the work tree."""
    other = make_repository({"a": "1"}, "other")
    if status(other, "init", "-q", "--object-format=sha256", str(tmp_path / "long")) != 0:
        pytest.skip("this git knows no sha256 repositories")
    repository = make_repository({"a": "1"}, "long")
    repository.commit({"a": "2"})
    blob = blobs_of(open_source([repository.root]))["a"]
    assert (blob.data, blob.provenance.standing) == (b"2", Standing.TRACKED)
    paths = [each.data for each in open_source([repository.root], history=True).blobs() if isinstance(each, Blob)]
    assert sorted(paths) == [b"1", b"2", b"change\n", b"change\n"]
    assert os.path.lexists(repository.root / ".git")
