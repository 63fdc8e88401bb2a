"""Routes documents to rules: which reader makes which document, and which rules look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hardenctl.formats import READERS
from hardenctl.model.blob import Gap, Snapshot, scope_of
from hardenctl.model.errors import DocumentError
from hardenctl.model.finding import Hit
from hardenctl.model.report import Server
from hardenctl.model.settings import Settings
from hardenctl.rules.catalogue import document_rules, may_judge
from hardenctl.rules.declare import DocumentRule, Rule


def detect_config(
    snapshot: Snapshot, rules: Sequence[Rule], settings: Settings
) -> Iterator[tuple[DocumentRule, Hit] | Gap | Server]:
    """Yield what each document rule says about each document, limited to the paths in scope; and each launch line.

    What two documents share (a config file of two launch lines, a base compose file) is said once.
    A crashing rule or reader is a gap that names it and the exception's type, never its text, which could hold a value.
    """
    scope = scope_of(snapshot)
    said: set[object] = set()
    for reader in READERS:
        if not (reader.is_wanted(snapshot, scope) and may_judge(rules, reader.documents)):
            continue
        try:
            for document in reader.read(snapshot):
                # Where there is no document, a subject's rules are not even imported.
                mine = () if isinstance(document, Gap) else document_rules(rules, reader.documents)
                judged = _judge_document(document, mine, snapshot, settings)
                yield from (each for each in judged if _unsaid(each, said))
        except DocumentError as error:
            yield Gap(".", error.what)
        except Exception as error:  # noqa: BLE001 - a crash in one reader must not hide what the others find
            yield Gap(".", f"{reader.documents[0]} could not be read: {type(error).__name__}")


def _unsaid(result: tuple[DocumentRule, Hit] | Gap | Server, said: set[object]) -> bool:
    """Whether a result is new, and note it. Launch lines are always."""
    if isinstance(result, Server):
        return True
    key = (result[0].id, result[1].span, result[1].identity) if isinstance(result, tuple) else result
    new = key not in said
    said.add(key)
    return new


def _judge_document(
    document: Any, rules: Sequence[DocumentRule], snapshot: Snapshot, settings: Settings
) -> Iterator[tuple[DocumentRule, Hit] | Gap | Server]:
    if isinstance(document, Gap):
        if snapshot.in_scope(document.path):
            yield document
        return
    if type(document).__name__ == "ServerLaunch" and snapshot.in_scope(document.path):
        from hardenctl.detect.servers import describe_server

        try:
            yield describe_server(document, snapshot, settings.secrets.custom)
        except Exception as error:  # noqa: BLE001 - as below
            yield Gap(document.path, f"a launch line could not be described: {type(error).__name__}")
    for each in rules:
        if not isinstance(document, each.on):
            continue
        try:
            for hit in each.hits(document, settings):
                if snapshot.in_scope(hit.span.path):
                    yield each, hit
        except Exception as error:  # noqa: BLE001 - as above: one rule's crash is one gap
            yield Gap(getattr(document, "path", "."), f"rule {each.id} crashed: {type(error).__name__}")
