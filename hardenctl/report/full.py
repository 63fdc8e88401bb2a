"""The terminal report: grouped by file, most severe first, each finding with its code frame, reason and remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from hardenctl.model.finding import Applicability, Confidence, Finding, Severity
from hardenctl.model.report import JudgedFinding, Report, Status
from hardenctl.report.frame import frame
from hardenctl.report.pages import page_of, remedy_of
from hardenctl.report.style import MEASURE, Look, cells, clip, visible, wrap
from hardenctl.report.summary import gaps, summary, verdict_line

SHOWN = 3  # findings of one rule in one file that are shown whole
WIDEST = 120  # columns a header line spans at most
LABEL = 6


def lines(report: Report, look: Look) -> Iterator[str]:
    """The report line by line. Quiet leaves out pages, coverage and score; verbose adds what doesn't count, and why."""
    shown = report.findings if look.verbose else report.open
    for _, group in groupby(_by_file(shown), key=lambda judged: judged.finding.location.path):
        yield from _file(tuple(group), look)
    yield from gaps(report, look)
    yield from [verdict_line(report, look)] if look.quiet else summary(report, look)


def _by_file(findings: Sequence[JudgedFinding]) -> list[JudgedFinding]:
    """Files with the worst findings first; within one, the worst first, a rule's findings in order of lines."""
    worst: dict[str, tuple[int, int]] = {}
    for judged in findings:
        path = judged.finding.location.path
        severity, count = worst.get(path, (0, 0))
        worst[path] = (min(severity, -judged.severity), count - 1)

    def key(judged: JudgedFinding) -> tuple[object, ...]:
        location = judged.finding.location
        return (worst[location.path], location.path, -judged.severity, judged.finding.rule, location.line)

    return sorted(findings, key=key)


def _file(findings: Sequence[JudgedFinding], look: Look) -> Iterator[str]:
    yield from _header(findings, look)
    for _, group in groupby(findings, key=lambda judged: (judged.finding.rule, judged.severity)):
        same = tuple(group)
        # One more than the limit is shown rather than folded: a line saying "1 more" saves nothing.
        whole = same if look.verbose or len(same) <= SHOWN + 1 else same[:SHOWN]
        for index, judged in enumerate(whole):
            yield from _finding(judged, look, first=index == 0)
        if len(whole) < len(same):
            yield from _folded(same[len(whole) :], look)


def _header(findings: Sequence[JudgedFinding], look: Look) -> Iterator[str]:
    counts = Counter(judged.severity for judged in findings if judged.status is Status.OPEN)
    words = " · ".join(f"{counts[severity]} {severity.word}" for severity in sorted(counts, reverse=True))
    width = min(look.width, WIDEST)
    path = clip(visible(findings[0].finding.location.path), width - len(words) - 5)
    rule = "─" * (width - cells(path) - len(words) - 2)
    yield f"{look.paint(path, bold=True)} {look.dim(rule)} {look.dim(words)}".rstrip()
    yield ""


def _finding(judged: JudgedFinding, look: Look, *, first: bool) -> Iterator[str]:
    """One finding. What is the same for all of a rule in a file is only said with the first.

    An `info` finding is told in short: it fails no gate by default, and code and reason are one command away.
    """
    finding = judged.finding
    yield from _title(judged, look)
    width = min(look.width, MEASURE) - 2
    yield from (f"  {line}" for line in wrap(visible(finding.message), width))
    if look.quiet:
        yield ""
        return
    short = judged.severity is Severity.INFO and not look.verbose
    framed = [] if short else list(frame(finding.frame, judged.severity, look, end=finding.location.end_line))
    yield from ["", *framed, ""] if framed else [] if short else [""]
    if judged.status is not Status.OPEN:
        yield from labelled("aside", f"{judged.status.value}: {judged.reason}", look)
    yield from _places(finding, look)
    page = page_of(finding.rule)
    if first and page and page.why and not short:
        yield from labelled("why", page.why, look)
    yield from _fix(finding, look)
    if look.verbose:
        for reason in finding.why:
            yield from labelled("sign", reason, look)
    if first and not short:
        yield "  " + look.dim(f"{'more':<{LABEL}}hardenctl explain {finding.rule}")
    yield ""


def _title(judged: JudgedFinding, look: Look) -> Iterator[str]:
    """Severity and rule on the left, the place on the right; in a narrow terminal below."""
    finding, location = judged.finding, judged.finding.location
    left = f"  {look.severity(judged.severity, judged.severity.word)}  {look.paint(finding.rule, bold=True)}"
    free = min(look.width, WIDEST) - 4 - len(judged.severity.word) - len(finding.rule)
    line = f"line {location.line}"
    for place in (f"{visible(location.path)}:{location.line}:{location.column}", line):
        if cells(place) + 2 <= free:
            yield left + " " * (free - cells(place)) + look.dim(place)
            return
    yield left
    yield f"  {look.dim(line)}"


def _places(finding: Finding, look: Look) -> Iterator[str]:
    """Where else: the evidence, other locations, compose services, history."""
    for name, value in finding.evidence.items():
        yield from labelled("proof" if finding.confidence is Confidence.PROVEN else "fact", f"{name}: {value}", look)
    for each in finding.related:
        yield from labelled("see", f"{each.location.path}:{each.location.line}  {each.message}", look)
    if finding.services:
        yield from labelled("in", f"{_plural('service', finding.services)} {', '.join(finding.services)}", look)
    if finding.commit:
        yield from labelled("since", f"commit {finding.commit.id[:10]}, {finding.commit.date[:10]}", look)
    if finding.occurrences:
        seen = finding.occurrences
        where = "still in HEAD" if seen.in_head else "no longer in HEAD, but in history"
        commits = f"{seen.commits} {'commit' if seen.commits == 1 else 'commits'}"
        others = [path for path in seen.paths if path != finding.location.path]
        also = f"; also as {', '.join(others)}" if others else ""
        yield from labelled("seen", f"{commits}; {where}{also}", look)


def _fix(finding: Finding, look: Look) -> Iterator[str]:
    """The remedy, and the command that carries it out where there is one."""
    yield from labelled("fix", remedy_of(finding), look)
    fix = finding.fix
    if fix and fix.edits and fix.applicability is not Applicability.ADVICE:
        flag = " --unsafe-fixes" if fix.applicability is Applicability.UNSAFE else ""
        yield "  " + " " * LABEL + look.dim(f"hardenctl fix{flag}")


def _folded(rest: Sequence[JudgedFinding], look: Look) -> Iterator[str]:
    where = ", ".join(str(judged.finding.location.line) for judged in rest)
    text = f"and {len(rest)} more of {rest[0].finding.rule}, on {_plural('line', rest)} {where} (--verbose shows each)"
    yield from (f"  {look.dim(line)}" for line in wrap(text, min(look.width, MEASURE) - 2))
    yield ""


def labelled(label: str, text: str, look: Look) -> Iterator[str]:
    """Prose behind a short label, wrapped with a hanging indent; nothing where there is no text."""
    width = min(look.width, MEASURE) - 2 - LABEL
    for index, line in enumerate(wrap(visible(text), width)):
        name = ("" if index else label).ljust(LABEL)
        yield f"  {look.paint(name, 'green') if label == 'fix' else look.dim(name)}{line}"


def _plural(word: str, things: Sequence[object]) -> str:
    return word if len(things) == 1 else f"{word}s"
