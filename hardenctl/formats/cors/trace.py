"""Runs modules through their worlds and gathers what was sighted into set-ups."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from hardenctl.formats.cors import django, headers
from hardenctl.formats.cors.acceptance import ALSO_EVIL, EVIL, Acceptance, is_local, mutants
from hardenctl.formats.cors.build import state
from hardenctl.formats.cors.document import Argument, CorsSetup, Outcome
from hardenctl.formats.cors.samples import samples
from hardenctl.formats.cors.search import Site
from hardenctl.formats.cors.sink import CorsSink, Sighting
from hardenctl.formats.cors.values import NOTHING, Strings
from hardenctl.formats.python.interest import Interest
from hardenctl.formats.python.interpreter import Interpreter
from hardenctl.formats.python.project import Module, Project, names_in
from hardenctl.formats.python.signals import Signal
from hardenctl.formats.python.values import Function, Value
from hardenctl.formats.python.world import Choices, Configured, Reads, World, explore, plan

LONGEST = 300  # characters of a text that may be an origin or a pattern of origins
MOST = 8  # named origins of a module that lookalikes are made of
ROUNDS = 3  # of planning worlds: a world can show variables that no earlier one read
ORIGIN = re.compile(r"https?://[\w.:-]+|\.?[\w-]+(?:\.[\w-]+)+")
APP_WIDE = frozenset({"middleware", "after_request", "after_app_request", "http"})
MIDDLEWARE_METHODS = frozenset({"dispatch", "__call__", "process_response", "set_default_headers"})
WorldKey = tuple[str, frozenset[tuple[str, str | None]]]
Configuration = Mapping[str, Sequence[Configured]]


def in_worlds(
    project: Project,
    configured: Configuration,
    interest: Interest,
    body: Callable[[Interpreter, CorsSink], None],
) -> tuple[list[Sighting], bool]:
    """Everything sighted while `body` runs in each world worth a run, and whether all ways were followed."""
    reads = Reads()
    runs: dict[WorldKey, tuple[list[Sighting], list[Sighting], bool]] = {}
    worlds: list[World] = []
    for _ in range(ROUNDS):
        size = reads.size()
        worlds = list(plan(reads, configured))
        for world in worlds:
            if _key(world) not in runs:
                runs[_key(world)] = _in_world(project, world, reads, interest, body)
        if reads.size() == size:
            break
    # Only the worlds of the last plan count: an earlier one knew less of what the variables mean.
    found = [runs[_key(world)] for world in worlds if _key(world) in runs]
    sightings = [each for whole, _, _ in found for each in whole]
    seen = {each.key for each in sightings}
    crashed = [each for _, cut, _ in found for each in cut if each.key not in seen]
    return [*sightings, *crashed], all(complete for _, _, complete in found)


def _key(world: World) -> WorldKey:
    return world.environment, frozenset(world.variables.items())


def _in_world(
    project: Project, world: World, reads: Reads, interest: Interest, body: Callable[[Interpreter, CorsSink], None]
) -> tuple[list[Sighting], list[Sighting], bool]:
    """What was sighted in runs that start the application, in runs that do not, and whether all ways were followed."""
    sightings: list[Sighting] = []
    crashed: list[Sighting] = []

    def run(choices: Choices) -> None:
        sink = CorsSink()
        evaluator = Interpreter(project, world, choices, reads, sink, interest)
        with contextlib.suppress(Signal, RecursionError):  # a run that is cut off counts as far as it got
            body(evaluator, sink)
        (crashed if evaluator.crashed else sightings).extend(sink.sightings)

    complete = explore(run)
    return sightings, crashed, complete


def trace_site(project: Project, site: Site, configured: Configuration) -> Iterator[CorsSetup]:
    """The set-ups of one module and of what calls its functions."""
    modules = [site.module, *site.callers]
    interest = Interest(site.words | site.entries, modules)

    def body(run: Interpreter, sink: CorsSink) -> None:
        del sink
        for module in modules:
            run.module(module)
        _call_the_rest(run, {module.path for module in modules}, site.words | site.entries)

    sightings, complete = in_worlds(project, configured, interest, body)
    yield from merge(sightings, complete=complete)


def _call_the_rest(
    run: Interpreter, paths: set[str], words: frozenset[str], only: Collection[ast.AST] | None = None
) -> None:
    """Call the functions that set CORS up and that nobody called: those first that no other one mentions."""
    tried: set[ast.AST] = set()
    while True:
        waiting = [
            each
            for each in run.functions
            if each.node not in run.called
            and each.node not in tried
            and each.scope.module.path in paths
            and not isinstance(each.node, ast.Lambda)
            and (each.node in only if only is not None else not words.isdisjoint(names_in(each.node.body)))
        ]
        if not waiting:
            return
        mentioned = {
            each.name: sum(1 for other in waiting if other is not each and each.name in names_in([other.node]))
            for each in waiting
        }
        chosen = min(waiting, key=lambda each: mentioned[each.name])
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

    def body(run: Interpreter, sink: CorsSink) -> None:
        sink.sightings.extend(django.sight(run, module, assume_middleware=assume_middleware))

    sightings, complete = in_worlds(project, configured, interest, body)
    yield from merge(sightings, complete=complete)


def trace_headers(project: Project, module: Module, configured: Configuration) -> Iterator[CorsSetup]:
    """The hand-written headers of a module: each function that sets them is tried with origins of attackers."""
    functions = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _sets_origin(ast.walk(node))
    ]
    named = named_origins(module)
    attacks, plain = attack_origins(named), plain_origins(named)
    inner = [node for node in functions if _sets_origin(_own(node))]

    def body(run: Interpreter, sink: CorsSink) -> None:
        run.module(module)
        _gather(run, sink, module)
        _call_the_rest(run, {module.path}, frozenset(), only=_outer(functions, inner))
        for function in list(run.functions):
            if function.node in inner and function.scope.module is module:
                _try_origins(run, sink, function, attacks, plain)

    interest = Interest({node.name for node in functions} | names_in(inner), [module])
    sightings, complete = in_worlds(project, configured, interest, body)
    yield from merge(sightings, complete=complete)


def _sets_origin(nodes: Iterable[ast.AST]) -> bool:
    return any(
        isinstance(each, ast.Constant) and (headers.text(each.value) or "").lower() == headers.ORIGIN for each in nodes
    )


def _outer(functions: Sequence[ast.AST], inner: Sequence[ast.AST]) -> set[ast.AST]:
    """The functions that must be called for an inner one to exist."""
    return {each for each in functions if any(one is not each and one in set(ast.walk(each)) for one in inner)}


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """What is in a function and in no function inside it."""
    for each in ast.iter_child_nodes(function):
        yield each
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _own(each)


def named_origins(module: Module) -> list[str]:
    """The origins that a module's text names: whole ones, domains, and what its patterns match."""
    found: dict[str, None] = {}
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)) or len(node.value) > LONGEST:
            continue
        if "\\" in node.value:
            found |= dict.fromkeys(each for each in samples(node.value) if ORIGIN.fullmatch(each))
        elif ORIGIN.fullmatch(node.value):
            found[node.value if "://" in node.value else f"https://{node.value.lstrip('.')}"] = None
    return list(found)[:MOST]


def attack_origins(named: Iterable[str]) -> list[str]:
    """Origins worth a try: any, null, and lookalikes of every origin that is named."""
    found = dict.fromkeys((EVIL, ALSO_EVIL, "null"))
    for each in named:
        found |= dict.fromkeys(mutants(each))
    return list(found)


def plain_origins(named: Iterable[str]) -> list[str]:
    """The named origins, and a host below them, over plain http."""
    hosts = dict.fromkeys(urlsplit(each).hostname or "" for each in named)
    return [f"http://{prefix}{host}" for host in hosts if host and not is_local(host) for prefix in ("", "app.")]


def _try_origins(
    run: Interpreter, sink: CorsSink, function: Function, attacks: Sequence[str], plain: Sequence[str]
) -> None:
    """What a handler answers to each origin, as one sighting."""
    admitted: list[str] = []
    written: list[headers.Written] = []
    for origin in (*attacks, *plain):
        sink.origin, sink.written = origin, []
        call_alone(run, function)
        allowed = [each.value.data for each in sink.written if each.name == headers.ORIGIN]
        if origin in allowed:
            admitted.append(origin)
        if allowed and (origin in allowed or "*" in allowed or not written):
            written = sink.written
    sink.origin, sink.written = EVIL, []
    if written:
        sink.sightings.append(_sighting(run, function, written, admitted, set(plain)))


def _gather(run: Interpreter, sink: CorsSink, module: Module) -> None:
    """Headers set while the module itself was run."""
    written = [each for each in sink.written if each.span.path == module.path]
    sink.written = []
    if any(each.name == headers.ORIGIN for each in written):
        sink.sightings.append(_sighting(run, None, written, [], set()))


def _sighting(
    run: Interpreter,
    function: Function | None,
    written: Sequence[headers.Written],
    admitted: Sequence[str],
    plain: Collection[str],
) -> Sighting:
    by_name = {each.name: each for each in written}
    allowed = [each for each in written if each.name == headers.ORIGIN]
    wildcard = any(each.value.data == "*" for each in allowed)
    used = frozenset[str]().union(*(each.value.variables for each in written))
    unresolved = any(each.value.unknown for each in allowed)
    sent = by_name.get(headers.CREDENTIALS)
    credentials: bool | None = sent is not None and str(sent.value.data).lower() == "true"
    if sent is not None and sent.value.unknown:
        credentials = None
    outcome: Outcome = state(
        run,
        acceptance=Acceptance(
            "headers",
            everyone=wildcard,
            literals=tuple(each for each in admitted if each not in plain),
            plain=tuple(each for each in admitted if each in plain),
        ),
        origins=(Strings(open_ended=unresolved, unresolved=unresolved and not used, variables=used), NOTHING),
        # A browser refuses `*` for a request with credentials: only a reflected origin reads with them.
        credentials=False if wildcard else credentials,
        methods=by_name[headers.METHODS].value if headers.METHODS in by_name else None,
        headers=by_name[headers.HEADERS].value if headers.HEADERS in by_name else None,
    )
    words = {
        "allow_origins": headers.ORIGIN,
        "allow_credentials": headers.CREDENTIALS,
        "allow_methods": headers.METHODS,
        "allow_headers": headers.HEADERS,
    }
    return Sighting(
        path=allowed[0].span.path,
        library="headers",
        span=allowed[0].span,
        arguments={word: Argument(by_name[name].value_span) for word, name in words.items() if name in by_name},
        outcome=outcome,
        single_route=function is None or not _is_app_wide(function),
        name=function.name if function is not None else "",
    )


def _is_app_wide(function: Function) -> bool:
    """Whether a function sees every response: a middleware or a hook, no route's handler."""
    decorators = {part for each in function.decorators for part in each.split(".")}
    return bool(decorators & APP_WIDE) or function.name in MIDDLEWARE_METHODS


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
