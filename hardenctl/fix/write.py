"""Writes a proposal: each file atomically, each fix whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from hardenctl.fix.files import Refused, locate, read
from hardenctl.fix.model import Applied, Change, Done, Proposal, Skipped
from hardenctl.model.errors import SourceError
from hardenctl.model.files import usual_mode
from hardenctl.sources.git import Git

# What is wrong with one place alone: the other fixes are written all the same.
_OF_ONE_PLACE = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def apply(proposal: Proposal) -> Applied:
    """Write a proposal's files and take what it says out of the index.

    A file that changed since the proposal was made, or whose place can't be written, stays as it is, and so do the
    files that share a fix with it. All new contents are on disk beside their targets, and git has agreed, before the
    first file is replaced. Raises SourceError where the disk is at its end or git refuses.
    """
    reasons: dict[str, str] = {}
    for change in proposal.changes:
        try:
            if read(proposal.root, change.path) != change.before:
                reasons[change.path] = f"{change.path} changed since it was read"
        except Refused as refused:
            reasons[change.path] = str(refused)
    staged: dict[str, tuple[str, Path]] = {}
    try:
        for change in proposal.changes:
            if change.path not in _spread(reasons, proposal.done):
                try:
                    staged[change.path] = _staged(proposal.root, change)
                except _OF_ONE_PLACE as error:
                    reasons[change.path] = f"{change.path} cannot be written: {error.strerror}"
        reasons = _spread(reasons, proposal.done)
        untrack = [each for each in proposal.untrack if each not in reasons]
        written = tuple(path for path in staged if path not in reasons)
        _replace(proposal.root, {path: staged.pop(path) for path in written}, untrack)
    except (OSError, Refused) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(
            f"could not write: {what or 'no reason given'}", help="make the project's files writable and run it again"
        ) from None
    finally:
        _forget(staged.values())
    return Applied(
        done=tuple(each for each in proposal.done if not each.touches & reasons.keys()),
        skipped=tuple(
            Skipped(each.rule, each.path, each.line, each.title, reasons[min(each.touches & reasons.keys())])
            for each in proposal.done
            if each.touches & reasons.keys()
        ),
        written=written,
        untracked=tuple(untrack),
    )


def uncommitted(proposal: Proposal) -> tuple[str, ...]:
    """The files to change that hold work that isn't committed; none outside git."""
    before = {each.path: each.before for each in proposal.changes if each.before is not None}
    if not before or not any((folder / ".git").exists() for folder in (proposal.root, *proposal.root.parents)):
        return ()
    # `git status` would run the filters that the repository's configuration names, and so would anything else that
    # makes git read a file of the work tree: what the index holds is compared with the bytes here.
    git = Git(proposal.root)
    limit = ("--", *before)
    listed = git.run("--literal-pathspecs", "ls-files", "--stage", "-z", *limit).split(b"\0")[:-1]
    staged = {os.fsdecode(record.partition(b"\t")[2]): record.split(b" ")[1].decode() for record in listed}
    answer = git.run("--literal-pathspecs", "diff", "--cached", "--raw", "-z", "--no-renames", "--no-ext-diff",
                     "--relative", *limit)  # fmt: skip
    changed = set(map(os.fsdecode, answer.split(b"\0")[1::2]))
    changed.update(path for path, data in before.items() if not _is_object(data, staged.get(path, "")))
    return tuple(sorted(changed))


def _is_object(data: bytes, oid: str) -> bool:
    """Whether git's blob of this id is these bytes, with the line breaks of any platform."""
    kind = "sha1" if len(oid) == 40 else "sha256"  # noqa: PLR2004 - hexadecimal digits
    for each in (data, data.replace(b"\r\n", b"\n")):
        if hashlib.new(kind, b"blob %d\0" % len(each) + each, usedforsecurity=False).hexdigest() == oid:
            return True
    return False


def _spread(reasons: dict[str, str], done: Sequence[Done]) -> dict[str, str]:
    """Carry the reasons to all files that share a fix with a file that has one."""
    spread = dict(reasons)
    grown = True
    while grown:
        grown = False
        for each in done:
            hit = each.touches & spread.keys()
            if hit and not each.touches <= spread.keys():
                spread |= {path: spread[min(hit)] for path in each.touches - spread.keys()}
                grown = True
    return spread


def _staged(root: Path, change: Change) -> tuple[str, Path]:
    target = locate(root, change.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return _stage(target, change), target


def _replace(root: Path, staged: dict[str, tuple[str, Path]], untrack: Sequence[str]) -> None:
    """Put what is staged in place of the files."""
    waiting = list(staged.values())
    try:
        if untrack:
            # `-f`: what is staged may differ from both HEAD and the file, which stays on disk.
            Git(root).run("--literal-pathspecs", "rm", "--cached", "-f", "-q", "--", *untrack)
        while waiting:
            temporary, target = waiting[0]
            Path(temporary).replace(target)
            waiting.pop(0)
    finally:
        _forget(waiting)


def _forget(staged: Iterable[tuple[str, Path]]) -> None:
    for temporary, _ in staged:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()


def _stage(target: Path, change: Change) -> str:
    """Write the new content beside its target, with its mode; the temporary file's name."""
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with open(descriptor, "wb") as handle:  # noqa: PTH123 - a descriptor, no path
            handle.write(change.after)
        Path(temporary).chmod(usual_mode() if change.before is None else target.stat().st_mode & 0o7777)
    except OSError:
        Path(temporary).unlink()
        raise
    return temporary
