"""The readiness score: its figures, and what must hold for any findings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.model.blob import Gap, SourceKind, Target
from hardenctl.model.finding import Category, Confidence, Finding, Location, Severity
from hardenctl.model.report import JudgedFinding, Report, Scanned, Score, Status, Verdict
from hardenctl.policy.policy import Policy
from hardenctl.policy.score import Basis, basis, basis_of, gains, score
from hardenctl.rules.declare import Rule
from hardenctl.rules.page import Page

SECURITY, PERFORMANCE, DOCUMENTATION = Category.SECURITY, Category.PERFORMANCE, Category.DOCUMENTATION


def judged(rule: str, severity: Severity, category: Category = SECURITY, status: Status = Status.OPEN) -> JudgedFinding:
    """A judged finding of a rule."""
    where = Location("a", 1, 1, 1, 1)
    found = Finding(rule, severity, Confidence.LIKELY, category, "m", where, "f")
    return JudgedFinding(found, status, severity)


CRITICAL = judged("secret-a", Severity.CRITICAL)
HIGH = judged("secret-b", Severity.HIGH)
MEDIUM = judged("cors-c", Severity.MEDIUM)
LOW = judged("docs-d", Severity.LOW, DOCUMENTATION)
INFO = judged("docs-e", Severity.INFO, DOCUMENTATION)
SLOW = judged("gunicorn-f", Severity.MEDIUM, PERFORMANCE)
EVIDENCE = Basis(load_evidence=True)


@pytest.mark.parametrize(
    ("found", "on", "expected"),
    [
        pytest.param([], EVIDENCE, (10.0, 10.0, 10.0, 10.0), id="nothing-found"),
        pytest.param([], Basis(), (9.4, 10.0, 8.0, 10.0), id="no-load-evidence"),
        pytest.param([SLOW], Basis(), (9.1, 10.0, 7.2, 10.0), id="no-load-evidence-and-a-finding"),
        pytest.param([INFO], EVIDENCE, (10.0, 10.0, 10.0, 10.0), id="info-costs-nothing"),
        pytest.param([LOW], EVIDENCE, (9.9, 10.0, 10.0, 9.7), id="low"),
        pytest.param([MEDIUM], EVIDENCE, (9.5, 9.0, 10.0, 10.0), id="medium"),
        pytest.param([MEDIUM, MEDIUM], EVIDENCE, (9.2, 8.5, 10.0, 10.0), id="the-second-of-a-rule-counts-half"),
        pytest.param([SLOW], EVIDENCE, (9.7, 10.0, 9.0, 10.0), id="performance"),
        pytest.param([HIGH], EVIDENCE, (7.0, 7.0, 10.0, 10.0), id="a-high-finding-caps"),
        pytest.param([CRITICAL], EVIDENCE, (4.0, 4.0, 10.0, 10.0), id="a-critical-finding-caps"),
        pytest.param([CRITICAL] * 90, EVIDENCE, (4.0, 2.8, 10.0, 10.0), id="one-rule-saturates"),
        pytest.param([], Basis(load_evidence=True, gaps=1), (7.0, 7.0, 7.0, 10.0), id="a-gap-caps"),
        pytest.param([MEDIUM], Basis(frozenset({SECURITY})), (9.0, 9.0, None, None), id="overall-of-what-is-known"),
        pytest.param([MEDIUM], Basis(frozenset({DOCUMENTATION})), (10.0, None, None, 10.0), id="not-looked-at"),
        pytest.param([CRITICAL], Basis(frozenset()), (None, None, None, None), id="no-whole-project"),
        pytest.param(
            [judged("secret-a", Severity.CRITICAL, status=status) for status in (Status.SUPPRESSED, Status.BASELINED)],
            EVIDENCE,
            (10.0, 10.0, 10.0, 10.0),
            id="what-was-set-aside-does-not-count",
        ),
    ],
)  # fmt: skip
def test_figures(found: list[JudgedFinding], on: Basis, expected: tuple[float | None, ...]):
    """Overall, security, performance and documentation, as docs/SCORE.md computes them."""
    result = score(found, on)
    assert (result.overall, *(result.categories[each] for each in Category)) == expected


@pytest.mark.parametrize(
    ("found", "on", "note"),
    [
        pytest.param([CRITICAL, HIGH], EVIDENCE, "capped at 4.0 while a critical finding is open", id="critical"),
        pytest.param([HIGH], EVIDENCE, "capped at 7.0 while a high finding is open", id="high"),
        pytest.param([], Basis(gaps=2, load_evidence=True), "capped at 7.0 while something could not be", id="gap"),
        pytest.param([], Basis(), "performance starts at 8.0 without a passing load result", id="no-load"),
        pytest.param([], Basis(frozenset({SECURITY})), "performance is not scored", id="not-scored"),
        pytest.param([], Basis(frozenset(), empty=True), "there is no file to look at", id="no-file"),
        pytest.param([], Basis(frozenset()), "only a whole project has a score", id="no-score"),
        pytest.param(
            [judged("a", Severity.LOW, status=Status.SUPPRESSED)], EVIDENCE, "1 suppressed or baselined", id="aside"
        ),
    ],
)
def test_notes_say_why(found: list[JudgedFinding], on: Basis, note: str):
    """A missing or capped figure, and what doesn't count, is named."""
    assert any(note in each for each in score(found, on).notes)


def test_a_clean_score_needs_no_notes():
    """Nothing is said where there is nothing to say."""
    assert score([], EVIDENCE).notes == ()


class TestGains:
    """What each fix would add."""

    def test_largest_first(self):
        """One entry a rule, the one that adds most first; a second capping rule adds little on its own."""
        first, *others = gains([CRITICAL, CRITICAL, MEDIUM, LOW], EVIDENCE)
        assert (first.rule, first.findings, first.severity) == ("secret-a", 2, Severity.CRITICAL)
        assert first.overall == pytest.approx(5.4)
        assert [each.rule for each in others] == ["cors-c", "docs-d"]

    def test_what_is_not_scored_adds_nothing(self):
        """Findings of a category that isn't scored, and those set aside, are no gains."""
        aside = judged("secret-z", Severity.HIGH, status=Status.BASELINED)
        assert gains([SLOW, aside], Basis(frozenset({SECURITY}))) == []
        assert gains([HIGH], Basis(frozenset())) == []


findings = st.builds(
    judged,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(Severity),
    st.sampled_from(Category),
    st.sampled_from(Status),
)
bases = st.builds(Basis, st.frozensets(st.sampled_from(Category)), st.integers(0, 2), st.booleans())


def figures(result: Score) -> list[float]:
    """All figures, a missing one as nothing at all."""
    return [-1.0 if each is None else each for each in (result.overall, *result.categories.values())]


@given(st.lists(findings), findings, bases)
def test_a_finding_never_raises_and_a_fix_never_lowers(found: list[JudgedFinding], more: JudgedFinding, on: Basis):
    """With one finding more no figure is higher; all stay within 0 and 10."""
    before, after = score(found, on), score([*found, more], on)
    assert all(low <= high for low, high in zip(figures(after), figures(before), strict=True))
    assert all(value is None or 0 <= value <= 10 for value in (after.overall, *after.categories.values()))
    assert all(gain.overall >= 0 and gain.in_category >= 0 for gain in gains([*found, more], on))


@given(st.lists(findings), bases)
def test_order_does_not_matter(found: list[JudgedFinding], on: Basis):
    """The score is of a set of findings, however they are listed."""
    assert score(found, on) == score(list(reversed(found)), on)


@given(st.lists(findings), bases)
def test_an_open_finding_is_never_a_ten(found: list[JudgedFinding], on: Basis):
    """A category with an open finding above info stays below 10."""
    result = score(found, on)
    for each in found:
        value = result.categories[each.finding.category]
        if value is not None and each.status is Status.OPEN and each.severity > Severity.INFO:
            assert value < 10


RULES = tuple(
    Rule(id_, Severity.LOW, category, Page("t"))
    for id_, category in {
        "cors-a": SECURITY,
        "secret-b": SECURITY,
        "gunicorn-c": PERFORMANCE,
        "docs-d": DOCUMENTATION,
    }.items()
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, set(Category), id="a-whole-project"),
        pytest.param({"whole": False}, set(), id="named-files"),
        pytest.param({"files": 0}, set(), id="nothing-there"),
        pytest.param({"kind": SourceKind.INDEX}, set(), id="staged"),
        pytest.param({"kind": SourceKind.STDIN}, set(), id="standard-input"),
        pytest.param({"kind": SourceKind.RANGE}, set(), id="since"),
        pytest.param({"servers": False}, {SECURITY, DOCUMENTATION}, id="no-server-to-judge"),
        pytest.param({"policy": Policy(select=("docs",))}, {DOCUMENTATION}, id="select"),
        pytest.param({"policy": Policy(ignore=("secret",))}, {PERFORMANCE, DOCUMENTATION}, id="ignore"),
        pytest.param({"ran": RULES[:2]}, {SECURITY}, id="one-subject-alone"),
        pytest.param({"policy": Policy(rules={"secret-b": None})}, set(Category), id="off-by-policy-is-a-decision"),
    ],
)
def test_what_was_looked_at(changes: dict[str, Any], expected: set[Category], monkeypatch: pytest.MonkeyPatch):
    """Only a whole project is scored, and only in categories all of whose rules ran."""
    monkeypatch.setattr("hardenctl.rules.RULES", RULES)
    values: dict[str, Any] = {"kind": SourceKind.WORKTREE, "policy": Policy(), "ran": RULES, **changes}
    options = {"whole": True, "gaps": 0, "servers": True, "files": 1, **values}
    result = basis(options.pop("kind"), options.pop("policy"), options.pop("ran"), **options)
    assert result.categories == expected
    assert result.complete is (set(changes) <= {"servers"} or changes.get("policy") == Policy(rules={"secret-b": None}))


def test_a_gap_is_not_complete(monkeypatch: pytest.MonkeyPatch):
    """Where something could not be looked at, finding nothing means nothing."""
    monkeypatch.setattr("hardenctl.rules.RULES", RULES)
    options = {"whole": True, "servers": True, "files": 1}
    assert basis(SourceKind.WORKTREE, Policy(), RULES, gaps=0, **options).complete
    assert not basis(SourceKind.WORKTREE, Policy(), RULES, gaps=1, **options).complete


@pytest.mark.parametrize("load_evidence", [False, True])
def test_the_basis_of_a_report(load_evidence: bool):  # noqa: FBT001
    """A report says what its score rests on."""
    on = Basis(frozenset({SECURITY}), 1, load_evidence)
    report = Report(
        Target(".", SourceKind.WORKTREE), (HIGH,), (Gap("a", "r"),), Scanned(), score([HIGH], on), Verdict.FAIL, None
    )
    assert basis_of(report) == on
