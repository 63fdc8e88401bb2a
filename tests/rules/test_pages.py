"""Every page is its own fixture: *Example* is flagged, *Use instead* is not, and the fix leads from one to the other.

The files are committed to a real repository and looked at as an audit would. Secret rules have their own test.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl.audit import audit
from hardenctl.fix.propose import propose
from hardenctl.fix.write import apply
from hardenctl.model.finding import Applicability, Finding
from hardenctl.policy.policy import Policy
from hardenctl.rules import RULES
from hardenctl.rules.declare import DocumentRule
from hardenctl.rules.fakes import fill
from hardenctl.sources import open_source

DOCUMENT_RULES = tuple(each for each in RULES if isinstance(each, DocumentRule))
SECTIONS = ("Why is this bad?", "Example", "Use instead", "Fix safety", "References")
HISTORIC = {"env-file-in-history"}  # judged over commits: the example's files are deleted again by a second one

over_all_rules = pytest.mark.parametrize("rule", DOCUMENT_RULES, ids=lambda rule: rule.id)


def repository_of(make: Callable[..., Any], rule: DocumentRule, section: str) -> Any:
    """A repository with a section's files committed; past ones deleted again."""
    files = {path: fill(text) for path, text in rule.page.files(section).items()}
    repository = make(files, section.partition(" ")[0].lower())
    if rule.id in HISTORIC:
        repository.git("rm", "-q", *files)
        repository.git("commit", "-q", "--allow-empty", "-m", "delete them")
    return repository


def findings(rule: DocumentRule, root: Path) -> list[Finding]:
    """What one rule says about a repository. A gap fails the test."""
    report = audit(open_source([root], history=rule.id in HISTORIC), Policy(), rules=[rule])
    assert report.gaps == ()
    return [judged.finding for judged in report.findings]


@over_all_rules
def test_the_example_is_flagged(make_repository: Callable[..., Any], rule: DocumentRule) -> None:
    """What the page shows as wrong is found by the rule, and by its id."""
    found = findings(rule, repository_of(make_repository, rule, "Example").root)
    assert found
    assert {each.rule for each in found} == {rule.id}


@over_all_rules
def test_what_to_use_instead_is_not_flagged(make_repository: Callable[..., Any], rule: DocumentRule) -> None:
    """What the page shows as right is not found."""
    assert findings(rule, repository_of(make_repository, rule, "Use instead").root) == []


@over_all_rules
def test_the_fix_silences_the_rule(make_repository: Callable[..., Any], rule: DocumentRule) -> None:
    """Where findings carry edits, applying them leaves nothing to find; else the page promises no fix."""
    repository = repository_of(make_repository, rule, "Example")
    found = findings(rule, repository.root)
    fixes = [each.fix for each in found if each.fix and each.fix.edits]
    if not fixes:
        assert "Fix safety" not in rule.page.sections
        return
    applicability = {fix.applicability for fix in fixes}
    assert "Fix safety" in rule.page.sections
    promised = rule.page.first_sentence("Fix safety").split()[0].strip(":.,").lower()
    assert promised in {each.value for each in applicability} | {"sometimes"}
    assert Applicability.ADVICE not in applicability
    proposal = propose(open_source([repository.root]), repository.root, Policy(), unsafe=True, rules=[rule])
    assert proposal.skipped == ()
    apply(proposal)
    fixed = {each.fingerprint for each in found if each.fix and each.fix.edits}
    assert fixed.isdisjoint({each.fingerprint for each in findings(rule, repository.root)})


@over_all_rules
def test_the_page_is_whole(rule: DocumentRule) -> None:
    """A page has a title, says why, shows both sides, and has no section that nothing reads."""
    page = rule.page
    assert re.fullmatch(r"[A-Z`].{8,88}", page.title)
    assert page.why.endswith(".")
    assert page.remedy
    assert page.files("Example")
    assert set(page.sections) <= set(SECTIONS)
    assert [name for name in SECTIONS if name in page.sections] == list(page.sections)
    assert "```" not in re.sub(r"^```\S+( title=\"[^\"]+\")?$|^```$", "", page.text, flags=re.MULTILINE)
    assert ("References" in page.sections) == bool(page.references)


def test_ids_are_unique_and_kebab_case() -> None:
    """An id names one rule, in words that a policy file and a URL can carry."""
    assert [rule for rule, count in Counter(rule.id for rule in RULES).items() if count > 1] == []
    assert [rule.id for rule in RULES if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)] == []
