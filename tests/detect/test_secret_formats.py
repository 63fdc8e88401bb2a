"""Every secret rule: its sample is found by the rule itself, at its exact span, in any language; its page is whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.detect.secrets import detect_secrets, sensitive_spans
from hardenctl.detect.secrets.pipeline import matcher
from hardenctl.detect.stamp import Stamper
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.fakes import FAKES, fill
from hardenctl.rules.secrets import RULES as EVERY
from hardenctl.rules.secrets import generic
from hardenctl.rules.secrets.declare import SecretRule

RULES = tuple(each for each in EVERY if each not in generic.BY_OTHERS)
ALL = frozenset(each.id for each in RULES)
PLANTED = [each for each in RULES if f'{each.variable} = "{{{{fake:' in each.page.sections["Example"]]
PLANTED.remove(generic.GUESSABLE)  # in some files another rule's business, and shown all the same where it is a word
LANGUAGES = {
    "settings.py": '{key} = "{value}"\n',
    "config.js": "const {key} = '{value}';\n",
    "config.json": '{{"{key}": "{value}"}}\n',
    "deploy.yaml": "env:\n  {key}: {value}\n",
    "prod.env": "{key}={value}\n",
    "main.go": '\t{key} := "{value}"\n',
    "app.toml": '{key} = "{value}"\n',
    "run.sh": "export {key}='{value}'\n",
}
over_all_rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def hits(text: str, path: str) -> list[tuple[str, int, int]]:
    """Rule and span of each hit."""
    blob = Blob(Provenance(path), text.encode())
    return [(rule.id, hit.span.start, hit.span.end) for rule, hit in detect_secrets(blob, ALL)]


@over_all_rules
def test_the_pages_example_is_found_by_its_rule(rule: SecretRule):
    """The example on the page, filled with the made sample, is found at the sample's exact place."""
    [(path, template)] = rule.page.files("Example").items()
    text = fill(template)
    sample = rule.sample()
    [(found, start, end)] = hits(text, path)
    assert found == rule.id
    assert (start, end) == (text.index(sample), text.index(sample) + len(sample))


@over_all_rules
def test_what_the_page_says_to_use_instead_is_not_found(rule: SecretRule):
    """Reading it from the environment is no finding."""
    for path, text in rule.page.files("Use instead").items():
        assert hits(text, path) == []


@over_all_rules
def test_the_page_is_whole(rule: SecretRule):
    """A title, why, what instead, and where to revoke it; what nobody issued is replaced, not revoked."""
    assert rule.page.title
    assert rule.page.why.startswith("Whoever has it ")
    assert rule.page.remedy.startswith("Revoke it at <https://") is rule.remedy.startswith("Revoke it at https://")
    assert "cheatsheetseries.owasp.org" not in rule.page.remedy
    assert rule.remedy[:1].isupper()
    assert rule.revoke in rule.page.references
    assert rule.id.startswith("secret-")
    assert rule.sample() == FAKES[rule.id]() == rule.sample()


@over_all_rules
def test_a_stamped_finding_shows_nothing_of_it(rule: SecretRule):
    """Neither the frame, the message, the evidence nor the reasons hold the sample beyond its first characters."""
    [(path, template)] = rule.page.files("Example").items()
    blob = Blob(Provenance(path), fill(template).encode())
    sample = rule.sample()
    for each, hit in detect_secrets(blob, ALL):
        finding = Stamper(b"salt").stamp(each, hit, blob)
        shown = "\n".join([repr(finding), *(line.text for line in finding.frame)])
        middle = sample.replace("\n", "")[len(sample) // 2 :][:24]
        assert middle not in shown


@pytest.mark.parametrize("path", LANGUAGES)
@settings(max_examples=120, deadline=None)
@given(rule=st.sampled_from(PLANTED), lines=st.integers(0, 3), tail=st.sampled_from(["", "# end\n", "x = 1\n"]))
def test_a_sample_is_found_in_any_language(path: str, rule: SecretRule, lines: int, tail: str):
    """Planted in any language's assignment, a token is found at its exact place, by its own rule, and masked."""
    value = rule.sample()
    text = "# a line\n" * lines + LANGUAGES[path].format(key=rule.variable, value=value) + tail
    start = text.index(value)
    assert (rule.id, start, start + len(value)) in hits(text, path)
    spans = sensitive_spans(Blob(Provenance(path), text.encode()))
    assert any(low <= start and start + len(value) <= high for low, high in spans)


def test_there_are_many_of_them_and_each_once():
    """More than a hundred and twenty formats, no id twice, all of one shape."""
    assert len(RULES) >= 120
    assert len({each.id for each in EVERY}) == len(EVERY)


def test_a_pattern_needs_no_look_around():
    """Both engines must take each expression, and hyperscan takes no look-around, back-reference or lazy guess."""
    for rule in matcher().rules:
        assert "(?=" not in rule.pattern
        assert "(?!" not in rule.pattern
        assert "(?<" not in rule.pattern
        assert rule.keywords


@over_all_rules
def test_keywords_are_in_the_sample_or_its_example(rule: SecretRule):
    """The literal that lets `re` skip a rule is in what the rule must find."""
    if rule.pattern and not rule.key:
        text = fill(rule.page.sections["Example"])
        assert any(word in text for word in rule.keywords)
