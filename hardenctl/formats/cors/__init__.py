"""CORS set-ups in Python code: starlette, FastAPI, flask-cors, django-cors-headers, and headers set by hand."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.cors.document import CorsSetup
from hardenctl.model.blob import Gap, Snapshot

DOCUMENTS = (CorsSetup,)

_NAMES = (".py", ".env", ".yml", ".yaml", ".toml", ".txt", ".lock", ".cfg")


def concerns(path: str) -> bool:
    """Python, and the files that configure variables or pin versions."""
    name = path.rpartition("/")[2]
    return name.endswith(_NAMES) or name.startswith((".env", "Dockerfile", "Pipfile"))


def read(snapshot: Snapshot) -> Iterator[CorsSetup | Gap]:
    """Yield the set-ups of a snapshot, and a Gap for each module that matters and cannot be parsed."""
    from hardenctl.formats.cors.reader import read as read_all

    yield from read_all(snapshot)
