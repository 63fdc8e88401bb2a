"""What rules are told: the part of the policy that changes what a check calls wrong.

Plain records, so that rules need neither pydantic nor the policy room. The defaults are the founding story's.
"""

from __future__ import annotations

from collections.abc import Mapping

from hardenctl.model.record import field, record


@record
class CorsSettings:
    """`origins` empty means any explicit origin will do; `wildcard_environments` may use `*`."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = ("Content-Type", "Authorization")
    wildcard_environments: tuple[str, ...] = ("development",)


@record
class GunicornSettings:
    """`workers` is an expression of `cpu`; `timeout` is in seconds."""

    workers: str = "max(2, cpu * 2 - 1)"
    timeout: int = 120


@record
class SecretTarget:
    """Where an environment's credentials go: `platform`, its `environment`, and `key` there, which holds `{key}`."""

    platform: str
    environment: str = ""
    key: str = "{key}"


@record
class SecretSettings:
    """`rotation_days`: how old a credential may be. `minimum_bits`: the entropy floor of generated ones.

    `targets` are where each environment's credentials go, by the environment's name.
    """

    rotation_days: int = 90
    minimum_bits: int = 128
    targets: Mapping[str, SecretTarget] = field(default_factory=dict)


@record
class LoadSettings:
    """Targets: p95 in milliseconds, requests per second, error rate and CPU as fractions of 1."""

    p95_ms: float = 300.0
    rps: float = 500.0
    error_rate: float = 0.001
    cpu: float = 0.70
    hosts: tuple[str, ...] = ()


@record
class Settings:
    """All of them; a check asks for the part it needs."""

    cors: CorsSettings = field(default_factory=CorsSettings)
    gunicorn: GunicornSettings = field(default_factory=GunicornSettings)
    secrets: SecretSettings = field(default_factory=SecretSettings)
    load: LoadSettings = field(default_factory=LoadSettings)
