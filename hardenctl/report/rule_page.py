"""A rule's page as a terminal shows it, and the list of rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from hardenctl.model.pattern import lazy_pattern
from hardenctl.report.style import MEASURE, Look, clip, visible, wrap
from hardenctl.rules.declare import Rule
from hardenctl.rules.fakes import hide

_FENCE = lazy_pattern(r'^```\S*(?: title="(?P<title>[^"]*)")?.*$')
_ITEM = lazy_pattern(r"^(\s*(?:[-*]|\d+\.)\s+)(.*)$")


def render_page(rule: Rule, look: Look) -> str:
    """The page: id and severity, then the docstring with headings, prose wrapped and code set off."""
    head = f"{look.paint(rule.id, bold=True)}  {look.severity(rule.severity, rule.severity.word)}  "
    lines = [head + look.dim(rule.category.value), "", *_markdown(hide(rule.page.text), look)]
    return "".join(look.final(line) + "\n" for line in lines)


def _markdown(text: str, look: Look) -> Iterator[str]:
    width = min(look.width, MEASURE)
    prose: list[str] = []
    in_code = False
    for line in [*text.splitlines(), ""]:
        fence = _FENCE.match(line)
        if fence:
            if prose:
                yield from [*wrap(visible(" ".join(prose)), width), ""]
            prose, in_code = [], not in_code
            if in_code and fence["title"]:
                yield look.dim(f"    {fence['title']}")
            elif not in_code:
                continue
        elif in_code:
            yield f"  {look.dim('│')} {look.paint(visible(line), 'blue')}".rstrip()
        elif line.startswith("## "):
            yield look.paint(line[3:], "ochre", bold=True)
        elif item := _ITEM.match(line):
            yield from wrap(visible(" ".join(prose)), width)
            prose = []
            yield from _hanging(item[1], item[2], width)
        elif line.strip():
            prose.append(line)
        else:
            yield from wrap(visible(" ".join(prose)), width)
            prose = []
            yield ""


def _hanging(mark: str, text: str, width: int) -> Iterator[str]:
    for index, line in enumerate(wrap(visible(text), width - len(mark))):
        yield (" " * len(mark) if index else mark) + line


def render_rules(rules: Sequence[Rule], look: Look) -> str:
    """One line a rule: id, severity, title."""
    width = max((len(rule.id) for rule in rules), default=0)
    room = max(look.width - width - 12, 20)
    return "".join(
        look.final(
            f"{rule.id:<{width}}  {look.severity(rule.severity, f'{rule.severity.word:<8}')}  "
            f"{clip(visible(rule.page.title), room) if look.colour else visible(rule.page.title)}"
        )
        + "\n"
        for rule in rules
    )


def rules_as_json(rules: Sequence[Rule]) -> str:
    """The rules for scripts."""
    data = [
        {
            "rule": rule.id,
            "severity": rule.severity.word,
            "category": rule.category.value,
            "title": rule.page.title,
            "why": rule.page.why,
            "remedy": rule.page.remedy,
            "references": list(rule.page.references),
        }
        for rule in rules
    ]
    return json.dumps(data, indent=2) + "\n"
