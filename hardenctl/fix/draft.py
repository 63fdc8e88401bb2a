"""The project as it would be: fixes go in one at a time, each whole or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hardenctl.fix.files import Refused, read
from hardenctl.fix.text import append, encode, overlap, splice
from hardenctl.fix.verify import broken
from hardenctl.model.blob import Blob, Snapshot, Standing
from hardenctl.model.errors import HardenctlError
from hardenctl.model.finding import Append, Edit, Fix, Render, Replace, Untrack
from hardenctl.model.text import decode


@dataclass
class Draft:
    """Files changed so far, and the edits of the round that is under way, whose spans count in `snapshot`'s texts."""

    root: Path
    base: Snapshot
    before: dict[str, bytes | None] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    untrack: list[str] = field(default_factory=list)
    _added: dict[str, set[str]] = field(default_factory=dict)
    _replaced: dict[str, list[Replace]] = field(default_factory=dict)
    _appended: dict[str, list[str]] = field(default_factory=dict)
    _started: dict[str, bytes] = field(default_factory=dict)

    def start_round(self) -> None:
        """From now on spans count in the files as they have become."""
        self._replaced.clear()
        self._appended.clear()
        self._started = dict(self.after)

    def take(self, fix: Fix) -> bool:
        """Put a fix in; whether it changed anything that other fixes had not changed already.

        Raises Refused where any of its edits can't be made, and then none is.
        """
        trial = self._copy()
        touched = [path for edit in fix.edits if (path := trial.edit(edit))]
        for path in dict.fromkeys(touched):
            trial.build(path)
        self.__dict__.update(trial.__dict__)
        return bool(touched)

    def edit(self, edit: Edit) -> str | None:
        """Note one edit; the path it changes, None where it had been made already."""
        if isinstance(edit, Replace):
            return self._replace(edit)
        if isinstance(edit, Append):
            return self._append(edit)
        return self._render(edit) if isinstance(edit, Render) else self._untrack(edit)

    def build(self, path: str) -> None:
        """Make a file's new bytes of this round's edits. Raises Refused where they would break it."""
        if path not in self.before:
            return  # only taken out of the index
        start = self._start(path)
        text = decode(start)
        edited = append(splice(text, self._replaced.get(path, ())), self._appended.get(path, ()))
        if reason := broken(path, text, edited):
            raise Refused(reason)
        data = encode(edited, start)
        if data is None:
            raise Refused(f"the encoding of {path} would not survive")
        self.after[path] = data

    def _start(self, path: str) -> bytes:
        """What this round's spans count in."""
        return self._started.get(path, self.before[path] or b"")

    def _replace(self, edit: Replace) -> str | None:
        path = edit.span.path
        noted = self._replaced.get(path, [])
        if edit in noted:
            return None
        if any(overlap(edit, other) for other in noted):
            raise Refused("it overlaps another fix")
        if self._open(path) is None:
            raise Refused(f"{path} is not there")
        if not 0 <= edit.span.start <= edit.span.end <= len(decode(self._start(path))):
            raise Refused(f"{path} changed since it was read")
        self._replaced[path] = [*noted, edit]
        return path

    def _append(self, edit: Append) -> str | None:
        known = self._added.setdefault(edit.path, set())
        lines = edit.text.rstrip("\n").split("\n")
        if not any(_says_something(line) and line not in known for line in lines):
            return None
        # Exceptions (`!.env.example`) only work after the pattern they are from: they are said again.
        lines = [line for line in lines if line not in known or line.startswith("!") or not line.strip()]
        self._open(edit.path)
        known.update(lines)
        self._appended.setdefault(edit.path, []).extend(lines)
        return edit.path

    def _render(self, edit: Render) -> str | None:
        if edit.path in self.after:
            return None
        if self._open(edit.path) is not None:
            raise Refused(f"{edit.path} is there already")
        self.after[edit.path] = self._started[edit.path] = _rendered(edit.template, self.base).encode()
        return edit.path

    def _untrack(self, edit: Untrack) -> str | None:
        if edit.path in self.untrack:
            return None
        blob = self.base.read(edit.path)
        if blob is None or not self.base.is_repository or blob.provenance.standing is not Standing.TRACKED:
            raise Refused(f"git does not track {edit.path}")
        self.untrack.append(edit.path)
        return edit.path

    def _open(self, path: str) -> bytes | None:
        """A file's bytes on disk, checked against what the rules saw."""
        if path not in self.before:
            data = read(self.root, path)
            seen = self.base.read(path)
            if seen is not None and seen.data != data:
                raise Refused(f"{path} changed since it was read")
            self.before[path] = data
        return self.before[path]

    def _copy(self) -> Draft:
        return Draft(
            self.root,
            self.base,
            dict(self.before),
            dict(self.after),
            list(self.untrack),
            {path: set(lines) for path, lines in self._added.items()},
            {path: list(edits) for path, edits in self._replaced.items()},
            {path: list(lines) for path, lines in self._appended.items()},
            dict(self._started),
        )


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("!", "#"))


def _rendered(template: str, snapshot: Snapshot) -> str:
    from hardenctl.render import detect_facts, render

    try:
        return render(template, detect_facts(snapshot))
    except HardenctlError as error:
        raise Refused(f"the template {template} could not be filled: {error.what}") from None


@dataclass(frozen=True)
class DraftSnapshot:
    """A snapshot with the draft's files in place of its own."""

    base: Snapshot
    files: dict[str, bytes]

    @property
    def is_repository(self) -> bool:
        """As the base."""
        return self.base.is_repository

    def paths(self) -> Sequence[str]:
        """All paths, new ones too."""
        return sorted({*self.base.paths(), *self.files})

    def read(self, path: str) -> Blob | None:
        """A file's blob as it would be."""
        blob = self.base.read(path)
        if path not in self.files:
            return blob
        provenance = (blob or Blob.empty(path)).provenance
        return Blob(dataclasses.replace(provenance, oid=None), self.files[path])

    def in_scope(self, path: str) -> bool:
        """As the base."""
        return self.base.in_scope(path)

    def named(self, path: str) -> bool:
        """As the base."""
        return self.base.named(path)

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """As the base: git is asked about what is on disk."""
        return self.base.ignored(paths)
