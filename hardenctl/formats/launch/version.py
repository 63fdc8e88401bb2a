"""Which gunicorn a project installs, as far as a file pins it."""

from __future__ import annotations

import posixpath
import re

from hardenctl.model.blob import Snapshot

_FILES = re.compile(
    r"(?:.*requirements.*|constraints.*)\.(?:txt|in|lock)|(?:poetry|uv|pdm|Pipfile)\.lock|pyproject\.toml|Pipfile|"
    r"setup\.(?:py|cfg)|Dockerfile.*",
    re.IGNORECASE,
)
_PINNED = re.compile(
    r"""(?ix) ^[ \t"'-]* gunicorn (?:\[[^\]]*\])? [ \t]* (?:===?|~=)[ \t]*v?(\d+(?:\.\d+)*)"""
    r"""| name[ ]=[ ]"gunicorn"\s+version[ ]=[ ]"(\d+(?:\.\d+)*)"""
    r"""| ^[ \t]* gunicorn [ \t]* = [ \t]* (?:\{[^}]*version[ \t]*=[ \t]*)? ["'][\^~=]+[ ]*(\d+(?:\.\d+)*)"""
    r"""| "gunicorn":[ ]\{[^}]*"version":[ ]"==(\d+(?:\.\d+)*)""",
    re.MULTILINE,
)

Version = tuple[int, ...]


def gunicorn_version(snapshot: Snapshot) -> Version | None:
    """The lowest gunicorn that any file of the project pins; None where none does."""
    found: list[Version] = []
    for path in snapshot.paths():
        if not _FILES.fullmatch(posixpath.basename(path)):
            continue
        blob = snapshot.read(path)
        if blob is None or b"gunicorn" not in blob.data:
            continue
        for match in _PINNED.finditer(blob.text):
            text = next(group for group in match.groups() if group)
            found.append(tuple(int(part) for part in text.split(".")))
    return min(found, default=None)
