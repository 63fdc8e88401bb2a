"""The work tree: what is on disk now, tracked or about to be. A plain folder works too."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hardenctl.model.blob import Blob, Gap, Provenance, SourceKind, Standing
from hardenctl.model.errors import UsageError
from hardenctl.model.glob import glob_match
from hardenctl.sources.base import PlaceSource
from hardenctl.sources.files import Folder, KeptBlobs, Skipped, skip_by_content, skip_by_name
from hardenctl.sources.git import shown
from hardenctl.sources.ignored import ignored_in
from hardenctl.sources.listing import Entry, Listing, list_folder, list_repository
from hardenctl.sources.repository import Place

if TYPE_CHECKING:
    from hardenctl.sources.archives import Archive

MANY = 3000  # files: below, starting processes takes as long as looking at them
SHARE = 100  # files that a process looks at before it takes the next ones: few, since their sizes differ


class WorkTreeSnapshot:
    """The files of a work tree or plain folder. Listed once, read on demand."""

    def __init__(self, place: Place, exclude: Sequence[str] = (), *, submodules: bool = False) -> None:
        self._place = place
        self._submodules = submodules
        self._exclude = tuple(exclude)
        self.folder = Folder(place.root)
        self._kept = KeptBlobs(self._load_blob)

    @property
    def is_repository(self) -> bool:
        """Whether git looks after these files."""
        return self._place.git is not None

    @cached_property
    def listing(self) -> Listing:
        """All files, those that policy excludes left out and counted."""
        place = self._place
        listing = list_repository(place.git, submodules=self._submodules) if place.git else list_folder(place.root)
        listing.gaps = [
            gap for gap in listing.gaps if place.in_scope(gap.path) and not self._is_excluded(f"{gap.path}/file")
        ]
        for raw in place.named_raw:  # a file the user names is looked at even where git ignores it
            if shown(raw) not in listing.entries:
                listing.add(raw, Standing.UNTRACKED)
        listing.gaps.extend(self._passed_over(listing))
        for path in [path for path in listing.entries if self._is_excluded(path)]:
            del listing.entries[path]
            listing.skipped["excluded by policy"] += 1
        return listing

    def _passed_over(self, listing: Listing) -> Iterator[Gap]:
        """The named folders of which no file is listed though there are some: ignored by git, or a tool's."""
        for raw in self._place.folders:
            folder = shown(raw)
            inside = os.path.join(os.fsencode(self._place.root), raw)  # noqa: PTH118 - bytes
            if not any(path.startswith(f"{folder}/") for path in listing.entries) and any(
                files for _, _, files in os.walk(inside)
            ):
                yield Gap(folder, "git ignores this folder, or it is a tool's: audit it on its own")

    @cached_property
    def _sorted(self) -> Sequence[str]:
        return sorted(self.listing.entries)

    @cached_property
    def tracked(self) -> frozenset[str]:
        """The paths that git tracks."""
        return frozenset(p for p, entry in self.listing.entries.items() if entry.standing is Standing.TRACKED)

    def paths(self) -> Sequence[str]:
        """All paths, sorted, relative to the root."""
        return self._sorted

    def read(self, path: str) -> Blob | None:
        """A file's blob, or None where there is none or it could not be read."""
        return self._kept.read(path)

    def _load_blob(self, path: str) -> Blob | None:
        result = self.load(path)
        return result if isinstance(result, Blob) else None

    def load(self, path: str) -> Blob | Gap | Skipped | None:
        """A file's blob, a gap, or the reason it was left out; None where there is no such file (any more)."""
        entry = self.listing.entries.get(path)
        if entry is None:
            return None
        data = self.folder.read(entry.raw, path)
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
        """Those of the paths that the repository's ignore files cover, tracked or not."""
        return ignored_in(self._place.git, paths) if self._place.git else frozenset()

    def _is_excluded(self, path: str) -> bool:
        return any(glob_match(path, pattern) for pattern in self._exclude)


@dataclass
class FileShare:
    """Files that another process can look at, by how they are listed. None was named by the user."""

    root: Path
    entries: Sequence[Entry] = dataclasses.field(repr=False)
    skipped: Counter[str] = dataclasses.field(default_factory=Counter)
    past: bool = False

    def __len__(self) -> int:
        return len(self.entries)

    def blobs(self) -> Iterator[Blob | Gap]:
        """The files and gaps; what is binary is counted in `skipped`."""
        folder = Folder(self.root)
        for entry in self.entries:
            result = skip_by_name(entry.path) or _read(folder, entry)
            if isinstance(result, str):
                self.skipped[result] += 1
            elif result is not None:
                yield result


def _read(folder: Folder, entry: Entry) -> Blob | Gap | Skipped | None:
    data = folder.read(entry.raw, entry.path)
    if not isinstance(data, bytes):
        return data
    return skip_by_content(data) or Blob(Provenance(entry.path, SourceKind.WORKTREE, entry.standing), data)


class WorkTreeSource(PlaceSource):
    """Every file of the work tree that was asked for."""

    kind = SourceKind.WORKTREE

    def __init__(
        self,
        place: Place,
        *,
        exclude: Sequence[str] = (),
        salt: bytes | None = None,
        submodules: bool = False,
        jobs: int = 1,
    ) -> None:
        super().__init__(place, exclude=exclude, salt=salt)
        self.jobs = jobs
        if place.bare:
            raise UsageError("a bare repository has no files", help="audit it with `--history` or `--since REV`")
        self._snapshot = WorkTreeSnapshot(place, exclude, submodules=submodules)

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were left out on purpose, by reason."""
        return self._snapshot.listing.skipped + self._skipped

    def blobs(self) -> Iterator[Blob | Gap]:
        """Each file in scope; what could not be read is a gap, what is binary is counted as skipped."""
        self._skipped.clear()
        yield from self._unlisted()
        yield from self.sift(map(self._look, self._in_scope))

    def shares(self) -> Iterator[Blob | Gap | FileShare]:
        """As `blobs`; where there may be several processes, many files are in shares, but for those that were named."""
        if self.jobs <= 1 or len(self._in_scope) < MANY:
            yield from self.blobs()
            return
        self._skipped.clear()
        yield from self._unlisted()
        named, listed = self._snapshot.named, self._snapshot.listing.entries
        yield from self.sift(self._look(path) for path in self._in_scope if named(path))
        entries = [listed[path] for path in self._in_scope if not named(path)]
        for start in range(0, len(entries), SHARE):
            yield FileShare(self._place.root, entries[start : start + SHARE])

    @cached_property
    def _in_scope(self) -> list[str]:
        return list(filter(self._snapshot.in_scope, self._snapshot.paths()))

    def state(self) -> bytes | None:
        """All that the outcome of looking at these files depends on; None where that cannot be told."""
        from hardenctl.sources.remembered import files_state, ignore_state

        if self._place.git is None:
            return None
        listing = self._snapshot.listing
        files = files_state(self._place.root, (entry.raw for entry in listing.entries.values()))
        standings = [(path, entry.standing.value) for path, entry in listing.entries.items()]
        listed = repr((standings, sorted(listing.skipped.items()), listing.gaps)).encode("utf-8", "surrogatepass")
        return None if files is None else b"\0".join((files, listed, ignore_state(self._place.git)))

    def archives(self) -> Iterator[Archive | Gap]:
        """The archives in scope, by their names or what they begin with."""
        from hardenctl.sources.archives import Archive, is_archive, is_packed, may_be_archive

        for path in self._in_scope:
            if not (may_be_archive(path) or self._snapshot.named(path)):
                continue
            entry = self._snapshot.listing.entries[path]
            stream = self._snapshot.folder.stream(entry.raw)
            if stream is None:
                continue  # gone, a link, or unreadable, which is said where all files are looked at
            with stream:
                size, head = os.fstat(stream.fileno()).st_size, stream.read(512)
            if head and (is_archive(path) or is_packed(head)):
                opened = functools.partial(self._snapshot.folder.open, entry.raw)
                yield Archive(Provenance(path, self.kind, entry.standing), size, opened)

    def _unlisted(self) -> Iterator[Gap]:
        in_scope = self._snapshot.in_scope
        return (gap for gap in self._snapshot.listing.gaps if in_scope(gap.path) or in_scope(f"{gap.path}/"))

    def snapshot(self) -> WorkTreeSnapshot:
        """The work tree itself."""
        return self._snapshot

    def _look(self, path: str) -> Blob | Gap | Skipped | None:
        if reason := skip_by_name(path):
            return self._left_out(path, reason)
        result = self._snapshot.load(path)
        if isinstance(result, Blob) and (reason := skip_by_content(result.data)):
            result = reason
        return self._left_out(path, result) if isinstance(result, str) else result

    def _left_out(self, path: str, reason: Skipped) -> Gap | Skipped:
        """The reason; a gap where the user named this very file: passing over what was asked for must not pass."""
        if not self._snapshot.named(path) or (self.unpacked and self._is_archive(path)):
            return reason
        advice = {"symbolic link": ": name the file itself", "binary": ": there is no text to look at"}
        return Gap(path, reason + advice.get(reason, ""))

    def _is_archive(self, path: str) -> bool:
        return any(not isinstance(each, Gap) and each.provenance.path == path for each in self.archives())
