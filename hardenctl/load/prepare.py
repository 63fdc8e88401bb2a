"""From what the command line asks for to a plan: scenario, its endpoints, its target."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path

from hardenctl.load.builtin import builtin
from hardenctl.load.endpoints import Found, find_endpoints
from hardenctl.load.generators import require_locust
from hardenctl.load.plan import Master, Plan, plan
from hardenctl.load.scenario import MAX_RATE, Scenario
from hardenctl.load.target import allow_target
from hardenctl.load.watch import Watched
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import LoadSettings


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of `load run`. Durations in seconds."""

    host: str
    scenario: str | None = None
    file: Path | None = None
    users: int | None = None
    spawn_rate: float | None = None
    rate: float | None = None
    seconds: float | None = None
    warm_up: float | None = None
    scale: float = 1.0
    gates: tuple[str, ...] = ()
    locustfile: Path | None = None
    openapi: str | None = None
    har: Path | None = None
    har_host: str | None = None
    watched: Watched = field(default_factory=Watched)
    processes: int = 1
    master: Master | None = None
    confirm_host: str | None = None


def prepare(wishes: Wishes, settings: LoadSettings) -> Plan:
    """Make the plan. Asks the target for its OpenAPI document alone. Raises UsageError, DocumentError or ToolError."""
    require_locust()
    if not 0 < wishes.scale <= 100:  # noqa: PLR2004 - a typo, not a load
        raise UsageError("--scale must lie between 0 and 100", help="1 is the scenario as it is, 0.1 a tenth of it")
    if wishes.rate is not None and wishes.spawn_rate is not None:
        raise UsageError("--rate and --spawn-rate don't go together", help="arrivals at a rate are not spawned")
    for option, value in (("--rate", wishes.rate), ("--spawn-rate", wishes.spawn_rate)):
        if value is not None and not 0 < value <= MAX_RATE:
            raise UsageError(f"{option} must be above 0, and {MAX_RATE:,.0f} at most", help="it is a number a second")
    scenario = _scenario(wishes).resized(
        users=wishes.users,
        spawn_rate=wishes.spawn_rate,
        rate=wishes.rate,
        seconds=wishes.seconds,
        scale=wishes.scale,
    )
    scenario.check_caps()
    target = allow_target(wishes.host, confirmed=wishes.confirm_host, hosts=settings.hosts)
    scenario, found = _with_endpoints(scenario, wishes, target.url)
    locustfile = wishes.locustfile.resolve() if wishes.locustfile else None
    sized = any(each is not None for each in (wishes.users, wishes.rate, wishes.seconds, wishes.scenario, wishes.file))
    return plan(
        scenario,
        target,
        settings,
        gates=wishes.gates,
        warm_up=wishes.warm_up,
        scale=wishes.scale,
        locustfile=locustfile,
        use_shape=locustfile is not None and not sized,
        watched=wishes.watched,
        processes=wishes.processes,
        master=wishes.master,
        notes=found.notes,
        secrets=found.secrets,
    )


def _with_endpoints(scenario: Scenario, wishes: Wishes, url: str) -> tuple[Scenario, Found]:
    """The scenario with what its users ask for: its own, else a recording's, else an OpenAPI document's."""
    named = {
        "--locustfile": wishes.locustfile,
        "--openapi": wishes.openapi,
        "--har": wishes.har,
        "--file with endpoints": scenario.endpoints or None,
    }
    given = [name for name, each in named.items() if each is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} don't go together", help="name one source of what users ask for")
    if wishes.har_host is not None and wishes.har is None:
        raise UsageError("--har-host needs --har", help="name the recording")
    if wishes.locustfile is not None:
        if not wishes.locustfile.is_file():
            raise UsageError(f"{wishes.locustfile} is no file", help="check --locustfile")
        return scenario, Found()
    if scenario.endpoints:
        return scenario, Found()
    if wishes.har is not None:
        from hardenctl.load.har import find_in_har

        found = find_in_har(wishes.har, url, os.environ, wishes.har_host)
    else:
        found = find_endpoints(url, wishes.openapi)
    changed = dataclasses.replace(
        scenario,
        endpoints=found.endpoints,
        authentication=scenario.authentication or found.authentication,
        think=found.think or scenario.think,
    )
    return changed, found


def _scenario(wishes: Wishes) -> Scenario:
    """The file's scenario; with --scenario too, the built-in's load with the file's endpoints and authentication."""
    if wishes.file is None:
        return builtin(wishes.scenario or "normal")
    from hardenctl.load.schema import read_scenario

    own = read_scenario(wishes.file)
    if wishes.scenario is None:
        return own
    return dataclasses.replace(
        builtin(wishes.scenario),
        endpoints=own.endpoints,
        authentication=own.authentication,
        timeout=own.timeout,
        verify_tls=own.verify_tls,
        targets=own.targets,
        abort=own.abort,
    )
