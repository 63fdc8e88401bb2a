"""Lists the objects of a history: which blobs under which name, which commits, which tags."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from hardenctl.model.blob import Gap
from hardenctl.model.errors import SourceError
from hardenctl.sources.changes import Change, Changes
from hardenctl.sources.git import Git, shown
from hardenctl.sources.objects import end, stream


@dataclass
class ObjectList:
    """`blobs` is blob id to the name one commit gives it; empty where only git's store knows the blob."""

    blobs: dict[str, str] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    missing: int = 0
    gaps: list[Gap] = field(default_factory=list)
    changes: Changes | None = None

    def name(self, changes: Changes, worth: Callable[[str], int]) -> None:
        """Name the blobs by what each commit changed, as far as that tells."""
        self.changes, known = changes, names(changes, worth)
        self.blobs = {oid: known.get(oid) or _telling(name, worth) for oid, name in self.blobs.items()}

    def add(self, line: bytes) -> None:
        """Add one line of `ID KIND NAME`, as `FORMAT` asks for it."""
        oid, _, rest = line.partition(b" ")
        kind, _, name = rest.partition(b" ")
        if kind == b"blob":
            self.blobs.setdefault(oid.decode(), shown(name))
        elif kind == b"commit":
            self.commits.append(oid.decode())
        elif kind == b"tag":
            self.tags.append(oid.decode())
        elif kind == b"missing":
            self.missing += 1


OUTSIDE, EXCLUDED, BINARY, PLAIN = range(4)  # what a name is worth: of no file that is asked for, ... of a text
FORMAT = "%(objectname) %(objecttype) %(rest)"


def list_objects(git: Git, revisions: Sequence[str], paths: Sequence[str] = ()) -> ObjectList:
    """The objects that revisions reach (`--all` and `^REV` included), limited to paths where some are given.

    What a partial clone left behind is counted as missing and not fetched; a broken store ends the list with a gap.
    The names are what `rev-list` makes of them: one of those that a blob has, and only up to a line's end.
    """
    found = ObjectList()
    if not revisions:
        return found
    options = [each for each in revisions if each.startswith("--")]  # git before 2.42 knows none on standard input
    ends = [each for each in revisions if not each.startswith("--")]
    walk = ["rev-list", "--objects", *options, "--missing=print", "--stdin"]
    if paths:  # the full history: else git follows only one side of a merge whose other left no trace in these paths
        walk += ["--full-history", "--", *paths]
    question = "".join(f"{each}\n" for each in ends)
    try:
        for line in _pipe(git, walk, os.fsencode(question)):
            found.add(line)
    except SourceError as error:
        found.gaps.append(Gap(".", f"the history could not be read to its end: {error.what}"))
    if found.missing:
        found.gaps.append(Gap(".", f"{found.missing} objects are not in this clone: a partial or damaged one"))
    return found


def list_changes(git: Git, revisions: Sequence[str], jobs: int, worth: Callable[[str], int]) -> ObjectList:
    """As `list_objects` for a whole history, together with what each commit changed, and named by it: see `names`."""
    if git.run("config", "--get-regexp", r"^remote\..*\.promisor$", ok=(0, 1)):
        return list_objects(git, revisions)  # a partial clone: it tells which objects are not here
    changes = Changes(git, revisions, jobs)
    if changes.failure:
        return list_objects(git, revisions)  # which says how far it came
    found = ObjectList(names(changes, worth), changes.commits, changes=changes)
    found.tags, others = _named_besides(git)
    if others:
        listed = list_objects(git, others)
        found.gaps = listed.gaps
        for oid, name in listed.blobs.items():
            found.blobs.setdefault(oid, _telling(name, worth))
    return found


def _telling(name: str, worth: Callable[[str], int]) -> str:
    """A name that only `rev-list` gives; none where it is a picture's, since there may be another: content tells."""
    return "" if worth(name) == BINARY else name


def names(changes: Iterable[Change], worth: Callable[[str], int]) -> dict[str, str]:
    """Each blob's name: the newest of those that are worth most.

    What could be text must not go by a picture's name, nor by one that the policy excludes.
    """
    named: dict[str, str] = {}
    for change in changes:
        if (known := named.get(change.oid)) is None or (known != change.path and worth(known) < worth(change.path)):
            named[change.oid] = change.path
    return named


def _named_besides(git: Git) -> tuple[list[str], list[str]]:
    """The tags that refs name, tags of tags too; and the trees and blobs that refs or tags name."""
    lines = git.run("for-each-ref", "--format=%(objectname) %(objecttype)").decode().splitlines()
    kinds = dict.fromkeys(tuple(line.split(" ")) for line in lines)
    tags: dict[str, None] = {}
    others = [oid for oid, kind in kinds if kind in {"tree", "blob"}]
    new = [oid for oid, kind in kinds if kind == "tag"]
    while new:
        tags |= dict.fromkeys(new)
        targets = [_target(each.data) for each in stream(git, new) if each.data]
        others += [oid for oid, kind in targets if kind in {"tree", "blob"}]
        new = [oid for oid, kind in targets if kind == "tag" and oid not in tags]
    return list(tags), others


def _target(tag: bytes) -> tuple[str, str]:
    """What a tag object names: an id and a kind."""
    names = dict(line.partition(b" ")[::2] for line in tag.split(b"\n", 2)[:2])
    return names.get(b"object", b"").decode(), names.get(b"type", b"").decode()


def named_by_refs(git: Git) -> dict[str, str]:
    """What each ref comes to, through tags of tags: object id to the ref's name."""
    refs = git.run("for-each-ref", "--format=%(refname)^{} %(refname)")
    answer = git.run("cat-file", "--batch-check=%(objectname) %(rest)", input=refs)
    return {oid.decode(): shown(name) for oid, _, name in (line.partition(b" ") for line in answer.splitlines())}


def list_all_objects(git: Git, revisions: Sequence[str], jobs: int, worth: Callable[[str], int]) -> ObjectList:
    """Every object in git's store, unreachable ones included, with names as far as any commit knows one.

    Git passes over a pack that it cannot open: what the revisions reach is asked for besides, and its complaints are
    a gap.
    """
    everything = ObjectList()
    output, complaints = git.run_heard("cat-file", "--batch-all-objects", "--unordered", f"--batch-check={FORMAT}")
    for line in output.splitlines():
        everything.add(line)
    named = list_objects(git, [*revisions, *everything.commits, *everything.tags])
    if complaints:
        first = complaints.decode("utf-8", "replace").splitlines()[0]
        named.gaps.append(Gap(".", f"git cannot read all that is stored: {first}"))
    for oid in everything.blobs:
        named.blobs.setdefault(oid, "")
    changes = Changes(git, [*revisions, *everything.commits], jobs)
    if not changes.failure:
        named.name(changes, worth)
    return named


def _pipe(git: Git, walk: Sequence[str], question: bytes) -> Iterator[bytes]:
    """`rev-list` names the objects, `cat-file` tells their kinds; neither output is held in memory whole."""
    import tempfile  # here: a hook run does without it

    with ExitStack() as files:
        try:
            given, complaint = (files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            given.write(question)
            given.seek(0)
        except OSError as error:  # a full disk, say
            raise SourceError(
                f"what git is asked could not be written to disk: {error.strerror}",
                help="make room in the folder for temporary files, or name another with TMPDIR",
            ) from error
        listed = git.start(*walk, stdin=given, stderr=complaint)
        kinds = git.start("cat-file", "--buffer", f"--batch-check={FORMAT}", stdin=listed.stdout)
        try:
            if listed.stdout:
                listed.stdout.close()  # only `kinds` reads it
            for line in kinds.stdout or ():
                yield line.rstrip(b"\n")
            if listed.wait():
                complaint.seek(0)
                raise git.error(walk, complaint.read())
            if kinds.wait():
                raise git.error(("cat-file",), b"")
        finally:
            end(listed)
            end(kinds)
