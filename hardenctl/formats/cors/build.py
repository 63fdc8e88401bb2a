"""What the readers of all libraries share: from a call's settings to a sighting."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hardenctl.formats.cors.acceptance import Acceptance
from hardenctl.formats.cors.document import Argument, Outcome
from hardenctl.formats.cors.values import Strings, argument, source, strings
from hardenctl.formats.python.values import REQUEST, Value, all_variables
from hardenctl.model.finding import Related
from hardenctl.model.text import Span

if TYPE_CHECKING:
    from hardenctl.formats.cors.sink import Sighting
    from hardenctl.formats.python.interpreter import Call, Interpreter
    from hardenctl.formats.python.world import World


def outcome(
    run: Interpreter,
    call: Call,
    library: str,
    *,
    acceptance: Acceptance,
    origins: Sequence[Strings],
    credentials: bool | None,
    credentials_value: Value | None,
    methods: Value | None,
    headers: Value | None,
    arguments: dict[str, Argument],
    startup_error: str = "",
    scope: str = "",
    single_route: bool = False,
) -> Sighting:
    """The sighting of a call."""
    from hardenctl.formats.cors.sink import Sighting

    module = call.scope.module
    span = module.span(call.node)
    return Sighting(
        path=module.path,
        library=library,
        span=span,
        arguments=arguments,
        outcome=state(
            run,
            acceptance=acceptance,
            origins=origins,
            credentials=credentials,
            credentials_value=credentials_value,
            methods=methods,
            headers=headers,
            startup_error=startup_error,
        ),
        scope=scope,
        single_route=single_route,
        name=_enclosing(call.scope),
        insert_at=insertion(call),
        source=source(module, span.start, span.end),
        literal_origins=acceptance.literals if not any(each.variables for each in origins) else (),
    )


def state(
    run: Interpreter,
    *,
    acceptance: Acceptance,
    origins: Sequence[Strings],
    credentials: bool | None,
    credentials_value: Value | None = None,
    methods: Value | None = None,
    headers: Value | None = None,
    startup_error: str = "",
    environment: str | None = None,
) -> Outcome:
    """The outcome in this run's world."""
    used = frozenset[str]().union(*(each.variables for each in origins))
    if credentials_value is not None:
        used |= all_variables(credentials_value)
    used -= {REQUEST}
    if not startup_error:
        broken = acceptance.broken_pattern()
        startup_error = "the regular expression of the origins cannot be compiled" if broken is not None else ""
    if not startup_error:
        startup_error = next((what for what, value in run.errors if value.variables & used), "")
    world = run.world
    return Outcome(
        environment=world.environment if environment is None else environment,
        acceptance=acceptance,
        credentials=credentials,
        methods=words(methods),
        headers=words(headers),
        variables=used,
        configured=world.configured,
        unset=not world.variables,
        open_ended=any(each.open_ended for each in origins),
        unresolved=any(each.unresolved for each in origins),
        startup_error=startup_error,
        related=tuple(_chain(world, sorted(used & world.configured))),
    )


def _chain(world: World, names: Iterable[str]) -> Iterator[Related]:
    """The files that set the variables, and what takes those files."""
    for name in names:
        yield Related(world.spans[name], f"`{name}` is set here")
        if name in world.taken_by:
            yield Related(world.taken_by[name], "the service takes its variables from that file")


def words(value: Value | None) -> tuple[str, ...] | None:
    """Methods or headers as a tuple; None where nothing was given or nothing is known."""
    if value is None or value.unknown:
        return None
    found = strings(value)
    return tuple(re.split(r"[,\s]+", found.text)) if found.text is not None else found.entries


def setting_arguments(
    run: Interpreter, call: Call, values: dict[str, Value], positional: Iterable[str]
) -> dict[str, Argument]:
    """Where each setting of a call is given: its keyword's value, its position, or (through `**`) the call itself."""
    module = call.scope.module
    nodes: dict[str, ast.AST] = {each.arg: each.value for each in call.node.keywords if each.arg}
    skipped = len(call.node.args) - sum(1 for each in positional if each in values and each not in call.keywords)
    for name, node in zip(positional, call.node.args[skipped:], strict=False):
        nodes.setdefault(name, node)
    return {name: argument(module, nodes.get(name, call.node), value, run.project) for name, value in values.items()}


def insertion(call: Call) -> Span | None:
    """Where another keyword argument fits: behind the last one."""
    parts: list[ast.expr] = [*call.node.args, *(each.value for each in call.node.keywords)]
    if not parts:
        return None
    last = max(parts, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
    end = call.scope.module.span(last).end
    return Span(call.scope.module.path, end, end)


def _enclosing(scope: object) -> str:
    return getattr(getattr(scope, "module", None), "name", "")
