"""The options of the servers that are not gunicorn, as far as a rule or the list of servers wants them.

Names are gunicorn's where the meaning is the same. Sources: `--help` of uvicorn 0.54, hypercorn 0.18, granian 2.6,
fastapi-cli 0.0.14, flask 3.1 and django 6.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hardenctl.formats.effective import COMMAND_LINE, CONFIG_FILE, ENVIRONMENT, Effective
from hardenctl.formats.shell.values import Scope, Value
from hardenctl.formats.shell.words import Word
from hardenctl.model.text import Span

INTEGERS = frozenset(
    ("workers", "threads", "timeout", "timeout_keep_alive", "limit_concurrency", "max_requests", "backlog", "port")
)
_COMMON = {"--reload": "reload", "--debug": "debug"}
_FLAGS: dict[str, dict[str, str]] = {
    "uvicorn": {**_COMMON, "--proxy-headers": "proxy_headers"},
    "hypercorn": _COMMON,
    "granian": _COMMON,
    "fastapi run": {**_COMMON, "--proxy-headers": "proxy_headers"},
    "fastapi dev": _COMMON,
    "flask run": _COMMON,
    "uwsgi": {"--master": "master", "--py-autoreload": "reload"},
}
_UVICORN = {
    "--workers": "workers",
    "--host": "host",
    "--port": "port",
    "--forwarded-allow-ips": "forwarded_allow_ips",
    "--timeout-keep-alive": "timeout_keep_alive",
    "--limit-concurrency": "limit_concurrency",
    "--limit-max-requests": "max_requests",
    "--backlog": "backlog",
    "--uds": "uds",
    "--loop": "loop",
    "--root-path": "root_path",
}
_VALUED: dict[str, dict[str, str]] = {
    "uvicorn": _UVICORN,
    "fastapi run": _UVICORN,
    "fastapi dev": _UVICORN,
    "hypercorn": {
        "-w": "workers",
        "--workers": "workers",
        "-b": "bind",
        "--bind": "bind",
        "-k": "worker_class",
        "--worker-class": "worker_class",
        "--keep-alive": "timeout_keep_alive",
        "--graceful-timeout": "graceful_timeout",
        "--max-requests": "max_requests",
        "--backlog": "backlog",
    },
    "granian": {
        "--workers": "workers",
        "--host": "host",
        "--port": "port",
        "--interface": "interface",
        "--backlog": "backlog",
        "--blocking-threads": "threads",
    },
    "flask run": {"--host": "host", "-h": "host", "--port": "port", "-p": "port"},
    "uwsgi": {
        "--workers": "workers",
        "--processes": "workers",
        "-p": "workers",
        "--threads": "threads",
        "--harakiri": "timeout",
        "--max-requests": "max_requests",
        "--http": "bind",
        "--socket": "bind",
    },
}
_SECTION = re.compile(r"^\[uwsgi\][ \t]*\r?$(?=((?:\n(?!\[).*)*))", re.MULTILINE)
_INI = re.compile(r"^(?P<name>[\w-]+)[ \t]*=[ \t]*(?P<value>[^\r\n;#]*?)[ \t]*(?=[;#\r\n]|\Z)", re.MULTILINE)


def _prefixed(server: str, prefix: str) -> dict[str, str]:
    """Every option as a variable, as click reads them: `UVICORN_RELOAD`."""
    options = {**_VALUED[server], **_FLAGS[server]}
    return {
        prefix + option[2:].replace("-", "_").upper(): name
        for option, name in options.items()
        if option.startswith("--")
    }


_ENVIRONMENT: dict[str, dict[str, str]] = {
    "uvicorn": {
        "WEB_CONCURRENCY": "workers",
        "FORWARDED_ALLOW_IPS": "forwarded_allow_ips",
        **_prefixed("uvicorn", "UVICORN_"),
    },
    "fastapi run": {"WEB_CONCURRENCY": "workers", "FORWARDED_ALLOW_IPS": "forwarded_allow_ips"},
    "granian": _prefixed("granian", "GRANIAN_"),
    "flask run": {**_prefixed("flask run", "FLASK_RUN_"), "FLASK_DEBUG": "debug"},
}


def parse_options(server: str, words: Sequence[tuple[Word, Value]], scope: Scope) -> dict[str, Effective]:
    """What a command line and the environment set. Options that mean nothing to us are passed over."""
    found: dict[str, Effective] = {}
    for variable, name in _ENVIRONMENT.get(server, {}).items():
        known = scope.get(variable)
        if known is not None and known.text:
            found[name] = _effective(name, known, known.span, known.span, ENVIRONMENT, configurable=True)
    valued, flags = _VALUED.get(server, {}), _FLAGS.get(server, {})
    at = 0
    while at < len(words):
        word, value = words[at]
        at += 1
        flag, equals, explicit = (value.text if value.text is not None else word.source).partition("=")
        if flag in flags:
            found[flags[flag]] = Effective(value=True, span=word.span, value_span=word.span, origin=COMMAND_LINE)
        elif flag in valued and equals:
            start = len(word.source.partition("=")[0]) + 1
            inner = word.content.span(min(start, len(word.source)), len(word.source))
            text = explicit if value.text is not None else None
            given = Value(text, value.configurable, word.source.partition("=")[2] if text is None else None)
            found[valued[flag]] = _effective(valued[flag], given, word.span, inner, COMMAND_LINE)
        elif flag in valued and at < len(words):
            following, given = words[at]
            span = Span(word.span.path, word.span.start, max(word.span.end, following.span.end))
            found[valued[flag]] = _effective(valued[flag], given, span, following.span, COMMAND_LINE)
            at += 1
    return found


def uwsgi_options(path: str, text: str) -> dict[str, Effective]:
    """What the `[uwsgi]` section of an ini file sets; a placeholder (`%(name)`, `$(NAME)`) nobody here can fill."""
    flags, valued = _FLAGS["uwsgi"], _VALUED["uwsgi"]
    found: dict[str, Effective] = {}
    section = _SECTION.search(text)
    for match in _INI.finditer(text, section.end(), section.end(1)) if section else ():
        option, value = f"--{match['name'].replace('_', '-')}", match["value"]
        span, value_span = Span(path, *match.span()), Span(path, *match.span("value"))
        known = "$(" not in value and "%(" not in value
        given = Value(value if known else None, configurable="$(" in value, expression=None if known else value)
        name = valued.get(option) or flags.get(option)
        if name == "reload":  # seconds between two looks at the files; 0 is off
            on = value.strip() not in {"0", "false", ""}
            found[name] = Effective(on if known else None, known, span, value_span, CONFIG_FILE)
        elif name is not None:
            found[name] = _effective(name, given, span, value_span, CONFIG_FILE)
    return found


def _effective(
    name: str, value: Value, span: Span | None, value_span: Span | None, origin: str, *, configurable: bool = False
) -> Effective:
    converted: object = value.text
    known = value.text is not None
    if known and name in INTEGERS:
        try:
            converted = int(value.text or "")
        except ValueError:
            converted, known = None, False
    elif known and name == "forwarded_allow_ips":
        converted = tuple(part.strip() for part in (value.text or "").split(",") if part.strip())
    elif known and name in ("debug", "reload", "proxy_headers"):
        converted = (value.text or "").lower() in ("1", "true", "yes", "on", "t", "y")
    return Effective(
        converted,
        known,
        span,
        value_span,
        origin,
        value.expression,
        configurable=configurable or value.configurable,
        counts_cpus=value.counts_cpus,
    )
