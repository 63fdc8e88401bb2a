"""Which rules a command runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hardenctl.policy.policy import matches
from hardenctl.rules import RULES
from hardenctl.rules.declare import Rule


def _rules(*prefixes: str) -> Callable[[], Sequence[Rule]]:
    return lambda: tuple(rule for rule in RULES if not prefixes or matches(rule.id, prefixes))


# `audit` and `scan` are commands, the others the subjects of `check`.
SUBJECTS: dict[str, Callable[[], Sequence[Rule]]] = {
    "audit": _rules(),
    "scan": _rules("secret"),
    "cors": _rules("cors"),
    "gunicorn": _rules("gunicorn", "server"),
    "compose": _rules("compose"),
    "dockerfile": _rules("dockerfile"),
    "env": _rules("env"),
    "gitignore": _rules("gitignore", "dockerignore"),
}
