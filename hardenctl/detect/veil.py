"""Masks credentials in names: a path, an author, a service may hold one, and every report prints them.

Only tokens of known formats are told in a name. What stands in a file is masked where it is stamped (`stamp`).
"""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.detect.redact import mask
from hardenctl.detect.secrets.first import formats, holds_format
from hardenctl.model.finding import Finding, RelatedLocation
from hardenctl.model.record import replace
from hardenctl.model.report import Report


def veiled(report: Report) -> Report:
    """The report as it may be shown."""
    names = "\n".join(set(_names(report)))
    if not names or not holds_format(names, formats()):
        return report
    return replace(
        report,
        findings=tuple(replace(each, finding=_finding(each.finding)) for each in report.findings),
        gaps=tuple(replace(each, path=_veil(each.path), reason=_veil(each.reason)) for each in report.gaps),
        servers=tuple(
            replace(each, path=_veil(each.path), service=each.service and _veil(each.service))
            for each in report.servers
        ),
        notes=tuple(map(_veil, report.notes)),
    )


def _names(report: Report) -> Iterator[str]:
    for judged in report.findings:
        finding = judged.finding
        yield from (finding.location.path, finding.message, *finding.services, *finding.evidence.values())
        yield from (part for each in finding.related for part in (each.location.path, each.message))
        yield from finding.occurrences.paths if finding.occurrences else ()
        if finding.commit:
            yield finding.commit.author
    yield from (part for gap in report.gaps for part in (gap.path, gap.reason))
    yield from (part for each in report.servers for part in (each.path, each.service or ""))
    yield from report.notes


def _finding(finding: Finding) -> Finding:
    def related(other: RelatedLocation) -> RelatedLocation:
        location = replace(other.location, path=_veil(other.location.path))
        return replace(other, location=location, message=_veil(other.message))

    commit, occurrences = finding.commit, finding.occurrences
    return replace(
        finding,
        message=_veil(finding.message),
        location=replace(finding.location, path=_veil(finding.location.path)),
        related=tuple(map(related, finding.related)),
        services=tuple(map(_veil, finding.services)),
        evidence={key: _veil(value) for key, value in finding.evidence.items()},
        commit=commit and replace(commit, author=_veil(commit.author)),
        occurrences=occurrences and replace(occurrences, paths=tuple(map(_veil, occurrences.paths))),
    )


def _veil(name: str) -> str:
    from hardenctl.detect.secrets.pipeline import tokens  # few reports get here

    return mask(name, tokens(name))
