"""The server: opinions on what is opened and changed, fixes, and the page of a rule."""

from __future__ import annotations

import asyncio

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from hardenctl import __version__
from hardenctl.lsp.look import Opinion, look
from hardenctl.lsp.translate import Ruler, actions, at, diagnostics, page
from hardenctl.model.errors import HardenctlError

PAUSE = 0.4  # seconds without a key pressed before a changed file is looked at


class Server(LanguageServer):
    """Keeps the last opinion of each open file, with the version it is about."""

    def __init__(self) -> None:
        super().__init__("hardenctl", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.opinions: dict[str, tuple[int | None, Opinion]] = {}
        self._turn = asyncio.Lock()  # one audit at a time
        self._said = ""

    @property
    def encoding(self) -> str:
        """How the client counts columns."""
        return str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding) or "utf-16")

    def ruler(self, document: TextDocument) -> Ruler:
        """Places in a document."""
        return Ruler(document.source, self.encoding)

    async def look(self, uri: str) -> None:
        """Look at a file and show what there is to say, unless it has changed meanwhile."""
        async with self._turn:
            if uri not in self.workspace.text_documents:
                return
            document = self.workspace.text_documents[uri]
            version, path = document.version, to_fs_path(uri)
            if path is None:
                return
            texts = {
                name: each.source for each in self.workspace.text_documents.values() if (name := to_fs_path(each.uri))
            }
            try:
                opinion = await asyncio.get_running_loop().run_in_executor(None, look, path, texts)
            except HardenctlError as error:
                self._complain(error)
                opinion = Opinion()
            if uri not in self.workspace.text_documents or document.version != version:
                return
            self.opinions[uri] = version, opinion
            found = list(diagnostics(opinion, self.ruler(document)))
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def _complain(self, error: HardenctlError) -> None:
        """Say what is wrong, once and not with each key."""
        text = f"hardenctl: {error.what}" + (f" ({error.help})" if error.help else "")
        if text != self._said:
            self._said = text
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, text))

    def opinion(self, uri: str) -> tuple[Opinion, TextDocument] | None:
        """The opinion of a document as it is now."""
        document = self.workspace.text_documents.get(uri)
        version, opinion = self.opinions.get(uri, (None, None))
        return (opinion, document) if document and opinion and document.version == version else None


def make_server() -> Server:
    """A server that is not yet listening."""
    server = Server()
    _follow(server)
    _answer(server)
    return server


def _follow(server: Server) -> None:
    """Look at what the editor opens and changes."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        await server.look(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        del params
        for uri in list(server.workspace.text_documents):  # what one file says can matter to another
            await server.look(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri, version = params.text_document.uri, params.text_document.version
        await asyncio.sleep(PAUSE)
        document = server.workspace.text_documents.get(uri)
        if document is not None and document.version == version:
            await server.look(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.opinions.pop(params.text_document.uri, None)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))


def _answer(server: Server) -> None:
    """Offer fixes and the pages of rules."""

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def fixes(params: types.CodeActionParams) -> list[types.CodeAction]:
        if (known := server.opinion(params.text_document.uri)) is None:
            return []
        opinion, document = known
        found = list(at(opinion, server.ruler(document), params.range))
        return list(actions(opinion, found, server.encoding))

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        if (known := server.opinion(params.text_document.uri)) is None:
            return None
        opinion, document = known
        place = types.Range(params.position, params.position)
        pages = list(dict.fromkeys(page(each) for each in at(opinion, server.ruler(document), place)))
        content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(pages))
        return types.Hover(content) if pages else None


def serve() -> None:
    """Serve on standard input and output until the client is done."""
    make_server().start_io()
