"""The readiness score: security, performance, documentation and overall, of 10. docs/SCORE.md explains it.

It is a model that people can check by hand: each rule with open findings costs a share of what is left, an open
critical or high finding caps the result, and nothing that was not looked at is scored.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from hardenctl.model.blob import SourceKind
from hardenctl.model.finding import Category, Severity
from hardenctl.model.record import record
from hardenctl.model.report import JudgedFinding, Report, Score, Status
from hardenctl.policy.policy import Policy, matches
from hardenctl.rules.declare import Rule

# The share of what is left of 10 that a rule's worst finding takes; each further finding of the rule counts half as
# much as the one before, so that one mistake made thirty times doesn't drown all else.
SHARES: Mapping[Severity, float] = {
    Severity.CRITICAL: 0.50,
    Severity.HIGH: 0.25,
    Severity.MEDIUM: 0.10,
    Severity.LOW: 0.03,
    Severity.INFO: 0.0,
}
# No category with an open finding this bad, and no overall, scores higher.
CAPS: Mapping[Severity, float] = {Severity.CRITICAL: 4.0, Severity.HIGH: 7.0}
GAP_CAP = CAPS[Severity.HIGH]  # what could not be looked at could hold a high finding
WITHOUT_LOAD_EVIDENCE = 8.0  # where performance starts: configuration alone doesn't show that a service holds its load
WEIGHTS: Mapping[Category, float] = {
    Category.SECURITY: 0.5,
    Category.PERFORMANCE: 0.3,
    Category.DOCUMENTATION: 0.2,
}


@record
class Basis:
    """What a score rests on: which categories were looked at, what could not be, whether a load result exists.

    `complete` says that every rule looked at all there is: only then does finding nothing mean anything.
    `empty` says that there was no file at all.
    """

    categories: frozenset[Category] = frozenset(Category)
    gaps: int = 0
    load_evidence: bool = False
    complete: bool = False
    empty: bool = False


@record
class Gain:
    """What fixing all findings of one rule would add, on its own."""

    rule: str
    category: Category
    severity: Severity
    findings: int
    overall: float
    in_category: float


def basis(
    kind: SourceKind,
    policy: Policy,
    ran: Iterable[Rule],
    *,
    whole: bool,
    gaps: int,
    servers: bool,
    files: int,
    load_evidence: bool = False,
) -> Basis:
    """What was looked at.

    Readiness is a statement about a whole project: a part of one (`whole` False: named files, the index, a range of
    commits, standard input) has no score. A category of which the command line left rules out has none either; what
    the policy file switches off is the project's decision and stays scored. Performance needs a server to judge.
    """
    from hardenctl.rules import RULES

    if not (whole and files and kind in {SourceKind.WORKTREE, SourceKind.HISTORY}):
        return Basis(frozenset(), gaps, empty=whole and not files)
    ids = {each.id for each in ran if (not policy.select or matches(each.id, policy.select))}
    ids = {each for each in ids if not matches(each, policy.ignore)}
    missing = {each.category for each in RULES if each.id not in ids}
    some = {each.category for each in RULES} - missing
    scored = some if servers else some - {Category.PERFORMANCE}
    return Basis(frozenset(scored), gaps, load_evidence, complete=not missing and not gaps)


def basis_of(report: Report) -> Basis:
    """The basis that a report's score rests on."""
    scored = (each for each, value in report.score.categories.items() if value is not None)
    return Basis(frozenset(scored), len(report.gaps), report.score.load_evidence)


def score(judged: Iterable[JudgedFinding], basis: Basis = Basis()) -> Score:  # noqa: B008 - frozen
    """The score of judged findings. Open ones count; suppressed and baselined ones are named in the notes."""
    judged = tuple(judged)
    found = [each for each in judged if each.status is Status.OPEN]
    categories = {
        each: _category([one for one in found if one.finding.category is each], each, basis)
        if each in basis.categories
        else None
        for each in Category
    }
    known = [(each, value) for each, value in categories.items() if value is not None]
    if not known:
        why = "there is no file to look at" if basis.empty else "only a whole project has a score"
        return Score(None, dict.fromkeys(Category), (f"not scored: {why}",))
    mean = sum(WEIGHTS[each] * value for each, value in known) / sum(WEIGHTS[each] for each, _ in known)
    counted = [each for each in found if each.finding.category in basis.categories]
    overall = min(mean, _cap(counted), GAP_CAP if basis.gaps else 10.0)
    return Score(
        _floor(overall),
        {each: None if value is None else _floor(value) for each, value in categories.items()},
        tuple(_notes(judged, basis)),
        basis.load_evidence,
    )


def gains(judged: Iterable[JudgedFinding], basis: Basis = Basis()) -> list[Gain]:  # noqa: B008 - frozen
    """What fixing each rule's open findings would add, the largest gain first; none where there is no score."""
    judged = tuple(judged)
    before = score(judged, basis)
    if before.overall is None:
        return []
    found = [each for each in judged if each.status is Status.OPEN and each.finding.category in basis.categories]
    result = []
    for rule in sorted({each.finding.rule for each in found}):
        mine = [each for each in found if each.finding.rule == rule]
        after = score([each for each in judged if each.finding.rule != rule], basis)
        category = mine[0].finding.category
        result.append(
            Gain(
                rule,
                category,
                max(each.severity for each in mine),
                len(mine),
                round((after.overall or 0.0) - before.overall, 1),
                round((after.categories[category] or 0.0) - (before.categories[category] or 0.0), 1),
            )
        )
    return sorted(result, key=lambda each: (-each.overall, -each.in_category, -each.severity, each.rule))


def _category(found: Sequence[JudgedFinding], category: Category, basis: Basis) -> float:
    left = WITHOUT_LOAD_EVIDENCE if category is Category.PERFORMANCE and not basis.load_evidence else 10.0
    for _, group in itertools.groupby(sorted(found, key=_rule), key=_rule):
        for index, severity in enumerate(sorted((each.severity for each in group), reverse=True)):
            left *= 1 - SHARES[severity] * 0.5**index
    caps = [_cap(found)]
    if basis.gaps and category is not Category.DOCUMENTATION:
        caps.append(GAP_CAP)
    return min(left, *caps)


def _rule(judged: JudgedFinding) -> str:
    return judged.finding.rule


def _cap(found: Iterable[JudgedFinding]) -> float:
    return min((CAPS.get(each.severity, 10.0) for each in found), default=10.0)


def _floor(value: float) -> float:
    """Down to one decimal: a project with an open finding is never shown as 10.0. The epsilon is for 6.9999999."""
    return math.floor(value * 10 + 1e-6) / 10


def _notes(judged: Collection[JudgedFinding], basis: Basis) -> Iterable[str]:
    reasons = {
        Category.PERFORMANCE: "no server's launch line was found, or not all its rules ran",
        Category.SECURITY: "not all its rules ran",
        Category.DOCUMENTATION: "not all its rules ran",
    }
    for category in Category:
        if category not in basis.categories:
            yield f"{category} is not scored: {reasons[category]}"
    found = [
        each.severity for each in judged if each.status is Status.OPEN and each.finding.category in basis.categories
    ]
    for severity, cap in CAPS.items():
        if severity in found:
            yield f"capped at {cap} while a {severity.word} finding is open"
            break
    if basis.gaps:
        yield f"capped at {GAP_CAP} while something could not be looked at"
    if Category.PERFORMANCE in basis.categories and not basis.load_evidence:
        yield f"performance starts at {WITHOUT_LOAD_EVIDENCE} without a passing load result of the last 90 days"
    aside = sum(each.status is not Status.OPEN for each in judged)
    if aside:
        yield f"{aside} suppressed or baselined {'finding does' if aside == 1 else 'findings do'} not count"
