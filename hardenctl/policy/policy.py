"""The effective policy as plain frozen data: what the schema validated and the fast path reads from its cache."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hardenctl.model.finding import Severity
from hardenctl.model.record import field, record
from hardenctl.model.settings import Settings
from hardenctl.rules.catalogue import Catalogue
from hardenctl.rules.declare import Rule

if TYPE_CHECKING:
    import datetime as dt


@record
class Suppression:
    """Findings of a rule (or prefix) at paths matching a glob don't count, until a date. A reason is required."""

    rule: str
    reason: str
    path: str = "**"
    expires: dt.date | None = None


@record
class Policy:
    """`fail_on` None never fails. `rules` maps an id or prefix to a severity, or to None for off.

    `select` empty means all rules; `select` and `ignore` are ids or prefixes. `path` is the policy file's,
    `extends` the presets and files it starts from. Without `marks`, comments in what is looked at excuse nothing.
    `notes` say what of a file that is no policy of ours could not be taken over.
    """

    fail_on: Severity | None = Severity.MEDIUM
    exclude: tuple[str, ...] = ()
    rules: Mapping[str, Severity | None] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    settings: Settings = field(default_factory=Settings)
    no_ignores: bool = False
    marks: bool = True
    path: str | None = None
    extends: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def enabled(self, rules: Sequence[Rule]) -> Sequence[Rule]:
        """The rules to run: selected, not ignored, and not switched off."""
        if not (self.select or self.ignore or None in self.rules.values()):
            return rules
        return rules.where(self._enables) if isinstance(rules, Catalogue) else tuple(filter(self._enables, rules))

    def _enables(self, rule: Rule) -> bool:
        return (
            (not self.select or matches(rule.id, self.select))
            and not matches(rule.id, self.ignore)
            and self.severity(rule.id, rule.severity) is not None
        )

    def severity(self, rule: str, severity: Severity) -> Severity | None:
        """The severity policy gives a finding of this rule: the longest matching key wins; None is off."""
        keys = [key for key in self.rules if matches(rule, (key,))]
        return self.rules[max(keys, key=len)] if keys else severity


def matches(rule: str, selectors: Sequence[str]) -> bool:
    """Whether a rule id is one of the selectors or starts with one, at a word boundary (`cors` but not `cor`)."""
    return any(rule == each or rule.startswith(each if each.endswith("-") else each + "-") for each in selectors)


@functools.cache
def default_policy() -> Policy:
    """What holds without a policy file."""
    return Policy()
