"""The environment variables that a project's code reads by name, and what it does without them.

Read from its syntax trees alone: `os.environ`, `os.getenv`, decouple's `config("X")`, environs' and django-environ's
`env("X")`, and the fields of pydantic settings classes.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_HINT = re.compile(r"environ|getenv|decouple|BaseSettings|Settings\b|\benv\b|starlette\.config")
_NAME = re.compile(r"[A-Za-z_]\w*")
_MANY = re.compile(r"\b(?:list|set|tuple|dict|frozenset|sequence)\b", re.IGNORECASE)
_NO_SETTING = frozenset({"PATH", "HOME", "PORT", "TERM", "LANG", "TZ", "CI", "PYTHONPATH", "DJANGO_SETTINGS_MODULE"})
_READERS = frozenset(
    {"env", "config", "environ", "ENV"}
)  # what decouple's, environs' and Starlette's objects are called
_WHOLE = {"db": "DATABASE_URL", "db_url": "DATABASE_URL", "cache": "CACHE_URL", "cache_url": "CACHE_URL"}
_NO_READ = frozenset({"read_env", "read_envfile", "setdefault", "pop", "copy", "items", "keys", "values", "prefixed"})


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable the code reads. `default` is what it does without it as text, None where that cannot be written.

    `required` says that the code fails without it, `many` that it is a JSON list or object.
    """

    name: str
    default: str | None = None
    required: bool = False
    many: bool = False


def variables_read(files: Iterable[tuple[str, str]]) -> tuple[Variable, ...]:
    """What Python files (path and text) read, by name. Where several read it, the first with a default counts."""
    trees = [tree for _, text in files if _HINT.search(text) and (tree := _parse(text))]
    classes = {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    found: dict[str, Variable] = {}
    for tree in trees:
        for node in ast.walk(tree):
            for each in _settings(node, classes) if isinstance(node, ast.ClassDef) else _reads(node):
                old = found.get(each.name)
                if each.name not in _NO_SETTING and (old is None or (old.default is None and not old.required)):
                    found[each.name] = each
    return tuple(found[name] for name in sorted(found))


def _parse(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _reads(node: ast.AST) -> Iterator[Variable]:
    """What one expression reads."""
    if isinstance(node, ast.Subscript) and _last(node.value) == "environ" and isinstance(node.ctx, ast.Load):
        yield from _named(node.slice, None, required=True)
    if not isinstance(node, ast.Call):
        return
    function, given = node.func, {each.arg: each.value for each in node.keywords}
    second = node.args[1] if len(node.args) > 1 else None
    name = _last(function)
    owner = _last(function.value) if isinstance(function, ast.Attribute) else ""
    if name == "getenv" or (owner == "environ" and name == "get"):
        yield from _named(node.args[0] if node.args else given.get("key"), second or given.get("default"))
    elif (name in _READERS and not owner) or (owner in _READERS and name not in _NO_READ):
        default = given.get("default") or (second if name != "list" else None)
        if node.args:
            yield from _named(node.args[0], default, required=default is None, loud=True)
        elif name in _WHOLE:
            yield Variable(_WHOLE[name], required=default is None)


def _named(
    key: ast.expr | None, default: ast.expr | None, *, required: bool = False, loud: bool = False
) -> Iterator[Variable]:
    """The variable of a name written out. `loud` ones are in capitals: other objects are called `config` too."""
    name = key.value if isinstance(key, ast.Constant) else None
    if isinstance(name, str) and _NAME.fullmatch(name) and (name.isupper() or not loud):
        text = "" if default is None or _is_none(default) else _text(default)
        yield Variable(name, None if required else text, required)


def _settings(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Iterator[Variable]:
    """The fields of a pydantic settings class, and of those it builds on that are no settings themselves."""
    if not _is_settings(node, classes, frozenset()):
        return
    prefix = _configured(node, classes, "env_prefix", frozenset()) or ""
    for field in node.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        name = field.target.id
        if name == "model_config" or name.startswith("_") or "ClassVar" in ast.dump(field.annotation):
            continue
        default, aliases = field.value, list[str]()
        if isinstance(default, ast.Call) and _last(default.func) == "Field":
            aliases = [alias for each in default.keywords for alias in _aliases(each)]
            given = {each.arg: each.value for each in default.keywords}
            default = (
                (default.args[0] if default.args else None) or given.get("default") or given.get("default_factory")
            )
        if isinstance(default, ast.Constant) and default.value is ...:
            default = None
        names = aliases or [prefix + name]
        text = None if default is None or _is_none(default) else _text(default)
        many = bool(_MANY.search(ast.unparse(field.annotation)))
        yield Variable(names[0].upper(), text, required=default is None, many=many)


def _aliases(keyword: ast.keyword) -> Iterator[str]:
    if keyword.arg in {"alias", "validation_alias", "env"}:
        for each in ast.walk(keyword.value):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield each.value


def _is_settings(node: ast.ClassDef, classes: dict[str, ast.ClassDef], seen: frozenset[str]) -> bool:
    """Whether a class derives from BaseSettings, through the project's own classes too."""
    for base in map(_last, node.bases):
        if base == "BaseSettings":
            return True
        if base in classes and base not in seen and _is_settings(classes[base], classes, seen | {base}):
            return True
    return False


def _configured(node: ast.ClassDef, classes: dict[str, ast.ClassDef], key: str, seen: frozenset[str]) -> str | None:
    """A string of `model_config` or of the inner `Config`, the class's own or an inherited one."""
    for each in node.body:
        pairs: list[tuple[str | None, ast.expr]] = []
        if isinstance(each, ast.Assign | ast.AnnAssign) and isinstance(each.value, ast.Call):
            pairs = [(keyword.arg, keyword.value) for keyword in each.value.keywords]
        elif isinstance(each, ast.Assign | ast.AnnAssign) and isinstance(each.value, ast.Dict):
            named = zip(each.value.keys, each.value.values, strict=True)
            pairs = [(str(name.value), value) for name, value in named if isinstance(name, ast.Constant)]
        elif isinstance(each, ast.ClassDef) and each.name == "Config":
            pairs = [(_last(line.targets[0]), line.value) for line in each.body if isinstance(line, ast.Assign)]
        for name, value in pairs:
            if name == key and isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value
    for base in map(_last, node.bases):
        if base in classes and base not in seen:
            found = _configured(classes[base], classes, key, seen | {base})
            if found is not None:
                return found
    return None


def _last(node: ast.expr) -> str:
    """The last part of a dotted name; empty for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _text(node: ast.expr) -> str | None:
    """A literal as an env file has it; None for what has to be computed and for what needs more than one line."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | dict):
        try:
            value = json.dumps(value)
        except (TypeError, ValueError):
            return None
    text = str(value)
    return text if isinstance(value, str | int | float) and text.isprintable() else None
