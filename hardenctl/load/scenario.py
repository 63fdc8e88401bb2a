"""A scenario as data: the load over time, what its users do, and the targets it is judged by."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hardenctl.model.errors import UsageError

MAX_USERS = 10_000
MAX_RATE = 10_000.0
MAX_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of `seconds` at one load, the ramp towards it included.

    Closed model: `users`, reached at `spawn_rate` a second; `rapid` of them fire with little thought between requests.
    Open model: `rate` arrivals a second, whatever the target does; `users` is how many may be under way at once.
    """

    seconds: float
    users: int
    spawn_rate: float = 1.0
    rapid: int = 0
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One request that users make. `name` is what gates and reports call it; `weight` how often it is picked.

    In `path`, `body`, `form` and `headers` stand `{n}` (a number of its own each time), `{user}` (the user's number),
    `{account}` (a name that is the user's own, in this run alone), `{uuid}`, and `{name}` of what an earlier request
    saved. `$NAME` in body, form or headers is an environment variable.
    `save` maps such a name to a dotted path in the answer's JSON; a `consumes` request uses it up (a deletion).
    Right is one of `status`, any 2xx where it is empty, and a body with `contains` in it.
    """

    name: str
    method: str = "GET"
    path: str = "/"
    weight: int = 1
    body: Any = None
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    status: tuple[int, ...] = ()
    contains: str = ""
    save: Mapping[str, str] = field(default_factory=dict)
    consumes: bool = False


@dataclass(frozen=True, slots=True)
class Authentication:
    """Each user's credential: from the environment variable `token_env`, or from a `login` done once per user.

    `token` is the dotted path of the token in the login's answer. It is sent as `header: scheme token`.
    `register` is asked first; that a user exists already is no error.
    """

    token_env: str = ""
    login: Endpoint | None = None
    register: Endpoint | None = None
    token: str = "access_token"  # noqa: S105 - where the answer keeps it
    header: str = "Authorization"
    scheme: str = "Bearer"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load, its users and its targets. `think` is the range of seconds a user waits between two requests.

    `targets` None are the policy's. The run ends as soon as one of `abort`, gates too, is surely missed. `by_stage`
    judges each stage as well as the whole, and ends the run at the first that broke. `warm_up` None is a tenth of the
    run, 30 s at most.
    """

    name: str
    summary: str
    stages: tuple[Stage, ...]
    targets: tuple[str, ...] | None = None
    abort: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    authentication: Authentication | None = None
    think: tuple[float, float] = (0.4, 1.0)
    rapid_think: tuple[float, float] = (0.1, 0.5)
    warm_up: float | None = None
    by_stage: bool = False
    carries_rate: bool = False  # whether the policy's request-rate target holds for it
    drifts: bool = False  # whether the policy's targets of drift hold for it
    timeout: float = 30.0  # seconds one request may take
    verify_tls: bool = True

    @property
    def seconds(self) -> float:
        """How long it runs."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def open_model(self) -> bool:
        """Whether arrivals come at a rate instead of from users who wait for answers."""
        return any(stage.rate is not None for stage in self.stages)

    @property
    def steady(self) -> bool:
        """Whether the load stays the same once it is there, so that what changes is the target's doing."""
        first = self.stages[0]
        return all(
            (each.users, each.rapid, each.rate) == (first.users, first.rapid, first.rate) for each in self.stages
        )

    @property
    def users(self) -> int:
        """The most users at once."""
        return max(stage.users for stage in self.stages)

    def resized(
        self,
        *,
        users: int | None = None,
        spawn_rate: float | None = None,
        rate: float | None = None,
        seconds: float | None = None,
        scale: float = 1.0,
    ) -> Scenario:
        """The same shape at another size.

        `users` is the most at once and `seconds` the whole run: the other stages keep their proportion. `scale`
        multiplies users, their spawn rate and the arrival rate. `rate` makes it one stage of the open model.
        """
        stages = self.stages
        if rate is not None:
            stages = (Stage(self.seconds, users or min(MAX_USERS, max(50, round(rate * 2))), rate=rate),)
        elif users is not None:
            stages = tuple(_times(stage, users / self.users) for stage in stages)
        if scale != 1.0:
            stages = tuple(_times(stage, scale) for stage in stages)
        if spawn_rate is not None:
            stages = tuple(dataclasses.replace(stage, spawn_rate=spawn_rate) for stage in stages)
        if seconds is not None:
            stretch = seconds / self.seconds
            stages = tuple(dataclasses.replace(stage, seconds=stage.seconds * stretch) for stage in stages)
        return dataclasses.replace(self, stages=stages)

    def check_caps(self) -> None:
        """Raise UsageError where the load is beyond what this tool will ever send."""
        for stage in self.stages:
            if stage.users > MAX_USERS or (stage.rate or 0) > MAX_RATE or stage.spawn_rate > MAX_RATE:
                raise UsageError(
                    f"scenario `{self.name}` asks for more than {MAX_USERS:,} users or {MAX_RATE:,.0f} a second",
                    help="these caps are hard; use a smaller --scale",
                )
            rates = (stage.seconds, stage.spawn_rate, *(() if stage.rate is None else (stage.rate,)))
            if stage.users < 1 or not all(each > 0 for each in rates):  # so that `nan` is none either
                raise UsageError(
                    f"scenario `{self.name}` has a stage without users, rate or time",
                    help="each needs more than 0 of them: `users` or `arrival-rate`, and `duration`",
                )
        if self.seconds > MAX_SECONDS:
            raise UsageError("a run may take 24 hours at most", help="use a shorter --run-time")


def _times(stage: Stage, factor: float) -> Stage:
    users = max(1, round(stage.users * factor))
    return dataclasses.replace(
        stage,
        users=users,
        rapid=min(users - 1, round(stage.rapid * factor)) if stage.rapid else 0,
        spawn_rate=max(0.1, stage.spawn_rate * factor),
        rate=stage.rate * factor if stage.rate is not None else None,
    )
