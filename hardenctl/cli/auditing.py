"""From a request to an exit code: policy, source, audit, report. Light enough for the hook path."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hardenctl.audit import audit
from hardenctl.cli.errors import close_output
from hardenctl.cli.progress import progress
from hardenctl.cli.request import Request
from hardenctl.detect.veil import veiled
from hardenctl.model.blob import SourceKind
from hardenctl.model.errors import UsageError
from hardenctl.model.record import replace
from hardenctl.model.report import Report, Verdict
from hardenctl.policy.baseline import load_baseline
from hardenctl.policy.load import load_policy, with_overrides
from hardenctl.policy.policy import Policy
from hardenctl.report.formats import check_format, render, split_outputs, write_file, write_stream
from hardenctl.report.style import Look, look_of
from hardenctl.rules import RULES
from hardenctl.rules.declare import Rule
from hardenctl.sources import open_source
from hardenctl.sources.repository import find_place

MOST_JOBS = 256  # more processes than that only wait for one another
_DIGITS = 9  # of a number that is meant as one; Python itself reads no more than 4,300
EXIT = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCOMPLETE: 2}


def run_audit(
    request: Request, rules: Sequence[Rule] = RULES, full: Callable[[Report, Look], str] | None = None
) -> int:
    """Audit, print, write the outputs; the exit code of the contract. Raises HardenctlError.

    `full` draws the report for a person where another form than the usual one was asked for.
    """
    check_format(request.format)
    outputs = split_outputs(request.outputs)
    report = veiled(make_report(request, rules))
    for name, path in outputs:
        write_file(report, name, path)
    look = look_of(sys.stdout, quiet=request.quiet, verbose=request.verbose)
    show(full(report, look) if full and request.format == "full" else render(report, request.format, look))
    return EXIT[report.verdict]


def make_report(request: Request, rules: Sequence[Rule] = RULES) -> Report:
    """Audit what a request asks for."""
    if request.pre_receive:
        from hardenctl.cli.receiving import receive

        return receive(request, rules)
    root = root_of(request)
    policy = policy_of(request, root)
    if (policy.select or policy.ignore or policy.rules) and not policy.enabled(rules):
        raise UsageError("no rule is left to run", help="--select, --ignore and policy rule out each other")
    baseline = load_baseline(root, Path(request.baseline) if request.baseline else None)
    jobs = jobs_of(request)
    source = open_source(
        request.paths,
        staged=request.staged,
        since=request.since,
        history=request.history,
        all_objects=request.all_objects,
        submodules=request.submodules,
        archives=request.archives,
        stdin_filename=request.stdin_filename,
        exclude=policy.exclude,
        salt=baseline.salt if baseline else None,
        jobs=jobs,
        edition=_edition(request, policy, rules),
    )
    with progress(wanted=not request.no_progress and not request.quiet) as advance:
        report = audit(
            source,
            policy,
            rules=rules,
            baseline=baseline.fingerprints if baseline else (),
            allow_gaps=request.allow_gaps,
            progress=advance,
            jobs=jobs,
        )
    known = getattr(source, "known", None)
    passed = known.passed if known is not None else 0
    return replace(report, notes=(*report.notes, *_notes(report, policy, passed)))


def _edition(request: Request, policy: Policy, rules: Sequence[Rule]) -> bytes | None:
    """What a history remembers its work under; None where it is to remember nothing, or there is no history."""
    if request.no_cache or not (request.history or request.all_objects or request.since):
        return None
    from hardenctl.detect.edition import edition
    from hardenctl.detect.look import Wanted
    from hardenctl.rules.catalogue import blob_rules

    own = policy.settings.secrets
    ids = frozenset(each.id for each in blob_rules(policy.enabled(rules)))
    return edition(Wanted(ids, own.custom, own.allow, own.plugins))


def jobs_of(request: Request) -> int:
    """How many processes may run: as many as this one may use processors, if nothing is said."""
    text = request.jobs
    if text is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or len(text) > _DIGITS or not int(text):
        raise UsageError(f"`--jobs {text}` is no number of processes", help="`--jobs 4`, or leave it out")
    return min(int(text), MOST_JOBS)


def root_of(request: Request) -> Path:
    """The folder whose policy and baseline hold. Raises UsageError for paths that aren't there."""
    if "-" in request.paths:
        return Path()
    return find_place(request.paths, on_disk=not request.asks_git).root


def policy_of(request: Request, root: Path) -> Policy:
    """The project's policy, or the one of `--config`, with the command line on top."""
    return overridden(request, load_policy(root, Path(request.config) if request.config else None))


def overridden(request: Request, policy: Policy) -> Policy:
    """A policy with the command line on top."""
    for option, given in (("select", request.select), ("ignore", request.ignore)):
        if given and not split(given):
            raise UsageError(f"--{option} names no rule", help="is a variable unset? `hardenctl rules` lists them all")
    return with_overrides(
        policy,
        fail_on=request.fail_on,
        select=split(request.select),
        ignore=split(request.ignore),
        no_ignores=request.no_ignores,
        plugins=split(request.plugins),
    )


def split(given: Sequence[str]) -> tuple[str, ...]:
    """Values of a repeatable option; one may hold several, with commas."""
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


def show(text: str) -> None:
    """Print to standard output; a reader that has seen enough is no error."""
    try:
        write_stream(text, sys.stdout)
    except BrokenPipeError:
        close_output()


def _notes(report: Report, policy: Policy, passed: int) -> list[str]:
    """What a reader should know before trusting the verdict."""
    notes = list(policy.notes)
    if not report.scanned.files and not report.scanned.blobs:
        staged = report.target.kind is SourceKind.INDEX
        notes.append("nothing is staged: no file was looked at" if staged else "there was no file to look at")
    if passed:
        notes.append(f"{passed:,} versions held nothing when they were looked at before (--no-cache looks again)")
    if policy.path:
        notes.append(f"the policy of {policy.path} holds")
    return notes
