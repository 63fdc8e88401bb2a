"""Works out all fixes in memory: detect, judge, edit, and again, until nothing changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hardenctl.detect.engine import detect
from hardenctl.fix.draft import Draft, DraftSnapshot
from hardenctl.fix.files import Refused
from hardenctl.fix.model import Change, Done, Proposal, Skipped
from hardenctl.model.blob import Blob, Gap, Snapshot, Source, Target
from hardenctl.model.errors import UsageError
from hardenctl.model.finding import Applicability, Finding, Fix, Replace
from hardenctl.model.report import Status
from hardenctl.policy.judge import judge
from hardenctl.policy.policy import Policy
from hardenctl.rules import RULES
from hardenctl.rules.declare import DocumentRule, Rule

ROUNDS = 8  # one fix may make room for another; more rounds than this mean that fixes undo each other


def propose(
    source: Source,
    root: Path,
    policy: Policy,
    *,
    unsafe: bool = False,
    baseline: Collection[str] = (),
    rules: Sequence[Rule] = RULES,
) -> Proposal:
    """All fixes of open findings, worked out without touching a file.

    `unsafe` includes fixes that change behaviour; advice is never part of it. Fixes are taken in order of severity and
    place; one that overlaps an earlier one has its turn in the next round. Raises UsageError where the source has no
    files to change.
    """
    base = source.snapshot()
    if base is None:
        raise UsageError("there are no files to fix here", help="`hardenctl fix` works on the work tree")
    wanted = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    rounds = _Rounds(Draft(root, base), wanted)
    enabled = policy.enabled(rules)
    first: list[Finding] = []
    gaps: tuple[Gap, ...] = ()
    for number in range(ROUNDS):
        detection = detect(DraftSource(source, base, rounds.draft.after), enabled, policy.settings)
        judged = judge(source.resolve(detection.findings), policy, baseline=baseline)
        findings = [each.finding for each in judged if each.status is Status.OPEN]
        if number == 0:
            first, gaps = findings, detection.gaps
            if not any(_is_edit(each.fix) for each in findings if each.rule.startswith("secret-")):
                # The secret scan reads every file: once is enough where no secret rule has an edit to offer.
                enabled = tuple(each for each in enabled if isinstance(each, DocumentRule))
        if not rounds.make(findings):
            break
    return Proposal(
        root=root,
        changes=tuple(rounds.changes()),
        untrack=tuple(sorted(rounds.draft.untrack)),
        done=tuple(rounds.done.values()),
        skipped=tuple(rounds.skipped),
        unsafe=sum(_is_edit(each.fix) and each.fix.applicability not in wanted for each in first if each.fix),
        advice=sum(not _is_edit(each.fix) for each in first),
        gaps=gaps,
        custom=policy.settings.secrets.custom,
    )


@dataclass
class _Rounds:
    """What the rounds so far have made of the draft. `skipped` is the last round's: only its reasons still hold."""

    draft: Draft
    wanted: Collection[Applicability]
    done: dict[tuple[str, str, str], Done] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    _made: set[str] = field(default_factory=set)
    _before: Counter[str] = field(default_factory=Counter)
    _stuck: set[str] = field(default_factory=set)

    def make(self, findings: Sequence[Finding]) -> bool:
        """One round: take all fixes that fit together. Whether anything changed."""
        there = Counter(each.fingerprint for each in findings)
        # A fix that was made and left as many findings as before would be made again in every round.
        self._stuck |= {each for each in self._made if there[each] >= self._before[each]}
        self._made, self._before, self.skipped = set(), there, []
        self.draft.start_round()
        for finding in findings:
            if finding.fix and _is_edit(finding.fix) and finding.fix.applicability in self.wanted:
                self._take(finding, finding.fix)
        return bool(self._made)

    def _take(self, finding: Finding, fix: Fix) -> None:
        if finding.fingerprint in self._stuck:
            if any(isinstance(each, Replace) for each in fix.edits):
                self.skipped.append(Skipped.of(finding, "it was made, and the finding is still there"))
            return
        try:
            if self.draft.take(fix):
                self._made.add(finding.fingerprint)
        except Refused as refused:
            self.skipped.append(Skipped.of(finding, str(refused)))
            return
        key = (finding.rule, finding.fingerprint, fix.title)
        earlier = self.done.get(key)
        touches = {each.span.path if isinstance(each, Replace) else each.path for each in fix.edits}
        self.done[key] = Done(
            finding.rule,
            finding.location.path,
            earlier.line if earlier else finding.location.line,
            fix.title,
            fix.applicability,
            frozenset(touches | (earlier.touches if earlier else frozenset())),
        )

    def changes(self) -> Iterator[Change]:
        """The files that differ from what is on disk."""
        for path, data in sorted(self.draft.after.items()):
            if data != self.draft.before[path]:
                yield Change(path, self.draft.before[path], data)


def _is_edit(fix: Fix | None) -> bool:
    return fix is not None and bool(fix.edits) and fix.applicability is not Applicability.ADVICE


@dataclass(frozen=True)
class DraftSource:
    """The source as it would be with the draft's files."""

    base: Source
    state: Snapshot
    files: dict[str, bytes]

    @property
    def target(self) -> Target:
        """As the base."""
        return self.base.target

    @property
    def salt(self) -> bytes:
        """As the base."""
        return self.base.salt

    def blobs(self) -> Iterator[Blob | Gap]:
        """The base's, the draft's files in place of its own."""
        if not self.files:
            yield from self.base.blobs()
            return
        snapshot, seen = self.snapshot(), set()
        for each in self.base.blobs():
            if each.path in self.files:  # a gap too: it is about what the draft replaces
                seen.add(each.path)
                yield snapshot.read(each.path) or each
            else:
                yield each
        for path in sorted(self.files.keys() - seen):
            if snapshot.in_scope(path) and (blob := snapshot.read(path)):
                yield blob

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """As the base."""
        return self.base.resolve(findings)

    def snapshot(self) -> DraftSnapshot:
        """The base's, the draft's files in place of its own."""
        return DraftSnapshot(self.state, self.files)
