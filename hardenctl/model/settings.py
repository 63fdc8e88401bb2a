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
class CustomSecret:
    """A kind of credential that a project declares itself.

    `pattern` is an expression of Python's `re`; the credential is its group `secret`, else the one numbered `group`,
    else the first that took part, else the whole match. One of `keywords` has to be in the file, in any case.
    `entropy` is the floor, in bits per character. `paths` are globs, `path_pattern` an expression searched in the path.
    `opens` completes "Whoever has it ..."; `revoke` is where it is revoked.
    """

    id: str
    pattern: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    group: int = 0
    entropy: float = 0.0
    severity: str = "high"
    paths: tuple[str, ...] = ()
    path_pattern: str = ""
    opens: str = ""
    revoke: str = ""


@record
class AllowedSecret:
    """Found credentials that don't count, and why: at these paths, with such values, or holding one of these words.

    `rules` are ids or prefixes of rules, or ids of custom ones; all where there are none. One condition is enough, all
    have to hold with `all_of`. `patterns` are searched in the `target`: the secret, the rule's match or the line.
    """

    reason: str
    rules: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    path_patterns: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    target: str = "secret"
    words: tuple[str, ...] = ()
    all_of: bool = False


@record
class SecretSettings:
    """`rotation_days`: how old a credential may be. `minimum_bits`: the entropy floor of generated ones.

    `targets` are where each environment's credentials go, by the environment's name. `plugins` are classes of
    detect-secrets that look at candidate lines besides.
    """

    rotation_days: int = 90
    minimum_bits: int = 128
    targets: Mapping[str, SecretTarget] = field(default_factory=dict)
    custom: tuple[CustomSecret, ...] = ()
    allow: tuple[AllowedSecret, ...] = ()
    plugins: tuple[str, ...] = ()


@record
class LoadSettings:
    """Targets: p95 in milliseconds, requests per second, error rate and CPU as fractions of 1, drift too, per hour."""

    p95_ms: float = 300.0
    rps: float = 500.0
    error_rate: float = 0.001
    cpu: float = 0.70
    memory_drift: float = 0.10
    latency_drift: float = 0.20
    hosts: tuple[str, ...] = ()


@record
class Settings:
    """All of them; a check asks for the part it needs."""

    cors: CorsSettings = field(default_factory=CorsSettings)
    gunicorn: GunicornSettings = field(default_factory=GunicornSettings)
    secrets: SecretSettings = field(default_factory=SecretSettings)
    load: LoadSettings = field(default_factory=LoadSettings)
