"""What a whole run came to, kept until anything that it depends on changes.

The state of a run is all it depends on: refs and HEAD, what is shallow, the work tree's files by what the
file system says of them, the edition of hardenctl and its policy, and what was asked for. A run in a known state is not
made again; its outcome is judged anew by the policy. What is kept holds findings as reports have them, never a value.

As git's index does, this believes that a file whose size, times and inode stand is the file it was; one that was
changed within the last seconds is not believed to stand, since a clock ticks in steps.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hardenctl.model.files import read_small
from hardenctl.sources import sealed
from hardenctl.sources.git import Git

MAGIC = b"hardenctl-outcome-1\n"
NAME = "outcome"  # of the file; one for each kind of run, by what was asked for
YOUNG = 3.0  # seconds: the coarsest clock of a file system has two
LARGEST = 64 << 20  # bytes


class Remembered:
    """The outcome of runs of one kind in one repository, known by `state`."""

    def __init__(self, places: Iterable[Path], state: bytes) -> None:
        self._places, self.state = tuple(places), state

    def recall(self) -> Any:
        """The outcome of a run in this very state; None where there is none."""
        for place in self._places:
            if body := sealed.read(place, MAGIC, self.state):
                return pickle.loads(body)  # noqa: S301 - sealed: only this user's hardenctl can have written it
        return None

    def keep(self, outcome: Any) -> None:
        """Keep an outcome."""
        body = pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)
        if len(body) <= LARGEST:
            sealed.write(self._places, MAGIC, self.state, body)


def remembered(git: Git, asked: bytes, parts: Iterable[bytes | None]) -> Remembered | None:
    """The memory of runs that were `asked` for so, in the state that `parts` make; None where one is not to be told."""
    digest = hashlib.sha256(asked)
    for part in parts:
        if part is None:
            return None
        digest.update(hashlib.sha256(part).digest())
    kind = hashlib.sha256(asked).hexdigest()[:12]
    return Remembered(sealed.places(git, f"{NAME}-{kind}"), digest.digest())


def git_state(git: Git) -> bytes:
    """All that decides which commits there are: HEADs, refs (stashes, notes and replacements too), where they end.

    Each linked worktree has a HEAD of its own, which may be the only way to a commit.
    """
    names = os.fsdecode(git.run("rev-parse", "--git-path", "HEAD", "--git-path", "shallow")).splitlines()
    refs = git.run("for-each-ref", "--format=%(objectname) %(refname)")
    heads = git.run("worktree", "list", "--porcelain")
    return b"\0".join((refs, heads, *(_content(Path(git.folder, name)) for name in names)))


def ignore_state(git: Git) -> bytes:
    """The ignore rules that are no files of the work tree."""
    own = git.run("rev-parse", "--git-path", "info/exclude").rstrip(b"\n")
    configured = git.run("config", "--get", "--path", "core.excludesfile", ok=(0, 1)).rstrip(b"\n")
    home = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    every = Path(os.fsdecode(configured)) if configured else Path(home, "git", "ignore")
    return _content(Path(git.folder, os.fsdecode(own))) + b"\0" + _content(every)


def files_state(root: Path, names: Iterable[bytes]) -> bytes | None:
    """What the file system says of files; None where one is so young that a change could go unseen."""
    base, newest = os.fsencode(root), 0
    said: list[tuple[bytes, int | None] | tuple[bytes, int, int, int, int, int]] = []
    for name in names:
        try:
            stat = os.lstat(os.path.join(base, name))  # noqa: PTH118 - bytes, and thousands of them
        except OSError as error:
            said.append((name, error.errno))
            continue
        newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
        said.append((name, stat.st_mode, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    return None if newest > (time.time() - YOUNG) * 1e9 else repr(said).encode()


def _content(path: Path) -> bytes:
    try:
        real = Path(os.path.realpath(path))  # a link is as good as a file, but a pipe or a device has no end
        return b"+" + read_small(real, real.parent)
    except OSError:
        return b"-"
