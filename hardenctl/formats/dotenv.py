"""Env files: which files are, what they hold, and where.

python-dotenv decides what a key and its value are; here they get positions. A line it cannot parse is kept as a
broken entry, since Docker's `--env-file` and the shell read such lines too.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from hardenctl.model.address import past_path
from hardenctl.model.text import Lines, Span

_EXAMPLES = frozenset(
    """
    example examples exemple sample samples template templates tmpl tpl dist defaults default skeleton blank copy
    """.split()  # noqa: SIM905 - one word a line is no easier to read
)
# What a file is instead, by its last suffix: code, documents, other configuration, encrypted.
_OTHER = frozenset(
    """
    js jsx ts tsx mjs cjs py pyc pyi rb php go rs java kt cs sh bash zsh fish ps1 bat md rst html css json json5
    yml yaml toml xml lock j2 jinja jinja2 erb vault keys enc gpg asc age sops swp svg png patch diff
    """.split()  # noqa: SIM905 - as above
)
_ENVIRONMENTS = {
    "production": "production prod prd live",
    "staging": "staging stage stg preprod uat qa preview",
    "development": "development develop dev devel devcontainer local localhost",
    "test": "test tests testing ci e2e pytest integration",
}
_WORDS = {word: name for name, words in _ENVIRONMENTS.items() for word in words.split()}
_SEPARATOR = re.compile(r"[._-]+")
_ENTRY = re.compile(
    r"""\s*(?P<export>export[^\S\r\n]+)?(?:'(?P<quoted>[^']+)'|(?P<key>[^=\#\s]+))[^\S\r\n]*
        (?P<sign>=[^\S\r\n]*)?""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"""'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)\"""", re.DOTALL)
_BARE = re.compile(r"[^\r\n]*?(?=\s+#|\s*(?:[\r\n]|\Z))")
_COMMENTED = re.compile(r"^[^\S\r\n]*#[^\S\r\n]*(?:export[^\S\r\n]+)?([A-Za-z_]\w*)[^\S\r\n]*=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One assignment. `value` is None for a key without `=`; `value_span` is what stands between the quotes.

    `broken` entries are lines that python-dotenv passes over.
    """

    key: str
    value: str | None
    key_span: Span
    value_span: Span
    line: int
    quote: str = ""
    export: bool = False
    comment: str = ""
    broken: bool = False


@dataclass(frozen=True)
class Dotenv:
    """A parsed env file. `path` is its address, `name` the path people know; they differ for a past version only."""

    path: str
    text: str
    entries: tuple[Entry, ...]

    @cached_property
    def name(self) -> str:
        """The path, without the address of a past version."""
        return past_path(self.path) or self.path

    @property
    def is_past(self) -> bool:
        """Whether this is a version that only history holds."""
        return self.name != self.path

    @property
    def is_example(self) -> bool:
        """Whether the file is a template for others, by name."""
        return is_example(self.name)

    @property
    def environment(self) -> str | None:
        """The environment it configures: `production`, `staging`, `development`, `test`; None where it doesn't say."""
        return environment_of(self.name)

    @cached_property
    def values(self) -> dict[str, str | None]:
        """Key to value as an application sees them: the last one wins."""
        return {entry.key: entry.value for entry in self.entries if not entry.broken}

    @cached_property
    def documented(self) -> frozenset[str]:
        """All keys the file names, those in commented-out lines too."""
        return frozenset((*(entry.key for entry in self.entries), *_COMMENTED.findall(self.text)))


def parse_dotenv(path: str, text: str) -> Dotenv:
    """The env file of a text. Never fails: what cannot be parsed is a broken entry, or nothing."""
    from dotenv.parser import parse_stream

    entries, lines = [], Lines(text)
    position = len(text) - len(text.removeprefix("\ufeff"))
    for binding in parse_stream(io.StringIO(text)):
        original = binding.original.string
        if binding.key is not None or binding.error:
            entry = _entry(path, original, position, lines, binding.value, broken=binding.error)
            if entry:
                entries.append(entry)
        position += len(original)
    return Dotenv(path, text, tuple(entries))


def _entry(path: str, original: str, position: int, lines: Lines, value: str | None, *, broken: bool) -> Entry | None:
    match = _ENTRY.match(original)
    if not match or (broken and not match["sign"]):
        return None
    group = "key" if match["key"] is not None else "quoted"
    start, end = match.span(group)
    first, last, quote, rest = match.end(), match.end(), "", original[match.end() :]
    if match["sign"] and not (len(match["sign"]) > 1 and rest.startswith("#")):
        quoted = None if broken else _QUOTED.match(original, match.end())
        if quoted:
            first, last = quoted.span("single" if quoted["single"] is not None else "double")
            quote, rest = original[match.end()], original[quoted.end() :]
        elif bare := _BARE.match(original, match.end()):
            first, last = bare.span()
            rest = original[last:]
    return Entry(
        key=match[group],
        value=original[first:last] if broken else value,
        key_span=Span(path, position + start, position + end),
        value_span=Span(path, position + first, position + last),
        line=lines.position(position + start).line,
        quote=quote,
        export=bool(match["export"]),
        comment=rest.strip().removeprefix("#").strip() if rest.strip().startswith("#") else "",
        broken=broken,
    )


@lru_cache(maxsize=4096)
def is_env_file(path: str) -> bool:
    """Whether a path is an env file's by name: `.env`, `.env.*`, `*.env`, examples, and all in an `.envs` folder.

    `.envrc` is a shell script, and `.env.vault`, `.env.enc` and the like are encrypted: they are none.
    """
    folder, _, name = (past_path(path) or path).rpartition("/")
    name = name.lower().rstrip("~")
    words = _words(name)
    if not words or words[-1] in _OTHER:
        return False
    if name == ".env" or name.startswith((".env.", ".env-", ".env_")) or name.endswith(".env"):
        return True
    if {"env", "dotenv"}.intersection(words):
        return bool(_EXAMPLES.intersection(words)) and len(words) <= 3  # noqa: PLR2004 - env, an environment, example
    return ".envs" in folder.split("/") and name.startswith(".")


@lru_cache(maxsize=4096)
def is_example(path: str) -> bool:
    """Whether an env file is a template by its name: `.env.example`, `sample.env`, `.env.prod.dist`.

    So is what lies in a folder with a template's name, `{{cookiecutter.slug}}/.env`.
    """
    path = past_path(path) or path
    return "{{" in path or bool(_EXAMPLES.intersection(_words(path.rpartition("/")[2].lower())))


@lru_cache(maxsize=4096)
def environment_of(path: str) -> str | None:
    """The environment in an env file's name or in its nearest folders: `.env.prod`, `.envs/.production/.django`."""
    *folders, name = (past_path(path) or path).lower().split("/")
    for part in (name, *reversed(folders[-2:])):
        for word in _words(part):
            if word in _WORDS:
                return _WORDS[word]
    return None


def _words(name: str) -> list[str]:
    return [word for word in _SEPARATOR.split(name) if word]
