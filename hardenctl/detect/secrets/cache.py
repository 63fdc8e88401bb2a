"""The compiled hyperscan database on disk: compiled once (about a second), loaded in milliseconds."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hardenctl.model.caches import cache_home

_MAGIC = b"hardenctl-hs1\n"


def database(expressions: Sequence[tuple[str, int]]) -> Any:
    """A compiled block-mode database of (expression, flags) pairs; ids are their indexes.

    Read from the cache where it holds one for these expressions, this hyperscan and this kind of processor. A torn or
    foreign file is compiled anew. Not being able to write the cache only costs time. Raises ImportError where
    hyperscan is not installed.
    """
    import hyperscan

    path = cache_home() / f"secrets-{digest(expressions, str(vars(hyperscan).get('__version__')))}.hsdb"
    with contextlib.suppress(OSError, ValueError, hyperscan.HyperscanError):
        loaded = hyperscan.loadb(_unsealed(path.read_bytes()), hyperscan.HS_MODE_BLOCK)
        loaded.scratch = hyperscan.Scratch(loaded)
        return loaded
    compiled = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    compiled.compile(
        expressions=[expression.encode() for expression, _ in expressions],
        ids=list(range(len(expressions))),
        elements=len(expressions),
        flags=[flags for _, flags in expressions],
    )
    with contextlib.suppress(OSError):
        from hardenctl.model.files import replace_file

        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, _sealed(hyperscan.dumpb(compiled)))
    return compiled


def digest(expressions: Sequence[tuple[str, int]], version: str) -> str:
    """What the database depends on. The processor matters: hyperscan compiles for its vector instructions."""
    import hashlib
    import platform  # 4 ms, and only needed with hyperscan

    parts = [
        version,
        sys.platform,
        platform.machine(),
        _processor(),
        *(f"{flags} {each}" for each, flags in expressions),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _processor() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith(("flags", "Features")):
                return " ".join(
                    flag for flag in line.split() if flag.startswith(("avx", "sse4", "bmi", "sve", "asimd"))
                )
    import platform

    return platform.processor()


def _sealed(content: bytes) -> bytes:
    import hashlib

    return _MAGIC + hashlib.sha256(content).digest() + content


def _unsealed(content: bytes) -> bytes:
    """The database in a cache file. Raises ValueError for one that is torn: hyperscan itself would crash on some."""
    import hashlib

    seal = len(_MAGIC) + 32
    if not content.startswith(_MAGIC) or hashlib.sha256(content[seal:]).digest() != content[len(_MAGIC) : seal]:
        raise ValueError("not a whole cache file")
    return content[seal:]
