"""Executes statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hardenctl.formats.python.expressions import binary, condition, identity, items
from hardenctl.formats.python.project import names_in
from hardenctl.formats.python.signals import Broken, Continued, Raised, Returned
from hardenctl.formats.python.values import (
    NOT,
    REQUEST,
    Class,
    External,
    Function,
    Instance,
    Lazy,
    Origin,
    Scope,
    Unknown,
    Value,
    unknown,
)

if TYPE_CHECKING:
    from hardenctl.formats.python.interpreter import Interpreter

_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_PLAIN = (ast.Assign, ast.AnnAssign, ast.Expr)
ROUNDS = 64  # of a loop that are followed


def block(run: Interpreter, body: Sequence[ast.stmt], scope: Scope) -> None:
    """Carry out statements in order; those that only matter at run time (`del`, `assert`, ...) are passed over."""
    for each in body:
        handler = _HANDLERS.get(type(each))
        if handler is None:
            continue
        if run.calm or not isinstance(each, _PLAIN) or run.interest.concerns(each):
            handler(run, each, scope)
        else:
            _calmly(run, each, scope)


def _calmly(run: Interpreter, node: ast.Assign | ast.AnnAssign | ast.Expr, scope: Scope) -> None:
    """Carry out a statement that does not matter: its undecided branches are not followed.

    What it raises matters to a `try` around it only.
    """
    run.calm = True
    try:
        _HANDLERS[type(node)](run, node, scope)
    except Raised:
        if run.trying:
            raise
        for target in node.targets if isinstance(node, ast.Assign) else []:
            run.assign_to(target, unknown(f"{scope.module.path}:{node.lineno}"), scope)
    finally:
        run.calm = False


def _do_expr(run: Interpreter, node: ast.Expr, scope: Scope) -> None:
    run.expression(node.value, scope)


def _do_assign(run: Interpreter, node: ast.Assign, scope: Scope) -> None:
    value = run.expression(node.value, scope)
    origin = Origin(scope.module.span(node), scope.module.span(node.value))
    for target in node.targets:
        run.assign_to(target, value, scope, origin)


def _do_annassign(run: Interpreter, node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None:
        origin = Origin(scope.module.span(node), scope.module.span(node.value))
        run.assign_to(node.target, run.expression(node.value, scope), scope, origin)


def _do_augassign(run: Interpreter, node: ast.AugAssign, scope: Scope) -> None:
    old, added = run.expression(node.target, scope), run.expression(node.value, scope)
    if isinstance(old.data, list) and isinstance(node.op, ast.Add):
        old.data.extend(items(added))  # `+=` changes the very list, whoever else holds it
        return
    try:
        value = binary(node.op, old, added, f"{scope.module.path}:{node.lineno}")
    except (TypeError, ValueError, LookupError, ArithmeticError):
        value = unknown(f"{scope.module.path}:{node.lineno}", old.variables | added.variables)
    run.assign_to(node.target, value, scope, Origin(scope.module.span(node), scope.module.span(node.value)))


def assign_to(run: Interpreter, target: ast.expr, value: Value, scope: Scope, origin: Origin | None = None) -> None:
    """Bind a target: a name, an attribute, an item, or a pattern of them."""
    if isinstance(target, ast.Name):
        scope.bind(target.id, value, origin)
    elif isinstance(target, (ast.Tuple, ast.List)):
        known = isinstance(value.data, (list, tuple)) and len(value.data) == len(target.elts)
        for index, each in enumerate(target.elts):
            part = value.data[index] if known else unknown(f"{identity(value)}[{index}]", value.variables)
            run.assign_to(each, part, scope, origin)
    elif isinstance(target, ast.Attribute):
        owner = run.expression(target.value, scope)
        if isinstance(owner.data, Instance):
            owner.data.attributes[target.attr] = value
        elif isinstance(owner.data, Class):
            owner.data.scope.bind(target.attr, value)
        run.sink.assign(run, target, value, scope)
    elif isinstance(target, ast.Subscript):
        owner, key = run.expression(target.value, scope), run.expression(target.slice, scope)
        if isinstance(owner.data, dict) and isinstance(key.data, (str, int)):
            owner.data[key.data] = value
        run.sink.assign(run, target, value, scope)


def _do_if(run: Interpreter, node: ast.If, scope: Scope) -> None:
    if _for_type_checkers(node.test):
        return
    test = condition(run, node.test, scope)
    if (
        isinstance(test.data, Unknown)
        and REQUEST not in test.variables
        and test.data.key.removeprefix(NOT) not in run.choices.taken
        and not _matters(run, node)
    ):
        leaves = any(isinstance(each, _LEAVES) for top in node.body for each in ast.walk(top))
        run.passed_over |= any(isinstance(each, ast.Return) for top in node.body for each in ast.walk(top))
        run.block(node.orelse if leaves else node.body, scope)
        return
    chosen, other = (node.body, node.orelse) if run.truth(test) else (node.orelse, node.body)
    if test.variables and not run.answering and chosen and isinstance(chosen[-1], ast.Raise):
        chosen = other  # a deployment that does not start serves nobody: the variable must be set otherwise
        run.refused |= test.variables
    around, run.under = run.under, run.under | test.variables
    try:
        run.block(chosen, scope)
    finally:
        run.under = around


def _matters(run: Interpreter, node: ast.If) -> bool:
    """Whether the ways of a branch can differ in what is wanted: they name it, or give a function's value that does."""
    inside = [*node.body, *node.orelse]
    if run.interest.touches(names_in(inside)):
        return True
    function = run.calling[-1] if run.calling else None
    if function is None or not (
        run.interest.touches({function.name}) or any("validator" in each for each in function.decorators)
    ):
        return False
    return any(isinstance(each, ast.Return) and each.value is not None for top in inside for each in ast.walk(top))


def _do_for(run: Interpreter, node: ast.For | ast.AsyncFor, scope: Scope) -> None:
    for each in items(run.expression(node.iter, scope))[:ROUNDS]:
        run.assign_to(node.target, each, scope)
        try:
            run.block(node.body, scope)
        except Broken:
            return
        except Continued:
            continue
    run.block(node.orelse, scope)


def _do_while(run: Interpreter, node: ast.While, scope: Scope) -> None:
    for _ in range(ROUNDS):
        test = condition(run, node.test, scope)
        if not test.unknown and not run.truth(test):
            return
        try:
            run.block(node.body, scope)
        except Broken:
            return
        except Continued:
            continue
        if test.unknown:
            return


def _do_with(run: Interpreter, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
    for each in node.items:
        value = run.expression(each.context_expr, scope)
        if each.optional_vars is not None:
            run.assign_to(each.optional_vars, value, scope)
    run.block(node.body, scope)


def _do_try(run: Interpreter, node: ast.Try, scope: Scope) -> None:
    run.trying += 1
    try:
        try:
            run.block(node.body, scope)
        finally:
            run.trying -= 1
    except Raised as error:
        handler = next((each for each in node.handlers if _catches(each, error.kind)), None)
        if handler is None:
            run.block(node.finalbody, scope)
            raise
        if handler.name:
            scope.bind(handler.name, unknown(handler.name))
        run.block(handler.body, scope)
    else:
        run.block(node.orelse, scope)
    run.block(node.finalbody, scope)


def _do_match(run: Interpreter, node: ast.Match, scope: Scope) -> None:
    subject = run.expression(node.subject, scope)
    for case in node.cases:
        if _fits(run, case.pattern, subject, scope) and (
            case.guard is None or run.truth(run.expression(case.guard, scope))
        ):
            run.block(case.body, scope)
            return


def _fits(run: Interpreter, pattern: ast.pattern, subject: Value, scope: Scope) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(_fits(run, each, subject, scope) for each in pattern.patterns)
    if isinstance(pattern, ast.MatchAs):
        fits = pattern.pattern is None or _fits(run, pattern.pattern, subject, scope)
        if fits and pattern.name:
            scope.bind(pattern.name, subject)
        return fits
    if isinstance(pattern, ast.MatchValue):
        wanted = run.expression(pattern.value, scope)
        run.compare_seen(subject, wanted)
        if not subject.unknown and not wanted.unknown:
            return bool(subject.data == wanted.data)
        return run.choices.choose(f"{identity(subject)} Eq {identity(wanted)}")
    if isinstance(pattern, ast.MatchSingleton) and not subject.unknown:
        return subject.data is pattern.value
    return run.choices.choose(f"{identity(subject)} fits {ast.dump(pattern)}")


def _do_return(run: Interpreter, node: ast.Return, scope: Scope) -> None:
    raise Returned(run.expression(node.value, scope) if node.value else Value(None))


def _do_raise(run: Interpreter, node: ast.Raise, scope: Scope) -> None:  # noqa: ARG001 - all handlers are called alike  # noqa: ARG001 - all handlers are called alike
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    raise Raised(error.id if isinstance(error, ast.Name) else "")


def _do_break(run: Interpreter, node: ast.Break, scope: Scope) -> None:  # noqa: ARG001 - all handlers are called alike  # noqa: ARG001 - all handlers are called alike  # noqa: ARG001 - all handlers are called alike
    raise Broken


def _do_continue(run: Interpreter, node: ast.Continue, scope: Scope) -> None:  # noqa: ARG001 - all handlers are called alike  # noqa: ARG001 - all handlers are called alike  # noqa: ARG001 - all handlers are called alike
    raise Continued


def _do_global(run: Interpreter, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:  # noqa: ARG001 - all handlers are called alike
    scope.outer.update(node.names)


def _do_delete(run: Interpreter, node: ast.Delete, scope: Scope) -> None:  # noqa: ARG001 - all handlers are called alike
    for each in node.targets:
        if isinstance(each, ast.Name):
            scope.names.pop(each.id, None)


def _do_import(run: Interpreter, node: ast.Import, scope: Scope) -> None:
    for each in node.names:
        if each.asname:
            scope.bind(each.asname, run.resolve_import(each.name, scope.module))
        else:
            top = each.name.split(".")[0]
            scope.bind(top, run.resolve_import(top, scope.module))


def _do_importfrom(run: Interpreter, node: ast.ImportFrom, scope: Scope) -> None:
    name = _absolute(node, scope)
    exact = node.level > 0
    if exact and not run.project.knows(name):
        raise Raised("ImportError")  # a relative import of a module that is not committed
    for each in node.names:
        if each.name == "*":
            found = run.project.find(name, scope.module, exact=exact)
            if found is not None and found is not scope.module:
                _star(run, found, scope)
        else:
            scope.bind(each.asname or each.name, Value(Lazy(name, each.name, scope.module, exact)))


def _star(run: Interpreter, found: object, scope: Scope) -> None:
    other = run.module(found)  # type: ignore[arg-type]
    for key, value in other.names.items():
        if not key.startswith("_"):
            scope.bind(key, value, other.origins.get(key))


def _do_functiondef(run: Interpreter, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
    names = tuple(_dotted(each) for each in node.decorator_list)
    function = Function(node, scope, decorators=names)
    run.functions.append(function)
    scope.bind(node.name, Value(function))
    for each in node.decorator_list:
        if isinstance(each, ast.Call) or names:
            sink_decorator(run, each, scope)


def sink_decorator(run: Interpreter, node: ast.expr, scope: Scope) -> None:
    """Evaluate a decorator for what the sink may see in it; the function stays what it is."""
    if isinstance(node, ast.Call):
        run.expression(node, scope)
    elif isinstance(node, (ast.Name, ast.Attribute)):
        callee = run.expression(node, scope)
        if isinstance(callee.data, External) and run.sink.wants(callee.data.name):
            bare = ast.copy_location(ast.Call(node, [], []), node)
            run.expression(bare, scope)


def _do_classdef(run: Interpreter, node: ast.ClassDef, scope: Scope) -> None:
    bases = tuple(run.expression(each, scope) for each in node.bases)
    inner = Scope(scope.module, scope, is_class=True)
    cls = Class(node, inner, bases)
    run.block(node.body, inner)
    for each in inner.names.values():
        if isinstance(each.data, Function) and each.data.owner is None and each.data.scope is inner:
            each.data.owner = cls
    scope.bind(node.name, Value(cls))


def _absolute(node: ast.ImportFrom, scope: Scope) -> str:
    if not node.level:
        return node.module or ""
    package = scope.module.package.split(".") if scope.module.package else []
    base = package[: len(package) - (node.level - 1)] if node.level > 1 else package
    return ".".join([*base, *([node.module] if node.module else [])])


def _catches(handler: ast.ExceptHandler, kind: str) -> bool:
    if handler.type is None:
        return True
    caught = names_in([handler.type])
    aliases = {"ImportError": {"ModuleNotFoundError"}, "KeyError": {"LookupError"}}
    return not kind or bool(caught & ({kind, "Exception", "BaseException"} | aliases.get(kind, set())))


def _for_type_checkers(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in {getattr(test, "id", ""), getattr(test, "attr", "")}


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _dotted(node.func)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


_HANDLERS: dict[type[ast.stmt], Callable[[Interpreter, Any, Scope], None]] = {
    ast.Expr: _do_expr,
    ast.Assign: _do_assign,
    ast.AnnAssign: _do_annassign,
    ast.AugAssign: _do_augassign,
    ast.If: _do_if,
    ast.For: _do_for,
    ast.While: _do_while,
    ast.With: _do_with,
    ast.Try: _do_try,
    ast.Match: _do_match,
    ast.Return: _do_return,
    ast.Raise: _do_raise,
    ast.Break: _do_break,
    ast.Continue: _do_continue,
    ast.Global: _do_global,
    ast.Delete: _do_delete,
    ast.Import: _do_import,
    ast.ImportFrom: _do_importfrom,
    ast.FunctionDef: _do_functiondef,
    ast.ClassDef: _do_classdef,
    ast.AsyncFor: _do_for,
    ast.AsyncWith: _do_with,
    ast.TryStar: _do_try,
    ast.Nonlocal: _do_global,
    ast.AsyncFunctionDef: _do_functiondef,
}
