"""Which files git sees as renamed since a file was last committed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hardenctl.model.errors import SourceError
from hardenctl.sources.git import Git, find_top, shown


def renames_since(root: Path, file: Path) -> Mapping[str, str]:
    """New path to old path, relative to `root`, between the commit that last changed `file` and the index.

    Not the work tree: to compare it git runs the filters that the repository's configuration names. Empty outside git,
    and where the file was never committed.
    """
    if find_top(root) is None:
        return {}
    git = Git(root)
    try:
        commit = git.run("--literal-pathspecs", "log", "-1", "--format=%H", "--", str(file.resolve())).decode().strip()
    except SourceError:
        return {}  # no commit yet, or the file lies outside the repository
    if not commit:
        return {}
    answer = git.run(
        "diff",
        "--cached",
        "--no-ext-diff",
        "--no-textconv",
        "-M",
        "--diff-filter=R",
        "--name-status",
        "-z",
        "--relative",
        commit,
        "--",
    )
    fields = [shown(raw) for raw in answer.split(b"\0")]
    return {new: old for _, old, new in zip(fields[0::3], fields[1::3], fields[2::3], strict=False)}
