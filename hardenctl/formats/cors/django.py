"""django-cors-headers: the settings a deployment ends up with, and whether the middleware is there to read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hardenctl.formats.cors.acceptance import Acceptance, shown
from hardenctl.formats.cors.build import state
from hardenctl.formats.cors.classes import setting_classes
from hardenctl.formats.cors.document import Argument, Outcome
from hardenctl.formats.cors.values import Strings, source, strings, truth
from hardenctl.formats.django.modules import environment_of
from hardenctl.formats.python.values import Scope, Value, is_set
from hardenctl.model.text import Span

if TYPE_CHECKING:
    from hardenctl.formats.cors.sink import Sighting
    from hardenctl.formats.python.interpreter import Interpreter
    from hardenctl.formats.python.project import Module

MIDDLEWARE = "corsheaders.middleware.CorsMiddleware"
_ALIASES = {
    "CORS_ALLOW_ALL_ORIGINS": "CORS_ORIGIN_ALLOW_ALL",
    "CORS_ALLOWED_ORIGINS": "CORS_ORIGIN_WHITELIST",
    "CORS_ALLOWED_ORIGIN_REGEXES": "CORS_ORIGIN_REGEX_WHITELIST",
}
_READ = (*_ALIASES, "CORS_ALLOW_CREDENTIALS", "CORS_ALLOW_METHODS", "CORS_ALLOW_HEADERS")
SETTINGS = frozenset({*_READ, *_ALIASES.values(), "MIDDLEWARE"})


def is_settings(module: Module) -> bool:
    """Whether a module looks like Django settings."""
    data = module.blob.data
    return b"corsheaders" in data or bool(re.search(rb"^\s*CORS_\w+\s*=", data, re.MULTILINE))


def sight(run: Interpreter, module: Module, *, assume_middleware: bool) -> Iterator[Sighting]:
    """The set-up of a settings module, or of each class of settings in it; nothing without the middleware."""
    scope = run.module(module)
    yield from _sight_in(run, module, scope, environment_of(module.path), assume_middleware=assume_middleware)
    for name, inner in setting_classes(run, scope):
        environment = environment_of(name.lower()) or environment_of(module.path)
        yield from _sight_in(run, module, inner, environment, assume_middleware=assume_middleware)


def _sight_in(
    run: Interpreter, module: Module, scope: Scope, environment: str | None, *, assume_middleware: bool
) -> Iterator[Sighting]:
    from hardenctl.formats.cors.sink import Sighting

    found = {name: each for name in _READ if (each := _setting(scope, name)) is not None}
    if not found or not _active(scope, assume_middleware=assume_middleware):
        return
    values = {name: scope.names[used] for name, used in found.items()}
    everyone = truth(values.get("CORS_ALLOW_ALL_ORIGINS"))
    origins = strings(values.get("CORS_ALLOWED_ORIGINS"))
    regexes = strings(values.get("CORS_ALLOWED_ORIGIN_REGEXES"))
    literals = origins.entries  # of a plain string, its characters are taken for origins: nobody gets in
    patterns = (*regexes.entries, *regexes.patterns, *(tuple(regexes.text) if regexes.text is not None else ()))
    acceptance = Acceptance(
        "django-cors-headers", everyone=bool(everyone), literals=literals, patterns=patterns, dead=origins.dead
    )
    all_value = values.get("CORS_ALLOW_ALL_ORIGINS")
    switch = strings(None)
    if all_value is not None:
        switch = Strings(
            open_ended=everyone is None,
            unresolved=everyone is None and not is_set(all_value.data),
            variables=all_value.variables,
        )
    relevant = [switch] if everyone else [switch, origins, regexes]
    outcome = state(
        run,
        acceptance=acceptance,
        origins=relevant,
        credentials=truth(values.get("CORS_ALLOW_CREDENTIALS")),
        credentials_value=values.get("CORS_ALLOW_CREDENTIALS"),
        methods=values.get("CORS_ALLOW_METHODS"),
        headers=values.get("CORS_ALLOW_HEADERS"),
        startup_error=_check_error(literals, text=origins.text),
        environment=environment,
    )
    arguments = {name: _argument(run, scope, used, values[name]) for name, used in found.items()}
    first = next(iter(arguments.values()))
    main = arguments.get("CORS_ALLOW_ALL_ORIGINS", arguments.get("CORS_ALLOWED_ORIGINS", first))
    statement = _statement(scope, found, main)
    home = run.project.parse(statement.path)
    yield Sighting(
        path=main.span.path,
        library="django-cors-headers",
        span=statement,
        source=source(home, statement.start, statement.end) if home is not None else None,
        arguments=arguments,
        outcome=outcome,
        name=module.name,
        literal_origins=acceptance.literals if not origins.variables else (),
    )


def shut(run: Interpreter, module: Module) -> Outcome:
    """The outcome of a run in which no setting lets anyone in."""
    return state(
        run,
        acceptance=Acceptance("django-cors-headers"),
        origins=[],
        credentials=None,
        environment=environment_of(module.path),
    )


def _setting(scope: Scope, name: str) -> str | None:
    """The name a setting is given under: its own or the old alias."""
    return next((each for each in (name, _ALIASES.get(name, "")) if each in scope.names), None)


def _active(scope: Scope, *, assume_middleware: bool) -> bool:
    """Whether the middleware is installed; a list that is not fully known counts as having it."""
    middleware = scope.names.get("MIDDLEWARE") or scope.names.get("MIDDLEWARE_CLASSES")
    if middleware is None:
        return assume_middleware
    listed = strings(middleware)
    return any("CorsMiddleware" in each for each in listed.entries) or (listed.open_ended and assume_middleware)


def _argument(run: Interpreter, scope: Scope, name: str, value: Value) -> Argument:
    origin = scope.origins.get(name)
    where = origin.value if origin is not None else value.span
    if where is None:
        where = Span(scope.module.path, 0, 0)
    home = run.project.parse(where.path)
    literal = None
    if value.span is not None and value.span.path.endswith(".py"):
        literal_home = run.project.parse(value.span.path)
        literal = source(literal_home, value.span.start, value.span.end) if literal_home else None
    elif home is not None and not value.variables and value.span is None:
        literal = None
    return Argument(where, literal)


def _statement(scope: Scope, found: dict[str, str], main: Argument) -> Span:
    for used in found.values():
        origin = scope.origins.get(used)
        if origin is not None and origin.value == main.span:
            return origin.statement
    return main.span


def _check_error(literals: tuple[str, ...], *, text: str | None) -> str:
    """What `manage.py check` (run by migrate and runserver, not by a WSGI server) refuses."""
    if text is not None:
        return "`CORS_ALLOWED_ORIGINS` is a string where Django wants a list" if text else ""
    for each in literals:
        if each in {"null", "file://"}:
            continue
        scheme, separator, rest = each.partition("://")
        if not separator or not scheme or not rest:
            return f"{shown(each)} in `CORS_ALLOWED_ORIGINS` has no scheme or no host (corsheaders.E013)"
        if "/" in rest or "?" in rest or "#" in rest:
            return f"{shown(each)} in `CORS_ALLOWED_ORIGINS` has a path (corsheaders.E014)"
    return ""
