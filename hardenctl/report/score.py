"""The readiness score and what each fix would add to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hardenctl.model.finding import Severity
from hardenctl.model.report import Report
from hardenctl.report.style import Look, wrap
from hardenctl.report.summary import count, gaps, score_lines


@dataclass(frozen=True, slots=True)
class Step:
    """Fixing all findings of one rule: what that adds on its own, and the score once all steps up to it are done."""

    rule: str
    severity: Severity
    findings: int
    alone: float
    then: float


def render_score(report: Report, steps: Sequence[Step], look: Look) -> str:
    """Bars, then a line a step, then what could not be looked at."""
    lines = [*score_lines(report.score, look), "", *_steps(steps, look), *gaps(report, look)]
    return "".join(look.final(line) + "\n" for line in lines)


def _steps(steps: Sequence[Step], look: Look) -> Iterator[str]:
    if not steps:
        return
    width = max(len(step.rule) for step in steps)
    yield from wrap("What to fix from the top, the overall score after each, and what it would add alone:", look.width)
    yield ""
    for step in steps:
        word = look.severity(step.severity, f"{step.severity.word:<8}")
        alone = look.paint(f"+{step.alone:.1f}", "green") if step.alone >= 0.05 else "    "  # noqa: PLR2004
        number = look.dim(count(step.findings, "finding"))
        yield f"  {step.then:4.1f}  {alone}  {word}  {step.rule:<{width}}  {number}"
    yield ""
    yield look.dim("`hardenctl explain RULE` says how.")
