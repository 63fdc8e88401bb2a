"""Runs the detectors over a source and isolates crashes: one file's or one rule's failure is one gap."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hardenctl.detect.config import detect_config
from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.stamp import Stamper
from hardenctl.model.blob import Blob, Gap, Source, Standing
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
    source: Source, rules: Sequence[Rule], settings: Settings, progress: Callable[[Blob], None] | None = None
) -> Detection:
    """Look at all blobs of a source with all rules. `progress` is called with each blob that was looked at."""
    snapshot = source.snapshot()
    stamper = Stamper(lambda: source.salt, snapshot)
    findings: list[Finding] = []
    gaps: list[Gap] = []
    servers: list[Server] = []
    secret_rules = frozenset(each.id for each in blob_rules(rules))
    paths: set[str] = set()
    blobs = size = 0
    for blob in source.blobs():
        if isinstance(blob, Gap):
            gaps.append(blob)
            continue
        blobs, size = blobs + 1, size + len(blob.data)
        paths.add(blob.path)
        if progress:
            progress(blob)
        if blob.provenance.standing is Standing.IGNORED or not secret_rules:
            continue
        try:
            findings.extend(
                stamper.stamp(each, hit, blob) for each, hit in detect_secrets(blob, secret_rules, gaps.append)
            )
        except Exception as error:  # noqa: BLE001 - a crash over one file must not hide what the others hold
            gaps.append(Gap(blob.path, f"the secret scan crashed: {type(error).__name__}"))
    if snapshot is not None:
        for result in detect_config(snapshot, rules, settings):
            if isinstance(result, Gap):
                gaps.append(result)
            elif isinstance(result, Server):
                servers.append(result)
            else:
                each, hit = result
                findings.append(stamper.stamp(each, hit, snapshot.read(hit.span.path) or Blob.empty(hit.span.path)))
    scanned = Scanned(
        files=len(paths),
        bytes=size,
        blobs=blobs,
        commits=getattr(source, "commits", 0),  # both only of sources that have something to say there
        skipped=dict(getattr(source, "skipped", {})),
    )
    return Detection(tuple(findings), tuple(gaps), scanned, tuple(servers))
