"""Each page of the launch, compose and Dockerfile rules is its own fixture."""

from __future__ import annotations

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.report import Server
from hardenctl.model.settings import Settings
from hardenctl.rules import compose, dockerfile, gunicorn
from hardenctl.rules.declare import Rule
from hardenctl.rules.fakes import fill
from hardenctl.sources.memory import MemorySnapshot

RULES = (*gunicorn.RULES, *compose.RULES, *dockerfile.RULES)


def flagged(rule: Rule, section: str) -> list[str]:
    """Messages of the rule for the files of a section of its page."""
    snapshot = MemorySnapshot({path: fill(text) for path, text in rule.page.files(section).items()})
    results = [*detect_config(snapshot, [rule], Settings())]
    assert not [each for each in results if isinstance(each, Gap)]
    return [each[1].message for each in results if not isinstance(each, Gap | Server)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_example_is_flagged_and_the_remedy_is_not(rule: Rule):
    """What a page shows as wrong is found by its rule, what it shows instead is not."""
    assert flagged(rule, "Example")
    assert flagged(rule, "Use instead") == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_says_why_and_what_to_do(rule: Rule):
    """A report prints one sentence of each."""
    assert rule.page.why
    assert rule.page.remedy
    assert len(rule.page.title) < 90
