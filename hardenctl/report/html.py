"""The report as one HTML page: findings by rule with their masked code, filters, gaps, coverage, score, servers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from hardenctl import __version__
from hardenctl.model.finding import Confidence, Finding, FrameLine, Severity
from hardenctl.model.report import JudgedFinding, Report, Server, Status, Verdict
from hardenctl.report.html_script import SCRIPT, STYLE
from hardenctl.report.page import call, escape, page, pill, section, table, tile
from hardenctl.report.pages import page_of, remedy_of
from hardenctl.report.style import Look
from hardenctl.report.summary import FAIR, GOOD, count, coverage, left_out, next_step, not_counted, verdict_words

_VERDICT = {Verdict.PASS: "good", Verdict.FAIL: "bad", Verdict.INCOMPLETE: "warn"}
_SEVERITY = {Severity.CRITICAL: "bad", Severity.HIGH: "bad", Severity.MEDIUM: "warn"}
_AROUND = 160  # characters of a long line that are shown on each side of what is marked


def lines(report: Report, look: Look) -> Iterator[str]:
    """The page."""
    del look
    header = (
        f"<h1>hardenctl {pill(report.verdict.value, _VERDICT[report.verdict])}</h1>",
        f"<p>{_prose(verdict_words(report))}.</p>",
        f'<p class="dim">{_prose(coverage(report))}</p>',
    )
    groups = [tuple(group) for _, group in groupby(_by_rule(report.findings), key=lambda each: each.finding.rule)]
    main = (
        f'<div class="tiles">{"".join(_tiles(report))}</div>',
        call("warn", f"Could not be looked at: {count(len(report.gaps), 'gap')}", _gaps(report)),
        section("Findings", _filters(report), *(_group(group) for group in groups), _none(report)),
        section("Servers", *map(_server, report.servers)),
        section("What this rests on", _rest(report)),
    )
    footer = f"hardenctl {escape(__version__)}. This page holds its data and fetches nothing."
    yield page(f"hardenctl: {report.verdict.value}", header, main, footer, style=STYLE, script=SCRIPT).rstrip("\n")


def _tiles(report: Report) -> Iterator[str]:
    score = report.score
    if score.overall is not None:
        yield tile(f"{score.overall:.1f} / 10", "readiness", _grade(score.overall))
        for category, value in score.categories.items():
            yield tile("not scored" if value is None else f"{value:.1f}", category.value, _grade(value))
    counts = Counter(judged.severity for judged in report.open)
    for severity in sorted(Severity, reverse=True):
        if counts[severity] or severity >= Severity.HIGH:
            kind = _SEVERITY.get(severity, "none") if counts[severity] else ""
            yield tile(f"{counts[severity]:,}", severity.word, kind)


def _grade(value: float | None) -> str:
    return "none" if value is None else "good" if value >= GOOD else "warn" if value >= FAIR else "bad"


def _gaps(report: Report) -> list[str]:
    return [f"{gap.path}: {gap.reason}" for gap in report.gaps]


def _by_rule(findings: Sequence[JudgedFinding]) -> list[JudgedFinding]:
    """Rules with the worst open findings first; within one, by place."""
    worst: dict[str, int] = {}
    for judged in findings:
        grade = int(judged.severity) if judged.status is Status.OPEN else -1
        worst[judged.finding.rule] = max(grade, worst.get(judged.finding.rule, -1))

    def key(judged: JudgedFinding) -> tuple[object, ...]:
        finding = judged.finding
        return (-worst[finding.rule], finding.rule, finding.location.path, finding.location.line)

    return sorted(findings, key=key)


def _filters(report: Report) -> str:
    """Shown by the script alone: without it every finding is there to read."""
    if not report.findings:
        return ""
    counts = Counter(judged.severity for judged in report.findings)
    boxes = "".join(
        f'<label><input type="checkbox" name="severity" value="{severity.word}" checked> {severity.word} '
        f"({counts[severity]})</label>"
        for severity in sorted(counts, reverse=True)
    )
    aside = sum(judged.status is not Status.OPEN for judged in report.findings)
    if aside:
        boxes += f'<label><input type="checkbox" name="aside"> set aside by policy ({aside})</label>'
    return (
        f'<form id="filters" hidden><fieldset><legend>Show</legend>{boxes}'
        '<label>with <input type="search" name="words" placeholder="path, rule or words"></label></fieldset>'
        '<output id="shown"></output></form>'
    )


def _group(findings: Sequence[JudgedFinding]) -> str:
    """A rule's findings: what they share is said once."""
    rule = findings[0].finding.rule
    worst = max((each for each in findings if each.status is Status.OPEN), key=lambda each: each.severity, default=None)
    severity = (worst or findings[0]).severity
    about = page_of(rule)
    said = [f"<p>{_prose(about.title)}.</p>" if about and about.title else ""]
    if about and about.why:
        said.append(f'<p class="dim">{_prose(about.why)}</p>')
    return (
        f'<section class="rule" id="{escape(rule)}"><h3>{pill(severity.word, _SEVERITY.get(severity, "none"))} '
        f'<code>{escape(rule)}</code> <span class="dim">{count(len(findings), "finding")}</span></h3>'
        f"{''.join(said)}{''.join(map(_finding, findings))}</section>"
    )


def _finding(judged: JudgedFinding) -> str:
    finding, location = judged.finding, judged.finding.location
    aside = "" if judged.status is Status.OPEN else pill(judged.status.value, "none")
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{_prose(text)}</dd>" for name, text in _facts(judged) if text)
    return (
        f'<article data-severity="{judged.severity.word}" data-status="{judged.status.value}">'
        f'<p class="place mono">{escape(location.path)}:{location.line}:{location.column} {aside}</p>'
        f"<p>{_prose(finding.message)}</p>{_frame(finding.frame)}<dl>{facts}</dl></article>"
    )


def _facts(judged: JudgedFinding) -> Iterator[tuple[str, str]]:
    finding = judged.finding
    if judged.status is not Status.OPEN:
        yield "aside", judged.reason
    for name, value in finding.evidence.items():
        yield "proof" if finding.confidence is Confidence.PROVEN else "fact", f"{name}: {value}"
    for each in finding.related:
        yield "see", f"{each.location.path}:{each.location.line}: {each.message}"
    yield "services", ", ".join(finding.services)
    if finding.commit:
        yield "since", f"commit {finding.commit.id[:10]}, {finding.commit.date[:10]}"
    yield from _history(finding)
    fix = finding.fix
    how = f" ({fix.applicability.value})" if fix and fix.edits else ""
    yield "fix", remedy_of(finding) + how


def _history(finding: Finding) -> Iterator[tuple[str, str]]:
    if seen := finding.occurrences:
        where = "still in HEAD" if seen.in_head else "no longer in HEAD, but in history"
        yield "seen", f"{count(seen.commits, 'commit')}; {where}; as {', '.join(seen.paths)}"


def _frame(frame: Sequence[FrameLine]) -> str:
    """The code around, masked already where the finding was made."""
    if not any(line.text.strip() for line in frame):
        return ""
    rows = []
    for line in frame:
        start, end = line.caret or (0, 0)
        cut = max(0, start - _AROUND)
        before, marked, after = line.text[cut:start], line.text[start:end], line.text[end : end + _AROUND]
        text = ("…" if cut else "") + escape(before)
        text += (f"<mark>{escape(marked[: 2 * _AROUND])}</mark>" if marked else "") + escape(after)
        text += "…" if end + _AROUND < len(line.text) or len(marked) > 2 * _AROUND else ""
        rows.append(f"<span{' class=hit' if line.caret else ''}><i>{line.number}</i>{text}\n</span>")
    return f'<pre class="frame" tabindex="0">{"".join(rows)}</pre>'


def _none(report: Report) -> str:
    return "" if report.findings else f"<p>{_prose(verdict_words(report)).capitalize()}.</p>"


def _server(server: Server) -> str:
    rows = [
        (
            f"<code>{escape(name)}</code>",
            f"<code>{escape(setting.expression if setting.value is None else json.dumps(setting.value))}</code>",
            escape(setting.origin),
            f'<span class="mono">{escape(setting.path)}:{setting.line}</span>',
        )
        for name, setting in server.effective.items()
    ]
    service = f" (service {server.service})" if server.service else ""
    head = f"<p><strong>{escape(server.server)}</strong> in {escape(server.path)}:{server.line}{escape(service)}</p>"
    return head + (table(("setting", "value", "set by", "where"), rows, left=4) or "<p>Nothing is set.</p>")


def _rest(report: Report) -> str:
    facts = [
        ("Looked at", coverage(report)),
        ("Left out", left_out(report)),
        ("Not counted", not_counted(report).removesuffix(" (--verbose shows them)")),
        *(("Note", note) for note in (*report.notes, *report.score.notes)),
        ("Next", next_step(report)),
    ]
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{_prose(text)}</dd>' for name, text in facts if text)}</dl>"


def _prose(text: str) -> str:
    """Text whose backticks are code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{escape(part)}</code>" if index % 2 else escape(part) for index, part in enumerate(parts))
