"""The past beside the present: env files that some commit held and the present state does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from hardenctl.formats.paths import is_env_file
from hardenctl.model.address import address
from hardenctl.model.blob import Blob, Provenance, Snapshot, SourceKind
from hardenctl.sources.git import Git
from hardenctl.sources.objects import ObjectReader


class PastSnapshot:
    """A present snapshot, and past versions of env files beside it: blob id to path."""

    def __init__(self, present: Snapshot, git: Git, kind: SourceKind, past: Mapping[str, str]) -> None:
        self._present = present
        self._kind = kind
        self._past = {address(oid, path): oid for oid, path in past.items() if is_env_file(path)}
        self._reader = ObjectReader(git)

    @property
    def is_repository(self) -> bool:
        """As the present."""
        return self._present.is_repository

    @cached_property
    def _sorted(self) -> Sequence[str]:
        return sorted((*self._present.paths(), *self._past))

    def paths(self) -> Sequence[str]:
        """All paths, past addresses among them, sorted."""
        return self._sorted

    @property
    def asked(self) -> Sequence[str] | None:
        """As the present, and the past versions."""
        asked: Sequence[str] | None = getattr(self._present, "asked", None)
        return None if asked is None else [*asked, *self._past]

    def read(self, path: str) -> Blob | None:
        """A file's blob, or None where there is none or it could not be read."""
        oid = self._past.get(path)
        if oid is None:
            return self._present.read(path)
        data = self._reader.read(oid).data
        return Blob(Provenance(path, self._kind, oid=oid), data) if isinstance(data, bytes) else None

    def in_scope(self, path: str) -> bool:
        """Whether findings at this path were asked for."""
        return path in self._past or self._present.in_scope(path)

    def named(self, path: str) -> bool:
        """Whether the user named this very file."""
        return self._present.named(path)

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """As the present."""
        return self._present.ignored(paths)
