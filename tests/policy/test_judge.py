"""What policy makes of findings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hardenctl.detect.stamp import Stamper
from hardenctl.model.blob import Blob, Gap, Provenance
from hardenctl.model.finding import Category, Confidence, Finding, Hit, Location, Mark, Severity
from hardenctl.model.report import Status, Verdict
from hardenctl.model.text import Span
from hardenctl.policy.judge import judge, notes, verdict
from hardenctl.policy.policy import Policy, Suppression
from hardenctl.rules.declare import Rule
from hardenctl.rules.page import Page

TODAY = dt.date(2026, 11, 23)


def finding(rule: str = "cors-any-origin", **changes: Any) -> Finding:
    """A finding of medium severity in main.py."""
    values: dict[str, Any] = {
        "severity": Severity.MEDIUM,
        "confidence": Confidence.LIKELY,
        "category": Category.SECURITY,
        "message": "m",
        "location": Location("main.py", 3, 1, 3, 5),
        "fingerprint": "f",
        **changes,
    }
    return Finding(rule, **values)


def mark(*rules: str, reason: str = "why", tool: str = "hardenctl") -> Mark:
    """A mark on line 3."""
    return Mark(rules, reason, 3, tool)


@pytest.mark.parametrize(
    ("given", "policy", "status", "reason"),
    [
        pytest.param(finding(), Policy(), Status.OPEN, "", id="open"),
        pytest.param(finding(marks=(mark("cors-any-origin"),)), Policy(), Status.SUPPRESSED, "why", id="mark"),
        pytest.param(finding(marks=(mark("cors"),)), Policy(), Status.SUPPRESSED, "why", id="mark-prefix"),
        pytest.param(finding(marks=(mark("cor"),)), Policy(), Status.OPEN, "", id="mark-no-word-boundary"),
        pytest.param(finding(marks=(mark(),)), Policy(), Status.OPEN, "", id="empty-brackets-mean-nothing"),
        pytest.param(
            finding(marks=(mark("cors", reason=""),)), Policy(), Status.SUPPRESSED, "no reason given", id="no-reason"
        ),
        pytest.param(
            finding(marks=(mark("secret-", tool="other"),)), Policy(), Status.OPEN, "", id="marks-of-others"
        ),
        pytest.param(
            finding("secret-jwt", marks=(mark("secret-", tool="other"),)), Policy(), Status.SUPPRESSED, "why", id="no"
        ),
        pytest.param(
            finding(), Policy(suppressions=(Suppression("cors", "r", "*.py"),)), Status.SUPPRESSED, "r", id="policy"
        ),
        pytest.param(
            finding(), Policy(suppressions=(Suppression("cors", "r", "web/**"),)), Status.OPEN, "", id="another-path"
        ),
        pytest.param(
            finding(),
            Policy(suppressions=(Suppression("cors", "r", expires=TODAY),)),
            Status.SUPPRESSED,
            "r",
            id="the-last-day-counts",
        ),
        pytest.param(
            finding(),
            Policy(suppressions=(Suppression("cors", "r", expires=TODAY - dt.timedelta(days=1)),)),
            Status.OPEN,
            "",
            id="expired",
        ),
        pytest.param(
            finding(),
            Policy(suppressions=(Suppression("cors", "r", expires=dt.date.max),)),
            Status.SUPPRESSED,
            "r",
            id="far",
        ),
        pytest.param(finding(fingerprint="known"), Policy(), Status.BASELINED, "in the baseline", id="baseline"),
        pytest.param(
            finding(fingerprint="known", marks=(mark("cors"),)),
            Policy(suppressions=(Suppression("cors", "r"),), no_ignores=True),
            Status.OPEN,
            "",
            id="no-ignores-overrides-all",
        ),
    ],
)  # fmt: skip
def test_status(given: Finding, policy: Policy, status: Status, reason: str):
    """A mark, the policy or the baseline sets a finding aside, and says why."""
    (judged,) = judge([given], policy, baseline={"known"}, today=TODAY)
    assert (judged.status, judged.reason) == (status, reason)


@pytest.mark.parametrize(
    ("rules", "severity"),
    [
        pytest.param({}, Severity.MEDIUM, id="the-finding's-own"),
        pytest.param({"cors": Severity.LOW}, Severity.LOW, id="prefix"),
        pytest.param({"cors": Severity.LOW, "cors-any-origin": Severity.HIGH}, Severity.HIGH, id="longest-wins"),
        pytest.param({"cors": None}, None, id="off"),
        pytest.param({"cors": None, "cors-any": Severity.INFO}, Severity.INFO, id="off-but-for-some"),
    ],
)
def test_severity(rules: dict[str, Severity | None], severity: Severity | None):
    """The policy's severity for a rule replaces the finding's; off means there is no finding."""
    judged = judge([finding()], Policy(rules=rules), today=TODAY)
    assert [each.severity for each in judged] == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("fail_on", "gaps", "allow_gaps", "expected"),
    [
        pytest.param(Severity.MEDIUM, [], False, Verdict.FAIL, id="at-the-gate"),
        pytest.param(Severity.HIGH, [], False, Verdict.PASS, id="below-the-gate"),
        pytest.param(None, [], False, Verdict.PASS, id="never"),
        pytest.param(Severity.HIGH, [Gap("a", "r")], False, Verdict.INCOMPLETE, id="gap"),
        pytest.param(Severity.HIGH, [Gap("a", "r")], True, Verdict.PASS, id="allowed-gap"),
        pytest.param(Severity.MEDIUM, [Gap("a", "r")], False, Verdict.FAIL, id="failed-beats-gaps"),
    ],
)
def test_verdict(fail_on: Severity | None, gaps: list[Gap], allow_gaps: bool, expected: Verdict):  # noqa: FBT001
    """Failed beats gaps, gaps beat passed; only open findings count."""
    policy = Policy(fail_on=fail_on)
    aside = finding(severity=Severity.CRITICAL, fingerprint="known")
    judged = judge([finding(), aside], policy, baseline={"known"}, today=TODAY)
    assert verdict(judged, gaps, policy, allow_gaps=allow_gaps) is expected


def test_order():
    """The most severe come first, then by place."""
    judged = judge(
        [
            finding(location=Location("b.py", 1, 1, 1, 1)),
            finding(location=Location("a.py", 2, 1, 2, 1)),
            finding(location=Location("a.py", 1, 1, 1, 1)),
            finding(severity=Severity.HIGH, location=Location("z.py", 9, 1, 9, 1)),
        ],
        Policy(),
        today=TODAY,
    )
    assert [(each.finding.location.path, each.finding.location.line) for each in judged] == [
        ("z.py", 9), ("a.py", 1), ("a.py", 2), ("b.py", 1),
    ]  # fmt: skip


class TestNotes:
    """What is stale is said."""

    def test_an_expired_suppression(self):
        """It is said that it expired and what counts again, whatever was looked at."""
        old = Suppression("cors", "r", expires=dt.date(2026, 1, 1))
        policy = Policy(suppressions=(old,))
        (note,) = notes(judge([finding()], policy, today=TODAY), policy, complete=False, today=TODAY)
        assert note == "the suppression of `cors` at `**` expired on 2026-01-01; 1 finding counts again"
        (note,) = notes([], policy, complete=False, today=TODAY)
        assert note.endswith("expired on 2026-01-01")

    def test_a_suppression_of_nothing(self):
        """One that matches nothing is stale, but only if every rule looked at everything."""
        policy = Policy(suppressions=(Suppression("cors", "r", "x"),))
        judged = judge([finding()], policy, today=TODAY)
        assert notes(judged, policy, complete=False, today=TODAY) == ()
        assert notes(judged, policy, complete=True, today=TODAY) == (
            "the suppression of `cors` at `x` matches nothing: remove it",
        )

    def test_a_mark_for_another_rule(self):
        """A mark that none of the findings beside it answers to is named once."""
        stale, used, theirs = mark("docs"), mark("cors"), mark("secret-", tool="other")
        judged = judge([finding(marks=(stale, used, theirs)), finding(marks=(stale,))], Policy(), today=TODAY)
        assert notes(judged, Policy(), complete=True, today=TODAY) == (
            "main.py:3: ignore[docs] names no rule that is found there",
        )
        assert notes(judged, Policy(), complete=False, today=TODAY) == (), "the rule may not have run"

    def test_a_mark_for_no_rule(self):
        """A misspelt rule, or none at all, is said whatever was looked at."""
        judged = judge([finding(marks=(mark("crs"), mark()))], Policy(), today=TODAY)
        assert notes(judged, Policy(), complete=False, today=TODAY) == (
            "main.py:3: ignore[crs] names no rule there is",
            "main.py:3: ignore[] names no rule there is",
        )


SECRET = Rule("secret-jwt", Severity.HIGH, Category.SECURITY, Page("t"))


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        pytest.param("x = 1  # hardenctl: ignore[secret-jwt] why\n", ["secret-jwt"], id="same-line"),
        pytest.param("# hardenctl: ignore[secret, cors] why\nx = 1\n", ["secret", "cors"], id="line-above"),
        pytest.param("  // hardenctl: ignore[secret] why\nx = 1\n", ["secret"], id="slashes"),
        pytest.param("<!-- hardenctl: ignore[secret] why -->\nx = 1\n", ["secret"], id="markup"),
        pytest.param("/* hardenctl: ignore[secret] why */\nx = 1\n", ["secret"], id="block"),
        pytest.param("-- hardenctl: ignore[secret] why\nx = 1\n", ["secret"], id="sql"),
        pytest.param("; hardenctl: ignore[secret] why\nx = 1\n", ["secret"], id="ini"),
        pytest.param("REM hardenctl: ignore[secret] why\nx = 1\n", ["secret"], id="batch"),
        pytest.param(
            "y = 2  # hardenctl: ignore[secret] why\nx = 1\n", [], id="a-mark-behind-the-code-above-is-its-own"
        ),
        pytest.param("# hardenctl: ignore[secret] why\n\nx = 1\n", [], id="two-lines-above"),
        pytest.param("# hardenctl: ignore[] why\nx = 1\n", [], id="empty"),
        pytest.param("x = 1\n# hardenctl: ignore[secret] why\n", [], id="below"),
    ],
)
def test_marks_in_any_comment_style(text: str, rules: list[str]):
    """A mark counts on the line, or alone on the line above, whatever the comment's syntax."""
    start = text.index("x = 1")
    blob = Blob(Provenance("main.py"), text.encode())
    stamped = Stamper(b"salt").stamp(SECRET, Hit(Span("main.py", start, start + 5), "m"), blob)
    assert [name for each in stamped.marks for name in each.rules] == rules
    assert {each.reason for each in stamped.marks} <= {"why"}
