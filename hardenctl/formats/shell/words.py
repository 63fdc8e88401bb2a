"""A shell text into words and operators, quotes taken off, with every expansion still to be seen.

The dialects: a POSIX shell; Compose, which puts variables in and then splits at blanks, with no shell at all, and so
does systemd; supervisord, which splits so and writes its variables `%(ENV_NAME)s`; and literal, the exec form of a
Dockerfile, where `$` means nothing.
"""

from __future__ import annotations

import enum
import functools
import re

from hardenctl.formats.strand import Strand
from hardenctl.model.record import record
from hardenctl.model.text import Span

_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?!$-]")
_BRACED = re.compile(r"([A-Za-z_]\w*|[0-9@*#?!-]+)(?:(:?[-=+?])(.*))?", re.DOTALL)
_SUPERVISED = re.compile(r"%\((?:ENV_)?(\w+)\)[sd]")
_OPERATOR = re.compile(r"&&|\|\||;;|\|&|&>>?|[0-9]*(?:<<<|<<-?|>>|>&|<&|>\||<>|[<>])|[;&|()\n]")
_HEREDOC = re.compile(r"[ \t]*(['\"]?)([A-Za-z_]\w*)\1")


class Dialect(enum.Enum):
    """Whose rules a text follows."""

    SHELL = "shell"
    COMPOSE = "compose"
    SUPERVISOR = "supervisor"
    LITERAL = "literal"


@record
class Expansion:
    """`$NAME`, `${NAME:-word}` or `$(command)`. `text` is its source; `name` is None for a command or arithmetic."""

    text: str
    name: str | None
    operator: str = ""
    word: str = ""
    quoted: bool = False


Part = str | Expansion


@record(slots=False, eq=False)
class Word:
    """A word. `content` is what is between and beside the quotes, expansions as they are written."""

    span: Span
    parts: tuple[Part, ...]
    content: Strand

    @property
    def literal(self) -> str | None:
        """The text, where nothing in it is expanded."""
        return "".join(map(str, self.parts)) if not any(isinstance(part, Expansion) for part in self.parts) else None

    @property
    def inner(self) -> Span:
        """What to replace to change the content and keep the quotes around it."""
        whole = self.content.whole
        return whole if whole.end - whole.start == len(self.content.text) > 0 else self.span

    @property
    def source(self) -> str:
        """The text with expansions as they are written."""
        return self.content.text


@record
class Operator:
    """`;`, `&&`, a line break (as `;`), a redirection."""

    text: str
    span: Span


Token = Word | Operator


def literal_word(content: Strand) -> Word:
    """A string that no shell looks at, as one word."""
    return Word(content.whole, (content.text,) if content.text else (), content)


def compose_word(content: Strand, span: Span | None = None) -> Word:
    """An item of a Compose list: variables are put in, nothing is split. `span` covers its quotes too."""
    lexer = _Lexer(content, Dialect.COMPOSE)
    while lexer.at < len(content.text):
        lexer.character_or_expansion(quoted=True)
    word = lexer.word(0)
    return Word(span or word.span, word.parts, word.content)


def split_words(content: Strand, dialect: Dialect = Dialect.SHELL) -> list[Token]:
    """The words and operators of a text; in the Compose dialect there are no operators."""
    return _Lexer(content, dialect).tokens()


class _Lexer:
    def __init__(self, content: Strand, dialect: Dialect) -> None:
        self.content, self.text, self.dialect = content, content.text, dialect
        self.at = 0
        self.found: list[Token] = []
        self.heredocs: list[tuple[str, bool]] = []
        self.reset()

    def reset(self) -> None:
        self.parts: list[Part] = []
        self.kept: list[int] = []  # indices of `text` that are part of the word's content

    def tokens(self) -> list[Token]:
        text, shell = self.text, self.dialect is Dialect.SHELL
        while self.at < len(text):
            char = text[self.at]
            if char in " \t\r" or (char == "\n" and not shell):
                self.at += 1
            elif char == "\\" and text[self.at + 1 : self.at + 2] in ("\n", "\r"):
                self.at += 3 if text[self.at + 1 : self.at + 3] == "\r\n" else 2
            elif char == "#" and shell:
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            elif shell and (match := _OPERATOR.match(text, self.at)):
                self.operator(match)
            else:
                start = self.at
                self.read_word()
                self.found.append(self.word(start))
        return self.found

    def operator(self, match: re.Match[str]) -> None:
        self.at = match.end()
        symbol = match[0].lstrip("0123456789")
        span = self.content.span(*match.span())
        if symbol in ("<<", "<<-"):
            name = _HEREDOC.match(self.text, self.at)
            if name:
                self.heredocs.append((name[2], symbol == "<<-"))
                self.at = name.end()
            return
        if symbol == "\n":
            for name_, dashed in self.heredocs:
                self.skip_heredoc(name_, dashed=dashed)
            self.heredocs.clear()
            symbol = ";"
        self.found.append(Operator(symbol, span))

    def skip_heredoc(self, name: str, *, dashed: bool) -> None:
        tabs = r"\t*" if dashed else ""
        end = re.compile(rf"^{tabs}{name}\r?$", re.MULTILINE).search(self.text, self.at)
        if end:
            self.at = min(end.end() + 1, len(self.text))

    def read_word(self) -> None:
        text, shell = self.text, self.dialect is Dialect.SHELL
        while self.at < len(text):
            char = text[self.at]
            if char.isspace() or (shell and char in ";&|()<>"):
                return
            if char == "'":
                self.single_quoted()
            elif char == '"':
                self.double_quoted()
            elif char == "\\":
                if text[self.at + 1 : self.at + 2] in ("\n", ""):
                    self.at += 2
                else:
                    self.keep(self.at + 1)
                    self.at += 2
            else:
                self.character_or_expansion(quoted=False)

    def single_quoted(self) -> None:
        end = self.text.find("'", self.at + 1)
        end = len(self.text) if end < 0 else end
        self.at += 1
        while self.at < end:
            if self.dialect is Dialect.COMPOSE:
                self.character_or_expansion(quoted=True)
            else:
                self.keep(self.at)
                self.at += 1
        self.at = end + 1

    def double_quoted(self) -> None:
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            if self.text[self.at] == "\\" and self.text[self.at + 1 : self.at + 2] in tuple('"\\$`\n'):
                if self.text[self.at + 1] != "\n":
                    self.keep(self.at + 1)
                self.at += 2
            else:
                self.character_or_expansion(quoted=True)
        self.at += 1

    def character_or_expansion(self, *, quoted: bool) -> None:
        char = self.text[self.at]
        if self.dialect is Dialect.COMPOSE and self.text.startswith("$$", self.at):
            self.keep(self.at)
            self.at += 2
            return
        end = self.expansion_end() if char in ("%" if self.dialect is Dialect.SUPERVISOR else "$`") else None
        if end is None:
            self.keep(self.at)
            self.at += 1
            return
        self.parts.append(self.expansion(self.text[self.at : end], quoted=quoted))
        self.kept.extend(range(self.at, end))
        self.at = end

    def expansion_end(self) -> int | None:
        """Where the expansion that begins here ends; None where it is a plain character."""
        text, at = self.text, self.at
        shell = self.dialect is Dialect.SHELL
        if text[at] == "%":
            match = _SUPERVISED.match(text, at)
            return match.end() if match else None
        if text[at] == "`":
            end = text.find("`", at + 1)
            return end + 1 if shell and end > 0 else None
        follows = text[at + 1 : at + 2]
        if follows == "{":
            return _balanced(text, at + 1, "{", "}")
        if follows == "(" and shell:
            return _balanced(text, at + 1, "(", ")")
        name = _NAME.match(text, at + 1)
        if not name or (not shell and not (name[0][0].isalpha() or name[0][0] == "_")):
            return None
        return name.end()

    def expansion(self, source: str, *, quoted: bool) -> Expansion:
        if source.startswith("%") and (match := _SUPERVISED.fullmatch(source)):
            return Expansion(source, match[1] if source.startswith("%(ENV_") else None, quoted=quoted)
        if source.startswith("${") and (match := _BRACED.fullmatch(source[2:-1])):
            return Expansion(source, match[1], match[2] or "", match[3] or "", quoted)
        if source.startswith(("$(", "`", "${")):
            return Expansion(source, None, quoted=quoted)
        return Expansion(source, source[1:], quoted=quoted)

    def keep(self, index: int) -> None:
        char = self.text[index]
        self.kept.append(index)
        if self.parts and isinstance(self.parts[-1], str):
            self.parts[-1] += char
        else:
            self.parts.append(char)

    def word(self, start: int) -> Word:
        """The word read since `start`."""
        places, text = self.content.places, self.text
        after = places[self.kept[-1]] + 1 if self.kept else places[min(start, len(text))]
        content = Strand(
            self.content.path, "".join(text[i] for i in self.kept), [*(places[i] for i in self.kept), after]
        )
        word = Word(self.content.span(start, min(self.at, len(text))), tuple(self.parts), content)
        self.reset()
        return word


def _balanced(text: str, at: int, opening: str, closing: str) -> int | None:
    """The index after the bracket that closes the one at `at`; None where none does."""
    return _pairs(text, opening, closing).get(at)


@functools.lru_cache(maxsize=4)
def _pairs(text: str, opening: str, closing: str) -> dict[int, int]:
    """Each closed bracket's index to the one after its end, in one pass: nested ones that never end cost no more."""
    pairs: dict[int, int] = {}
    still_open: list[int] = []
    for match in re.finditer(f"[{re.escape(opening + closing)}]", text):
        if match[0] == opening:
            still_open.append(match.start())
        elif still_open:
            pairs[still_open.pop()] = match.end()
    return pairs
