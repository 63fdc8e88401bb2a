"""Text into positioned documents. No opinions, and the user's code is never executed.

Each reader module declares `DOCUMENTS`, `concerns(path)` and `read(snapshot)`; see `detect/config.py`.
"""

from __future__ import annotations

from typing import Any

from hardenctl.formats import compose, cors, dockerfile, dockerignore, envfile, ignore, project_docs
from hardenctl.formats.launch import reader as launch

READERS: tuple[Any, ...] = (
    envfile,
    ignore,
    dockerignore,
    compose,
    cors,
    dockerfile,
    launch,
    project_docs,
)
