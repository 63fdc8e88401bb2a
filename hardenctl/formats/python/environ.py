"""Functions that read environment variables: os, decouple, django-environ, environs, starlette."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from hardenctl.formats.python.signals import Raised
from hardenctl.formats.python.values import External, Instance, Value, lift, unknown
from hardenctl.formats.python.world import TRUE

if TYPE_CHECKING:
    from hardenctl.formats.python.interpreter import Interpreter

READERS = re.compile(
    r"os\.(?:getenv|environ\.(?:get|setdefault|pop)|environb\.get)"
    r"|decouple\.config|(?:decouple|prettyconf)\.(?:Auto|Repository)?Config\(\)|starlette\.config\.Config\(\)"
    r"|(?:environ|environs)\.(?:Env|FileAwareEnv)\(\)(?:\.(?:str|bool|int|list|tuple|json|url|__call__))?"
    r"|environs\.env(?:\.\w+)?"
)


def read_variable(run: Interpreter, callee: External, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """What a reader gives: the variable's value, its default, None, or (where it must be set) an unknown."""
    name = (args[0] if args else keywords.get("key") or keywords.get("var") or Value(None)).data
    if not isinstance(name, str):
        return None
    if callee.name.startswith("os."):
        return run.variable(name, args[1] if len(args) > 1 else keywords.get("default", Value(None)))
    if callee.name.startswith(("environ.", "environs.")):
        return _environ(run, callee, name, args, keywords)
    cast = keywords.get("cast") or (args[2] if len(args) > 2 else None)  # noqa: PLR2004 - Config(name, default, cast)
    second = args[1] if len(args) > 1 else None
    default = keywords.get("default") or second
    if callee.name.startswith("starlette."):
        cast, default = keywords.get("cast") or second, keywords.get("default")
    found = run.variable(name, default)
    return _required(name) if found is None else _cast(run, found, cast)


def _environ(run: Interpreter, callee: External, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """django-environ and environs: the method, or the scheme given to `Env(NAME=(type, default))`, decides the type."""
    kind = callee.name.rpartition(".")[2] if not callee.name.endswith(")") else ""
    default, cast = keywords.get("default"), keywords.get("cast")
    if default is None and len(args) > 1:
        default, cast = (args[1], cast) if kind else (None, args[1])
    prefix = ""
    if callee.owner is not None and isinstance(callee.owner.data, Instance):
        given = callee.owner.data.attributes
        prefix = str(given["prefix"].data) if "prefix" in given else ""
        of_scheme, fallback = _scheme(given.get(name))
        cast, default = cast or of_scheme, default or fallback
    found = run.variable(prefix + name, default)
    if found is None:
        return _required(prefix + name)
    by_default = prefix + name not in run.world.variables
    if by_default and not (callee.name.startswith("environs.") and isinstance(found.data, str)):
        return found  # a default is taken as it is
    if kind in {"list", "tuple"}:
        return split(found)
    if kind == "json":
        return _json(found)
    if kind == "bool":
        return _boolean(found)
    return _cast(run, found, cast)


def _scheme(declared: Value | None) -> tuple[Value | None, Value | None]:
    """Type and default of `Env(NAME=(type, default))`; the default is optional."""
    if declared is None or not isinstance(declared.data, tuple):
        return declared, None
    return declared.data[0], declared.data[1] if len(declared.data) > 1 else None


def _cast(run: Interpreter, value: Value, cast: Value | None) -> Value:
    """A variable's text as the type that was asked for."""
    if cast is None or cast.data is None:
        return value
    data = cast.data
    if isinstance(data, Instance) and isinstance(data.cls, External) and data.cls.name.endswith("Csv"):
        return split(value)
    if isinstance(data, External):
        short = data.name.rpartition(".")[2]
        if short == "bool":
            return _boolean(value)
        if short in {"list", "tuple"} or short == "CommaSeparatedStrings":
            return split(value)
    if isinstance(data, list):
        return split(value)
    return run.apply(cast, [value], {}, f"cast {value.data!r}" if isinstance(value.data, bool) else "cast")


def _boolean(value: Value) -> Value:
    if isinstance(value.data, str):
        return Value(value.data.lower() in TRUE, value.variables, value.span)
    return value


def split(value: Value) -> Value:
    """A comma-separated text as a list; blanks around the parts go, and so do empty parts."""
    if not isinstance(value.data, str):
        return value
    parts = [part.strip() for part in value.data.split(",")]
    return lift([part for part in parts if part], value.variables, value.span)


def _json(value: Value) -> Value:
    if not isinstance(value.data, str):
        return value
    try:
        return lift(json.loads(value.data), value.variables, value.span)
    except ValueError:
        raise Raised("ValueError") from None


def _required(name: str) -> Value:
    return unknown(f"${name}", frozenset({name}))
