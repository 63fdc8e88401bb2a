"""Which server a command starts, behind the wrappers that people put before it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from hardenctl.formats.shell.values import Value
from hardenctl.formats.shell.words import Word
from hardenctl.model.record import record

SERVERS = ("gunicorn", "uvicorn", "hypercorn", "granian", "fastapi", "flask", "uwsgi", "runserver")

Argv = Sequence[tuple[Word, Value]]

# Programs that take a command as their arguments and start it, and how many words of their own come before it.
_WRAPPERS = {
    **dict.fromkeys(
        ("exec", "time", "nohup", "command", "eval", "setsid", "ddtrace-run", "opentelemetry-instrument", "winpty"), 0
    ),
    **dict.fromkeys(("gosu", "su-exec", "timeout", "newrelic-admin"), 1),
    **dict.fromkeys(("dumb-init", "tini", "catatonit", "sudo", "nice", "env", "stdbuf", "splunk-py-trace"), 0),
}
_RUNNERS = frozenset(("poetry", "pipenv", "pdm", "uv", "hatch", "rye", "pixi", "conda", "micromamba"))
_VALUED = frozenset(
    ("-u", "-n", "--name", "-g", "-E", "--with", "--extra", "--group", "--project", "--directory", "-p")
)
_VALUED |= frozenset(("--env-file", "--package", "--python", "--prefix"))
# Commands that only talk about a server.
_OTHERS = frozenset(
    (
        *("pip", "pip3", "apt", "apt-get", "apk", "yum", "dnf", "brew", "npm", "yarn", "pipx", "git", "docker"),
        *("echo", "printf", "which", "type", "kill", "pkill", "killall", "pgrep", "ps", "grep", "egrep", "awk", "sed"),
        *("rm", "cp", "mv", "mkdir", "chown", "chmod", "cat", "ln", "touch", "tee", "test", "[", "[[", "sleep", "curl"),
        *("wget", "logger", "systemctl", "service", "supervisorctl", "cd", "source", ".", "alias", "trap", "return"),
        *("exit", "set", "unset", "read", "shift", "find", "install", "tar", "journalctl", "tail", "head", "less"),
        *(
            "celery",
            "pytest",
            "mypy",
            "ruff",
            "python -c",
            "log",
            "info",
            "error",
            "warn",
            "help",
            "adduser",
            "useradd",
        ),
    )
)
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
# Django's own command, and what projects that install one call it: `nautobot-server`, `shop-manage`.
_MANAGE = re.compile(r"(?:[\w-]+[-_])?(?:manage|admin|server)(?:\.py)?")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def mentions_server(text: str) -> bool:
    """Whether a text can hold a launch line. One search a word is 20 times faster here than a pattern of them all."""
    return any(map(text.__contains__, SERVERS))


@record
class Program:
    """A server found in a command: its name, and the index of the first word that is an argument of its own."""

    server: str
    first: int  # the word that names the server
    arguments: int  # the first word after it (and after its subcommand)


def find_program(argv: Argv) -> Program | None:
    """The server that a command starts; None where it starts none."""
    at = 0
    for _ in range(12):  # wrappers around wrappers
        if at >= len(argv):
            return None
        found = _server(argv, at)
        if found:
            return found
        following = _past_wrapper(argv, at)
        if following is None:
            return None
        at = following
    return None


def _python_target(words: Sequence[str | None]) -> str | None:
    """What `python FILE` or `python -m MODULE` starts: a path, or `-m NAME`. `words` follow the interpreter's name."""
    at = 0
    while at < len(words):
        text = words[at]
        if text is None or text == "-c":
            return None
        if text == "-m":
            following = words[at + 1] if at + 1 < len(words) else None
            return f"-m {following}" if following else None
        if not text.startswith("-"):
            return text if text.endswith(".py") or posixpath.basename(text) == text else None
        at += 2 if text in {"-W", "-X"} else 1
    return None


def find_python(argv: Argv, scripts: Mapping[str, str]) -> str | None:
    """The Python program that a command starts, behind wrappers: a path, `-m NAME`, or `MODULE:FUNCTION`.

    `scripts` are the commands that the project itself installs. None where it starts no program.
    """
    for index, (word, value) in enumerate(argv):
        if _PYTHON.fullmatch(name(value, word)):
            return _python_target([each.text for _, each in argv[index + 1 :]])
        if name(value, word) in _OTHERS:
            return None
        if value.text is not None and posixpath.basename(value.text) in scripts:
            return scripts[posixpath.basename(value.text)]
    return None


def find_handed(argv: Argv, handed: Mapping[str, Mapping[str, str]]) -> Program | None:
    """The server behind a subcommand of a command that the project installs: `shop server start app:app`."""
    words = [posixpath.basename(text) for text in _texts(argv)] if handed else []
    first = next((at for at, word in enumerate(words) if word in handed), None)
    if first is None:
        return None
    servers = handed[words[first]]
    at = next((at for at, word in enumerate(words) if at > first and word in servers), None)
    return None if at is None else Program(servers[words[at]], first, at + 1)


def shell_argument(argv: Argv) -> Word | None:
    """The script of `sh -c SCRIPT`, wrappers before it allowed, or the one that `tmux new-session` runs."""
    if argv and name(argv[0][1], argv[0][0]) == "tmux" and any(text in _WINDOWS for text in _texts(argv[1:3])):
        return argv[-1][0] if " " in (argv[-1][1].text or "") else None
    for index, (_, value) in enumerate(argv[:-1]):
        if posixpath.basename(value.text or "") in ("sh", "bash", "ash", "dash", "zsh"):
            for offset, (_, option) in enumerate(argv[index + 1 :], index + 1):
                text = option.text or ""
                if text.startswith("-") and not text.startswith("--") and "c" in text and offset + 1 < len(argv):
                    return argv[offset + 1][0]
                if not text.startswith("-"):
                    return None
    return None


_WINDOWS = frozenset(("new-session", "new", "new-window", "neww", "send-keys"))
_NEAR = 8  # words after a program's name in which its subcommand stands


def _texts(argv: Argv) -> list[str]:
    return [value.text or "" for _, value in argv]


def name(value: Value, word: Word) -> str:
    """The base name of a program; of `${VENV}/bin/gunicorn` too."""
    text = value.text if value.text is not None else word.source
    return posixpath.basename(text)


def _server(argv: Argv, at: int) -> Program | None:
    program = name(argv[at][1], argv[at][0]).removeprefix("-m")  # `python -mgunicorn`
    if program in ("gunicorn", "uvicorn", "hypercorn", "granian", "uwsgi"):
        return Program(program, at, at + 1)
    rest = [value.text or "" for _, value in argv[at + 1 : at + 1 + _NEAR]]  # not all: asked at each of many words
    if program == "fastapi" and (sub := _subcommand(rest, ("run", "dev"))) is not None:
        return Program(f"fastapi {rest[sub]}", at, at + 2 + sub)
    if program == "flask" and (sub := _subcommand(rest, ("run",))) is not None:
        return Program("flask run", at, at + 2 + sub)
    if _MANAGE.fullmatch(program) and (sub := _subcommand(rest, ("runserver", "runserver_plus"))) is not None:
        return Program("manage.py runserver", at, at + 2 + sub)
    return None


def _subcommand(rest: list[str], names: tuple[str, ...]) -> int | None:
    """The index of a subcommand that only options and their values come before."""
    for index, text in enumerate(rest):
        if text in names:
            return index
        if not text.startswith("-") and not (index and rest[index - 1].startswith("-")):
            return None
    return None


def _past_wrapper(argv: Argv, at: int) -> int | None:  # noqa: PLR0911 - a table in prose
    word, value = argv[at]
    if value.text is None and word.source in ("$@", '"$@"'):
        return None
    program = name(value, word)
    if _ASSIGNMENT.match(word.source) or program in ("!", "&&", ";", "then", "--"):
        return at + 1
    if program in _OTHERS:
        return None
    if program in _WRAPPERS:
        return _past_options(argv, at + 1, _WRAPPERS[program])
    if program in _RUNNERS:
        rest = [each.text or "" for _, each in argv[at + 1 :]]
        run = next((index for index, text in enumerate(rest) if text == "run"), None)
        return None if run is None else _past_options(argv, at + 2 + run, 0)
    if _PYTHON.fullmatch(program):
        return _past_python(argv, at + 1)
    for index in range(at + 1, len(argv)):
        if argv[index][1].text == "--":
            return index + 1
    return _by_name(argv, at + 1)


def _past_options(argv: Argv, at: int, own: int) -> int:
    while at < len(argv) and (argv[at][1].text or "").startswith("-"):
        text = argv[at][1].text
        at += 2 if text in _VALUED else 1
        if text == "--":
            break
    return at + own


def _past_python(argv: Argv, at: int) -> int | None:
    while at < len(argv):
        text = argv[at][1].text or ""
        if text == "-m":
            return at + 1
        if text.startswith("-m") and len(text) > 2:  # noqa: PLR2004 - `-mgunicorn` in one word
            return at
        if text == "-c":
            return None
        if not text.startswith("-"):
            return at
        at += 2 if text in ("-W", "-X") else 1
    return None


def _by_name(argv: Argv, at: int) -> int | None:
    """Behind a wrapper nobody knows: the first word that is a server's name."""
    for index in range(at, len(argv)):
        if name(argv[index][1], argv[index][0]) in ("gunicorn", "uvicorn", "hypercorn", "granian", "uwsgi"):
            return index if index + 1 < len(argv) else None
        if _server(argv, index):
            return index
    return None
