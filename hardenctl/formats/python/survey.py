"""Runs a program through every world worth a run, and keeps what was seen in each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hardenctl.formats.python.interest import Interest
from hardenctl.formats.python.interpreter import Interpreter, Sink
from hardenctl.formats.python.project import Project
from hardenctl.formats.python.signals import Signal
from hardenctl.formats.python.world import Choices, Configured, Reads, World, explore, plan

ROUNDS = 3  # of planning worlds: a world can show variables that no earlier one read
BUDGET = (
    120_000  # expressions of one module's set-up, about 2 s: then each further world gets one run, and that is said
)
Configuration = Mapping[str, Sequence[Configured]]
S = TypeVar("S", bound=Sink)


@dataclass(frozen=True)
class Seen(Generic[S]):
    """What runs of one world saw, one sink for each way its undecided branches go.

    `whole` are of runs that start the application, `cut` of those that do not; `complete` says that there were not too
    many ways to follow them all.
    """

    world: World
    whole: tuple[S, ...]
    cut: tuple[S, ...]
    complete: bool


def survey(
    project: Project,
    configured: Configuration,
    interest: Interest,
    sink: Callable[[], S],
    body: Callable[[Interpreter, S], None],
) -> list[Seen[S]]:
    """What is seen while `body` runs in each world worth a run."""
    reads = Reads()
    runs: dict[object, Seen[S]] = {}
    worlds: list[World] = []
    steps = 0

    def in_world(world: World) -> Seen[S]:
        whole: list[S] = []
        cut: list[S] = []

        def run(choices: Choices) -> None:
            nonlocal steps
            seen = sink()
            evaluator = Interpreter(project, world, choices, reads, seen, interest)
            with contextlib.suppress(Signal, RecursionError):  # a run that is cut off counts as far as it got
                body(evaluator, seen)
            steps += evaluator.steps
            (cut if evaluator.crashed else whole).append(seen)

        complete = explore(run, lambda: steps > BUDGET)
        return Seen(world, tuple(whole), tuple(cut), complete)

    for _ in range(ROUNDS):
        size = reads.size()
        worlds = list(plan(reads, configured))
        for world in worlds:
            if _key(world) not in runs:
                runs[_key(world)] = in_world(world)
        if reads.size() == size:
            break
    # Only the worlds of the last plan count: an earlier one knew less of what the variables mean.
    return [runs[_key(world)] for world in worlds]


def _key(world: World) -> object:
    # A value that a file sets says more than the same one that is only tried.
    return world.environment, world.files, frozenset(world.variables.items()), world.configured
