"""What a web application's own code says of cookies, tokens, hosts and debugging: its calls, as they are written.

Names are followed to where they are imported from. Values are not worked out: one that is no literal (a setting, say)
is nobody's finding here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hardenctl.formats import APPLICATION_WORDS
from hardenctl.formats.cors.search import ASIDE
from hardenctl.formats.python.project import Module, Project
from hardenctl.model.blob import Snapshot
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import record, replace
from hardenctl.model.text import Span

DECODE = ("jwt.decode", "jwt.api_jwt.decode")
# A branch that is not taken in production, by what it asks.
_ELSEWHERE = lazy_pattern(r"(?i)debug|\bdev|_dev|local|test|__main__|environment|\benv\b|app_env|stage")


@record(slots=False)
class Call:
    """A call. `name` is what is called, by its dotted name from where it is imported.

    `first` is its first argument in the same way, where that is a name; `conditional` says that the call is in a branch
    that asks for an environment.
    """

    module: Module
    node: ast.Call
    name: str
    first: str
    conditional: bool

    @property
    def span(self) -> Span:
        """The whole call."""
        return self.module.span(self.node)

    def argument(self, name: str, place: int | None = None) -> ast.expr | None:
        """An argument by its name or its place."""
        found = next((each.value for each in self.node.keywords if each.arg == name), None)
        if found is None and place is not None and len(self.node.args) > place:
            found = self.node.args[place]
        return None if isinstance(found, ast.Starred) else found

    def literal(self, name: str, place: int | None = None) -> Any:
        """The value of an argument where it is a literal; Ellipsis where it is not, or is not there."""
        return literal(self.argument(name, place))

    def has(self, name: str) -> bool:
        """Whether an argument is given, or may be: a `**` may hold any."""
        return any(each.arg in {name, None} for each in self.node.keywords)


@record(slots=False)
class Application:
    """A module of an application: its calls, and what it assigns to keys of `app.config`.

    `decodes` are the calls that decode a JSON Web Token anywhere in the project.
    """

    path: str
    module: Module
    decodes: tuple[Call, ...] = ()

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """All calls, in order."""
        return tuple(_Calls(self.module).found)

    def called(self, *endings: str) -> Iterator[Call]:
        """The calls of what has one of these dotted names, or ends in one: `FastAPI`, `jwt.decode`."""
        for call in self.calls:
            if any(call.name == each or call.name.endswith(f".{each}") for each in endings):
                yield call

    @cached_property
    def configured(self) -> tuple[tuple[str, ast.expr], ...]:
        """Keys of `app.config` and the values that the module sets them to, in whatever way, outside branches."""
        found: list[tuple[str, ast.expr]] = []
        for node in ast.walk(self.module.tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Subscript) and _is_config(target.value):
                        key = literal(target.slice)
                        found += [(key, node.value)] if isinstance(key, str) else []
        for call in self.called("config.update", "config.from_mapping"):
            if not call.conditional:
                found += [(each.arg, each.value) for each in call.node.keywords if each.arg]
        return tuple(found)


DOCUMENTS = (Application,)


def read(snapshot: Snapshot) -> Iterator[Application]:
    """The modules of a snapshot that say something, tests, examples and documents left aside."""
    found = tuple(_applications(snapshot))
    decodes = tuple(call for each in found for call in each.called(*DECODE))
    for each in found:
        yield replace(each, decodes=decodes)


def _applications(snapshot: Snapshot) -> Iterator[Application]:
    project = Project(snapshot)
    for path in sorted(project.paths):
        if ASIDE.search(path) and not snapshot.named(path):
            continue
        blob = snapshot.read(path)
        if blob is None or not any(word in blob.data for word in APPLICATION_WORDS):
            continue
        if (module := project.parse(path)) is not None:  # where it is not, `cors` and `gunicorn` say so
            yield Application(path, module)


def literal(node: ast.expr | None) -> Any:
    """The value of a literal; Ellipsis for anything else."""
    if node is None:
        return ...
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ...


def _is_config(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "config"


class _Calls(ast.NodeVisitor):
    """Collects calls with the names they have where they are imported from."""

    def __init__(self, module: Module) -> None:
        self.found: list[Call] = []
        self._module = module
        self._names: dict[str, str] = {}
        self._conditional = 0
        self.visit(module.tree)

    def visit_Import(self, node: ast.Import) -> None:
        for each in node.names:
            top = each.name.partition(".")[0]
            self._names[each.asname or top] = each.name if each.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            self._names[each.asname or each.name] = f"{node.module or ''}.{each.name}"

    def visit_If(self, node: ast.If) -> None:
        asks = bool(_ELSEWHERE.search(ast.unparse(node.test)))
        self._conditional += asks
        self.generic_visit(node)
        self._conditional -= asks

    def visit_Call(self, node: ast.Call) -> None:
        name = self._name(node.func)
        if name:
            first = self._name(node.args[0]) if node.args else ""
            self.found.append(Call(self._module, node, name, first, bool(self._conditional)))
        self.generic_visit(node)

    def _name(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            parts.append(self._names.get(node.id, node.id))
        elif not parts:
            return ""
        return ".".join(reversed(parts))
