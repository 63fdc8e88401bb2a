"""CORS set-ups in Python code: starlette, FastAPI, flask-cors, django-cors-headers, and headers set by hand."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.cors.document import CorsSetup
from hardenctl.model.blob import Gap, Snapshot

DOCUMENTS = (CorsSetup,)


def read(snapshot: Snapshot) -> Iterator[CorsSetup | Gap]:
    """Yield the set-ups of a snapshot, and a Gap for each module that matters and cannot be parsed."""
    from hardenctl.formats.cors.reader import read as read_all

    yield from read_all(snapshot)
