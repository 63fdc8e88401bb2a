"""Blobs, where they come from, and the state of a project they make together."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from hardenctl.model.record import field, record
from hardenctl.model.text import Lines, decode

if TYPE_CHECKING:
    from hardenctl.model.finding import Finding


class SourceKind(enum.StrEnum):
    """Where blobs come from, as the report names it."""

    WORKTREE = "worktree"
    INDEX = "index"
    RANGE = "range"
    HISTORY = "history"
    STDIN = "stdin"
    LIVE = "live"  # a running application: no blobs at all


class Standing(enum.Enum):
    """What git thinks of a file."""

    TRACKED = "tracked"
    UNTRACKED = "untracked"  # neither tracked nor ignored: the next `git add .` takes it. All files of a plain folder
    IGNORED = "ignored"  # looked at for weakness, but no leak


KEY_SIZE = 16  # bytes
VersionKey = bytes


def version_key(oid: str, path: str) -> VersionKey:
    """What stands for one version of a file under one name, wherever such are remembered."""
    import hashlib

    return hashlib.blake2b(f"{oid}\0{path}".encode("utf-8", "surrogatepass"), digest_size=KEY_SIZE).digest()


@record
class Commit:
    """Who introduced a blob. `date` is ISO 8601."""

    id: str
    author: str
    date: str


@record
class Provenance:
    """Where a blob came from. `path` is relative to the audited root, with `/`; `oid` is git's blob id when known."""

    path: str
    kind: SourceKind = SourceKind.WORKTREE
    standing: Standing = Standing.TRACKED
    oid: str | None = None
    commit: Commit | None = None


@record(slots=False)
class Blob:
    """The bytes of one file version, with where it came from."""

    provenance: Provenance
    data: bytes = field(repr=False)

    @classmethod
    def empty(cls, path: str) -> Blob:
        """A file that isn't there: what a finding about something missing points at."""
        return cls(Provenance(path), b"")

    @property
    def path(self) -> str:
        """The path relative to the audited root."""
        return self.provenance.path

    @cached_property
    def text(self) -> str:
        """The decoded text; all spans count its characters."""
        return decode(self.data)

    @property
    def utf8(self) -> bytes:
        """`text` in UTF-8: mostly `data` itself, which costs nothing."""
        data, text = self.data, self.text
        if len(data) == len(text) and data.isascii():
            return data
        return text.encode("utf-8", "surrogatepass")

    @cached_property
    def lines(self) -> Lines:
        """The line table of `text`."""
        return Lines(self.text)


@record
class Gap:
    """Something that was asked for and could not be looked at. Reported, never silence."""

    path: str
    reason: str


class Snapshot(Protocol):
    """One state of a project (the work tree, or the index) that documents are read from.

    Cross-file questions are asked of the whole snapshot; findings are only wanted for paths `in_scope`.
    """

    @property
    def is_repository(self) -> bool:
        """Whether version control looks after these files."""
        ...

    def paths(self) -> Sequence[str]:
        """All paths, sorted, relative to the root."""
        ...

    def read(self, path: str) -> Blob | None:
        """A file's blob, or None where there is none or it could not be read."""
        ...

    def in_scope(self, path: str) -> bool:
        """Whether findings at this path were asked for."""
        ...

    def named(self, path: str) -> bool:
        """Whether the user named this very file, so that not being able to parse it matters."""
        ...

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of the paths (existing or not) that git would ignore, asked of git; empty in a plain folder."""
        ...


def scope_of(snapshot: Snapshot) -> list[str]:
    """The paths in scope. What is missing matters too: of the index and a range, those that are gone are among them."""
    asked: Iterable[str] | None = getattr(snapshot, "asked", None)  # known without listing all of it
    return [path for path in (snapshot.paths() if asked is None else asked) if snapshot.in_scope(path)]


@record
class Target:
    """What a report is about. `commit` is HEAD's id, None before the first commit or outside git."""

    path: str
    kind: SourceKind
    commit: str | None = None


class Share(Protocol):
    """A part of a source's blobs that another process may look at. It is pickled on its way there."""

    skipped: Counter[str]  # how many were left out on purpose, by reason; counted while `blobs` runs
    past: bool  # versions in a history: findings repeat, and few of them are told

    def __len__(self) -> int:
        """About how many blobs it has."""
        ...

    def blobs(self) -> Iterator[Blob | Gap]:
        """The blobs; successive versions of one path follow each other."""
        ...


class Source(Protocol):
    """What yields blobs. Each blob is yielded once; what could not be read is yielded as a gap.

    One that has many blobs may have `shares()`, which yields the same as `blobs()` with most of it in `Share`s.
    """

    @property
    def target(self) -> Target:
        """What is looked at."""
        ...

    @property
    def salt(self) -> bytes:
        """The repository's own salt for fingerprints of secrets: the same in CI and on every laptop."""
        ...

    def blobs(self) -> Iterator[Blob | Gap]:
        """The blobs that secrets are looked for in."""
        ...

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Add what only git knows (first commit, author, occurrences), for blobs that hit; and merge repeats."""
        ...

    def snapshot(self) -> Snapshot | None:
        """The state that configuration rules judge; None where there is no such state (history, standard input)."""
        ...
