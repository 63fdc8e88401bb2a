"""A snapshot held in memory: standard input, and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hardenctl.model.blob import Blob, Provenance, SourceKind, Standing


class MemorySnapshot:
    """Files given as path to bytes; all in scope, none under version control."""

    is_repository = False

    def __init__(self, files: Mapping[str, bytes | str], kind: SourceKind = SourceKind.STDIN) -> None:
        self._blobs = {
            path: Blob(
                Provenance(path, kind, Standing.UNTRACKED), data.encode("utf-8") if isinstance(data, str) else data
            )
            for path, data in files.items()
        }

    def paths(self) -> Sequence[str]:
        """All paths, sorted."""
        return sorted(self._blobs)

    def read(self, path: str) -> Blob | None:
        """A file's blob, None where there is none."""
        return self._blobs.get(path)

    def in_scope(self, path: str) -> bool:
        """Everything that was given was asked for."""
        del path
        return True

    def named(self, path: str) -> bool:
        """Everything that was given was named."""
        return path in self._blobs

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Nothing: there is no git to ask."""
        del paths
        return frozenset()
