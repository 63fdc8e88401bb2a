"""The user's own scenario file: YAML, kebab-case keys, unknown ones errors that suggest the nearest.

Imports pydantic, so it is only imported once a file is to be read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from hardenctl.load.builtin import builtin
from hardenctl.load.duration import parse_duration
from hardenctl.load.gates import parse_gate
from hardenctl.load.scenario import Authentication, Endpoint, Scenario, Stage
from hardenctl.load.tasks import Tasks
from hardenctl.model.errors import DocumentError, HardenctlError, UsageError
from hardenctl.model.files import read_small
from hardenctl.model.nearest import nearest

_MOST_BYTES = 2**20
_CREDENTIAL = re.compile(r"pass(?:word|wd|phrase)?$|token$|secret|api[-_]?key|^authorization$", re.IGNORECASE)


def _seconds(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except UsageError as error:
            raise ValueError(error.help) from None
    if isinstance(value, int | float):
        raise ValueError("needs a unit, as in 30s")  # noqa: TRY004 - pydantic reports ValueError
    return value


def _gate(value: Any) -> Any:
    if isinstance(value, str):
        try:
            parse_gate(value)
        except UsageError as error:
            raise ValueError(f"no gate: {error.help}") from None
    return value


def _think(value: Any) -> Any:
    if isinstance(value, str):
        low, _, high = value.partition("..")
        return [_seconds(low), _seconds(high or low)]
    raise ValueError("write it as 200ms..1s")


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=lambda name: name.replace("_", "-"))


class StageModel(_Model):
    """A stage: users of the closed model, or arrivals at a rate, which `arrival-rate` names too."""

    duration: Seconds
    users: int | None = Field(default=None, ge=1)
    spawn_rate: float = Field(default=10.0, gt=0)
    rapid: int = Field(default=0, ge=0)
    rate: float | None = Field(default=None, gt=0, validation_alias=AliasChoices("rate", "arrival-rate"))

    @model_validator(mode="after")
    def _one_model(self) -> StageModel:
        if self.users is None and self.rate is None:
            raise ValueError("a stage needs `users` (closed model) or `arrival-rate` (arrivals a second)")
        return self

    def stage(self) -> Stage:
        """As the run wants it."""
        users = self.users or max(50, round((self.rate or 0) * 2))
        return Stage(self.duration, users, self.spawn_rate, min(self.rapid, users - 1), self.rate)


class RequestModel(_Model):
    """One request."""

    name: str | None = None
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    path: str = Field(pattern="^/")
    weight: int = Field(default=1, ge=1)
    json_: Any = Field(default=None, alias="json")
    form: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    status: list[int] = Field(default_factory=list)
    contains: str = ""
    save: dict[str, str] = Field(default_factory=dict)
    consumes: bool = False

    @model_validator(mode="after")
    def _no_credential(self) -> RequestModel:
        for part in (self.json_, self.form, self.headers):
            name = _literal_credential(part)
            if name:
                raise ValueError(f"`{name}` is written out; write $NAME and set that environment variable")
        return self

    def endpoint(self, name: str = "") -> Endpoint:
        """As the run wants it."""
        return Endpoint(
            name=self.name or name or f"{self.method} {self.path}",
            method=self.method,
            path=self.path,
            weight=self.weight,
            body=self.json_,
            form=self.form,
            headers=self.headers,
            status=tuple(self.status),
            contains=self.contains,
            save=self.save,
            consumes=self.consumes,
        )


class AuthenticationModel(_Model):
    """How each user gets its credential."""

    token_env: str = ""
    login: RequestModel | None = None
    register_: RequestModel | None = Field(default=None, alias="register")
    token: str = "access_token"  # noqa: S105 - where the answer keeps it
    header: str = "Authorization"
    scheme: str = "Bearer"

    @model_validator(mode="after")
    def _one_way(self) -> AuthenticationModel:
        if bool(self.token_env) == (self.login is not None):
            raise ValueError("say either `token-env` or `login`")
        return self

    def authentication(self) -> Authentication:
        """As the run wants it."""
        return Authentication(
            token_env=self.token_env,
            login=self.login.endpoint("log in") if self.login else None,
            register=self.register_.endpoint("register") if self.register_ else None,
            token=self.token,
            header=self.header,
            scheme=self.scheme,
        )


Path_ = Annotated[str, Field(pattern="^/")]


class TasksModel(_Model):
    """The built-in user's tasks at the target's own paths."""

    items: Path_ | None = None
    reminders: Path_ | None = None
    entries: Path_ | None = None
    analytics: Path_ | None = None
    id: str = "id"
    item: Any = None
    entry: Any = None
    update: Literal["PUT", "PATCH"] = "PUT"

    @model_validator(mode="after")
    def _makes_sense(self) -> TasksModel:
        if not (self.items or self.reminders or self.entries or self.analytics):
            raise ValueError("name a path of items, reminders, entries or analytics")
        name = _literal_credential([self.item, self.entry])
        if name:
            raise ValueError(f"`{name}` is written out; write $NAME and set that environment variable")
        if self.entry is None and self.entries and not self.items:
            raise ValueError("entries without items need a body of their own: `entry`")
        return self

    def endpoints(self) -> tuple[Endpoint, ...]:
        """As the run wants them."""
        return tuple(Tasks(**{name: each for name, each in self.model_dump().items() if each is not None}).endpoints())


class ScenarioModel(_Model):
    """A scenario file."""

    name: str = ""
    summary: str = ""
    extends: str = "normal"
    stages: list[StageModel] = Field(default_factory=list)
    targets: list[Annotated[str, BeforeValidator(_gate)]] | None = Field(default=None, min_length=1)
    abort: list[Annotated[str, BeforeValidator(_gate)]] = Field(default_factory=list)
    tasks: TasksModel | None = None
    endpoints: list[RequestModel] = Field(default_factory=list)
    authentication: AuthenticationModel | None = None
    think_time: Annotated[tuple[float, float], BeforeValidator(_think)] | None = None
    warm_up: Seconds | None = None
    timeout: Seconds = 30.0
    verify_tls: bool = True
    by_stage: bool = False


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file. What it doesn't say comes from the scenario it `extends`. Raises DocumentError."""
    try:
        data = yaml.safe_load(read_small(path, most=_MOST_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", help="check --file") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or a date that is none
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise DocumentError(f"{path} is no YAML{where}", help="see docs/PERFORMANCE_BENCHMARKING.md") from None
    try:
        model = ScenarioModel.model_validate(data if data is not None else {})
        return _scenario(model, path)
    except ValidationError as error:
        raise _explained(path, error) from None


def _scenario(model: ScenarioModel, path: Path) -> Scenario:
    base = builtin(model.extends)
    stages = tuple(each.stage() for each in model.stages)
    if len({stage.rate is None for stage in stages}) > 1:
        raise DocumentError(f"{path}: stages mix users and rates", help="make two scenarios of them")
    endpoints = (*(model.tasks.endpoints() if model.tasks else ()), *(each.endpoint() for each in model.endpoints))
    names = [each.name for each in endpoints]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise DocumentError(f"{path}: two endpoints are called `{twice}`", help="gates and reports tell them by name")
    return Scenario(
        name=model.name or (path.stem if stages else base.name),
        summary=model.summary or base.summary,
        stages=stages or base.stages,
        targets=tuple(model.targets) if model.targets else None,
        abort=tuple(model.abort),
        endpoints=endpoints,
        authentication=model.authentication.authentication() if model.authentication else None,
        think=model.think_time or base.think,
        warm_up=model.warm_up,
        by_stage=model.by_stage or (not stages and base.by_stage),
        carries_rate=not stages and base.carries_rate,
        drifts=not stages and base.drifts,
        timeout=model.timeout,
        verify_tls=model.verify_tls,
    )


def _explained(path: Path, error: ValidationError) -> HardenctlError:
    """The first problem by its key, without any value of the file."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    # a misspelt key explains the one that is missing
    problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    where = ".".join(str(part) for part in problem["loc"]) or "the file"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        hint = nearest(str(problem["loc"][-1]), _keys()) or f"keys: {', '.join(_keys())}"
        return DocumentError(f"{path}: there is no key `{where}`", help=hint)
    if problem["type"] in {"model_type", "dict_type"}:
        message = "expected keys with values"
    return DocumentError(f"{path}: `{where}`: {message}", help="see docs/PERFORMANCE_BENCHMARKING.md")


def _keys() -> list[str]:
    models = (ScenarioModel, StageModel, TasksModel, RequestModel, AuthenticationModel)
    return sorted(
        {"arrival-rate", *(each.alias or name for model in models for name, each in model.model_fields.items())}
    )


def _literal_credential(value: Any) -> str:
    """The key of a credential that is written out instead of named as `$NAME`; empty where there is none."""
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str) and _CREDENTIAL.search(str(key)) and "$" not in each and "{" not in each:
                return str(key)
            found = _literal_credential(each)
            if found:
                return found
    if isinstance(value, list):
        return next((found for each in value if (found := _literal_credential(each))), "")
    return ""
