"""One line a finding, as compilers and linters print them, for editors and grep."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.model.report import Report, Status
from hardenctl.report.style import Look, visible
from hardenctl.report.summary import left_out_line, verdict_line


def lines(report: Report, look: Look) -> Iterator[str]:
    """`path:line:column: severity rule message`, then the gaps, what was left out, the verdict."""
    for judged in report.findings if look.verbose else report.open:
        finding, location = judged.finding, judged.finding.location
        place = visible(f"{location.path}:{location.line}:{location.column}")
        commit = f" (commit {finding.commit.id[:10]})" if finding.commit else ""
        status = "" if judged.status is Status.OPEN else f" ({judged.status.value}: {visible(judged.reason)})"
        severity = look.severity(judged.severity, judged.severity.word)
        yield f"{place}: {severity} {finding.rule} {visible(finding.message)}{commit}{status}"
    for gap in report.gaps:
        yield f"{visible(gap.path)}: {look.paint('gap', 'ochre')} {visible(gap.reason)}"
    if not look.quiet and (skipped := left_out_line(report)):
        yield look.dim(skipped)
    yield verdict_line(report, look)
