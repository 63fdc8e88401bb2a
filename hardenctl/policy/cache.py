"""The cache of validated policies: a hook run neither imports pydantic nor parses YAML while no policy file changes.

An entry is JSON, keyed by the digest of the policy file's bytes, hardenctl's version and the rules there are; it names
the files it was extended from with their digests. Anything wrong with an entry means there is none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hardenctl import __version__
from hardenctl.model.caches import cache_home
from hardenctl.model.files import read_small, replace_file

KEEP = 32  # entries: one per project a developer works on, and some history


def digest(data: bytes) -> str:
    """The content digest of a file."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def key(file: Path, data: bytes, rules: tuple[str, ...]) -> str:
    """The name of the entry for a policy file. The path is part of it: `extends` is relative to it."""
    parts = (__version__, os.path.realpath(file), digest(data), *rules)
    return digest("\0".join(parts).encode("utf-8", "surrogateescape"))


def load_entry(name: str) -> Mapping[str, Any] | None:
    """The policy data of an entry; None where there is none, it is torn, or a file it was extended from changed."""
    import json  # here: without a policy file there is no need for it

    try:
        entry = json.loads((_folder() / f"{name}.json").read_bytes())
        for file, expected in entry["files"].items():
            if digest(read_small(Path(file))) != expected:
                return None
        policy = entry["policy"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return None
    return policy if isinstance(policy, dict) else None


def save_entry(name: str, policy: Mapping[str, Any], files: Mapping[str, str]) -> None:
    """Keep an entry, atomically. A cache that can't be written is no error."""
    import json

    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(folder / f"{name}.json", json.dumps({"files": dict(files), "policy": policy}).encode())
        entries = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in entries[KEEP:]:
            old.unlink(missing_ok=True)
    except (OSError, RuntimeError):
        return


def _folder() -> Path:
    return cache_home() / "policy"
