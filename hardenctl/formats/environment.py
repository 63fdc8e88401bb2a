"""Values that a repository itself gives environment variables: env files, compose files, Dockerfiles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hardenctl.formats.python.world import Configured, environment_name
from hardenctl.model.blob import Blob, Snapshot
from hardenctl.model.text import Span

_ENV_FILE = re.compile(r"(?:^|/)(?:\.env(?:\.[\w.-]+)?|[\w.-]+\.env)$")
_EXAMPLE = re.compile(r"example|sample|template|dist|\.tpl|test", re.IGNORECASE)
_COMPOSE = re.compile(r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$")
_DOCKERFILE = re.compile(r"(?:^|/)(?:Dockerfile[\w.-]*|[\w.-]+\.Dockerfile)$")
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=", re.MULTILINE)
_ENV = re.compile(r"^\s*ENV\s+(?P<rest>(?:[^\\\n]|\\.|\\\n)*)", re.MULTILINE | re.IGNORECASE)
_PAIR = re.compile(r"""(?P<name>[A-Za-z_]\w*)=(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s\\]*)""")
_REFERENCE = re.compile(r"\$\{\w+:?-(?P<default>[^}]*)\}|\$\{[^}]*\}|\$\w+")


def configured_values(snapshot: Snapshot) -> dict[str, list[Configured]]:
    """Variable to the values that committed files give it. Example files configure nothing.

    The environment is taken from the file's name (`.env.production`, `compose.dev.yml`); empty where it names none.
    """
    found: dict[str, list[Configured]] = {}
    for path in snapshot.paths():
        name = path.rpartition("/")[2]
        if _EXAMPLE.search(name):
            continue
        reader = (
            _from_env_file
            if _ENV_FILE.search(path)
            else _from_compose
            if _COMPOSE.search(path)
            else _from_dockerfile
            if _DOCKERFILE.search(path)
            else None
        )
        blob = snapshot.read(path) if reader else None
        if reader is None or blob is None:
            continue
        for variable, value, span in reader(blob):
            found.setdefault(variable, []).append(Configured(value, span, _environment(name)))
    return found


def _environment(name: str) -> str:
    """The environment in a file's name; empty for none."""
    words = [word for word in re.split(r"[._-]+", name.lower()) if word]
    known = {"development", "production", "staging"}
    return next((environment_name(word) for word in words if environment_name(word) in known), "")


def _from_env_file(blob: Blob) -> Iterator[tuple[str, str | None, Span]]:
    import io

    from dotenv import dotenv_values

    values = dotenv_values(stream=io.StringIO(blob.text), interpolate=False)
    for match in _ASSIGNMENT.finditer(blob.text):
        value = values.get(match["name"])
        if value is not None:
            yield match["name"], _resolved(value), _line(blob, match.start("name"))


def _from_compose(blob: Blob) -> Iterator[tuple[str, str | None, Span]]:
    import yaml

    try:
        tree = yaml.safe_load(blob.text)
    except yaml.YAMLError:
        return  # the compose reader reports it
    services = tree.get("services") if isinstance(tree, Mapping) else None
    for service in services.values() if isinstance(services, Mapping) else ():
        environment = service.get("environment") if isinstance(service, Mapping) else None
        for name, value in _entries(environment):
            at = re.search(rf"(?<![\w$]){re.escape(name)}(?=[\"']?\s*[:=])", blob.text)
            if at is not None:
                yield name, value, _line(blob, at.start())


def _entries(environment: Any) -> Iterator[tuple[str, str | None]]:
    """The variables of a compose `environment`; references are resolved to their defaults, or leave it out."""
    if isinstance(environment, Mapping):
        pairs = [(str(name), _scalar(value)) for name, value in environment.items() if value is not None]
    elif isinstance(environment, list):
        pairs = [tuple(str(each).split("=", 1)) for each in environment if "=" in str(each)]  # type: ignore[misc]
    else:
        return
    for name, value in pairs:
        yield name, _resolved(value)


def _resolved(value: str) -> str | None:
    """A value with references to other variables replaced by their defaults; None where one has no default."""
    resolved = _REFERENCE.sub(lambda match: "\0" if match["default"] is None else match["default"], value)
    return None if "\0" in resolved else resolved.replace("$$", "$")


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _from_dockerfile(blob: Blob) -> Iterator[tuple[str, str | None, Span]]:
    for instruction in _ENV.finditer(blob.text):
        for match in _PAIR.finditer(instruction["rest"]):
            yield (
                match["name"],
                _resolved(match["value"].strip("\"'")),
                _line(blob, instruction.start("rest") + match.start()),
            )


def _line(blob: Blob, start: int) -> Span:
    """From a variable's name to the end of its line. The value itself is never quoted in a message."""
    end = blob.text.find("\n", start)
    return Span(blob.path, start, len(blob.text) if end < 0 else end)
