"""Standard input: one blob, named by the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING

from hardenctl.model.blob import Blob, Gap, Provenance, SourceKind, Standing, Target
from hardenctl.model.finding import Finding
from hardenctl.sources.files import LARGEST, TOO_LARGE, skip_by_content
from hardenctl.sources.memory import MemorySnapshot
from hardenctl.sources.salt import FIXED

if TYPE_CHECKING:
    from hardenctl.sources.archives import Archive


class StdinSource:
    """What is piped in. `name` stands for the file's path, so that configuration rules know what it is."""

    commits = 0

    def __init__(
        self, stream: IO[bytes], name: str | None, *, salt: bytes | None = None, archives: bool = False
    ) -> None:
        self._archives = archives
        self._name = (name or "stdin").replace("\\", "/")
        self._data = stream.read(LARGEST + 1)
        self.salt = FIXED if salt is None else salt

    @property
    def target(self) -> Target:
        """Standard input."""
        return Target(self._name, SourceKind.STDIN)

    @property
    def skipped(self) -> Mapping[str, int]:
        """Nothing: there is one thing to look at."""
        return {}

    def blobs(self) -> Iterator[Blob | Gap]:
        """The one blob."""
        if self._is_archive():
            return
        if reason := skip_by_content(self._data):
            yield Gap(self._name, f"{reason}: there is no text to look at")
        elif len(self._data) > LARGEST:
            yield Gap(self._name, TOO_LARGE)
        else:
            yield Blob(Provenance(self._name, SourceKind.STDIN, Standing.UNTRACKED), self._data)

    def archives(self) -> Iterator[Archive | Gap]:
        """The one archive."""
        if self._is_archive():
            import io

            from hardenctl.sources.archives import Archive

            if len(self._data) > LARGEST:
                yield Gap(self._name, f"{TOO_LARGE}: save it and name the file")
                return
            provenance = Provenance(self._name, SourceKind.STDIN, Standing.UNTRACKED)
            yield Archive(provenance, len(self._data), lambda: io.BytesIO(self._data))

    def _is_archive(self) -> bool:
        if not self._archives:
            return False
        from hardenctl.sources.archives import is_packed

        return is_packed(self._data[:512])

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings as they are."""
        return findings

    def snapshot(self) -> MemorySnapshot:
        """The one file of a project: what else there is, or isn't, nobody asked."""
        return MemorySnapshot({self._name: self._data} if len(self._data) <= LARGEST else {}, whole=False)
