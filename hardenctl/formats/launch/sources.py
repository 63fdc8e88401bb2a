"""The files a launch line stands in besides Dockerfiles and compose files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.compose import is_development, is_production
from hardenctl.formats.launch.find import Setting, launches_in_argv, launches_in_script
from hardenctl.formats.launch.model import Launch
from hardenctl.formats.launch.program import mentions_server
from hardenctl.formats.launch.terraform import terraform_launches, vagrant_launches
from hardenctl.formats.shell.values import Value, resolve_words
from hardenctl.formats.shell.words import Dialect, Word, split_words
from hardenctl.formats.strand import Strand
from hardenctl.formats.yaml import Mapping, Scalar, load_yaml, walk
from hardenctl.model.errors import DocumentError
from hardenctl.model.record import replace
from hardenctl.model.text import Span

_COMMANDS = {
    "procfile": re.compile(r"^[\w-]+[ \t]*:[ \t]*(.+)$", re.MULTILINE),
    "systemd": re.compile(r"^ExecStart[ \t]*=[ \t]*[-@:+!|]*((?:.*\\\r?\n)*.*)$", re.MULTILINE),
    "supervisor": re.compile(r"^command[ \t]*=[ \t]*((?:.*\\\r?\n)*.*(?:\n[ \t]+\S.*)*)$", re.MULTILINE),
    "platform": re.compile(
        r"""^[ \t"'-]*(?:startCommand|start_command|start-command|run_command|entrypoint|cmd|web|app|start)["']?"""
        r"""[ \t]*[:=][ \t]*["']?(.*?)["']?,?[ \t]*$""",
        re.MULTILINE,
    ),
}
_DIALECTS = {"systemd": Dialect.COMPOSE, "supervisor": Dialect.SUPERVISOR}
_ENVIRONMENT = re.compile(r"^Environment[ \t]*=[ \t]*((?:.*\\\r?\n)*.*)$", re.MULTILINE)
_ASSIGNMENT = re.compile(
    r"""(?<![^\s=])(?:"\w+=(?P<double>[^"\n]*)"|'\w+=(?P<single>[^'\n]*)'|\w+="(?P<inner>[^"\n]*)"|"""
    r"""\w+=(?P<bare>[^\s"']*))(?=\s|$)"""
)
_RECIPE = re.compile(r"^([\w./-]+)[ \t]*:(?!=)[^\n]*\n((?:(?:\t.*|[ \t]*#.*|[ \t]*)(?:\n|\Z))+)", re.MULTILINE)


def file_launches(kind: str, text: str, setting: Setting) -> Iterator[Launch]:
    """The launch lines of a file of that kind."""
    path = setting.path
    if kind == "systemd":
        setting = replace(setting, scope={**setting.scope, **_unit_environment(path, text)})
    if kind in _COMMANDS:
        for match in _COMMANDS[kind].finditer(text):
            content = Strand.of(path, text, *match.span(1))
            if kind in _DIALECTS:
                yield from _without_shell(content, _DIALECTS[kind], setting)
            else:
                yield from launches_in_script(content, setting)
    elif kind == "makefile":
        yield from _makefile(text, setting)
    elif kind == "terraform":
        yield from terraform_launches(text, setting)
    elif kind == "workflow":
        yield from _workflow(text, replace(setting, development=True))
    elif kind == "vagrant":
        yield from vagrant_launches(text, setting)
    elif kind == "script" or text.startswith("#!"):
        yield from launches_in_script(Strand.of(path, text), setting)


def _without_shell(content: Strand, dialect: Dialect, setting: Setting) -> Iterator[Launch]:
    """The command that a supervisor starts by itself: brackets and semicolons are characters like any other."""
    words = [each for each in split_words(content, dialect) if isinstance(each, Word)]
    if words:
        span = Span(setting.path, words[0].span.start, words[-1].span.end)
        yield from launches_in_argv(resolve_words(words, setting.scope), setting, span)


def _unit_environment(path: str, text: str) -> dict[str, Value]:
    """`Environment=` of a unit: one or several assignments, each perhaps in quotes; a drop-in can change them."""
    found: dict[str, Value] = {}
    for line in _ENVIRONMENT.finditer(text):
        for match in _ASSIGNMENT.finditer(text, *line.span(1)):
            group = next(name for name in ("double", "single", "inner", "bare") if match[name] is not None)
            name, _, _ = match[0].strip("'\"").partition("=")
            found[name] = Value(match[group], configurable=True, span=Span(path, *match.span(group)))
    return found


def _workflow(text: str, setting: Setting) -> Iterator[Launch]:
    """What the steps of a GitHub workflow start, on a machine that is thrown away."""
    try:
        documents = load_yaml(text, setting.path)
    except DocumentError:
        return  # said where workflows are looked at for their own sake
    for node in (each for document in documents for each in walk(document)):
        script = node.get("run") if isinstance(node, Mapping) else None
        if isinstance(script, Scalar) and mentions_server(script.text):
            yield from launches_in_script(script.strand, setting)


def _makefile(text: str, setting: Setting) -> Iterator[Launch]:
    """A recipe runs on a developer's machine, unless its target says production."""
    for match in _RECIPE.finditer(text):
        target = match[1]
        own = Setting(
            setting.kind,
            setting.path,
            setting.scope,
            setting.folders,
            setting.home,
            development=is_development(setting.path) or not is_production(target) or is_development(target),
            programs=setting.programs,
            commands=setting.commands,
            handed=setting.handed,
        )
        content = Strand.of(setting.path, text, *match.span(2))
        pieces, places = [], []
        for index, char in enumerate(content.text):
            if char == "$" and content.text[index : index + 2] == "$$":
                continue  # make's own escape of a dollar
            pieces.append(" " if char == "@" and content.text[index - 1 : index] == "\t" else char)
            places.append(content.places[index])
        yield from launches_in_script(Strand(setting.path, "".join(pieces), [*places, content.places[-1]]), own)
