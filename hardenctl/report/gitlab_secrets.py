"""GitLab's secret detection report (`gl-secret-detection-report.json`): the secrets alone.

Facts from GitLab's published schema `secret-detection-report-format.json`, version 15.0.7. Its optional
`raw_source_code_extract` is the unmasked line, so it is left out.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hardenctl import __version__
from hardenctl.model.report import JudgedFinding, Report
from hardenctl.report.pages import page_of, remedy_of
from hardenctl.report.places import from_here
from hardenctl.report.style import Look, visible
from hardenctl.report.summary import left_out_line

SCHEMA_VERSION = "15.0.7"
_SCHEMA = (
    "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/"
    f"v{SCHEMA_VERSION}/dist/secret-detection-report-format.json"
)
_NO_COMMIT = "0000000"  # what GitLab's own analyzer writes where there is no repository
_LONGEST_NAME, _LONGEST_SOLUTION = 255, 7000
_TOOL = {"id": "hardenctl", "name": "hardenctl", "version": __version__, "vendor": {"name": "hardenctl"}}


def lines(report: Report, look: Look) -> Iterator[str]:
    """The report as JSON."""
    del look
    yield json.dumps(as_report(report, dt.datetime.now(tz=dt.UTC)), indent=2)


def as_report(report: Report, ended: dt.datetime) -> dict[str, Any]:
    """The open findings of the secret rules. What could not be looked at makes the scan a failed one, and is said."""
    seen: Counter[str] = Counter()
    skipped = left_out_line(report)
    secrets = [judged for judged in report.open if judged.finding.rule.startswith("secret-")]
    return {
        "version": SCHEMA_VERSION,
        "schema": _SCHEMA,
        "scan": {
            "analyzer": _TOOL,
            "scanner": _TOOL,
            "type": "secret_detection",
            "start_time": _time(ended - dt.timedelta(seconds=report.elapsed_seconds)),
            "end_time": _time(ended),
            "status": "failure" if report.gaps else "success",
            "messages": [
                {"level": "warn", "value": visible(f"{gap.path} could not be looked at: {gap.reason}")}
                for gap in report.gaps
            ]
            + ([{"level": "info", "value": skipped}] if skipped else []),
        },
        "vulnerabilities": [_vulnerability(report, judged, seen) for judged in secrets],
    }


def _vulnerability(report: Report, judged: JudgedFinding, seen: Counter[str]) -> dict[str, Any]:
    finding, location = judged.finding, judged.finding.location
    page = page_of(finding.rule)
    key = f"{finding.fingerprint}:{location.path}"
    seen[key] += 1
    found: dict[str, Any] = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"hardenctl:{key}:{seen[key]}")),
        "name": (page.title if page else finding.rule)[:_LONGEST_NAME],
        "description": visible(finding.message),
        "severity": judged.severity.word.title(),
        "solution": visible(remedy_of(finding))[:_LONGEST_SOLUTION],
        "identifiers": [{"type": "hardenctl_rule_id", "name": f"hardenctl rule {finding.rule}", "value": finding.rule}],
        "location": {
            "file": from_here(report, location.path),
            "start_line": location.line,
            "end_line": location.end_line,
            "commit": _commit(report, judged),
        },
    }
    links = [{"url": each} for each in page.references if each.startswith(("http://", "https://"))] if page else []
    return {**found, "links": links} if links else found


def _commit(report: Report, judged: JudgedFinding) -> dict[str, str]:
    commit = judged.finding.commit
    if commit:
        return {"sha": commit.id, "author": visible(commit.author), "date": commit.date}
    return {"sha": report.target.commit or _NO_COMMIT}


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
