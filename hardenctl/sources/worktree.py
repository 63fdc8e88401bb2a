"""The work tree: what is on disk now, tracked or about to be. A plain folder works too."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from hardenctl.model.blob import Blob, Gap, Provenance, SourceKind, Standing, Target
from hardenctl.model.finding import Finding
from hardenctl.model.glob import glob_match
from hardenctl.sources.files import Folder, skip_by_content, skip_by_name
from hardenctl.sources.git import shown
from hardenctl.sources.listing import Listing, list_folder, list_repository
from hardenctl.sources.repository import Place, check_ignored

KEPT = 512  # small blobs a snapshot holds on to, since several readers ask for the same file
SMALL = 1 << 20  # bytes


class WorkTreeSnapshot:
    """The files of a work tree or plain folder. Listed once, read on demand."""

    def __init__(self, place: Place, exclude: Sequence[str] = ()) -> None:
        self._place = place
        self._exclude = tuple(exclude)
        self._folder = Folder(place.root)
        self._kept: OrderedDict[str, Blob] = OrderedDict()

    @property
    def is_repository(self) -> bool:
        """Whether git looks after these files."""
        return self._place.git is not None

    @cached_property
    def listing(self) -> Listing:
        """All files, those that policy excludes left out and counted."""
        place = self._place
        listing = list_repository(place.git) if place.git else list_folder(place.root)
        for raw in place.named_raw:  # a file the user names is looked at even where git ignores it
            if shown(raw) not in listing.entries:
                listing.add(raw, Standing.UNTRACKED)
        for path in [path for path in listing.entries if self._is_excluded(path)]:
            del listing.entries[path]
            listing.skipped["excluded by policy"] += 1
        return listing

    @cached_property
    def _sorted(self) -> Sequence[str]:
        return sorted(self.listing.entries)

    def paths(self) -> Sequence[str]:
        """All paths, sorted, relative to the root."""
        return self._sorted

    def read(self, path: str) -> Blob | None:
        """A file's blob, or None where there is none or it could not be read."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        result = self.load(path)
        if not isinstance(result, Blob):
            return None
        if len(result.data) <= SMALL:
            self._kept[path] = result
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return result

    def load(self, path: str) -> Blob | Gap | str | None:
        """A file's blob, a gap, or the reason it was left out; None where there is no such file (any more)."""
        entry = self.listing.entries.get(path)
        if entry is None:
            return None
        data = self._folder.read(entry.raw, path)
        if not isinstance(data, bytes):
            return data
        return Blob(Provenance(path, SourceKind.WORKTREE, entry.standing), data)

    def in_scope(self, path: str) -> bool:
        """Whether findings at this path were asked for; also of a path where there is no file."""
        return self._place.in_scope(path) and not self._is_excluded(path)

    def named(self, path: str) -> bool:
        """Whether the user named this very file."""
        return self._place.named(path)

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of the paths that git would ignore if they were not tracked."""
        return check_ignored(self._place.git, paths) if self._place.git else frozenset()

    def _is_excluded(self, path: str) -> bool:
        return any(glob_match(path, pattern) for pattern in self._exclude)


class WorkTreeSource:
    """Every file of the work tree that was asked for."""

    def __init__(self, place: Place, *, exclude: Sequence[str] = (), salt: bytes | None = None) -> None:
        self._place = place
        self._salt = salt
        self._snapshot = WorkTreeSnapshot(place, exclude)
        self._skipped: Counter[str] = Counter()

    @cached_property
    def target(self) -> Target:
        """The work tree."""
        return Target(self._place.shown_root, SourceKind.WORKTREE, self._place.head)

    @cached_property
    def salt(self) -> bytes:
        """The baseline's salt, else the remote's."""
        return self._salt if self._salt is not None else self._place.salt

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were left out on purpose, by reason."""
        return self._snapshot.listing.skipped + self._skipped

    def blobs(self) -> Iterator[Blob | Gap]:
        """Each file in scope; what could not be read is a gap, what is binary is counted as skipped."""
        self._skipped.clear()
        yield from (gap for gap in self._snapshot.listing.gaps if self._snapshot.in_scope(gap.path))
        for path in self._snapshot.paths():
            if not self._snapshot.in_scope(path):
                continue
            reason = skip_by_name(path)
            result = reason or self._snapshot.load(path)
            if isinstance(result, Blob):
                reason = skip_by_content(result.data)
            elif isinstance(result, str):
                reason = result
            if reason:
                self._skipped[reason] += 1
            elif isinstance(result, Blob | Gap):
                yield result

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings as they are: the work tree has no history."""
        return findings

    def snapshot(self) -> WorkTreeSnapshot:
        """The work tree itself."""
        return self._snapshot
