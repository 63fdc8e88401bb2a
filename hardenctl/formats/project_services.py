"""What a project's compose files start: its web service, its stores, and all the others."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hardenctl.formats.compose import Build, ComposeFile, Service, compose_files, is_production
from hardenctl.formats.dockerfile import Dockerfile, dockerfiles
from hardenctl.formats.instructions import Instruction
from hardenctl.formats.project_variables import Variable
from hardenctl.model.blob import Gap, Snapshot

_IMAGES = {
    "postgres": ("postgres", "postgis", "timescaledb", "pgvector", "postgresql"),
    "mysql": ("mysql", "mariadb"),
    "mongodb": ("mongo", "mongodb"),
    "redis": ("redis", "valkey", "redis-stack-server"),
}
_SERVER = re.compile(r"\b(?:gunicorn|uvicorn|hypercorn|granian|daphne|waitress-serve|fastapi|flask|runserver)\b")
_WEB = ("web", "app", "backend", "api", "server", "django", "flask", "fastapi")
_RUNNER = re.compile(
    r"\b(poetry|pipenv|uv)[\"',\s]+run[\"',\s]+(?:gunicorn|uvicorn|hypercorn|fastapi|flask|alembic|python)"
)
_REFERENCE = re.compile(r"(?<!\$)\$(?:\{(?P<name>[A-Za-z_]\w*)(?P<operator>:?[-+?])?|(?P<bare>[A-Za-z_]\w*))")
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*", re.MULTILINE)
_OF_THE_SHELL = frozenset(("PWD", "HOME", "USER", "UID", "GID", "HOSTNAME", "PATH"))
_MAIN = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


@dataclass(frozen=True, slots=True)
class Image:
    """How the web service's image is built: paths relative to the project, `.` for itself.

    `workdir` is where it starts, `takes_root` whether a file at the project's root gets there by itself, `runner` what
    stands before its commands (`poetry run`).
    """

    context: str = "."
    dockerfile: str = "Dockerfile"
    target: str = ""
    workdir: str = "/app"
    takes_root: bool = True
    runner: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the context alone says it all: its Dockerfile has the usual name."""
        return self.dockerfile == posixpath.normpath(posixpath.join(self.context, "Dockerfile")) and not self.target

    @property
    def folder(self) -> str:
        """The context as a compose file has it."""
        return self.context if self.context.startswith(".") else f"./{self.context}"

    @property
    def inner_dockerfile(self) -> str:
        """The Dockerfile as a compose file has it: relative to the context."""
        return posixpath.relpath(self.dockerfile, self.context)


@dataclass(frozen=True, slots=True)
class Store:
    """A service that is a database or a cache. `kind` is empty where there is none.

    `image` is empty where its tag is not pinned; `build` is the folder it is built from, empty where it is pulled.
    """

    kind: str = ""
    name: str = ""
    image: str = ""
    volume: str = ""
    build: str = ""


@dataclass(frozen=True, slots=True)
class Services:
    """The services of a project's compose files: the web service as its main file has it, the stores of all files.

    `names` are all services of the main file. `references` are the variables that Compose puts in, `fed` the kinds of
    stores that are started with an env file.
    """

    path: str = ""
    web: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    health: str = ""
    stores: tuple[Store, ...] = ()
    names: tuple[str, ...] = ()
    image: Image | None = None
    references: tuple[Variable, ...] = ()
    fed: frozenset[str] = frozenset()

    def first(self, kinds: Iterable[str], name: str) -> Store:
        """The first store of one of these kinds, the main file's first; one of no kind with this name for none."""
        return next((each for each in self.stores if each.kind in kinds), Store(name=name))

    def left_out(self, *used: Store) -> tuple[str, ...]:
        """The main file's services but the web service and these stores."""
        names = {self.web, *(each.name for each in used if each.kind)}
        return tuple(each for each in self.names if each not in names)


def project_services(snapshot: Snapshot, paths: Iterable[str]) -> Services:
    """Read the compose files and Dockerfiles among these paths. Files that cannot be parsed say nothing."""
    wanted = set(paths)
    images = {each.path: each for each in dockerfiles(snapshot) if each.path in wanted}
    files = [each for each in compose_files(snapshot) if not isinstance(each, Gap) and each.path in wanted]
    files.sort(key=_rank)
    stores: dict[tuple[str, str], Store] = {}
    for service in (service for file in files for service in file.services):
        if (store := _store(service, images)) and (store.kind, store.name) not in stores:
            stores[store.kind, store.name] = store
    found = tuple(stores.values())
    read = [each for each in files if each.development is files[0].development]
    texts = (blob.text for each in read if (blob := snapshot.read(each.path)))
    services = Services(
        stores=found,
        image=_alone(images),
        references=referenced(texts),
        fed=frozenset(
            store.kind for each in read for one in each.services if one.env_files and (store := _store(one, images))
        ),
    )
    for file in files:
        ours = [
            each
            for each in file.services
            if not _store(each, images) and (each.build or _SERVER.search(_starts(each, images)))
        ]
        if ours:
            return _described_by(file, max(ours, key=lambda each: _likeness(each, images)), services, images)
    return services


def referenced(texts: Iterable[str]) -> tuple[Variable, ...]:
    """The variables that Compose puts into compose files, comments left out. One with a default is optional."""
    found: dict[str, Variable] = {}
    for text in texts:
        for match in _REFERENCE.finditer(_COMMENT.sub("", text)):
            name, optional = match["name"] or match["bare"], (match["operator"] or "").endswith(("-", "+"))
            if name not in _OF_THE_SHELL and (name not in found or not optional):
                found[name] = Variable(name, None, required=not optional)
    return tuple(found.values())


def _described_by(file: ComposeFile, web: Service, services: Services, images: dict[str, Dockerfile]) -> Services:
    return replace(
        services,
        path=file.path,
        web=web.name,
        environment=tuple((each.name, each.value) for each in web.environment if each.value is not None),
        health=_health(web),
        names=tuple(each.name for each in file.services),
        image=_image(web.build, images) or _alone(images),
    )


def _rank(file: ComposeFile) -> tuple[bool, bool, int, str]:
    """What describes the project best: no development file, a main file, near to the root."""
    name = posixpath.basename(file.path).lower()
    return file.development, name not in _MAIN, file.path.count("/"), file.path


def _likeness(service: Service, images: dict[str, Dockerfile]) -> int:
    """How much a service looks like the one that answers requests."""
    name = service.name.lower()
    published = bool(service.node.get("ports"))
    return 4 * bool(_SERVER.search(_starts(service, images))) + 2 * (name in _WEB) + published


def _starts(service: Service, images: dict[str, Dockerfile]) -> str:
    """What a service starts: its own command, else its image's."""
    parts = [service.node.get(key) for key in ("entrypoint", "command")]
    if own := " ".join(_plain(part) for part in parts if part is not None):
        return own
    return _runs(images.get(service.build.dockerfile or "")) if service.build else ""


def _plain(node: object) -> str:
    """All strings of a YAML node."""
    items = getattr(node, "items", None)
    if isinstance(items, tuple):
        return " ".join(map(_plain, items))
    return str(getattr(node, "text", ""))


def _runs(image: Dockerfile | None) -> str:
    """What an image starts, its own start scripts included."""
    if image is None:
        return ""
    lines = [each.rest.text for each in (image.final.entrypoint, image.final.command) if each]
    return "\n".join([*lines, *image.scripts])


def _store(service: Service, images: dict[str, Dockerfile]) -> Store | None:
    """The store a service is, by its image or by what its own image is built on."""
    image, build = service.image.text if service.image else "", ""
    kind = _kind(image)
    if not kind and service.build and (document := images.get(service.build.dockerfile or "")):
        kind, image = _kind(document.final.image), document.final.image
        build = service.build.context or "."
    if not kind:
        return None
    return Store(kind, service.name, image if _is_pinned(image) else "", _volume(service), build)


def _kind(image: str) -> str:
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    return next((kind for kind, names in _IMAGES.items() if name in names), "")


def _is_pinned(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return bool(tag) and not tag.startswith("latest")


def _volume(service: Service) -> str:
    """Where a store keeps its data: the source of its first mount."""
    return next(
        (each.source for each in service.volumes if each.source and each.target.startswith(("/var/lib/", "/data"))), ""
    )


def _health(service: Service) -> str:
    """The path that the service's own health check asks."""
    test = service.node.get("healthcheck", "test")
    match = re.search(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::[^/\s\"']*)?(/[\w./-]*)", _plain(test))
    return match[1] if match and match[1] != "/" else ""


def _image(build: Build | None, images: dict[str, Dockerfile]) -> Image | None:
    if build is None or build.context is None or build.dockerfile is None:
        return None
    path = build.dockerfile
    if "prod" not in posixpath.basename(path).lower():
        folder = posixpath.dirname(path)
        path = next(
            (each for each in images if posixpath.dirname(each) == folder and is_production(posixpath.basename(each))),
            path,
        )
    target = (build.target or "") if path == build.dockerfile else ""
    return _described(build.context or ".", path, target, images.get(path))


def _alone(images: dict[str, Dockerfile]) -> Image | None:
    """The image of a Dockerfile that no compose file builds: the one that starts a server, the nearest to the root."""

    def rank(each: Dockerfile) -> tuple[bool, bool, int, str]:
        return not _SERVER.search(_runs(each)), each.development, each.path.count("/"), each.path

    for document in sorted(images.values(), key=rank)[:1]:
        folder = posixpath.dirname(document.path)
        sources = [
            word.text.removeprefix("./")
            for stage in document.stages
            for each in stage.of("COPY", "ADD")
            if "from" not in each.flags
            for word in each.words[:-1]
        ]
        from_root = folder and any(f"{source}/".startswith(f"{folder}/") for source in sources)
        return _described("." if from_root or not folder else folder, document.path, "", document)
    return None


def _described(context: str, path: str, target: str, document: Dockerfile | None) -> Image:
    if document is None:
        return Image(context, path, target)
    workdir = document.final.workdir
    copies = [each for stage in document.final.lineage for each in stage.of("COPY", "ADD")]
    runner = _RUNNER.search(_runs(document))
    return Image(
        context,
        path,
        target,
        workdir if workdir.startswith("/") and "$" not in workdir else "/app",
        context == "." and any(map(_takes_all, copies)),
        (runner[1], "run") if runner else (),
    )


def _takes_all(copy: Instruction) -> bool:
    """Whether a COPY takes the whole context."""
    return "from" not in copy.flags and any(posixpath.normpath(word.text) == "." for word in copy.words[:-1])
