"""Launch lines of Terraform files (containers' commands, start-up scripts) and of Vagrantfiles.

Neither is parsed as a language of its own: a container's command is a list of strings or one string under a name that
says so, in HCL, in `jsonencode` and in JSON inside a here-document alike; a start-up script is a here-document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.launch.find import Setting, launches_in_argv, launches_in_script
from hardenctl.formats.launch.model import Launch
from hardenctl.formats.shell.values import resolve_words
from hardenctl.formats.shell.words import compose_word
from hardenctl.formats.strand import Strand
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import replace
from hardenctl.model.text import Span

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_SKIPPED = r"(?:\s|,|#[^\n]*|//[^\n]*)*"
_COMMAND = lazy_pattern(
    rf"""\w*(?:command|entry_?point|args)\w*"?[ \t]*[=:][ \t]*"""
    rf"""(?:\[(?P<list>{_SKIPPED}(?:{_STRING}{_SKIPPED})+)\]|"(?P<text>(?:[^"\\\n]|\\.)*)")""",
    re.IGNORECASE,
)
_ITEM = lazy_pattern(_STRING)
_HEREDOC = lazy_pattern(r"""<<[-~]?["']?(\w+)["']?[^\n]*\n(.*?)^[ \t]*\1\b""", re.DOTALL | re.MULTILINE)
_INLINE = lazy_pattern(r'\binline(?::|[ \t]*=>)[ \t]*"((?:[^"\\]|\\.)*)"')
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def terraform_launches(text: str, setting: Setting) -> Iterator[Launch]:
    """The containers' commands and start-up scripts of an HCL file."""
    yield from _scripts(text, setting)
    container = replace(setting, container=True)
    for match in _COMMAND.finditer(text):
        if match["list"] is None:
            yield from launches_in_script(_unescaped(setting.path, text, *match.span("text")), container)
            continue
        items = [
            (_unescaped(setting.path, text, item.start() + 1, item.end() - 1), Span(setting.path, *item.span()))
            for item in _ITEM.finditer(text, *match.span("list"))
        ]
        if len(items) == 1 and " " in items[0][0].text:  # the script of an entry point that is a shell
            yield from launches_in_script(items[0][0], container)
            continue
        argv = resolve_words([compose_word(strand, span) for strand, span in items], {})
        span = Span(setting.path, items[0][1].start, items[-1][1].end)
        yield from launches_in_argv(argv, container, span, literal=True)


def vagrant_launches(text: str, setting: Setting) -> Iterator[Launch]:
    """What the provisioning scripts of a Vagrantfile start: in a developer's virtual machine."""
    own = replace(setting, development=True)
    yield from _scripts(text, own)
    for match in _INLINE.finditer(text):
        yield from launches_in_script(_unescaped(setting.path, text, *match.span(1)), own)


def _scripts(text: str, setting: Setting) -> Iterator[Launch]:
    for match in _HEREDOC.finditer(text):
        if not match[2].lstrip().startswith(("{", "[")):  # JSON, whose commands are looked for by name
            yield from launches_in_script(Strand.of(setting.path, text, *match.span(2)), setting)


def _unescaped(path: str, text: str, start: int, end: int) -> Strand:
    """The content of a quoted string, whose `${...}` the shell's reader takes for a variable nobody knows."""
    pieces, places, at = [], [], start
    while at < end:
        escape = text[at] == "\\" or text.startswith("$${", at)
        places.append(at)
        if escape and at + 1 < end:
            following = text[at + 1]
            pieces.append(_ESCAPED.get(following, following))
            at += 2
        else:
            pieces.append(text[at])
            at += 1
    return Strand(path, "".join(pieces), [*places, end])
