"""Runs modules through their worlds and gathers what was sighted into set-ups."""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from hardenctl.formats.cors import django
from hardenctl.formats.cors.document import Argument, CorsSetup, Outcome
from hardenctl.formats.cors.search import Site
from hardenctl.formats.cors.sink import CorsSink, Sighting
from hardenctl.formats.python.interest import Interest
from hardenctl.formats.python.interpreter import Interpreter
from hardenctl.formats.python.project import Module, Project, names_in
from hardenctl.formats.python.signals import Signal
from hardenctl.formats.python.survey import Configuration, survey
from hardenctl.formats.python.values import Function, Value


def in_worlds(
    project: Project,
    configured: Configuration,
    interest: Interest,
    body: Callable[[Interpreter, CorsSink], None],
) -> tuple[list[Sighting], bool]:
    """Everything sighted while `body` runs in each world worth a run, and whether all ways were followed."""
    found = survey(project, configured, interest, CorsSink, body)
    sightings = [each for world in found for sink in world.whole for each in sink.sightings]
    seen = {each.key for each in sightings}
    crashed = [each for world in found for sink in world.cut for each in sink.sightings if each.key not in seen]
    return [*sightings, *crashed], all(world.complete for world in found)


def trace_site(project: Project, site: Site, configured: Configuration) -> Iterator[CorsSetup]:
    """The set-ups of one module and of what calls its functions."""
    modules = [site.module, *site.callers]
    interest = Interest(site.words | site.entries, modules)

    def body(run: Interpreter, sink: CorsSink) -> None:
        for module in modules:
            run.module(module)
        call_the_rest(run, {module.path for module in modules}, site.words | site.entries)
        sink.finish(run)

    sightings, complete = in_worlds(project, configured, interest, body)
    yield from merge(sightings, complete=complete)


def call_the_rest(
    run: Interpreter, paths: set[str], words: frozenset[str], only: Collection[ast.AST] | None = None
) -> None:
    """Call the functions that set CORS up and that nobody called: those first that no other one mentions."""
    mentions = functools.cache(lambda function: names_in([function.node]))  # each is walked once
    tried: set[ast.AST] = set()
    waiting: list[Function] = []
    counted: Counter[str] = Counter()  # in how many of those that wait a name stands
    seen = 0

    def matters(function: Function) -> bool:
        if function.scope.module.path not in paths:
            return False
        if only is not None:
            return function.node in only
        return not isinstance(function.node, ast.Lambda) and not words.isdisjoint(names_in(function.node.body))

    while True:
        for each in run.functions[seen:]:  # those that the last call defined
            if matters(each):
                waiting.append(each)
                counted.update(mentions(each))
        seen = len(run.functions)
        for each in [each for each in waiting if each.node in run.called or each.node in tried]:
            waiting.remove(each)
            counted.subtract(mentions(each))
        if not waiting:
            return
        chosen = min(waiting, key=lambda each: counted[each.name] - (each.name in mentions(each)))
        tried.add(chosen.node)
        call_alone(run, chosen)


def call_alone(run: Interpreter, function: Function) -> None:
    """Call a function as nobody in sight does: an object for `self`, defaults or unknowns for the rest."""
    given: list[Value] = []
    if function.owner is not None and "staticmethod" not in function.decorators:
        cls = Value(function.owner)
        if "classmethod" in function.decorators:
            given = [cls]
        else:
            made = [each for each in run.instances if each.data.cls is function.owner]
            for each in made or [run.instantiate(cls, [], {})]:
                _quietly(run, function, [each])
            return
    _quietly(run, function, given)


def _quietly(run: Interpreter, function: Function, given: list[Value]) -> None:
    try:
        run.invoke(function, given, {})
    except Signal as signal:
        if type(signal).__name__ == "Exhausted":
            raise


def trace_django(
    project: Project, module: Module, configured: Configuration, *, assume_middleware: bool
) -> Iterator[CorsSetup]:
    """The set-up of one settings module."""
    interest = Interest(django.SETTINGS, [module])

    shut: list[Outcome] = []

    def body(run: Interpreter, sink: CorsSink) -> None:
        found = list(django.sight(run, module, assume_middleware=assume_middleware))
        sink.sightings.extend(found)
        if not found:
            shut.append(django.shut(run, module))

    sightings, complete = in_worlds(project, configured, interest, body)
    # `if DEBUG:` around the settings: where a file switches it off nobody gets in, and that is what counts.
    variables = frozenset[str]().union(*(each.outcome.variables for each in sightings))
    closed = [replace(each, variables=variables) for each in shut if variables & each.configured]
    yield from merge([*sightings, *(replace(sightings[0], outcome=each) for each in closed)], complete=complete)


def merge(sightings: Iterable[Sighting], *, complete: bool) -> Iterator[CorsSetup]:
    """One set-up for all sightings of one place."""
    grouped: dict[tuple[str, int, str, str], list[Sighting]] = {}
    for each in sightings:
        grouped.setdefault(each.key, []).append(each)
    for group in grouped.values():
        first = next((each for each in group if each.outcome.acceptance.everyone), group[0])
        arguments: dict[str, Argument] = {}
        for each in reversed(group):
            arguments |= each.arguments
        outcomes = tuple(dict.fromkeys(each.outcome for each in group))
        yield CorsSetup(
            path=first.path,
            library=first.library,
            span=first.span,
            arguments=arguments,
            outcomes=outcomes,
            scope=first.scope,
            single_route=first.single_route,
            name=first.name,
            insert_at=first.insert_at,
            source=first.source,
            literal_origins=first.literal_origins,
            complete=complete,
        )
