from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.audit import audit
from hardenctl.cli.app import run
from hardenctl.formats.paths import LEDGER
from hardenctl.formats.rotation import RotationLedger, Stamp, parse_ledger, write_ledger
from hardenctl.generate.stamps import Ledger, Place
from hardenctl.model.errors import DocumentError, SourceError
from hardenctl.policy.policy import Policy
from hardenctl.rules import RULES
from hardenctl.rules.fakes import scramble
from hardenctl.sources import open_source

TODAY = datetime.now(UTC).date()
TEXTS = st.text(max_size=12)
STAMPS = st.builds(Stamp, TEXTS, TEXTS, TEXTS, TEXTS, st.dates(), TEXTS)
VALUE = scramble("value", 40)


@pytest.fixture(autouse=True)
def plain_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in a folder of its own, outside git."""
    monkeypatch.chdir(tmp_path)


@given(st.lists(STAMPS, max_size=4), TEXTS)
def test_round_trip(stamps: list[Stamp], nonce: str) -> None:
    """What is written is read again, whatever the names, and each span is where the key stands."""
    text = write_ledger(RotationLedger(LEDGER, nonce, tuple(stamps)))
    read = parse_ledger(text)
    assert sorted(map(repr, read.stamps)) != [] or not stamps
    assert {(s.key, s.place, s.environment, s.kind, s.date, s.fingerprint) for s in read.stamps} == {
        (s.key, s.place, s.environment, s.kind, s.date, s.fingerprint) for s in stamps
    }
    assert read.nonce == nonce
    assert all(json.loads(text[s.span.start : s.span.end]) == s.key for s in read.stamps)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 1, "ledger": "x", "stamps": [{}]}',
        '{"version": 2, "ledger": "x", "stamps": []}',
        '{"version": 1, "ledger": "x", "stamps": [{"key": 1}]}',
    ],
)
def test_damaged_ledger(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A ledger that cannot be read stops `generate` before anything is made."""
    with pytest.raises(DocumentError):
        parse_ledger(text)
    Path(LEDGER).parent.mkdir()
    Path(LEDGER).write_text(text, encoding="utf-8")
    assert run(["generate", "token", "--write", ".env"]) == 2
    assert "rotation ledger" in capsys.readouterr().err
    assert not Path(".env").exists()


def test_what_is_noted() -> None:
    """Key, place, environment, kind and day are noted; of the value only a fingerprint that another ledger has not."""
    ledger = Ledger()
    place = ledger.place_of(Path("deploy/.env.production"))
    assert place == Place("file:deploy/.env.production", "production")
    ledger.stamp("SECRET_KEY", place, VALUE, "secret-key")
    ledger.stamp("SECRET_KEY", Place("github", "prod"), VALUE, "secret-key")
    ledger.stamp("SECRET_KEY", place, VALUE, "secret-key")
    again = Ledger()
    assert [(each.key, each.place, each.environment, each.kind, each.date) for each in again.stamps] == [
        ("SECRET_KEY", "file:deploy/.env.production", "production", "secret-key", TODAY),
        ("SECRET_KEY", "github", "prod", "secret-key", TODAY),
    ]
    assert again.has("SECRET_KEY", place, VALUE)
    assert not again.has("SECRET_KEY", place, VALUE + "x")
    text = Path(LEDGER).read_text(encoding="utf-8")
    assert VALUE not in text
    first = again.stamps[0].fingerprint
    Path(LEDGER).unlink()
    other = Ledger()
    other.stamp("SECRET_KEY", place, VALUE, "secret-key")
    assert other.stamps[0].fingerprint != first


def test_unwritable_ledger() -> None:
    """Where the note cannot be made, the error says that the credential has arrived."""
    ledger = Ledger()
    Path(".hardenctl").write_text("in the way", encoding="utf-8")
    with pytest.raises(SourceError, match="A arrived at github"):
        ledger.stamp("A", Place("github"), VALUE, "token")


def findings(make: Callable[..., Any], stamps: list[Stamp]) -> list[tuple[str, str]]:
    """Severity and message of what an audit with all rules says about a ledger."""
    text = write_ledger(RotationLedger(LEDGER, "0f" * 16, tuple(stamps)))
    report = audit(open_source([make({LEDGER: text}).root]), Policy(), rules=RULES)
    assert report.gaps == ()
    return [
        (each.finding.severity.name, each.finding.message)
        for each in report.findings
        if each.finding.location.path == LEDGER
    ]


def stamp(key: str, place: str, environment: str, day: date = TODAY, value: str = "") -> Stamp:
    """A stamp; the value's name stands for its fingerprint."""
    return Stamp(
        key, place, environment, "token", day, scramble(value or key + place + environment, 32, "0123456789abcdef")
    )


def test_age(make_repository: Callable[..., Any]) -> None:
    """Ninety days are fine, ninety-one are not; nothing else in the ledger bothers any rule."""
    fine = stamp("FRESH_SECRET", "github", "production", TODAY - timedelta(days=90))
    late = stamp("API_TOKEN", "file:.env.prod", "production", TODAY - timedelta(days=91))
    assert findings(make_repository, [fine, late]) == [
        ("LOW", "`API_TOKEN` at `.env.prod` is 91 days old; the policy allows 90")
    ]


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        pytest.param(("github", "staging"), ("github", "production"), True, id="two environments of one platform"),
        pytest.param(("file:.env.stag", "staging"), ("file:.env.prod", "production"), True, id="two files"),
        pytest.param(("github", "production"), ("gcp", "shop-4711"), False, id="names of two platforms don't compare"),
        pytest.param(("file:.env.prod", "production"), ("github", "production"), False, id="a file and its platform"),
        pytest.param(("github", ""), ("github", "production"), False, id="no environment is said"),
    ],
)
def test_shared(
    make_repository: Callable[..., Any], *, first: tuple[str, str], second: tuple[str, str], shared: bool
) -> None:
    """One credential for two environments is a finding of its own."""
    found = findings(make_repository, [stamp("A", *first, value="same"), stamp("A", *second, value="same")])
    assert [severity for severity, _ in found] == (["MEDIUM"] if shared else [])
    assert all("is the same credential as" in message for _, message in found)


def test_damaged_ledger_is_a_gap(make_repository: Callable[..., Any]) -> None:
    """A ledger nobody can read is no all-clear."""
    for content in ("{", b"\0\0\0"):
        repository = make_repository({LEDGER: content}, name=f"r{len(content)}")
        report = audit(open_source([repository.root]), Policy(), rules=RULES)
        assert [gap.path for gap in report.gaps] == [LEDGER]
