"""What a scan for secrets depends on besides the bytes and the path: hardenctl itself, and the policy."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from hardenctl import __version__
from hardenctl.detect.look import Wanted

_ROOMS = ("detect", "rules", "formats", "model", "sources")  # whose programs and data decide what is found


def edition(wanted: Wanted) -> bytes | None:
    """A digest of all that; None where it cannot be told: with plugins, which are other people's programs."""
    top = Path(__file__).resolve().parents[1]
    if wanted.plugins or not top.is_dir():
        return None
    digest = hashlib.sha256(f"{__version__} {sys.version_info[:2]} {sorted(wanted.rules)}".encode())
    digest.update(repr((wanted.custom, wanted.allow)).encode("utf-8", "surrogatepass"))
    for room in _ROOMS:
        for path in sorted((top / room).rglob("*")):
            if path.suffix in {".py", ".json"}:
                digest.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.digest()
