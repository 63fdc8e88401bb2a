"""Values that a repository itself gives environment variables: env files, compose files, Dockerfiles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.compose import ComposeFile, Service, compose_files
from hardenctl.formats.dockerfile import dockerfiles
from hardenctl.formats.dotenv import parse_dotenv
from hardenctl.formats.launch.environment import service_environment
from hardenctl.formats.paths import environment_of, is_env_file, is_example
from hardenctl.formats.python.world import Configured, environment_name
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.text import Span

_REFERENCE = re.compile(r"\$\{\w+:?-(?P<default>[^}]*)\}|\$\{[^}]*\}|\$\w+")
_KNOWN = frozenset({"development", "production", "staging"})
Given = Iterator[tuple[str, Configured]]


def configured_values(snapshot: Snapshot) -> dict[str, list[Configured]]:
    """Variable to the values that committed files give it, later ones on top. Example files configure nothing.

    The environment is taken from the file's name (`.env.production`, `compose.dev.yml`); empty where it names none.
    An env file that a compose service takes is for that service's environment.
    """
    found: dict[str, list[Configured]] = {}
    services = [
        (file, service) for file in compose_files(snapshot) if not isinstance(file, Gap) for service in file.services
    ]
    taken = {each.path for _, service in services for each in service.env_files}
    readers = (_from_images(snapshot), _from_env_files(snapshot, taken), _from_services(snapshot, services))
    for reader in readers:
        for variable, given in reader:
            others = found.setdefault(variable, [])
            if given not in others:
                others.append(given)
    return found


def _environment(path: str) -> str:
    """The environment in a file's name; empty for none."""
    words = [word for word in re.split(r"[._-]+", path.rpartition("/")[2].lower()) if word]
    return next((name for word in words if (name := environment_name(word)) in _KNOWN), "")


def _from_images(snapshot: Snapshot) -> Given:
    """ENV of the stage that an image is built from."""
    for document in dockerfiles(snapshot):
        environment = "development" if document.development else _environment(document.path)
        for name, item in document.final.environment.items():
            value = _resolved(document.final.expand(item.text))
            yield name, Configured(value, _line(snapshot, item.span), environment)


def _from_env_files(snapshot: Snapshot, taken: set[str]) -> Given:
    for path in snapshot.paths():
        if path not in taken and is_env_file(path) and not is_example(path):
            environment = environment_name(environment_of(path) or "")
            yield from _env_file(snapshot, path, environment)


def _env_file(snapshot: Snapshot, path: str, environment: str, taken_by: Span | None = None) -> Given:
    blob = snapshot.read(path)
    for entry in parse_dotenv(path, blob.text).entries if blob is not None else ():
        if entry.value is not None and not entry.broken:
            value = _resolved(entry.value)
            yield entry.key, Configured(value, _line(snapshot, entry.key_span), environment, taken_by)


def _from_services(snapshot: Snapshot, services: list[tuple[ComposeFile, Service]]) -> Given:
    """What Compose hands to containers: first the env files a service takes, then its own `environment`."""
    for file, service in services:
        environment = _environment(file.path)
        if file.development or service.development:
            environment = "development"
        for each in service.env_files:
            own = environment or environment_name(environment_of(each.path) or "")
            yield from _env_file(snapshot, each.path, own, each.span)
        values = service_environment(snapshot, service)
        for variable in service.environment:
            if variable.value is not None:
                resolved = values[variable.name].text
                value = None if resolved is None else _resolved(resolved)
                yield variable.name, Configured(value, _line(snapshot, variable.key_span), environment)


def _resolved(value: str) -> str | None:
    """A value with references to other variables replaced by their defaults; None where one has no default."""
    resolved = _REFERENCE.sub(lambda match: "\0" if match["default"] is None else match["default"], value)
    return None if "\0" in resolved else resolved.replace("$$", "$")


def _line(snapshot: Snapshot, span: Span) -> Span:
    """From a variable's name to the end of its line. The value itself is never quoted in a message."""
    blob = snapshot.read(span.path)
    text = blob.text if blob is not None else ""
    end = text.find("\n", span.start)
    return Span(span.path, span.start, len(text) if end < 0 else end)
