"""The secret rules: provider formats and what no format gives away, each declared once as data."""

from __future__ import annotations

from hardenctl.rules.secrets import generic, providers
from hardenctl.rules.secrets.declare import SecretRule

RULES: tuple[SecretRule, ...] = (*generic.RULES, *providers.RULES)
