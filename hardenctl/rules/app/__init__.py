"""The application rules."""

from __future__ import annotations

from hardenctl.rules.app.exposure import any_host, any_proxy, debug
from hardenctl.rules.app.sessions import insecure_cookie, token_unverified
from hardenctl.rules.declare import Rule

RULES: tuple[Rule, ...] = (
    token_unverified,
    insecure_cookie,
    debug,
    any_proxy,
    any_host,
)
