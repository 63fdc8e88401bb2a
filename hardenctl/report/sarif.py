"""SARIF 2.1.0, as GitHub code scanning reads it.

Only open findings are results with a level; what policy set aside is a result with a suppression, which GitHub closes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from hardenctl import __version__
from hardenctl.model.finding import Confidence, Finding, Location, Severity
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.report import JudgedFinding, Report, Status
from hardenctl.report.pages import remedy_of, rule_of
from hardenctl.report.places import from_here
from hardenctl.report.style import Look, visible
from hardenctl.report.summary import left_out_line
from hardenctl.rules.fakes import hide

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ESCAPED = lazy_pattern(rb"\\x([89a-f][0-9a-f])")
_LEVEL = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
# GitHub's bands: critical above 9.0, high from 7.0, medium from 4.0, low above 0.
_SCORE = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
_PRECISION = {Confidence.PROVEN: "very-high", Confidence.LIKELY: "high", Confidence.POSSIBLE: "medium"}


def lines(report: Report, look: Look) -> Iterator[str]:
    """The log file."""
    del look
    yield json.dumps(as_sarif(report), indent=2)


def as_sarif(report: Report) -> dict[str, Any]:
    """The report as a SARIF log with one run."""
    rules = sorted({judged.finding.rule for judged in report.findings})
    seen: Counter[str] = Counter()
    results = [_result(report, judged, rules, seen) for judged in report.findings]
    gaps = [
        {
            "level": "error",
            "message": {"text": f"{visible(gap.path)} could not be looked at: {visible(gap.reason)}"},
            "locations": [{"physicalLocation": {"artifactLocation": _artifact(report, gap.path)}}],
        }
        for gap in report.gaps
    ]
    skipped = left_out_line(report)
    notes = [{"level": "note", "message": {"text": skipped}}] if skipped else []
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "hardenctl",
                        "semanticVersion": __version__,
                        "rules": [_rule(rule, report) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": not gaps, "toolExecutionNotifications": [*gaps, *notes]}],
                "results": results,
            }
        ],
    }


def _rule(rule_id: str, report: Report) -> dict[str, Any]:
    """A rule's metadata from its page. Severity and precision are the worst its findings have here."""
    found = [judged for judged in report.findings if judged.finding.rule == rule_id]
    severity = max(judged.severity for judged in found)
    confidence = max(judged.finding.confidence for judged in found)
    rule = rule_of(rule_id)
    described = {}
    if rule:
        page = hide(rule.page.text)
        described = {
            "shortDescription": {"text": rule.page.title},
            "fullDescription": {"text": rule.page.why or rule.page.title},
            "help": {"text": page, "markdown": page},
        }
    properties: dict[str, Any] = {"precision": _PRECISION[confidence], "tags": [found[0].finding.category.value]}
    if severity in _SCORE:
        properties |= {"security-severity": _SCORE[severity], "tags": ["security", *properties["tags"]]}
    properties["tags"] = sorted(set(properties["tags"]))
    level = {"level": _LEVEL.get(severity, "note")}
    return {"id": rule_id, "name": rule_id, **described, "defaultConfiguration": level, "properties": properties}


def _result(report: Report, judged: JudgedFinding, rules: list[str], seen: Counter[str]) -> dict[str, Any]:
    finding = judged.finding
    seen[finding.fingerprint] += 1
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": _LEVEL.get(judged.severity, "note"),
        "message": {"text": _message(finding)},
        "locations": [_location(report, finding.location)],
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint}:{seen[finding.fingerprint]}"},
    }
    if finding.related:
        result["relatedLocations"] = [
            {**_location(report, each.location), "id": index, "message": {"text": visible(each.message)}}
            for index, each in enumerate(finding.related)
        ]
    if judged.status is not Status.OPEN:
        inline = judged.status is Status.SUPPRESSED and bool(finding.marks)
        kind = "inSource" if inline else "external"
        result["suppressions"] = [{"kind": kind, "justification": visible(judged.reason)}]
    return result


def _message(finding: Finding) -> str:
    remedy = remedy_of(finding)
    return visible(finding.message) + (f"\n{visible(remedy)}" if remedy else "")


def _location(report: Report, location: Location) -> dict[str, Any]:
    region = {
        "startLine": location.line,
        "startColumn": location.column,
        "endLine": location.end_line,
        "endColumn": location.end_column,
    }
    return {"physicalLocation": {"artifactLocation": _artifact(report, location.path), "region": region}}


def _artifact(report: Report, path: str) -> dict[str, str]:
    if "://" in report.target.path:  # a live target: a URL of its own
        return {"uri": path}
    return {"uri": quote(_raw(from_here(report, path))), "uriBaseId": "%SRCROOT%"}


def _raw(path: str) -> bytes:
    r"""A path's bytes: those that are no UTF-8 stand in it as `\xe9`."""
    return _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), path.encode("utf-8", "surrogateescape"))
