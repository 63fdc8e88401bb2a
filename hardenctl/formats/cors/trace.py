"""Runs modules through their worlds and gathers what was sighted into set-ups."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from hardenctl.formats.cors import django, headers
from hardenctl.formats.cors.acceptance import ALSO_EVIL, EVIL, Acceptance, mutants
from hardenctl.formats.cors.build import state
from hardenctl.formats.cors.document import Argument, CorsSetup, Outcome
from hardenctl.formats.cors.search import Site, interest
from hardenctl.formats.cors.sink import CorsSink, Sighting
from hardenctl.formats.cors.values import NOTHING, Strings
from hardenctl.formats.python.interpreter import Interpreter
from hardenctl.formats.python.project import Module, Project, names_in
from hardenctl.formats.python.signals import Signal
from hardenctl.formats.python.values import Function, Value
from hardenctl.formats.python.world import Choices, Configured, Reads, World, explore, plan

ROUNDS = 3  # of planning worlds: a world can show variables that no earlier one read
ORIGIN = re.compile(r"https?://[\w.:-]+|\.?[\w-]+(?:\.[\w-]+)+")
APP_WIDE = frozenset({"middleware", "after_request", "after_app_request", "http"})
MIDDLEWARE_METHODS = frozenset({"dispatch", "__call__", "process_response", "set_default_headers"})
Configuration = Mapping[str, Sequence[Configured]]


def in_worlds(
    project: Project,
    configured: Configuration,
    words: frozenset[str],
    body: Callable[[Interpreter, CorsSink], None],
) -> tuple[list[Sighting], bool]:
    """Everything sighted while `body` runs in each world worth a run, and whether all ways were followed."""
    reads = Reads()
    sightings: list[Sighting] = []
    complete = True
    done: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    for _ in range(ROUNDS):
        size = reads.size()
        for world in list(plan(reads, configured)):
            key = (world.environment, frozenset(world.variables.items()))
            if key in done:
                continue
            done.add(key)

            def run(choices: Choices, world: World = world) -> None:
                sink = CorsSink()
                # A run that is cut off counts as far as it got.
                with contextlib.suppress(Signal, RecursionError):
                    body(Interpreter(project, world, choices, reads, sink, words), sink)
                sightings.extend(sink.sightings)

            complete &= explore(run)
        if reads.size() == size:
            break
        if reads.defaults:  # the empty world was run before its environment was known
            done.discard(("", frozenset()))
            sightings[:] = [each for each in sightings if not (each.outcome.unset and each.outcome.environment == "")]
    return sightings, complete


def trace_site(project: Project, site: Site, configured: Configuration) -> Iterator[CorsSetup]:
    """The set-ups of one module and of what calls its functions."""
    modules = [site.module, *site.callers]
    words = interest(modules, site.words | site.entries)

    def body(run: Interpreter, sink: CorsSink) -> None:
        del sink
        for module in modules:
            run.module(module)
        _call_the_rest(run, {module.path for module in modules}, site.words | site.entries)

    sightings, complete = in_worlds(project, configured, words, body)
    own = [each for each in sightings if each.path == site.module.path]
    yield from merge(own, complete=complete)


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
    words = interest([module], {name for name in names_in([module.tree]) if name.startswith("CORS_")})

    def body(run: Interpreter, sink: CorsSink) -> None:
        sink.sightings.extend(django.sight(run, module, assume_middleware=assume_middleware))

    sightings, complete = in_worlds(project, configured, words, body)
    yield from merge(sightings, complete=complete)


def trace_headers(project: Project, module: Module, configured: Configuration) -> Iterator[CorsSetup]:
    """The hand-written headers of a module: each function that sets them is tried with origins of attackers."""
    functions = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and _sets_origin(node)
    ]
    origins = attack_origins(module)
    inner = [node for node in functions if not any(node is not each and _holds(node, each) for each in functions)]

    def body(run: Interpreter, sink: CorsSink) -> None:
        run.module(module)
        _gather(run, sink, module)
        _call_the_rest(run, {module.path}, frozenset(), only={*functions} - {*inner})
        for function in list(run.functions):
            if function.node in inner and function.scope.module is module:
                _try_origins(run, sink, function, origins)

    words = interest([module], {getattr(node, "name", "") for node in functions} | {"origin", "headers"})
    sightings, complete = in_worlds(project, configured, words, body)
    yield from merge(sightings, complete=complete)


def _sets_origin(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Constant) and (headers.text(each.value) or "").lower() == headers.ORIGIN
        for each in ast.walk(node)
    )


def _holds(outer: ast.AST, inner: ast.AST) -> bool:
    return any(each is inner for each in ast.walk(outer))


def attack_origins(module: Module) -> list[str]:
    """Origins worth a try on a module: any, null, and lookalikes of every origin or domain its text names."""
    found = dict.fromkeys((EVIL, ALSO_EVIL, "null"))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ORIGIN.fullmatch(node.value):
            text = node.value if "://" in node.value else f"https://{node.value.lstrip('.')}"
            found |= dict.fromkeys(mutants(text))
    return list(found)[:40]


def _try_origins(run: Interpreter, sink: CorsSink, function: Function, origins: Iterable[str]) -> None:
    """What a handler answers to each origin, as one sighting."""
    admitted: list[str] = []
    written: list[headers.Written] = []
    for origin in origins:
        sink.origin, sink.written = origin, []
        call_alone(run, function)
        allowed = [each.value.data for each in sink.written if each.name == headers.ORIGIN]
        if origin in allowed:
            admitted.append(origin)
        if allowed and (origin in allowed or "*" in allowed or not written):
            written = sink.written
    sink.origin, sink.written = EVIL, []
    if written:
        sink.sightings.append(_sighting(run, function, written, tuple(admitted)))


def _gather(run: Interpreter, sink: CorsSink, module: Module) -> None:
    """Headers set while the module itself was run."""
    written = [each for each in sink.written if each.span.path == module.path]
    sink.written = []
    if any(each.name == headers.ORIGIN for each in written):
        sink.sightings.append(_sighting(run, None, written, ()))


def _sighting(
    run: Interpreter, function: Function | None, written: Sequence[headers.Written], admitted: tuple[str, ...]
) -> Sighting:
    by_name = {each.name: each for each in written}
    allowed = [each for each in written if each.name == headers.ORIGIN]
    wildcard = any(each.value.data == "*" for each in allowed)
    used = frozenset[str]().union(*(each.value.variables for each in written))
    unresolved = any(each.value.unknown for each in allowed)
    sent = by_name.get(headers.CREDENTIALS)
    credentials = None if sent and sent.value.unknown else bool(sent) and str(sent.value.data).lower() == "true"
    outcome: Outcome = state(
        run,
        acceptance=Acceptance("headers", everyone=wildcard, literals=admitted),
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
        first = group[0]
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
