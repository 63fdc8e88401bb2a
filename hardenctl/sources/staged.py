"""The index: what the next commit will hold, never what the work tree happens to hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from hardenctl.model.blob import Blob, Gap, Provenance, SourceKind, Standing
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.sources.base import PlaceSource
from hardenctl.sources.files import skip_by_name
from hardenctl.sources.git import Git, shown
from hardenctl.sources.index import check_index
from hardenctl.sources.listing import LEFT_OUT, LINK, Entry
from hardenctl.sources.objects import stream
from hardenctl.sources.repository import Place
from hardenctl.sources.tree import ObjectSnapshot

if TYPE_CHECKING:
    from hardenctl.sources.archives import Archive

Staged = tuple[bytes, Entry]  # a mode and an entry


class IndexSnapshot(ObjectSnapshot):
    """The whole index; in scope is what is staged."""

    def python_holds(self, words: Iterable[bytes]) -> bool:
        """Whether a Python file of the index may hold one of these words. A search costs git 2 ms, reading far more."""
        patterns = [part for word in words for part in ("-e", word.decode())]
        command = ["grep", "--cached", "--files-with-matches", "--text", "--fixed-strings", "--no-recurse-submodules"]
        try:
            return bool(self._place.repository.run(*command, *patterns, "--", "*.py", ok=(0, 1)))
        except SourceError:  # an object is missing: the reader goes on without it
            return True


class StagedSource(PlaceSource):
    """What the index adds or changes since HEAD (all of it before the first commit), conflicts' sides included."""

    kind = SourceKind.INDEX

    def __init__(self, place: Place, *, exclude: Sequence[str] = (), salt: bytes | None = None) -> None:
        super().__init__(place, exclude=exclude, salt=salt)
        if place.bare:
            raise UsageError("a bare repository has no index", help="audit it with `--history` or `--since REV`")
        self._git: Git = place.repository
        check_index(self._git)

    @cached_property
    def _index(self) -> Mapping[str, list[Staged]]:
        """Path to its entries: one, or a conflict's stages. All of the index: a hook run without need doesn't ask."""
        index: dict[str, list[Staged]] = {}
        for record in self._git.run("ls-files", "-z", "--stage").split(b"\0")[:-1]:
            meta, _, raw = record.partition(b"\t")
            mode, oid, _stage = meta.split(b" ")
            path = shown(raw)
            index.setdefault(path, []).append((mode, Entry(path, raw, Standing.TRACKED, oid.decode())))
        return index

    @cached_property
    def _changes(self) -> Mapping[str, list[Staged] | None]:
        """Each path that differs from HEAD to its entries: none for a deleted one, None for one in conflict."""
        output = self._git.run("diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--relative",
                               "--no-ext-diff", "--ignore-submodules=none")  # fmt: skip
        changes: dict[str, list[Staged] | None] = {}
        fields = output.split(b"\0")
        for record, raw in zip(fields[::2], fields[1::2], strict=False):
            _mode, mode, _oid, oid, status = record.split(b" ")
            path = shown(raw)
            entry = Entry(path, raw, Standing.TRACKED, oid.decode())
            changes[path] = None if status == b"U" or path in changes else [] if status == b"D" else [(mode, entry)]
        return changes

    @cached_property
    def _staged(self) -> frozenset[str]:
        """Paths whose index entry differs from HEAD, deleted ones too, and the files that were named.

        The latter since a hook that is run over all files names unchanged ones: looking at none must not pass.
        """
        changed = frozenset(self._changes)
        if not any(shown(raw) not in changed for raw in self._place.files):
            return changed
        return changed.union(filter(self._place.named, self._index))

    def _entries(self, path: str) -> Sequence[Staged]:
        """What the index holds of a path in scope."""
        entries = self._changes.get(path)
        return self._index.get(path, ()) if entries is None else entries

    @cached_property
    def _snapshot(self) -> ObjectSnapshot:
        self._check_named()

        # Of a conflict the last stage counts: "theirs" is what a careless `git add` would overwrite.
        def entries() -> dict[str, Entry]:
            return {path: found[-1][1] for path, found in self._index.items() if found[-1][0] not in LEFT_OUT}

        conflict = None in self._changes.values()  # which git grep passes over
        snapshot = ObjectSnapshot if conflict else IndexSnapshot
        return snapshot(self._place, self.kind, entries, scope=self._staged, exclude=self._exclude)

    def blobs(self) -> Iterator[Blob | Gap]:
        """Each staged blob in scope; of a path in conflict each side."""
        self._skipped.clear()
        scope = [path for path in sorted(self._staged) if self._snapshot.in_scope(path)]
        entries = [each for path in scope for each in self._entries(path)]
        yield from self.sift(LEFT_OUT.get(mode) or skip_by_name(entry.path) for mode, entry in entries)
        # A link's text is its target: looked at as history's is, though what it leads to is not.
        wanted = [
            entry for mode, entry in entries if mode == LINK or (mode not in LEFT_OUT and not skip_by_name(entry.path))
        ]
        objects = stream(self._git, [str(entry.oid) for entry in wanted])
        for blob in self.sift(
            found.blob(Provenance(entry.path, self.kind, Standing.TRACKED, entry.oid))
            for entry, found in zip(wanted, objects, strict=True)
        ):
            changed = self._changes.get(blob.path)
            if isinstance(blob, Blob) and changed and changed[-1][0] != LINK:
                self._snapshot.keep(blob)
            yield blob

    def archives(self) -> Iterator[Archive | Gap]:
        """The staged archives in scope, by their names or what they begin with."""
        from hardenctl.sources.archives import may_be_archive, stored

        scope = [path for path in sorted(self._staged) if self._snapshot.in_scope(path) and may_be_archive(path)]
        entries = [entry for path in scope for mode, entry in self._entries(path) if mode not in LEFT_OUT]
        yield from stored(self._git, [Provenance(each.path, self.kind, Standing.TRACKED, each.oid) for each in entries])

    def snapshot(self) -> ObjectSnapshot:
        """The whole index; in scope is what is staged."""
        return self._snapshot

    def _check_named(self) -> None:
        """A named path must be on disk, in the index or just deleted from it."""
        for path in self._place.missing:
            known = path in self._staged or path in self._index
            if not known and not any(each.startswith(f"{path}/") for each in self._index):
                raise UsageError(f"there is no `{path}`", help="name files that are on disk or in the index")
