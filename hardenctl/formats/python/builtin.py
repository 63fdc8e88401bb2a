"""Python's own functions, as far as the evaluator follows them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING

from hardenctl.formats.python.values import External, Instance, Url, Value, all_variables, lift, plain

if TYPE_CHECKING:
    from hardenctl.formats.python.interpreter import Interpreter

Model = Callable[["Interpreter", list[Value], dict[str, Value]], Value | None]

BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
LONGEST = 500  # numbers of a range
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "list": (list,),
    "tuple": (tuple,),
    "set": (list,),
    "dict": (dict,),
    "bool": (bool,),
    "int": (int,),
    "float": (float,),
    "bytes": (bytes,),
}


def listed(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    """`list(...)` and its kin: what iterating gives."""
    from hardenctl.formats.python.expressions import items

    del run, keywords
    return Value(items(args[0]), args[0].variables, args[0].span) if args else Value([])


def _dict(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run
    base = args[0].data if args else {}
    if isinstance(base, list):  # of pairs
        base = {plain(each.data[0]): each.data[1] for each in base}
    return Value({**(base if isinstance(base, dict) else {None: args[0]}), **keywords})


def _str(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, keywords
    if not args:
        return Value("")
    data = args[0].data
    if isinstance(data, Url):
        return Value(data.text, args[0].variables, args[0].span)
    return Value(str(plain(args[0])), args[0].variables, args[0].span)


def _bool(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del keywords
    if args and args[0].unknown:
        return args[0]
    return Value(bool(args) and run.truth(args[0]), args[0].variables if args else frozenset())


def _number(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, keywords
    return Value(int(plain(args[0])), args[0].variables)


def _len(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    del run, keywords
    data = args[0].data
    if isinstance(data, (list, tuple)) and any(each.unknown for each in data):
        return None
    return Value(len(data), all_variables(args[0]))


def _any(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    from hardenctl.formats.python.expressions import items

    del keywords
    return Value(any(run.truth(each) for each in items(args[0])), all_variables(args[0]))


def _all(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    from hardenctl.formats.python.expressions import items

    del keywords
    return Value(all(run.truth(each) for each in items(args[0])), all_variables(args[0]))


def _isinstance(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    from hardenctl.formats.python.expressions import items

    del run, keywords
    value, kinds = args
    names = [each.data for each in (items(kinds) if isinstance(kinds.data, (tuple, list)) else [kinds])]
    if value.unknown or not all(isinstance(each, External) for each in names):
        return None
    wanted = tuple(kind for each in names for kind in _TYPES.get(each.name.removeprefix("builtins."), ()))
    return Value(isinstance(value.data, wanted), value.variables)


def _setattr(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """Sets the attribute of an object whose name is known: a settings class that fills itself from a table."""
    del run, keywords
    owner, name = args[0].data, args[1].data
    if not isinstance(owner, Instance) or not isinstance(name, str):
        return None
    owner.attributes[name] = args[2]
    return Value(None)


def _getattr(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    del keywords
    owner, name = args[0], plain(args[1])
    found = run.attribute(owner, name)
    if found.unknown and len(args) > 2 and not owner.unknown:  # noqa: PLR2004 - the default
        return args[2]
    return found


def _map(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    from hardenctl.formats.python.expressions import items

    del keywords
    mapped = [_apply_one(run, args[0], each) for each in items(args[1])]
    return Value(mapped, args[1].variables)


def _filter(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    from hardenctl.formats.python.expressions import items

    del keywords
    test = args[0]
    kept = [each for each in items(args[1]) if run.truth(each if test.data is None else _apply_one(run, test, each))]
    return Value(kept, args[1].variables)


def _apply_one(run: Interpreter, function: Value, each: Value) -> Value:
    """`function(each)`; a method taken from its class (`str.strip`) is that method of the element."""
    data = function.data
    if isinstance(data, External) and data.name.startswith("builtins.str.") and isinstance(each.data, str):
        return run.apply(run.attribute(each, data.name.rpartition(".")[2]), [], {}, "method()")
    return run.apply(function, [each], {}, "function()")


def _sorted(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    found = listed(run, args[:1], {})
    if keywords or not all(isinstance(each.data, str) for each in found.data):
        return found
    return Value(sorted(found.data, key=lambda each: str(each.data)), found.variables, found.span)


def _range(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, keywords
    return lift(list(range(*map(plain, args))[:LONGEST]))


def _enumerate(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    from hardenctl.formats.python.expressions import items

    del run, keywords
    return Value([Value((Value(index), each)) for index, each in enumerate(items(args[0]))])


def _zip(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    from hardenctl.formats.python.expressions import items

    del run, keywords
    return Value([Value(tuple(each)) for each in zip(*map(items, args), strict=False)])


MODELS: dict[str, Model] = {
    **dict.fromkeys(
        (
            "builtins.list",
            "builtins.tuple",
            "builtins.set",
            "builtins.frozenset",
            "builtins.reversed",
        ),
        listed,
    ),
    "builtins.sorted": _sorted,
    "builtins.dict": _dict,
    "builtins.str": _str,
    "builtins.bool": _bool,
    "builtins.int": _number,
    "builtins.len": _len,
    "builtins.any": _any,
    "builtins.all": _all,
    "builtins.isinstance": _isinstance,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.range": _range,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
}
