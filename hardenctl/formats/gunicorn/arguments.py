"""A gunicorn command line, parsed as argparse parses it: `-w4`, `--opt=value`, unique prefixes, clusters of flags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hardenctl.formats.gunicorn.options import BY_FLAG, Kind, Option
from hardenctl.formats.shell.values import Value
from hardenctl.formats.shell.words import Word
from hardenctl.model.record import field, record
from hardenctl.model.text import Span

_NUMBER = re.compile(r"-(?:\d+|\d*\.\d+)")
_FLAGS = (*BY_FLAG, "-h", "--help", "-v", "--version")


@record
class Argument:
    """A setting given on a command line. `value` is converted; None with `known` False where it can't be told.

    `span` covers flag and value, `value_span` the value alone.
    """

    value: Any
    known: bool
    span: Span
    value_span: Span
    configurable: bool = False
    expression: str | None = None
    error: str | None = None
    flag_span: Span | None = None  # the flag's own word, where the value is another


@record(slots=False, frozen=False)
class Arguments:
    """A parsed command line. `opaque` are the words that could hold any option; `errors` is what gunicorn refuses."""

    settings: dict[str, Argument] = field(default_factory=dict)
    positional: list[str] = field(default_factory=list)
    opaque: list[Word] = field(default_factory=list)
    errors: list[tuple[Span, str]] = field(default_factory=list)


def parse_arguments(words: Sequence[tuple[Word, Value]]) -> Arguments:
    """Parse what follows `gunicorn` on a command line; a later flag wins, and lists add up."""
    return _Parser(words).parse()


def find_option(flag: str) -> tuple[Option | None, str | None]:
    """The option of a flag or a unique prefix of a long one, or what is wrong with it."""
    if flag in BY_FLAG:
        return BY_FLAG[flag], None
    matches = [each for each in _FLAGS if each.startswith(flag)] if flag.startswith("--") else []
    options = {BY_FLAG[each].name for each in matches if each in BY_FLAG}
    if len(matches) == 1 and options:
        return BY_FLAG[matches[0]], None
    if len(matches) > 1:
        return None, f"`{flag}` is ambiguous: {', '.join(sorted(matches))}"
    return None, f"`{flag}` is no option of gunicorn"


class _Parser:
    def __init__(self, words: Sequence[tuple[Word, Value]]) -> None:
        self.words = words
        self.result = Arguments()

    def parse(self) -> Arguments:
        at, words = 0, self.words
        while at < len(words):
            word, value = words[at]
            at += 1
            text = value.text
            if text is None:
                self.unknown_word(word)
            elif text == "--":
                self.result.positional.extend(each.text or "" for _, each in words[at:])
                break
            elif not _is_option(text):
                self.result.positional.append(text)
            elif text.startswith("--"):
                at = self.long(word, value, text, at)
            else:
                at = self.short(word, value, text, at)
        return self.result

    def unknown_word(self, word: Word) -> None:
        """A word only the machine knows: `--workers=$(nproc)` still names its option."""
        flag, equals, _ = word.source.partition("=")
        option, _problem = find_option(flag) if equals and flag.startswith("--") else (None, None)
        if option:
            start = len(flag) + 1
            span = word.content.span(start, len(word.source))
            expression = word.source[start:]
            self.put(option, Value(None, configurable="$(" not in expression, expression=expression), word.span, span)
        else:
            self.result.opaque.append(word)

    def long(self, word: Word, value: Value, text: str, at: int) -> int:
        flag, equals, explicit = text.partition("=")
        option, problem = find_option(flag)
        if option is None:
            if flag not in ("--help", "--version"):
                self.result.errors.append((word.span, problem or ""))
                if not equals and at < len(self.words) and not _is_option(self.words[at][1].text or "-"):
                    at += 1  # most likely its value
            return at
        if not equals:
            return self.take(option, word, at)
        if option.kind is Kind.BOOLEAN:
            self.result.errors.append((word.span, f"`{flag}` takes no value"))
            return at
        source = word.source.partition("=")
        inner = word.content.span(len(source[0]) + 1, len(word.source)) if source[1] else word.span
        expression = value.expression.partition("=")[2] or None if value.expression else None
        self.put(option, Value(explicit, value.configurable, expression), word.span, inner)
        return at

    def short(self, word: Word, value: Value, text: str, at: int) -> int:
        option = BY_FLAG.get(text[:2])
        if option is None:
            if text[:2] not in ("-h", "-v"):
                self.result.errors.append((word.span, f"`{text[:2]}` is no option of gunicorn"))
            return at
        rest = text[2:]
        if option.kind is Kind.BOOLEAN:
            self.put(option, Value("True"), word.span, word.span)
            return self.short(word, value, f"-{rest}", at) if rest else at
        if not rest:
            return self.take(option, word, at)
        skip = 3 if rest.startswith("=") else 2
        inner = word.content.span(min(skip, len(word.source)), len(word.source))
        self.put(option, Value(text[skip:], value.configurable, value.expression), word.span, inner)
        return at

    def take(self, option: Option, word: Word, at: int) -> int:
        """Take the value of an option from the next word."""
        if option.kind is Kind.BOOLEAN:
            constant = Value("False" if option.constant is False else "True")
            self.put(option, constant, word.span, word.span)
            return at
        following = self.words[at] if at < len(self.words) else None
        text = following[1].text if following else None
        if following is None or (text is not None and (_is_option(text) or text == "--")):
            if option.constant is not None:
                self.put(option, Value(option.constant), word.span, word.span)
            else:
                self.result.errors.append((word.span, f"`{word.source}` needs a value"))
            return at
        span = Span(word.span.path, word.span.start, max(word.span.end, following[0].span.end))
        self.put(option, following[1], span, following[0].inner, word.inner)
        return at + 1

    def put(self, option: Option, value: Value, span: Span, value_span: Span, flag_span: Span | None = None) -> None:
        converted, error = None, None
        if value.text is not None:
            try:
                converted = option.convert(value.text, command_line=True)
            except (ValueError, TypeError):
                error = "not a value gunicorn accepts"
        known = value.text is not None and error is None
        before = self.result.settings.get(option.name)
        if option.kind is Kind.LIST and before and before.known and known:
            converted = tuple(before.value) + tuple(converted or ())
        self.result.settings[option.name] = Argument(
            converted, known, span, value_span, value.configurable, value.expression, error, flag_span
        )


def _is_option(text: str) -> bool:
    """Whether argparse takes a word for an option: it begins with a dash, is no number and has no blank.

    A word with a blank counts where it begins with an option: `-w 4` in one word works, `--workers 4` does not.
    """
    if len(text) < 2 or text[0] != "-" or _NUMBER.fullmatch(text):  # noqa: PLR2004 - a lone dash is a file
        return False
    if " " not in text:
        return True
    flag, equals, _ = text.partition("=")
    if text.startswith("--"):
        return bool(equals) and find_option(flag)[0] is not None
    return text[:2] in BY_FLAG
