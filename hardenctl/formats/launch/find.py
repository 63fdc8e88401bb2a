"""Commands into launch lines: `sh -c` opened, scripts read command by command, wrappers seen through."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from hardenctl.formats.compose import Service
from hardenctl.formats.dockerfile import Stage
from hardenctl.formats.launch.model import Launch
from hardenctl.formats.launch.program import Argv, find_handed, find_program, find_python, shell_argument
from hardenctl.formats.shell.script import parse_commands
from hardenctl.formats.shell.values import Scope, Value, resolve, resolve_words
from hardenctl.formats.shell.words import Word, split_words
from hardenctl.formats.strand import Strand
from hardenctl.model.record import field, record, replace
from hardenctl.model.text import Span

_DEVELOPMENT = re.compile(
    r"(?i)(?<![a-z])(?:debug\w*|dev|devel|development|local|reload|watch|tests?|testing)(?![a-z])"
)
_PRODUCTION = re.compile(r"(?i)(?<![a-z])(?:prod|production|staging|release|live)(?![a-z])")


@record(slots=False)
class Setting:
    """What surrounds a command: the environment it starts in, where its relative paths lie, what it belongs to."""

    kind: str
    path: str
    scope: Scope = field(default_factory=dict)
    folders: tuple[str, ...] = ("",)
    home: str | None = None  # as in a Launch
    container: bool = False
    development: bool = False
    service: Service | None = None
    image: tuple[Stage, str] | None = None  # the build stage and the folder it is built from
    doubtful: bool = False  # perhaps for development only, though no name says so
    cpus: float | None = None  # the limit of the container
    memory: int | None = None  # bytes, as above
    read_only: bool = False  # the root file system
    # Python programs that are started, as they are found: a path or `-m NAME`, and what starts each.
    programs: dict[str, Setting] | None = None
    commands: Mapping[str, str] = field(default_factory=dict)  # that the project installs, as MODULE:FUNCTION
    handed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # servers that those have as subcommands


def launches_in_script(content: Strand, setting: Setting) -> Iterator[Launch]:
    """The launch lines of a shell text."""
    folders, home = setting.folders, setting.home
    for command in parse_commands(content, setting.scope):
        program = command.words[0].literal
        if program == "cd":
            target = command.words[1].literal if len(command.words) == 2 else None  # noqa: PLR2004 - cd FOLDER
            if target:
                folders = tuple(relative(posixpath.join(folder, target)) for folder in folders)
            # Which part of an image a folder is filled from hangs on more than its name.
            plain = target and home is not None and not setting.container
            home = relative(posixpath.join(home or "", target or "")) if plain else None
            continue
        words = list(
            command.words[2:]
            if program == "set" and command.words[1:2] and command.words[1].literal == "--"
            else command.words
        )
        development = setting.development or any(map(is_development_test, command.conditions))
        inner = replace(setting, scope=command.scope, folders=folders, home=home, development=development)
        argv = resolve_words(words, command.scope)
        for each in _evaluated(argv[1:], command.scope) if program == "eval" else (argv,):
            yield from launches_in_argv(each, inner, command.span, conditional=bool(command.conditions))


def _evaluated(argv: Argv, scope: Scope) -> Iterator[Argv]:
    """The commands that `eval` makes of its arguments: a text of a variable is read anew, as part of its word."""
    command: list[tuple[Word, Value]] = []
    for word, value in argv:
        text = (value.expression or "").strip("\"'") if value.text is None else value.text
        for token in split_words(Strand("", text, range(len(text) + 1))):
            if isinstance(token, Word):
                piece = resolve(token, scope)
                loose = piece.configurable or value.configurable
                command.append((word, replace(piece, configurable=loose, span=piece.span or value.span)))
            else:
                yield command
                command = []
    yield command


def launches_in_argv(
    argv: Argv, setting: Setting, span: Span, *, literal: bool = False, conditional: bool = False
) -> Iterator[Launch]:
    """The launch line of one command, or those of the script it hands to a shell."""
    script = shell_argument(argv)
    if script is not None:
        yield from launches_in_script(script.content, setting)
        return
    program = find_program(argv) or find_handed(argv, setting.handed)
    if program is None:
        target = find_python(argv, setting.commands)
        if target is not None and setting.programs is not None:
            _note(setting.programs, target, replace(setting, doubtful=setting.doubtful or conditional))
        return
    yield Launch(
        path=setting.path,
        span=span,
        server=program.server,
        words=tuple(argv[program.first :]),
        arguments=program.arguments - program.first,
        scope=setting.scope,
        folders=setting.folders,
        home=setting.home,
        kind=setting.kind,
        literal=literal,
        container=setting.container,
        development=setting.development,
        service=setting.service,
        image=setting.image,
        doubtful=setting.doubtful or conditional,
        cpus=setting.cpus,
        memory=setting.memory,
        read_only=setting.read_only,
    )


def _note(programs: dict[str, Setting], target: str, setting: Setting) -> None:
    """Remember what starts a program, production rather than development."""
    known = programs.get(target)
    if known is None or (known.development, known.doubtful) > (setting.development, setting.doubtful):
        programs[target] = setting


def relative(path: str) -> str:
    """A path below the audited root; empty for the root itself."""
    clean = posixpath.normpath(path)
    return "" if clean == "." else clean


def is_development_test(condition: str) -> bool:
    """Whether a test lets its command run in development alone."""
    negated = condition.startswith("else") != ("!=" in condition or " -z " in condition)
    return bool((_PRODUCTION if negated else _DEVELOPMENT).search(condition))
