"""Provider formats: what each service's credentials look like, what they open and where they are revoked."""

from __future__ import annotations

from hardenctl.rules.secrets.declare import SecretRule
from hardenctl.rules.secrets.providers import apps, cloud, code, data, services

RULES: tuple[SecretRule, ...] = (*cloud.RULES, *code.RULES, *services.RULES, *data.RULES, *apps.RULES)
