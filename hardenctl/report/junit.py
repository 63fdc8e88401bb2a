"""JUnit XML: what fails the gate is a failure, a gap an error; what is milder or set aside doesn't fail."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from hardenctl.model.report import JudgedFinding, Report, Status
from hardenctl.report.style import Look, visible
from hardenctl.report.summary import count, left_out


def lines(report: Report, look: Look) -> Iterator[str]:
    """One suite with a case for each finding and gap, and one for the files that were looked at."""
    del look
    failing = sum(_fails(report, judged) for judged in report.findings)
    aside = sum(judged.status is not Status.OPEN for judged in report.findings)
    counts = (
        f'tests="{len(report.findings) + len(report.gaps) + 1}" failures="{failing}" '
        f'errors="{len(report.gaps)}" skipped="{aside}" time="{report.elapsed_seconds:.3f}"'
    )
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="hardenctl" {counts}>'
    yield f'  <testsuite name="hardenctl" {counts}>'
    if skipped := left_out(report):
        yield f'    <properties><property name="left out" value={_quoted(skipped)}/></properties>'
    yield f'    <testcase classname="hardenctl" name="looked at {count(report.scanned.files, "file")}"/>'
    for judged in report.findings:
        yield from _case(report, judged)
    for gap in report.gaps:
        error = f"<error message={_quoted(gap.reason)}/>"
        yield f'    <testcase classname="gap" name={_quoted(gap.path)}>{error}</testcase>'
    yield "  </testsuite>"
    yield "</testsuites>"


def _case(report: Report, judged: JudgedFinding) -> Iterator[str]:
    finding, location = judged.finding, judged.finding.location
    name = f"{location.path}:{location.line}:{location.column}"
    where = f"file={_quoted(location.path)} line={_quoted(str(location.line))}"
    yield f"    <testcase classname={_quoted(finding.rule)} name={_quoted(name)} {where}>"
    message = _quoted(f"{judged.severity.word}: {finding.message}")
    if _fails(report, judged):
        yield f"      <failure type={_quoted(finding.rule)} message={message}/>"
    elif judged.status is not Status.OPEN:
        yield f"      <skipped message={_quoted(f'{judged.status.value}: {judged.reason}')}/>"
    else:
        yield f'      <properties><property name="below the gate" value={message}/></properties>'
    yield "    </testcase>"


def _fails(report: Report, judged: JudgedFinding) -> bool:
    return judged.status is Status.OPEN and report.fail_on is not None and judged.severity >= report.fail_on


def _quoted(text: str) -> str:
    """An attribute's value; XML cannot hold control characters, so they are made visible first."""
    return quoteattr(visible(text))
