"""A snapshot whose files are objects in git's store: the index, or a commit's tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from hardenctl.model.blob import Blob, Gap, Provenance, SourceKind, Standing
from hardenctl.model.glob import glob_match
from hardenctl.sources.base import PlaceSource
from hardenctl.sources.files import KeptBlobs, skip_by_content, skip_by_name
from hardenctl.sources.git import shown
from hardenctl.sources.ignored import ignored_by
from hardenctl.sources.listing import LEFT_OUT, Entry
from hardenctl.sources.objects import ObjectReader
from hardenctl.sources.repository import Place
from hardenctl.sources.revisions import Revisions


class ObjectSnapshot:
    """Files by path, read from git's store on demand. `scope` are the paths that were asked for, None for all."""

    is_repository = True

    def __init__(
        self,
        place: Place,
        kind: SourceKind,
        entries: Callable[[], Mapping[str, Entry]],
        *,
        scope: frozenset[str] | None,
        exclude: Sequence[str] = (),
    ) -> None:
        self._place = place
        self._kind = kind
        self._exclude = tuple(exclude)
        self._list = entries
        self._scope = scope
        self._reader = ObjectReader(place.repository)
        self._kept = KeptBlobs(self._load)

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        return {path: entry for path, entry in self._list().items() if not self._is_excluded(path)}

    @cached_property
    def _sorted(self) -> Sequence[str]:
        return sorted(self._entries)

    def paths(self) -> Sequence[str]:
        """All paths, sorted, relative to the root."""
        return self._sorted

    @property
    def asked(self) -> Sequence[str] | None:
        """The paths in scope, those that are there no more among them; None for all there are."""
        return None if self._scope is None else sorted(filter(self.in_scope, self._scope))

    def read(self, path: str) -> Blob | None:
        """A file's blob, or None where there is none or it could not be read."""
        return self._kept.read(path)

    def keep(self, blob: Blob) -> None:
        """Hold on to a blob that was read already."""
        self._kept.keep(blob)

    def _load(self, path: str) -> Blob | None:
        entry = self._entries.get(path)
        if entry is None or entry.oid is None:
            return None
        found = self._reader.read(entry.oid)
        if not isinstance(found.data, bytes):
            return None
        return Blob(Provenance(path, self._kind, entry.standing, entry.oid), found.data)

    def in_scope(self, path: str) -> bool:
        """Whether findings at this path were asked for."""
        return (
            (self._scope is None or path in self._scope) and self._place.in_scope(path) and not self._is_excluded(path)
        )

    def named(self, path: str) -> bool:
        """Whether the user named this very file."""
        return self._place.named(path)

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of the paths that this state's own `.gitignore` files cover."""
        files = {path: self.read(path) for path in self._entries if path.rpartition("/")[2] == ".gitignore"}
        return ignored_by({path: blob.data for path, blob in files.items() if blob}, paths)

    def _is_excluded(self, path: str) -> bool:
        return any(glob_match(path, pattern) for pattern in self._exclude)


def tree_snapshot(place: Place, kind: SourceKind, revisions: Revisions, exclude: Sequence[str] = ()) -> ObjectSnapshot:
    """The tree of the newest commit; in scope is what differs from `base`, all of it where there is none."""
    git, tip, base = place.repository, revisions.tip, revisions.base
    if tip is None:
        scope = frozenset[str]() if kind is SourceKind.RANGE else None  # a range of no commits changes no file
        return ObjectSnapshot(place, kind, dict, scope=scope, exclude=exclude)
    entries: dict[str, Entry] = {}
    for record in git.run("ls-tree", "-r", "-z", tip).split(b"\0")[:-1]:
        meta, _, raw = record.partition(b"\t")
        mode, _kind, oid = meta.split(b" ")
        if mode not in LEFT_OUT:
            path = shown(raw)
            entries[path] = Entry(path, raw, Standing.TRACKED, oid.decode())
    scope = None
    if base is not None:
        changed = git.run("diff-tree", "-r", "--name-only", "-z", "--no-renames", "--relative", base, tip)
        scope = frozenset(shown(raw) for raw in changed.split(b"\0")[:-1])
    return ObjectSnapshot(place, kind, lambda: entries, scope=scope, exclude=exclude)


class TreeSource(PlaceSource):
    """The files of one commit that another changed: what was there before."""

    kind = SourceKind.RANGE

    def __init__(
        self, place: Place, base: str, tip: str, *, exclude: Sequence[str] = (), salt: bytes | None = None
    ) -> None:
        super().__init__(place, exclude=exclude, salt=salt)
        self._snapshot = tree_snapshot(place, self.kind, Revisions((), base, tip), exclude)

    def blobs(self) -> Iterator[Blob | Gap]:
        """The files in scope that are text."""
        for path in self._snapshot.asked or ():
            blob = None if skip_by_name(path) else self._snapshot.read(path)
            if blob and not skip_by_content(blob.data):
                yield blob

    def snapshot(self) -> ObjectSnapshot:
        """The commit's tree."""
        return self._snapshot
