"""The gunicorn rules."""

from __future__ import annotations

from hardenctl.rules.declare import Rule

RULES: tuple[Rule, ...] = ()
