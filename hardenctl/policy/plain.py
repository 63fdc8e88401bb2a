"""A policy as plain JSON data and back: what the cache keeps and `policy show --format json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hardenctl.model.finding import Severity
from hardenctl.model.record import replace
from hardenctl.model.settings import (
    AllowedSecret,
    CorsSettings,
    CustomSecret,
    GunicornSettings,
    LoadSettings,
    SecretSettings,
    SecretTarget,
    Settings,
)
from hardenctl.policy.policy import Policy, Suppression

if TYPE_CHECKING:
    import datetime as dt


def to_plain(policy: Policy) -> dict[str, Any]:
    """JSON-ready data with the keys a policy file has, targets in milliseconds and fractions."""
    settings = policy.settings
    return {
        "extends": list(policy.extends),
        "fail-on": _word(policy.fail_on, "never"),
        "exclude": list(policy.exclude),
        "rules": {key: _word(severity, "off") for key, severity in policy.rules.items()},
        "cors": _table(settings.cors),
        "gunicorn": _table(settings.gunicorn),
        "secrets": _secrets_table(settings.secrets),
        "load": {
            "targets": {
                "p95": settings.load.p95_ms,
                "rps": settings.load.rps,
                "error-rate": settings.load.error_rate,
                "cpu": settings.load.cpu,
                "memory-drift": settings.load.memory_drift,
                "latency-drift": settings.load.latency_drift,
            },
            "hosts": list(settings.load.hosts),
        },
        **({"notes": list(policy.notes)} if policy.notes else {}),
        "suppress": [
            {
                "rule": each.rule,
                "path": each.path,
                "reason": each.reason,
                **({"expires": each.expires.isoformat()} if each.expires else {}),
            }
            for each in policy.suppressions
        ],
    }


def from_plain(data: Mapping[str, Any], *, path: str | None) -> Policy:
    """The policy of `to_plain`'s data, or of the merged tables of policy files; keys that are absent are defaults.

    Raises KeyError, ValueError, TypeError or AttributeError where the data is anything else.
    """
    load = data.get("load", {})
    targets, default = load.get("targets", {}), LoadSettings()
    return Policy(
        fail_on=_severity(data.get("fail-on", "medium")),
        exclude=tuple(data.get("exclude", ())),
        rules={key: _severity(word) for key, word in data.get("rules", {}).items()},
        suppressions=tuple(
            Suppression(each["rule"], each["reason"], each.get("path", "**"), _date(each.get("expires")))
            for each in data.get("suppress", ())
        ),
        settings=Settings(
            cors=_settings(CorsSettings, data.get("cors", {})),
            gunicorn=_settings(GunicornSettings, data.get("gunicorn", {})),
            secrets=_secrets(data.get("secrets", {})),
            load=LoadSettings(
                p95_ms=float(targets.get("p95", default.p95_ms)),
                rps=float(targets.get("rps", default.rps)),
                error_rate=float(targets.get("error-rate", default.error_rate)),
                cpu=float(targets.get("cpu", default.cpu)),
                memory_drift=float(targets.get("memory-drift", default.memory_drift)),
                latency_drift=float(targets.get("latency-drift", default.latency_drift)),
                hosts=tuple(load.get("hosts", ())),
            ),
        ),
        path=path,
        extends=tuple(data.get("extends", ())),
        notes=tuple(data.get("notes", ())),
    )


def _word(severity: Severity | None, none: str) -> str:
    return none if severity is None else severity.word


def _severity(word: str) -> Severity | None:
    return None if word in {"never", "off"} else Severity[word.upper()]


def _date(value: str | dt.date | None) -> dt.date | None:
    import datetime as dt  # here: most policies hold no date

    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def _table(settings: Any) -> dict[str, Any]:
    import dataclasses  # here: a hook run does without it

    return {
        name.replace("_", "-"): list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(settings).items()
    }


def _secrets_table(settings: SecretSettings) -> dict[str, Any]:
    table = _table(replace(settings, custom=(), allow=()))
    return {
        **table,
        "custom": [_table(each) for each in settings.custom],
        "allow": [_table(each) for each in settings.allow],
    }


def _secrets(table: Mapping[str, Any]) -> SecretSettings:
    settings: SecretSettings = _settings(
        SecretSettings,
        {
            **table,
            "targets": {name: SecretTarget(**target) for name, target in table.get("targets", {}).items()},
            "custom": [_settings(CustomSecret, each) for each in table.get("custom", ())],
            "allow": [_settings(AllowedSecret, each) for each in table.get("allow", ())],
        },
    )
    return settings


def _settings(kind: Any, table: Mapping[str, Any]) -> Any:
    values = {key.replace("-", "_"): tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return kind(**values)
