"""The shape of a policy file, as pydantic models: what is allowed, and what an error says.

Keys are kebab-case, unknown ones are errors. The models hold one file as it was written; `load.py` merges files and
makes the plain `Policy` of them. Only `load.py` imports this module, and only when a policy file has changed: pydantic
costs more than an audit of one staged file.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import warnings
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from hardenctl.model.errors import PolicyError
from hardenctl.model.glob import glob_match
from hardenctl.model.nearest import close_to, nearest
from hardenctl.model.settings import CorsSettings, GunicornSettings, LoadSettings, SecretSettings
from hardenctl.policy.names import PLATFORM_NAMES, is_known, nearest_rule
from hardenctl.rules.gunicorn.judge import formula_workers

_DURATION = r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m)\s*$"
_PERCENTAGE = r"^\s*(\d+(?:\.\d+)?)\s*%\s*$"
_MILLISECONDS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0}
_CPUS = (1, 2, 3, 4, 8, 64)  # for which a formula of workers has to come to some


def _milliseconds(value: object) -> float:
    if isinstance(value, str) and (match := re.fullmatch(_DURATION, value)):
        value = float(match[1]) * _MILLISECONDS[match[2]]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError("expected a duration such as '300ms' or '1.5s', or milliseconds as a number above 0")
    return float(value)


def _fraction(value: object) -> float:
    if isinstance(value, str) and (match := re.fullmatch(_PERCENTAGE, value)):
        value = float(match[1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("expected a percentage such as '0.1%', or a fraction between 0 and 1")
    return float(value)


def _date(value: object) -> object:
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    if isinstance(value, dt.datetime):
        return value.date()
    if not isinstance(value, dt.date):
        raise ValueError("expected a date such as 2027-03-31")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


def _workers(value: object) -> str:
    expression = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(expression, str):
        counts = [formula_workers(expression, cpus) for cpus in _CPUS]
        if None not in counts:
            if min(count or 0 for count in counts) < 1:
                raise ValueError("expected a worker at least for any number of CPUs, as in 'max(2, cpu * 2 - 1)'")
            return expression.strip()
    raise ValueError("expected a number or an expression of `cpu` such as 'max(2, cpu * 2 - 1)'")


def _level(value: object) -> object:
    return "off" if value is False else value  # YAML 1.1 reads a bare `off` as false


def _glob(value: str) -> str:
    try:
        glob_match("", value)
    except re.error:
        raise ValueError("expected a glob such as 'vendor/**'; its brackets don't close or hold no range") from None
    if not value.strip():
        raise ValueError("expected a glob such as 'vendor/**', not an empty one")
    return value


def _rule(value: str, info: ValidationInfo) -> str:
    ids = (info.context or {}).get("rules")
    if ids is not None and not is_known(value, ids):
        raise ValueError(f"no rule or prefix of that name; {nearest_rule(value, ids)}")
    return value


def _expression(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            matches_nothing = re.compile(value, re.ASCII).search("") is not None
    except (re.error, FutureWarning, OverflowError, RecursionError) as error:
        at = f" at character {error.pos + 1}" if isinstance(error, re.error) and error.pos is not None else ""
        raise ValueError(f"expected an expression of Python's `re`; it is wrong{at}") from None
    if matches_nothing:
        raise ValueError("expected an expression that matches something; this one matches the empty text")
    return value


def _custom_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,79}", value, re.ASCII):
        raise ValueError("expected letters, digits, `-`, `_` and `.`")
    return value


def _plugin(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]\w{0,79}", value, re.ASCII):
        raise ValueError(
            "expected a class of detect-secrets; a file of your own is named on the command line, --plugin"
        )
    return value


def _key_template(value: str) -> str:
    if "{key}" not in value:
        raise ValueError("expected `{key}` in it, such as 'shop/{key}'")
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("expected a reason in words, not an empty one")
    return value


def _platform(value: str) -> str:
    if value not in PLATFORM_NAMES:
        raise ValueError(
            f"no platform of that name; {nearest(value, PLATFORM_NAMES) or 'one of ' + ', '.join(PLATFORM_NAMES)}"
        )
    return value


def _strings(value: object) -> object:
    return [value] if isinstance(value, str) else value


Milliseconds = Annotated[
    float, BeforeValidator(_milliseconds), WithJsonSchema({"type": ["string", "number"], "examples": ["300ms"]})
]
Fraction = Annotated[
    float, BeforeValidator(_fraction), WithJsonSchema({"type": ["string", "number"], "examples": ["0.1%", 0.001]})
]
Presets = Annotated[
    list[str],
    BeforeValidator(_strings),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Date = Annotated[dt.date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
Workers = Annotated[str, BeforeValidator(_workers), WithJsonSchema({"type": ["string", "integer"]})]
Level = Annotated[Literal["off", "info", "low", "medium", "high", "critical"], BeforeValidator(_level)]
Glob = Annotated[str, AfterValidator(_glob)]
Expression = Annotated[str, AfterValidator(_expression)]
Word = Annotated[str, Field(min_length=1)]
RuleName = Annotated[str, AfterValidator(_rule)]
Reason = Annotated[str, AfterValidator(_said)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=lambda name: name.replace("_", "-")
    )


class CorsTable(_Table):
    """What CORS rules accept."""

    origins: list[str] = Field(
        default=[], description="The origins that may call the service; empty accepts any explicit one."
    )
    methods: list[str] = Field(default=list(CorsSettings().methods), description="The methods origins may use.")
    headers: list[str] = Field(
        default=list(CorsSettings().headers), description="The request headers origins may send."
    )
    wildcard_environments: list[str] = Field(
        default=list(CorsSettings().wildcard_environments), description="Environments in which `*` is no finding."
    )


class GunicornTable(_Table):
    """What gunicorn rules recommend."""

    workers: Workers = Field(
        default=GunicornSettings().workers, description="Worker processes, as an expression of `cpu`."
    )
    timeout: int = Field(default=GunicornSettings().timeout, gt=0, description="The worker timeout in seconds.")


class SecretTargetTable(_Table):
    """Where one environment's credentials go."""

    platform: Annotated[str, AfterValidator(_platform)] = Field(
        description="A platform that `hardenctl generate --push` knows."
    )
    environment: str = Field(default="", description="What the platform calls it: an app, a namespace, a profile.")
    key: Annotated[str, AfterValidator(_key_template)] = Field(
        default="{key}", description="The key's name there; `{key}` is the variable's, as in `shop/{key}`."
    )


class CustomSecretTable(_Table):
    """A kind of credential of your own, reported as `secret-custom`."""

    id: Annotated[str, AfterValidator(_custom_id)] = Field(description="Its name in reports, and for `allow`.")
    pattern: Expression = Field(
        description="An expression of Python's `re`; its group `(?P<secret>...)` is the credential."
    )
    description: str = Field(default="", description="What it is, such as `Acme API token`.")
    keywords: list[Word] = Field(
        default=[], description="Words one of which a file has to hold, in any case: without any, every file is tried."
    )
    group: int = Field(default=0, ge=0, description="The number of the group that is the credential.")
    entropy: float = Field(default=0.0, ge=0, description="The least entropy, in bits per character.")
    severity: Literal["info", "low", "medium", "high", "critical"] = Field(
        default="high", description="How bad one of them is."
    )
    paths: list[Glob] = Field(default=[], description="Globs of the paths it is looked for in; everywhere by default.")
    path_pattern: Annotated[str, AfterValidator(lambda value: value and _expression(value))] = Field(
        default="", description="An expression searched in the path, for what globs cannot say."
    )
    opens: str = Field(default="", description="Completes `Whoever has it ...`.")
    revoke: str = Field(default="", description="Where it is revoked: a link, or a few words.")

    @model_validator(mode="after")
    def _group_is_there(self) -> CustomSecretTable:
        if self.group > re.compile(self.pattern).groups:
            raise ValueError(f"`group` is {self.group}, and `pattern` has {re.compile(self.pattern).groups}")
        return self


class AllowedSecretTable(_Table):
    """Credentials that are found and don't count. One condition is enough, all have to hold with `all-of`."""

    reason: Reason = Field(description="Why they don't count.")
    rules: list[Word] = Field(
        default=[], description="Ids or prefixes of rules, or ids of custom ones; all by default."
    )
    paths: list[Glob] = Field(default=[], description="Globs of paths.")
    path_patterns: list[Expression] = Field(default=[], description="Expressions searched in the path.")
    patterns: list[Expression] = Field(default=[], description="Expressions searched in the target.")
    target: Literal["secret", "match", "line"] = Field(default="secret", description="What `patterns` are searched in.")
    words: list[Word] = Field(default=[], description="Words one of which the credential holds, in any case.")
    all_of: bool = Field(default=False, description="Whether every condition has to hold.")

    @model_validator(mode="after")
    def _says_something(self) -> AllowedSecretTable:
        if not (self.paths or self.path_patterns or self.patterns or self.words):
            raise ValueError("says what to allow nowhere; give paths, path-patterns, patterns or words")
        return self


class SecretsTable(_Table):
    """Limits for credentials."""

    rotation_days: int = Field(default=SecretSettings().rotation_days, gt=0, description="Days after which to rotate.")
    minimum_bits: int = Field(
        default=SecretSettings().minimum_bits, gt=0, description="Bits of entropy a credential needs."
    )
    targets: dict[str, SecretTargetTable] = Field(
        default={}, description="Where each environment's credentials go: `--push NAME` takes its name."
    )
    custom: list[CustomSecretTable] = Field(default=[], description="Kinds of credentials of your own.")
    allow: list[AllowedSecretTable] = Field(default=[], description="Credentials that are found and don't count.")

    @field_validator("targets")
    @classmethod
    def _means_one_place(cls, targets: dict[str, SecretTargetTable]) -> dict[str, SecretTargetTable]:
        for name, target in targets.items():
            if name in PLATFORM_NAMES and target.platform != name:
                raise ValueError(f"`{name}` is a platform's own name, and this one is another; name the environment")
        return targets

    plugins: list[Annotated[str, AfterValidator(_plugin)]] = Field(
        default=[], description="Classes of detect-secrets that look at candidate lines besides: `KeywordDetector`."
    )


class TargetsTable(_Table):
    """What a load run has to reach."""

    p95: Milliseconds = Field(default=LoadSettings().p95_ms, description="95th percentile of the response time.")
    rps: float = Field(default=LoadSettings().rps, gt=0, allow_inf_nan=False, description="Requests per second.")
    error_rate: Fraction = Field(default=LoadSettings().error_rate, description="Failed requests of all.")
    cpu: Fraction = Field(default=LoadSettings().cpu, description="CPU use of the target.")
    memory_drift: Fraction = Field(
        default=LoadSettings().memory_drift, gt=0, description="Growth of the target's memory an hour, in `soak`."
    )
    latency_drift: Fraction = Field(
        default=LoadSettings().latency_drift, gt=0, description="Growth of the p95 an hour, in `soak`."
    )


class LoadTable(_Table):
    """Load tests."""

    targets: TargetsTable = Field(default=TargetsTable(), description="What a load run has to reach.")
    hosts: list[str] = Field(default=[], description="Hosts that load may be sent to without asking.")


class SuppressTable(_Table):
    """Findings that don't count, for a stated reason."""

    rule: RuleName = Field(description="A rule's id or a prefix.")
    path: Glob = Field(default="**", description="A glob of paths.")
    reason: Reason = Field(description="Why it is acceptable.")
    expires: Date | None = Field(default=None, description="The last day it holds.")


class PolicyFile(_Table):
    """`[tool.hardenctl]` in pyproject.toml; the same keys at the top of hardenctl.toml or hardenctl.yaml."""

    extends: Presets = Field(
        default=[],
        description="Presets (`standard`, `strict`, `relaxed`) or policy files to start from; later ones win.",
    )
    fail_on: Literal["info", "low", "medium", "high", "critical", "never"] = Field(
        default="medium", description="The lowest severity of an open finding that fails the audit."
    )
    exclude: list[Glob] = Field(default=[], description="Globs of paths that are not looked at.")
    rules: dict[RuleName, Level] = Field(default={}, description="A rule's id or prefix to its severity, or `off`.")
    cors: CorsTable = Field(default=CorsTable(), description="What CORS rules accept.")
    gunicorn: GunicornTable = Field(default=GunicornTable(), description="What gunicorn rules recommend.")
    secrets: SecretsTable = Field(default=SecretsTable(), description="Limits for credentials.")
    load: LoadTable = Field(default=LoadTable(), description="Load tests.")
    suppress: list[SuppressTable] = Field(default=[], description="Findings that don't count, for a stated reason.")


def validate(table: Mapping[str, Any], *, file: str, prefix: str, rules: tuple[str, ...]) -> PolicyFile:
    """One policy file's table as a model.

    `prefix` is the table's key in the file (`tool.hardenctl`), `rules` the ids there are. Raises PolicyError that names
    the file and every wrong key; a value is never printed, since it could be a secret in the wrong place.
    """
    try:
        return PolicyFile.model_validate(dict(table), context={"rules": rules})
    except ValidationError as error:
        problems = [_problem(each, prefix) for each in error.errors(include_url=False)]
    if len(problems) == 1:
        ((key, what, help_),) = problems
        raise PolicyError(f"{file}: `{key}`: {what}", help=help_)
    listed = "\n".join(f"`{key}`: {what}; {help_}" for key, what, help_ in problems)
    raise PolicyError(f"{file}: {len(problems)} problems\n{listed}", help=_HELP)


def json_schema() -> dict[str, Any]:
    """The JSON schema of a policy file, published as docs/schema/policy.json."""
    schema = PolicyFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "hardenctl policy"}


_HELP = "docs/schema/policy.json says what each key takes"
# What is wrong, and what to do about it.
_EXPECTED = {
    "string_type": ("expected a string", "put it in quotes"),
    "list_type": ("expected a list", 'put it in brackets, as in ["a", "b"]'),
    "dict_type": ("expected a table", "give its keys below a heading of their own"),
    "model_type": ("expected a table", "give its keys below a heading of their own"),
    "int_type": ("expected a whole number", "write it without quotes and fraction"),
    "float_type": ("expected a number", "write it without quotes"),
    "finite_number": ("expected a number above 0", "give one that a run can reach"),
    "greater_than": ("expected a number above 0", "give a larger one, or leave it out for the default"),
    "greater_than_equal": ("expected 0 or more", "give a larger one, or leave it out for the default"),
    "string_too_short": ("expected a word, not an empty one", "give one, or leave it out"),
    "missing": ("is missing", "add it"),
}


def _problem(error: Any, prefix: str) -> tuple[str, str, str]:
    """Key, what is wrong, and help."""
    loc = [part for part in error["loc"] if part != "[key]"]
    key = _dotted([*prefix.split("."), *loc] if prefix else loc)
    kind = error["type"]
    if kind == "extra_forbidden":
        return key, "no such key", _nearest_key(loc, prefix)
    if kind == "literal_error":
        given = error["input"]
        words = re.findall(r"'([\w-]+)'", error["ctx"]["expected"])
        help_ = nearest(given, words) if isinstance(given, str) else ""
        return key, f"expected {error['ctx']['expected']}", help_ or "write one of them"
    if kind == "value_error":
        what, _, help_ = str(error["ctx"]["error"]).partition("; ")
        return key, what, help_ or _HELP
    if kind == "list_type" and _dotted(loc) in _MANY:
        return key, "expected tables", f"write `[[{key}]]`"
    return (key, *_EXPECTED.get(kind, (error["msg"], _HELP)))


def _dotted(parts: list[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")


def _nearest_key(loc: list[str | int], prefix: str) -> str:
    """The nearest key of the same table, or else of another one."""
    key, keys = str(loc[-1]), _keys(PolicyFile)
    table = ".".join(str(part) for part in loc[:-1] if isinstance(part, str))
    table = next((path for path in _MANY if table.startswith(path)), table)
    siblings = [path.rpartition(".")[2] for path in keys if path.rpartition(".")[0] == table]
    elsewhere = {path.rpartition(".")[2]: f"{prefix}.{path}".removeprefix(".") for path in keys}
    if close := close_to(key, siblings):
        return f"did you mean `{close}`?"
    if close := close_to(key, elsewhere):
        return f"did you mean `{elsewhere[close]}`?"
    return "its keys are " + ", ".join(siblings)


# Keys that hold many tables of one shape.
_MANY: Mapping[str, type[BaseModel]] = {
    "suppress": SuppressTable,
    "secrets.targets": SecretTargetTable,
    "secrets.custom": CustomSecretTable,
    "secrets.allow": AllowedSecretTable,
}


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for field in model.model_fields.values():
        path = f"{prefix}{field.alias}"
        keys.append(path)
        inner = _MANY.get(path, field.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys += _keys(inner, path + ".")
    return keys
