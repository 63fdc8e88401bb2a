"""Containers of Kubernetes manifests and of Amazon ECS task definitions: command, environment, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.launch.environment import parse_bytes
from hardenctl.formats.launch.find import Setting, launches_in_argv
from hardenctl.formats.launch.model import Launch
from hardenctl.formats.shell.values import Value
from hardenctl.formats.shell.words import Word, literal_word
from hardenctl.formats.yaml import Mapping, Node, Scalar, Sequence, load_yaml, walk
from hardenctl.model.errors import DocumentError
from hardenctl.model.record import record, replace
from hardenctl.model.text import Span

_REFERENCE = re.compile(r"\$\((\w+)\)")


@record
class _Manifest:
    """What a kind of manifest calls the parts of a container."""

    containers: str
    command: tuple[str, str]
    environment: str
    name: str
    value: str


_MANIFESTS = (
    _Manifest("containers", ("command", "args"), "env", "name", "value"),
    _Manifest("containerDefinitions", ("entryPoint", "command"), "environment", "name", "value"),  # Amazon ECS
    _Manifest("ContainerDefinitions", ("EntryPoint", "Command"), "Environment", "Name", "Value"),  # CloudFormation
)


def pod_launches(text: str, setting: Setting) -> Iterator[Launch]:
    """The launch lines of every container in the file; other YAML, and templates that are none, have none."""
    kinds = [each for each in _MANIFESTS if each.containers in text]
    if not kinds:
        return
    try:
        documents = load_yaml(text, setting.path)
    except DocumentError:
        return  # a Helm template: not YAML before it is rendered
    for document in documents:
        for node in walk(document):
            for kind in kinds:
                for container in _items(node.get(kind.containers)) if isinstance(node, Mapping) else ():
                    if isinstance(container, Mapping):
                        yield from _container(container, kind, setting)


def _container(container: Mapping, kind: _Manifest, setting: Setting) -> Iterator[Launch]:
    scope: dict[str, Value] = {}
    for entry in _items(container.get(kind.environment)):
        name = entry.text(kind.name) if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or name is None:
            continue
        value = entry.get(kind.value)
        if isinstance(value, Scalar):
            scope[name] = Value(value.text, configurable=True, span=value.inner)
        else:
            scope[name] = Value(None, configurable=True, expression=f"${name}", span=entry.span)
    scalars = [item for key in kind.command for item in _items(container.get(key)) if isinstance(item, Scalar)]
    if not scalars:
        return
    argv = [_word(scalar, scope) for scalar in scalars]
    span = Span(setting.path, scalars[0].span.start, scalars[-1].span.end)
    own = replace(setting, scope=scope, container=True, cpus=_cpus(container), memory=_memory(container))
    own = replace(own, read_only=_is_read_only(container))
    yield from launches_in_argv(argv, own, span, literal=True)


def _word(scalar: Scalar, scope: dict[str, Value]) -> tuple[Word, Value]:
    """A word; Kubernetes itself puts `$(NAME)` in."""
    word = literal_word(scalar.strand)
    names = _REFERENCE.findall(scalar.text)
    if not names or any(name not in scope or scope[name].text is None for name in names):
        return Word(scalar.span, word.parts, word.content), Value(scalar.text)
    text = _REFERENCE.sub(lambda match: scope[match[1]].text or "", scalar.text)
    return Word(scalar.span, word.parts, word.content), Value(text, configurable=True, expression=scalar.text)


def _cpus(container: Mapping) -> float | None:
    text = container.mapping("resources", "limits").text("cpu")
    try:
        return None if text is None else float(text[:-1]) / 1000 if text.endswith("m") else float(text)
    except ValueError:
        return None


def _memory(container: Mapping) -> int | None:
    mebibytes = container.text("memory") or container.text("Memory") or ""  # of a task definition
    if mebibytes.isdecimal():
        return int(mebibytes) * 1024 * 1024
    return parse_bytes(container.mapping("resources", "limits").text("memory") or "", binary=False)


def _is_read_only(container: Mapping) -> bool:
    own = (
        container.mapping("securityContext").text("readOnlyRootFilesystem"),
        container.text("readonlyRootFilesystem"),
    )
    return "true" in (*own, container.text("ReadonlyRootFilesystem"))


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else ()
