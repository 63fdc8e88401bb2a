"""What was looked at before and held nothing: versions of files that need no second look.

A git id is the hash of a version's content, so a version that held nothing for this edition of hardenctl and its
policy holds nothing now. Only that is kept, as hashes of id and path: no names, no values, and of versions that hold
something nothing at all, so that they are looked at again and every finding is made anew.

The file is in the repository's own git folder, or, where that cannot be written, in the user's cache. It is sealed
with a key that is in the user's cache alone, so that a file that came with somebody's repository counts for nothing, as
does a torn or changed one. It is replaced as a whole. Two runs at once lose each other's work at most.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Collection
from pathlib import Path

from hardenctl.model.blob import KEY_SIZE, version_key
from hardenctl.model.caches import cache_home
from hardenctl.model.errors import SourceError
from hardenctl.sources.git import Git

_MAGIC = b"hardenctl-known-2\n"
KEY_FILE = "known.key"
_HASH = 32  # bytes of SHA-256
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
        return cls(places(git), edition)

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
        body = b"".join(sorted(self._keys))
        if (seal := _seal(self._edition, body, make=True)) is None:
            return
        content = b"".join((_MAGIC, self._edition, seal, body))
        for place in self._places:
            with contextlib.suppress(OSError):
                _write(place, content)
                return

    def _load(self) -> set[bytes]:
        for place in self._places:
            body = read(place, self._edition)
            if body:
                return {body[at : at + KEY_SIZE] for at in range(0, len(body), KEY_SIZE)}
        return set()


def places(git: Git) -> tuple[Path, ...]:
    """Where a repository's file may be: in its git folder, else in the user's cache."""
    try:
        common = Path(git.folder, os.fsdecode(git.run("rev-parse", "--git-common-dir").rstrip(b"\n"))).resolve()
    except SourceError:
        return ()
    name = hashlib.sha256(os.fsencode(common)).hexdigest()[:24]
    return common / "hardenctl" / "known", cache_home() / "known" / name


def read(place: Path, edition: bytes | None = None) -> bytes:
    """The keys in a file; nothing where there is none, it is torn, or another edition's."""
    try:
        content = place.read_bytes()
    except OSError:
        return b""
    start = len(_MAGIC) + 2 * _HASH
    theirs, seal, body = content[len(_MAGIC) : start - _HASH], content[start - _HASH : start], content[start:]
    if not content.startswith(_MAGIC) or len(body) % KEY_SIZE or edition not in {None, theirs}:
        return b""
    ours = _seal(theirs, body)
    return body if ours is not None and hmac.compare_digest(ours, seal) else b""


def _seal(edition: bytes, body: bytes, *, make: bool = False) -> bytes | None:
    """What only this user can put on a file; None where there is no key."""
    place = cache_home() / KEY_FILE
    with contextlib.suppress(OSError):
        if make and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as stream:
                    stream.write(secrets.token_bytes(_HASH))
        key = place.read_bytes()
        return hmac.digest(key, edition + body, "sha256") if len(key) == _HASH else None
    return None


def _write(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f"{place.name}-", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(place)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
