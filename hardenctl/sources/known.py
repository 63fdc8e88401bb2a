"""What was looked at before and held nothing: versions of files that need no second look.

A git id is the hash of a version's content, so a version that held nothing for this edition of hardenctl and its
policy holds nothing now. Only that is kept, as hashes of id and path: no names, no values, and of versions that hold
something nothing at all, so that they are looked at again and every finding is made anew.

Two runs at once lose each other's work at most. `sealed` says why the file can be believed.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hardenctl.model.blob import KEY_SIZE, version_key
from hardenctl.sources import sealed
from hardenctl.sources.git import Git

_MAGIC = b"hardenctl-known-3\n"
MOST = 4_000_000  # versions: 64 MB


class Known:
    """The versions that an edition of hardenctl has looked at in one repository. `passed` counts those asked for."""

    def __init__(self, places: Collection[Path], edition: bytes) -> None:
        self._places, self._edition = tuple(places), edition
        self._keys = self._load()
        self.passed = 0
        self.paths: set[str] = set()

    @classmethod
    def of(cls, git: Git, edition: bytes) -> Known:
        """What is known of a repository."""
        return cls(sealed.places(git, "known"), edition)

    def has(self, oid: str, path: str) -> bool:
        """Whether a version under this path needs no look; it then counts as looked at."""
        if not self._keys or version_key(oid, path) not in self._keys:
            return False
        self.passed += 1
        self.paths.add(path)
        return True

    def add(self, keys: Collection[bytes]) -> None:
        """Keep what was found to hold nothing, besides what others have kept meanwhile."""
        if not keys - self._keys if isinstance(keys, frozenset | set) else not keys:
            return
        together = self._load() | set(keys)
        self._keys = together if len(together) <= MOST else set(keys)
        sealed.write(self._places, _MAGIC, self._edition, b"".join(sorted(self._keys)))

    def _load(self) -> set[bytes]:
        for place in self._places:
            body = read(place, self._edition)
            if body:
                return {body[at : at + KEY_SIZE] for at in range(0, len(body), KEY_SIZE)}
        return set()


def read(place: Path, edition: bytes | None = None) -> bytes:
    """The keys in a file; nothing where there is none, it is not to be believed, or another edition's."""
    body = sealed.read(place, _MAGIC, edition)
    return b"" if len(body) % KEY_SIZE else body
