"""A part of a history that another process can look at: which objects, under which names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from hardenctl.model.blob import Blob, Gap, Provenance, SourceKind, Standing
from hardenctl.model.errors import SourceError
from hardenctl.sources.git import Git
from hardenctl.sources.objects import Object, stream

MESSAGES = {"commit": "(commit message)", "tag": "(tag message)"}
MISSING = Gap(".", "objects are missing from this clone: it is a partial or damaged one")
MOST_DAMAGED = 20  # objects in a share: with more, the store itself is gone
LARGE = 1000  # objects in a share, about: few enough that a small history keeps two processes busy, too


@dataclass
class HistoryShare:
    """Objects of a repository as (id, path) pairs; the path of a commit or tag is nothing.

    Versions of one path follow each other, so that git unpacks them quickly and what they share is looked at once.
    """

    folder: Path
    kind: SourceKind
    objects: Sequence[tuple[str, str]] = field(repr=False)
    skipped: Counter[str] = field(default_factory=Counter)
    past: bool = True

    def __len__(self) -> int:
        return len(self.objects)

    def blobs(self) -> Iterator[Blob | Gap]:
        """The blobs and messages; missing objects are one gap; what is binary is counted in `skipped`.

        A damaged object is a gap of its own. Raises SourceError where there are too many of them.
        """
        missing = False
        for (oid, path), each in zip(self.objects, self._read(), strict=True):
            if isinstance(each, Gap):
                yield each
                continue
            if each.data is None:
                missing = True
                continue
            result = self._message(each) if not path else each.blob(self._provenance(path, oid))
            if isinstance(result, str):
                self.skipped[result] += 1
            elif result is not None:
                yield result
        if missing:
            yield MISSING

    def _read(self) -> Iterator[Object | Gap]:
        """Every object, or that it is damaged. Git dies on such a one: the next is asked of another git."""
        git, done, damaged = Git(self.folder), 0, 0
        while done < len(self.objects):
            try:
                for each in stream(git, [oid for oid, _ in self.objects[done:]], ahead=not damaged):
                    yield each
                    done += 1
            except SourceError:
                if damaged:  # the first time it is not known where git died
                    oid, path = self.objects[done]
                    yield Gap(".", f"the object {oid} of {path or 'a message'} is damaged: `git fsck` says more")
                    done += 1
                damaged += 1
                if damaged > MOST_DAMAGED:
                    raise

    def _message(self, found: Object) -> Blob | None:
        message = (found.data or b"").partition(b"\n\n")[2]
        return Blob(self._provenance(MESSAGES[found.kind], found.oid), message) if message.strip() else None

    def _provenance(self, path: str, oid: str) -> Provenance:
        return Provenance(path, self.kind, Standing.TRACKED, oid)


def shares(
    folder: Path, kind: SourceKind, named: Sequence[tuple[str, str]], messages: Sequence[str]
) -> Iterator[HistoryShare]:
    """Split blobs and messages into shares. A path's versions stay together, in the order given."""
    part: list[tuple[str, str]] = []
    for _, versions in groupby(sorted(named, key=_by_path), key=_by_path):
        part.extend(versions)
        if len(part) >= LARGE:
            yield HistoryShare(folder, kind, part)
            part = []
    for start in range(0, len(messages), LARGE * 4):
        yield HistoryShare(folder, kind, [*part, *((oid, "") for oid in messages[start : start + LARGE * 4])])
        part = []
    if part:
        yield HistoryShare(folder, kind, part)


def _by_path(named: tuple[str, str]) -> str:
    return named[1]
