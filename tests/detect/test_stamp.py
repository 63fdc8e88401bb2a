"""The stamp: positions, fingerprints, marks, and frames without secrets."""

from __future__ import annotations

import pytest

from hardenctl.detect.redact import BULLETS
from hardenctl.detect.stamp import WIDEST, Stamper
from hardenctl.model.blob import Blob, Provenance
from hardenctl.model.finding import Category, Hit, Related, Severity
from hardenctl.model.text import Span
from hardenctl.rules.declare import Rule
from hardenctl.rules.fakes import scramble
from hardenctl.rules.page import Page
from hardenctl.sources.memory import MemorySnapshot

RULE = Rule("test-rule", Severity.HIGH, Category.SECURITY, Page("A test.\n"))
VALUE = scramble("stamp", 32)


def blob_of(text: str, path: str = "settings.py") -> Blob:
    """A blob of a text."""
    return Blob(Provenance(path), text.encode())


def hit_on(blob: Blob, needle: str, **more: object) -> Hit:
    """A hit whose span is the first occurrence of `needle`."""
    start = blob.text.index(needle)
    return Hit(Span(blob.path, start, start + len(needle)), "message", **more)  # type: ignore[arg-type]


def test_location_counts_from_one_in_characters() -> None:
    """Lines and columns count from 1, and a non-ASCII character is one column."""
    blob = blob_of("é = 1\nüx = bad\n")
    place = Stamper(b"salt").stamp(RULE, hit_on(blob, "bad"), blob).location
    assert (place.line, place.column, place.end_line, place.end_column) == (2, 6, 2, 9)


def test_the_secret_and_its_neighbours_are_masked_in_the_frame() -> None:
    """Neither the value that was found nor one on a neighbouring line is in a finding."""
    neighbour = scramble("neighbour", 32)
    blob = blob_of(f'API_TOKEN = "{neighbour}"\nSECRET_KEY = "{VALUE}"\nDEBUG = False\n')
    finding = Stamper(b"salt").stamp(RULE, hit_on(blob, VALUE, secret=VALUE), blob)
    assert VALUE not in repr(finding)
    assert neighbour not in repr(finding)
    before, line, after = finding.frame
    assert before.text == f'API_TOKEN = "{BULLETS}"'
    assert line.text == f'SECRET_KEY = "{BULLETS}"'
    assert line.caret is not None
    assert line.text[slice(*line.caret)] == BULLETS
    assert after.text == "DEBUG = False"


def test_the_caret_follows_what_masking_moved() -> None:
    """A caret behind a masked value points at the same text as before."""
    blob = blob_of(f'connect(password="{VALUE}", mode=bad)\n')
    (line,) = (each for each in Stamper(b"s").stamp(RULE, hit_on(blob, "bad"), blob).frame if each.caret)
    assert line.caret is not None
    assert line.text[slice(*line.caret)] == "bad"


def test_a_long_line_is_cut_around_the_caret() -> None:
    """A minified bundle's line shows only what is near the finding."""
    blob = blob_of("x" * 5000 + " bad " + "y" * 5000)
    (line,) = Stamper(b"s").stamp(RULE, hit_on(blob, "bad"), blob).frame
    assert len(line.text) == WIDEST
    assert line.caret is not None
    assert line.text[slice(*line.caret)] == "bad"


def test_a_tall_span_shows_its_beginning() -> None:
    """A span of a hundred lines shows five and what surrounds them."""
    blob = blob_of("a\n" + "b\n" * 100)
    finding = Stamper(b"s").stamp(RULE, Hit(Span(blob.path, 2, 202), "message"), blob)
    assert [line.number for line in finding.frame] == [1, 2, 3, 4, 5, 6, 7]


def test_a_secrets_fingerprint_is_of_rule_value_and_salt() -> None:
    """The same leak elsewhere is the same leak; another repository's salt tells nothing of it."""
    first, second = blob_of(f"a = '{VALUE}'", "a.py"), blob_of(f"\n\nb = '{VALUE}'", "b.py")
    stamper = Stamper(b"salt")
    fingerprints = {
        stamper.stamp(RULE, hit_on(first, VALUE, secret=VALUE), first).fingerprint,
        stamper.stamp(RULE, hit_on(second, VALUE, secret=VALUE), second).fingerprint,
    }
    assert len(fingerprints) == 1
    other = Stamper(b"other").stamp(RULE, hit_on(first, VALUE, secret=VALUE), first).fingerprint
    assert other not in fingerprints


def test_other_fingerprints_hold_no_line_and_no_message() -> None:
    """Moving a line changes nothing; another identity does."""
    stamper = Stamper(b"salt")
    one, moved = blob_of("bad"), blob_of("\n\n\nbad")
    same = {
        stamper.stamp(RULE, hit_on(one, "bad", identity="web"), one).fingerprint,
        stamper.stamp(RULE, hit_on(moved, "bad", identity="web"), moved).fingerprint,
    }
    assert len(same) == 1
    assert stamper.stamp(RULE, hit_on(one, "bad", identity="db"), one).fingerprint not in same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("bad  # hardenctl: ignore[test-rule] because", [(("test-rule",), "because")], id="same-line"),
        pytest.param("# hardenctl: ignore[a, b] why\nbad", [(("a", "b"), "why")], id="line-above"),
        pytest.param("# hardenctl: ignore[a] why\n\nbad", [], id="two-above-is-too-far"),
        pytest.param("<!-- hardenctl: ignore[a] html -->\nbad", [(("a",), "html")], id="html-comment"),
        pytest.param("bad /* hardenctl: ignore[a] css */", [(("a",), "css")], id="block-comment"),
        pytest.param("bad /* hardenctl: ignore[a] css */ and more", [(("a",), "css")], id="code-after-a-comment"),
        pytest.param(
            "bad # hardenctl: ignore[a] was password='hunter2' once",
            [(("a",), f"was password='{BULLETS}' once")],
            id="a-secret-in-the-reason",
        ),
        pytest.param("bad # hardenctl: ignore[]", [((), "")], id="empty-brackets-name-nothing"),
        pytest.param(
            "bad # pragma: allowlist secret", [(("secret-",), "marked `pragma: allowlist secret`")], id="pragma"
        ),
        pytest.param("bad // gitleaks:allow", [(("secret-",), "marked `gitleaks:allow`")], id="gitleaks"),
        pytest.param("# nosec\nbad", [], id="others-marks-only-count-on-the-line"),
    ],
)
def test_marks(text: str, expected: list[tuple[tuple[str, ...], str]]) -> None:
    """Inline suppressions are read from the line and the line above, in any comment style."""
    blob = blob_of(text)
    marks = Stamper(b"s").stamp(RULE, hit_on(blob, "bad"), blob).marks
    assert [(mark.rules, mark.reason) for mark in marks] == expected


def test_related_places_in_other_files_are_located() -> None:
    """A related span in another file is resolved through the snapshot; an unknown file is left out."""
    blob = blob_of("bad")
    snapshot = MemorySnapshot({"compose.yml": "a\nb: c\n"})
    hit = hit_on(
        blob,
        "bad",
        related=(
            Related(Span("compose.yml", 2, 3), "set here"),
            Related(Span("gone.yml", 0, 1), "nowhere"),
            Related(Span("settings.py", 0, 3), "itself"),
        ),
    )
    related = Stamper(b"s", snapshot).stamp(RULE, hit, blob).related
    assert [(each.location.path, each.location.line, each.message) for each in related] == [
        ("compose.yml", 2, "set here"),
        ("settings.py", 1, "itself"),
    ]


def test_masks_are_those_of_the_version_at_hand() -> None:
    """Versions come and go, and the next may lie where the last one lay in memory: it is masked by its own secrets."""
    stamper = Stamper(b"salt")
    for number in range(200):
        neighbour = scramble(f"neighbour-{number}", 32)
        blob = blob_of(f'{"#" * (number * 7 % 100)}\nAPI_TOKEN = "{neighbour}"\nSECRET_KEY = "{VALUE}"\n'.ljust(300))
        finding = stamper.stamp(RULE, hit_on(blob, VALUE, secret=VALUE), blob)
        assert VALUE not in repr(finding)
        assert neighbour not in repr(finding)
        del blob
