"""History: what a range of commits added, or everything that any commit ever held."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hardenctl.model.blob import Blob, Gap, Provenance, Snapshot, SourceKind, Standing, Target
from hardenctl.model.errors import UsageError
from hardenctl.model.finding import Finding
from hardenctl.sources.base import PlaceSource
from hardenctl.sources.changes import Changes
from hardenctl.sources.files import skip_by_name
from hardenctl.sources.git import Git
from hardenctl.sources.known import Known
from hardenctl.sources.objectlist import (
    BINARY,
    EXCLUDED,
    OUTSIDE,
    PLAIN,
    ObjectList,
    list_all_objects,
    list_changes,
    list_objects,
    named_by_refs,
)
from hardenctl.sources.past import PastSnapshot
from hardenctl.sources.remembered import Remembered, git_state, remembered
from hardenctl.sources.repository import Place
from hardenctl.sources.resolve import LAST, Resolver
from hardenctl.sources.revisions import Revisions, everything, parse_range
from hardenctl.sources.share import MESSAGES, HistoryShare, shares
from hardenctl.sources.tree import tree_snapshot
from hardenctl.sources.worktree import WorkTreeSource

if TYPE_CHECKING:
    from hardenctl.sources.archives import Archive

SHA256 = 64  # hexadecimal digits of a blob id in a repository of that format
# With its id: what no commit gives a name, nor a ref that is there already.
TAGGED, UNREACHABLE = "(tagged)/", "(unreachable)/"


class HistorySource(PlaceSource):
    """Every blob that revisions reach, each once, and the messages of commits and tags.

    With `present`, what the work tree holds now is looked at first; a blob that both have is looked at there.
    """

    def __init__(
        self,
        place: Place,
        revisions: Revisions,
        kind: SourceKind,
        *,
        present: WorkTreeSource | None = None,
        all_objects: bool = False,
        exclude: Sequence[str] = (),
        salt: bytes | None = None,
        jobs: int = 1,
        known: Known | None = None,
        edition: bytes | None = None,
    ) -> None:
        super().__init__(place, exclude=exclude, salt=salt)
        self.kind, self.jobs, self.known, self._edition = kind, jobs, known, edition
        self._git = place.repository
        self._revisions, self._present, self._all_objects = revisions, present, all_objects
        self._shared: set[str] = set()  # ids of blobs that were looked at in the work tree

    @property
    def target(self) -> Target:
        """The newest commit that is looked at."""
        return Target(self._place.shown_root, self.kind, self._revisions.tip)

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many blobs were left out on purpose, by reason."""
        return self._skipped + Counter(self._present.skipped if self._present else {})

    @property
    def commits(self) -> int:
        """How many commits were looked at."""
        return len(self._list.commits)

    @cached_property
    def _list(self) -> ObjectList:
        """The objects, those out of scope left out. Names are relative to the root."""
        revisions, paths = self._revisions.arguments, self._place.pathspecs
        worth = functools.cache(self._worth)
        if self._all_objects:
            found = list_all_objects(self._git, revisions, self.jobs, worth)
        elif paths or self.kind is SourceKind.RANGE:
            found = list_objects(self._git, revisions, paths)
        else:
            found = list_changes(self._git, revisions, self.jobs, worth)
        if revisions and found.changes is None:
            found.name(Changes(self._git, revisions, self.jobs), worth)
        prefix = self._place.prefix
        named = {oid: name.removeprefix(prefix) for oid, name in found.blobs.items() if name.startswith(prefix)}
        found.blobs = {}
        for path in self._place.missing:
            if not any(name == path or name.startswith(f"{path}/") for name in named.values()):
                raise UsageError(f"there is no `{path}`", help="name files that are on disk or in these commits")
        refs = {} if all(named.values()) else named_by_refs(self._git)
        for oid, name in named.items():
            if self.is_excluded(name):
                self._skipped["excluded by policy"] += 1
            elif not name or self._place.in_scope(name):
                found.blobs[oid] = name or (f"({refs[oid]})" if oid in refs else self._nameless + oid)
        return found

    @property
    def _nameless(self) -> str:
        return UNREACHABLE if self._all_objects else TAGGED

    def _worth(self, name: str) -> int:
        """How much one of a blob's names speaks for looking at it: one may be out of scope, another not."""
        path = name.removeprefix(self._place.prefix)
        if not name.startswith(self._place.prefix) or not self._place.in_scope(path):
            return OUTSIDE
        if self.is_excluded(path):
            return EXCLUDED
        return BINARY if skip_by_name(path) else PLAIN

    def remembered(self, inputs: bytes) -> Remembered | None:
        """The memory of runs like this one, `inputs` being what it depends on besides the source; None without one.

        What no ref leads to can come and go unseen, so nothing is remembered of a run over all objects.
        """
        if self._edition is None or self._all_objects:
            return None
        place = self._place
        asked = repr(
            (place.prefix, place.pathspecs, place.bare, self.kind, self._exclude, self._present is not None)
        ).encode("utf-8", "surrogatepass")
        rest = repr((place.head, self._revisions.arguments, self._revisions.base)).encode()
        parts = [inputs, self._edition, self.salt, rest, git_state(self._git)]
        return remembered(self._git, asked, [*parts, self._present.state() if self._present else b""])

    def blobs(self) -> Iterator[Blob | Gap]:
        """The work tree's blobs, if asked for; then history's and the messages, path by path."""
        said: set[Gap] = set()
        for each in self.shares():
            if not isinstance(each, HistoryShare):
                yield each
                continue
            for result in each.blobs():
                if result not in said:
                    yield result
                if isinstance(result, Gap):
                    said.add(result)
            self._skipped += each.skipped

    def shares(self) -> Iterator[Blob | Gap | HistoryShare]:
        """As `blobs`, with what git's store holds in shares."""
        yield from self._incomplete()
        yield from self._list.gaps
        if self._present:
            yield from self._look_at_present(self._present)
        wanted: list[tuple[str, str]] = []
        for oid, path in self._list.blobs.items():
            if oid in self._shared:
                continue
            if reason := skip_by_name(path):
                self._skipped[reason] += 1
            elif self.known is None or not self.known.has(oid, path):
                wanted.append((oid, path))
        yield from shares(self._git.folder, self.kind, wanted, list(self._messages()))

    def _messages(self) -> Iterator[str]:
        """The commits and tags whose messages are not known."""
        for kind, oids in (("commit", self._list.commits), ("tag", self._list.tags)):
            yield from (oid for oid in oids if self.known is None or not self.known.has(oid, MESSAGES[kind]))

    def archives(self) -> Iterator[Archive | Gap]:
        """Those of the work tree, if asked for, and every version of one in history."""
        from hardenctl.sources.archives import is_archive, stored

        if self._present:
            yield from self._present.archives()
        found = {oid: path for oid, path in self._list.blobs.items() if is_archive(path)}
        for change in self._list.changes or ():  # one that is also kept under another name counts by that of an archive
            if is_archive(change.path) and change.oid in self._list.blobs and self._worth(change.path) > EXCLUDED:
                found.setdefault(change.oid, change.path.removeprefix(self._place.prefix))
        yield from stored(
            self._git, [Provenance(path, self.kind, Standing.TRACKED, oid) for oid, path in found.items()]
        )

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Add the first commit, author, date and occurrences; merge what history repeats."""
        head = self._revisions.tip if self.kind is SourceKind.RANGE else self._place.head
        resolver = Resolver(self._git, self._list.changes or (), self._place.prefix, head, self._shared, self._told)
        return resolver.resolve(findings)

    @cached_property
    def _told(self) -> Mapping[str, int]:
        """What has a message, with its age: a file may have the name that a message goes by."""
        told = dict.fromkeys((*self._list.commits, *self._list.tags), LAST)
        ages = self._list.changes.ages() if self._list.changes else {}
        return told | {commit: age for commit, age in ages.items() if commit in told}

    def versions(self, named: Sequence[tuple[str, str]]) -> Iterator[Blob | Gap]:
        """Versions and messages again, by blob id and path; what cannot be read is a gap."""
        pairs = [(oid, "" if oid in self._told else path) for oid, path in named]
        return HistoryShare(self._git.folder, self.kind, pairs).blobs()

    def snapshot(self) -> Snapshot:
        """The work tree, or the tree of the newest commit; env files of the past beside it."""
        return self._snapshot

    @cached_property
    def _snapshot(self) -> PastSnapshot:
        now: Snapshot
        if self._present:
            now = self._present.snapshot()
            tracked = self._present.snapshot().tracked
        else:
            now = tree_snapshot(self._place, self.kind, self._revisions, self._exclude)
            tracked = frozenset(now.paths())
        past = {oid: path for oid, path in self._list.blobs.items() if path not in tracked}
        return PastSnapshot(now, self._git, self.kind, past)

    def _incomplete(self) -> Iterator[Gap]:
        if self.kind is SourceKind.HISTORY:
            yield from _lost(self._git, self._place.head)
        if self._git.run("rev-parse", "--is-shallow-repository").strip() != b"true":
            return
        if self._revisions.connected:  # one way is known whole, but a side that was merged meanwhile may be cut
            ends = _git_file(self._git, "shallow").read_text(encoding="ascii").split()
            if self._list.changes and not {*ends}.intersection(self._list.changes.commits):
                return
        yield Gap(".", "a shallow clone: older commits are not here; `git fetch --unshallow` brings them")

    def _look_at_present(self, present: WorkTreeSource) -> Iterator[Blob | Gap]:
        longest = max(map(len, self._list.blobs), default=0)
        algorithm = "sha256" if longest == SHA256 else "sha1"
        for blob in present.blobs():
            if isinstance(blob, Gap):
                yield blob
                continue
            oid = hashlib.new(algorithm, b"blob %d\0" % len(blob.data) + blob.data, usedforsecurity=False).hexdigest()
            if oid in self._list.blobs and blob.provenance.standing is not Standing.IGNORED:
                self._shared.add(oid)
                yield Blob(dataclasses.replace(blob.provenance, oid=oid), blob.data)
            else:
                yield blob


def _git_file(git: Git, name: str) -> Path:
    return Path(git.folder, os.fsdecode(git.run("rev-parse", "--git-path", name).rstrip(b"\n")))


def _lost(git: Git, head: str | None) -> Iterator[Gap]:
    """What git says nothing of: folders of refs that may not be read, and commits that no ref leads to any more.

    Git packs what some ref leads to, and notes where HEAD has been: without any ref or commit, that is what a crash, or
    a hand, has left of a repository.
    """
    refs, packs, been = (_git_file(git, name) for name in ("refs", "objects/pack", "logs/HEAD"))
    closed: list[OSError] = []
    for _ in os.walk(refs, onerror=closed.append):
        pass
    for error in closed:
        yield Gap(".", f"the refs in `{os.path.relpath(error.filename, refs.parent)}` are closed: {error.strerror}")
    if head is not None or git.run("for-each-ref", "--count=1"):
        return
    if any(packs.glob("*.pack")) or (been.is_file() and been.stat().st_size):
        yield Gap(".", "no branch or tag leads to what the repository holds: `--all-objects` looks at it all the same")


def open_history(
    place: Place,
    since: str | None,
    *,
    all_objects: bool,
    exclude: Sequence[str],
    salt: bytes | None,
    jobs: int = 1,
    edition: bytes | None = None,
) -> HistorySource:
    """What `since` (a revision or range) added; without it, all of history and the work tree, if there is one.

    `edition` is hardenctl's and the policy's: with it, what it has looked at before is not looked at again.
    """
    git = place.repository
    known = Known.of(git, edition) if edition is not None else None
    if since is not None:
        return HistorySource(
            place, parse_range(git, since), SourceKind.RANGE, exclude=exclude, salt=salt, jobs=jobs, known=known
        )
    return HistorySource(
        place,
        everything(git, place.head),
        SourceKind.HISTORY,
        present=None if place.bare else WorkTreeSource(place, exclude=exclude, salt=salt),
        all_objects=all_objects,
        exclude=exclude,
        salt=salt,
        jobs=jobs,
        known=known,
        edition=edition,
    )
