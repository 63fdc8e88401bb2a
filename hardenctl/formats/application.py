"""What a web application's own code says of cookies, tokens, hosts and debugging: its calls, as they are written.

Names are followed to where they are imported from. Values are not worked out: one that is no literal (a setting, say)
is nobody's finding here.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from hardenctl.formats import APPLICATION_WORDS, TOKEN_WORDS
from hardenctl.formats.paths import ASIDE
from hardenctl.formats.python.project import Module, Project, unparsable
from hardenctl.model.blob import Gap, Snapshot, scope_of
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import record
from hardenctl.model.text import Span

DECODE = ("jwt.decode", "jwt.decode_complete", "jwt.api_jwt.decode", "jwt.api_jwt.decode_complete")
# What a condition asks that is about where the program runs, by whole words: `latest` is no test, `device` no dev.
_PLACE = lazy_pattern(
    r"(?i)debug|(?<![a-z])(?:dev(?:el(?:opment)?)?|local(?:host)?|tests?|testing|stag(?:e|ing)|env(?:ironment)?)(?![a-z])"
    r"|__main__|production|(?<![a-z])(?:prod|live)(?![a-z])"
)
_PRODUCTION = lazy_pattern(r"(?i)production|(?<![a-z])(?:prod|live)(?![a-z])")


@record(slots=False)
class Call:
    """A call. `name` is what is called, by its dotted name from where it is imported.

    `first` is its first argument in the same way, where that is a name; `conditional` says that the call is in a branch
    that is not taken in production.
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
        if found is None and place is not None and len(self.node.args) > place and not self._starred:
            found = self.node.args[place]
        return found

    def literal(self, name: str, place: int | None = None) -> Any:
        """The value of an argument where it is a literal; Ellipsis where it is not, or is not there."""
        return literal(self.argument(name, place))

    def has(self, name: str, place: int | None = None) -> bool:
        """Whether an argument is given, or may be: a `*` or `**` may hold any."""
        unknown = self._starred or any(each.arg is None for each in self.node.keywords)
        return unknown or self.argument(name, place) is not None

    def is_off(self, name: str, place: int | None = None, *, default: bool = False) -> bool:
        """Whether a switch is off: by what is written, or because nothing is and that is the `default`."""
        if not self.has(name, place):
            return not default
        return self.literal(name, place) in (False, None)

    @property
    def _starred(self) -> bool:
        return any(isinstance(each, ast.Starred) for each in self.node.args)


@record(slots=False)
class Application:
    """A module of an application: its calls, and what it assigns to keys of `app.config`.

    `decodes` gives the calls that decode a JSON Web Token anywhere in the project: asked for only where one matters.
    """

    path: str
    module: Module
    decodes: Callable[[], tuple[Call, ...]] = tuple

    @cached_property
    def _said(self) -> _Calls:
        return _Calls(self.module)

    def called(self, *endings: str) -> Iterator[Call]:
        """The calls of what has one of these dotted names, or ends in one: `FastAPI`, `jwt.decode`."""
        for call in self._said.found:
            if any(call.name == each or call.name.endswith(f".{each}") for each in endings):
                yield call

    def imports(self, package: str) -> bool:
        """Whether something of a package is imported."""
        return any(each == package or each.startswith(f"{package}.") for each in self._said.names.values())

    def constant(self, node: ast.expr | None) -> Any:
        """The value of a literal, or of a name that the module gives one; Ellipsis for anything else."""
        if isinstance(node, ast.Name):
            return self._said.constants.get(node.id, ...)
        return literal(node)

    @cached_property
    def configured(self) -> tuple[tuple[str, ast.expr], ...]:
        """Keys of `app.config` and the values that the module sets them to, but for where it does not in production."""
        found = list(self._said.configured)
        for call in self.called("config.update", "config.from_mapping"):
            if not call.conditional:
                found += [(each.arg, each.value) for each in call.node.keywords if each.arg]
                found += [pair for each in call.node.args if isinstance(each, ast.Dict) for pair in _pairs(each)]
        return tuple(found)


DOCUMENTS = (Application,)


def read(snapshot: Snapshot) -> Iterator[Application | Gap]:
    """The modules in scope that say something, and a Gap for each that cannot be parsed.

    Tests, examples and documents are left aside.
    """
    project = Project(snapshot)

    @functools.cache
    def decodes() -> tuple[Call, ...]:
        modules = _modules(project, TOKEN_WORDS, project.paths)
        found = (Application(each.path, each) for each in modules if isinstance(each, Module))
        return tuple(call for each in found for call in each.called(*DECODE))

    programs = (path for path in scope_of(snapshot) if path.endswith(".py"))
    for module in _modules(project, APPLICATION_WORDS, programs):
        yield Application(module.path, module, decodes) if isinstance(module, Module) else module


def _modules(project: Project, words: tuple[bytes, ...], paths: Iterable[str]) -> Iterator[Module | Gap]:
    """The modules of paths that hold one of these words, and a Gap for each that cannot be parsed."""
    for path in sorted(paths):
        if ASIDE.search(path) and not project.snapshot.named(path):
            continue
        blob = project.snapshot.read(path)
        if blob is None or not any(word in blob.data for word in words):
            continue
        if (module := project.parse(path)) is not None:
            yield module
        else:
            yield from unparsable(path, blob.text)


def literal(node: ast.expr | None) -> Any:
    """The value of a literal; Ellipsis for anything else."""
    if node is None:
        return ...
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ...


def entries(node: ast.expr | None) -> dict[str, Any]:
    """The entries of a dictionary that are literals, whatever the others are: `{"a": 1, "b": x}`, `dict(a=1)`."""
    if isinstance(node, ast.Dict):
        pairs = _pairs(node)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        pairs = [(each.arg, each.value) for each in node.keywords if each.arg]
    else:
        pairs = []
    return {key: literal(value) for key, value in pairs}


def _pairs(node: ast.Dict) -> list[tuple[str, ast.expr]]:
    pairs = ((_text(key), value) for key, value in zip(node.keys, node.values, strict=True))
    return [(key, value) for key, value in pairs if key is not None]


def _text(node: ast.expr | None) -> str | None:
    """The text of a literal; None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


class _Calls(ast.NodeVisitor):
    """Collects calls with the names they have where they are imported from, and what is assigned beside them."""

    def __init__(self, module: Module) -> None:
        self.found: list[Call] = []
        self.names: dict[str, str] = {}
        self.constants: dict[str, str] = {}
        self.configured: list[tuple[str, ast.expr]] = []
        self._module = module
        self._conditional = 0
        self.visit(module.tree)

    def visit_Import(self, node: ast.Import) -> None:
        for each in node.names:
            top = each.name.partition(".")[0]
            self.names[each.asname or top] = each.name if each.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            self.names[each.asname or each.name] = f"{node.module or ''}.{each.name}"

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name) and (text := _text(node.value)) is not None:
                self.constants[target.id] = text
            elif isinstance(target, ast.Subscript) and _is_config(target.value) and not self._conditional:
                key = literal(target.slice)
                self.configured += [(key, node.value)] if isinstance(key, str) else []
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        self._branches(node.test, node.body, node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._branches(node.test, [node.body], [node.orelse])

    def _branches(self, test: ast.expr, body: Sequence[ast.AST], orelse: Sequence[ast.AST]) -> None:
        self.visit(test)
        aside = _not_taken(test)
        for taken, branch in ((True, body), (False, orelse)):
            self._conditional += aside is taken
            for each in branch:
                self.visit(each)
            self._conditional -= aside is taken

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
            parts.append(self.names.get(node.id, node.id))
        elif not parts:
            return ""
        return ".".join(reversed(parts))


def _not_taken(test: ast.expr) -> bool | None:
    """Which branch of a condition is not taken in production: True the first, False the other, None where none says."""
    text = ast.unparse(test)
    if not _PLACE.search(text):
        return None
    denied = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    denied ^= isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotEq | ast.NotIn)
    return denied == bool(_PRODUCTION.search(text))


def _is_config(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "config"
