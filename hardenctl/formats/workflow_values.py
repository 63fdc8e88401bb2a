"""Expressions of workflows, `${{ github.ref }}`, and where what they yield comes from.

An expression may name a variable, a step's output or an input that holds what another one yields. Every search here
takes time in proportion to the text, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Names
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice

from hardenctl.formats.yaml import Mapping, Node, Scalar, Sequence, walk

LONGEST = 21_000  # characters of an expression; GitHub refuses longer ones
MOST_NAMES = 50  # that one expression is followed through; real ones name fewer than five

_END = re.compile(r"'[^']*'|\}\}")
_FORGE = re.compile(r"(?<![\w.-])(?:forgejo|gitea)(?=\.)")  # which also know it as `github`
_INDEX = re.compile(r"\[\s*'([\w-]+)'\s*\]")
# What yields true or false, or is only asked: `contains(a, b)`, `a == b`, `!a`, and `a` in `a && b`.
_ANSWERS = re.compile(r"\b(?:contains|startsWith|endsWith|hashFiles)\s*+\([^()]*(?:\([^()]*\)[^()]*)*\)", re.IGNORECASE)
_COMPARED = re.compile(
    r"(?:'[^']*'|(?<![\w.*-])[\w.*-]++)\s*+(?:[=!]=|[<>]=?)\s*+(?:'[^']*'|[\w.*-]++)"
    r"|!\s*+[\w.*-]++|(?<![\w.*-])[\w.*-]++\s*+(?=&&)"
)
_REFERENCE = re.compile(r"(?<![\w.-])(?:(env|matrix|inputs)\.([\w-]+)|(steps|needs)\.([\w-]+)\.outputs\.([\w-]+))")
_OUTPUT = re.compile(r"(?<![\w-])([\w-]++)=[\"']?\$(?:\{\{([^{}]{1,200})\}\}|\{(\w+)\}|(\w+))(?=[\"'\s])")


def expressions(scalar: Scalar) -> Iterator[tuple[int, int, str]]:
    """The expressions in a text: start and end in it, and what stands between the brackets."""
    text, at = scalar.text, 0
    while (start := text.find("${{", at)) >= 0:
        end = next((each.end() for each in _END.finditer(text, start + 3) if each[0] == "}}"), None)
        if end is None:
            return
        yield start, end, text[start + 3 : end - 2].strip()
        at = end


def yielded(text: str) -> str:
    """What of an expression can be what it yields: without questions, and with dots for `['name']`."""
    return _COMPARED.sub("", _ANSWERS.sub("", _INDEX.sub(r".\1", _FORGE.sub("github", text))))


@dataclass(eq=False)
class Scope:
    """Where the names in a job's expressions, or in an action's, are looked up."""

    holder: Mapping
    top: Mapping
    jobs: dict[str, Scope] = field(default_factory=dict, repr=False)
    held: dict[int, str] = field(default_factory=dict, repr=False)  # by value; the tree outlives it

    @cached_property
    def outputs(self) -> dict[str, list[tuple[str, Mapping]]]:
        """By step and name, with a dot between: the expressions that a script's outputs are, each with its step.

        Only what a line writes as it is: `echo "title=$TITLE" >> "$GITHUB_OUTPUT"`.
        """
        found: dict[str, list[tuple[str, Mapping]]] = {}
        steps = self.holder.value_of("steps")
        for step in steps if isinstance(steps, Sequence) else ():
            if not isinstance(step, Mapping) or not (name := step.text("id")):
                continue
            for line in (step.text("run") or "").splitlines():
                for match in _OUTPUT.finditer(line) if "GITHUB_OUTPUT" in line else ():
                    text = match[2] or f"env.{match[3] or match[4]}"
                    found.setdefault(f"{name}.{match[1]}", []).append((text, step))
        return found


_Layers = tuple[Mapping, ...]  # where variables are looked up, the nearest first
_Place = tuple[str, _Layers, Scope]


def origins(text: str, step: Mapping, scope: Scope, given: Names[str, str]) -> Iterator[str]:
    """What an expression can yield, and what the variables, outputs and inputs it names hold.

    `given` are the inputs of a call by name: what their expressions can yield.
    """
    waiting: list[_Place] = [(yielded(text), (step, scope.holder, scope.top), scope)]
    seen: set[tuple[str, int, int]] = set()
    while waiting:
        text, layers, scope = waiting.pop()
        yield text
        for match in _references(text):
            key = (match[0], len(layers), id(scope))
            if key in seen or len(seen) >= MOST_NAMES:
                continue
            seen.add(key)
            waiting += _referred(match, layers, scope, given)


def named(text: str) -> str | None:
    """The first variable, output or input that an expression names."""
    return next((match[0] for match in _references(yielded(text))), None)


@lru_cache(maxsize=64)  # a value that many steps name
def _references(text: str) -> tuple[re.Match[str], ...]:
    found = {match[0]: match for match in _REFERENCE.finditer(text)}
    return tuple(islice(found.values(), MOST_NAMES))


def _referred(match: re.Match[str], layers: _Layers, scope: Scope, given: Names[str, str]) -> Iterator[_Place]:
    kind, name, output = match[1] or match[3], match[2] or match[4], match[5]
    if kind == "inputs":
        yield from ((text, (), scope) for text in (given.get(name),) if text)
    elif kind == "env":
        yield from _variable(name, layers, scope)
    elif kind == "matrix":
        matrix = scope.holder.get("strategy", "matrix")
        more = matrix.value_of("include") if isinstance(matrix, Mapping) else None
        for node in (matrix, *(more if isinstance(more, Sequence) else ())):
            yield from ((each, (scope.holder, scope.top), scope) for each in _held(_named(node, name), scope))
    elif kind == "steps":
        for text, step in scope.outputs.get(f"{name}.{output}", ())[:MOST_NAMES]:
            yield yielded(text), (step, scope.holder, scope.top), scope
    elif isinstance(job := scope.top.get("jobs", name), Mapping):
        other = scope.jobs.setdefault(name, Scope(job, scope.top, scope.jobs))
        yield from ((each, (job, scope.top), other) for each in _held(job.get("outputs", output), scope))


def _variable(name: str, layers: _Layers, scope: Scope) -> Iterator[_Place]:
    """Of the step, else of the job, else of the workflow; one may be made of the next one's of the same name."""
    for number, layer in enumerate(layers):
        if (node := _named(layer.value_of("env"), name)) is not None:
            yield from ((each, layers[number + 1 :], scope) for each in _held(node, scope))
            return


def _named(node: Node | None, name: str) -> Node | None:
    return node.value_of(name) if isinstance(node, Mapping) else None


def _held(node: Node | None, scope: Scope) -> Iterator[str]:
    """What the expressions of a value can yield, as one text: it may be asked for often."""
    if node is None:
        return
    if id(node) not in scope.held:
        leaves = islice((each for each in walk(node) if isinstance(each, Scalar)), MOST_NAMES)
        scope.held[id(node)] = " ".join(yielded(text) for each in leaves for _, _, text in expressions(each))[:LONGEST]
    yield scope.held[id(node)]
