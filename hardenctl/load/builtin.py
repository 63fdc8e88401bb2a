"""The scenarios that are always there."""

from __future__ import annotations

from hardenctl.load.scenario import Scenario, Stage
from hardenctl.model.errors import UsageError
from hardenctl.model.nearest import nearest

BUILTIN = (
    Scenario(
        "normal",
        "An ordinary day: 50 users, 5 more a second, for 5 minutes.",
        (Stage(300, 50, 5),),
        think=(0.2, 0.6),
    ),
    Scenario(
        "peak",
        "The busiest hour: 500 users, 25 more a second, for 10 minutes; carries the request-rate target.",
        (Stage(600, 500, 25),),
        carries_rate=True,
    ),
    Scenario(
        "stress",
        "100 more users every 2 minutes up to 1,000, or until the targets break.",
        tuple(Stage(120, users, 10) for users in range(100, 1001, 100)),
        by_stage=True,
    ),
    Scenario(
        "spike",
        "50 users, then 500 within 10 seconds for 1 minute, then 50 again for 2 minutes.",
        (Stage(60, 50, 10), Stage(70, 500, 45, rapid=450), Stage(120, 50, 45)),
    ),
    Scenario(
        "soak",
        "100 users for an hour, for what only time shows: memory and latency that grow.",
        (Stage(3600, 100, 5),),
        drifts=True,
    ),
)


def builtin(name: str) -> Scenario:
    """A scenario by its name. Raises UsageError with the nearest name where there is none."""
    for each in BUILTIN:
        if each.name == name:
            return each
    names = [each.name for each in BUILTIN]
    hint = f"{nearest(name, names)} ".lstrip()
    raise UsageError(f"there is no scenario `{name}`", help=f"{hint}there are {', '.join(names)}; or use --file")
