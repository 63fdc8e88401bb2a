"""Markdown for a pull request comment or a CI step summary."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.report import JudgedFinding, Report
from hardenctl.report.pages import remedy_of
from hardenctl.report.style import Look, visible
from hardenctl.report.summary import coverage, left_out, not_counted, verdict_words

_SPECIAL = lazy_pattern(r"([\\|<>&@#*_\[\]!~])")


def lines(report: Report, look: Look) -> Iterator[str]:
    """A heading with the verdict, a table of findings with the worst first, the gaps, what was looked at, the score."""
    del look
    yield f"## hardenctl: {report.verdict.value}"
    yield ""
    yield verdict_words(report) + "."
    yield ""
    if report.open:
        yield "| severity | where | what | remedy |"
        yield "|---|---|---|---|"
        yield from map(_row, report.open)
        yield ""
    if report.gaps:
        yield "### Could not be looked at"
        yield ""
        yield from (f"- {_code(gap.path)}: {_text(gap.reason)}" for gap in report.gaps)
        yield ""
    yield f"Looked at {_text(coverage(report))}."
    for label, text in (("Left out", left_out(report)), ("Not counted", not_counted(report))):
        if text:
            yield f"{label}: {_text(text)}."
    yield from (f"Note: {_text(note)}." for note in report.notes)
    if report.score.overall is not None:
        categories = ", ".join(
            f"{category.value} {'not scored' if value is None else f'{value:.1f}'}"
            for category, value in report.score.categories.items()
        )
        yield ""
        yield f"Readiness **{report.score.overall:.1f}** of 10: {categories}."


def _row(judged: JudgedFinding) -> str:
    finding, location = judged.finding, judged.finding.location
    commit = f" at {finding.commit.id[:10]}" if finding.commit else ""
    where = f"{_code(f'{location.path}:{location.line}')}{commit}"
    what = f"{_text(finding.message)} ({_code(finding.rule)})"
    return f"| {judged.severity.word} | {where} | {what} | {_text(remedy_of(finding))} |"


def _text(text: str) -> str:
    """Prose whose backticks stay code, and nothing else is markup: a file name cannot mention people or inject HTML."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return _SPECIAL.sub(r"\\\1", visible(text)).replace("`", "\\`")
    return "".join(_code(part) if index % 2 else _SPECIAL.sub(r"\\\1", part) for index, part in enumerate(parts))


def _code(text: str) -> str:
    """A code span in a table: pipes escaped, backticks replaced."""
    return f"`{visible(text).replace('`', chr(0x2019)).replace('|', chr(92) + '|')}`" if text else ""
