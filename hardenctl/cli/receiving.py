"""`--pre-receive`: whether a server takes a push. The rules are the server's own, never the push's.

Policy and baseline are those of the default branch as it stands before the push, or those that the hook's own command
line names. Comments in what is pushed excuse nothing. What stood in the same files before the push is not its fault.
A push whose own policy or baseline could not be used is not taken to the default branch: it would stand in the way of
every later one. Where such a one got there all the same, the default policy holds, so that a push can repair it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path

from hardenctl.audit import audit
from hardenctl.cli.auditing import jobs_of, overridden, policy_of
from hardenctl.cli.request import Request
from hardenctl.detect.engine import detect
from hardenctl.model.blob import Gap, SourceKind
from hardenctl.model.errors import PolicyError, UsageError
from hardenctl.model.record import replace
from hardenctl.model.report import Report, Scanned, Verdict
from hardenctl.policy.baseline import Baseline, load_baseline
from hardenctl.policy.judge import verdict
from hardenctl.policy.load import load_policy
from hardenctl.policy.policy import Policy, default_policy
from hardenctl.rules.declare import Rule
from hardenctl.sources import standard_input
from hardenctl.sources.governing import governing_files
from hardenctl.sources.history import HistorySource
from hardenctl.sources.push import STATES, Push, Update, parse_updates, read_push
from hardenctl.sources.repository import Place, find_place
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
    policy, baseline, broken = _governing(request, place)
    push = read_push(git, updates)
    _refuse_unusable(request, place, push.governing)
    jobs, enabled = jobs_of(request), policy.enabled(rules)
    salt = baseline.salt if baseline else None

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
    return replace(report, notes=(*report.notes, *policy.notes, *broken, whose))


def _governing(request: Request, place: Place) -> tuple[Policy, Baseline | None, list[str]]:
    """What holds, and a note for each file that cannot be used. Raises PolicyError for those the hook names."""
    broken = []

    def excuse(error: PolicyError, instead: str) -> None:
        broken.append(f"{error.what.splitlines()[0]}: {instead} until a push to the default branch repairs it")

    with governing_files(place, place.head) as folder:
        try:
            policy = policy_of(request, folder)
        except PolicyError as error:
            if request.config:
                raise
            excuse(error, "the default policy holds")
            policy = overridden(request, default_policy())
        try:
            baseline = load_baseline(folder, Path(request.baseline) if request.baseline else None)
        except PolicyError as error:
            if request.baseline:
                raise
            excuse(error, "nothing is accepted")
            baseline = None
    return replace(policy, marks=False), baseline, broken


def _refuse_unusable(request: Request, place: Place, commit: str | None) -> None:
    """Raise PolicyError where the default branch would come to a policy or a baseline that cannot be used."""
    if commit is None:
        return
    with governing_files(place, commit) as folder:
        try:
            if not request.config:
                load_policy(folder)
            if not request.baseline:
                load_baseline(folder)
        except PolicyError as error:
            what = f"the push is refused: it would govern the server with what cannot be used\n{error.what}"
            raise PolicyError(what, help=error.help) from None


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
