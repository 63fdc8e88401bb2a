"""The load rules."""

from __future__ import annotations

from hardenctl.rules.declare import Rule
from hardenctl.rules.load.evidence import evidence_stale, no_evidence, target_missed

RULES: tuple[Rule, ...] = (no_evidence, evidence_stale, target_missed)
