"""A language server: what `hardenctl audit` says of a file, while it is edited.

`look` audits a file as it stands in the editor, `translate` says that in the protocol's words, `server` talks.
Only the last two need the extra `lsp`.
"""
