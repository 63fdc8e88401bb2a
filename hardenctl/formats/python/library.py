"""What the evaluator knows of builtins and libraries: methods of data, readers of the environment, `re`, `json`."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hardenctl.formats.python import builtin, methods
from hardenctl.formats.python.builtin import Model, listed
from hardenctl.formats.python.environ import READERS, read_variable, split
from hardenctl.formats.python.project import names_in
from hardenctl.formats.python.settings import OPEN
from hardenctl.formats.python.signals import Raised
from hardenctl.formats.python.values import (
    Bound,
    Class,
    External,
    Function,
    Instance,
    Unknown,
    Value,
    all_variables,
    computed,
    is_set,
    lift,
    plain,
    unknown,
)

if TYPE_CHECKING:
    from hardenctl.formats.python.interpreter import Interpreter
    from hardenctl.formats.python.values import Scope

LONGEST = 500  # characters of a pattern that is tried, numbers of a range


def call_node(run: Interpreter, node: ast.Call, callee: Value, scope: Scope) -> Value:
    """The result of a call expression. The arguments of a callee we know nothing of are left alone."""
    from hardenctl.formats.python.interpreter import Call

    key = f"{scope.module.path.replace(' ', '_')}:{node.lineno}:{node.col_offset}()"
    if isinstance(callee.data, Instance) and isinstance(callee.data.cls, External):
        callee = Value(External(f"{callee.data.cls.name}()", callee), callee.variables)
    callee, given = _unwrapped(callee)
    name = callee.data.name if isinstance(callee.data, External) else _called(node)
    wanted = run.sink.wants(name, node)
    ours = isinstance(callee.data, (Function, Bound, Class))
    if is_set(callee.data):
        key = f"{callee.data.key}()"
    if not (wanted or ours or run.answering or _modelled(callee.data) or _interesting(run, node)):
        return unknown(key, callee.variables)
    args, keywords, open_ended = _arguments(run, node, scope)
    if given is not None:
        args, keywords = [*given["args"].data, *args], {**given["keywords"].data, **keywords}
    if wanted:
        if isinstance(callee.data, External):
            owner = callee.data.owner
        else:
            owner = run.expression(node.func.value, scope) if isinstance(node.func, ast.Attribute) else None
        result = run.sink.call(run, Call(name, node, scope, owner, tuple(args), keywords, open_ended))
        if result is not None:
            return result
    if open_ended and isinstance(callee.data, Class):
        keywords = {**keywords, OPEN: unknown(key)}
    result = _applied(run, callee, args, keywords, key)
    if isinstance(result.data, str) and result.span is None:
        return Value(result.data, result.variables, scope.module.span(node))
    return result


def _applied(run: Interpreter, callee: Value, args: list[Value], keywords: dict[str, Value], key: str) -> Value:
    """The result of a call; of a modelled function that cannot be computed, an unknown made of its arguments."""
    if not isinstance(callee.data, External):
        return run.apply(callee, args, keywords, key)
    try:
        result = run.apply(callee, args, keywords, key)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        result = unknown(key)
    if isinstance(result.data, Unknown) and result.data.key == key and _pure(callee.data):
        return computed(key, [*([callee.data.owner] if callee.data.owner else []), *args, *keywords.values()])
    return result


def _pure(callee: External) -> bool:
    """Whether a function's result hangs on its arguments alone."""
    return callee.name in MODELS or callee.name in _PURE or methods.knows(callee)


def _unwrapped(callee: Value) -> tuple[Value, dict[str, Value] | None]:
    """What a `functools.partial` calls, and the arguments it already has."""
    if isinstance(callee.data, External) and callee.data.name == "functools.partial()" and callee.data.owner:
        attributes = callee.data.owner.data.attributes
        return attributes["func"], attributes
    return callee, None


def _partial(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run
    parts = {"func": args[0], "args": Value(args[1:]), "keywords": Value(keywords)}
    return Value(Instance(External("functools.partial"), parts))


def _called(node: ast.Call) -> str:
    return f".{node.func.attr}" if isinstance(node.func, ast.Attribute) else ""


def _interesting(run: Interpreter, node: ast.Call) -> bool:
    """Whether the arguments of a call name a class or function of interest, as `run(CORSMiddleware(app))` does."""
    parts = [*node.args, *(each.value for each in node.keywords)]
    return bool(parts) and run.interest.touches(names_in(parts))


def _arguments(run: Interpreter, node: ast.Call, scope: Scope) -> tuple[list[Value], dict[str, Value], bool]:
    from hardenctl.formats.python.expressions import items

    args: list[Value] = []
    for each in node.args:
        if isinstance(each, ast.Starred):
            args.extend(items(run.expression(each.value, scope)))
        else:
            args.append(run.expression(each, scope))
    keywords: dict[str, Value] = {}
    open_ended = False
    for word in node.keywords:
        value = run.expression(word.value, scope)
        if word.arg is not None:
            keywords[word.arg] = value
        elif isinstance(value.data, dict):
            open_ended |= None in value.data
            keywords |= {str(key): each for key, each in value.data.items() if key is not None}
        else:
            open_ended = True
    return args, keywords, open_ended


def _modelled(data: object) -> bool:
    if not isinstance(data, External):
        return False
    short = data.name.rpartition(".")[2]
    return (
        short[:1].isupper()
        or short == "field"
        or data.name in MODELS
        or methods.knows(data)
        or bool(READERS.fullmatch(data.name))
    )


def call(run: Interpreter, callee: External, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """The result of a library's function, None where it is not modelled."""
    if READERS.fullmatch(callee.name):
        return read_variable(run, callee, args, keywords)
    model = MODELS.get(callee.name)
    if model is not None:
        return model(run, args, keywords)
    if methods.knows(callee):
        return methods.call(run, callee, args, keywords)
    return _declaration(callee, args, keywords)


def _declaration(callee: External, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    """What a declaration object keeps of its arguments: a field's default, an alias's names."""
    short = callee.name.rpartition(".")[2]
    if short in {"Field", "field"}:
        return Value(Instance(External(callee.name), {**keywords, **({"default": args[0]} if args else {})}))
    if short == "CommaSeparatedStrings" and args:
        return split(args[0])
    if short in {"AliasChoices", "Csv"}:
        return Value(Instance(External(callee.name), {"args": Value(args), **keywords}))
    return None


def external_attribute(owner: Value, data: Instance, name: str) -> Value:
    """An attribute or method of a library's object."""
    assert isinstance(data.cls, External)  # noqa: S101 - the caller's branch, told to mypy
    return Value(External(f"{data.cls.name}().{name}", owner), owner.variables)


def subscript(run: Interpreter, owner: Value, key: Value) -> Value | None:
    """`owner[key]` where that is not plain data: `os.environ[...]`."""
    if isinstance(owner.data, External) and owner.data.name in {"os.environ", "environ"} and isinstance(key.data, str):
        found = run.variable(key.data)
        return found if found is not None else unknown(f"${key.data}", frozenset({key.data}))
    return run.sink.item(owner, key)


def _loads(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, keywords
    text = plain(args[0])
    try:
        return lift(json.loads(text), args[0].variables, args[0].span)
    except ValueError:
        raise Raised("ValueError") from None


def _literal(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, keywords
    try:
        return lift(ast.literal_eval(plain(args[0])), args[0].variables, args[0].span)
    except (ValueError, SyntaxError):
        raise Raised("ValueError") from None


def _strtobool(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, keywords
    from hardenctl.formats.python.world import TRUE

    return Value(str(plain(args[0])).lower() in TRUE, args[0].variables)


def _compile(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, keywords
    return Value(Instance(External("re.Pattern"), {"pattern": args[0]}), args[0].variables, args[0].span)


def _regex(how: str) -> Model:
    def model(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        del run, keywords
        pattern, text = args[0], args[1]
        if isinstance(pattern.data, Instance):
            pattern = pattern.data.attributes["pattern"]
        return matched(how, pattern, text)

    return model


def matched(how: str, pattern: Value, text: Value) -> Value | None:
    """`re.match` and its kin, tried for real."""
    expression, subject = plain(pattern), plain(text)
    if len(expression) > LONGEST or len(subject) > LONGEST:
        return None
    try:
        found = getattr(re, how)(expression, subject)
    except re.error:
        raise Raised("error") from None
    return Value(found is not None, pattern.variables | text.variables)


def _urlsplit(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, keywords
    parts = urlsplit(plain(args[0]))
    names = ("scheme", "netloc", "path", "hostname", "query")
    fields = {name: Value(getattr(parts, name), args[0].variables) for name in names}
    return Value(Instance(External("urllib.parse.SplitResult"), fields), args[0].variables)


def _fnmatch(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    import fnmatch

    del run, keywords
    return Value(fnmatch.fnmatchcase(plain(args[0]), plain(args[1])), all_variables(args[0]) | all_variables(args[1]))


def _import(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del keywords
    name = args[0].data
    found = run.project.find(name) if isinstance(name, str) else None
    return Value(found) if found is not None else unknown(f"module {name}")


def _namespace(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value:
    del run, args
    return Value(Instance(External("types.SimpleNamespace"), dict(keywords)))


def _first(run: Interpreter, args: list[Value], keywords: dict[str, Value]) -> Value | None:
    del run, keywords
    return args[-1] if args else None


_PURE = frozenset({"re.split", "re.sub", "re.findall", "re.escape", "shlex.split", "builtins.dict", "builtins.filter"})
MODELS: dict[str, Model] = {
    **builtin.MODELS,
    "json.loads": _loads,
    "ast.literal_eval": _literal,
    "distutils.util.strtobool": _strtobool,
    "re.compile": _compile,
    "re.match": _regex("match"),
    "re.search": _regex("search"),
    "re.fullmatch": _regex("fullmatch"),
    "urllib.parse.urlparse": _urlsplit,
    "urllib.parse.urlsplit": _urlsplit,
    "fnmatch.fnmatch": _fnmatch,
    "fnmatch.fnmatchcase": _fnmatch,
    "functools.partial": _partial,
    "importlib.import_module": _import,
    "types.SimpleNamespace": _namespace,
    "typing.cast": _first,
    "copy.deepcopy": _first,
    "copy.copy": _first,
    "itertools.chain": lambda run, args, keywords: Value(
        [each for part in args for each in listed(run, [part], keywords).data]
    ),
}
