"""What policy makes of findings: each gets a status and its effective severity; none is dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from hardenctl.model.blob import Gap
from hardenctl.model.finding import Finding
from hardenctl.model.glob import glob_match
from hardenctl.model.report import JudgedFinding, Status, Verdict
from hardenctl.policy.policy import Policy, matches


def judge(
    findings: Iterable[Finding],
    policy: Policy,
    *,
    baseline: Collection[str] = (),
    today: dt.date | None = None,
) -> tuple[JudgedFinding, ...]:
    """Judge findings, most severe first within a path. `baseline` holds the fingerprints that are accepted for now."""
    today = today or dt.datetime.now(tz=dt.UTC).date()
    judged = [_judge_one(finding, policy, baseline, today) for finding in findings]
    return tuple(sorted((each for each in judged if each), key=_order))


def verdict(judged: Iterable[JudgedFinding], gaps: Collection[Gap], policy: Policy, *, allow_gaps: bool) -> Verdict:
    """Failed beats gaps, gaps beat passed."""
    if policy.fail_on is not None and any(
        each.status is Status.OPEN and each.severity >= policy.fail_on for each in judged
    ):
        return Verdict.FAIL
    return Verdict.INCOMPLETE if gaps and not allow_gaps else Verdict.PASS


def _judge_one(finding: Finding, policy: Policy, baseline: Collection[str], today: dt.date) -> JudgedFinding | None:
    severity = policy.severity(finding.rule, finding.severity)
    if severity is None:
        return None
    if not policy.no_ignores:
        for mark in finding.marks:
            if matches(finding.rule, mark.rules):
                return JudgedFinding(finding, Status.SUPPRESSED, severity, mark.reason or "no reason given")
        for each in policy.suppressions:
            if (
                matches(finding.rule, (each.rule,))
                and glob_match(finding.location.path, each.path)
                and (each.expires is None or today <= each.expires)
            ):
                return JudgedFinding(finding, Status.SUPPRESSED, severity, each.reason)
        if finding.fingerprint in baseline:
            return JudgedFinding(finding, Status.BASELINED, severity, "in the baseline")
    return JudgedFinding(finding, Status.OPEN, severity)


def _order(judged: JudgedFinding) -> tuple[object, ...]:
    location = judged.finding.location
    return (-judged.severity, location.path, location.line, location.column, judged.finding.rule)
