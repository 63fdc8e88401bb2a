"""What a `gunicorn.conf.py` sets, evaluated statically: constants, arithmetic, the environment and its defaults.

Gunicorn takes every module-level name that is a setting and ignores all others.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from hardenctl.formats.gunicorn.evaluate import NOTHING, Result, evaluate
from hardenctl.formats.gunicorn.options import BY_NAME, OPTIONS
from hardenctl.formats.shell.values import Value
from hardenctl.model.errors import DocumentError
from hardenctl.model.nearest import close_to
from hardenctl.model.record import field, record
from hardenctl.model.text import Lines, Span


@record
class Assigned:
    """A module-level name. `span` is the value's, `name_span` the name's."""

    result: Result
    span: Span
    name_span: Span


@record(slots=False, frozen=False)
class ConfigFile:
    """An evaluated config file. `opaque` says that names may come from elsewhere (`from x import *`, `exec`)."""

    path: str
    names: dict[str, Assigned] = field(default_factory=dict)
    opaque: bool = False
    tree: ast.Module | None = None
    end_of_imports: int = 0  # where a further import goes: a character offset

    @property
    def settings(self) -> dict[str, Assigned]:
        """The names that are settings."""
        return {name: each for name, each in self.names.items() if name in BY_NAME}

    def unknown(self) -> dict[str, tuple[Assigned, str]]:
        """Assigned but never read names that gunicorn ignores, with the setting that was most likely meant."""
        read = _read_names(self.tree) if self.tree else set()
        known = [option.name for option in OPTIONS]
        found = {}
        for name, each in self.names.items():
            if name in BY_NAME or name in read or name.startswith("_") or each.result.kind == "function":
                continue
            normal = name.lower().replace("-", "_")
            close = normal if normal in BY_NAME else close_to(normal, known, cutoff=0.85)
            if meant := _ALIASES.get(normal) or close:
                found[name] = (each, meant)
        return found


# What people write for a setting of another name.
_ALIASES = {
    "log_level": "loglevel",
    "access_log": "accesslog",
    "error_log": "errorlog",
    "access_logfile": "accesslog",
    "error_logfile": "errorlog",
    "keep_alive": "keepalive",
    "num_workers": "workers",
    "preload": "preload_app",
    "reload_extra_file": "reload_extra_files",
    "pid": "pidfile",
    "name": "proc_name",
    "worker_timeout": "timeout",
    "max_request": "max_requests",
    "jitter": "max_requests_jitter",
}


def evaluate_config(path: str, text: str, environment: Mapping[str, Value]) -> ConfigFile:
    """Evaluate a config file with the environment the repository gives it. Raises DocumentError on a syntax error."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        raise DocumentError("not valid Python", line=line) from None
    except RecursionError:
        raise DocumentError("nested too deeply") from None
    runner = _Runner(path, Lines(text), environment, name="__config__")  # as gunicorn loads it
    runner.config.tree = tree
    runner.run(tree.body)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if imports:
        last = imports[-1]
        runner.config.end_of_imports = runner.lines.offset(last.end_lineno or last.lineno + 1) + len(
            runner.lines.line(last.end_lineno or last.lineno)
        )
    return runner.config


def module_scope(path: str, tree: ast.Module, lines: Lines, environment: Mapping[str, Value]) -> dict[str, Result]:
    """What the names of any module stand for once it has run as a program."""
    runner = _Runner(path, lines, environment, name="__main__")
    runner.run(tree.body)
    return runner.scope


class _Runner:
    """Runs module-level statements in order. A branch nobody can decide makes what it sets unknown."""

    def __init__(self, path: str, lines: Lines, environment: Mapping[str, Value], name: str) -> None:
        self.config = ConfigFile(path)
        self.lines, self.environment = lines, environment
        self.scope: dict[str, Result] = {"__name__": Result(name)}

    def run(self, body: list[ast.stmt]) -> None:
        for node in body:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 - one case per kind of statement
        if isinstance(node, ast.Assign):
            result = self.value(node.value)
            for target in node.targets:
                self.assign(target, result, node.value)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self.assign(node.target, self.value(node.value), node.value)
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name):
                whole = ast.copy_location(
                    ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value), node.value
                )
                self.assign(node.target, self.value(whole), node.value)
        elif isinstance(node, ast.If):
            self.branch(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            place = self.lines.offset_utf8(node.lineno, node.col_offset)
            name = Span(self.config.path, place, place + len(self.lines.line(node.lineno)) - node.col_offset)
            result = Result(NOTHING, kind="function", body=node)
            self.scope[node.name] = result
            self.config.names[node.name] = Assigned(result, name, name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.imported(node)
        elif isinstance(node, ast.Try):
            self.run(node.body)
            self.run(node.orelse)
            self.run(node.finalbody)
        elif isinstance(node, ast.With):
            self.run(node.body)
        elif isinstance(node, ast.For | ast.While):
            self.unknown_from(node.body, node)
            self.config.opaque |= _may_set_globals(node)
        elif isinstance(node, ast.Expr):
            self.config.opaque |= _may_set_globals(node)

    def value(self, node: ast.expr) -> Result:
        return evaluate(node, self.scope, self.environment)

    def assign(self, target: ast.expr, result: Result, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.scope[target.id] = result
            self.config.names[target.id] = Assigned(result, self.span(value), self.span(target))
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            for index, element in enumerate(target.elts):
                if index < len(parts) and len(parts) == len(target.elts):
                    self.assign(element, self.value(parts[index]), parts[index])
                else:
                    self.assign(element, Result(NOTHING, expression=value), value)

    def branch(self, node: ast.If) -> None:
        test = self.value(node.test)
        if test.known and not test.configurable:
            self.run(node.body if test.value else node.orelse)
            return
        if test.known:  # the environment decides; as configured, this is what happens
            self.run(node.body if test.value else node.orelse)
            other = node.orelse if test.value else node.body
            for name in _assigned_names(other) | _assigned_names(node.body if test.value else node.orelse):
                self.loosen(name)
            for name in _assigned_names(other) - set(self.scope):
                self.forget(name, node)
            return
        before, names = dict(self.scope), dict(self.config.names)
        self.run(node.body)
        after_body, self.scope = dict(self.scope), before
        body_names, self.config.names = self.config.names, names
        self.run(node.orelse)
        for name in _assigned_names(node.body) | _assigned_names(node.orelse):
            mine, theirs = self.scope.get(name), after_body.get(name)
            if not (mine and theirs and mine.known and theirs.known and mine.value == theirs.value):
                place = self.config.names.get(name) or body_names.get(name)
                self.scope[name] = Result(NOTHING, expression=_either(node.test, theirs, mine), configurable=True)
                if place:
                    self.config.names[name] = Assigned(self.scope[name], place.span, place.name_span)

    def loosen(self, name: str) -> None:
        """The environment can change what a name is."""
        each = self.config.names.get(name)
        if each:
            loose = each.result.loosened()
            self.scope[name] = loose
            self.config.names[name] = Assigned(loose, each.span, each.name_span)

    def forget(self, name: str, node: ast.stmt) -> None:
        del node  # as configured the name isn't set at all
        self.scope.pop(name, None)

    def unknown_from(self, body: list[ast.stmt], node: ast.stmt) -> None:
        for name in _assigned_names(body):
            place = self.config.names.get(name)
            self.scope[name] = Result(NOTHING, expression=None, configurable=True)
            start = self.lines.offset(node.lineno)
            span = place.span if place else Span(self.config.path, start, start + len(self.lines.line(node.lineno)))
            self.config.names[name] = Assigned(self.scope[name], span, place.name_span if place else span)

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.config.opaque = True
                continue
            dotted = alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
            bound = alias.asname or alias.name.split(".")[0]
            dotted = dotted if alias.asname or isinstance(node, ast.ImportFrom) else bound
            self.scope[bound] = Result(NOTHING, kind="module", name=dotted)
            if bound in BY_NAME:  # `from settings import workers`
                place = self.span(node)
                self.config.names[bound] = Assigned(self.scope[bound], place, place)

    def span(self, node: ast.expr | ast.stmt) -> Span:
        start = self.lines.offset_utf8(node.lineno, node.col_offset)
        end = self.lines.offset_utf8(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return Span(self.config.path, start, end)


def _either(test: ast.expr, body: Result | None, orelse: Result | None) -> ast.expr:
    """What a name is after a branch that nobody can decide: the one value it may have, or the choice between two."""
    values = [
        each.expression or ast.Constant(each.value)
        for each in (body, orelse)
        if each and (each.known or each.expression)
    ]
    if not values:
        return test
    return values[0] if len(values) == 1 else ast.fix_missing_locations(ast.IfExp(test, *values))


def _assigned_names(body: list[ast.stmt]) -> set[str]:
    return {
        each.id
        for statement in body
        for each in ast.walk(statement)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def _read_names(tree: ast.Module) -> set[str]:
    return {each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def _may_set_globals(node: ast.AST) -> bool:
    """Whether a statement can set module-level names that nobody sees: `exec`, `globals()`, `vars()`, `locals()`."""
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id in ("exec", "globals", "vars", "locals")
        for each in ast.walk(node)
    )
