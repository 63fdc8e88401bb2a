"""Expressions of a config file: known values, those the environment can change, and those only the machine knows."""

from __future__ import annotations

import ast
import copy
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from hardenctl.formats.shell.values import Value
from hardenctl.model.record import record, replace


class _Nothing:
    def __repr__(self) -> str:
        return "unknown"


NOTHING: Any = _Nothing()
LARGEST = 100  # nodes of an expression that is put in place of a name
DEEPEST = 3  # calls of local functions within each other
LONGEST = 10_000  # characters or items of a value; more is no setting


@record
class Result:
    """What an expression comes to. `value` is `NOTHING` where only the running machine knows.

    `configurable` says that a variable of the environment can change it. `kind` tells functions and modules apart from
    values; `name` is a module's dotted name, `body` a function's definition.
    """

    value: Any
    configurable: bool = False
    expression: ast.expr | None = None
    kind: str = "value"
    name: str = ""
    body: ast.AST | None = None

    @property
    def known(self) -> bool:
        """Whether the value is known."""
        return self.value is not NOTHING

    @property
    def source(self) -> str | None:
        """The expression as Python, names replaced by what they stand for."""
        return ast.unparse(self.expression) if self.expression is not None else None

    @property
    def counts_cpus(self) -> bool:
        """Whether it is computed from the number of CPUs the host shows."""
        return self.expression is not None and any(
            isinstance(node, ast.Attribute | ast.Name)
            and (getattr(node, "attr", None) or getattr(node, "id", None)) in _CPUS
            for node in ast.walk(self.expression)
        )

    def loosened(self) -> Result:
        """The same, changeable by the environment."""
        return replace(self, configurable=True)


_CPUS = frozenset(("cpu_count", "process_cpu_count"))  # neither reads a cgroup's quota
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "str": str,
    "float": float,
    "bool": bool,
    "max": max,
    "min": min,
    "round": round,
    "abs": abs,
    "len": len,
    "sum": sum,
    "list": list,
    "tuple": tuple,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
}
_WIDTH = re.compile(r"%[^a-zA-Z%]*[0-9*]{3}|\{[^}]*:[^}]*[0-9]{3}")  # a format that makes much of little
_METHODS = frozenset(
    (
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "startswith",
        "endswith",
        "replace",
        "format",
        "join",
        "title",
    )
)


def evaluate(node: ast.expr, scope: Mapping[str, Result], environment: Mapping[str, Value]) -> Result:
    """Evaluate an expression. Never runs anything of the user's but a local one-line function."""
    try:
        return _Evaluator(scope, environment, 0).visit(node)
    except RecursionError:
        return Result(NOTHING, expression=None)


class _Evaluator:
    def __init__(self, scope: Mapping[str, Result], environment: Mapping[str, Value], depth: int) -> None:
        self.scope, self.environment, self.depth = scope, environment, depth

    def visit(self, node: ast.expr) -> Result:
        method = getattr(self, f"visit_{type(node).__name__.lower()}", None)
        if method is None:
            return self.unknown(node, [])
        result: Result = method(node)
        if result.known and isinstance(result.value, str | list | tuple | bytes) and len(result.value) > LONGEST:
            return self.unknown(node, [result])
        return result

    def unknown(self, node: ast.expr, parts: list[Result]) -> Result:
        """A value nobody knows; its expression has names replaced by what they stand for."""
        expression = _Substitute(self.scope).visit(copy.deepcopy(node))
        return Result(NOTHING, any(part.configurable for part in parts), ast.fix_missing_locations(expression))

    def compute(self, node: ast.expr, parts: list[Result], function: Callable[..., Any]) -> Result:
        """Apply a function to known parts."""
        if not all(part.known for part in parts):
            return self.unknown(node, parts)
        values = [part.value for part in parts]
        if _explodes(node, values):
            return self.unknown(node, parts)
        try:
            value = function(*values)
        except Exception:  # noqa: BLE001 - whatever it raises, gunicorn's start would raise too
            return self.unknown(node, parts)
        loose = any(part.configurable for part in parts)
        expression = _Substitute(self.scope).visit(copy.deepcopy(node)) if loose else None
        return Result(value, loose, expression)

    def visit_constant(self, node: ast.Constant) -> Result:
        return Result(node.value)

    def visit_name(self, node: ast.Name) -> Result:
        known = self.scope.get(node.id)
        return known if known is not None and known.kind == "value" else Result(NOTHING, expression=node)

    def visit_binop(self, node: ast.BinOp) -> Result:
        function = _BINARY.get(type(node.op))
        parts = [self.visit(node.left), self.visit(node.right)]
        return self.compute(node, parts, function) if function else self.unknown(node, parts)

    def visit_unaryop(self, node: ast.UnaryOp) -> Result:
        function = _UNARY.get(type(node.op))
        part = self.visit(node.operand)
        return self.compute(node, [part], function) if function else self.unknown(node, [part])

    def visit_boolop(self, node: ast.BoolOp) -> Result:
        stops = isinstance(node.op, ast.Or)
        parts = []
        for each in node.values:
            part = self.visit(each)
            parts.append(part)
            if not part.known:
                return self.unknown(node, parts)
            if bool(part.value) is stops:
                break
        return replace(parts[-1], configurable=any(part.configurable for part in parts))

    def visit_ifexp(self, node: ast.IfExp) -> Result:
        test = self.visit(node.test)
        body, other = self.visit(node.body), self.visit(node.orelse)
        if not test.known:
            return self.unknown(node, [test, body, other])
        chosen = body if test.value else other
        return replace(chosen, configurable=chosen.configurable or test.configurable)

    def visit_compare(self, node: ast.Compare) -> Result:
        function = _COMPARE.get(type(node.ops[0]))
        parts = [self.visit(node.left), *(self.visit(each) for each in node.comparators)]
        return self.compute(node, parts, function) if function and len(parts) == 2 else self.unknown(node, parts)  # noqa: PLR2004 - left and right

    def visit_list(self, node: ast.List) -> Result:
        return self.compute(node, [self.visit(each) for each in node.elts], lambda *values: list(values))

    def visit_tuple(self, node: ast.Tuple) -> Result:
        return self.compute(node, [self.visit(each) for each in node.elts], lambda *values: tuple(values))

    def visit_dict(self, node: ast.Dict) -> Result:
        if any(key is None for key in node.keys):
            return self.unknown(node, [])
        parts = [self.visit(each) for pair in zip(node.keys, node.values, strict=True) for each in pair if each]
        return self.compute(node, parts, lambda *values: dict(zip(values[::2], values[1::2], strict=True)))

    def visit_joinedstr(self, node: ast.JoinedStr) -> Result:
        parts = []
        for piece in node.values:
            if isinstance(piece, ast.FormattedValue):
                if piece.format_spec is not None or piece.conversion != -1:
                    return self.unknown(node, [self.visit(piece.value)])
                parts.append(self.visit(piece.value))
            else:
                parts.append(self.visit(piece))
        return self.compute(node, parts, lambda *values: "".join(map(str, values)))

    def visit_subscript(self, node: ast.Subscript) -> Result:
        if self.dotted(node.value) == "os.environ":
            return self.variable(node, node.slice, None)
        return self.compute(node, [self.visit(node.value), self.visit(node.slice)], operator.getitem)

    def visit_call(self, node: ast.Call) -> Result:
        name = self.dotted(node.func)
        if name in ("os.environ.get", "os.getenv") and node.args:
            default = node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords), None)
            return self.variable(node, node.args[0], default or ast.Constant(None))
        parts = [self.visit(argument) for argument in node.args]
        if name in _FUNCTIONS and not node.keywords:
            return self.compute(node, parts, _FUNCTIONS[name])
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS and not node.keywords:
            owner = self.visit(node.func.value)
            return self.compute(node, [owner, *parts], lambda own, *rest: getattr(str(own), node.func.attr)(*rest))  # type: ignore[attr-defined]
        function = self.scope.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if function is not None and isinstance(function.body, ast.FunctionDef):
            return self.call(node, function.body, parts)
        return self.unknown(node, parts)

    def call(self, node: ast.Call, function: ast.FunctionDef, parts: list[Result]) -> Result:
        """A call of a function of the file whose body is one `return`, docstring aside."""
        body = [
            each for each in function.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        ]
        names = [argument.arg for argument in function.args.args]
        one = body[0] if len(body) == 1 else None
        if (
            self.depth > DEEPEST
            or node.keywords
            or len(names) != len(parts)
            or not isinstance(one, ast.Return)
            or not one.value
        ):
            return self.unknown(node, parts)
        scope = {**self.scope, **dict(zip(names, parts, strict=True))}
        return _Evaluator(scope, self.environment, self.depth + 1).visit(one.value)

    def variable(self, node: ast.expr, name: ast.expr, default: ast.expr | None) -> Result:
        """A read of the environment: what the repository sets, else the default."""
        key = self.visit(name)
        set_to = self.environment.get(key.value) if key.known else None
        if set_to is not None and set_to.text is not None:
            return Result(set_to.text, configurable=True, expression=node)
        if default is None or set_to is not None or not key.known:
            return Result(NOTHING, configurable=True, expression=node)
        result = self.visit(default)
        return Result(result.value, configurable=True, expression=result.expression or node)

    def dotted(self, node: ast.expr) -> str:
        """The dotted name of what is called, imports and their aliases resolved; empty where it has none."""
        if isinstance(node, ast.Name):
            known = self.scope.get(node.id)
            if known is None:
                return node.id
            return known.name if known.kind == "module" else ""
        if isinstance(node, ast.Attribute):
            owner = self.dotted(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""


def _explodes(node: ast.expr, values: list[Any]) -> bool:
    """Whether computing could take much memory: huge numbers, repeated sequences, formats with a width."""
    if any(isinstance(value, int) and abs(value) > 10**9 for value in values):
        return True
    if not any(isinstance(value, str | list | tuple | bytes) for value in values):
        return False
    texts = [value for value in values if isinstance(value, str)]
    return (
        (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult))
        or any(len(value) > LONGEST for value in values if isinstance(value, str | list | tuple | bytes))
        or any(_WIDTH.search(text) for text in texts)
    )


class _Substitute(ast.NodeTransformer):
    """Puts the expressions of unknown names in their place, so that `cores * 2` shows as `cpu_count() * 2`."""

    def __init__(self, scope: Mapping[str, Result]) -> None:
        self.scope = scope

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = self.scope.get(node.id)
        if known is not None and known.kind == "module" and known.name.rpartition(".")[2] in _CPUS:
            return ast.parse(known.name, mode="eval").body  # `from os import cpu_count as cores`
        if known is None or known.kind != "value":
            return node
        if known.expression is not None and sum(1 for _ in ast.walk(known.expression)) < LARGEST:
            return copy.deepcopy(known.expression)
        return ast.Constant(known.value) if isinstance(known.value, int | float | str) else node
