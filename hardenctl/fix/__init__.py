"""Fixes: edits of findings -> a proposal in memory -> a masked diff, or atomic writes.

`propose` works everything out without touching a file, `unified` shows it, `apply` writes it.
"""

from __future__ import annotations

from hardenctl.fix.diff import unified
from hardenctl.fix.model import Applied, Change, Done, Proposal, Skipped
from hardenctl.fix.propose import propose
from hardenctl.fix.write import apply

__all__ = ["Applied", "Change", "Done", "Proposal", "Skipped", "apply", "propose", "unified"]
