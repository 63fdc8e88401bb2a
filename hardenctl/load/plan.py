"""What one run will do: a scenario at its size, its gates, its target. All that can be wrong is wrong here, early."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardenctl.load.drift import Slices
from hardenctl.load.gates import DRIFTS, Gate, builtin_gates, parse_gate
from hardenctl.load.scenario import MAX_SECONDS, Authentication, Endpoint, Scenario
from hardenctl.load.target import LoadTarget
from hardenctl.load.watch import Watched
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import LoadSettings

GRACE = 5.0  # seconds that requests under way get at the end
INTERVAL = 0.5  # seconds between two messages of a generator
_LONGEST_WARM_UP = 30.0
_VARIABLE = re.compile(r"\$\{?([A-Z_][A-Z0-9_]*)\}?")
ROOT = Endpoint("GET /", path="/")


@dataclass(frozen=True, slots=True)
class Master:
    """Where this run's master listens for workers on other machines, and how many it waits for before it begins."""

    host: str
    port: int
    workers: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that is about to happen. `warm_up` in seconds; `notes` say what a reader of the result has to know.

    The run ends as soon as one of `abort` is missed at the gates' confidence.
    """

    scenario: Scenario
    target: LoadTarget
    gates: tuple[Gate, ...]
    warm_up: float
    abort: tuple[Gate, ...] = ()
    locustfile: Path | None = None
    use_shape: bool = False
    watched: Watched = field(default_factory=Watched)
    processes: int = 1
    master: Master | None = None
    notes: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # for the generators' environment alone

    def jobs(self) -> list[dict[str, Any]]:
        """What each generator process is told. Users and rates are shared out; credentials stay in the environment.

        A master gets the whole, and shares it out among its workers as they come and go.
        """
        if self.master is None:
            return [self._job(index) for index in range(self.processes)]
        return [
            {
                **self._job(0),
                "role": "master",
                "address": [self.master.host, self.master.port],
                "made_up": sorted(self.secrets),
                "needs": sorted(named_variables(self.scenario) - set(self.secrets)),
            }
        ]

    @property
    def digest(self) -> str:
        """What two runs must have in common to be compared: load, requests, warm-up, and the generators that make it.

        Targets and the host are left out, so that other gates and another deployment of the service still compare.
        """
        where = {"host", "locustfile", "address"}
        made = [{key: value for key, value in job.items() if key not in where} for job in self.jobs()]
        code = self.locustfile.read_bytes() if self.locustfile else b""
        text = json.dumps([made, self.generators], sort_keys=True, default=str)
        return hashlib.sha256(text.encode() + code).hexdigest()[:16]

    def slices(self) -> Slices | None:
        """Where drift is looked for: after the warm-up, with all users there. None where no gate asks for it."""
        if not any(gate.metric in DRIFTS for gate in self.gates):
            return None
        first = self.scenario.stages[0]
        ramp = 0.0 if first.rate is not None else first.users / first.spawn_rate
        return Slices.of(max(self.warm_up, ramp), self.scenario.seconds)

    @property
    def generators(self) -> int:
        """How many generators make the load."""
        return self.master.workers if self.master else self.processes

    def _job(self, index: int) -> dict[str, Any]:
        scenario = self.scenario
        stages = []
        for stage in scenario.stages:
            users = (stage.users + self.processes - 1 - index) // self.processes
            rapid = (stage.rapid + self.processes - 1 - index) // self.processes
            stages.append(
                {
                    "seconds": stage.seconds,
                    "users": users,
                    "rapid": min(rapid, users),
                    "spawn_rate": stage.spawn_rate / self.processes,
                    "rate": None if stage.rate is None else stage.rate / self.processes,
                }
            )
        return {
            "host": self.target.url,
            "stages": stages,
            "endpoints": [dataclasses.asdict(each) for each in scenario.endpoints],
            "authentication": scenario.authentication and dataclasses.asdict(scenario.authentication),
            "think": scenario.think,
            "rapid_think": scenario.rapid_think,
            "timeout": scenario.timeout,
            "verify_tls": scenario.verify_tls,
            "warm_up": self.warm_up,
            "grace": GRACE,
            "interval": INTERVAL,
            "locustfile": str(self.locustfile) if self.locustfile else None,
            "use_shape": self.use_shape,
            "limit": MAX_SECONDS,
        }


def plan(
    scenario: Scenario,
    target: LoadTarget,
    settings: LoadSettings,
    *,
    gates: Sequence[str] = (),
    warm_up: float | None = None,
    scale: float = 1.0,
    locustfile: Path | None = None,
    use_shape: bool = False,
    watched: Watched | None = None,
    processes: int = 1,
    master: Master | None = None,
    notes: Sequence[str] = (),
    secrets: Mapping[str, str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """Make the plan of a run of an already resized scenario. Raises UsageError.

    `gates` replace the scenario's own targets; `scale` is what the scenario was scaled by, so that the built-in
    request rate shrinks alike.
    """
    said = list(notes)
    scenario.check_caps()
    if not locustfile and not scenario.endpoints:
        scenario = dataclasses.replace(scenario, endpoints=(ROOT,))
        said.append("no scenario file and no OpenAPI document say what to ask for: only `/` is loaded")
    if locustfile and scenario.open_model:
        raise UsageError("--rate and --locustfile don't go together", help="a Locust file paces its own users")
    if master is None:
        check_environment(named_variables(scenario), {**environment, **(secrets or {})})
    elif processes != 1:
        raise UsageError("--master makes no load of its own", help="give --processes to the workers")
    if not 1 <= (master.workers if master else processes) <= min(stage.users for stage in scenario.stages):
        option = "--expect-workers" if master else "--processes"
        raise UsageError(
            f"{option} must be between 1 and the fewest users of a stage", help="each of them needs a user of its own"
        )
    if warm_up is None:
        warm_up = scenario.warm_up
    if warm_up is None:
        warm_up = 0.0 if use_shape else min(_LONGEST_WARM_UP, scenario.seconds / 10)
    if warm_up >= scenario.seconds:
        raise UsageError("the warm-up takes the whole run", help="use a longer --run-time or a shorter --warm-up")
    chosen, why = _gates(scenario, settings, gates, scale)
    said += why
    drift = next((gate for gate in chosen if gate.metric in DRIFTS), None)
    if drift and (use_shape or scenario.by_stage or not scenario.steady):
        raise UsageError(
            f"`{drift}` needs a load that stays the same", help="use it in soak, or in stages of equal load"
        )
    return Plan(
        scenario=scenario,
        target=target,
        gates=chosen,
        warm_up=warm_up,
        abort=_abort(scenario.abort),
        locustfile=locustfile,
        use_shape=use_shape,
        watched=watched or Watched(),
        processes=processes,
        master=master,
        notes=(*said, *target.warnings),
        secrets=secrets or {},
    )


def _gates(
    scenario: Scenario, settings: LoadSettings, asked: Sequence[str], scale: float
) -> tuple[tuple[Gate, ...], list[str]]:
    """Those that were asked for, else the scenario's own, else the policy's; and what there is to say of them."""
    texts = asked or scenario.targets
    if texts:
        return tuple(parse_gate(text) for text in texts), []
    chosen = builtin_gates(settings, carries_rate=scenario.carries_rate, scale=scale, drifts=scenario.drifts)
    scaled = scenario.carries_rate and scale != 1.0
    return chosen, [f"the request-rate target is scaled like the users: {settings.rps:g} x {scale:g}"] * scaled


def _abort(texts: Sequence[str]) -> tuple[Gate, ...]:
    """Abort conditions. Raises UsageError for one that only a whole run can answer."""
    gates = tuple(parse_gate(text) for text in texts)
    unfit = next((gate for gate in gates if gate.quantile is None and gate.metric != "error_rate"), None)
    if unfit:
        raise UsageError(f"`{unfit}` cannot end a run early", help="abort on percentiles and error rates")
    return gates


def named_variables(scenario: Scenario) -> set[str]:
    """The environment variables that a scenario names."""
    names: set[str] = set()
    how = scenario.authentication or Authentication()
    if how.token_env:
        names.add(how.token_env)
    for endpoint in (*scenario.endpoints, how.login, how.register):
        if endpoint:
            names.update(_variables([endpoint.body, dict(endpoint.form), dict(endpoint.headers)]))
    return names


def check_environment(names: Collection[str], environment: Mapping[str, str]) -> None:
    """Every environment variable that a scenario names must be set; its value is never looked at. Raises UsageError."""
    missing = sorted(name for name in names if not environment.get(name))
    if missing:
        raise UsageError(
            f"the scenario needs environment variables that are not set: {', '.join(missing)}",
            help="export them in the shell that runs hardenctl; they are never written anywhere",
        )


def _variables(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_VARIABLE.findall(value))
    if isinstance(value, dict):
        return {name for each in value.values() for name in _variables(each)}
    if isinstance(value, list | tuple):
        return {name for each in value for name in _variables(each)}
    return set()
