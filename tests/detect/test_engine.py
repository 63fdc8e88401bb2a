"""The engine: crashes are gaps, ignored files are no leak, findings stay in scope."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pytest

from hardenctl.detect import config, engine
from hardenctl.model.blob import Blob, Gap, Provenance, Snapshot, SourceKind, Standing, Target
from hardenctl.model.errors import DocumentError
from hardenctl.model.finding import Category, Finding, Hit, Severity
from hardenctl.model.settings import Settings
from hardenctl.model.text import Span
from hardenctl.rules.declare import DocumentRule, Rule
from hardenctl.rules.page import Page
from hardenctl.sources.memory import MemorySnapshot

PAGE = Page("A test.\n")
SECRET_RULE = Rule("secret-test", Severity.HIGH, Category.SECURITY, PAGE)


class Note:
    """A document."""

    path = "note.txt"


def note_rule(check: object) -> DocumentRule:
    """A rule on notes."""
    return DocumentRule("note-bad", Severity.LOW, Category.SECURITY, PAGE, Note, check)  # type: ignore[arg-type]


class NoteReader:
    """Reads one note wherever there is a text file."""

    documents = ("Note",)

    def __init__(self, *results: object) -> None:
        self.results = results

    def is_wanted(self, snapshot: Snapshot, scope: Collection[str]) -> bool:
        """Text files only."""
        del snapshot
        return any(path.endswith(".txt") for path in scope)

    def read(self, snapshot: Snapshot) -> Iterator[object]:
        """What the test wants."""
        del snapshot
        for each in self.results:
            if isinstance(each, Exception):
                raise each
            yield each


class ListSource:
    """A source of given blobs."""

    salt = b"salt"
    target = Target(".", SourceKind.WORKTREE)

    def __init__(self, *blobs: Blob | Gap) -> None:
        self._blobs = blobs

    def blobs(self) -> Iterator[Blob | Gap]:
        """The given ones."""
        return iter(self._blobs)

    def snapshot(self) -> Snapshot | None:
        """All of them."""
        return MemorySnapshot({each.path: each.data for each in self._blobs if isinstance(each, Blob)})

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Nothing to add."""
        return findings


def found(reader: NoteReader, check: object, monkeypatch: pytest.MonkeyPatch, **files: str) -> list[object]:
    """What the config detector says."""
    monkeypatch.setattr(config, "READERS", (reader,))
    snapshot = MemorySnapshot({name.replace("_", "."): text for name, text in (files or {"note_txt": "x"}).items()})
    return list(config.detect_config(snapshot, [note_rule(check)], Settings()))


def bad(note: Note) -> Iterator[Hit]:
    """Always bad."""
    yield Hit(Span(note.path, 0, 1), "bad")


def crash(note: Note) -> Iterator[Hit]:
    """Crashes, with a value in the message that must not show."""
    del note
    raise ValueError("hunter2 is the value")
    yield


def test_a_document_reaches_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's document is judged by the rules on its class."""
    ((rule, hit),) = found(NoteReader(Note()), bad, monkeypatch)  # type: ignore[misc]
    assert (rule.id, hit.message) == ("note-bad", "bad")


def test_a_crashing_rule_is_a_gap_without_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule's crash is one gap, which names the rule and the type and nothing a value could be in."""
    (gap,) = found(NoteReader(Note()), crash, monkeypatch)
    assert isinstance(gap, Gap)
    assert "note-bad" in gap.reason
    assert "ValueError" in gap.reason
    assert "hunter2" not in gap.reason


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        pytest.param(RuntimeError("hunter2"), "Note could not be read: RuntimeError", id="crash"),
        pytest.param(DocumentError("line 3: no colon"), "line 3: no colon", id="document-error"),
        pytest.param(Gap("note.txt", "unreadable"), "unreadable", id="gap"),
    ],
)
def test_what_a_reader_cannot_read_is_a_gap(result: object, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that fails leaves a gap, and what it read before still counts."""
    hit, gap = found(NoteReader(Note(), result), bad, monkeypatch)
    assert isinstance(hit, tuple)
    assert isinstance(gap, Gap)
    assert gap.reason == reason


def test_a_reader_no_path_concerns_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the hook path a reader whose files aren't staged costs nothing."""
    assert found(NoteReader(RuntimeError("never read")), bad, monkeypatch, app_py="x") == []


def test_a_crash_of_the_secret_scan_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose scan crashes is said, the others are looked at, and ignored files are none of a leak."""
    seen = []

    def scan(blob: Blob, rules: frozenset[str], *_: object) -> Iterator[tuple[Rule, Hit]]:
        assert rules == {"secret-test"}
        seen.append(blob.path)
        if blob.path == "a":
            raise MemoryError
        yield SECRET_RULE, Hit(Span(blob.path, 0, 1), "found", secret="x")  # noqa: S106 - made up

    monkeypatch.setattr("hardenctl.detect.look.detect_secrets", scan)
    monkeypatch.setattr("hardenctl.detect.look.FirstLook.is_enough", lambda *_: False)
    source = ListSource(
        Blob(Provenance("a"), b"1"),
        Gap("b", "permission denied"),
        Blob(Provenance("c"), b"22"),
        Blob(Provenance(".env", standing=Standing.IGNORED), b"333"),
    )
    looked_at: list[str] = []
    detection = engine.detect(source, [SECRET_RULE], Settings(), lambda blob: looked_at.append(blob.path))
    assert seen == ["a", "c"]
    assert looked_at == ["a", "c", ".env"]
    assert [finding.location.path for finding in detection.findings] == ["c"]
    assert [(gap.path, gap.reason) for gap in detection.gaps] == [
        ("a", "the secret scan crashed: MemoryError"),
        ("b", "permission denied"),
    ]
    assert (detection.scanned.files, detection.scanned.bytes) == (3, 6)
