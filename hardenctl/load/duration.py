"""Durations as people write them: `500ms`, `30s`, `5m`, `1h30m`."""

from __future__ import annotations

import re

from hardenctl.model.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")


def parse_duration(text: str) -> float:
    """Seconds of a duration. Raises UsageError: a number without a unit is ambiguous."""
    compact = text.replace(" ", "").lower()
    if not _WHOLE.fullmatch(compact):
        raise UsageError(f"`{text}` is no duration", help="write it as 30s, 5m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(compact))


def show_duration(seconds: float) -> str:
    """A duration as short as it can be read: `2 m 30 s`."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} m" if minutes else "", f"{rest} s" if rest else ""]
    return " ".join(part for part in parts if part)
