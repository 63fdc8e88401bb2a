"""What a rule's page says, for reports that only hold the rule's id."""

from __future__ import annotations

from hardenctl.model.finding import Finding
from hardenctl.rules import RULES
from hardenctl.rules.declare import Rule
from hardenctl.rules.page import Page


def rule_of(rule: str) -> Rule | None:
    """The rule of an id; None for one that this version doesn't have."""
    return RULES.find(rule)


def page_of(rule: str) -> Page | None:
    """The page of a rule's id."""
    found = rule_of(rule)
    return found.page if found else None


def remedy_of(finding: Finding) -> str:
    """What to do about a finding, in one line: its own fix, else the remedy of the rule's page."""
    if finding.fix:
        return finding.fix.title
    page = page_of(finding.rule)
    return page.remedy if page else ""
