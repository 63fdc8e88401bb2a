"""What stands under the findings: what was not looked at, what was, the score, the verdict, the next command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hardenctl.model.blob import SourceKind
from hardenctl.model.finding import Applicability, Severity
from hardenctl.model.record import replace
from hardenctl.model.report import Report, Score, Status, Verdict
from hardenctl.report.style import MEASURE, Look, visible, wrap

LABEL = 13
BAR = 10
GOOD, FAIR = 8.0, 5.0  # scores from here on are green, and ochre
_SOURCES = {
    SourceKind.WORKTREE: "in the work tree",
    SourceKind.INDEX: "in the index (what is staged)",
    SourceKind.RANGE: "in the commits of the range",
    SourceKind.HISTORY: "in the work tree and all of history",
    SourceKind.STDIN: "from standard input",
}
_VERDICT = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCOMPLETE: "ochre"}


def summary(report: Report, look: Look) -> Iterator[str]:
    """Coverage, score, verdict, next step: one labelled line each."""
    yield look.dim("─" * min(look.width, 120))
    yield from _labelled("Looked at", coverage(report), look)
    yield from _labelled("Left out", left_out(report), look)
    yield from _labelled("Not counted", not_counted(report), look)
    for note in report.notes:
        yield from _labelled("Note", note, look)
    yield from score_lines(report.score, look)
    yield from _labelled("Verdict", f"{_word(report)}: {verdict_words(report)}", look, first=_painted(report, look))
    yield from _labelled("Next", next_step(report), look)


def gaps(report: Report, look: Look) -> Iterator[str]:
    """Each thing that could not be looked at, so that silence never means clean."""
    if not report.gaps:
        return
    title = f"Could not be looked at: {count(len(report.gaps), 'gap')}"
    yield look.paint(title, "ochre", bold=True)
    yield ""
    for gap in report.gaps:
        lines = wrap(f"{visible(gap.path)}: {visible(gap.reason)}", min(look.width, MEASURE) - 4)
        yield from (f"  {'  ' if index else ''}{line}" for index, line in enumerate(lines))
    yield ""


def coverage(report: Report) -> str:
    """What was looked at: `12 files (34 kB) in the work tree at 1a2b3c4, in 0.2 s`."""
    scanned = report.scanned
    if report.target.kind is SourceKind.LIVE:
        asked = count(scanned.requests, "request")
        return f"{visible(report.target.path)} with {asked}, in {report.elapsed_seconds:.1f} s"
    commit = f" at {report.target.commit[:10]}" if report.target.commit else ""
    versions = f", {count(scanned.blobs, 'version')}" if scanned.blobs > scanned.files else ""
    commits = f", {count(scanned.commits, 'commit')}" if scanned.commits else ""
    return (
        f"{count(scanned.files, 'file')} ({size(scanned.bytes)}){versions}{commits} "
        f"{_SOURCES[report.target.kind]}{commit}, in {report.elapsed_seconds:.1f} s"
    )


def left_out(report: Report) -> str:
    """What was skipped on purpose, by reason; empty where nothing was."""
    skipped = sorted(report.scanned.skipped.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number} {reason}" for reason, number in skipped if number)


def left_out_line(report: Report) -> str:
    """`left_out` as a line of its own, for formats without labels; empty where nothing was."""
    text = left_out(report)
    return f"left out: {visible(text)}" if text else ""


def not_counted(report: Report) -> str:
    """How many findings policy set aside; empty where none."""
    statuses = Counter(judged.status for judged in report.findings)
    parts = [
        f"{statuses[status]} {status.value}" for status in (Status.SUPPRESSED, Status.BASELINED) if statuses[status]
    ]
    return f"{', '.join(parts)} (--verbose shows them)" if parts else ""


def verdict_words(report: Report) -> str:
    """Counts per severity, and what the gate makes of them."""
    counts = Counter(judged.severity for judged in report.open)
    found = ", ".join(f"{counts[severity]} {severity.word}" for severity in sorted(counts, reverse=True))
    return "; ".join(part for part in (found or "nothing found", *_gate(report, counts)) if part)


def _gate(report: Report, counts: Counter[Severity]) -> Iterator[str]:
    if report.fail_on is None:
        yield "the gate is off (--fail-on never)"
    elif counts:
        failing = sum(number for severity, number in counts.items() if severity >= report.fail_on)
        at = f"at {report.fail_on.word} or above" if report.fail_on < Severity.CRITICAL else "critical"
        yield f"{failing} {at} {'fails' if failing == 1 else 'fail'} the gate" if failing else f"none {at}"
    if report.gaps:
        blocks = ": not everything could be looked at (--allow-gaps accepts that)"
        yield count(len(report.gaps), "gap") + (blocks if report.verdict is Verdict.INCOMPLETE else "")


def verdict_line(report: Report, look: Look) -> str:
    """The verdict on one line with how many files it rests on: what quiet and concise end in."""
    return f"{_painted(report, look)} {count(report.scanned.files, 'file')} looked at; {verdict_words(report)}"


def _word(report: Report) -> str:
    return report.verdict.value.upper()


def _painted(report: Report, look: Look) -> str:
    return look.paint(f"{_word(report)}:", _VERDICT[report.verdict], bold=True)


def next_step(report: Report) -> str:
    """The command that helps most now; empty where there is nothing to do."""
    fixes = [judged.finding.fix for judged in report.open if judged.finding.fix and judged.finding.fix.edits]
    safe = sum(fix.applicability is Applicability.SAFE for fix in fixes)
    unsafe = sum(fix.applicability is Applicability.UNSAFE for fix in fixes)
    path = "" if report.target.path == "." else f" {report.target.path}"
    if safe or unsafe:
        flag = "" if safe else " --unsafe-fixes"
        more = f", {unsafe} more with --unsafe-fixes" if safe and unsafe else ""
        return f"`hardenctl fix{path}{flag}` shows {count(safe or unsafe, 'fix')} as a diff{more}"
    if report.open:
        return f"`hardenctl explain {report.open[0].finding.rule}`"
    return ""


def score_lines(score: Score, look: Look) -> Iterator[str]:
    """The score as bars, and why a figure is missing or capped."""
    if score.overall is not None:
        yield f"{look.dim('Score'.ljust(LABEL))}{_bar(score.overall, look)} {look.paint('overall', bold=True)}"
        for category, value in score.categories.items():
            bar = look.dim("not scored".ljust(BAR + 5)) if value is None else _bar(value, look)
            yield f"{' ' * LABEL}{bar} {category.value}"
    for index, note in enumerate(score.notes):
        label = "Score" if score.overall is None and not index else ""
        yield from (look.dim(line) for line in _labelled(label, note, replace(look, colour=False)))


def _bar(value: float, look: Look) -> str:
    full = round(value)
    colour = "green" if value >= GOOD else "ochre" if value >= FAIR else "red"
    return f"{look.paint('━' * full, colour)}{look.dim('┄' * (BAR - full))} {value:4.1f}"


def _labelled(label: str, text: str, look: Look, *, first: str = "") -> Iterator[str]:
    """A line of the summary, wrapped. `first` is the first word in colour."""
    for index, line in enumerate(wrap(visible(text), min(look.width, MEASURE) - LABEL)):
        name = look.dim(("" if index else label).ljust(LABEL))
        yield name + (first + line[line.find(" ") :] if first and not index else line)


def count(number: int, word: str) -> str:
    """`1 file`, `2 files`, `2 fixes`."""
    ending = "" if number == 1 else "es" if word.endswith("x") else "s"
    return f"{number:,} {word}{ending}"


def size(number: int) -> str:
    """Bytes as people read them, in powers of ten."""
    value = float(number)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000 or unit == "MB":  # noqa: PLR2004
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "bytes" or value >= 10 else f"{value:.1f} {unit}"  # noqa: PLR2004
