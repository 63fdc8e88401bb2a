"""Evaluates the settings modules that production uses, in every environment worth a run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from hardenctl.formats import DJANGO_WORDS
from hardenctl.formats.cors.document import Source
from hardenctl.formats.cors.values import source, strings
from hardenctl.formats.django.document import Deployment, DjangoSettings, Setting, Way
from hardenctl.formats.django.modules import Served, deployed_class, homes, is_of_classes, is_open, served
from hardenctl.formats.environment import configured_values
from hardenctl.formats.paths import ASIDE, is_django_settings
from hardenctl.formats.python.interest import Interest
from hardenctl.formats.python.interpreter import Call, Interpreter
from hardenctl.formats.python.project import Module, Project, unparsable
from hardenctl.formats.python.survey import Configuration, Seen, survey
from hardenctl.formats.python.values import Class, Lazy, Scope, Value, all_variables, is_operators, plain
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.text import Span

SETTINGS = (
    *("DEBUG", "ALLOWED_HOSTS", "SECRET_KEY", "MIDDLEWARE"),
    *("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "CSRF_USE_SESSIONS"),
    *("SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER", "SECURE_CONTENT_TYPE_NOSNIFF"),
    *("AUTH_PASSWORD_VALIDATORS", "PASSWORD_HASHERS", "SESSION_SERIALIZER"),
)


def read(snapshot: Snapshot) -> Iterator[DjangoSettings | Gap]:
    """Yield the settings modules that production uses, and a Gap for each settings module that cannot be parsed."""
    project = Project(snapshot)
    paths = [path for path in sorted(project.paths) if snapshot.named(path) or not ASIDE.search(path)]
    found = homes(project, snapshot, paths)
    yield from _gaps(project, snapshot, paths)
    configured = configured_values(snapshot)
    for each in served(project, snapshot, found, configured):
        try:
            yield _document(project, each, configured)
        except Exception as error:  # noqa: BLE001 - the reason is named, its text could hold a value
            yield Gap(each.module.path, f"the settings could not be evaluated: {type(error).__name__}")


def _gaps(project: Project, snapshot: Snapshot, paths: list[str]) -> Iterator[Gap]:
    """A template of a project (`{{name}}/settings.py`) is no module yet."""
    for path in paths:
        if not is_django_settings(path) or "{{" in path or project.parse(path) is not None:
            continue
        blob = snapshot.read(path)
        if blob is not None and any(word in blob.data for word in DJANGO_WORDS):
            yield from unparsable(path, blob.text)


@dataclass
class Watch:
    """What a run leaves in the settings: nothing on the way matters."""

    way: dict[str, Setting] = field(default_factory=dict)
    lost: bool = False  # settings are in classes, and which of them counts could not be told

    def wants(self, name: str, node: ast.Call | None = None) -> bool:
        """No call matters."""
        del name, node
        return False

    def call(self, run: Interpreter, call: Call) -> Value | None:
        """As above."""
        del run, call
        return None

    def assign(self, run: Interpreter, target: ast.expr, value: Value, scope: Scope) -> None:
        """As above."""

    def item(self, owner: Value, key: Value) -> Value | None:
        """As above."""
        del owner, key
        return None


def _document(project: Project, chosen: Served, configured: Configuration) -> DjangoSettings:
    module = chosen.module

    def body(run: Interpreter, watch: Watch) -> None:
        scopes = [run.module(module)]
        if is_of_classes(module):
            own = deployed_class(each.data for each in scopes[0].names.values() if isinstance(each.data, Class))
            watch.lost = own is None
            scopes = [each.scope for each in own.lineage()] if own is not None else scopes
        homes = {name: next((each for each in scopes if name in each.names), None) for name in SETTINGS}
        watch.way = {name: _setting(run, home, name) for name, home in homes.items() if home is not None}

    found = survey(project, configured, Interest(SETTINGS, [module]), Watch, body)
    return DjangoSettings(
        path=module.path,
        name=module.name,
        top=_top(module),
        deployments=tuple(map(_deployment, found)),
        chosen=chosen.named,
        open_ended=chosen.apart
        or is_open(module, project)
        or any(each.lost for one in found for each in (*one.whole, *one.cut)),
        complete=all(each.complete for each in found),
    )


def _deployment(seen: Seen[Watch]) -> Deployment:
    world = seen.world
    ways: tuple[Way, ...] = tuple(watch.way for watch in seen.whole or seen.cut)
    return Deployment(world.environment, world.files, not world.variables, ways, world.spans)


def _setting(run: Interpreter, scope: Scope, name: str) -> Setting:
    value = scope.names[name]
    if isinstance(value.data, Lazy):
        value = run.force(value.data)
    origin = scope.origins.get(name)
    home = run.project.parse(origin.statement.path) if origin is not None else None
    span = (
        _first_line(home, origin.statement.start, origin.statement.end)
        if origin is not None and home is not None
        else _top(scope.module)
    )
    try:
        known, data = True, plain(value)
    except LookupError:
        known, data = False, None
    listed = strings(value)
    used = all_variables(value)
    return Setting(
        span=span,
        known=known,
        data=data,
        entries=listed.entries,
        open_ended=listed.open_ended,
        operators=is_operators(value.data) or (listed.open_ended and not listed.unresolved),
        variables=used,
        by_default=used.isdisjoint(run.world.variables),
        refused=bool(used) and used <= run.refused,
        literal=_literal(run, value),
    )


def _literal(run: Interpreter, value: Value) -> Source | None:
    span = value.span
    home = run.project.parse(span.path) if span is not None and span.path.endswith(".py") else None
    return source(home, span.start, span.end) if home is not None and span is not None else None


def _top(module: Module) -> Span:
    """The first line that does something."""
    body = [
        each for each in module.tree.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    ]
    whole = module.span(body[0]) if body else Span(module.path, 0, len(module.blob.text))
    return _first_line(module, whole.start, whole.end)


def _first_line(module: Module, start: int, end: int) -> Span:
    """A stretch of a module as far as its first line goes: a list of forty entries is no place."""
    text = module.blob.text
    stop = text.find("\n", start, end)
    return Span(module.path, start, end if stop < 0 else stop)
