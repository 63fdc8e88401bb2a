"""Annotations on a pull request: GitHub's workflow commands, for where SARIF cannot be uploaded."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.model.finding import Severity
from hardenctl.model.report import Report
from hardenctl.report.pages import remedy_of
from hardenctl.report.places import from_here
from hardenctl.report.style import Look, visible
from hardenctl.report.summary import left_out_line, verdict_line

_LEVEL = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}


def lines(report: Report, look: Look) -> Iterator[str]:
    """One command a finding and a gap, then the verdict. GitHub shows the first ten of each level: the worst."""
    for judged in report.open:
        finding, location = judged.finding, judged.finding.location
        properties = {
            "file": from_here(report, location.path),
            "line": location.line,
            "endLine": location.end_line,
            "title": f"{finding.rule} ({judged.severity.word})",
        }
        if location.end_line == location.line:  # GitHub takes columns only on one line
            properties |= {"col": location.column, "endColumn": location.end_column}
        text = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
        message = ". ".join(part for part in (finding.message, remedy_of(finding)) if part)
        yield f"::{_LEVEL.get(judged.severity, 'notice')} {text}::{_data(message)}"
    for gap in report.gaps:
        path = _property(from_here(report, gap.path))
        yield f"::error file={path},title=could not be looked at::{_data(gap.reason)}"
    if skipped := left_out_line(report):
        yield skipped
    yield verdict_line(report, look)


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
