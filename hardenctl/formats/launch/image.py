"""What an image starts, and where in the repository a path of its container comes from."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from hardenctl.formats.compose import is_development
from hardenctl.formats.dockerfile import Dockerfile, Stage
from hardenctl.formats.instructions import Instruction, Item
from hardenctl.formats.launch.find import Setting, launches_in_argv, launches_in_script
from hardenctl.formats.launch.model import Launch
from hardenctl.formats.launch.program import Argv
from hardenctl.formats.shell.values import Scope, Value
from hardenctl.formats.shell.words import Word, literal_word
from hardenctl.formats.strand import Strand


def image_environment(stage: Stage) -> dict[str, Value]:
    """ENV as values: set in the image, changeable at start."""
    return {
        name: Value(stage.expand(item.text), configurable=True, span=item.span)
        for name, item in stage.environment.items()
    }


def exec_words(instruction: Instruction) -> list[tuple[Word, Value]]:
    """The words of an exec form."""
    return [(literal_word(_content(instruction, item)), Value(item.text)) for item in instruction.items or ()]


def image_launches(stage: Stage, setting: Setting) -> Iterator[Launch]:
    """What the image of a stage starts: its ENTRYPOINT with its CMD, or its CMD behind an entrypoint script."""
    entrypoint, command = stage.entrypoint, stage.command
    if entrypoint is not None and entrypoint.items is None:
        yield from launches_in_script(entrypoint.rest, setting)
        return
    first = exec_words(entrypoint) if entrypoint else []
    if command is None:
        if entrypoint is not None:
            yield from launches_in_argv(first, setting, entrypoint.span, literal=True)
        return
    if command.items is None:
        yield from launches_in_script(command.rest, setting)
        return
    own = exec_words(command)
    both = [*launches_in_argv([*first, *own], setting, command.span, literal=True)] if first else []
    yield from both or launches_in_argv(own, setting, command.span, literal=True)


def started_scripts(argv: Argv) -> Iterator[str]:
    """Base names of the files a command may start: what their environment is follows from it."""
    for _, value in argv:
        if value.text and not value.text.startswith("-"):
            yield posixpath.basename(value.text)


def launch_stages(dockerfile: Dockerfile) -> Iterator[Stage]:
    """The stages that start something of their own, the shipped one first; what they only inherit is not repeated.

    What a stage for development inherits is told of the stage that it has it from.
    """
    seen: set[tuple[int, int]] = set()
    for stage in sorted(_latest_first(dockerfile), key=is_development_stage):
        pair = (id(stage.entrypoint), id(stage.command))
        if (stage.entrypoint is None and stage.command is None) or pair in seen:
            continue
        seen.add(pair)
        yield stage


def shipped_stage(dockerfile: Dockerfile) -> Stage:
    """The last stage, or the last one before those for development."""
    return min(_latest_first(dockerfile), key=is_development_stage)


def _latest_first(dockerfile: Dockerfile) -> list[Stage]:
    return [*reversed(dockerfile.stages)]


def is_development_stage(stage: Stage) -> bool:
    """Whether the stage's name says development."""
    return bool(stage.name and is_development(stage.name))


def host_folders(stage: Stage, context: str) -> tuple[str, ...]:
    """Folders of the repository that the working folder of a container is filled from, the latest copy first."""
    return tuple(dict.fromkeys(host_paths(stage, context, stage.workdir)))


def host_paths(stage: Stage, context: str, inside: str) -> Iterator[str]:
    """Where in the repository a path of the container may come from, by the COPY and ADD of its stages."""
    workdir = stage.workdir
    for each in reversed(stage.lineage):
        for instruction in reversed([*each.of("COPY", "ADD")]):
            if "from" in instruction.flags or len(instruction.words) < 2:  # noqa: PLR2004 - a source and a target
                continue
            *sources, target = (word.text for word in instruction.words)
            base = posixpath.normpath(posixpath.join(workdir, each.expand(target)))
            for source in sources:
                yield from _origin(context, source, base, inside, slash=target.endswith(("/", ".")))


def _origin(context: str, source: str, base: str, inside: str, *, slash: bool) -> Iterator[str]:
    """The repository path of `inside` if copying `source` to `base` put it there."""
    clean = posixpath.normpath(source.lstrip("/") or ".")
    root = "" if clean in (".", "*") else clean
    if inside == base or inside.startswith(base.rstrip("/") + "/"):
        rest = posixpath.relpath(inside, base)
        if slash and posixpath.basename(root) == rest:
            yield posixpath.normpath(posixpath.join(context, root))
        joined = posixpath.normpath(posixpath.join(context, root, "" if rest == "." else rest))
        yield "" if joined == "." else joined
    elif base.startswith(inside.rstrip("/") + "/") and not slash:
        # a part of the folder comes from elsewhere: COPY src/app /code/app while the folder is /code
        tail = posixpath.relpath(base, inside)
        if root == tail or root.endswith("/" + tail):
            joined = posixpath.normpath(posixpath.join(context, root[: -len(tail)]))
            yield "" if joined == "." else joined


def _content(instruction: Instruction, item: Item) -> Strand:
    """The strand of an exec form's string; escapes make its characters stand closer than the source's."""
    span = item.span
    if span.end - span.start == len(item.text):
        return Strand(span.path, item.text, range(span.start, span.end + 1))
    rest = instruction.rest
    first = next((index for index, place in enumerate(rest.places) if place >= span.start), 0)
    places, at = [], first
    for _ in item.text:
        if rest.text[at : at + 1] == "\\":
            at += 5 if rest.text[at + 1 : at + 2] == "u" else 1
        places.append(rest.places[min(at, len(rest.text))])
        at += 1
    return Strand(span.path, item.text, [*places, span.end])


def merged_scope(*scopes: Scope) -> dict[str, Value]:
    """Environments put together, later ones on top."""
    found: dict[str, Value] = {}
    for scope in scopes:
        found.update(scope)
    return found
