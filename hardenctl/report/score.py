"""The readiness score and what each fix would add to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hardenctl.model.finding import Severity
from hardenctl.model.report import Report
from hardenctl.report.style import Look
from hardenctl.report.summary import count, gaps, score_lines


def render_score(report: Report, gains: Sequence[tuple[str, Severity, int, float]], look: Look) -> str:
    """Bars, then a line a rule: id, severity, number of findings, what fixing them all would add to the overall."""
    lines = [*score_lines(report.score, look), "", *_gains(gains, look), *gaps(report, look)]
    return "".join(look.final(line) + "\n" for line in lines)


def _gains(gains: Sequence[tuple[str, Severity, int, float]], look: Look) -> Iterator[str]:
    if not gains:
        return
    width = max(len(rule) for rule, *_ in gains)
    yield look.dim("What fixing all findings of one rule would add to the overall score, on its own:")
    yield ""
    for rule, severity, findings, overall in gains:
        added = look.paint(f"+{overall:.1f}", "green", bold=True) if overall >= 0.05 else look.dim("+0.0")  # noqa: PLR2004
        word = look.severity(severity, f"{severity.word:<8}")
        yield f"  {added}  {rule:<{width}}  {word}  {look.dim(count(findings, 'finding'))}"
    yield ""
    yield look.dim("+0.0: a cap stays while other findings as bad are open. `hardenctl explain RULE` says what to do.")
