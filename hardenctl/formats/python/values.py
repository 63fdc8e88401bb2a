"""What the evaluator computes with: plain Python data with where it comes from, and stand-ins for all else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hardenctl.model.text import Span

if TYPE_CHECKING:
    from hardenctl.formats.python.project import Module

NO_VARIABLES: frozenset[str] = frozenset()
REQUEST = "\0request"  # stands among the variables of a value that was computed from what a request brings


NOT = "not "  # begins the key of an undecided value's opposite


@dataclass(frozen=True, slots=True)
class Value:
    """One value. Containers hold Values.

    `variables` are the environment variables it was computed from; `span` is where it was written down: a literal in
    the code, or the line of an env or compose file.
    """

    data: Any
    variables: frozenset[str] = NO_VARIABLES
    span: Span | None = None

    @property
    def unknown(self) -> bool:
        """Whether the text alone does not decide this value."""
        return isinstance(self.data, Unknown)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value the text does not decide. Equal keys are the same value, so that branches on it agree."""

    key: str


@dataclass(frozen=True, slots=True)
class External:
    """A name from outside the project, by its full dotted path; `owner` is what a method was taken from."""

    name: str
    owner: Value | None = None


@dataclass(eq=False, repr=False)
class Scope:
    """The names of a module, a function or a class. `origins` says where a name got its last value."""

    module: Module
    parent: Scope | None = None
    names: dict[str, Value] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)  # declared `global` or `nonlocal`
    is_class: bool = False

    def lookup(self, name: str) -> Value | None:
        """The value of a name, as Python's scoping finds it; the names of a class body are not seen from inside."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or not scope.is_class):
                return scope.names[name]
            scope = scope.parent
        return None

    def rebind(self, name: str, value: Value) -> None:
        """Put the value of a lazy import in its place, wherever it was found."""
        scope: Scope | None = self
        while scope is not None and not (name in scope.names and (scope is self or not scope.is_class)):
            scope = scope.parent
        if scope is not None:
            scope.names[name] = value

    def bind(self, name: str, value: Value, origin: Origin | None = None) -> None:
        """Give a name a value, in the scope that its `global` or `nonlocal` names."""
        scope = self
        if name in self.outer:
            while scope.parent is not None and (scope is self or name not in scope.names):
                scope = scope.parent
        scope.names[name] = value
        if origin is not None:
            scope.origins[name] = origin


@dataclass(eq=False)
class Lazy:
    """A name imported from a module that need not be run until the name is used."""

    module: str
    name: str
    importer: Module
    exact: bool = False  # a relative import: the name is a full path


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a name got its value: the whole statement and the right-hand side."""

    statement: Span
    value: Span


@dataclass(eq=False)
class Function:
    """A function of the project, with the scope it closes over."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    owner: Class | None = None
    decorators: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name; a lambda has none."""
        return getattr(self.node, "name", "<lambda>")


@dataclass(eq=False)
class Bound:
    """A method taken from an object or a class."""

    function: Function
    owner: Value


@dataclass(eq=False)
class Class:
    """A class of the project. `bases` are Values of `Class` or `External`."""

    node: ast.ClassDef
    scope: Scope
    bases: tuple[Value, ...]

    def lineage(self) -> Iterator[Class]:
        """This class and the project's classes it derives from, nearest first."""
        yield self
        for base in self.bases:
            if isinstance(base.data, Class):
                yield from base.data.lineage()

    def derives(self, *names: str) -> bool:
        """Whether it derives from an external class with one of these last names."""
        return any(
            isinstance(base.data, External) and base.data.name.rpartition(".")[2] in names
            for each in self.lineage()
            for base in each.bases
        )

    def find(self, name: str) -> Value | None:
        """An attribute of the class or of one it derives from."""
        return next((each.scope.names[name] for each in self.lineage() if name in each.scope.names), None)


@dataclass(eq=False)
class Instance:
    """An object: of a project's class, or (`cls` External) one of a library's that we model."""

    cls: Class | External
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Url:
    """A pydantic URL object. It is no string, and its text ends in `/` where the host stands alone."""

    text: str


NONE = Value(None)


def unknown(key: str, variables: frozenset[str] = NO_VARIABLES) -> Value:
    """An unknown value."""
    return Value(Unknown(key), variables)


def is_set(data: object) -> bool:
    """Whether this is the text of a variable that must be set, or made of it alone: the operator decides it."""
    return isinstance(data, Unknown) and data.key.startswith("$") and " " not in data.key


def is_operators(data: object) -> bool:
    """Whether only the texts of variables leave it open: as `is_set`, or a comparison of such a text."""
    return isinstance(data, Unknown) and data.key.removeprefix(NOT).startswith("$")


def computed(key: str, parts: Iterable[Value]) -> Value:
    """An unknown that a pure function makes of parts: still the operator's where nothing else in it is unknown.

    A key without blanks is a text, one with them a condition.
    """
    whole = list(parts)
    used = frozenset[str]().union(*map(all_variables, whole))
    open_parts = [leaf.data for each in whole for leaf in _leaves(each) if leaf.unknown or _is_outside(leaf.data)]
    if open_parts and all(map(is_operators, open_parts)):
        key = "$" + key
    elif key.startswith("$"):
        key = "?" + key
    return unknown(key, used)


def _is_outside(data: object) -> bool:
    return isinstance(data, External) and not data.name.startswith("builtins.")


def _leaves(value: Value) -> Iterator[Value]:
    if isinstance(value.data, (list, tuple)):
        for each in value.data:
            yield from _leaves(each)
    else:
        yield value


def all_variables(value: Value, depth: int = 4) -> frozenset[str]:
    """The variables of a value and of what it holds."""
    found = value.variables
    if depth:
        for each in children(value):
            found |= all_variables(each, depth - 1)
    return found


def children(value: Value) -> list[Value]:
    """What a container holds; keys too."""
    data = value.data
    if isinstance(data, (list, tuple, set)):
        return list(data)
    if isinstance(data, dict):
        return list(data.values())
    return []


def plain(value: Value) -> Any:
    """The value as plain Python data. Raises LookupError where any part of it is unknown or no data."""
    data = value.data
    if isinstance(data, list):
        return [plain(each) for each in data]
    if isinstance(data, (tuple, set)):
        return tuple(plain(each) for each in data)
    if isinstance(data, dict):
        return {key: plain(each) for key, each in data.items()}
    if data is None or isinstance(data, (str, bytes, bool, int, float)):
        return data
    raise LookupError


def lift(data: Any, variables: frozenset[str] = NO_VARIABLES, span: Span | None = None) -> Value:
    """Plain Python data as a value, each part with the same provenance."""
    if isinstance(data, list):
        return Value([lift(each, variables, span) for each in data], variables, span)
    if isinstance(data, (tuple, set, frozenset)):
        return Value(tuple(lift(each, variables, span) for each in data), variables, span)
    if isinstance(data, dict):
        return Value({key: lift(each, variables, span) for key, each in data.items()}, variables, span)
    return Value(data, variables, span)
