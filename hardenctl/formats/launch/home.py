"""Which folder of the repository fills the working folder of a process, where that is plain.

A file that a fix writes is of use only where the process finds it: no guess is good enough here, other than for
reading, where `folders` has them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from hardenctl.formats.compose import Service
from hardenctl.formats.dockerfile import Stage
from hardenctl.formats.dockerignore import DockerIgnore
from hardenctl.formats.launch.find import relative
from hardenctl.formats.launch.paths import DEFAULT_CONFIG
from hardenctl.formats.yaml import Scalar
from hardenctl.model.blob import Snapshot

_SELECTING = frozenset(("from", "exclude", "parents"))  # flags after which not the whole folder of the context comes


def process_home(snapshot: Snapshot, service: Service | None, image: tuple[Stage, str] | None) -> str | None:
    """The folder whose `gunicorn.conf.py` lies where a container's process runs; None where that isn't plain.

    `image` is the stage and the folder it is built from, `service` what runs it.
    """
    workdir = image[0].workdir if image else None
    given = service.node.get("working_dir") if service else None
    if isinstance(given, Scalar):
        workdir = posixpath.normpath(posixpath.join(workdir or "/", given.text))
    if workdir is None or "$" in workdir:
        return None
    mounts = [each for each in service.mounts if _below(workdir, each.target)] if service else []
    if service and mounts:
        mount = max(mounts, key=lambda each: len(each.target))
        rest = posixpath.relpath(workdir, mount.target)
        folder = relative(posixpath.join(service.folder, mount.source or "", rest))
        return folder if (mount.source or "").startswith(".") and _is_folder(snapshot, folder) else None
    return next(_copied(snapshot, *image, workdir), None) if image else None


def _copied(snapshot: Snapshot, stage: Stage, context: str, workdir: str) -> Iterator[str]:
    """The folders whose `gunicorn.conf.py` the COPY and ADD lines put into the working folder, the latest first."""
    found: list[str] = []
    here = "/"
    for part in stage.lineage:
        for instruction in part.of("WORKDIR", "COPY", "ADD"):
            if instruction.keyword == "WORKDIR":
                here = posixpath.normpath(posixpath.join(here, part.expand(instruction.rest.text.strip(" \"'"))))
            elif not _SELECTING & instruction.flags.keys():
                *sources, target = [word.text for word in instruction.words] or [""]
                base = posixpath.normpath(posixpath.join(here, part.expand(target)))
                inside = len(sources) > 1 or target.endswith(("/", "."))
                found += (
                    folder
                    for source in sources
                    if (folder := _source(snapshot, context, source, base, workdir, inside=inside)) is not None
                )
    yield from (each for each in reversed(found) if not _is_ignored(snapshot, context, each))


def _source(snapshot: Snapshot, context: str, source: str, base: str, workdir: str, *, inside: bool) -> str | None:
    """The folder that copying one source to `base` fills the working folder from."""
    if "$" in source or "*" in source or ":" in source or ".." in source:
        return None
    path = relative(posixpath.join(context, source.lstrip("/") or "."))
    if posixpath.basename(path) == DEFAULT_CONFIG:
        return posixpath.dirname(path) if (base if inside else posixpath.dirname(base)) == workdir else None
    if not _below(workdir, base):
        return None
    folder = relative(posixpath.join(path, posixpath.relpath(workdir, base)))
    return folder if _is_folder(snapshot, folder) else None


def _is_folder(snapshot: Snapshot, path: str) -> bool:
    return not path or any(each.startswith(f"{path}/") for each in snapshot.paths())


def _is_ignored(snapshot: Snapshot, context: str, folder: str) -> bool:
    """Whether the build leaves a config file of the folder out."""
    blob = snapshot.read(posixpath.join(context, ".dockerignore"))
    file = posixpath.join(folder, DEFAULT_CONFIG)
    return blob is not None and DockerIgnore.parse(blob.text).excludes(posixpath.relpath(file, context or "."))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
