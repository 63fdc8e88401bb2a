"""Finds every launch line of a project and resolves its settings."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.compose import is_development
from hardenctl.formats.launch.model import Launch, ServerLaunch
from hardenctl.formats.launch.paths import is_config, kind_of
from hardenctl.formats.launch.project import Project
from hardenctl.formats.launch.resolve import Resolver
from hardenctl.model.blob import Gap, Snapshot

DOCUMENTS = (ServerLaunch,)


def read(snapshot: Snapshot) -> Iterator[ServerLaunch | Gap]:
    """Every launch line once, in the order of the files; then the config files none of them uses."""
    project = Project(snapshot)
    yield from project.gaps
    resolver = Resolver(snapshot)
    for launch in project.launches():
        yield resolver.resolve(launch) if isinstance(launch, Launch) else launch
    container = bool(project.dockerfiles)
    for path in snapshot.paths():
        unused = resolver.unused if is_config(path) else resolver.unused_uwsgi if kind_of(path) == "uwsgi" else None
        if unused is not None and path not in resolver.used:
            alone = unused(path, container=container, development=is_development(path))
            if alone:
                yield alone
    yield from resolver.gaps.values()
