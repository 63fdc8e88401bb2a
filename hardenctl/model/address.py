"""How a past version of a file is addressed: `<blob id>:/<path>`, since its path may be another file's now."""

from __future__ import annotations

import re

from hardenctl.model.pattern import lazy_pattern

_ADDRESS = lazy_pattern(r"(?P<oid>[0-9a-f]{40}|[0-9a-f]{64}):/(?P<path>.+)", re.DOTALL)


def address(oid: str, path: str) -> str:
    """The address of a past version of a file."""
    return f"{oid}:/{path}"


def past_path(path: str) -> str | None:
    """The path in the address of a past version; None for a path of the present."""
    match = _ADDRESS.fullmatch(path)
    return match["path"] if match else None
