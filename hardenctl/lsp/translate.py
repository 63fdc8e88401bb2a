"""Findings and fixes in the words of the Language Server Protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types

from hardenctl.lsp.look import Edited, Opinion, Told
from hardenctl.model.finding import Applicability, Location, Severity
from hardenctl.model.report import JudgedFinding
from hardenctl.model.text import Lines, decode
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


@dataclass(frozen=True)
class Editor:
    """What a client can do, and what it has open: address, text and version by path.

    `versions` says that it takes edits of several files together, each for a version; `creates`, that it makes files.
    """

    encoding: str
    versions: bool
    creates: bool
    documents: Mapping[Path, tuple[str, str, int | None]]


def diagnostics(opinion: Opinion, ruler: Ruler) -> Iterator[types.Diagnostic]:
    """What to show of a file."""
    for each in opinion.told:
        yield _diagnostic(each.judged, ruler)
    start = types.Range(types.Position(0, 0), types.Position(0, 0))
    for gap in opinion.gaps:
        message = f"could not be looked at: {gap.reason}"
        yield types.Diagnostic(range=start, message=message, severity=types.DiagnosticSeverity.Warning, source=SOURCE)


def _diagnostic(judged: JudgedFinding, ruler: Ruler) -> types.Diagnostic:
    finding = judged.finding
    return types.Diagnostic(
        range=ruler.range(finding.location),
        message=f"{finding.message}: {remedy}" if (remedy := remedy_of(finding)) else finding.message,
        severity=_SEVERITIES[judged.severity],
        code=finding.rule,
        source=SOURCE,
    )


def at(opinion: Opinion, ruler: Ruler, wanted: types.Range) -> Iterator[Told]:
    """The findings that touch a range."""
    for each in opinion.told:
        place = ruler.range(each.judged.finding.location)
        if _key(place.start) <= _key(wanted.end) and _key(wanted.start) <= _key(place.end):
            yield each


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def actions(found: Iterable[Told], ruler: Ruler, editor: Editor) -> Iterator[types.CodeAction]:
    """The fixes of findings; one that changes what the program does says so and is not preferred."""
    for each in found:
        fix = each.judged.finding.fix
        edit = _workspace_edit(each.edits, editor)
        if fix is None or edit is None:
            continue
        unsafe = fix.applicability is Applicability.UNSAFE
        yield types.CodeAction(
            title=f"{fix.title} (changes what the program does)" if unsafe else fix.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[_diagnostic(each.judged, ruler)],
            is_preferred=not unsafe,
            edit=edit,
        )


def _workspace_edit(edits: Sequence[Edited], editor: Editor) -> types.WorkspaceEdit | None:
    """The edits as this client takes them; None where it can't, or a file is no longer what was looked at."""
    changes: list[types.CreateFile | types.TextDocumentEdit] = []
    plain: dict[str, list[types.TextEdit]] = {}
    for each in edits:
        uri, text, version = editor.documents.get(each.path) or (each.path.as_uri(), _on_disk(each.path), None)
        if (text or "") != each.before or (text is None and not editor.creates):
            return None
        if text is None:
            changes.append(types.CreateFile(uri=uri, options=types.CreateFileOptions(ignore_if_exists=True)))
        plain[uri] = list(_text_edits(each, editor.encoding))
        changes.append(
            types.TextDocumentEdit(
                types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version), [*plain[uri]]
            )
        )
    if not changes:
        return None
    return types.WorkspaceEdit(document_changes=changes) if editor.versions else types.WorkspaceEdit(changes=plain)


def _on_disk(path: Path) -> str | None:
    """A file's text, None where there is none."""
    try:
        return decode(path.read_bytes())
    except OSError:
        return None


def _text_edits(edited: Edited, encoding: str) -> Iterator[types.TextEdit]:
    ruler = Ruler(edited.before, encoding)
    for each in edited.replaced:
        yield types.TextEdit(ruler.span(each.span.start, each.span.end), each.text)
    if not edited.replaced:
        end = ruler.offset(len(edited.before))
        yield types.TextEdit(types.Range(end, end), edited.after[len(edited.before) :])


def page(judged: JudgedFinding) -> str:
    """A rule's page in Markdown."""
    found = page_of(judged.finding.rule)
    if found is None:
        return judged.finding.message
    sections = "".join(f"\n\n### {name}\n\n{text.strip()}" for name, text in found.sections.items())
    return f"**{judged.finding.rule}** ({judged.severity.word}): {found.title}{sections}"
