"""Hand-written CORS headers: each function that sets them is tried with the origins of attackers."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from hardenctl.formats.cors import headers
from hardenctl.formats.cors.acceptance import ALSO_EVIL, EVIL, Acceptance, is_local, mutants
from hardenctl.formats.cors.build import state
from hardenctl.formats.cors.document import Argument, CorsSetup, Outcome
from hardenctl.formats.cors.samples import samples
from hardenctl.formats.cors.sink import CorsSink, Sighting
from hardenctl.formats.cors.trace import call_alone, call_the_rest, in_worlds, merge
from hardenctl.formats.cors.values import NOTHING, Strings
from hardenctl.formats.python.interest import Interest
from hardenctl.formats.python.interpreter import Interpreter
from hardenctl.formats.python.project import Module, Project, names_in
from hardenctl.formats.python.survey import Configuration
from hardenctl.formats.python.values import REQUEST, Function, Unknown, is_operators, is_set

LONGEST = 300  # characters of a text that may be an origin or a pattern of origins
MOST = 8  # named origins of a module that lookalikes are made of
ORIGIN = re.compile(r"https?://[\w.:-]+|\.?[\w-]+(?:\.[\w-]+)+")
APP_WIDE = frozenset({"middleware", "after_request", "after_app_request", "http", "on_response", "on_request"})
HOOKS = frozenset({"on_response_prepare", "middlewares"})  # lists of an aiohttp application
MIDDLEWARE_METHODS = frozenset({"dispatch", "__call__", "process_response", "set_default_headers", "prepare"})


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
    homes: dict[ast.AST, ast.AST] = {
        each: home
        for home in functions
        if any(_names(node) in headers.ASKED for node in _own(home))
        for each in ast.walk(home)
        if each in inner and each is not home
    }

    def body(run: Interpreter, sink: CorsSink) -> None:
        run.module(module)
        _gather(run, sink, module)
        call_the_rest(run, {module.path}, frozenset(), only=_outer(functions, inner))
        made = {each.node: each for each in run.functions if each.node in inner and each.scope.module is module}
        for function in made.values():
            _try_origins(run, sink, function, homes=homes, attacks=attacks, plain=plain)

    interest = Interest({node.name for node in functions} | names_in(inner), [module])
    sightings, complete = in_worlds(project, configured, interest, body)
    yield from merge(sightings, complete=complete)


def _sets_origin(nodes: Iterable[ast.AST]) -> bool:
    return any(_names(each) == headers.ORIGIN for each in nodes)


def _names(node: ast.AST) -> str:
    """The header that a constant may name."""
    return (headers.text(node.value) or "").lower() if isinstance(node, ast.Constant) else ""


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


def _again(run: Interpreter, function: Function, homes: Mapping[ast.AST, ast.AST]) -> Function:
    """The function that its enclosing one, called anew, makes; itself where no enclosing one asks for the origin.

    What it closes over hangs on the request: an ASGI `send` that knows the origin from around it.
    """
    home = homes.get(function.node)
    around = next((each for each in run.functions if each.node is home), None)
    if home is None or around is None:
        return function
    call_alone(run, _again(run, around, homes))
    return next(each for each in reversed(run.functions) if each.node is function.node)


def _try_origins(
    run: Interpreter,
    sink: CorsSink,
    function: Function,
    *,
    homes: Mapping[ast.AST, ast.AST],
    attacks: Sequence[str],
    plain: Sequence[str],
) -> None:
    """What a handler answers to each origin, as one sighting."""
    admitted: list[str] = []
    written: list[headers.Written] = []
    doubts: list[Unknown] = []
    for origin in (*attacks, *plain):
        sink.origin, sink.written = origin, []
        _answer(run, sink, function, homes)
        allowed = [each.value.data for each in sink.written if each.name == headers.ORIGIN]
        if allowed and run.doubts:
            doubts.extend(run.doubts)
            written = written or sink.written
            continue
        if origin in allowed:
            admitted.append(origin)
        if allowed and (origin in allowed or "*" in allowed or not written):
            written = sink.written
    sink.origin, sink.written = EVIL, []
    if written:
        sink.sightings.append(_sighting(run, function, written, admitted=admitted, plain=set(plain), doubts=doubts))


def _answer(run: Interpreter, sink: CorsSink, function: Function, homes: Mapping[ast.AST, ast.AST]) -> None:
    """One request. What it hangs on and cannot be decided counts as true, then as false if that set no header."""
    run.answering, run.doubts = True, []
    for leaning in (True, False):
        run.leaning = leaning
        chosen = _again(run, function, homes)
        sink.written = []
        call_alone(run, chosen)
        if sink.written or not run.doubts:
            break
    run.answering, run.leaning = False, True


def _gather(run: Interpreter, sink: CorsSink, module: Module) -> None:
    """Headers set while the module itself was run."""
    written = [each for each in sink.written if each.span.path == module.path]
    sink.written = []
    if any(each.name == headers.ORIGIN for each in written):
        sink.sightings.append(_sighting(run, None, written))


def _sighting(
    run: Interpreter,
    function: Function | None,
    written: Sequence[headers.Written],
    *,
    admitted: Sequence[str] = (),
    plain: Collection[str] = (),
    doubts: Sequence[Unknown] = (),
) -> Sighting:
    """What was written, as a sighting; `doubts` are the undecided values that admission hung on."""
    by_name = {each.name: each for each in written}
    allowed = [each for each in written if each.name == headers.ORIGIN]
    wildcard = any(each.value.data == "*" for each in allowed) and not doubts
    used = frozenset[str]().union(*(each.value.variables for each in written)) - {REQUEST}
    open_ended = bool(doubts) or any(each.value.unknown for each in allowed)
    unresolved = any(each.value.unknown and not is_set(each.value.data) for each in allowed)
    unresolved |= not all(map(is_operators, doubts))
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
        origins=(Strings(open_ended=open_ended, unresolved=unresolved, variables=used), NOTHING),
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
        single_route=function is None or not (_is_app_wide(function) or _is_registered(function)),
        name=function.name if function is not None else "",
    )


def _is_app_wide(function: Function) -> bool:
    """Whether a function sees every response: a middleware or a hook, no route's handler."""
    spec = function.node.args
    if [each.arg for each in (*spec.posonlyargs, *spec.args)][-3:] == ["scope", "receive", "send"]:
        return True
    decorators = {part for each in function.decorators for part in each.split(".")}
    return bool(decorators & APP_WIDE) or function.name in MIDDLEWARE_METHODS


def _is_registered(function: Function) -> bool:
    """Whether its module makes it a hook by a call: `app.on_response_prepare.append(f)`, `app.after_request(f)`."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and any(isinstance(each, ast.Name) and each.id == function.name for each in node.args)
        and (node.func.attr in APP_WIDE or (node.func.attr == "append" and _last(node.func.value) in HOOKS))
        for node in ast.walk(function.scope.module.tree)
    )


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""
