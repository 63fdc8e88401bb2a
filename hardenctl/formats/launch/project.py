"""A project's compose files, Dockerfiles and scripts put together: which service runs which image with what."""

from __future__ import annotations

import bisect
import posixpath
import re
from collections.abc import Iterator, Sequence

from hardenctl.formats.compose import (
    ComposeFile,
    Service,
    compose_files,
    is_development,
    is_production,
    plain_bool,
)
from hardenctl.formats.dockerfile import Dockerfile, dockerfiles
from hardenctl.formats.instructions import Instruction
from hardenctl.formats.launch.environment import cpu_limit, memory_limit, service_environment
from hardenctl.formats.launch.find import Setting, launches_in_argv, relative
from hardenctl.formats.launch.home import process_home
from hardenctl.formats.launch.image import (
    exec_words,
    host_folders,
    image_environment,
    image_launches,
    is_development_stage,
    launch_stages,
    shipped_stage,
    started_scripts,
)
from hardenctl.formats.launch.kubernetes import pod_launches
from hardenctl.formats.launch.model import Launch
from hardenctl.formats.launch.paths import kind_of
from hardenctl.formats.launch.program import Argv, mentions_server
from hardenctl.formats.launch.python import handed_commands, installed_commands, program_launches, unstarted_launches
from hardenctl.formats.launch.sources import file_launches
from hardenctl.formats.paths import is_compose
from hardenctl.formats.shell.values import Value, resolve, resolve_words
from hardenctl.formats.shell.words import Dialect, Word, compose_word, split_words
from hardenctl.formats.yaml import Node, Scalar
from hardenctl.formats.yaml import Sequence as YamlSequence
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.record import replace
from hardenctl.model.text import Span

_STARTS = re.compile(r"\b(?:python|pypy)[\d.]*\b|\.py\b")  # a Python program that may start a server itself
_WORKING_FOLDER = re.compile(r"^(?:WorkingDirectory|directory)[ \t]*=[ \t]*[-\"']?(/[^\s\"']*)", re.MULTILINE)


class Project:
    """The compose files and Dockerfiles of a snapshot, and which service runs which image."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.dockerfiles = {each.path: each for each in dockerfiles(snapshot)}
        files = [*compose_files(snapshot)]
        self.composes = [each for each in files if isinstance(each, ComposeFile)]
        self.gaps = [each for each in files if isinstance(each, Gap)]
        self.scripts: dict[str, Setting] = {}  # base name of a script to what starts it
        self.programs: dict[str, Setting] = {}  # a Python program to what starts it
        self.commands = installed_commands(snapshot)
        self.handed = handed_commands(snapshot, self.commands)

    def launches(self) -> Iterator[Launch | Gap]:
        """Every launch line, and what can't be read for one.

        Images come first, because what they start says how scripts are started.
        """
        for dockerfile in self.dockerfiles.values():
            yield from self.of_image(dockerfile)
        for file in self.composes:
            for service in file.services:
                yield from self.of_service(file, service)
        for path in self.snapshot.paths():
            kind = kind_of(path)
            if kind is None and posixpath.basename(path) in self.scripts and "." not in posixpath.basename(path):
                kind = "bare script"  # an image's own /init
            if kind is not None and not is_compose(path):
                yield from self.of_file(path, kind)
        seen: set[Span] = set()
        for target, setting in self.programs.items():
            for launch in program_launches(self.snapshot, target, replace(setting, programs=None)):
                if isinstance(launch, Launch):
                    seen.add(launch.span)
                yield launch
        yield from unstarted_launches(self.snapshot, seen)

    def of_image(self, dockerfile: Dockerfile) -> Iterator[Launch]:
        """What each stage of a Dockerfile starts, in the environment of the service that runs it as it is."""
        for stage in launch_stages(dockerfile):
            service = self.runs_image(dockerfile, stage.name if stage is not dockerfile.final else None)
            build = service.build if service else None
            context = build.context if build and build.context is not None else self.context(dockerfile)
            scope = image_environment(stage)
            if service:
                scope.update(service_environment(self.snapshot, service))
            development = dockerfile.development or is_development_stage(stage)
            setting = Setting(
                "dockerfile",
                dockerfile.path,
                scope,
                host_folders(stage, context) or (context,),
                process_home(self.snapshot, service, (stage, context)),
                container=True,
                development=development,
                service=service,
                image=(stage, context),
                doubtful=service is None and stage is not shipped_stage(dockerfile),
                cpus=cpu_limit(service),
                memory=memory_limit(service),
                read_only=service is not None and plain_bool(service.node.get("read_only")),
                programs=self.programs,
                commands=self.commands,
                handed=self.handed,
            )
            found = [*image_launches(stage, setting)]
            yield from found
            if not found:
                for instruction in (stage.entrypoint, stage.command):
                    self.remember(instruction, setting)

    def context(self, dockerfile: Dockerfile) -> str:
        """The build context: a service's, else the nearest folder above from which every copied file is found."""
        for file in self.composes:
            for service in file.services:
                build = service.build
                if build and build.dockerfile == dockerfile.path and build.context is not None:
                    return build.context
        sources = [
            word.text
            for instruction in dockerfile.instructions
            if instruction.keyword in ("COPY", "ADD") and "from" not in instruction.flags
            for word in instruction.words[:-1]
            if "*" not in word.text and "$" not in word.text and "://" not in word.text
        ]
        folder = dockerfile.folder
        paths = list(self.snapshot.paths())
        while folder and not all(
            _exists(paths, relative(posixpath.join(folder, each.lstrip("/")))) for each in sources
        ):
            folder = posixpath.dirname(folder)
        return folder

    def runs_image(self, dockerfile: Dockerfile, target: str | None) -> Service | None:
        """The service that runs an image as it is, one of production first."""
        fitting = [
            (file.development or service.development, not is_production(file.path), service)
            for file in self.composes
            for service in file.services
            if service.build
            and service.build.dockerfile == dockerfile.path
            and service.build.target in (target, *([None] if target is None else []))
            and service.node.get("command") is None
            and service.node.get("entrypoint") is None
        ]
        return min(fitting, key=lambda each: each[:2])[2] if fitting else None

    def of_service(self, file: ComposeFile, service: Service) -> Iterator[Launch]:
        """What a service's own `command` and `entrypoint` start."""
        own = service.own
        if "command" not in own and "entrypoint" not in own:
            return
        build = service.build
        dockerfile = self.dockerfiles.get(build.dockerfile or "") if build else None
        stage = dockerfile.stage(build.target) if dockerfile and build else None
        context = build.context if build and build.context is not None else service.folder
        scope: dict[str, Value] = image_environment(stage) if stage else {}
        scope.update(service_environment(self.snapshot, service))
        mounts = [
            relative(posixpath.join(service.folder, each.source))
            for each in service.volumes
            if each.source and each.source.startswith((".", "/")) and (not stage or each.target == stage.workdir)
        ]
        image = host_folders(stage, context) if stage else ()
        folders = tuple(dict.fromkeys((*mounts, *image, *(() if image else (context,)))))
        node = service.node
        setting = Setting(
            "compose",
            file.path,
            scope,
            folders,
            process_home(self.snapshot, service, (stage, context) if stage else None),
            container=True,
            development=file.development or service.development or self.is_overridden(file, service),
            service=service,
            image=(stage, context) if stage else None,
            doubtful=not is_production(file.path) and _mounts_source(service),
            cpus=cpu_limit(service),
            memory=memory_limit(service),
            read_only=plain_bool(service.node.get("read_only")),
            programs=self.programs,
            commands=self.commands,
            handed=self.handed,
        )
        first, command = self.words(node.get("entrypoint")), self.words(node.get("command"))
        place = (own.get("command") if command and "command" in own else own.get("entrypoint")) or own
        argv = [*first, *command]
        found = [*launches_in_argv(argv, setting, place.span, literal=True)]
        if not found and first:
            found = [*launches_in_argv(command, setting, place.span, literal=True)]
        yield from found
        if not found:
            for name in started_scripts(argv):
                self.scripts.setdefault(name, setting)

    def is_overridden(self, file: ComposeFile, service: Service) -> bool:
        """Whether a production file beside this one runs the service otherwise: then this one is development's."""
        if is_production(file.path):
            return False
        folder = posixpath.dirname(file.path)
        return any(
            is_production(each.path)
            and posixpath.dirname(each.path) == folder
            and (other := each.service(service.name)) is not None
            and any(word in other.own for word in ("command", "entrypoint", "build", "image"))
            for each in self.composes
        )

    def words(self, node: Node | None) -> Argv:
        """The words of `command` or `entrypoint`: variables put in, and split where it is one string."""
        if isinstance(node, YamlSequence):
            words = [compose_word(item.strand, item.span) for item in node if isinstance(item, Scalar)]
            return [(word, resolve(word, {})) for word in words]
        if isinstance(node, Scalar) and node.text:
            words = [each for each in split_words(node.strand, Dialect.COMPOSE) if isinstance(each, Word)]
            return resolve_words(words, {})
        return []

    def of_file(self, path: str, kind: str) -> Iterator[Launch]:
        """The launch lines of any other file; a script has the environment of what starts it."""
        blob = self.snapshot.read(path)
        if blob is None or not (
            mentions_server(blob.text) or _starts_python(blob.text) or self.mentions_command(blob.text)
        ):
            return
        started = self.scripts.get(posixpath.basename(path))
        folder = posixpath.dirname(path)
        setting = Setting(
            kind.rsplit(" ", maxsplit=1)[-1],
            path,
            started.scope if started else {},
            (*(started.folders if started else ()), *_folders(kind, folder, blob.text)),
            home=_home(kind, path, started),
            container=started is not None,
            development=is_development(path) or bool(started and started.development),
            service=started.service if started else None,
            image=started.image if started else None,
            doubtful=started.doubtful if started else kind.endswith("script"),
            cpus=started.cpus if started else None,
            memory=started.memory if started else None,
            read_only=started is not None and started.read_only,
            programs=self.programs,
            commands=self.commands,
            handed=self.handed,
        )
        if kind == "kubernetes":
            yield from pod_launches(blob.text, setting)
        else:
            yield from file_launches(kind, blob.text, setting)

    def mentions_command(self, text: str) -> bool:
        """Whether a file may start a command that the project installs."""
        return any(each in text for each in self.commands)

    def remember(self, instruction: Instruction | None, setting: Setting) -> None:
        """Note which scripts an image starts."""
        if instruction is None:
            return
        argv: Argv = exec_words(instruction)
        if instruction.items is None:
            argv = [(word, resolve(word, {})) for word in split_words(instruction.rest) if isinstance(word, Word)]
        for name in started_scripts(argv):
            self.scripts.setdefault(name, setting)


def _starts_python(text: str) -> bool:
    """Whether a text may start a Python program; most have none of the words, and the pattern is slow to say so."""
    return any(map(text.__contains__, ("python", "pypy", ".py"))) and bool(_STARTS.search(text))


def _folders(kind: str, folder: str, text: str) -> tuple[str, ...]:
    """Where the relative paths of what a file starts may lie.

    A unit's working folder is on another machine. It holds the repository, most often, or a part of it by that name.
    """
    named = _WORKING_FOLDER.search(text) if kind in ("systemd", "supervisor") else None
    if named:
        parts = named[1].strip("/").split("/")
        return (*("/".join(parts[at:]) for at in range(len(parts))), "", folder)
    return ("", folder) if kind.endswith("script") else (folder,)


def _home(kind: str, path: str, started: Setting | None) -> str | None:
    """The working folder of what a file starts: of a script the one of what starts it."""
    if started is not None:
        return started.home
    own = kind == "procfile" or (kind == "makefile" and not path.endswith(".mk"))
    return posixpath.dirname(path) if own else None


def _mounts_source(service: Service) -> bool:
    """Whether the code comes from the developer's folder instead of the image."""
    return any(
        each.source
        and re.fullmatch(r"\.{1,2}(?:/[\w.-]*)?/?|\$\{?PWD\}?.*", each.source)
        and not each.read_only
        and "." not in posixpath.basename(each.source.strip("./"))
        and not re.search(r"data|media|static|logs?|uploads?|storage|backups?|certs?|conf|secrets", each.source)
        for each in service.volumes
    )


def _exists(paths: Sequence[str], path: str) -> bool:
    """Whether a sorted list of paths has a file, or anything in a folder, of that name."""
    at = bisect.bisect_left(paths, path)
    below = bisect.bisect_left(paths, f"{path}/")
    return (
        not path
        or paths[at : at + 1] == [path]
        or any(each.startswith(f"{path}/") for each in paths[below : below + 1])
    )
