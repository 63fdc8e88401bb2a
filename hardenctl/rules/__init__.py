"""What can be wrong: one folder per subject, all of it in one explicit tuple."""

from __future__ import annotations

from hardenctl.rules import compose, cors, dockerfile, docs, env, gunicorn, ignore, load, secrets
from hardenctl.rules.declare import DocumentRule, Rule

RULES: tuple[Rule, ...] = (
    *secrets.RULES,
    *env.RULES,
    *ignore.RULES,
    *cors.RULES,
    *gunicorn.RULES,
    *compose.RULES,
    *dockerfile.RULES,
    *docs.RULES,
    *load.RULES,
)

__all__ = ["RULES", "DocumentRule", "Rule"]
