"""A source with its archives looked into as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from hardenctl.model.blob import Blob, Gap, Snapshot, Source, Target
from hardenctl.model.finding import Finding
from hardenctl.sources.archives import Archive, look_into
from hardenctl.sources.base import PlaceSource


class HoldsArchives(Source, Protocol):
    """A source that knows which of what it leaves out are archives."""

    def archives(self) -> Iterator[Archive | Gap]:
        """Those in scope."""
        ...


class Unpacked:
    """Everything of a source, then what is in its archives."""

    def __init__(self, source: HoldsArchives) -> None:
        self._source = source
        if isinstance(source, PlaceSource):
            source.unpacked = True
        self._inside: Counter[str] = Counter()
        self._opened = 0

    @property
    def target(self) -> Target:
        """The source's."""
        return self._source.target

    @property
    def salt(self) -> bytes:
        """The source's."""
        return self._source.salt

    @property
    def commits(self) -> int:
        """The source's."""
        return int(getattr(self._source, "commits", 0))

    @property
    def skipped(self) -> Mapping[str, int]:
        """What was left out, in archives too; an archive that was opened was not."""
        skipped: Counter[str] = Counter(getattr(self._source, "skipped", {}))
        skipped["binary"] = max(0, skipped["binary"] - self._opened)
        return +(skipped + self._inside)

    @property
    def known(self) -> Any:
        """The source's."""
        return getattr(self._source, "known", None)

    def blobs(self) -> Iterator[Blob | Gap]:
        """The source's own, then the members of its archives."""
        yield from self._source.blobs()
        yield from self._members()

    def shares(self) -> Iterator[Any]:
        """As `blobs`, with the source's own in shares where it has such."""
        yield from getattr(self._source, "shares", self._source.blobs)()
        yield from self._members()

    def _members(self) -> Iterator[Blob | Gap]:
        self._inside.clear()
        self._opened = 0
        for each in self._source.archives():
            if isinstance(each, Gap):
                yield each
            else:
                self._opened += 1
                yield from look_into(each, self._inside)

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """The source's: a member has the git id of its archive."""
        return self._source.resolve(findings)

    def versions(self, named: Sequence[tuple[str, str]]) -> Iterator[Blob | Gap]:
        """The source's."""
        return getattr(self._source, "versions", lambda _: iter(()))(named)

    def snapshot(self) -> Snapshot | None:
        """The source's."""
        return self._source.snapshot()
