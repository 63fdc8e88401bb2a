"""Finds every launch line of a project and resolves its settings.

Only paths are looked at before there is anything to read: most of this folder is imported by then alone, so that a
commit hook over a file that is nobody's launch line starts fast.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from hardenctl.formats import compose as compose_format
from hardenctl.formats import dockerfile as dockerfile_format
from hardenctl.formats.compose import is_development
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.formats.launch.paths import is_config, kind_of
from hardenctl.model.blob import Gap, Snapshot

DOCUMENTS = (ServerLaunch,)


def concerns(path: str) -> bool:
    """Whether a file may hold a launch line, or a setting of one."""
    return bool(
        compose_format.concerns(path) or dockerfile_format.concerns(path) or kind_of(path) or is_config(path)
    ) or posixpath.basename(path).startswith(".env")


def read(snapshot: Snapshot) -> Iterator[ServerLaunch | Gap]:
    """Every launch line once, in the order of the files; then the config files none of them uses."""
    from hardenctl.formats.launch.project import Project
    from hardenctl.formats.launch.resolve import Resolver

    project = Project(snapshot)
    yield from project.gaps
    resolver = Resolver(snapshot)
    for launch in project.launches():
        yield resolver.resolve(launch)
    container = bool(project.dockerfiles)
    for path in filter(is_config, snapshot.paths()):
        if path not in resolver.used:
            alone = resolver.unused(path, container=container, development=is_development(path))
            if alone:
                yield alone
    yield from resolver.gaps.values()
