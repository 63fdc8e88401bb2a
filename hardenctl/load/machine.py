"""The machine that makes the load: what a latency measured on it depends on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

_CPUS = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """CPUs and their model, memory in bytes (0 where psutil is missing), system, Python; JSON-ready."""
    return {
        "cpus": os.cpu_count() or 1,
        "cpu": _cpu(),
        "memory": _memory(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _cpu() -> str:
    """The model's name; off Linux what Python knows of it, which may be the architecture alone."""
    try:
        lines = _CPUS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model", "Hardware")))
    return next(filter(None, named), "") or platform.processor() or platform.machine()


def _memory() -> int:
    try:
        import psutil  # type: ignore[import-untyped,unused-ignore]  # comes with locust
    except ImportError:
        return 0
    return int(psutil.virtual_memory().total)
