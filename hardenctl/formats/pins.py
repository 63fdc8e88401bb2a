"""Versions of packages that a repository pins: requirements files, lock files, pyproject.toml."""

from __future__ import annotations

import re

from hardenctl.model.blob import Snapshot

_REQUIREMENT = re.compile(
    r"""^[\s"'-]*(?P<name>[A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*(?:==|~=|<=|<)\s*(?P<version>\d[\w.]*)""", re.MULTILINE
)
_LOCKED = re.compile(r'^name = "(?P<name>[^"]+)"\nversion = "(?P<version>[^"]+)"', re.MULTILINE)
_FILES = re.compile(r"(?:^|/)(?:requirements[\w./-]*\.(?:txt|in)|pyproject\.toml|(?:uv|poetry|pdm)\.lock|setup\.cfg)$")


def pinned_versions(snapshot: Snapshot) -> dict[str, str]:
    """Package (normalised name) to version: a lock file's where there is one, else the upper bound or pin."""
    found: dict[str, str] = {}
    locked: dict[str, str] = {}
    for path in snapshot.paths():
        if not _FILES.search(path) or (blob := snapshot.read(path)) is None:
            continue
        is_lock = path.endswith(".lock")
        for match in (_LOCKED if is_lock else _REQUIREMENT).finditer(blob.text):
            name = re.sub(r"[-_.]+", "-", match["name"]).lower()
            (locked if is_lock else found).setdefault(name, match["version"])
    return {**found, **locked}
