"""What the gunicorn rules share: how severe something is where it stands, and how to change a command."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hardenctl.formats.effective import CMD_ARGS, COMMAND_LINE, CONFIG_FILE, ENVIRONMENT, Effective
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.model.finding import Applicability, Edit, Fix, Hit, Replace, Severity, advice
from hardenctl.model.text import Span

if TYPE_CHECKING:
    import ast

_MOST = 100_000  # any number in a formula of workers
_LONGEST = 200  # characters of one
_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {"max": max, "min": min, "int": int, "round": round}


def in_production(launch: ServerLaunch, server: str = "gunicorn") -> bool:
    """Whether a launch line of this server is not known to be for development alone."""
    return launch.server == server and not launch.development


def weigh(launch: ServerLaunch, severity: Severity) -> Severity:
    """The severity where it stands: low where the line is perhaps for development only."""
    return min(severity, Severity.LOW) if launch.launch.doubtful else severity


def hit(
    launch: ServerLaunch,
    effective: Effective | None,
    message: str,
    *,
    name: str,
    severity: Severity,
    fix: Fix | None = None,
) -> Hit:
    """A hit at the setting that is meant, or at the launch line where something is missing.

    In a config file, and in an environment that more than one line can have, the setting's name tells it from others;
    in a command the service and application do.
    """
    span = effective.span if effective and effective.span else launch.span
    shared = span.path != launch.path or launch.launch.kind == "dockerfile"
    by_all = effective and (effective.origin == CONFIG_FILE or (shared and effective.origin in (CMD_ARGS, ENVIRONMENT)))
    mine = "" if by_all else launch.name
    services = launch.services if span.path == launch.path and launch.launch.kind == "compose" else ()
    return Hit(
        span,
        message,
        identity=f"{mine}/{name}" if mine else name,
        severity=weigh(launch, severity),
        services=services,
        fix=fix,
    )


def change(effective: Effective, text: str, title: str) -> Fix:
    """Put another literal in a value's place; only advice where a variable decides or the place is not known."""
    if effective.configurable or effective.value_span is None:
        return advice(title)
    return Fix(title, (Replace(effective.value_span, text),), Applicability.UNSAFE)


def removal(launch: ServerLaunch, effective: Effective) -> Edit | None:
    """Take a flag, and its value, out of a command: from the end of the word before to its own end."""
    if effective.origin != COMMAND_LINE or effective.span is None or effective.configurable:
        return None
    words = [word for word, _ in launch.launch.words]
    for before, word in itertools.pairwise(words):
        if word.span.start == effective.span.start and before.span.path == word.span.path:
            if before.span.end > word.span.start:
                return None  # both came out of one variable
            return Replace(Span(word.span.path, before.span.end, effective.span.end), "")
    return None


def formula_workers(formula: str, cpus: float) -> int | None:
    """The policy's number of workers for a number of CPUs; None for what is no formula, divides by 0 or gets huge."""
    if len(formula) > _LONGEST:
        return None
    import ast

    try:
        return int(_value(ast.parse(formula.strip(), mode="eval").body, max(1, int(cpus))))
    except (ValueError, SyntaxError, ArithmeticError, TypeError, RecursionError):
        return None


def _value(node: ast.expr, cpus: int) -> float:
    result = _computed(node, cpus)
    if not abs(result) <= _MOST:
        raise ValueError
    return result


def _computed(node: ast.expr, cpus: int) -> float:
    import ast

    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id="cpu"):
            return cpus
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, cpus)
        case ast.BinOp(left=left, op=op, right=right) if compute := _OPERATORS.get(type(op).__name__):
            return compute(_value(left, cpus), _value(right, cpus))
        case ast.Call(func=ast.Name(id=function), args=given, keywords=[]) if function in _FUNCTIONS:
            return _FUNCTIONS[function](*[_value(each, cpus) for each in given])
    raise ValueError
