"""Evaluates expressions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from hardenctl.formats.python import library
from hardenctl.formats.python.builtin import BUILTINS
from hardenctl.formats.python.signals import Raised
from hardenctl.formats.python.values import (
    NOT,
    REQUEST,
    External,
    Function,
    Instance,
    Lazy,
    Scope,
    Unknown,
    Url,
    Value,
    all_variables,
    computed,
    lift,
    plain,
    unknown,
)
from hardenctl.formats.python.world import environment_name

if TYPE_CHECKING:
    from hardenctl.formats.python.interpreter import Interpreter

LARGEST = 256  # elements of a container that are followed

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: lambda left, right: left is right if right is None else left == right,
    ast.IsNot: lambda left, right: left is not right if right is None else left != right,
}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
    ast.BitOr: operator.or_,
}
_STARTED_WITH = frozenset({"sys.argv", "sys.modules"})
_BEYOND = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


def expression(run: Interpreter, node: ast.expr, scope: Scope) -> Value:
    """The value of an expression; unknown where its kind, or what it needs, is beyond us."""
    run.step()
    handler = _HANDLERS.get(type(node))
    if handler is None:
        return unknown(_key(node, scope))
    try:
        return handler(run, node, scope)
    except (*_BEYOND, RecursionError):
        return unknown(_key(node, scope))


def _constant(run: Interpreter, node: ast.Constant, scope: Scope) -> Value:  # noqa: ARG001 - all handlers are called alike
    return Value(node.value, span=scope.module.span(node))


def _name(run: Interpreter, node: ast.Name, scope: Scope) -> Value:
    found = scope.lookup(node.id)
    if found is not None and isinstance(found.data, Lazy):
        found = run.force(found.data)
        scope.rebind(node.id, found)
    if found is not None:
        return found
    return Value(External(f"builtins.{node.id}")) if node.id in BUILTINS else unknown(node.id)


def _attribute(run: Interpreter, node: ast.Attribute, scope: Scope) -> Value:
    return run.attribute(run.expression(node.value, scope), node.attr)


def _list(run: Interpreter, node: ast.List, scope: Scope) -> Value:
    return Value(list(_elements(run, node.elts, scope)), span=scope.module.span(node))


def _tuple(run: Interpreter, node: ast.Tuple, scope: Scope) -> Value:
    return Value(tuple(_elements(run, node.elts, scope)), span=scope.module.span(node))


def _set(run: Interpreter, node: ast.Set, scope: Scope) -> Value:
    return Value(list(_elements(run, node.elts, scope)), span=scope.module.span(node))


def _elements(run: Interpreter, nodes: Iterable[ast.expr], scope: Scope) -> Iterator[Value]:
    for each in nodes:
        if isinstance(each, ast.Starred):
            yield from items(run.expression(each.value, scope))
        else:
            yield run.expression(each, scope)


def _dict(run: Interpreter, node: ast.Dict, scope: Scope) -> Value:
    found: dict[Any, Value] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        evaluated = run.expression(value, scope)
        if key is not None:
            name = run.expression(key, scope)
            found[plain(name)] = Value(evaluated.data, evaluated.variables | name.variables, evaluated.span)
        elif isinstance(evaluated.data, dict):
            found.update(evaluated.data)
        else:
            found[None] = evaluated  # `**unknown`: there may be more
    return Value(found, span=scope.module.span(node))


def _starred(run: Interpreter, node: ast.Starred, scope: Scope) -> Value:
    return run.expression(node.value, scope)


def _await(run: Interpreter, node: ast.Await, scope: Scope) -> Value:
    return run.expression(node.value, scope)


def _namedexpr(run: Interpreter, node: ast.NamedExpr, scope: Scope) -> Value:
    value = run.expression(node.value, scope)
    scope.bind(node.target.id, value)
    return value


def _yield(run: Interpreter, node: ast.Yield, scope: Scope) -> Value:
    value = run.expression(node.value, scope) if node.value else Value(None)
    scope.names.setdefault("yield", Value([])).data.append(value)
    return Value(None)


def _lambda(run: Interpreter, node: ast.Lambda, scope: Scope) -> Value:  # noqa: ARG001 - all handlers are called alike
    return Value(Function(node, scope))


def _joinedstr(run: Interpreter, node: ast.JoinedStr, scope: Scope) -> Value:
    parts = [run.expression(each, scope) for each in node.values]
    used = frozenset().union(*(each.variables for each in parts))
    if any(not isinstance(each.data, (str, int, float, Url)) for each in parts):
        return computed(_key(node, scope), parts)
    return Value("".join(text_of(each.data) for each in parts), used, scope.module.span(node))


def _formattedvalue(run: Interpreter, node: ast.FormattedValue, scope: Scope) -> Value:
    value = run.expression(node.value, scope)
    return value if node.format_spec is None else unknown(_key(node, scope), value.variables)


def condition(run: Interpreter, node: ast.expr, scope: Scope) -> Value:
    """The value of a test. Nothing is decided that need not be: an undecided part leaves the whole undecided."""
    if not isinstance(node, ast.BoolOp):
        return run.expression(node, scope)
    stops = isinstance(node.op, ast.Or)
    used: frozenset[str] = frozenset()
    undecided: list[Value] = []
    for each in node.values:
        value = condition(run, each, scope)
        used |= value.variables
        if value.unknown:
            undecided.append(value)
        elif run.truth(value) == stops:
            return Value(stops, used)
    if undecided:
        key = f" {type(node.op).__name__} ".join(each.data.key for each in undecided)
        if not any(REQUEST in each.variables for each in undecided):
            used -= {REQUEST}  # what the request brought is decided
        return Value(computed(f"({key})", undecided).data, used)
    return Value(not stops, used)


def _boolop(run: Interpreter, node: ast.BoolOp, scope: Scope) -> Value:
    stops = isinstance(node.op, ast.Or)
    value = Value(stops)
    used: frozenset[str] = frozenset()
    for each in node.values:
        value = run.expression(each, scope)
        used |= value.variables
        if each is not node.values[-1] and run.truth(value) == stops:
            break
    return Value(value.data, value.variables | used, value.span)


def _unaryop(run: Interpreter, node: ast.UnaryOp, scope: Scope) -> Value:
    value = run.expression(node.operand, scope)
    if isinstance(node.op, ast.Not):
        return negated(value) if value.unknown else Value(not run.truth(value), value.variables)
    return Value(-plain(value), value.variables) if isinstance(node.op, ast.USub) else unknown(_key(node, scope))


def _ifexp(run: Interpreter, node: ast.IfExp, scope: Scope) -> Value:
    return run.expression(node.body if run.truth(condition(run, node.test, scope)) else node.orelse, scope)


def _compare(run: Interpreter, node: ast.Compare, scope: Scope) -> Value:
    left = run.expression(node.left, scope)
    used = all_variables(left)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = run.expression(comparator, scope)
        used |= all_variables(right)
        run.compare_seen(left, right)
        run.compare_seen(right, left)
        if isinstance(right.data, External) and right.data.name == "os.environ" and isinstance(left.data, str):
            found = run.variable(left.data, Value(None))
            used |= {left.data}
            result: bool | None = (found is not None and found.data is not None) != isinstance(op, ast.NotIn)
        elif isinstance(right.data, External) and right.data.name in _STARTED_WITH and isinstance(left.data, str):
            result = isinstance(op, ast.NotIn)  # `"test" in sys.argv`: a server is started with no such word
        else:
            result = _compared(op, left, right)
        if result is None:
            result_unknown = computed(f"{identity(left)} {_positive(op)} {identity(right)}", [left, right])
            result_unknown = Value(result_unknown.data, used)
            negative = isinstance(op, (ast.NotEq, ast.NotIn, ast.IsNot))
            return negated(result_unknown) if negative else result_unknown
        if not result:
            return Value(False, used)  # noqa: FBT003 - the value of the comparison
        left = right
    return Value(True, used)  # noqa: FBT003 - as above


def _binop(run: Interpreter, node: ast.BinOp, scope: Scope) -> Value:
    left, right = run.expression(node.left, scope), run.expression(node.right, scope)
    return binary(node.op, left, right, _key(node, scope))


def binary(op: ast.operator, left: Value, right: Value, key: str) -> Value:
    """`left op right`. A list and an unknown are a list with an unknown rest."""
    used = left.variables | right.variables
    if isinstance(op, ast.Add) and (isinstance(left.data, (list, tuple)) or isinstance(right.data, (list, tuple))):
        return Value([*items(left), *items(right)], used, left.span or right.span)
    if isinstance(op, ast.BitOr) and isinstance(left.data, dict) and isinstance(right.data, dict):
        return Value({**left.data, **right.data}, used)
    if (
        isinstance(left.data, list)
        and isinstance(right.data, list)
        and (combined := _sets(op, left, right)) is not None
    ):
        return Value(combined, used)
    operation = _BINARY.get(type(op))
    if operation is None or left.unknown or right.unknown:
        return computed(key, [left, right])
    first, second = plain(left), plain(right)
    if isinstance(op, ast.Mult) and max(_size(first), _size(second)) > LARGEST:
        return unknown(key, used)
    return lift(operation(first, second), used, left.span)


def _sets(op: ast.operator, left: Value, right: Value) -> list[Value] | None:
    """`|`, `&` and `-` of sets; None where an unknown element leaves it open."""
    if isinstance(op, ast.BitOr):
        return [*left.data, *right.data]
    if not isinstance(op, (ast.BitAnd, ast.Sub)) or any(each.unknown for each in (*left.data, *right.data)):
        return None
    others = [each.data for each in right.data]
    return [each for each in left.data if (each.data in others) == isinstance(op, ast.BitAnd)]


def _subscript(run: Interpreter, node: ast.Subscript, scope: Scope) -> Value:
    owner = run.expression(node.value, scope)
    if isinstance(node.slice, ast.Slice):
        bounds = [
            plain(run.expression(each, scope)) if each else None
            for each in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        return Value(owner.data[slice(*bounds)], owner.variables, owner.span)
    key = run.expression(node.slice, scope)
    special = library.subscript(run, owner, key)
    if special is not None:
        return special
    if isinstance(owner.data, (External, Unknown, Instance)) or key.unknown:
        return unknown(f"{identity(owner)}[{identity(key)}]", owner.variables | key.variables)
    if isinstance(owner.data, str):
        return Value(owner.data[plain(key)], owner.variables)
    if isinstance(owner.data, dict) and plain(key) not in owner.data and None not in owner.data:
        if key.variables and isinstance(
            key.data, str
        ):  # an environment's usual name, and the table has another: `prod`
            wanted = environment_name(key.data)
            same = [
                each for word, each in owner.data.items() if isinstance(word, str) and environment_name(word) == wanted
            ]
            if same:
                return same[0]  # type: ignore[no-any-return]
        raise Raised("KeyError")
    return owner.data[plain(key)]  # type: ignore[no-any-return]


def _listcomp(run: Interpreter, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope) -> Value:
    found: list[Value] = []
    inner = Scope(scope.module, scope)
    used = _generate(run, node.generators, inner, lambda: found.append(run.expression(node.elt, inner)))
    return Value(found, used, scope.module.span(node))


def _dictcomp(run: Interpreter, node: ast.DictComp, scope: Scope) -> Value:
    found: dict[Any, Value] = {}
    inner = Scope(scope.module, scope)

    def add() -> None:
        name, value = run.expression(node.key, inner), run.expression(node.value, inner)
        found[plain(name)] = Value(value.data, value.variables | name.variables, value.span)

    _generate(run, node.generators, inner, add)
    return Value(found)


def _generate(
    run: Interpreter, generators: list[ast.comprehension], scope: Scope, add: Callable[[], None]
) -> frozenset[str]:
    if not generators:
        add()
        return frozenset()
    first, *rest = generators
    source = run.expression(first.iter, scope)
    used = source.variables
    for each in items(source)[:LARGEST]:
        run.assign_to(first.target, each, scope)
        if all(run.truth(run.expression(test, scope)) for test in first.ifs):
            used |= _generate(run, rest, scope, add)
    return used


def _call(run: Interpreter, node: ast.Call, scope: Scope) -> Value:
    callee = run.expression(node.func, scope)
    return library.call_node(run, node, callee, scope)


def _compared(op: ast.cmpop, left: Value, right: Value) -> bool | None:
    """The outcome of a comparison, None where it is not decided."""
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right.data, (list, tuple, dict)) and not left.unknown:
        inside = [each.data for each in items(right)]
        if left.data in inside:
            return isinstance(op, ast.In)
        return None if any(isinstance(each, Unknown) for each in inside) else isinstance(op, ast.NotIn)
    if left.unknown or right.unknown:
        return None
    if right.data is None or left.data is None or isinstance(left.data, bool):
        return bool(_COMPARE[type(op)](left.data, right.data))
    try:
        return bool(_COMPARE[type(op)](plain(left), plain(right)))
    except (LookupError, TypeError):
        return None


def negated(value: Value) -> Value:
    """The opposite of an undecided value."""
    key = value.data.key
    return unknown(key.removeprefix(NOT) if key.startswith(NOT) else NOT + key, value.variables)


def _positive(op: ast.cmpop) -> str:
    return {"NotEq": "Eq", "NotIn": "In", "IsNot": "Is"}.get(type(op).__name__, type(op).__name__)


def items(value: Value) -> list[Value]:
    """What iterating over a value gives; for an unknown, one unknown that stands for all of it."""
    data = value.data
    if isinstance(data, (list, tuple)):
        return list(data)
    if isinstance(data, dict):
        return [Value(key, value.variables) for key in data if key is not None]
    if isinstance(data, str):
        return [Value(character, value.variables, value.span) for character in data]
    return [unknown(f"{identity(value)}[*]", value.variables)]


def identity(value: Value) -> str:
    """A text that is equal for equal values: the key of undecided branches."""
    data = value.data
    if isinstance(data, Unknown):
        return data.key
    if isinstance(data, (list, tuple)):
        return f"[{','.join(identity(each) for each in data)}]"
    if isinstance(data, (External, str, int, float, bool, bytes)) or data is None:
        return repr(data.name if isinstance(data, External) else data)
    return f"object {id(data)}"


def text_of(data: object) -> str:
    """`str()` of plain data and of URLs."""
    return data.text if isinstance(data, Url) else str(data)


def _key(node: ast.expr, scope: Scope) -> str:
    """Blanks in a path would make it a condition's."""
    path = scope.module.path.replace(" ", "_")
    return f"{path}:{node.lineno}:{node.col_offset}:{node.end_col_offset}"


def _size(data: object) -> int:
    return data if isinstance(data, int) else len(data) if isinstance(data, (str, list)) else 0


_HANDLERS: dict[type[ast.expr], Callable[[Interpreter, Any, Scope], Value]] = {
    ast.BoolOp: _boolop,
    ast.UnaryOp: _unaryop,
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.Starred: _starred,
    ast.Await: _await,
    ast.NamedExpr: _namedexpr,
    ast.Yield: _yield,
    ast.Lambda: _lambda,
    ast.JoinedStr: _joinedstr,
    ast.FormattedValue: _formattedvalue,
    ast.IfExp: _ifexp,
    ast.Compare: _compare,
    ast.BinOp: _binop,
    ast.Subscript: _subscript,
    ast.ListComp: _listcomp,
    ast.DictComp: _dictcomp,
    ast.Call: _call,
    ast.SetComp: _listcomp,
    ast.GeneratorExp: _listcomp,
}
