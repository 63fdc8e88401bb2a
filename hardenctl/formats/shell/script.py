"""The simple commands of a script, with the conditions they stand under and the variables known there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.shell.values import Scope, Value, resolve
from hardenctl.formats.shell.words import Dialect, Operator, Token, Word, split_words
from hardenctl.formats.strand import Strand
from hardenctl.model.record import record, replace
from hardenctl.model.text import Span

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=")
_OPENING = frozenset(("if", "while", "until"))
_PLAIN = frozenset(("then", "do", "!", "{", "}", "time"))
_DECLARE = frozenset(("export", "readonly", "local", "declare", "typeset"))


@record(slots=False, eq=False)
class Command:
    """A simple command. `conditions` are the sources of the tests it stands under; `scope` is what is known there."""

    words: tuple[Word, ...]
    span: Span
    conditions: tuple[str, ...]
    scope: Scope


def parse_commands(content: Strand, scope: Scope | None = None) -> Iterator[Command]:
    """The commands of a shell text in order. `scope` holds the environment the script is started in."""
    reader = _Reader(content, dict(scope or {}))
    return reader.commands()


class _Reader:
    def __init__(self, content: Strand, scope: dict[str, Value]) -> None:
        self.tokens = split_words(content, Dialect.SHELL)
        self.scope = scope
        self.blocks: list[str] = []  # the source of each enclosing test
        self.testing = 0  # how many tests are being read
        self.chain = ""  # the command before `&&` or `||`

    def commands(self) -> Iterator[Command]:
        run: list[Token] = []
        for token in [*self.tokens, None]:
            if token is not None and not _separates(token):
                run.append(token)
                continue
            symbol = token.text if isinstance(token, Operator) else ";"
            command = self.command(_without_redirections(run), symbol)
            run = []
            if symbol == ";;" and self.blocks and self.blocks[-1].startswith("case "):
                self.blocks[-1] = "case "
            if command:
                yield command

    def command(self, words: list[Word], symbol: str) -> Command | None:
        words = self.keywords(words, symbol)
        if not words:
            return None
        source = " ".join(word.source for word in words)
        if self.testing and self.blocks:
            self.blocks[-1] = f"{self.blocks[-1]} {source}".strip()
        conditions = tuple(block for block in (*self.blocks, self.chain) if block)
        self.chain = source if symbol in ("&&", "||") and _is_test(words[0].source) else ""
        local, words = self.assignments(words, conditional=bool(conditions))
        if not words:
            return None
        span = Span(words[0].span.path, words[0].span.start, words[-1].span.end)
        return Command(tuple(words), span, conditions, {**self.scope, **local})

    def keywords(self, words: list[Word], symbol: str) -> list[Word]:
        """Take reserved words off the front, and keep the stack of enclosing tests."""
        while words:
            word = words[0].literal
            if word in _OPENING:
                self.blocks.append("")
                self.testing += 1
            elif word in ("elif", "else"):
                self.blocks[-1:] = [f"else {self.blocks[-1]}"] if self.blocks else []
                self.testing += word == "elif"
            elif word in ("then", "do"):
                self.testing = max(0, self.testing - 1)
            elif word in ("fi", "done", "esac"):
                self.blocks = self.blocks[:-1]
            elif word == "for":
                self.blocks.append("for")
                return []
            elif word == "case":
                self.blocks.append("case " + " ".join(each.source for each in words[1:]))
                return words[4:] if len(words) > 4 else []  # noqa: PLR2004 - case WORD in PATTERN
            elif word not in _PLAIN:
                break
            words = words[1:]
        if symbol == ")" and self.blocks and self.blocks[-1].startswith("case "):
            self.blocks[-1] = "case " + " ".join(each.source for each in words)
            return []
        return words

    def assignments(self, words: list[Word], *, conditional: bool) -> tuple[dict[str, Value], list[Word]]:
        """Take assignments off the front. They hold for the command alone, or from here on where there is none."""
        declares = words[0].literal in _DECLARE
        if words[0].literal == ":" and len(words) > 1:
            self.defaults(words[1:])
        found: dict[str, Value] = {}
        rest = words[1:] if declares else words
        while rest and (match := _ASSIGNMENT.match(rest[0].source)) and isinstance(rest[0].parts[0], str):
            value = _assigned(rest[0], match, {**self.scope, **found})
            found[match[1]] = value
            rest = rest[1:]
        if not rest or declares:
            for name, value in found.items():
                if not conditional:
                    self.scope[name] = value
                elif name not in self.scope:
                    self.scope[name] = replace(value, configurable=True)
        return found, [] if declares else rest

    def defaults(self, words: list[Word]) -> None:
        """`: "${NAME:=value}"` sets what is not set."""
        for word in words:
            for part in word.parts:
                if not isinstance(part, str) and part.name and part.operator in ("=", ":="):
                    self.scope.setdefault(part.name, resolve(word, self.scope))


def _assigned(word: Word, match: re.Match[str], scope: Scope) -> Value:
    first = str(word.parts[0])[match.end() :]
    parts = (*((first,) if first else ()), *word.parts[1:])
    content = word.content.cut(match.end(), len(word.content.text))
    value = resolve(Word(content.whole, parts, content), scope)
    if match[2]:  # NAME+=more
        known = scope.get(match[1], Value(""))
        text = None if known.text is None or value.text is None else known.text + value.text
        return Value(text, known.configurable or value.configurable, word.source if text is None else None)
    return replace(value, span=value.span or content.whole)


def _separates(token: Token) -> bool:
    return isinstance(token, Operator) and token.text in ("&&", "||", ";", ";;", "&", "|", "|&", "(", ")")


def _without_redirections(tokens: list[Token]) -> list[Word]:
    words: list[Word] = []
    skip = False
    for token in tokens:
        if isinstance(token, Operator):
            skip = True
        elif skip:
            skip = False
        else:
            words.append(token)
    return words


def _is_test(program: str) -> bool:
    return program in ("[", "[[", "test")
