"""The server: opinions on what is opened and changed, fixes, and the page of a rule."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from hardenctl import __version__
from hardenctl.lsp.look import Opinion, Recent, home_of, look
from hardenctl.lsp.translate import Editor, Ruler, actions, at, diagnostics, page
from hardenctl.model.errors import UsageError

PAUSE = 0.4  # seconds without a key pressed before a changed file is looked at


@dataclass(frozen=True)
class Held:
    """An opinion with the document and the version that it is about."""

    document: TextDocument
    version: int | None
    opinion: Opinion


class Server(LanguageServer):
    """Keeps the last opinion of each open file, and what waits to be looked at."""

    def __init__(self) -> None:
        # Whole texts, not changes: pygls takes a form feed for the end of a line, which editors don't, and would put a
        # change on the wrong one.
        super().__init__("hardenctl", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.held: dict[str, Held] = {}
        self.is_told_to_stop = False
        self._wanted: dict[str, None] = {}  # URIs, those that wait longest first
        self._work: asyncio.Task[None] | None = None
        self._recent = Recent()
        self._said = ""

    @property
    def documents(self) -> dict[str, TextDocument]:
        """What is open, by its address as the client writes it: pygls has spaces, letters and drives unescaped."""
        return {each.uri: each for each in self.workspace.text_documents.values()}

    def want(self, uris: Iterable[str], *, anew: bool = True) -> None:
        """Look at files soon: one audit at a time, and one for all files of a repository that wait.

        Not `anew` is for a key that was pressed: nothing on disk is known to have changed.
        """
        if anew:
            self._recent.forget()
        self._wanted |= dict.fromkeys(uris)
        if self._work is None or self._work.done():
            self._work = asyncio.ensure_future(self._look_at_wanted())

    async def _look_at_wanted(self) -> None:
        while self._wanted:
            opened = self.documents
            paths = {uri: path for uri in self._wanted if uri in opened and (path := to_fs_path(uri))}
            if not paths:
                self._wanted.clear()
                return
            homes = {uri: home_of(path, self._folders()) for uri, path in paths.items()}
            home = next(iter(homes.values()))
            now = {uri: path for uri, path in paths.items() if homes[uri] == home}
            self._wanted = {uri: None for uri in self._wanted if uri not in now}
            try:
                await self._look(now, home)
            except Exception as error:  # noqa: BLE001 - the others still have their turn
                self.report_server_error(error, None)

    async def _look(self, paths: dict[str, str], home: Path | None) -> None:
        """Look at files and show what there is to say of those that have not changed meanwhile."""
        documents = self.documents
        asked = {uri: (documents[uri], documents[uri].version) for uri in paths}
        texts = {name: each.source for each in documents.values() if (name := to_fs_path(each.uri))}
        loop = asyncio.get_running_loop()
        opinions = await loop.run_in_executor(None, look, list(paths.values()), texts, home, self._recent)
        for uri, (document, version) in asked.items():
            opinion = opinions[paths[uri]]
            if opinion.error:
                self.complain(opinion.error)
            if self.documents.get(uri) is document and document.version == version:
                self.held[uri] = Held(document, version, opinion)
                found = list(diagnostics(opinion, Ruler(document.source, self.editor.encoding)))
                self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def _folders(self) -> list[str]:
        uris = [
            *(each.uri for each in self.workspace.folders.values()),
            *([self.workspace.root_uri] if self.workspace.root_uri else []),
        ]
        return [path for uri in uris if (path := to_fs_path(uri))]

    @property
    def editor(self) -> Editor:
        """What the client can do, and what it has open."""
        encoding = self.workspace.position_encoding
        wanted = getattr(self.client_capabilities.workspace, "workspace_edit", None)
        return Editor(
            encoding=str(getattr(encoding, "value", encoding) or "utf-16"),
            versions=bool(wanted and wanted.document_changes),
            creates=bool(wanted and types.ResourceOperationKind.Create in (wanted.resource_operations or ())),
            documents={
                Path(os.path.realpath(path)): (uri, each.source, each.version)
                for uri, each in self.documents.items()
                if (path := to_fs_path(uri))
            },
        )

    def current(self, uri: str) -> Held | None:
        """The opinion of a document as it is now."""
        held = self.held.get(uri)
        if held is None or self.documents.get(uri) is not held.document:
            return None
        return held if held.document.version == held.version else None

    def complain(self, reason: str) -> None:
        """Say what is wrong, once and not with each key."""
        text = f"hardenctl: {reason}"
        if text != self._said:
            self._said = text
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, text))

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ARG002 - as pygls calls it
        """Say that something went wrong by its kind alone: an exception's text can hold what the file says."""
        self.complain(f"something went wrong: {type(error).__name__}")


def make_server() -> Server:
    """A server that is not yet listening."""
    server = Server()
    _follow(server)
    _answer(server)
    return server


def _follow(server: Server) -> None:
    """Look at what the editor opens and changes."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.want([params.text_document.uri])

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def saved(params: Any) -> None:
        del params  # what one file says can matter to another
        server.want(server.documents)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri, version = params.text_document.uri, params.text_document.version
        await asyncio.sleep(PAUSE)
        document = server.documents.get(uri)
        if document is not None and document.version == version:
            server.want([uri], anew=False)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.held.pop(params.text_document.uri, None)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))

    @server.feature(types.SHUTDOWN)
    def stopped(params: Any) -> None:
        del params
        server.is_told_to_stop = True


def _answer(server: Server) -> None:
    """Offer fixes and the pages of rules."""

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def fixes(params: types.CodeActionParams) -> list[types.CodeAction]:
        kinds = params.context.only
        held = server.current(params.text_document.uri)
        if held is None or (kinds is not None and not {"", types.CodeActionKind.QuickFix} & {*kinds}):
            return []
        editor = server.editor
        ruler = Ruler(held.document.source, editor.encoding)
        return list(actions(at(held.opinion, ruler, params.range), ruler, editor))

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        held = server.current(params.text_document.uri)
        if held is None:
            return None
        ruler = Ruler(held.document.source, server.editor.encoding)
        place = types.Range(params.position, params.position)
        pages = list(dict.fromkeys(page(each.judged) for each in at(held.opinion, ruler, place)))
        content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(pages))
        return types.Hover(content) if pages else None


def serve() -> int:
    """Serve on standard input and output until the client is done; the exit code that the protocol asks for."""
    quiet = logging.getLogger("pygls")  # it writes what it was sent to standard error, the text of files included
    quiet.propagate = False
    quiet.addHandler(logging.NullHandler())
    server = make_server()
    server.start_io(*_taken())
    return 0 if server.is_told_to_stop else 1


def _taken() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, from now on nobody else's.

    What anything prints (a plugin of the policy, a library, a program that is started) goes to standard error: in
    between two messages it would end the conversation.
    """
    try:
        given, answers = os.dup(0), os.dup(1)
    except OSError:
        raise UsageError("standard input or output is closed", help="an editor starts the server with both") from None
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2 if _is_open(2) else nothing, 1)
    os.close(nothing)
    return os.fdopen(given, "rb"), os.fdopen(answers, "wb")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
