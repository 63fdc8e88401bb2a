"""The CI rules."""

from __future__ import annotations

from hardenctl.rules.ci.rights import debug_trace, secrets_exposed, unpinned_action, write_all
from hardenctl.rules.ci.strangers import script_injection, untrusted_checkout
from hardenctl.rules.declare import Rule

RULES: tuple[Rule, ...] = (
    untrusted_checkout,
    script_injection,
    secrets_exposed,
    debug_trace,
    write_all,
    unpinned_action,
)
