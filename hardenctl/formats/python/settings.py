"""Objects of declared fields: pydantic settings (filled from the environment), models and dataclasses."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardenctl.formats.python.environ import _boolean as boolean
from hardenctl.formats.python.project import names_in
from hardenctl.formats.python.values import (
    Class,
    External,
    Function,
    Instance,
    Url,
    Value,
    lift,
    unknown,
)

if TYPE_CHECKING:
    from hardenctl.formats.python.interpreter import Interpreter

OPEN = "**"  # stands among the keywords for others that are not known
_COMPLEX = frozenset({"list", "List", "set", "Set", "tuple", "Tuple", "Sequence", "dict", "Dict", "frozenset"})
_URLS = frozenset({"AnyHttpUrl", "HttpUrl", "AnyUrl", "HttpsUrl", "AnyWebsocketUrl"})


@dataclass(frozen=True, eq=False)
class Pending:
    """A settings field that is read when it is asked for: most of them have nothing to do with what is looked for."""

    cls: Class
    name: str
    annotation: ast.expr
    owner: Class
    default: Value | None


def value_of(run: Interpreter, instance: Instance, name: str) -> Value:
    """A field of an object."""
    value = instance.attributes[name]
    if isinstance(value.data, Pending):
        instance.attributes[name] = unknown(f"{value.data.cls.node.name}.{name}")  # a validator that asks for itself
        value = instance.attributes[name] = _from_environment(run, value.data)
    return value


def is_settings(cls: Class) -> bool:
    """Whether a class fills its fields from the environment."""
    return cls.derives("BaseSettings")


def fill(run: Interpreter, instance: Value, args: list[Value], keywords: dict[str, Value]) -> None:
    """Give a new object its fields: from the arguments, the environment (settings), or the defaults."""
    cls = instance.data.cls
    reads_environment = is_settings(cls)
    for name, (declaration, owner) in _fields(cls).items():
        declared = owner.scope.names.get(name)
        if args and not reads_environment:
            value: Value | None = args.pop(0)
        elif name in keywords:
            value = keywords[name]
        elif OPEN in keywords and run.choices.choose(f"{cls.node.name}.{name} given"):
            value = None
        elif reads_environment:
            value = Value(Pending(cls, name, declaration, owner, declared))
        else:
            value = _default(run, declared)
        if value is None:
            value = unknown(f"{cls.node.name}.{name}")
        instance.data.attributes[name] = value
    _run_hooks(run, instance, cls)


def _run_hooks(run: Interpreter, instance: Value, cls: Class) -> None:
    """What runs once the fields are there."""
    for function in _validators(cls, "model_validator", "root_validator"):
        if not _before(function):
            run.invoke(function, [instance], {})
    for hook in ("__post_init__", "model_post_init"):
        found = cls.find(hook)
        if found is not None and isinstance(found.data, Function):
            run.invoke(found.data, [instance], {})


def _fields(cls: Class) -> dict[str, tuple[ast.expr, Class]]:
    """Field name to annotation and the class that declares it; a subclass's declaration wins."""
    found: dict[str, tuple[ast.expr, Class]] = {}
    for each in reversed(list(cls.lineage())):
        for statement in each.node.body:
            if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
                continue
            if "ClassVar" not in names_in([statement.annotation]):
                found[statement.target.id] = (_unquoted(statement.annotation), each)
    return found


def _unquoted(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return annotation
    return annotation


def _default(run: Interpreter, declared: Value | None) -> Value | None:
    """A field's default; None where it has none."""
    if declared is None or declared.data is ...:
        return None
    data = declared.data
    if isinstance(data, Instance) and isinstance(data.cls, External) and data.cls.name.endswith(("Field", "field")):
        factory = data.attributes.get("default_factory")
        if factory is not None:
            return run.apply(factory, [], {}, "default_factory")
        given = data.attributes.get("default")
        return None if given is None or given.data is ... else given
    if isinstance(data, list):
        return Value(list(data), declared.variables, declared.span)  # each object has its own
    return declared


def _from_environment(run: Interpreter, field: Pending) -> Value:
    """A settings field: the first of its variables that is set, else the default; validated either way."""
    cls, owner, name, annotation = field.cls, field.owner, field.name, field.annotation
    default = _default(run, field.default)
    variable = next(
        (each for each in _variables(cls, owner, name) if each in run.world.variables), _variables(cls, owner, name)[0]
    )
    raw = run.variable(variable, default)
    if raw is None:
        return unknown(f"${variable}", frozenset({variable}))
    if variable in run.world.variables:
        raw = _decoded(run, annotation, raw, cls)
    for function in _annotated(run, owner, annotation, "BeforeValidator"):
        raw = run.apply(function, [raw], {}, "validator")
    validators = list(_validators(cls, "field_validator", "validator", field=name))
    for validator in validators:
        if _before(validator):
            raw = _validate(run, validator, cls, raw)
    value = _coerced(run, annotation, raw, cls)
    for validator in validators:
        if not _before(validator):
            value = _validate(run, validator, cls, value)
    for function in _annotated(run, owner, annotation, "AfterValidator"):
        value = run.apply(function, [value], {}, "validator")
    return Value(value.data, value.variables | raw.variables, value.span)


def _validate(run: Interpreter, validator: Function, cls: Class, value: Value) -> Value:
    given = [value] if "staticmethod" in validator.decorators else [Value(cls), value]
    return run.invoke(validator, given, {})


def _variables(cls: Class, owner: Class, name: str) -> list[str]:
    """The variables a field is read from."""
    declared = owner.scope.names.get(name)
    if declared is not None and isinstance(declared.data, Instance):
        for key in ("validation_alias", "alias", "env"):
            given = declared.data.attributes.get(key)
            if given is None:
                continue
            if isinstance(given.data, Instance):
                given = given.data.attributes.get("args", Value([]))
            words = given.data if isinstance(given.data, (list, tuple)) else [given]
            names = [each.data for each in words if isinstance(each.data, str)]
            if names:
                return [*names, *(each.upper() for each in names if each != each.upper())][
                    :: 1 if names[0].isupper() else -1
                ]
    return [(_prefix(cls) + name).upper(), _prefix(cls) + name]


def _prefix(cls: Class) -> str:
    for key in ("model_config", "Config"):
        config = cls.find(key)
        if config is None:
            continue
        if isinstance(config.data, Instance):
            found = config.data.attributes.get("env_prefix")
        elif isinstance(config.data, Class):
            found = config.data.find("env_prefix")
        else:
            found = config.data.get("env_prefix") if isinstance(config.data, dict) else None
        if found is not None and isinstance(found.data, str):
            return found.data
    return ""


def _decoded(run: Interpreter, annotation: ast.expr, raw: Value, cls: Class) -> Value:
    """A variable's text as pydantic-settings hands it to the validators: JSON for fields of compound types."""
    names = names_in([annotation])
    if not names & _COMPLEX or "NoDecode" in names or not isinstance(raw.data, str):
        return raw
    try:
        return lift(json.loads(raw.data), raw.variables, raw.span)
    except ValueError:
        if "str" not in _alternatives(annotation) and not _decodes_itself(cls):
            run.errors.append((f"{cls.node.name} expects a JSON list and gets plain text", raw))
        return raw


def _decodes_itself(cls: Class) -> bool:
    """Whether the class has its own way of reading compound values from text."""
    own = {"parse_env_var", "settings_customise_sources", "enable_decoding"}
    return not own.isdisjoint(names_in([each.node for each in cls.lineage()])) or any(
        isinstance(node, (ast.keyword, ast.FunctionDef))
        and (getattr(node, "arg", "") or getattr(node, "name", "")) in own
        for each in cls.lineage()
        for node in ast.walk(each.node)
    )


def _alternatives(annotation: ast.expr) -> set[str]:
    """The outermost types of an annotation: `list[str] | str` is list and str, `Annotated[X, ...]` is X."""
    if isinstance(annotation, ast.BinOp):
        return _alternatives(annotation.left) | _alternatives(annotation.right)
    if isinstance(annotation, ast.Subscript):
        outer = _alternatives(annotation.value)
        inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        if outer & {"Union", "Optional"}:
            return set().union(*map(_alternatives, inner))
        return _alternatives(inner[0]) if "Annotated" in outer else outer
    if isinstance(annotation, ast.Attribute):
        return {annotation.attr}
    return {annotation.id} if isinstance(annotation, ast.Name) else set()


def _coerced(run: Interpreter, annotation: ast.expr, value: Value, cls: Class) -> Value:
    """A value as the field's type makes it; URLs of pydantic 2 are objects whose text ends in `/`."""
    outer, names = _alternatives(annotation), names_in([annotation])
    if outer == {"bool"}:
        return boolean(value)
    if not names & _URLS or _first_pydantic(cls):
        return value
    del run
    if isinstance(value.data, list):
        return Value([_url(each) for each in value.data], value.variables, value.span)
    return _url(value) if outer & _URLS and "str" not in outer else value


def _url(value: Value) -> Value:
    if not isinstance(value.data, str) or "://" not in value.data:
        return value
    bare = value.data.count("/") == 2  # noqa: PLR2004 - the two of `://`
    return Value(Url(value.data + "/" if bare else value.data), value.variables, value.span)


def _first_pydantic(cls: Class) -> bool:
    """`from pydantic import BaseSettings` only works with pydantic 1, whose URLs are plain strings."""
    return any(
        isinstance(base.data, External) and base.data.name in {"pydantic.BaseSettings", "pydantic.v1.BaseSettings"}
        for each in cls.lineage()
        for base in each.bases
    )


def _annotated(run: Interpreter, owner: Class, annotation: ast.expr, kind: str) -> Iterator[Value]:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Call) and kind in names_in([node.func]) and node.args:
            yield run.expression(node.args[0], owner.scope)


def _validators(cls: Class, *kinds: str, field: str | None = None) -> Iterator[Function]:
    """The validators of a class (of one field), in order of declaration."""
    for each in cls.lineage():
        for value in each.scope.names.values():
            function = value.data
            if not isinstance(function, Function) or isinstance(function.node, ast.Lambda):
                continue
            for decorator in function.node.decorator_list:
                if isinstance(decorator, ast.Call) and not names_in([decorator.func]).isdisjoint(kinds):
                    fields = {node.value for node in decorator.args if isinstance(node, ast.Constant)}
                    if field is None or field in fields or "*" in fields:
                        yield function


def _before(function: Function) -> bool:
    assert not isinstance(function.node, ast.Lambda)  # noqa: S101 - `_validators` yields none
    for decorator in function.node.decorator_list:
        for word in getattr(decorator, "keywords", ()):
            if isinstance(word.value, ast.Constant):
                if word.arg == "mode":
                    return word.value.value in {"before", "plain", "wrap"}
                if word.arg == "pre":
                    return bool(word.value.value)
    return False
