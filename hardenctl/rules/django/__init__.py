"""The django rules."""

from __future__ import annotations

from hardenctl.rules.declare import Rule
from hardenctl.rules.django import exposure, passwords, protection

RULES: tuple[Rule, ...] = (*exposure.RULES, *protection.RULES, *passwords.RULES)
