"""Which paths a repository's ignore files cover. Git itself answers; none of its rules is written again here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from hardenctl.model.errors import SourceError
from hardenctl.sources.git import Git, shown


def ignored_in(git: Git, paths: Iterable[str]) -> frozenset[str]:
    """Those of the paths that the `.gitignore` files around git's folder cover, tracked or not, existing or not.

    A pattern in `.git/info/exclude` or in the user's own excludes file doesn't count: nobody else's clone has it.
    """
    wanted = list(paths)
    try:
        return _ask(git, wanted)
    except SourceError:
        if len(wanted) < 2:  # noqa: PLR2004 - one path: it is the one git refuses (in a submodule, beyond a link)
            return frozenset()
    return frozenset().union(*(ignored_in(git, [path]) for path in wanted))


def ignored_by(ignore_files: Mapping[str, bytes], paths: Iterable[str]) -> frozenset[str]:
    """As `ignored_in`, for ignore files that are not on disk (in the index or a commit): path to content."""
    import tempfile  # here: a hook run does without it

    with tempfile.TemporaryDirectory(prefix="hardenctl-") as folder:
        git = Git(Path(os.path.realpath(folder)))
        git.run("init", "-q", "--template=")
        for path, data in ignore_files.items():
            target = git.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return ignored_in(git, paths)


def _ask(git: Git, paths: list[str]) -> frozenset[str]:
    if not paths:
        return frozenset()
    question = b"".join(os.fsencode(path) + b"\0" for path in paths)
    answer = git.run("check-ignore", "--no-index", "-v", "-z", "--stdin", input=question, ok=(0, 1)).split(b"\0")[:-1]
    records = zip(answer[0::4], answer[2::4], answer[3::4], strict=True)  # source, line, pattern, path
    return frozenset(
        shown(path)
        for source, pattern, path in records
        if source.rpartition(b"/")[2] == b".gitignore" and not pattern.startswith(b"!")
    )
