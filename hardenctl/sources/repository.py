"""Where an audit happens: the root, whether git looks after it, and which paths below it were asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.record import record
from hardenctl.sources.git import Git, find_top, head_of, is_bare, shown
from hardenctl.sources.salt import FIXED, salt_of


@record(slots=False)
class Place:
    """A root folder and the scope below it.

    `files` and `folders` are what the user named, as raw paths relative to the root; none at all means everything.
    `git` is None for a plain folder. `shown_root` is the root as the user wrote it.
    """

    root: Path
    shown_root: str
    git: Git | None
    files: frozenset[bytes] = frozenset()
    folders: tuple[bytes, ...] = ()
    bare: bool = False

    @property
    def repository(self) -> Git:
        """Git in the root. Raises SourceError for a plain folder."""
        if self.git is None:
            raise SourceError(f"`{self.shown_root}` is not in a git repository", help="name a folder that is in one")
        return self.git

    @cached_property
    def prefix(self) -> str:
        """The root's path inside its repository, with a slash at its end; empty for the top."""
        return shown(self._prefix)

    @cached_property
    def _prefix(self) -> bytes:
        if self.git is None or self.bare:
            return b""
        return self.git.run("rev-parse", "--show-prefix").rstrip(b"\n")

    @cached_property
    def pathspecs(self) -> tuple[str, ...]:
        """What git is to limit itself to, relative to the repository's top; nothing for a whole repository."""
        named = [self._prefix + raw for raw in sorted((*self.files, *self.folders))]
        everything = [self._prefix] if self._prefix else []
        return tuple(f":(top,literal){os.fsdecode(path)}" for path in (named or everything))

    @property
    def missing(self) -> tuple[str, ...]:
        """The named paths that are not on disk."""
        return tuple(shown(raw) for raw in sorted(self.files) if not os.path.lexists(self.root / os.fsdecode(raw)))

    @property
    def named_raw(self) -> frozenset[bytes]:
        """The files the user named."""
        return self.files

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(map(shown, self.files))

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        return tuple(shown(folder) + "/" for folder in self.folders)

    def in_scope(self, path: str) -> bool:
        """Whether this path was asked for."""
        if not self.files and not self.folders:
            return True
        return path in self._files or path.startswith(self._folders)

    def named(self, path: str) -> bool:
        """Whether the user named this very file."""
        return path in self._files

    @cached_property
    def head(self) -> str | None:
        """HEAD's commit id; None before the first commit and outside git."""
        if self.git is None:
            return None
        if (plain := head_of(self.git.folder)) is not None:
            return plain
        return self.git.run("rev-parse", "-q", "--verify", "HEAD^{commit}", ok=(0, 1, 128)).decode().strip() or None

    @cached_property
    def salt(self) -> bytes:
        """The remote's salt, so that it is the same wherever the repository is cloned; a fixed one without remote."""
        if self.git is None:
            return FIXED
        return salt_of(self.git.run("config", "--get", "remote.origin.url", ok=(0, 1)).decode("utf-8", "replace"))


def find_place(paths: Sequence[str | Path], *, on_disk: bool = True) -> Place:
    """The place that paths mean. Raises UsageError for a path that isn't there, or paths in several repositories.

    A folder is its own root: paths are relative to it, and git is asked from there. For files, and for several
    paths, the root is the top of their repository, or the folder they share. No path is the current folder.

    Not `on_disk` is asked where git's store is looked at and not the disk: a path may be one that only git knows
    (staged and then deleted), and no path is the whole repository, wherever in it we are.
    """
    if any(path == "" for path in paths):
        raise UsageError("a path is empty", help="is a variable unset? `.` is this folder")
    here = Path() if on_disk else Path(os.path.relpath(find_top(Path()) or "."))
    given = [Path(path) for path in paths] or [here]
    for path in given:
        if on_disk and not os.path.lexists(path):
            raise UsageError(f"there is no `{path}`", help="name files or folders that exist; `-` is standard input")
        if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
            raise SourceError(f"`{path}` cannot be read", help="let this user read the folder")
    if len(given) == 1 and given[0].is_dir():
        return _folder_place(given[0])
    real = [_real(path) for path in given]
    tops = {find_top(path if path.is_dir() else path.parent) for path in real}
    if len(tops) > 1:
        raise UsageError("these paths are in different repositories", help="audit each repository on its own")
    top = tops.pop()
    root = top or Path(os.path.commonpath([path if path.is_dir() else path.parent for path in real]))
    relative = {path: os.fsencode(path.relative_to(root).as_posix()) for path in real}
    return Place(
        root=root,
        shown_root=os.path.relpath(root),
        git=Git(root) if top else None,
        files=frozenset(relative[path] for path in real if not path.is_dir()),
        folders=tuple(relative[path] for path in real if path.is_dir() and path != root) if root not in real else (),
    )


def _folder_place(folder: Path) -> Place:
    root = Path(os.path.realpath(folder))
    if is_bare(root) and not os.path.lexists(root / ".git"):
        return Place(root, str(folder), Git(root), bare=True)
    top = find_top(root)
    if top is None:
        return Place(root, str(folder), None)
    git = Git(root)
    if top != root and _is_ignored(git):
        return Place(root, str(folder), None)  # a folder that its repository ignores was asked for: take it as it is
    return Place(root, str(folder), git)


def _is_ignored(git: Git) -> bool:
    try:
        git.run("check-ignore", "-q", "--", ".")
    except SourceError:
        return False
    return True


def _real(path: Path) -> Path:
    """The path with the links of its folder resolved, its own name kept."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the last link too
    return (
        Path(os.path.realpath(absolute))
        if absolute.is_dir()
        else Path(os.path.realpath(absolute.parent)) / absolute.name
    )
