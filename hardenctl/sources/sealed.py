"""Files of ours that count only where this user wrote them, whole: each is sealed with a key in the user's cache.

So a file that came with somebody's repository counts for nothing, as does a torn or changed one. They are replaced as a
whole. A file says what it is by a `magic`, and what it is about by a `label` of 32 bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from hardenctl.model.caches import cache_home
from hardenctl.model.errors import SourceError
from hardenctl.model.files import read_small, replace_file
from hardenctl.sources.git import Git

KEY_FILE = "known.key"
SIZE = 32  # bytes of a label, a seal and the key
LARGEST = 128 << 20  # bytes: nothing of ours is larger


def places(git: Git, name: str) -> tuple[Path, ...]:
    """Where a repository's file of a name may be: in its git folder, else in the user's cache.

    A git folder that came with somebody's files may hold a link where ours would be: it leads nowhere we write.
    """
    try:
        common = Path(git.folder, os.fsdecode(git.run("rev-parse", "--git-common-dir").rstrip(b"\n"))).resolve()
    except SourceError:
        return ()
    project = hashlib.sha256(os.fsencode(common)).hexdigest()[:24]
    own, users = common / "hardenctl" / name, cache_home() / "known" / f"{project}-{name}"
    return (users,) if os.path.realpath(own) != os.fspath(own) else (own, users)


def read(place: Path, magic: bytes, label: bytes | None = None) -> bytes:
    """What a file holds; nothing where there is none, it is torn, not ours, or about something else."""
    try:
        content = read_small(place, place.parent, LARGEST)  # a pipe in its place must not keep us waiting
    except OSError:
        return b""
    start = len(magic) + 2 * SIZE
    theirs, seal, body = content[len(magic) : start - SIZE], content[start - SIZE : start], content[start:]
    if not content.startswith(magic) or label not in {None, theirs}:
        return b""
    ours = _seal(magic + theirs + body)
    return body if ours is not None and hmac.compare_digest(ours, seal) else b""


def write(places: Iterable[Path], magic: bytes, label: bytes, body: bytes) -> None:
    """Write a file at the first place that can be written; nowhere, where none can."""
    if (seal := _seal(magic + label + body, make=True)) is None:
        return
    for place in places:
        with contextlib.suppress(OSError):
            if os.path.lexists(place) and not stat.S_ISREG(os.lstat(place).st_mode):
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            replace_file(place, b"".join((magic, label, seal, body)))
            return


def _seal(content: bytes, *, make: bool = False) -> bytes | None:
    """What only this user can put on a file; None where there is no key."""
    place = cache_home() / KEY_FILE
    with contextlib.suppress(OSError):
        if make and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as stream:
                    stream.write(secrets.token_bytes(SIZE))
        key = place.read_bytes()
        return hmac.digest(key, content, "sha256") if len(key) == SIZE else None
    return None
