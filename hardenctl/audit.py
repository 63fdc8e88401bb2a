"""An audit: blobs -> findings -> judged findings -> score -> report."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Container, Sequence
from typing import TYPE_CHECKING, cast

from hardenctl.detect.engine import Detection, detect, framed
from hardenctl.formats.paths import is_load_result
from hardenctl.model.blob import Blob, Gap, Snapshot, Source, SourceKind
from hardenctl.model.record import record, replace
from hardenctl.model.report import Report
from hardenctl.policy.judge import judge, notes, verdict
from hardenctl.policy.policy import Policy
from hardenctl.policy.score import basis, score
from hardenctl.rules import RULES
from hardenctl.rules.declare import Rule

if TYPE_CHECKING:
    from hardenctl.sources.remembered import Remembered

_RECALLED = "nothing has changed since an earlier run, whose findings these are (--no-cache looks again)"


def audit(
    source: Source,
    policy: Policy,
    *,
    rules: Sequence[Rule] = RULES,
    baseline: Collection[str] = (),
    before: Container[str] = (),
    allow_gaps: bool = False,
    progress: Callable[[Blob], None] | None = None,
    jobs: int = 1,
) -> Report:
    """Look at a source with every enabled rule and say what came of it.

    `baseline` holds accepted fingerprints, `before` those of what stood there before. Raises SourceError where the
    source cannot be read at all; what cannot be read in part is a gap in the report.
    """
    started = time.perf_counter()
    outcome = _outcome(source, policy, rules, progress, jobs)
    detection = outcome.detection
    judged = judge(detection.findings, policy, baseline=baseline, before=before)
    looked_at = basis(
        source.target.kind,
        policy,
        rules,
        whole=outcome.whole,
        gaps=len(detection.gaps),
        servers=bool(detection.servers),
        files=detection.scanned.files,
        load_evidence=outcome.load_evidence,
    )
    return Report(
        target=source.target,
        findings=judged,
        gaps=detection.gaps,
        scanned=detection.scanned,
        score=score(judged, looked_at),
        verdict=verdict(judged, detection.gaps, policy, allow_gaps=allow_gaps),
        fail_on=policy.fail_on,
        servers=detection.servers,
        elapsed_seconds=time.perf_counter() - started,
        notes=(*notes(judged, policy, complete=looked_at.complete), *([_RECALLED] if outcome.recalled else ())),
    )


@record
class Outcome:
    """What looking came to, before policy judges: findings are resolved, gaps and counts are in `detection`."""

    detection: Detection
    whole: bool  # all files of a project were asked for
    load_evidence: bool
    recalled: bool = False


def _outcome(
    source: Source,
    policy: Policy,
    rules: Sequence[Rule],
    progress: Callable[[Blob], None] | None,
    jobs: int,
) -> Outcome:
    """Look, or remember what looking in this very state came to."""
    enabled = policy.enabled(rules)
    memory = _memory(source, policy, enabled)
    if memory and isinstance(kept := memory.recall(), Outcome):
        return replace(kept, recalled=True)
    detection = detect(source, enabled, policy.settings, progress, jobs)
    detection = replace(detection, findings=framed(source, source.resolve(detection.findings), policy.settings))
    snapshot = source.snapshot()
    whole = source.target.kind is not SourceKind.INDEX and _is_whole(snapshot)
    outcome = Outcome(detection, whole, whole and _shows_load(snapshot))
    if memory and not any(gap.path == "." for gap in detection.gaps):  # what git could not give may come any time
        now = _memory(source, policy, enabled)
        if now and now.state == memory.state:  # else something moved meanwhile: this came of neither state
            memory.keep(outcome)
    return outcome


def _memory(source: Source, policy: Policy, enabled: Sequence[Rule]) -> Remembered | None:
    """The memory of runs like this one, where the source has one; a hook run doesn't load what it takes to ask."""
    if (remembers := getattr(source, "remembered", None)) is None:
        return None
    inputs = repr((sorted(each.id for each in enabled), policy.settings))
    return cast("Remembered | None", remembers(inputs.encode("utf-8", "surrogatepass")))


def _shows_load(snapshot: Snapshot | None) -> bool:
    """Whether a load result says that the service holds its load. Asked of the files: policy can't declare it."""
    if snapshot is None or not any(map(is_load_result, snapshot.paths())):
        return False
    from hardenctl.formats.evidence import results
    from hardenctl.rules.load.evidence import shows_load

    return shows_load(each for each in results(snapshot) if not isinstance(each, Gap))


def _is_whole(snapshot: Snapshot | None) -> bool:
    """Whether all files of a project were asked for."""
    return snapshot is not None and all(map(snapshot.in_scope, snapshot.paths()))
