"""The cors rules."""

from __future__ import annotations

from hardenctl.rules.cors import origins, state
from hardenctl.rules.declare import Rule

RULES: tuple[Rule, ...] = (*origins.RULES, *state.RULES)
