"""JSON, version 1: what scripts rely on. `schema.py` describes it; a test holds the two together.

Everything is ASCII, so that a path with escape sequences is as harmless as any other in a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hardenctl import __version__
from hardenctl.model.finding import Finding, Occurrences
from hardenctl.model.report import JudgedFinding, Report, Server, Setting
from hardenctl.report.style import Look

SCHEMA_VERSION = 1


def lines(report: Report, look: Look) -> Iterator[str]:
    """The whole report as one object."""
    del look
    yield json.dumps(as_json(report), indent=2)


def finding_lines(report: Report, look: Look) -> Iterator[str]:
    """One finding a line, whatever its status."""
    del look
    yield from (json.dumps(finding_as_json(judged)) for judged in report.findings)


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    categories = {category.value: value for category, value in report.score.categories.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "hardenctl", "version": __version__},
        "target": {
            "path": report.target.path,
            "source": report.target.kind.value,
            "commit": report.target.commit,
        },
        "verdict": report.verdict.value,
        "score": {"overall": report.score.overall, "categories": categories},
        "findings": [finding_as_json(judged) for judged in report.findings],
        "servers": [_server(server) for server in report.servers],
        "gaps": [{"path": gap.path, "reason": gap.reason} for gap in report.gaps],
        "scanned": {
            "files": report.scanned.files,
            "bytes": report.scanned.bytes,
            "blobs": report.scanned.blobs,
            "commits": report.scanned.commits,
            "left_out": {reason: number for reason, number in sorted(report.scanned.skipped.items()) if number},
        },
        "elapsed_seconds": round(report.elapsed_seconds, 3),
    }


def finding_as_json(judged: JudgedFinding) -> dict[str, Any]:
    """One finding as plain data; `severity` is the one policy gives it."""
    finding, location = judged.finding, judged.finding.location
    return {
        "rule": finding.rule,
        "severity": judged.severity.word,
        "confidence": finding.confidence.word,
        "message": finding.message,
        "path": location.path,
        "line": location.line,
        "column": location.column,
        "end_line": location.end_line,
        "end_column": location.end_column,
        "commit": finding.commit.id if finding.commit else None,
        "author": finding.commit.author if finding.commit else None,
        "date": finding.commit.date if finding.commit else None,
        "occurrences": _occurrences(finding.occurrences),
        "services": list(finding.services) or None,
        "fingerprint": finding.fingerprint,
        "status": judged.status.value,
        "related": [
            {"path": each.location.path, "line": each.location.line, "message": each.message}
            for each in finding.related
        ],
        "evidence": dict(finding.evidence),
        "fix": _fix(finding),
    }


def _occurrences(seen: Occurrences | None) -> dict[str, Any] | None:
    return {"commits": seen.commits, "paths": list(seen.paths), "in_head": seen.in_head} if seen else None


def _fix(finding: Finding) -> dict[str, str] | None:
    fix = finding.fix
    return {"title": fix.title, "applicability": fix.applicability.value} if fix else None


def _server(server: Server) -> dict[str, Any]:
    return {
        "path": server.path,
        "line": server.line,
        "service": server.service,
        "server": server.server,
        "command": list(server.command),
        "effective": _effective(server.effective),
    }


def _effective(settings: Mapping[str, Setting]) -> dict[str, Any]:
    return {
        name: {
            "value": setting.value,
            **({"expression": setting.expression} if setting.expression is not None else {}),
            "path": setting.path,
            "line": setting.line,
            "origin": setting.origin,
        }
        for name, setting in settings.items()
    }
