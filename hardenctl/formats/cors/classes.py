"""django-configurations: settings that are attributes of classes, one class for each deployment."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hardenctl.formats.python.environ import _boolean as boolean
from hardenctl.formats.python.environ import split
from hardenctl.formats.python.values import Class, Scope, Value, unknown

if TYPE_CHECKING:
    from hardenctl.formats.python.interpreter import Interpreter


def setting_classes(run: Interpreter, scope: Scope) -> Iterator[tuple[str, Scope]]:
    """The name of each class of settings, and its attributes as a scope, those it inherits included."""
    for value in list(scope.names.values()):
        cls = value.data
        if isinstance(cls, Class) and cls.derives("Configuration"):
            merged = Scope(scope.module)
            for each in reversed(list(cls.lineage())):
                merged.origins |= each.scope.origins
                merged.names |= {name: _read(run, each, name, given) for name, given in each.scope.names.items()}
            yield cls.node.name, merged


def _read(run: Interpreter, cls: Class, name: str, given: Value) -> Value:
    """`values.BooleanValue(True)` of `CORS_ALLOW_ALL_ORIGINS` reads DJANGO_CORS_ALLOW_ALL_ORIGINS, else the default."""
    call = next((each.value for each in cls.node.body if isinstance(each, ast.Assign) and _sets(each, name)), None)
    kind = _last_name(call.func) if isinstance(call, ast.Call) else ""
    if not isinstance(call, ast.Call) or not kind.endswith("Value"):
        return given
    options = {each.arg: run.expression(each.value, cls.scope) for each in call.keywords if each.arg}
    default = run.expression(call.args[0], cls.scope) if call.args else options.get("default")
    prefix = options.get("environ_prefix", Value("DJANGO")).data
    variable = options.get("environ_name", Value(name)).data
    if options.get("environ", Value(data=True)).data is not True:
        return default or given
    if not isinstance(variable, str) or not isinstance(prefix, str | None):
        return given
    variable = f"{prefix}_{variable}" if prefix else variable
    found = run.variable(variable, default)
    if found is None:
        return unknown(f"${variable}", frozenset({variable}))
    return boolean(found) if kind == "BooleanValue" else split(found) if kind in {"ListValue", "TupleValue"} else found


def _sets(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in statement.targets)


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
