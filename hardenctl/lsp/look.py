"""Audits files as they stand in the editor, with what else is open there."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hardenctl.audit import audit
from hardenctl.detect.veil import veiled
from hardenctl.fix.propose import DraftSource
from hardenctl.fix.text import append, splice
from hardenctl.fix.verify import broken
from hardenctl.model.blob import Blob, Gap, Snapshot, Source
from hardenctl.model.errors import HardenctlError
from hardenctl.model.finding import Append, Applicability, Fix, Replace
from hardenctl.model.report import JudgedFinding
from hardenctl.model.text import is_binary
from hardenctl.policy.baseline import load_baseline
from hardenctl.policy.load import load_policy
from hardenctl.sources import open_source
from hardenctl.sources.files import LARGEST
from hardenctl.sources.git import find_top, shown
from hardenctl.sources.stdin import StdinSource


@dataclass(frozen=True)
class Edited:
    """A file before and after a fix. `replaced` are its edits, none where lines are only added at its end."""

    path: Path
    before: str
    after: str
    replaced: tuple[Replace, ...]


@dataclass(frozen=True)
class Told:
    """A finding that counts, and the files that its fix changes: none where there is no fix that can be made here."""

    judged: JudgedFinding
    edits: tuple[Edited, ...] = ()


@dataclass(frozen=True)
class Opinion:
    """What an audit says of one file, and why it could not be looked at. `error` is that of the whole audit."""

    told: tuple[Told, ...] = ()
    gaps: tuple[Gap, ...] = ()
    error: str = ""


def home_of(path: str, folders: Collection[str] = ()) -> Path | None:
    """The root that a file is looked at from: its repository's top, or its folder below one that is open.

    None for any other file: what lies around it (a whole home folder, say) is nothing that anybody opened.
    """
    real = Path(os.path.realpath(path))
    top = find_top(real.parent)
    opened = any(real.is_relative_to(os.path.realpath(each)) for each in folders)
    return top or (real.parent if opened else None)


class Recent:
    """What was read of a project, for looks at the same files that follow each other while somebody types.

    Listing 10,000 files and reading them is most of a look. What others do to them meanwhile is seen SECONDS later at
    the latest, and at once where the editor says that something was opened, saved or changed.
    """

    SECONDS = 10.0
    BYTES = 64 << 20

    def __init__(self) -> None:
        self._forgotten = 0
        self._asked: object = None
        self._found: tuple[Source, Snapshot | None]
        self._until = 0.0

    def forget(self) -> None:
        """Read anew from now on. A look that is under way in another thread is not kept either."""
        self._forgotten += 1

    def opened(
        self, files: Collection[Path], exclude: Sequence[str], salt: bytes | None
    ) -> tuple[Source, Snapshot | None]:
        """The source of files and its snapshot, those of the last look where they may stand for it."""
        asked = (self._forgotten, frozenset(files), tuple(exclude), salt)
        now = time.monotonic()
        if asked != self._asked or now > self._until:
            source = open_source(list(files), exclude=exclude, salt=salt)
            base = source.snapshot()
            self._asked, self._until = asked, now + self.SECONDS
            self._found = source, _Read(base, self.BYTES) if base else None
        return self._found


class _Read:
    """A snapshot whose files are read once, as far as there is room for them (in bytes)."""

    def __init__(self, base: Snapshot, room: int) -> None:
        self._base, self._room = base, room
        self._blobs: dict[str, Blob | None] = {}
        self.is_repository = base.is_repository
        self.paths, self.in_scope, self.named, self.ignored = base.paths, base.in_scope, base.named, base.ignored

    def read(self, path: str) -> Blob | None:
        """A file's blob, None where there is none."""
        if path in self._blobs:
            return self._blobs[path]
        blob = self._base.read(path)
        self._room -= len(blob.data) if blob else 0
        if self._room > 0:
            self._blobs[path] = blob
        return blob


def look(
    paths: Collection[str], buffers: Mapping[str, str], home: Path | None, recent: Recent | None = None
) -> dict[str, Opinion]:
    """Audit files that share a home; `buffers` are the texts of what is open in the editor, by path.

    The policy and the baseline are those that `hardenctl audit PATH` would take. Of a file that was never saved nothing
    is said: what it will be is not known. Whatever goes wrong is said of each file, by an exception's type at most: its
    text could hold a value.
    """
    real = {path: Path(os.path.realpath(path)) for path in paths if os.path.isfile(path)}  # noqa: PTH113 - as given
    opinions = dict.fromkeys(paths, Opinion())
    texts = {Path(os.path.realpath(path)): text.encode("utf-8", "surrogatepass") for path, text in buffers.items()}
    groups = [real] if home else [{path: file} for path, file in real.items()]
    for group in filter(None, groups):
        error, reason = "", ""
        try:
            opinions |= _look(group, texts, home, recent or Recent())
        except HardenctlError as problem:
            error = reason = f"{problem.what} ({problem.help})" if problem.help else problem.what
        except Exception as problem:  # noqa: BLE001 - as said above; an editor goes on
            reason = f"the audit crashed: {type(problem).__name__}"
        if reason:
            opinions |= {
                path: Opinion(gaps=(Gap(os.fspath(file), reason),), error=error) for path, file in group.items()
            }
    return opinions


def _look(
    files: Mapping[str, Path], texts: Mapping[Path, bytes], home: Path | None, recent: Recent
) -> dict[str, Opinion]:
    root = home or next(iter(files.values())).parent
    policy = load_policy(root, None)
    baseline = load_baseline(root, None)
    names = {path: _name(file, root) for path, file in files.items()}
    salt = baseline.salt if baseline else None
    source: Source
    if home is None:
        (file,) = files.values()
        source = StdinSource(io.BytesIO(texts[file]), file.name, salt=salt)
    else:
        source = _drafted(*recent.opened(files.values(), policy.exclude, salt), texts, root)
    report = veiled(audit(source, policy, baseline=baseline.fingerprints if baseline else ()))
    snapshot = source.snapshot()
    told: dict[str, list[Told]] = {}
    for judged in report.open:
        edits = tuple(_edits(judged.finding.fix, snapshot, root)) if snapshot else ()
        told.setdefault(judged.finding.location.path, []).append(Told(judged, edits))
    return {
        path: Opinion(
            tuple(told.get(name, ())),
            tuple(each for each in report.gaps if each.path in {name, "."}),  # a dot: what could not be read at all
        )
        for path, name in names.items()
    }


def _drafted(source: Source, base: Snapshot | None, texts: Mapping[Path, bytes], root: Path) -> Source:
    """A source with what is open in place of what is on disk, where it is text that would be looked at there."""
    if base is None:
        return source
    inside = {_name(file, root): data for file, data in texts.items() if file.is_relative_to(root)}
    known = frozenset(base.paths())
    fit = {
        name: data for name, data in inside.items() if name in known and len(data) <= LARGEST and not is_binary(data)
    }
    return DraftSource(source, base, fit)


def _name(file: Path, root: Path) -> str:
    """A file's path as findings have it."""
    return shown(os.fsencode(file.relative_to(root).as_posix()))


def _edits(fix: Fix | None, snapshot: Snapshot, root: Path) -> Iterator[Edited]:
    """The files that a fix changes; none where it is advice, does more than edit, or would break a file."""
    if fix is None or fix.applicability is Applicability.ADVICE:
        return
    replaces = [each for each in fix.edits if isinstance(each, Replace)]
    appends = [each for each in fix.edits if isinstance(each, Append)]
    if len(replaces) + len(appends) < len(fix.edits):
        return
    found = []
    for path in dict.fromkeys([*(each.span.path for each in replaces), *(each.path for each in appends)]):
        blob = snapshot.read(path)
        before = blob.text if blob else ""
        replaced = tuple(each for each in replaces if each.span.path == path)
        added = [line for each in appends if each.path == path for line in each.text.rstrip("\n").split("\n")]
        after = append(splice(before, replaced), added)
        if broken(path, before, after) or (added and replaced):
            return
        found.append(Edited(root / path, before, after, replaced))
    yield from found
