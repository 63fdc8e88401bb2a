"""`--pre-receive`: whether a server takes a push. The rules are the server's own, never the push's.

Policy and baseline are those of the default branch as it stands before the push, or those that the hook's own command
line names. Comments in what is pushed excuse nothing. What stood in the same files before the push is not its fault.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path

from hardenctl.audit import audit
from hardenctl.cli.auditing import jobs_of, policy_of
from hardenctl.cli.request import Request
from hardenctl.detect.engine import detect
from hardenctl.model.blob import Gap, SourceKind
from hardenctl.model.errors import UsageError
from hardenctl.model.record import replace
from hardenctl.model.report import Report, Scanned, Verdict
from hardenctl.policy.baseline import load_baseline
from hardenctl.policy.judge import verdict
from hardenctl.policy.policy import Policy
from hardenctl.rules.declare import Rule
from hardenctl.sources import standard_input
from hardenctl.sources.governing import governing_files
from hardenctl.sources.history import HistorySource
from hardenctl.sources.push import STATES, Push, Update, parse_updates, read_push
from hardenctl.sources.repository import find_place
from hardenctl.sources.revisions import UNBORN, Revisions
from hardenctl.sources.tree import TreeSource
from hardenctl.sources.unpacked import Unpacked

NAMED = 5  # refs that the note names


def receive(request: Request, rules: Sequence[Rule]) -> Report:
    """Audit what the push on standard input adds. Raises HardenctlError."""
    if replace(request, pre_receive=False).asks_git or request.submodules or "-" in request.paths:
        raise UsageError("`--pre-receive` stands alone", help="run one audit for each")
    place = find_place(request.paths, on_disk=False)
    git = place.repository
    given = standard_input()
    updates = parse_updates(b"" if given.isatty() else given.read())
    with governing_files(place) as folder:
        policy = replace(policy_of(request, folder), marks=False)
        baseline = load_baseline(folder, Path(request.baseline) if request.baseline else None)
    jobs, enabled = jobs_of(request), policy.enabled(rules)
    salt = baseline.salt if baseline else None
    push = read_push(git, updates)

    def look(revisions: Revisions) -> Report:
        def before() -> Collection[str]:
            if revisions.base is None or revisions.tip is None:
                return ()
            source = TreeSource(place, revisions.base, revisions.tip, exclude=policy.exclude, salt=salt)
            return {each.fingerprint for each in detect(source, enabled, policy.settings).findings}

        found = HistorySource(place, revisions, SourceKind.RANGE, exclude=policy.exclude, salt=salt, jobs=jobs)
        return audit(
            Unpacked(found) if request.archives else found,
            policy,
            rules=rules,
            baseline=baseline.fingerprints if baseline else (),
            before=_Lazy(before),
            allow_gaps=request.allow_gaps,
            jobs=jobs,
        )

    report = _joined([look(each) for each in push.revisions], push, policy, allow_gaps=request.allow_gaps)
    whose = f"the server's policy holds ({policy.path or 'the default one'})"
    if place.head is None and request.config is None:
        whose = "the server's HEAD names no branch it has: the default policy holds, and not one of the push"
    return replace(report, notes=(*report.notes, *policy.notes, whose))


class _Lazy:
    """Fingerprints that are only made when they are asked for: most pushes have nothing to ask about."""

    def __init__(self, make: Callable[[], Collection[str]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Collection[str]:
        return self._make()

    def __contains__(self, fingerprint: object) -> bool:
        return fingerprint in self._made


def _joined(reports: Sequence[Report], push: Push, policy: Policy, *, allow_gaps: bool) -> Report:
    """One report of all states. What two of them share is said once."""
    findings = {
        (each.finding.rule, each.finding.fingerprint, each.finding.location): each
        for report in reports
        for each in report.findings
    }
    gaps = dict.fromkeys(gap for report in reports for gap in report.gaps)
    if push.passed_over:
        reason = f"files are judged at {STATES} of the pushed tips; `hardenctl scan` looks for secrets alone, in all"
        gaps[Gap(".", f"{push.passed_over} more: {reason}")] = None
    judged, first = tuple(findings.values()), reports[0]
    result = verdict(judged, gaps, policy, allow_gaps=allow_gaps)
    said = [_said(push.updates)]
    if result is Verdict.FAIL:
        said.append("nothing of it is kept: change its commits (`git rebase -i`), and push again")
    return replace(
        first,
        target=first.target if len(reports) == 1 else replace(first.target, commit=None),
        findings=judged,
        gaps=tuple(gaps),
        scanned=Scanned(
            files=sum(each.scanned.files for each in reports),
            bytes=sum(each.scanned.bytes for each in reports),
            blobs=sum(each.scanned.blobs for each in reports),
            commits=sum(each.scanned.commits for each in reports),
            skipped=first.scanned.skipped,
        ),
        servers=tuple(server for each in reports for server in each.servers),
        verdict=result,
        elapsed_seconds=sum(each.elapsed_seconds for each in reports),
        notes=tuple(dict.fromkeys((*said, *(note for each in reports for note in each.notes)))),
    )


def _said(updates: Sequence[Update]) -> str:
    names = [each.ref if each.new.strip(UNBORN) else f"{each.ref} (deleted)" for each in updates]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"the push moves {', '.join(names[:NAMED])}{more}"
