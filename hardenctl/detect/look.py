"""Looks for secrets in blobs, here or in another process, and says what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.stamp import Stamper
from hardenctl.model.blob import Blob, Gap, Share, Standing
from hardenctl.model.errors import HardenctlError
from hardenctl.model.finding import Finding
from hardenctl.model.record import field, record


@record(slots=False, frozen=False)
class Looked:
    """What came of looking at some blobs. `unclean` are the git ids of those with a hit or a gap."""

    findings: list[Finding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    blobs: int = 0
    bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unclean: set[str] = field(default_factory=set)

    def look(self, blob: Blob | Gap, rules: frozenset[str], stamper: Stamper) -> None:
        """Look at one blob. A crash over it must not hide what others hold: it is a gap."""
        if isinstance(blob, Gap):
            self.gaps.append(blob)
            return
        self.blobs, self.bytes = self.blobs + 1, self.bytes + len(blob.data)
        self.paths.add(blob.path)
        if blob.provenance.standing is Standing.IGNORED or not rules:
            return
        before = len(self.findings), len(self.gaps)
        try:
            self.findings.extend(
                stamper.stamp(each, hit, blob) for each, hit in detect_secrets(blob, rules, self.gaps.append)
            )
        except Exception as error:  # noqa: BLE001 - as said above
            self.gaps.append(Gap(blob.path, f"the secret scan crashed: {type(error).__name__}"))
        if blob.provenance.oid and before != (len(self.findings), len(self.gaps)):
            self.unclean.add(blob.provenance.oid)

    def add(self, other: Looked) -> None:
        """Take over what came of looking elsewhere. A gap is said once."""
        self.findings += other.findings
        known = set(self.gaps)
        self.gaps += [gap for gap in other.gaps if gap not in known]
        self.paths |= other.paths
        self.blobs, self.bytes = self.blobs + other.blobs, self.bytes + other.bytes
        self.skipped += other.skipped
        self.unclean |= other.unclean


def look_at_share(share: Share, rules: frozenset[str], salt: bytes) -> Looked:
    """Look at a share's blobs. Runs in a process of its own, too: everything here can be pickled."""
    looked = Looked()
    stamper = Stamper(lambda: salt)
    try:
        for blob in share.blobs():
            looked.look(blob, rules, stamper)
    except HardenctlError as error:  # git gave up: the others still look at theirs
        looked.gaps.append(Gap(".", f"a part could not be looked at: {error.what}"))
    looked.skipped += share.skipped
    return looked


@contextmanager
def looking_at_shares(
    shares: Sequence[Share], rules: Callable[[], frozenset[str]], salt: Callable[[], bytes], jobs: int
) -> Iterator[Iterator[Looked]]:
    """Look at shares in up to `jobs` other processes from now on; give what came of each, in order.

    Where there is little to do it is done in this one, when it is asked for.
    """
    if jobs <= 1 or sum(map(len, shares)) < FEW:
        yield (look_at_share(share, rules(), salt()) for share in shares)
        return
    from hardenctl.detect.workers import running

    with running(look_at_share, [(share, rules(), salt()) for share in shares], jobs) as results:
        yield results


FEW = 3000  # blobs: starting processes takes as long as looking at these
