"""The files that govern a server's repository: policy and baseline of a commit of its default branch, on disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from hardenctl.model.blob import SourceKind
from hardenctl.sources.repository import Place
from hardenctl.sources.revisions import Revisions
from hardenctl.sources.tree import tree_snapshot

ROOTS = frozenset({"pyproject.toml", "hardenctl.toml", "hardenctl.yaml", "hardenctl.yml", ".hardenctl-baseline.json"})
SUFFIXES = frozenset({".toml", ".yaml", ".yml", ".json"})


@contextmanager
def governing_files(place: Place, commit: str | None) -> Iterator[Path]:
    """A folder with these files of a commit, and those that they may extend; empty where there is no commit.

    What may be extended is what has a policy's suffix and a name that a governing file mentions.
    """
    snapshot = tree_snapshot(place, SourceKind.RANGE, Revisions((), commit))
    with tempfile.TemporaryDirectory(prefix="hardenctl-") as folder:
        root = Path(os.path.realpath(folder))
        candidates = [path for path in snapshot.paths() if _is_plain(path)]
        said = b""
        wanted = [path for path in candidates if path in ROOTS]
        while wanted:
            candidates = [path for path in candidates if path not in wanted]
            for path in wanted:
                blob = snapshot.read(path)
                if blob is None:
                    continue
                said += blob.data if not path.endswith(".json") else b""
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(blob.data)
            wanted = [path for path in candidates if os.fsencode(path.rpartition("/")[2]) in said]
        yield root


def _is_plain(path: str) -> bool:
    """Whether a path may be written below a folder: a hostile tree can hold names that lead out of it."""
    pure = PurePosixPath(path)
    inside = not pure.is_absolute() and ".." not in pure.parts and "\\" not in path
    return inside and pure.suffix in SUFFIXES
