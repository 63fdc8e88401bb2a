"""The load rules, and what the score makes of stored results."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hardenctl.audit import audit
from hardenctl.model.finding import Category
from hardenctl.model.report import Report
from hardenctl.policy.policy import Policy, Suppression
from hardenctl.sources import open_source

SERVICE = {"Procfile": "web: gunicorn main:app --workers 2\n"}


def result(scenario: str, verdict: str = "pass", *, days: int = 0, **changes: Any) -> dict[str, str]:
    """A file with a result, that old."""
    outcome = changes.pop("outcome", verdict)
    data = {
        "schema_version": 1,
        "kind": "load-evidence",
        "scenario": scenario,
        "verdict": verdict,
        "date": (datetime.now(UTC) - timedelta(days=days)).isoformat(),
        "requests": 100,
        "failures": 0,
        "gates": [{"gate": "p95<300ms", "target": 300, "value": 1, "outcome": outcome}],
        **changes,
    }
    return {f".hardenctl/load/{scenario}.json": json.dumps(data)}


Audit = Callable[..., Report]


@pytest.fixture
def audited(make_repository: Callable[..., Any]) -> Audit:
    """Audit files in a repository."""

    def call(files: dict[str, str], policy: Policy = Policy()) -> Report:  # noqa: B008 - frozen
        return audit(open_source([make_repository(files).root]), policy)

    return call


@pytest.mark.parametrize(
    ("files", "rules", "evidence"),
    [
        pytest.param({}, {"load-no-evidence"}, False, id="nothing"),
        pytest.param(result("normal"), set(), True, id="passed"),
        pytest.param(result("normal", days=90), set(), True, id="90-days"),
        pytest.param(result("normal", days=91), {"load-evidence-stale"}, False, id="91-days"),
        pytest.param(result("normal", days=91) | result("peak"), set(), True, id="the-newest-counts"),
        pytest.param(result("normal", "fail"), {"load-target-missed"}, False, id="missed"),
        pytest.param(
            result("normal", "fail", days=91),
            {"load-target-missed", "load-evidence-stale"},
            False,
            id="both",
        ),
        pytest.param(result("normal") | result("peak", "fail"), {"load-target-missed"}, True, id="one-of-two"),
        pytest.param(result("normal", "inconclusive"), {"load-no-evidence"}, False, id="inconclusive"),
        pytest.param(result("stress", "fail", held_users=300), set(), False, id="stress-found-the-limit"),
        pytest.param(result("normal", days=91) | result("peak", "inconclusive"), set(), False, id="old-and-unclear"),
    ],
)
def test_what_results_say(audited: Audit, files: dict[str, str], rules: set[str], evidence: bool) -> None:  # noqa: FBT001
    """Each state has its own finding; only a fresh pass lifts where performance starts."""
    report = audited(SERVICE | files)
    found = {each.finding.rule for each in report.open}
    assert {each for each in found if each.startswith("load-")} == rules
    assert report.score.load_evidence is evidence
    assert any("without a passing load result" in note for note in report.score.notes) is not evidence
    assert not [each for each in found if each.startswith("secret-")]


def test_a_library_needs_no_load_result(audited: Audit) -> None:
    """What is never deployed holds no load."""
    report = audited({"pkg/__init__.py": "import flask\n"})
    assert not [each for each in report.open if each.finding.rule.startswith("load-")]


def test_a_missed_target_names_its_gates(audited: Audit) -> None:
    """And a run that failed without one says that it failed."""
    report = audited(SERVICE | result("peak", "fail") | result("normal", "fail", outcome="not measured"))
    messages = {each.finding.message for each in report.open if each.finding.rule == "load-target-missed"}
    assert messages == {
        "the last load run of `peak` missed `p95<300ms`",
        "the last load run of `normal` failed",
    }


def test_a_damaged_result_is_a_gap_and_no_evidence(audited: Audit) -> None:
    """It is neither a result nor the lack of one."""
    report = audited(SERVICE | {".hardenctl/load/normal.json": "{"})
    assert [each.path for each in report.gaps] == [".hardenctl/load/normal.json"]
    assert not [each for each in report.open if each.finding.rule == "load-no-evidence"]
    assert not report.score.load_evidence


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(Policy(rules={"load": None}), id="off"),
        pytest.param(Policy(suppressions=(Suppression("load", "not now"),)), id="suppressed"),
    ],
)
def test_policy_cannot_declare_evidence(audited: Audit, policy: Policy) -> None:
    """Silencing the rules doesn't show that the service holds its load."""
    for files in ({}, result("normal", "fail"), result("normal", days=200)):
        score = audited(SERVICE | files, policy).score
        assert not score.load_evidence
        performance = score.categories[Category.PERFORMANCE]
        assert performance is not None
        assert performance <= 8.0
