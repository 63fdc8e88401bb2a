"""Where hardenctl keeps what it can make again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_home() -> Path:
    """The user's cache folder for hardenctl, whether it is there or not: `$XDG_CACHE_HOME`, or the platform's place."""
    if configured := os.environ.get("XDG_CACHE_HOME"):
        return Path(configured) / "hardenctl"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "hardenctl" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hardenctl"
    return Path.home() / ".cache" / "hardenctl"
