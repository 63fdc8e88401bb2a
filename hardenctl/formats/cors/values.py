"""From evaluated values to what a library takes them for."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from hardenctl.formats.cors.document import Argument, Source
from hardenctl.formats.python.methods import is_pattern, pattern_text
from hardenctl.formats.python.project import Module
from hardenctl.formats.python.values import Unknown, Url, Value, all_variables, is_set


@dataclass(frozen=True, slots=True)
class Strings:
    """The strings of a list, or a plain `text`.

    `open_ended`: there may be more; `unresolved`: and it is not simply a variable's text that decides which.
    """

    entries: tuple[str, ...] = ()
    text: str | None = None
    patterns: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    open_ended: bool = False
    unresolved: bool = False
    variables: frozenset[str] = frozenset()


NOTHING = Strings()


def strings(value: Value | None) -> Strings:
    """Read a value as a list of strings, or a string."""
    if value is None or value.data is None:
        return NOTHING
    used = all_variables(value)
    if isinstance(value.data, str):
        return Strings(text=value.data, variables=used)
    if is_pattern(value):
        text = pattern_text(value)
        given = value.data.attributes["pattern"].data
        unresolved = text is None and not is_set(given)
        return Strings(patterns=(text,) if text else (), open_ended=text is None, unresolved=unresolved, variables=used)
    if not isinstance(value.data, (list, tuple)):
        return Strings(open_ended=True, unresolved=not is_set(value.data), variables=used)
    entries, patterns, dead, open_ended, unresolved = [], [], [], False, False
    for each in value.data:
        if isinstance(each.data, str):
            entries.append(each.data)
        elif isinstance(each.data, Url):
            dead.append(each.data.text)
        elif is_pattern(each) and pattern_text(each):
            patterns.append(pattern_text(each) or "")
        elif isinstance(each.data, Unknown) or is_pattern(each):
            open_ended = True
            unresolved |= not is_set(each.data)
    return Strings(tuple(entries), None, tuple(patterns), tuple(dead), open_ended, unresolved, used)


def truth(value: Value | None) -> bool | None:
    """A switch as Python takes it: the text `"False"` is true. None where it is not known."""
    if value is None:
        return False
    return None if value.unknown else bool(value.data)


def pattern(value: Value | None) -> Strings:
    """A single regular expression."""
    if value is None or value.data is None:
        return NOTHING
    text = pattern_text(value)
    used = all_variables(value)
    if text is None:
        return Strings(open_ended=True, unresolved=not is_set(value.data), variables=used)
    return Strings(patterns=(text,), variables=used)


def argument(module: Module, node: ast.AST, value: Value | None, modules: object) -> Argument:
    """A setting with the literal it goes back to."""
    span = value.span if value is not None else None
    if span is None or not span.path.endswith(".py"):
        return Argument(module.span(node))
    home = modules.parse(span.path)  # type: ignore[attr-defined]
    return Argument(module.span(node), source(home, span.start, span.end) if home else None)


def source(module: Module, start: int, end: int) -> Source:
    """A stretch of a module, with what a fix there needs to know."""
    from hardenctl.model.text import Span

    return Source(Span(module.path, start, end), module.blob.text[start:end], import_at(module), os_name(module))


def import_at(module: Module) -> int:
    """Where an import line can go: after the docstring and `__future__` imports, before all else."""
    body = module.tree.body
    line = 1
    for index, node in enumerate(body):
        docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (docstring or future):
            return (
                module.blob.lines.offset(node.lineno)
                if isinstance(node, (ast.Import, ast.ImportFrom))
                else (module.blob.lines.offset(line))
            )
        line = (node.end_lineno or line) + 1
    return module.blob.lines.offset(line)


def os_name(module: Module) -> str | None:
    """The name that `os` goes by in a module."""
    for node in module.tree.body:
        if isinstance(node, ast.Import):
            for each in node.names:
                if each.name == "os":
                    return each.asname or "os"
    return None
