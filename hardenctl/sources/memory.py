"""A snapshot held in memory: standard input, and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hardenctl.model.blob import Blob, Provenance, SourceKind, Standing


class MemorySnapshot:
    """Files given as path to bytes, none under version control.

    They are a whole project, so that a file may be missing from it, unless `whole` is False.
    """

    is_repository = False

    def __init__(
        self, files: Mapping[str, bytes | str], kind: SourceKind = SourceKind.STDIN, *, whole: bool = True
    ) -> None:
        self._whole = whole
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
        return self._whole or path in self._blobs

    def named(self, path: str) -> bool:
        """Everything that was given was named."""
        return path in self._blobs

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Nothing: there is no git to ask."""
        del paths
        return frozenset()
