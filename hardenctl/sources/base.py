"""What all sources over a place share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from hardenctl.model.blob import Blob, Gap, SourceKind, Target
from hardenctl.model.finding import Finding
from hardenctl.model.glob import glob_match
from hardenctl.sources.files import Skipped
from hardenctl.sources.repository import Place


class PlaceSource:
    """A source over a root folder. `exclude` are the policy's globs, `salt` is the baseline's."""

    kind: SourceKind
    jobs = 1  # how many processes may run at a time
    unpacked = False  # whether archives are looked into as well

    def __init__(self, place: Place, *, exclude: Sequence[str] = (), salt: bytes | None = None) -> None:
        self._place = place
        self._exclude = tuple(exclude)
        self._salt = salt
        self._skipped: Counter[str] = Counter()

    @property
    def target(self) -> Target:
        """What is looked at."""
        return Target(self._place.shown_root, self.kind, self._place.head)

    @cached_property
    def salt(self) -> bytes:
        """The baseline's salt, else the remote's."""
        return self._salt if self._salt is not None else self._place.salt

    @property
    def commits(self) -> int:
        """How many commits were looked at."""
        return 0

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were left out on purpose, by reason."""
        return self._skipped

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings as they are: only history knows more."""
        return findings

    def is_excluded(self, path: str) -> bool:
        """Whether policy leaves a path out."""
        return any(glob_match(path, pattern) for pattern in self._exclude)

    def sift(self, results: Iterable[Blob | Gap | Skipped | None]) -> Iterator[Blob | Gap]:
        """The blobs and gaps among the results; reasons for leaving one out are counted."""
        for result in results:
            if isinstance(result, str):
                self._skipped[result] += 1
            elif result is not None:
                yield result
