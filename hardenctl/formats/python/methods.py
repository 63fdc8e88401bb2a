"""Methods of strings, lists and dictionaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardenctl.formats.python.signals import Raised
from hardenctl.formats.python.values import External, Instance, Unknown, Value, all_variables, lift, plain

if TYPE_CHECKING:
    from hardenctl.formats.python.interpreter import Interpreter

_STRING = frozenset(dir(str)) & frozenset(dir(bytes)) | {"encode", "decode", "format", "casefold"}
_LIST = frozenset({*dir(list), *dir(set)})
_DICT = frozenset(dir(dict))
_PATTERN = frozenset({"match", "fullmatch", "search"})


def knows(callee: External) -> bool:
    """Whether this is a method we model, taken from data."""
    short = callee.name.rpartition(".")[2]
    data = callee.owner.data if callee.owner else None
    if isinstance(data, (str, bytes)):
        return short in _STRING
    if isinstance(data, (list, tuple)):
        return short in _LIST
    if isinstance(data, dict):
        return short in _DICT
    return isinstance(data, Instance) and callee.name.startswith("re.Pattern()") and short in _PATTERN


def call(run: Interpreter, callee: External, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """The result of a method that `knows`."""
    short = callee.name.rpartition(".")[2]
    owner = callee.owner
    if owner is None:
        return None
    if isinstance(owner.data, (str, bytes)):
        return _string(owner, short, args, keywords)
    if isinstance(owner.data, (list, tuple)):
        return _list(owner, short, args)
    if isinstance(owner.data, dict):
        return _dict(owner, short, args, keywords)
    from hardenctl.formats.python.library import matched

    del run
    return matched(short, owner.data.attributes["pattern"], args[0])


def _string(owner: Value, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    used = owner.variables.union(*map(all_variables, args))
    given = [plain(each) for each in args]
    result = getattr(owner.data, name)(*given, **{key: plain(each) for key, each in keywords.items()})
    return lift(result, used, owner.span)


def _list(owner: Value, name: str, args: list[Value]) -> Value | None:
    from hardenctl.formats.python.expressions import items

    data = owner.data
    if name in {"copy", "union"}:
        return Value([*data, *(each for part in args for each in items(part))], owner.variables, owner.span)
    if name == "pop":
        return data.pop(*map(plain, args))  # type: ignore[no-any-return]
    if name in {"append", "add"}:
        data.append(args[0])
    elif name in {"extend", "update"}:
        data.extend(each for part in args for each in items(part))
    elif name == "insert":
        data.insert(plain(args[0]), args[1])
    elif name in {"remove", "discard"}:
        _remove(data, args[0], must=name == "remove")
    elif name in {"clear", "reverse"}:
        getattr(data, name)()
    elif name != "sort":  # the order of origins does not matter
        return None
    return Value(None)


def _remove(data: list[Value], wanted: Value, *, must: bool) -> None:
    found = next((index for index, each in enumerate(data) if each.data == wanted.data), None)
    if found is not None:
        del data[found]
    elif must:
        raise Raised("ValueError")


def _dict(owner: Value, name: str, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    data = owner.data
    if name in {"get", "pop", "setdefault"}:
        if args[0].unknown or (None in data and plain(args[0]) not in data):
            return None
        key, default = plain(args[0]), args[1] if len(args) > 1 else Value(None)
        if name == "setdefault":
            data.setdefault(key, default)
        found = data.pop(key, default) if name == "pop" else data.get(key, default)
        return Value(found.data, found.variables | args[0].variables, found.span)
    if name == "update":
        for each in args:
            data.update(each.data if isinstance(each.data, dict) else {None: each})
        data.update(keywords)
        return Value(None)
    if name == "items":
        return Value([Value((Value(key), each)) for key, each in data.items() if key is not None])
    if name == "keys":
        return Value([Value(key) for key in data if key is not None])
    return Value(list(data.values())) if name == "values" else Value(dict(data))


def is_pattern(value: Value) -> bool:
    """Whether it is a compiled regular expression."""
    data = value.data
    return isinstance(data, Instance) and isinstance(data.cls, External) and data.cls.name == "re.Pattern"


def pattern_text(value: Value) -> str | None:
    """The text of a regular expression, compiled or not; None where it is not known."""
    data = value.data
    if is_pattern(value):
        data = value.data.attributes["pattern"].data
    if isinstance(data, Unknown) or not isinstance(data, (str, re.Pattern)):
        return None
    return data if isinstance(data, str) else None
