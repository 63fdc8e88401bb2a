"""The docs rules."""

from __future__ import annotations

from hardenctl.rules.declare import Rule
from hardenctl.rules.docs.guides import (
    no_deployment_guide,
    no_env_example,
    no_performance_baseline,
    no_readme,
    no_secrets_guide,
)

RULES: tuple[Rule, ...] = (
    no_readme,
    no_env_example,
    no_deployment_guide,
    no_secrets_guide,
    no_performance_baseline,
)
