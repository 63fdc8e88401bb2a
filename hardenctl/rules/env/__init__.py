"""The env rules: what env files hold, and where they must not be."""

from __future__ import annotations

from hardenctl.rules.declare import Rule
from hardenctl.rules.env.committed import env_file_committed, env_file_in_history
from hardenctl.rules.env.rotation import env_rotation_due
from hardenctl.rules.env.values import env_placeholder_in_production, env_undocumented_variable, env_weak_credential

RULES: tuple[Rule, ...] = (
    env_file_committed,
    env_file_in_history,
    env_weak_credential,
    env_placeholder_in_production,
    env_undocumented_variable,
    env_rotation_due,
)
