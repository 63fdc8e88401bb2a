"""Compose files: services with positions, `extends` and override files merged as Compose does."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property

from hardenctl.formats.markup import load_template
from hardenctl.formats.merge import merge_service
from hardenctl.formats.paths import is_compose
from hardenctl.formats.yaml import Mapping, Node, Scalar, Sequence
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.errors import DocumentError
from hardenctl.model.record import record
from hardenctl.model.text import Span

_BASE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_DEVELOPMENT = re.compile(
    r"dev|devel|develop|development|local|localhost|test|tests|testing|e2e|ci|debug|override|example|examples|sample|"
    r"demo|playground|devcontainer|docs|benchmark|bench|sandbox|tutorial|integration|acceptance|playwright|"
    r"fixture|fixtures|devtools|devenv|hack|dist|contrib|qa"
)
_PRODUCTION = re.compile(r"prod|production|staging|stage")
_HEADER = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*")
_FOR_DEVELOPMENT = re.compile(
    r"(?<!not )\b(?:for|only|is|an?)\b(?! not)[^.\n]{0,30}\b(?:local |the )?\W{0,2}"
    r"(?:dev(?:elop(?:ment|ers?))?|local|test(?:s|ing)?)\b",
    re.IGNORECASE,
)


@record
class Variable:
    """An entry of `environment`. `value` is None where the host's own is passed through."""

    name: str
    value: str | None
    key_span: Span  # of the name
    span: Span  # of the value, without quotes; of the entry where there is no value


@record
class EnvFile:
    """A file of `env_file`: `path` is relative to the audited root."""

    path: str
    span: Span
    required: bool = True


@record
class Port:
    """A published or exposed port. `host` is the address it is published on, None for all interfaces.

    `published` is None where Docker picks a free port of the host. Both ports are text: ranges and variables occur.
    `host_span` is where the address stands, or would stand, with its colon; None where nothing can be put in.
    """

    published: str | None
    target: str
    host: str | None
    span: Span
    host_span: Span | None = None

    @property
    def is_local(self) -> bool:
        """Whether only the host itself reaches it; a variable counts by its default."""
        host = re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", self.host or "")
        return host.startswith("127.") or host in ("::1", "localhost")


@record
class Volume:
    """A mount. `source` is a path of the host, a volume's name, or None for an anonymous volume."""

    source: str | None
    target: str
    read_only: bool
    span: Span


@record
class Build:
    """How the image is built. `context` and `dockerfile` are relative to the audited root; None where remote."""

    context: str | None
    dockerfile: str | None
    target: str | None
    span: Span


@record(slots=False, eq=False)
class Service:
    """A service as one file has it (`own`) and as Compose sees it after `extends` and the base file (`node`).

    Spans of merged parts lie in the file they come from. Rules about what is present look at `own`, so that one
    mistake is one finding; rules about what is missing look at `node`.
    """

    name: str
    path: str
    key: Scalar
    own: Mapping
    node: Mapping

    @property
    def span(self) -> Span:
        """The service's name: where something missing is reported."""
        return self.key.span

    @property
    def folder(self) -> str:
        """The folder paths of the file are relative to."""
        return posixpath.dirname(self.path)

    @property
    def on_host_network(self) -> bool:
        """Whether it listens on the host itself: Docker discards its `ports` then."""
        return self.node.text("network_mode") == "host"

    @property
    def image(self) -> Scalar | None:
        """The image it runs, where that is a plain string."""
        image = self.node.get("image")
        return image if isinstance(image, Scalar) and image.value is not None else None

    @cached_property
    def environment(self) -> tuple[Variable, ...]:
        """The environment after merging, `env_file` left out."""
        return _environment(self.node.get("environment"))

    @cached_property
    def own_environment(self) -> tuple[Variable, ...]:
        """The environment as this file alone has it."""
        return tuple(each for each in self.environment if each.span.path == self.path)

    @cached_property
    def env_files(self) -> tuple[EnvFile, ...]:
        """Later ones win over earlier ones, and `environment` wins over all."""
        found = []
        for item in _items(self.node.get("env_file")):
            scalar = item.get("path") if isinstance(item, Mapping) else item
            if isinstance(scalar, Scalar) and scalar.text:
                needed = plain_bool(item.get("required"), default=True) if isinstance(item, Mapping) else True
                folder = posixpath.dirname(scalar.span.path)
                found.append(EnvFile(_join(folder, scalar.text), scalar.span, needed))
        return tuple(found)

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        """The ports this file publishes."""
        return tuple(port for item in _items(self.own.get("ports")) if (port := _port(item)))

    @cached_property
    def volumes(self) -> tuple[Volume, ...]:
        """The mounts this file makes."""
        return tuple(volume for item in _items(self.own.get("volumes")) if (volume := _volume(item)))

    @cached_property
    def mounts(self) -> tuple[Volume, ...]:
        """All mounts, those of what it extends and of the base file too."""
        return tuple(volume for item in _items(self.node.get("volumes")) if (volume := _volume(item)))

    @cached_property
    def build(self) -> Build | None:
        """How its image is built; None where it is pulled."""
        node = self.node.get("build")
        if isinstance(node, Scalar) and node.text:
            return Build(*_context(posixpath.dirname(node.span.path), node.text, None), None, node.span)
        if not isinstance(node, Mapping) or "dockerfile_inline" in node:
            return None
        context = node.get("context")
        place = context.span if isinstance(context, Scalar) else node.span
        folder = posixpath.dirname(place.path)
        return Build(
            *_context(folder, node.text("context") or ".", node.text("dockerfile")), node.text("target"), place
        )

    def list(self, *names: str) -> tuple[Node, ...]:
        """The items below a path of keys of this file: a lone scalar is a list of one."""
        return _items(self.own.get(*names))

    @property
    def development(self) -> bool:
        """Whether its name or profiles say that it is no part of production."""
        profiles = {item.text for item in _items(self.node.get("profiles")) if isinstance(item, Scalar)}
        return any(is_development(name) for name in (self.name, *profiles))


@record(slots=False, eq=False)
class ComposeFile:
    """A compose file. `development` says that its path or the comment at its top keeps it out of production."""

    path: str
    node: Mapping
    services: tuple[Service, ...]
    development: bool

    def service(self, name: str) -> Service | None:
        """The service of that name."""
        return next((each for each in self.services if each.name == name), None)


def is_development(name: str) -> bool:
    """Whether a path or name tells of development, tests or an example rather than of production."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return any(_DEVELOPMENT.fullmatch(word) for word in words) and not any(map(_PRODUCTION.fullmatch, words))


def is_production(name: str) -> bool:
    """Whether a path or name says production."""
    return any(map(_PRODUCTION.fullmatch, re.findall(r"[a-z0-9]+", name.lower())))


def parse_compose(path: str, text: str) -> Mapping | None:
    """The top of a compose file; None for other YAML. Raises DocumentError where Compose would not read it."""
    documents = load_template(text, path)
    top = documents[0] if documents else None
    services = top.get("services") if isinstance(top, Mapping) else None
    if isinstance(services, Sequence) or (isinstance(services, Scalar) and services.value is not None):
        line = 1 + text.count("\n", 0, services.span.start)
        raise DocumentError("`services` is no mapping of names to services", line=line)
    return top if isinstance(top, Mapping) and isinstance(services, Mapping) else None


DOCUMENTS = (ComposeFile,)


def compose_files(snapshot: Snapshot) -> Iterator[ComposeFile | Gap]:
    """The compose files of a snapshot, each merged with the base file of its folder where it only overrides it."""
    tops: dict[str, Mapping] = {}
    headers: dict[str, re.Match[str] | None] = {}
    for path in filter(is_compose, snapshot.paths()):
        blob = snapshot.read(path)
        try:
            top = parse_compose(path, blob.text) if blob else None
        except DocumentError as error:
            yield Gap(path, f"{error.what} (line {error.line})" if error.line else error.what)
            continue
        if top and blob:
            tops[path] = top
            headers[path] = _HEADER.match(blob.text)
    for path, top in tops.items():
        header = headers[path]
        said = bool(header and not is_production(path) and _FOR_DEVELOPMENT.search(header[0]))
        development = said or is_development(path) or _has_production_twin(path, tops)
        yield ComposeFile(path, top, tuple(_services(path, tops)), development)


read = compose_files


def _services(path: str, tops: dict[str, Mapping]) -> Iterator[Service]:
    base = _base(path, tops)
    for key, own in tops[path].mapping("services"):
        if not isinstance(own, Mapping):
            continue
        node = _extended(path, key.text, tops, frozenset())
        if base is not None and key.text in tops[base].mapping("services"):
            node = merge_service(_extended(base, key.text, tops, frozenset()), node)
        yield Service(key.text, path, key, own, node)


def _has_production_twin(path: str, tops: dict[str, Mapping]) -> bool:
    """Whether a production file beside this one runs the same services, and does so without this one."""
    if is_production(path):
        return False
    names = {key.text for key, _ in tops[path].mapping("services")}
    return any(
        is_production(posixpath.basename(other))
        and posixpath.dirname(other) == posixpath.dirname(path)
        and _base(other, tops) is None
        and not names.isdisjoint(key.text for key, _ in tops[other].mapping("services"))
        for other in tops
    )


def _base(path: str, tops: dict[str, Mapping]) -> str | None:
    """The base file an override file is used with; None for a file that stands alone.

    A file overrides where one of its services has neither an image nor a build, nor extends another.
    """
    folder, name = posixpath.split(path)
    if name.lower() in _BASE:
        return None
    incomplete = any(
        isinstance(own, Mapping) and not any(word in own for word in ("image", "build", "extends"))
        for _, own in tops[path].mapping("services")
    )
    candidates = (posixpath.join(folder, each) for each in _BASE)
    return next((each for each in candidates if each in tops), None) if incomplete else None


def _extended(path: str, name: str, tops: dict[str, Mapping], seen: frozenset[tuple[str, str]]) -> Mapping:
    """A service with what it `extends` below it; a circle ends where it closes."""
    top = tops.get(path)
    node = top.get("services", name) if top else None
    if not isinstance(node, Mapping) or (path, name) in seen:
        return Mapping(Span(path, 0, 0), ())
    extends = node.get("extends")
    if isinstance(extends, Scalar):
        file, other = path, extends.text
    elif isinstance(extends, Mapping):
        named = extends.text("file")
        file, other = _join(posixpath.dirname(path), named) if named else path, extends.text("service") or name
    else:
        return node
    return merge_service(_extended(file, other, tops, seen | {(path, name)}), node)


def _environment(node: Node | None) -> tuple[Variable, ...]:
    found: dict[str, Variable] = {}
    for item in _items(node):
        if isinstance(item, Mapping):  # the mapping form, whole or as one entry of a merged list
            for key, value in item:
                if isinstance(value, Scalar):
                    text = None if value.value is None and value.style is None else value.text
                    found[key.text] = Variable(key.text, text, key.span, key.span if text is None else value.inner)
        elif isinstance(item, Scalar):
            name, equals, text = item.text.partition("=")
            places = item.strand
            value_span = places.span(len(name) + 1, len(item.text)) if equals else item.span
            found[name] = Variable(name, text if equals else None, places.span(0, len(name)), value_span)
    return tuple(found.values())


def _items(node: Node | None) -> tuple[Node, ...]:
    if isinstance(node, Sequence):
        return node.items
    return () if node is None or (isinstance(node, Scalar) and node.value is None) else (node,)


def _port(node: Node) -> Port | None:
    if isinstance(node, Mapping):
        target = node.text("target")
        return Port(node.text("published"), target, node.text("host_ip"), node.span) if target else None
    if not isinstance(node, Scalar) or not node.text:
        return None
    text = re.sub(r"/(?:tcp|udp|sctp)$", "", node.text)
    parts = re.split(r":(?![^{]*\})(?![^\[]*\])", text)  # not inside ${...:-...} or [::1]
    if len(parts) == 1:
        return Port(None, parts[0], None, node.span, node.strand.span(0, 0))
    address = ":".join(parts[:-2])
    written = node.strand.span(0, len(address) + 1 if len(parts) > 2 else 0)  # noqa: PLR2004 - address:published:target
    return Port(parts[-2] or None, parts[-1], address.strip("[]") or None, node.span, written)


def _volume(node: Node) -> Volume | None:
    if isinstance(node, Mapping):
        target = node.text("target")
        return Volume(node.text("source"), target, plain_bool(node.get("read_only")), node.span) if target else None
    if not isinstance(node, Scalar) or not node.text:
        return None
    parts = re.split(r":(?![^{]*\})", node.text)
    if len(parts) == 1:
        return Volume(None, parts[0], read_only=False, span=node.span)
    options = parts[2].split(",") if len(parts) > 2 else []  # noqa: PLR2004 - source:target:options
    return Volume(parts[0], parts[1], "ro" in options, node.span)


def plain_bool(node: Node | None, *, default: bool = False) -> bool:
    """A boolean as Compose reads it; a quoted "true" counts."""
    if not isinstance(node, Scalar):
        return default
    return node.text.lower() in ("true", "yes", "on", "y", "1")


def _join(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _context(folder: str, context: str, dockerfile: str | None) -> tuple[str | None, str | None]:
    if "://" in context or context.startswith("git@"):
        return None, None
    joined = _join(folder, context)
    joined = "" if joined == "." else joined
    return joined, _join(joined, dockerfile or "Dockerfile")
