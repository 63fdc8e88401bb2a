"""Findings and fixes in the words of the Language Server Protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from hardenctl.lsp.look import Edited, Opinion
from hardenctl.model.finding import Applicability, Location, Severity
from hardenctl.model.report import JudgedFinding
from hardenctl.model.text import Lines
from hardenctl.report.pages import page_of, remedy_of

SOURCE = "hardenctl"
_SEVERITIES = {
    Severity.CRITICAL: types.DiagnosticSeverity.Error,
    Severity.HIGH: types.DiagnosticSeverity.Error,
    Severity.MEDIUM: types.DiagnosticSeverity.Warning,
    Severity.LOW: types.DiagnosticSeverity.Information,
    Severity.INFO: types.DiagnosticSeverity.Hint,
}


class Ruler:
    """Places in a text as a client counts them: lines from 0, columns in units of the `encoding` agreed upon."""

    def __init__(self, text: str, encoding: str) -> None:
        self._lines = Lines(text)
        self._width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
        self._encoding = "utf-8" if encoding == "utf-8" else f"{encoding}-le"

    def place(self, line: int, column: int) -> types.Position:
        """A line and column counted from 1, in characters."""
        before = self._lines.line(line)[: column - 1]
        return types.Position(line - 1, len(before.encode(self._encoding, "surrogatepass")) // self._width)

    def offset(self, offset: int) -> types.Position:
        """A character offset."""
        position = self._lines.position(offset)
        return self.place(position.line, position.column)

    def range(self, location: Location) -> types.Range:
        """Where a finding is."""
        end = self.place(location.end_line, location.end_column)
        return types.Range(self.place(location.line, location.column), end)

    def span(self, start: int, end: int) -> types.Range:
        """A stretch of characters."""
        return types.Range(self.offset(start), self.offset(end))


def diagnostics(opinion: Opinion, ruler: Ruler) -> Iterator[types.Diagnostic]:
    """What to show of a file."""
    for judged in opinion.findings:
        finding = judged.finding
        yield types.Diagnostic(
            range=ruler.range(finding.location),
            message=f"{finding.message}: {remedy}" if (remedy := remedy_of(finding)) else finding.message,
            severity=_SEVERITIES[judged.severity],
            code=finding.rule,
            source=SOURCE,
        )
    start = types.Range(types.Position(0, 0), types.Position(0, 0))
    for gap in opinion.gaps:
        message = f"could not be looked at: {gap.reason}"
        yield types.Diagnostic(range=start, message=message, severity=types.DiagnosticSeverity.Warning, source=SOURCE)


def at(opinion: Opinion, ruler: Ruler, wanted: types.Range) -> Iterator[JudgedFinding]:
    """The findings that touch a range."""
    for judged in opinion.findings:
        place = ruler.range(judged.finding.location)
        if _key(place.start) <= _key(wanted.end) and _key(wanted.start) <= _key(place.end):
            yield judged


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def actions(opinion: Opinion, found: Sequence[JudgedFinding], encoding: str) -> Iterator[types.CodeAction]:
    """The fixes of findings; one that changes what the program does says so and is not preferred."""
    for judged in found:
        fix = judged.finding.fix
        edited = opinion.edits(fix) if fix else ()
        if fix is None or not edited:
            continue
        unsafe = fix.applicability is Applicability.UNSAFE
        yield types.CodeAction(
            title=f"{fix.title} (changes what the program does)" if unsafe else fix.title,
            kind=types.CodeActionKind.QuickFix,
            is_preferred=not unsafe,
            edit=types.WorkspaceEdit(
                document_changes=[change for each in edited for change in _changes(each, encoding)]
            ),
        )


def _changes(edited: Edited, encoding: str) -> Iterator[types.CreateFile | types.TextDocumentEdit]:
    uri = edited.path.as_uri()
    ruler = Ruler(edited.before, encoding)
    if not edited.path.exists():
        yield types.CreateFile(uri=uri, options=types.CreateFileOptions(ignore_if_exists=True))
    edits: list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit] = [
        types.TextEdit(ruler.span(each.span.start, each.span.end), each.text) for each in edited.replaced
    ]
    if not edits:
        end = ruler.offset(len(edited.before))
        edits.append(types.TextEdit(types.Range(end, end), edited.after[len(edited.before) :]))
    yield types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri=uri), edits)


def page(judged: JudgedFinding) -> str:
    """A rule's page in Markdown."""
    found = page_of(judged.finding.rule)
    if found is None:
        return judged.finding.message
    sections = "".join(f"\n\n### {name}\n\n{text.strip()}" for name, text in found.sections.items())
    return f"**{judged.finding.rule}** ({judged.severity.word}): {found.title}{sections}"
