"""Records: data classes that cost nothing until they are used.

`@dataclass(frozen=True, slots=True)` writes and compiles eight methods for each class that is declared, 0.4 ms, and
needs `inspect`, 6 ms. A hook run declares sixty and uses thirty, most of them once or twice. `@record` compiles
`__init__` alone, and that once a few instances were made without; it is then as fast as a data class's. To type
checkers, and to `dataclasses.replace`, `fields` and `asdict`, a record is a data class. docs/adr/0005-fast-hook-path.md
has the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform, overload

_Class = TypeVar("_Class", bound=type)
_Record = TypeVar("_Record")
_NONE = object()  # no default
FEW = 8  # instances that are made before compiling pays: it takes 0.1 ms


class Field:
    """What `field` says of a field."""

    __slots__ = ("default", "factory", "repr")

    def __init__(self, default: object, factory: Callable[[], object] | None, *, shown: bool) -> None:
        self.default = default
        self.factory = factory
        self.repr = shown


def field(
    *,
    default: Any = _NONE,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,  # noqa: A002 - as dataclasses.field
) -> Any:
    """As `dataclasses.field`: a default made anew for each record, or a field that `repr` leaves out."""
    return Field(default, default_factory, shown=repr)


@overload
def record(cls: _Class, /) -> _Class: ...
@overload
def record(
    *, slots: bool = True, frozen: bool = True, order: bool = False, eq: bool = True
) -> Callable[[_Class], _Class]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: Any = None, /, *, slots: bool = True, frozen: bool = True, order: bool = False, eq: bool = True) -> Any:
    """Make a class with annotated fields a record.

    `slots` False is for records that cache properties, `eq` False for those that are equal to themselves alone.
    """

    def make(cls: type) -> type:
        return _make(cls, slots=slots, frozen=frozen, order=order, eq=eq)

    return make if cls is None else make(cls)


def replace(each: _Record, /, **changes: Any) -> _Record:
    """A copy of a record with some fields changed."""
    fields: dict[str, Field] = type(each).__record__  # type: ignore[attr-defined]
    return type(each)(**{name: changes[name] if name in changes else getattr(each, name) for name in fields | changes})


def _make(cls: type, *, slots: bool, frozen: bool, order: bool, eq: bool) -> type:
    own = cls.__dict__.get("__annotations__", {})  # noqa: RUF063 - inspect is what this does without
    fields: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        fields |= base.__dict__.get("__record__", {})
    for name in own:
        given = cls.__dict__.get(name, _NONE)
        fields[name] = given if isinstance(given, Field) else Field(given, None, shown=True)
    members: dict[str, Any] = {
        "__record__": fields,
        "__match_args__": tuple(fields),
        "__dataclass_fields__": _AsDataclass(),
        "__repr__": _repr,
        "__reduce__": _reduce,
    }
    if eq:
        members |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
    if frozen:
        members |= {"__setattr__": _refuse, "__delattr__": _refuse}
    if order:
        members |= {"__lt__": _lt, "__le__": _le, "__gt__": _gt, "__ge__": _ge}
    members = {name: value for name, value in members.items() if name not in cls.__dict__ or name == "__hash__"}
    members["__init__"] = _first(fields)
    if slots:
        kept = {name: value for name, value in cls.__dict__.items() if name not in own}
        del kept["__dict__"], kept["__weakref__"]
        return type(cls)(cls.__name__, cls.__bases__, kept | {"__slots__": tuple(own)} | members)
    for name, value in members.items():
        setattr(cls, name, value)
    for name in own:
        if name in cls.__dict__ and isinstance(cls.__dict__[name], Field):
            delattr(cls, name)
    return cls


def _first(fields: dict[str, Field]) -> Callable[..., None]:
    """The `__init__` of the first instances. It puts the real one in its place, which also says what is wrong."""
    left = list(range(FEW))

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807 - what it is
        if left and _fill(self, fields, arguments, named):
            left.pop()
            return
        owner = next(each for each in type(self).__mro__ if each.__dict__.get("__init__") is __init__)
        made = _compile_init(fields)
        type.__setattr__(owner, "__init__", made)
        made(self, *arguments, **named)

    return __init__


def _fill(self: Any, fields: dict[str, Field], arguments: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Set the fields as `__init__` does. False, and nothing done, for arguments that don't fit."""
    given = dict(zip(fields, arguments, strict=False)) | named
    values = {}
    for name, each in fields.items():
        if name in given:
            values[name] = given[name]
        elif each.factory is not None:
            values[name] = each.factory()
        elif each.default is _NONE:
            return False
        else:
            values[name] = each.default
    if len(given) != len(arguments) + len(named) or given.keys() - values:
        return False
    for name, value in values.items():
        object.__setattr__(self, name, value)
    return True


def _compile_init(fields: dict[str, Field]) -> Callable[..., None]:
    names: dict[str, Any] = {"_set": object.__setattr__, "_NONE": _NONE}
    parameters, lines = [], []
    for name, each in fields.items():
        value = name
        if each.factory is not None:
            names[f"_new_{name}"] = each.factory
            parameters.append(f"{name}=_NONE")
            value = f"_new_{name}() if {name} is _NONE else {name}"
        elif each.default is not _NONE:
            names[f"_default_{name}"] = each.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f"    _set(self, {name!r}, {value})\n")
    code = f"def __init__({', '.join(['self', *parameters])}):\n{''.join(lines) or '    pass'}"
    exec(code, names)  # noqa: S102 - as dataclasses: the text holds nothing but names of fields
    made: Callable[..., None] = names["__init__"]
    return made


def _values(each: Any) -> Any:
    return attrgetter(*each.__record__)(each) if each.__record__ else ()


def _eq(self: Any, other: Any) -> Any:
    return _values(self) == _values(other) if other.__class__ is self.__class__ else NotImplemented


def _lt(self: Any, other: Any) -> Any:
    return _values(self) < _values(other) if other.__class__ is self.__class__ else NotImplemented


def _le(self: Any, other: Any) -> Any:
    return _values(self) <= _values(other) if other.__class__ is self.__class__ else NotImplemented


def _gt(self: Any, other: Any) -> Any:
    return _values(self) > _values(other) if other.__class__ is self.__class__ else NotImplemented


def _ge(self: Any, other: Any) -> Any:
    return _values(self) >= _values(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, each in self.__record__.items() if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _reduce(self: Any) -> tuple[Any, ...]:
    return type(self), tuple(getattr(self, name) for name in self.__record__)


def _refuse(self: Any, name: str, *_: object) -> None:
    raise AttributeError(f"cannot change {name!r} of a {type(self).__name__}")


class _AsDataclass:
    """What the functions of `dataclasses` look for, made when one of them does."""

    def __get__(self, instance: object, owner: type) -> dict[str, Any]:
        import dataclasses

        def described(each: Field) -> Any:
            default = {} if each.default is _NONE else {"default": each.default}
            made = {} if each.factory is None else {"default_factory": each.factory}
            return dataclasses.field(repr=each.repr, **default, **made)  # type: ignore[call-overload]

        fields: dict[str, Field] = owner.__record__  # type: ignore[attr-defined]
        twin = dataclasses.make_dataclass(
            owner.__name__, [(name, Any, described(each)) for name, each in fields.items()]
        )
        found: dict[str, Any] = twin.__dataclass_fields__  # type: ignore[attr-defined]
        type.__setattr__(owner, "__dataclass_fields__", found)
        return found
