"""What git thinks of one file, asked before something secret is written to it."""

from __future__ import annotations

import os
from pathlib import Path

from hardenctl.model.blob import Standing
from hardenctl.sources.git import Git, find_top


def git_standing(path: Path) -> Standing | None:
    """The standing of a file that need not exist yet; None where no repository holds its folder.

    A file that is tracked and ignored is tracked: git goes on committing it. Raises SourceError where there is a
    repository and git cannot be asked.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - a link is judged by its own name
    folder = absolute.parent
    if find_top(folder) is None:
        return None
    git = Git(folder)
    if git.run("ls-files", "-z", "--", f":(literal,icase){absolute.name}"):
        return Standing.TRACKED
    # --no-index would answer for tracked files too; those are dealt with above.
    ignored = git.run("check-ignore", "-z", "--stdin", input=os.fsencode(absolute.name) + b"\0", ok=(0, 1))
    return Standing.IGNORED if ignored else Standing.UNTRACKED
