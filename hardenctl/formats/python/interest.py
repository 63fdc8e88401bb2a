"""Which names matter to what is looked for, so that only branches about them are followed both ways."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from hardenctl.formats.python.builtin import BUILTINS
from hardenctl.formats.python.project import Module, names_in

# Names too common to say anything of what a set-up depends on.
_COMMON = BUILTINS | {
    "app", "self", "cls", "os", "settings", "config", "conf", "request", "response", "get", "environ", "getenv",
    "add_middleware", "append", "extend", "split", "strip", "join", "update", "name", "key", "value", "path", "headers",
    "Middleware",
}  # fmt: skip

_MUTATES = frozenset({"append", "extend", "insert", "add", "update", "remove"})


class Interest:
    """Starts from words and grows, module by module, by the names that their values come from."""

    def __init__(self, words: Iterable[str], modules: Iterable[Module] = ()) -> None:
        self.words = set(words)
        self._flows: list[tuple[set[str], set[str]]] = []
        self._learnt: set[str] = set()
        self._names: dict[ast.AST, set[str]] = {}
        for module in modules:
            self.learn(module)

    def learn(self, module: Module) -> None:
        """Take a module's assignments into account."""
        if module.path in self._learnt:
            return
        self._learnt.add(module.path)
        self._flows.extend(flow for node in ast.walk(module.tree) if (flow := _flow(node)) is not None)
        size = 0
        while size != len(self.words):
            size = len(self.words)
            for targets, used in self._flows:
                if targets & self.words if targets else used & self.words:
                    self.words |= used - _COMMON

    def touches(self, names: set[str]) -> bool:
        """Whether any of these names matters."""
        return not self.words.isdisjoint(names)

    def concerns(self, node: ast.AST) -> bool:
        """Whether a statement names anything that matters; asked again and again for the same statements."""
        names = self._names.get(node)
        if names is None:
            names = self._names[node] = names_in([node])
        return self.touches(names)


def _flow(node: ast.AST) -> tuple[set[str], set[str]] | None:
    """The names a statement gives values to, and those the values come from.

    A call of `append` and the like gives to its object; any other call to nobody in particular.
    """
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
        targets = list(node.targets) if isinstance(node, ast.Assign) else [node.target]
        sources = [node.value, *([node.annotation] if isinstance(node, ast.AnnAssign) else [])]
        return names_in(targets) - _COMMON, names_in(sources)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        mutates = isinstance(node.value.func, ast.Attribute) and node.value.func.attr in _MUTATES
        return (names_in([node.value.func]) - _COMMON if mutates else set()), names_in([node.value])
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
        return {node.name}, names_in(returned)
    return None
