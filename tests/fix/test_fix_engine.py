"""The engine that makes, shows and writes fixes, with rules of its own."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hardenctl.fix import Proposal, apply, propose, unified
from hardenctl.fix.write import uncommitted
from hardenctl.model.blob import Blob, Gap, Snapshot
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.finding import (
    Append,
    Applicability,
    Category,
    Edit,
    Fix,
    Hit,
    Render,
    Replace,
    Severity,
    Untrack,
    advice,
)
from hardenctl.model.text import Span
from hardenctl.policy.policy import Policy
from hardenctl.rules.declare import DocumentRule
from hardenctl.rules.fakes import scramble
from hardenctl.rules.page import Page
from hardenctl.sources import open_source
from hardenctl.sources.memory import MemorySnapshot

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE


@dataclass(frozen=True)
class File:
    """A document that is just a file."""

    path: str
    text: str


class Reader:
    """Makes every file a document."""

    documents = ("File",)

    def is_wanted(self, snapshot: Snapshot, scope: Collection[str]) -> bool:
        """Always."""
        return bool(snapshot.paths() and scope)

    def read(self, snapshot: Snapshot) -> Iterator[File | Gap]:
        """All that can be read."""
        for path in snapshot.paths():
            blob = snapshot.read(path)
            if path == "unreadable":
                yield Gap(path, "test")
            elif blob:
                yield File(path, blob.text)


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this reader."""
    monkeypatch.setattr("hardenctl.detect.config.READERS", (Reader(),))


def rule(name: str, pattern: str, edits: Callable[[str, re.Match[str]], tuple[Edit, ...]], how: Applicability = SAFE,
         severity: Severity = Severity.MEDIUM) -> DocumentRule:  # fmt: skip
    """A rule that flags a pattern, with the edits it offers for each match."""

    def check(document: File) -> Iterator[Hit]:
        for match in re.finditer(pattern, document.text):
            span = Span(document.path, match.start(), match.end())
            yield Hit(span, "m", fix=Fix(f"fix {name}", edits(document.path, match), how))

    return DocumentRule(name, severity, Category.SECURITY, Page("t"), File, check)


def swap(name: str, pattern: str, text: str, **options: Any) -> DocumentRule:
    """A rule whose fix replaces the match."""
    return rule(name, pattern, lambda path, match: (Replace(Span(path, *match.span()), text),), **options)


def project(root: Path, **files: str | bytes) -> Path:
    """A plain folder; `__` in a keyword stands for the dot of its suffix."""
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (root / name.replace("__", ".")).write_bytes(data)
    return root


def proposal(root: Path, *rules: DocumentRule, **options: Any) -> Proposal:
    """What is proposed for a folder."""
    return propose(open_source([root]), root, options.pop("policy", Policy()), rules=rules, **options)


def test_every_match_is_replaced_and_the_rest_survives(tmp_path: Path):
    """Comments, formatting and line endings stay; several fixes of one file go in together."""
    root = project(tmp_path / "p", a__py=b"x = OLD  # why\r\n\r\nif  x :\r\n    y=OLD\r\n")
    made = proposal(root, swap("test-old", "OLD", "(\n  NEW\n)"))
    assert (root / "a.py").read_bytes().count(b"OLD") == 2, "nothing is written yet"
    applied = apply(made)
    assert (root / "a.py").read_bytes() == (b"x = (\r\n  NEW\r\n)  # why\r\n\r\nif  x :\r\n    y=(\r\n  NEW\r\n)\r\n")
    assert applied.written == ("a.py",)
    assert applied.skipped == ()
    assert not proposal(root, swap("test-old", "OLD", "(\n  NEW\n)"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"\xef\xbb\xbfOLD \xc3\xa9\n", b"\xef\xbb\xbfN\xc3\xbc \xc3\xa9\n", id="utf-8-mark"),
        pytest.param("OLD é\n".encode("utf-16"), "Nü é\n".encode("utf-16"), id="utf-16"),
        pytest.param(b"OLD \xe9\n", b"N\xfc \xe9\n", id="latin-1"),
        pytest.param(b"OLD", b"N\xc3\xbc", id="no-line-end"),
        pytest.param(b"\rOLD\r\r\n", b"\rN\xc3\xbc\r\r\n", id="odd-line-ends"),
    ],
)
def test_encodings_survive(before: bytes, after: bytes, tmp_path: Path):
    """A file keeps its encoding, its mark and its line ends."""
    root = project(tmp_path / "p", a__txt=before)
    apply(proposal(root, swap("test-old", "OLD", "Nü")))
    assert (root / "a.txt").read_bytes() == after


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(b"OLD \xe9\n", "€", id="not-in-latin-1"),
        pytest.param("OLD é".encode("utf-16") + b"\x00", "x", id="half-a-character"),
    ],
)
def test_an_encoding_that_would_suffer(content: bytes, text: str, tmp_path: Path):
    """A fix that can't be written in the file's encoding, or would change other bytes, is left out and named."""
    root = project(tmp_path / "p", a__txt=content)
    made = proposal(root, swap("test-old", "OLD", text))
    assert not made
    assert [each.reason for each in made.skipped] == ["the encoding of a.txt would not survive"]


def test_permissions_stay(tmp_path: Path):
    """A script stays executable; no temporary file is left."""
    root = project(tmp_path / "p", run__sh="OLD\n")
    (root / "run.sh").chmod(0o750)
    apply(proposal(root, swap("test-old", "OLD", "NEW")))
    if os.name != "nt":
        assert stat.S_IMODE((root / "run.sh").stat().st_mode) == 0o750
    assert [each.name for each in root.iterdir()] == ["run.sh"]


class TestWhatIsTaken:
    """Which fixes go in."""

    def test_unsafe_ones_only_when_asked(self, tmp_path: Path):
        """They are counted, and part of it with `unsafe`."""
        root = project(tmp_path / "p", a__txt="OLD BAD")
        rules = (swap("test-old", "OLD", "NEW"), swap("test-bad", "BAD", "GOOD", how=UNSAFE))
        made = proposal(root, *rules)
        assert [each.after for each in made.changes] == [b"NEW BAD"]
        assert made.unsafe == 1
        made = proposal(root, *rules, unsafe=True)
        assert [each.after for each in made.changes] == [b"NEW GOOD"]
        assert made.unsafe == 0

    def test_advice_never(self, tmp_path: Path):
        """Advice is only counted, even if it came with edits."""
        root = project(tmp_path / "p", a__txt="OLD")

        def check(document: File) -> Iterator[Hit]:
            yield Hit(Span(document.path, 0, 3), "m", fix=advice("do it"))
            yield Hit(Span(document.path, 0, 3), "m", "other")

        plain = DocumentRule("test-advice", Severity.LOW, Category.SECURITY, Page("t"), File, check)
        made = proposal(root, plain, swap("test-old", "OLD", "NEW", how=Applicability.ADVICE), unsafe=True)
        assert not made
        assert made.advice == 3

    def test_findings_set_aside_are_left_alone(self, tmp_path: Path):
        """A mark in the file, the policy and the baseline keep a fix out."""
        root = project(tmp_path / "p", a__txt="OLD # hardenctl: ignore[test] why\n\nOLD")
        old = swap("test-old", "OLD", "NEW")
        made = proposal(root, old)
        assert [each.after for each in made.changes] == [b"OLD # hardenctl: ignore[test] why\n\nNEW"]
        assert not proposal(root, old, policy=Policy(rules={"test-old": None}))

    def test_gaps_are_passed_on(self, tmp_path: Path):
        """What could not be looked at is no part of a clean bill."""
        made = proposal(project(tmp_path / "p", unreadable="x"), swap("test-old", "OLD", "NEW"))
        assert made.gaps == (Gap("unreadable", "test"),)

    def test_a_source_without_files(self):
        """History and standard input have no files to write."""

        class Bare:
            def snapshot(self) -> None:
                return None

        with pytest.raises(UsageError, match="no files to fix"):
            propose(Bare(), Path(), Policy())  # type: ignore[arg-type]


class TestConflicts:
    """Fixes that get into each other's way."""

    def test_the_more_severe_goes_first_and_the_other_has_its_turn(self, tmp_path: Path):
        """The second is made in the next round if its finding is still there, by its place then."""
        root = project(tmp_path / "p", a__txt="OLD,BAD")
        made = proposal(
            root,
            swap("test-both", "OLD,BAD", "longer OLD,better", severity=Severity.HIGH),
            swap("test-old", "OLD", "NEW"),
        )
        assert [each.after for each in made.changes] == [b"longer NEW,better"]
        assert made.skipped == ()
        assert [each.rule for each in made.done] == ["test-both", "test-old"]

    def test_insertions_at_one_place(self, tmp_path: Path):
        """Two different insertions at the same place conflict in a round; the same edit twice is one."""
        root = project(tmp_path / "p", a__txt="=")
        first, again, other = (
            rule(name, "^=", lambda path, _, text=text: (Replace(Span(path, 0, 0), text),))
            for name, text in (("test-a", "x"), ("test-b", "x"), ("test-c", "y"))
        )
        made = proposal(root, first, again, other)
        assert [each.after for each in made.changes] == [b"x="]
        assert [each.rule for each in made.done] == ["test-a", "test-b"]

    def test_a_fix_that_conflicts_for_good_is_named(self, tmp_path: Path):
        """A fix whose own edits overlap can't be made."""
        root = project(tmp_path / "p", a__txt="OLD")
        twice = rule("test-x", "OLD", lambda path, _: (Replace(Span(path, 0, 2), "a"), Replace(Span(path, 1, 3), "b")))
        made = proposal(root, twice)
        assert not made
        assert [(each.rule, each.reason) for each in made.skipped] == [("test-x", "it overlaps another fix")]

    def test_a_fix_that_does_not_help_is_made_once(self, tmp_path: Path):
        """A finding that is still there after its fix is named and not fixed again and again."""
        root = project(tmp_path / "p", a__txt="OLD")
        made = proposal(root, swap("test-old", "OLD", "OLD OLD"))
        assert [each.after for each in made.changes] == [b"OLD OLD"]
        assert {each.reason for each in made.skipped} == {"it was made, and the finding is still there"}

    def test_fixes_that_undo_each_other_end(self, tmp_path: Path):
        """The number of rounds is bounded."""
        root = project(tmp_path / "p", a__txt="A")
        made = proposal(root, swap("test-a", "A", "B"), swap("test-b", "B", "A"))
        assert {each.rule for each in made.done} == {"test-a", "test-b"}

    def test_rounds_go_on_until_nothing_changes(self, tmp_path: Path):
        """A fix that makes room for another is followed by it."""
        root = project(tmp_path / "p", a__txt="ONE")
        made = proposal(
            root, swap("test-1", "ONE", "TWO"), swap("test-2", "TWO", "THREE"), swap("test-3", "THREE", "4")
        )
        assert [each.after for each in made.changes] == [b"4"]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        pytest.param("a.py", "x = OLD", "(", id="python"),
        pytest.param("a.yml", "x: OLD", "[", id="yaml"),
        pytest.param("a.YAML", "x: !vault OLD", "a: b: c", id="yaml-with-a-tag"),
        pytest.param("a.toml", "x = 'OLD'", "'", id="toml"),
        pytest.param("a.json", '{"x": "OLD"}', '"', id="json"),
        pytest.param(".env.prod", "X=OLD\n", "'", id="dotenv"),
    ],
)
def test_a_file_that_would_break_is_left_alone(name: str, content: str, text: str, tmp_path: Path):
    """A fix after which the file doesn't parse is not made."""
    root = project(tmp_path / "p")
    (root / name).write_text(content)
    made = proposal(root, swap("test-old", "OLD", text))
    assert not made
    assert [each.reason for each in made.skipped] == [f"{name} would not parse any more"]


@pytest.mark.parametrize(
    ("name", "content", "fixed"),
    [
        pytest.param("a.py", "x = (OLD", False, id="python-that-was-broken"),
        pytest.param("a.env", "'x\nX=OLD\n", True, id="dotenv-goes-on-after-a-bad-line"),
        pytest.param("a.yml", "x: !vault OLD\n", True, id="yaml-with-a-tag"),
        pytest.param("Dockerfile", "FROM OLD", True, id="no-parser"),
        pytest.param("a.py", "x = 'OLD' 'a\\d'", True, id="a-syntax-warning-is-no-error"),
    ],
)  # fmt: skip
def test_files_that_are_odd_already(name: str, content: str, fixed: bool, tmp_path: Path):  # noqa: FBT001
    """What didn't parse before can't be checked, so it isn't fixed; dotenv files and unknown tags are fine."""
    root = project(tmp_path / "p")
    (root / name).write_text(content)
    made = proposal(root, swap("test-old", "OLD", "NEW"))
    assert bool(made) is fixed
    assert [each.reason for each in made.skipped] == ([] if fixed else [f"{name} does not parse"])


class TestAllOrNothing:
    """A fix over several files is made whole or not at all."""

    BOTH = staticmethod(lambda path, match: (Replace(Span(path, *match.span()), "NEW"), Append("notes", "done\n")))

    def test_one_bad_edit_spoils_the_fix(self, tmp_path: Path):
        """The good edit is not made either; another fix of that file is."""
        root = project(tmp_path / "p", a__txt="OLD", b__txt="OLD BAD")

        def edits(path: str, match: re.Match[str]) -> tuple[Edit, ...]:
            good = Replace(Span(path, *match.span()), "NEW")
            return (good, Append("../out", "x")) if path == "b.txt" else (good,)

        bad = rule("test-old", "OLD", edits)
        made = proposal(root, bad, swap("test-bad", "BAD", "GOOD"))
        assert {each.path: each.after for each in made.changes} == {"a.txt": b"NEW", "b.txt": b"OLD GOOD"}
        assert [each.reason for each in made.skipped] == ["../out is not a file of the project"]

    def test_a_file_that_changes_before_the_write(self, tmp_path: Path):
        """Files that share a fix with it are left alone too; all others are written."""
        root = project(tmp_path / "p", a__txt="OLD", b__txt="OLD", c__txt="BAD")
        made = proposal(
            root,
            rule("test-old", "OLD", self.BOTH),
            swap("test-bad", "BAD", "GOOD"),
        )
        (root / "a.txt").write_text("OLD, and mine")
        applied = apply(made)
        assert applied.written == ("c.txt",)
        assert {each.reason for each in applied.skipped} == {"a.txt changed since it was read"}
        assert [each.path for each in applied.skipped] == ["a.txt", "b.txt"]
        assert (root / "a.txt").read_text() == "OLD, and mine"
        assert (root / "b.txt").read_text() == "OLD"
        assert not (root / "notes").exists()

    def test_a_file_in_the_place_of_a_folder(self, tmp_path: Path):
        """A fix that would write below a file is left out; the others are written."""
        root = project(tmp_path / "p", a="OLD", b="BAD")
        made = proposal(
            root, rule("test-old", "OLD", lambda *_: (Render("gitignore", "b/x"),)), swap("test-bad", "BAD", "GOOD")
        )
        assert [each.reason for each in made.skipped] == ["b/x cannot be written: b is no folder"]
        assert apply(made).written == ("b",)

    def test_a_place_that_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """It costs the fixes that need it, and no others."""
        root = project(tmp_path / "p", a__txt="OLD", b__txt="BAD", c__txt="OLD")
        made = proposal(root, swap("test-old", "OLD", "NEW"), swap("test-bad", "BAD", "GOOD"))
        real = tempfile.mkstemp

        def refuse(*, prefix: str, **more: Any) -> tuple[int, str]:
            if prefix == ".b.txt.":
                raise PermissionError(13, "Permission denied")
            return real(prefix=prefix, **more)

        monkeypatch.setattr(tempfile, "mkstemp", refuse)
        applied = apply(made)
        assert applied.written == ("a.txt", "c.txt")
        assert [each.reason for each in applied.skipped] == ["b.txt cannot be written: Permission denied"]
        assert [each.read_text() for each in sorted(root.iterdir())] == ["NEW", "BAD", "NEW"]

    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """If the second file can't be staged, the first is not replaced; nothing is left behind."""
        root = project(tmp_path / "p", a__txt="OLD", b__txt="OLD")
        made = proposal(root, swap("test-old", "OLD", "NEW"))
        real, calls = Path.chmod, []

        def fail(self: Path, mode: int) -> None:
            calls.append(self)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
            real(self, mode)

        monkeypatch.setattr(Path, "chmod", fail)
        with pytest.raises(SourceError, match="No space left"):
            apply(made)
        assert sorted((each.name, each.read_text()) for each in root.iterdir()) == [("a.txt", "OLD"), ("b.txt", "OLD")]


class TestPaths:
    """Only files of the project are touched."""

    @pytest.mark.parametrize(
        "path",
        [
            pytest.param("../x", id="above"),
            pytest.param("/tmp/x", id="absolute"),  # noqa: S108 - a path that is refused
            pytest.param("a/../../x", id="round-about"),
            pytest.param(".git/config", id="git-folder"),
            pytest.param("", id="nothing"),
        ],
    )
    def test_outside(self, path: str, tmp_path: Path):
        """A path that leaves the root, or enters .git, is refused."""
        made = proposal(project(tmp_path / "p", a="OLD"), rule("test-x", "OLD", lambda *_: (Append(path, "x"),)))
        assert not made
        assert [each.reason for each in made.skipped] == [f"{path} is not a file of the project"]

    def test_links(self, tmp_path: Path):
        """Neither a link nor a folder behind one is written through."""
        root, other = project(tmp_path / "p", a="OLD"), project(tmp_path / "other", target="")
        (root / "link").symlink_to(other / "target")
        (root / "folder").symlink_to(other)
        for path in ("link", "folder/target"):
            made = proposal(root, rule("test-x", "OLD", lambda *_, path=path: (Append(path, "x"),)))
            assert [each.reason for each in made.skipped] == [f"{path} is behind a symbolic link"]
        (root / "dir").mkdir()
        made = proposal(root, rule("test-x", "OLD", lambda *_: (Append("dir", "x"),)))
        assert [each.reason for each in made.skipped] == ["dir is not a regular file"]

    def test_a_link_put_there_before_the_write(self, tmp_path: Path):
        """The check is made again when it is written."""
        root, other = project(tmp_path / "p", a="OLD"), project(tmp_path / "other", target="OLD")
        made = proposal(root, swap("test-old", "OLD", "NEW"))
        (root / "a").unlink()
        (root / "a").symlink_to(other / "target")
        assert [each.reason for each in apply(made).skipped] == ["a is behind a symbolic link"]
        assert (other / "target").read_text() == "OLD"

    def test_a_file_that_is_not_there(self, tmp_path: Path):
        """Replacing in a missing file, or past the end of one, is refused."""
        root = project(tmp_path / "p", a="OLD")
        made = proposal(root, rule("test-x", "OLD", lambda *_: (Replace(Span("b", 0, 0), "x"),)))
        assert [each.reason for each in made.skipped] == ["b is not there"]
        made = proposal(root, rule("test-x", "OLD", lambda *_: (Replace(Span("a", 2, 9), "x"),)))
        assert [each.reason for each in made.skipped] == ["a changed since it was read"]

    def test_a_file_that_changed_since_it_was_read(self, tmp_path: Path):
        """What the rules saw has to be what is on disk."""
        root = project(tmp_path / "p", a="OLD, and mine")

        class Stale:
            salt = b""

            def blobs(self) -> Iterator[Blob]:
                return iter(())

            def resolve(self, findings: Any) -> Any:
                return findings

            def snapshot(self) -> MemorySnapshot:
                return MemorySnapshot({"a": "OLD"})

        made = propose(Stale(), root, Policy(), rules=(swap("test-old", "OLD", "NEW"),))  # type: ignore[arg-type]
        assert not made
        assert [each.reason for each in made.skipped] == ["a changed since it was read"]


class TestAppend:
    """Lines at the end of a file."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            pytest.param(None, b"x\ny\n", id="new-file"),
            pytest.param(b"", b"x\ny\n", id="empty-file"),
            pytest.param(b"a\n", b"a\nx\ny\n", id="after-a-line"),
            pytest.param(b"a", b"a\nx\ny\n", id="no-line-end"),
            pytest.param(b"a\r\nb", b"a\r\nb\r\nx\r\ny\r\n", id="windows"),
        ],
    )
    def test_at_the_end(self, before: bytes | None, after: bytes, tmp_path: Path):
        """The file's own line ends are used; a last line without one gets it."""
        root = project(tmp_path / "p", a="OLD", **({} if before is None else {"list": before}))
        apply(proposal(root, rule("test-x", "OLD", lambda *_: (Append("list", "x\ny\n"),))))
        assert (root / "list").read_bytes() == after

    def test_two_findings_want_the_same_line(self, tmp_path: Path):
        """A line is added once; an exception follows what it is from."""
        root = project(tmp_path / "p", a="OLD", b="OLD", c="BAD", list="here\n")
        apply(
            proposal(
                root,
                rule("test-x", "OLD", lambda *_: (Append("list", ".env\n!.env.example\n"),)),
                rule("test-y", "BAD", lambda *_: (Append("list", ".env\n.env.*\n!.env.example\n"),)),
            )
        )
        assert (root / "list").read_text() == "here\n.env\n!.env.example\n.env.*\n!.env.example\n"

    def test_together_with_a_replacement(self, tmp_path: Path):
        """Both kinds of edit of one file go in."""
        root = project(tmp_path / "p", a="OLD\n")
        apply(proposal(root, rule("test-x", "OLD", TestAllOrNothing.BOTH), swap("test-y", "\n", " end\n")))
        assert (root / "a").read_text() == "NEW end\n"


class TestRender:
    """New files from templates."""

    def test_a_new_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """It is written where there is none, folder included, and can be appended to in the same round."""
        monkeypatch.setattr("hardenctl.render.render", lambda name, facts: f"{name}\n{facts.framework}\n")
        root = project(tmp_path / "p", a="OLD")
        made = proposal(
            root, rule("test-x", "OLD", lambda *_: (Render("note", "docs/note"), Append("docs/note", "more\n")))
        )
        assert "--- /dev/null\n+++ b/docs/note\n@@ -0,0 +1,3 @@\n+note\n" in unified(made)
        apply(made)
        assert (root / "docs" / "note").read_text().startswith("note\n")
        assert (root / "docs" / "note").read_text().endswith("\nmore\n")

    def test_a_file_that_is_there(self, tmp_path: Path):
        """Nothing is overwritten."""
        root = project(tmp_path / "p", a="OLD")
        made = proposal(root, rule("test-x", "OLD", lambda *_: (Render("gitignore", "a"),)))
        assert [each.reason for each in made.skipped] == ["a is there already"]

    def test_an_unknown_template(self, tmp_path: Path):
        """A template that can't be filled spoils the fix and nothing else."""
        made = proposal(project(tmp_path / "p", a="OLD"), rule("test-x", "OLD", lambda *_: (Render("nope", "b"),)))
        assert not made
        assert "nope" in made.skipped[0].reason

    def test_two_findings_want_the_same_file(self, tmp_path: Path):
        """It is rendered once."""
        root = project(tmp_path / "p", a="OLD", b="OLD")
        made = proposal(root, rule("test-x", "OLD", lambda *_: (Render("gitignore", ".gitignore"),)))
        assert [each.path for each in made.changes] == [".gitignore"]
        assert len(made.done) == 2


class TestUntrack:
    """Files taken out of the index."""

    def test_it_stays_on_disk(self, make_repository: Callable[..., Any]):
        """Git no longer tracks it, and the file is there still; odd names are taken literally."""
        repository = make_repository({"*.env": "OLD", "b.env": "x", "list": ""})
        untrack = rule("test-x", "OLD", lambda path, _: (Untrack(path), Append("list", path + "\n")))
        (repository.root / "*.env").write_text("OLD, not staged")
        made = proposal(repository.root, untrack)
        assert "# git rm --cached *.env\n" in unified(made)
        applied = apply(made)
        assert applied.untracked == ("*.env",)
        assert repository.git("ls-files").split() == ["b.env", "list"]
        assert (repository.root / "*.env").read_text() == "OLD, not staged"
        assert (repository.root / "list").read_text() == "*.env\n"
        assert len(made.done) == 1

    def test_in_a_folder_of_the_repository(self, make_repository: Callable[..., Any]):
        """Paths count from the folder that is fixed."""
        repository = make_repository({"api/.env": "OLD", ".env": "x"})
        apply(proposal(repository.root / "api", rule("test-x", "OLD", lambda path, _: (Untrack(path),))))
        assert repository.git("ls-files").split() == [".env"]

    @pytest.mark.parametrize("in_git", [pytest.param(True, id="untracked"), pytest.param(False, id="plain-folder")])
    def test_what_git_does_not_track(self, in_git: bool, make_repository: Callable[..., Any], tmp_path: Path):  # noqa: FBT001
        """There is nothing to take out."""
        root = make_repository({}).root if in_git else project(tmp_path / "plain")
        project(root, a="OLD")
        made = proposal(root, rule("test-x", "OLD", lambda path, _: (Untrack(path),)))
        assert not made
        assert [each.reason for each in made.skipped] == ["git does not track a"]

    def test_a_locked_index(self, make_repository: Callable[..., Any]):
        """Git's refusal is an error of ours."""
        repository = make_repository({"a": "OLD"})
        made = proposal(repository.root, rule("test-x", "OLD", lambda path, _: (Untrack(path),)))
        (repository.root / ".git" / "index.lock").touch()
        with pytest.raises(SourceError):
            apply(made)


def test_uncommitted_work_is_named(make_repository: Callable[..., Any], tmp_path: Path):
    """Files to change that git has not seen as they are; clean ones, and plain folders, have none."""
    repository = make_repository({"sub/a": "OLD", "sub/b": "OLD"})
    (repository.root / "sub" / "b").write_text("OLD, changed")
    made = proposal(repository.root / "sub", swap("test-old", "OLD", "NEW"))
    assert uncommitted(made) == ("b",)
    assert uncommitted(dataclasses.replace(made, changes=())) == ()
    plain = project(tmp_path / "plain", a="OLD")
    assert uncommitted(proposal(plain, swap("test-old", "OLD", "NEW"))) == ()


@pytest.mark.parametrize(
    ("before", "prepare", "expected"),
    [
        pytest.param("OLD\r\n", (), (), id="line-breaks-of-a-windows-checkout"),
        pytest.param("OLD\n", ("rm", "--cached", "-q", "a"), ("a",), id="not-tracked-any-more"),
        pytest.param("OLD, staged\n", ("add", "a"), ("a",), id="staged"),
    ],
)
def test_what_counts_as_uncommitted(
    before: str, prepare: tuple[str, ...], expected: tuple[str, ...], make_repository: Callable[..., Any]
):
    """What HEAD does not hold, apart from line breaks that git itself converts."""
    repository = make_repository({"a": "OLD\n"})
    (repository.root / "a").write_bytes(before.encode())
    if prepare:
        repository.git(*prepare)
    assert uncommitted(proposal(repository.root, swap("test-old", "OLD", "NEW"))) == expected


def test_no_program_of_the_repository_is_run(make_repository: Callable[..., Any], tmp_path: Path):
    """Neither a filter nor a hook that the repository's configuration names runs while fixes are looked at and made."""
    repository = make_repository({"a": "OLD", ".gitattributes": "* filter=evil diff=evil\n"})
    (repository.root / "b").write_text("OLD")
    traces = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho ran >>'{traces}'\nexec cat\n")
    program.chmod(0o755)
    (repository.root / ".git/hooks").mkdir(exist_ok=True)
    shutil.copy(program, repository.root / ".git/hooks/post-index-change")
    for key in ("filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "diff.external", "core.fsmonitor"):
        repository.git("config", key, str(program))
    (repository.root / "a").write_text("OLD, touched")  # git would have to filter it to compare it
    made = proposal(repository.root, swap("test-old", "OLD", "NEW"))
    assert uncommitted(made) == ("a", "b")
    assert sorted(apply(made).written) == ["a", "b"]
    assert not traces.exists()
    repository.git("status")
    assert traces.exists(), "the programs are ones that git would run"


class TestDiff:
    """What is shown."""

    def test_it_is_what_git_says(self, make_repository: Callable[..., Any]):
        """Where nothing is secret, the diff is git's own."""
        lines = [f"line {number}" for number in range(40)]
        lines[5] = lines[20] = lines[22] = lines[39] = "OLD"
        repository = make_repository({"a.txt": "\n".join(lines) + "\n", "b.txt": "OLD\n"})
        made = proposal(repository.root, swap("test-old", "OLD", "NEW\nNEWER"))
        shown = unified(made)
        apply(made)
        theirs = repository.git("diff", "--no-color", "--no-renames")
        kept = [line for line in theirs.splitlines() if not line.startswith(("diff --git", "index "))]
        assert shown.splitlines() == [re.sub(r"(@@ .* @@).*", r"\1", line) for line in kept]

    def test_secrets_are_masked_on_every_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """Neither a changed line nor its neighbour shows a secret; a change of a secret is still a change."""
        secret = "s3cr3t" + "v4lue"

        def spans(blob: Blob, _custom: object) -> list[tuple[int, int]]:
            return [match.span() for match in re.finditer(f"{secret}\\d?", blob.text)]

        monkeypatch.setattr("hardenctl.fix.diff.sensitive_spans", spans)
        root = project(tmp_path / "p", a__txt=f"key={secret}\nOLD={secret}1\nlast\n")
        made = proposal(root, swap("test-old", f"OLD={secret}1", f"NEW={secret}2"))
        shown = unified(made)
        assert secret not in shown
        assert shown == (
            "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n key=••••••••\n-OLD=••••••••\n+NEW=••••••••\n last\n"
        )

    def test_a_secret_that_a_fix_moves_is_masked_there_too(self, tmp_path: Path):
        """What was found in one file shows in no other, whatever it looks like there."""
        secret = scramble("moved", 24)
        root = project(tmp_path / "p", a__py=f"PASSWORD = '{secret}'\n", note="")
        made = proposal(
            root, rule("test-x", f"'{secret}'", lambda path, match: (
                Replace(Span(path, *match.span()), "os.environ['P']"), Append("note", f"was {secret} once\n"))),
        )  # fmt: skip
        assert apply(made).written == ("a.py", "note")
        shown = unified(made)
        assert secret[:6] not in shown
        assert "+was •••••••• once" in shown

    def test_control_characters_are_made_visible(self, tmp_path: Path):
        """A file can't send the terminal commands."""
        shown = unified(proposal(project(tmp_path / "p", a__txt=b"OLD\x1b[31m\r\n\x9b\tx"), swap("test-o", "OLD", "N")))
        assert "\x1b" not in shown
        assert "\\x1b[31m" in shown
        assert "\tx" in shown

    def test_binary_files_are_not_shown(self, tmp_path: Path):
        """Bytes that are no text stay out of the diff."""
        root = project(tmp_path / "p", a="OLD")
        made = proposal(root, rule("test-x", "OLD", lambda *_: (Append("a", "\0"),)))
        assert unified(made) == "--- a/a\n+++ b/a\n# binary\n"
