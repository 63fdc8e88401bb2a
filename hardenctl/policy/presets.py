"""The presets that `extends` names: policy files that ship with hardenctl, as data."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "standard": {},  # the defaults by name: saying so keeps a later change of presets from being a surprise
    "strict": {"fail-on": "low", "cors": {"wildcard-environments": []}, "secrets": {"rotation-days": 30}},
    "relaxed": {"fail-on": "high", "rules": {"docs": "off"}},
}
