"""Sees CORS set-ups go by while modules are evaluated."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from hardenctl.formats.cors import flask, frameworks, headers, starlette
from hardenctl.formats.cors.acceptance import EVIL
from hardenctl.formats.cors.document import Argument, Outcome, Source
from hardenctl.formats.python.interpreter import Call, Interpreter
from hardenctl.formats.python.values import Scope, Value
from hardenctl.model.text import Span


@dataclass(frozen=True)
class Sighting:
    """One set-up as one run saw it."""

    path: str
    library: str
    span: Span
    arguments: dict[str, Argument]
    outcome: Outcome
    scope: str = ""
    single_route: bool = False
    name: str = ""
    insert_at: Span | None = None
    source: Source | None = None
    literal_origins: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, int, str, str]:
        """Equal for the same set-up in other runs."""
        if self.library == "django-cors-headers":
            return (self.name, 0, self.library, "")
        return (self.path, self.span.start, self.library, self.scope)


@dataclass
class CorsSink:
    """Collects sightings. `origin` is what the request's `Origin` header holds in this run."""

    origin: str = EVIL
    sightings: list[Sighting] = field(default_factory=list)
    written: list[headers.Written] = field(default_factory=list)
    apps: list[tuple[Call, Value]] = field(default_factory=list)  # of Sanic, whose extensions read their configuration

    def wants(self, name: str, node: ast.Call | None = None) -> bool:
        """Calls of a CORS library, and calls that name a CORS header or ask for the request's origin."""
        return (
            starlette.wants(name)
            or flask.wants(name)
            or frameworks.wants(name)
            or (node is not None and headers.wants(node))
        )

    def call(self, run: Interpreter, call: Call) -> Value | None:
        """See a call."""
        if starlette.wants(call.name):
            found = starlette.sight(run, call)
            if found:
                self.sightings.append(found)
            return starlette.result(call)
        if flask.wants(call.name):
            result, seen = flask.sight(run, call)
            self.sightings.extend(seen)
            return result
        if frameworks.wants(call.name):
            result, seen = frameworks.sight(run, call)
            if call.name.startswith("sanic.") and result is not None:
                self.apps.append((call, result))
            self.sightings.extend(seen)
            return result
        return headers.call(self, run, call)

    def assign(self, run: Interpreter, target: ast.expr, value: Value, scope: Scope) -> None:
        """See `response.headers[...] = value`."""
        headers.assign(self, run, target, value, scope)
        frameworks.assign(run, target, value, scope)

    def finish(self, run: Interpreter) -> None:
        """Sight the applications of Sanic that nothing extends by name: they are extended when they start."""
        if not any(each.library in {"sanic-ext", "flask-cors"} for each in self.sightings):
            self.sightings.extend(filter(None, (frameworks.extended(run, call, app) for call, app in self.apps)))

    def item(self, owner: Value, key: Value) -> Value | None:
        """See `request.headers["origin"]`."""
        return headers.item(self, owner, key)
