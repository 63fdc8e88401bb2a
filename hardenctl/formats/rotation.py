"""The rotation ledger, `.hardenctl/rotation.json`: which credential went where, and when. It holds no value.

    {"version": 1, "ledger": "...", "stamps": [
      {"key": "SECRET_KEY", "place": "github", "environment": "production", "kind": "secret-key",
       "date": "2026-01-31", "fingerprint": "..."}
    ]}

A place is a platform, `target:` and the name of one of the policy's targets, or `file:` and a path from the ledger's
project. The fingerprint is a salted scrypt hash: it says
whether two places have the same credential, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hardenctl.formats.paths import LEDGER
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.errors import DocumentError
from hardenctl.model.text import Span, is_binary

VERSION = 1
_NAMES = ("key", "place", "environment", "kind", "fingerprint")
_KEY = re.compile(r'"key"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Stamp:
    """One credential at one place. `span` is where its key stands in the file."""

    key: str
    place: str
    environment: str
    kind: str
    date: date
    fingerprint: str
    span: Span = field(default=Span(LEDGER, 0, 0), compare=False)


@dataclass(frozen=True)
class RotationLedger:
    """The ledger of a project."""

    path: str
    nonce: str  # written as `ledger`: what it makes different from every other, and no credential
    stamps: tuple[Stamp, ...]


DOCUMENTS = (RotationLedger,)


def read(snapshot: Snapshot) -> Iterator[RotationLedger | Gap]:
    """The ledger at the top of a snapshot; a Gap where it cannot be read."""
    blob = snapshot.read(LEDGER)
    if blob is None:
        return
    if is_binary(blob.data):
        yield Gap(LEDGER, "the rotation ledger is no text")
        return
    try:
        yield parse_ledger(blob.text)
    except DocumentError as error:
        yield Gap(LEDGER, error.what)


def parse_ledger(text: str) -> RotationLedger:
    """Read a ledger. Raises DocumentError for what is none."""
    try:
        data = json.loads(text)
        rows, nonce = data["stamps"], data["ledger"]
        if data["version"] != VERSION or not isinstance(nonce, str) or not isinstance(rows, list):
            raise DocumentError("the rotation ledger is of another version", help="use the hardenctl that wrote it")
        spans = [Span(LEDGER, match.start(1), match.end(1)) for match in _KEY.finditer(text)]
        stamps = tuple(_stamp(row, span) for row, span in zip(rows, spans, strict=True))
        return RotationLedger(LEDGER, nonce, stamps)
    except (ValueError, KeyError, TypeError):
        raise DocumentError(
            "the rotation ledger is damaged", help=f"take `{LEDGER}` from git, or delete it and rotate anew"
        ) from None


def _stamp(row: dict[str, Any], span: Span) -> Stamp:
    key, place, environment, kind, fingerprint = (_text(row[name]) for name in _NAMES)
    return Stamp(key, place, environment, kind, date.fromisoformat(_text(row["date"])), fingerprint, span)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def write_ledger(ledger: RotationLedger) -> str:
    """The text of a ledger: one stamp a line and in order, so that branches merge."""
    rows = sorted(ledger.stamps, key=lambda each: (each.key, each.place, each.environment))
    lines = ",\n".join(
        "    "
        + json.dumps(
            {
                "key": each.key,
                "place": each.place,
                "environment": each.environment,
                "kind": each.kind,
                "date": each.date.isoformat(),
                "fingerprint": each.fingerprint,
            },
            ensure_ascii=False,
        )
        for each in rows
    )
    head = f'{{\n  "version": {VERSION},\n  "ledger": {json.dumps(ledger.nonce)},\n  "stamps": ['
    return f"{head}\n{lines}\n  ]\n}}\n" if rows else f"{head}]\n}}\n"
