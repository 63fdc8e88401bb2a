"""Text into positioned documents. No opinions, and the user's code is never executed.

This table is all that a run imports before there is something to read: a reader's module costs up to 40 ms.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

from hardenctl.formats.launch.paths import is_config, kind_of
from hardenctl.formats.paths import GITIGNORE, GUIDES, is_compose, is_dockerfile, is_env_file
from hardenctl.model.blob import Snapshot


class Reader:
    """What reads a kind of document: `module.read(snapshot)` yields the `documents`, and a Gap for what it can't parse.

    `concerns` says by path whether a file can change a document. Where `missing` names files, a document is about
    them even if they aren't there, and only wanted where one of them is in scope.
    """

    def __init__(
        self, module: str, *documents: str, concerns: Callable[[str], bool], missing: tuple[str, ...] = ()
    ) -> None:
        self.module = module
        self.documents = documents
        self.concerns = concerns
        self.missing = missing

    def is_wanted(self, snapshot: Snapshot, scope: Collection[str]) -> bool:
        """Whether one of the paths in scope can change a document."""
        return any(map(self.concerns, scope)) and (not self.missing or any(map(snapshot.in_scope, self.missing)))

    def read(self, snapshot: Snapshot) -> Iterator[Any]:
        """The documents of a snapshot, and the gaps."""
        yield from importlib.import_module(self.module).read(snapshot)


def _env(path: str) -> bool:
    return is_env_file(path) or path.rpartition("/")[2] == GITIGNORE


def _copied(path: str) -> bool:
    return is_dockerfile(path) or path.endswith(".dockerignore") or is_compose(path) or is_env_file(path)


def _cors(path: str) -> bool:
    """Python, and the files that configure variables or pin versions."""
    name = path.rpartition("/")[2]
    return name.endswith((".py", ".env", ".yml", ".yaml", ".toml", ".txt", ".lock", ".cfg")) or name.startswith(
        (".env", "Dockerfile", "Pipfile")
    )


def _launch(path: str) -> bool:
    """What may hold a launch line, or a setting of one."""
    name = path.rpartition("/")[2]
    return is_compose(path) or is_dockerfile(path) or bool(kind_of(path)) or is_config(path) or name.startswith(".env")


def _any(path: str) -> bool:
    return bool(path)


READERS: tuple[Reader, ...] = (
    Reader("hardenctl.formats.envfile", "EnvironmentFile", concerns=_env),
    Reader("hardenctl.formats.ignore", "IgnoreCoverage", concerns=_any, missing=(GITIGNORE,)),
    Reader("hardenctl.formats.dockerignore", "ContextCopy", concerns=_copied),
    Reader("hardenctl.formats.compose", "ComposeFile", concerns=is_compose),
    Reader("hardenctl.formats.cors", "CorsSetup", concerns=_cors),
    Reader("hardenctl.formats.dockerfile", "Dockerfile", concerns=is_dockerfile),
    Reader("hardenctl.formats.launch.reader", "ServerLaunch", concerns=_launch),
    Reader("hardenctl.formats.project_docs", "Documentation", concerns=_any, missing=GUIDES),
)
