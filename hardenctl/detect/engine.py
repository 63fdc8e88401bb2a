"""Runs the detectors over a source and isolates crashes: one file's or one rule's failure is one gap."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence

from hardenctl.detect.config import detect_config
from hardenctl.detect.look import Looked, Wanted, check_plugins, looking_at_shares
from hardenctl.detect.secrets.first import FirstLook
from hardenctl.detect.stamp import Stamper
from hardenctl.model.blob import Blob, Gap, Share, Source
from hardenctl.model.finding import Finding
from hardenctl.model.record import record
from hardenctl.model.report import Scanned, Server
from hardenctl.model.settings import Settings
from hardenctl.rules.catalogue import blob_rules
from hardenctl.rules.declare import Rule


@record
class Detection:
    """What was found, what could not be looked at, and how much was."""

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    scanned: Scanned
    servers: tuple[Server, ...] = ()


def detect(
    source: Source,
    rules: Sequence[Rule],
    settings: Settings,
    progress: Callable[[Blob], None] | None = None,
    jobs: int = 1,
) -> Detection:
    """Look at all blobs of a source with all rules, in up to `jobs` processes.

    `progress` is called with each blob that is looked at in this process.
    """
    snapshot = source.snapshot()
    check_plugins(settings.secrets.plugins)  # what is wrong with one is said before anything is looked at
    stamper = Stamper(lambda: source.salt, snapshot, settings.secrets.custom)
    servers: list[Server] = []

    @functools.cache
    def wanted() -> Wanted:  # a function: secret rules are not imported before there is a blob
        ids = frozenset(each.id for each in blob_rules(rules))
        return Wanted(ids, own.custom, own.allow, own.plugins, remember=known is not None)

    known = getattr(source, "known", None)
    # What the policy adds, and what is to be remembered, takes more than a first look.
    own = settings.secrets
    first = FirstLook() if known is None and not own.custom and not own.plugins else None
    looked = Looked()
    shares: list[Share] = []
    for blob in getattr(source, "shares", source.blobs)():
        if not isinstance(blob, Blob | Gap):
            shares.append(blob)
            continue
        if progress and isinstance(blob, Blob):
            progress(blob)
        looked.look(blob, wanted, stamper, first=first)
    findings: list[Finding] = []
    held: list[Finding] = []  # of settings that hold a credential: one that a secret rule tells is told once
    gaps: list[Gap] = []
    with looking_at_shares(shares, wanted, lambda: source.salt, jobs) as elsewhere:  # while this one is busy
        for result in detect_config(snapshot, rules, settings) if snapshot is not None else ():
            if isinstance(result, Gap):
                gaps.append(result)
            elif isinstance(result, Server):
                servers.append(result)
            else:
                each, hit = result
                blob = snapshot.read(hit.span.path) if snapshot is not None else None
                found = stamper.stamp(each, hit, blob or Blob.empty(hit.span.path))
                (findings if hit.secret is None else held).append(found)
        for other in elsewhere:
            looked.add(other)
    told = {(each.location.path, each.location.line) for each in looked.findings}
    findings += [each for each in held if (each.location.path, each.location.line) not in told]
    findings, gaps = [*looked.findings, *findings], [*looked.gaps, *gaps]
    if known is not None:
        known.add(looked.clean)
        looked.paths |= known.paths
        looked.blobs += known.passed
    scanned = Scanned(
        files=len(looked.paths),
        bytes=looked.bytes,
        blobs=looked.blobs,
        commits=getattr(source, "commits", 0),  # both only of sources that have something to say there
        skipped=dict(looked.skipped + Counter(getattr(source, "skipped", {}))),
    )
    return Detection(tuple(findings), tuple(gaps), scanned, tuple(servers))


def framed(source: Source, findings: Sequence[Finding], settings: Settings) -> tuple[Finding, ...]:
    """The findings that are told, with the frames that were put off until it was known which those are.

    One whose version can no longer be read stays without.
    """
    waiting: dict[str, list[int]] = {}
    for number, finding in enumerate(findings):
        if finding.oid and not finding.frame:
            waiting.setdefault(finding.oid, []).append(number)
    if not waiting:
        return tuple(findings)
    complete, stamper = list(findings), Stamper(b"", custom=settings.secrets.custom)
    named = [(oid, findings[numbers[0]].location.path) for oid, numbers in waiting.items()]
    for blob in getattr(source, "versions", lambda _: ())(named):
        for number in waiting.get(blob.provenance.oid or "", ()) if isinstance(blob, Blob) else ():
            complete[number] = stamper.framed(complete[number], blob)
    return tuple(complete)
