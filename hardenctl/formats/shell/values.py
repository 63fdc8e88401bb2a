"""What a word's variables stand for, as far as the repository says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hardenctl.formats.shell.words import Dialect, Expansion, Word, split_words
from hardenctl.formats.strand import Strand
from hardenctl.model.record import record, replace
from hardenctl.model.text import Span

_CPU = re.compile(r"\bnproc\b|_NPROCESSORS_(?:ONLN|CONF)|/proc/cpuinfo|cpu_count")
_ARITHMETIC = re.compile(r"[0-9+*/() -]+")


@record
class Value:
    """A string a variable or word stands for.

    `text` is None where only the running machine knows. `configurable` says that a variable of the environment can
    change it. `span` is where the text is set, when that is not where it is used.
    """

    text: str | None
    configurable: bool = False
    expression: str | None = None
    span: Span | None = None

    @property
    def counts_cpus(self) -> bool:
        """Whether it is computed from the number of CPUs the host shows."""
        return bool(self.expression and _CPU.search(self.expression))


Scope = Mapping[str, Value]


def resolve(word: Word, scope: Scope) -> Value:
    """The value of a word as one string."""
    return _join([_part(part, scope, 0) for part in word.parts], word.source)


def resolve_words(words: list[Word], scope: Scope) -> list[tuple[Word, Value]]:
    """The words with their values; an unquoted expansion whose value has blanks becomes several of them."""
    found: list[tuple[Word, Value]] = []
    for word in words:
        value = resolve(word, scope)
        splits = any(isinstance(part, Expansion) and not part.quoted for part in word.parts)
        if splits and value.text is not None and (not value.text or " " in value.text.strip()):
            found.extend((word, replace(value, text=piece)) for piece in value.text.split())
        else:
            found.append((word, value))
    return found


def _join(values: list[Value], source: str) -> Value:
    if not values:
        return Value("")
    text = None if any(value.text is None for value in values) else "".join(value.text or "" for value in values)
    configurable = any(value.configurable for value in values)
    if len(values) == 1:
        return values[0]
    expression = None
    if any(value.expression for value in values):
        expression = "".join(value.expression or value.text or "" for value in values)
    spans = [value.span for value in values if value.span]
    return Value(text, configurable, expression or (source if text is None else None), spans[0] if spans else None)


def _part(part: str | Expansion, scope: Scope, depth: int) -> Value:
    if isinstance(part, str):
        return Value(part)
    if part.name is None:
        return _computed(part.text, scope, depth)
    known = scope.get(part.name)
    if part.operator in ("+", ":+"):
        return Value("" if known is None else None, configurable=True, expression=part.text)
    if part.operator in ("-", ":-", "=", ":=") and (known is None or not (known.text or known.expression)):
        default = _text(part.word, scope, depth)
        return replace(default, configurable=True, expression=default.expression or part.text)
    if known is None:
        return Value(None, configurable=True, expression=part.text)
    return replace(known, expression=known.expression or (part.text if known.configurable else None))


def _text(text: str, scope: Scope, depth: int) -> Value:
    """The value of the word in `${NAME:-word}`, which may hold expansions itself."""
    if "$" not in text and "`" not in text:
        return Value(text.strip("'\""))
    if depth > 5:  # noqa: PLR2004 - nobody nests defaults deeper
        return Value(None, expression=text)
    tokens = split_words(Strand("", text, range(len(text) + 1)), Dialect.SHELL)
    parts = [part for word in tokens if isinstance(word, Word) for part in word.parts]
    return _join([_part(part, scope, depth + 1) for part in parts], text)


def _computed(source: str, scope: Scope, depth: int) -> Value:
    """A command substitution or arithmetic: its text, variables of known expression put in, is the expression."""
    if source.startswith("$((") and depth < 5:  # noqa: PLR2004 - as above
        inner = re.sub(
            r"\$?\{?\b([A-Za-z_]\w*)(?::?-([0-9]+))?\}?",
            lambda match: _operand(match, scope),
            source[3:-2],
        )
        if _ARITHMETIC.fullmatch(inner) and len(inner) < 100:  # noqa: PLR2004 - a formula, not a program
            variable = bool(re.search(r"[A-Za-z_]", source))
            return Value(_calculate(inner), variable, source if variable else None)
        return Value(None, expression=f"$(({inner}))" if _CPU.search(inner) else source)
    return Value(None, expression=source)


def _operand(match: re.Match[str], scope: Scope) -> str:
    known = scope.get(match[1])
    if known is not None and known.text is not None:
        return known.text
    if known is not None and known.expression:
        return known.expression
    return match[2] or match[0]


def _calculate(formula: str) -> str | None:
    """Integer arithmetic of a shell; None where it is none."""
    import ast
    import operator

    operators = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.floordiv}

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in operators:
            return int(operators[type(node.op)](value(node.left), value(node.right)))
        raise ValueError

    try:
        return str(value(ast.parse(formula.strip(), mode="eval").body))
    except (ValueError, SyntaxError, ZeroDivisionError):
        return None
