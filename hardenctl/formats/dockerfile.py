"""Dockerfiles: stages, and what a container built from one runs, as whom, where, with which environment."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property

from hardenctl.formats.compose import is_development, is_production
from hardenctl.formats.instructions import Instruction, Item, parse_instructions
from hardenctl.formats.paths import is_dockerfile
from hardenctl.model.blob import Snapshot
from hardenctl.model.record import record, replace
from hardenctl.model.text import Span

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-+?]([^{}]*))?\}|(\w+))")


@record(slots=False, eq=False)
class Stage:
    """A build stage. `parent` is the stage it builds on, None where that is an image."""

    image: str
    image_span: Span
    name: str | None
    instructions: tuple[Instruction, ...]
    start: Instruction
    parent: Stage | None = None

    def of(self, *keywords: str) -> Iterator[Instruction]:
        """The stage's own instructions of these kinds, in order."""
        return (each for each in self.instructions if each.keyword in keywords)

    def last(self, keyword: str) -> Instruction | None:
        """The one that counts of this stage and those it builds on."""
        own = [*self.of(keyword)]
        return own[-1] if own else self.parent.last(keyword) if self.parent else None

    @cached_property
    def entrypoint(self) -> Instruction | None:
        """The ENTRYPOINT that counts; None where it is the base image's or an empty one."""
        return self.last("ENTRYPOINT")

    @cached_property
    def command(self) -> Instruction | None:
        """The CMD that counts; an ENTRYPOINT drops the CMD of what the stage builds on."""
        own = [*self.of("CMD")]
        if own:
            return own[-1]
        if self.parent is None or any(self.of("ENTRYPOINT")):
            return None
        return self.parent.command

    @property
    def user(self) -> Instruction | None:
        """The USER that counts."""
        return self.last("USER")

    @cached_property
    def environment(self) -> dict[str, Item]:
        """ENV as the container sees it: name to value and place."""
        found = dict(self.parent.environment) if self.parent else {}
        for instruction in self.of("ENV"):
            found.update({name.text: value for name, value in instruction.pairs if value is not None})
        return found

    @cached_property
    def lineage(self) -> tuple[Stage, ...]:
        """The stages this one is made of, the first one first."""
        return (*(self.parent.lineage if self.parent else ()), self)

    @cached_property
    def workdir(self) -> str:
        """The working folder; `/` where nothing sets one."""
        folder = "/"
        for stage in self.lineage:
            for instruction in stage.of("WORKDIR"):
                folder = posixpath.normpath(posixpath.join(folder, stage.expand(instruction.rest.text.strip(" \"'"))))
        return folder

    def expand(self, text: str) -> str:
        """`text` with ENV and ARG values put in; what isn't known stays as it is."""
        arguments = {
            name.text: value.text
            for stage in self.lineage
            for instruction in stage.of("ARG")
            for name, value in instruction.pairs
            if value is not None
        }

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[3]
            if name in self.environment and self.environment[name].text != match[0]:
                return self.environment[name].text
            return arguments.get(name, match[2] or match[0])

        return _VARIABLE.sub(value, text)


@record(slots=False, eq=False)
class Dockerfile:
    """A parsed Dockerfile. `arguments` are the ARGs before the first FROM.

    `scripts` are the texts of the project's files that the image starts, by what they are called. `development` says
    that its path, or a `Dockerfile.prod` beside it, keeps it out of production.
    """

    path: str
    stages: tuple[Stage, ...]
    arguments: dict[str, str]
    scripts: tuple[str, ...] = ()
    development: bool = False

    @property
    def folder(self) -> str:
        """The folder it lies in, the build context where nothing else is said; empty for the root."""
        return posixpath.dirname(self.path)

    @property
    def final(self) -> Stage:
        """The stage an image is built from where no target is named."""
        return self.stages[-1]

    def stage(self, target: str | None) -> Stage:
        """The stage of a build target; the final one where there is no such stage."""
        return next((each for each in self.stages if target and each.name == target.lower()), self.final)

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions of all stages."""
        return tuple(each for stage in self.stages for each in (stage.start, *stage.instructions))


def parse_dockerfile(path: str, text: str) -> Dockerfile | None:
    """The Dockerfile of a text; None where nothing in it is a FROM."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    named: dict[str, Stage] = {}
    start: Instruction | None = None
    body: list[Instruction] = []

    def finish() -> None:
        if start is None or not start.words:
            return
        image = start.words[0]
        expanded = _VARIABLE.sub(lambda m: arguments.get(m[1] or m[3], m[2] or m[0]), image.text)
        name = start.words[2].text.lower() if len(start.words) > 2 and start.words[1].text.lower() == "as" else None  # noqa: PLR2004 - FROM image AS name
        stage = Stage(expanded, image.span, name, tuple(body), start, named.get(expanded.lower()))
        stages.append(stage)
        if name:
            named[name] = stage

    for instruction in parse_instructions(path, text):
        if instruction.keyword == "FROM":
            finish()
            start, body = instruction, []
        elif start is not None:
            body.append(instruction)
        elif instruction.keyword == "ARG":
            arguments.update({name.text: value.text for name, value in instruction.pairs if value is not None})
    finish()
    return Dockerfile(path, tuple(stages), arguments) if stages else None


DOCUMENTS = (Dockerfile,)


def dockerfiles(snapshot: Snapshot) -> Iterator[Dockerfile]:
    """The Dockerfiles of a snapshot."""
    paths = [path for path in snapshot.paths() if is_dockerfile(path)]
    shipped = {posixpath.dirname(path) for path in paths if is_production(posixpath.basename(path))}
    for path in paths:
        blob = snapshot.read(path)
        document = parse_dockerfile(path, blob.text) if blob else None
        if document:
            twin = posixpath.dirname(path) in shipped and posixpath.basename(path).lower() == "dockerfile"
            scripts = tuple(_scripts(document, snapshot))
            yield replace(document, scripts=scripts, development=twin or is_development(path))


def _scripts(document: Dockerfile, snapshot: Snapshot) -> Iterator[str]:
    """The texts of the files whose names the final stage's ENTRYPOINT and CMD begin with."""
    names = set()
    for instruction in (document.final.entrypoint, document.final.command):
        for word in instruction.words[:2] if instruction else ():
            names.add(posixpath.basename(word.text))
    for path in snapshot.paths():
        if posixpath.basename(path) in names and (blob := snapshot.read(path)):
            yield blob.text


read = dockerfiles
