"""GitLab's Code Quality report."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator

from hardenctl.model.finding import Severity
from hardenctl.model.report import Report
from hardenctl.report.places import from_here
from hardenctl.report.style import Look, visible

_SEVERITY = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def lines(report: Report, look: Look) -> Iterator[str]:
    """The open findings, and each gap as one more, so that it isn't silence."""
    del look
    seen: Counter[str] = Counter()
    entries = []
    for judged in report.open:
        finding = judged.finding
        seen[finding.fingerprint] += 1
        entries.append(
            {
                "description": visible(finding.message),
                "check_name": finding.rule,
                "fingerprint": _unique(finding.fingerprint, seen[finding.fingerprint]),
                "severity": _SEVERITY[judged.severity],
                "location": {
                    "path": from_here(report, finding.location.path),
                    "lines": {"begin": finding.location.line, "end": finding.location.end_line},
                },
            }
        )
    for gap in report.gaps:
        key = f"gap:{gap.path}:{gap.reason}"
        seen[key] += 1
        entries.append(
            {
                "description": f"could not be looked at: {visible(gap.reason)}",
                "check_name": "gap",
                "fingerprint": _unique(hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest(), seen[key]),
                "severity": "major",
                "location": {"path": from_here(report, gap.path), "lines": {"begin": 1}},
            }
        )
    yield json.dumps(entries, indent=2)


def _unique(fingerprint: str, ordinal: int) -> str:
    """GitLab wants one fingerprint an entry; ours is the same wherever the same secret stands."""
    return fingerprint if ordinal == 1 else f"{fingerprint}-{ordinal}"
