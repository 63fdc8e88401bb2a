"""Which commits a history audit is about."""

from __future__ import annotations

from hardenctl.model.errors import SourceError
from hardenctl.model.record import record
from hardenctl.sources.git import Git, revision_error

UNBORN = "0"  # a revision of nothing but this is git's "no commit": the old side of a branch's first push


@record
class Revisions:
    """`arguments` select commits for `rev-list`. `tip` is the state that is judged, None where there is none.

    `base` is the commit that `tip` is compared with; None means that everything counts.
    `connected` says that there is a way from `base` to `tip`, even in a shallow clone.
    """

    arguments: tuple[str, ...]
    tip: str | None
    base: str | None = None
    connected: bool = False


def everything(git: Git, head: str | None) -> Revisions:
    """Every ref, HEAD, and each stash (all but the newest are only in a reflog)."""
    stashes: tuple[str, ...] = ()
    if git.run("rev-parse", "-q", "--verify", "refs/stash", ok=(0, 1, 128)).strip():
        stashes = tuple(git.run("log", "-g", "--format=%H", "refs/stash", "--").decode().split())
    return Revisions(("--all", *stashes), head)


def parse_range(git: Git, text: str) -> Revisions:
    """`REV` (up to HEAD), `A..B` or `A...B`: what B has and A has not. Raises SourceError for an unknown revision."""
    old, _dots, new = text.replace("...", "..").partition("..")
    tip = commit_id(git, new or "HEAD")
    end = git.run("rev-parse", "--verify", new or "HEAD").decode().strip()  # a tag, whose message counts too
    if old and not old.strip(UNBORN):
        return Revisions((end,), tip)
    base = commit_id(git, old or "HEAD")
    merge_base = git.run("merge-base", base, tip, ok=(0, 1)).decode().strip()
    return Revisions((end, f"^{base}"), tip, merge_base or base, bool(merge_base))


def commit_id(git: Git, revision: str) -> str:
    """The full id of a commit. Raises SourceError where there is none of that name."""
    if not revision.startswith(("-", "^")):
        found = git.run("rev-parse", "-q", "--verify", f"{revision}^{{commit}}", ok=(0, 1, 128)).decode().strip()
        if found:
            return found
    if revision == "HEAD":
        raise SourceError("the repository has no commit yet", help="`hardenctl audit` looks at the work tree")
    raise revision_error(revision)
