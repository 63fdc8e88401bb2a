"""Looks for secrets in blobs, here or in another process, and says what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.secrets.first import FirstLook
from hardenctl.detect.stamp import Stamper
from hardenctl.model.blob import Blob, Gap, Share, Standing, VersionKey, version_key
from hardenctl.model.errors import HardenctlError
from hardenctl.model.finding import Finding, Hit
from hardenctl.model.record import field, record
from hardenctl.model.settings import AllowedSecret, CustomSecret
from hardenctl.rules.declare import Rule

if TYPE_CHECKING:
    from hardenctl.detect.secrets.assign import Memo

PLUGIN = (
    "secret-plugin"  # the id of the rule for what plugins find; the rule itself is not imported before it is needed
)


@record
class Wanted:
    """What is looked for: the ids of rules, and what the policy adds and allows. Goes to other processes as it is.

    `plugins` are classes of detect-secrets, or files of the user's own that hold such.
    """

    rules: frozenset[str]
    custom: tuple[CustomSecret, ...] = ()
    allow: tuple[AllowedSecret, ...] = ()
    plugins: tuple[str, ...] = ()
    remember: bool = False  # what holds nothing

    def hits(self, blob: Blob, tell: Callable[[Gap], None], memo: Memo | None = None) -> Iterator[tuple[Rule, Hit]]:
        """The secrets in a blob; `tell` is called with what was left out. `memo`: of the file's other versions."""
        found = detect_secrets(blob, self.rules, tell, self.custom, memo)
        if not self.plugins or PLUGIN not in self.rules:
            yield from found
            return
        from hardenctl.detect._plugins import beside

        yield from beside(blob, list(found), self.plugins, tell)

    def allowed(self, rule: Rule, hit: Hit, blob: Blob, tell: Callable[[Gap], None]) -> str | None:
        """Why the policy says that a hit doesn't count; None where it counts."""
        if not self.allow:
            return None
        from hardenctl.detect.patience import TooSlow
        from hardenctl.detect.secrets.custom import allowance

        try:
            return allowance(rule, hit, blob, self.allow, self.custom)
        except TooSlow:
            tell(Gap(blob.path, "an exception of the policy takes too long: what it is about counts"))
            return None


def check_plugins(names: tuple[str, ...]) -> None:
    """Raise UsageError for a plugin that cannot be run."""
    if names:
        from hardenctl.detect._plugins import load_plugins

        load_plugins(names)


@record(slots=False, frozen=False)
class Looked:
    """What came of looking at some blobs. `clean` are the versions without a hit or a gap."""

    findings: list[Finding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    blobs: int = 0
    bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    clean: set[VersionKey] = field(default_factory=set)

    def look(
        self,
        blob: Blob | Gap,
        wanted: Callable[[], Wanted],
        stamper: Stamper,
        *,
        first: FirstLook | None = None,
        memo: Memo | None = None,
    ) -> None:
        """Look at one blob; `wanted` is only asked where a first look doesn't do. `memo` is that of versions before it.

        A crash over it must not hide what others hold: it is a gap.
        """
        if isinstance(blob, Gap):
            self.gaps.append(blob)
            return
        self.blobs, self.bytes = self.blobs + 1, self.bytes + len(blob.data)
        self.paths.add(blob.path)
        if blob.provenance.standing is Standing.IGNORED:
            return
        before = len(self.findings), len(self.gaps)
        sought = None
        try:
            if first is not None and first.is_enough(blob):
                return
            sought = wanted()
            if not sought.rules:
                return
            self.findings.extend(
                stamper.stamp(rule, hit, blob, sought.allowed(rule, hit, blob, self.gaps.append))
                for rule, hit in sought.hits(blob, self.gaps.append, memo)
            )
        except Exception as error:  # noqa: BLE001 - as said above
            self.gaps.append(Gap(blob.path, f"the secret scan crashed: {type(error).__name__}"))
        if (
            sought is not None
            and sought.remember
            and blob.provenance.oid
            and before == (len(self.findings), len(self.gaps))
        ):
            self.clean.add(version_key(blob.provenance.oid, blob.path))

    def add(self, other: Looked) -> None:
        """Take over what came of looking elsewhere. A gap is said once."""
        self.findings += other.findings
        known = set(self.gaps)
        self.gaps += [gap for gap in other.gaps if gap not in known]
        self.paths |= other.paths
        self.blobs, self.bytes = self.blobs + other.blobs, self.bytes + other.bytes
        self.skipped += other.skipped
        self.clean |= other.clean


def look_at_share(share: Share, wanted: Wanted, salt: bytes) -> Looked:
    """Look at a share's blobs. Runs in a process of its own, too: everything here can be pickled."""
    looked = Looked()
    from hardenctl.detect.secrets.assign import Memo

    stamper, memo = Stamper(lambda: salt, custom=wanted.custom, frames=not share.past), Memo()
    try:
        for blob in share.blobs():
            looked.look(blob, lambda: wanted, stamper, memo=memo)
    except HardenctlError as error:  # git gave up: the others still look at theirs
        looked.gaps.append(Gap(".", f"a part could not be looked at: {error.what}"))
    looked.skipped += share.skipped
    return looked


@contextmanager
def looking_at_shares(
    shares: Sequence[Share], wanted: Callable[[], Wanted], salt: Callable[[], bytes], jobs: int
) -> Iterator[Iterator[Looked]]:
    """Look at shares in up to `jobs` other processes from now on; give what came of each, in order.

    Where there is little to do it is done in this one, when it is asked for.
    """
    if jobs <= 1 or sum(map(len, shares)) < FEW:
        yield (look_at_share(share, wanted(), salt()) for share in shares)
        return
    from hardenctl.detect.secrets.pipeline import matcher
    from hardenctl.detect.workers import running

    matcher().prepare()  # else each process would, and the first time compile its database for a second
    with running(look_at_share, [(share, wanted(), salt()) for share in shares], jobs) as results:
        yield results


FEW = 3000  # blobs: starting processes takes as long as looking at these
