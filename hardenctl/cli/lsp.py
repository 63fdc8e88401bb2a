"""`hardenctl lsp`: a language server on standard input and output."""

from __future__ import annotations

import typer

from hardenctl.model.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("lsp")
    def command() -> int:
        """Serve editors over the Language Server Protocol, on standard input and output; needs the extra `lsp`."""
        try:
            from hardenctl.lsp.server import serve
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in {"pygls", "lsprotocol"}:
                raise
            raise UsageError("the language server needs pygls", help="`pip install 'hardenctl[lsp]'`") from error
        return serve()
