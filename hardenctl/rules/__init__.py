"""What can be wrong: one folder per subject, listed in `catalogue`."""

from __future__ import annotations

from hardenctl.rules.catalogue import RULES, Catalogue
from hardenctl.rules.declare import DocumentRule, Rule

__all__ = ["RULES", "Catalogue", "DocumentRule", "Rule"]
