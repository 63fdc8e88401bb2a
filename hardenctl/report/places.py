"""Paths as the platform that shows a report counts them: relative to the folder hardenctl was started in."""

from __future__ import annotations

import posixpath

from hardenctl.model.report import Report


def from_here(report: Report, path: str) -> str:
    """A finding's path below the current folder; unchanged where the audited root lies elsewhere, as a URL does."""
    if "://" in report.target.path:
        return path
    root = report.target.path.replace("\\", "/")
    if posixpath.isabs(root) or root.startswith("..") or root[1:2] == ":":
        return path
    return posixpath.normpath(posixpath.join(root, path))
