"""Hand-written CORS headers: what is set, when the request's `Origin` is that of an attacker."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardenctl.formats.python.values import REQUEST, External, Instance, Unknown, Value
from hardenctl.model.text import Span

if TYPE_CHECKING:
    from hardenctl.formats.cors.sink import CorsSink
    from hardenctl.formats.python.interpreter import Call, Interpreter
    from hardenctl.formats.python.values import Scope

ORIGIN = "access-control-allow-origin"
CREDENTIALS = "access-control-allow-credentials"
METHODS = "access-control-allow-methods"
HEADERS = "access-control-allow-headers"
_ALL = frozenset({ORIGIN, CREDENTIALS, METHODS, HEADERS})
ASKED = frozenset({"origin", "http_origin"})
_READS = frozenset({"get", "getlist", "get_header", "getheader", "get_all"})


@dataclass(frozen=True, slots=True)
class Written:
    """A CORS header as it is set. `value` is an Unknown's Value where the text does not decide it."""

    name: str
    value: Value
    span: Span
    value_span: Span


def text(data: object) -> str | None:
    """A header's name or value, from text or bytes."""
    if isinstance(data, bytes):
        return data.decode("latin-1")
    return data if isinstance(data, str) else None


def wants(node: ast.Call) -> bool:
    """Whether a call names a CORS header, is given one in a dictionary, or asks for the request's origin."""
    for each in (*node.args, *(word.value for word in node.keywords)):
        if any((text(constant) or "").lower() in _ALL for constant in _constants(each)):
            return True
    if isinstance(node.func, ast.Attribute) and node.func.attr in _READS and node.args:
        first = node.args[0]
        return isinstance(first, ast.Constant) and (text(first.value) or "").lower() in ASKED | {"headers"}
    return any(word.arg == "headers" for word in node.keywords) or (
        isinstance(node.func, ast.Attribute) and node.func.attr == "update" and "headers" in ast.dump(node.func.value)
    )


def _constants(node: ast.expr) -> Iterator[object]:
    """Constants of an argument: itself, and those inside tuples, lists and dictionaries."""
    if isinstance(node, ast.Constant):
        yield node.value
    elif isinstance(node, (ast.Tuple, ast.List)):
        for each in node.elts:
            yield from _constants(each)
    elif isinstance(node, ast.Dict):
        for part in (*node.keys, *node.values):
            if part is not None:
                yield from _constants(part)


def call(sink: CorsSink, run: Interpreter, call: Call) -> Value | None:
    """See a call that `wants`; the attacker's origin where it asks for the request's."""
    node = call.node
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and call.args and _is_of_request(call):
        listed = _raw(sink, call.args[0])
        if listed is not None:
            return listed
    if isinstance(node.func, ast.Attribute) and node.func.attr in _READS and call.args:
        asked = text(call.args[0].data)
        if asked is not None and asked.lower() in ASKED and _is_of_request(call):
            return _origin(sink, call.args[0])
    span = call.scope.module.span(node)
    args = call.args
    if len(args) > 1 and _is_header(args[0]):
        _see(
            sink,
            run,
            args[0],
            args[1],
            span=span,
            value_span=call.scope.module.span(node.args[1] if len(node.args) > 1 else node),
        )
    for each in (*args, *call.keywords.values()):
        for name, value in _pairs(each):
            _see(sink, run, name, value, span=span, value_span=span)
    return None


def _pairs(value: Value) -> Iterator[tuple[Value, Value]]:
    """Header names with values: of a dictionary, a tuple, or a list of tuples."""
    data = value.data
    if isinstance(data, dict):
        for key, each in data.items():
            yield Value(key), each
            if isinstance(each.data, (dict, list)):
                yield from _pairs(each)
    elif isinstance(data, tuple) and len(data) == 2 and _is_header(data[0]):  # noqa: PLR2004 - name and value
        yield data[0], data[1]
    elif isinstance(data, list):
        for each in data:
            if isinstance(each.data, tuple):
                yield from _pairs(each)


def _is_header(value: Value) -> bool:
    return (text(value.data) or "").lower() in _ALL


def _is_of_request(call: Call) -> bool:
    """Whether what is asked can be a request: no dictionary of the program's own, and no environment."""
    data = call.owner.data if call.owner is not None else None
    ours = isinstance(data, (dict, Instance)) and not _is_library(data)
    return not ours and not call.name.startswith(("os.", "builtins."))


def assign(sink: CorsSink, run: Interpreter, target: ast.expr, value: Value, scope: Scope) -> None:
    """See `response.headers[NAME] = value`."""
    if isinstance(target, ast.Subscript):
        key = run.expression(target.slice, scope)
        owner = run.expression(target.value, scope)
        if _is_header(key) and not isinstance(owner.data, dict):
            span = scope.module.span(target)
            _see(sink, run, key, value, span=span, value_span=span)


def item(sink: CorsSink, owner: Value, key: Value) -> Value | None:
    """See `request.headers["origin"]`."""
    asked = text(key.data)
    if not isinstance(owner.data, Unknown) and not _is_library(owner.data):
        return None
    if asked is not None and asked.lower() in ASKED:
        return _origin(sink, key)
    return _raw(sink, key)


def _origin(sink: CorsSink, key: Value) -> Value:
    """The request's origin, as text or bytes as its name was given."""
    return Value(sink.origin if isinstance(key.data, str) else sink.origin.encode(), frozenset({REQUEST}))


def _raw(sink: CorsSink, key: Value) -> Value | None:
    """`scope["headers"]`: the pairs of bytes that ASGI hands on."""
    if key.data != "headers":
        return None
    return Value([Value((Value(b"origin"), _origin(sink, Value(b"origin"))))])


def _is_library(data: object) -> bool:
    """Whether it is an object of a library's, as `Headers(scope=scope)` and `flask.request.headers` are."""
    if isinstance(data, External):
        return data.owner is None and not data.name.startswith(("os.", "builtins."))
    return isinstance(data, Instance) and isinstance(data.cls, External)


def _see(sink: CorsSink, run: Interpreter, name: Value, value: Value, *, span: Span, value_span: Span) -> None:
    lowered = (text(name.data) or "").lower()
    if lowered in _ALL:
        decoded: Any = text(value.data) if isinstance(value.data, (str, bytes)) else value.data
        sink.written.append(Written(lowered, Value(decoded, value.variables | run.under, value.span), span, value_span))
