"""What policy makes of findings: each gets a status and its effective severity; none is dropped."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from typing import TYPE_CHECKING

from hardenctl.model.blob import Gap
from hardenctl.model.finding import Finding, Mark
from hardenctl.model.glob import glob_match
from hardenctl.model.report import JudgedFinding, Status, Verdict
from hardenctl.policy.names import is_known, known_ids
from hardenctl.policy.policy import Policy, Suppression, matches

if TYPE_CHECKING:
    import datetime as dt


def judge(
    findings: Iterable[Finding],
    policy: Policy,
    *,
    baseline: Collection[str] = (),
    before: Container[str] = (),
    today: dt.date | None = None,
) -> tuple[JudgedFinding, ...]:
    """Judge findings, most severe first within a path. `baseline` holds the fingerprints that are accepted for now.

    `before` holds those of what stood there before; it is only asked of findings that count otherwise.
    """
    judged = [_judge_one(finding, policy, baseline, before, today) for finding in findings]
    return tuple(sorted((each for each in judged if each), key=_order))


def verdict(judged: Iterable[JudgedFinding], gaps: Collection[Gap], policy: Policy, *, allow_gaps: bool) -> Verdict:
    """Failed beats gaps, gaps beat passed."""
    if policy.fail_on is not None and any(
        each.status is Status.OPEN and each.severity >= policy.fail_on for each in judged
    ):
        return Verdict.FAIL
    return Verdict.INCOMPLETE if gaps and not allow_gaps else Verdict.PASS


def notes(
    judged: Iterable[JudgedFinding], policy: Policy, *, complete: bool, today: dt.date | None = None
) -> tuple[str, ...]:
    """What is stale: suppressions that have expired or match nothing, marks that name another rule than is found.

    `complete` says that every rule looked at all there is: only then is a suppression that matches nothing a stale one.
    """
    findings = [each.finding for each in judged]
    said = []
    for each in policy.suppressions:
        count = sum(_applies(each, finding) for finding in findings)
        where = f"the suppression of `{each.rule}` at `{each.path}`"
        if _is_over(each, today):
            again = f"; {count} {'finding counts' if count == 1 else 'findings count'} again" if count else ""
            said.append(f"{where} expired on {each.expires}{again}")
        elif complete and not count:
            said.append(f"{where} matches nothing: remove it")
    by_mark: dict[tuple[str, Mark], bool] = {}
    for finding in findings:
        for mark in finding.marks:
            key = (finding.location.path, mark)
            by_mark[key] = by_mark.get(key, False) or matches(finding.rule, mark.rules)
    unused = [key for key, used in by_mark.items() if not used and key[1].tool == "hardenctl"]
    ids = known_ids() if unused else ()
    for path, mark in unused:
        unknown = not any(is_known(each, ids) for each in mark.rules)
        if complete or unknown:
            what = "no rule there is" if unknown else "no rule that is found there"
            said.append(f"{path}:{mark.line}: ignore[{', '.join(mark.rules)}] names {what}")
    return tuple(dict.fromkeys(said))


def _judge_one(
    finding: Finding, policy: Policy, baseline: Collection[str], before: Container[str], today: dt.date | None
) -> JudgedFinding | None:
    severity = policy.severity(finding.rule, finding.severity)
    if severity is None:
        return None
    status, reason = Status.OPEN, ""
    if not policy.no_ignores:
        status, reason = _set_aside(finding, policy, baseline, today)
    if status is Status.OPEN and finding.fingerprint in before:
        status, reason = Status.BASELINED, "was there before"
    return JudgedFinding(finding, status, severity, reason)


def _set_aside(
    finding: Finding, policy: Policy, baseline: Collection[str], today: dt.date | None
) -> tuple[Status, str]:
    """Whether a mark, the policy or the baseline says that a finding doesn't count, in this order, and why."""
    for mark in finding.marks:
        if (policy.marks or mark.tool == "policy") and matches(finding.rule, mark.rules):
            return Status.SUPPRESSED, mark.reason or "no reason given"
    for each in policy.suppressions:
        if _applies(each, finding) and not _is_over(each, today):
            return Status.SUPPRESSED, each.reason
    if finding.fingerprint in baseline:
        return Status.BASELINED, "in the baseline"
    return Status.OPEN, ""


def _is_over(suppression: Suppression, today: dt.date | None) -> bool:
    if suppression.expires is None:
        return False
    import datetime as dt  # here: most policies hold no date

    return (today or dt.datetime.now(tz=dt.UTC).date()) > suppression.expires


def _applies(suppression: Suppression, finding: Finding) -> bool:
    return matches(finding.rule, (suppression.rule,)) and glob_match(finding.location.path, suppression.path)


def _order(judged: JudgedFinding) -> tuple[object, ...]:
    location = judged.finding.location
    return (-judged.severity, location.path, location.line, location.column, judged.finding.rule)
