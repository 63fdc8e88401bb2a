"""Lists the objects of a history: which blobs under which name, which commits, which tags."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hardenctl.model.blob import Gap
from hardenctl.model.errors import SourceError
from hardenctl.sources.changes import Changes
from hardenctl.sources.files import skip_by_name
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


FORMAT = "%(objectname) %(objecttype) %(rest)"


def list_objects(git: Git, revisions: Sequence[str], paths: Sequence[str] = ()) -> ObjectList:
    """The objects that revisions reach (`--all` and `^REV` included), limited to paths where some are given.

    What a partial clone left behind is counted as missing and not fetched; a broken store ends the list with a gap.
    """
    found = ObjectList()
    if not revisions:
        return found
    options = [each for each in revisions if each.startswith("--")]  # git before 2.42 knows none on standard input
    names = [each for each in revisions if not each.startswith("--")]
    walk = ["rev-list", "--objects", *options, "--missing=print", "--stdin"]
    question = "".join(f"{each}\n" for each in (*names, *(("--", *paths) if paths else ())))
    try:
        for line in _pipe(git, walk, os.fsencode(question)):
            found.add(line)
    except SourceError as error:
        found.gaps.append(Gap(".", f"the history could not be read to its end: {error.what}"))
    if found.missing:
        found.gaps.append(Gap(".", f"{found.missing} objects are not in this clone: a partial or damaged one"))
    return found


def list_changes(git: Git, revisions: Sequence[str], jobs: int) -> ObjectList:
    """As `list_objects` for a whole history, together with what each commit changed.

    Of a blob's names the newest counts, and one that could be of a text before one that could not.
    """
    if git.run("config", "--get-regexp", r"^remote\..*\.promisor$", ok=(0, 1)):
        return list_objects(git, revisions)  # a partial clone: it tells which objects are not here
    changes = Changes(git, revisions, jobs)
    if changes.failure:
        return list_objects(git, revisions)  # which says how far it came
    found = ObjectList(commits=changes.commits, changes=changes)
    blobs = found.blobs
    for change in changes:
        if (known := blobs.get(change.oid)) is None or (skip_by_name(known) and not skip_by_name(change.path)):
            blobs[change.oid] = change.path
    found.tags, others = _named_besides(git)
    if others:
        listed = list_objects(git, others)
        found.gaps = listed.gaps
        for oid, name in listed.blobs.items():
            blobs.setdefault(oid, name)
    return found


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


def list_all_objects(git: Git, revisions: Sequence[str]) -> ObjectList:
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
    return named


def _pipe(git: Git, walk: Sequence[str], question: bytes) -> Iterator[bytes]:
    """`rev-list` names the objects, `cat-file` tells their kinds; neither output is held in memory whole."""
    import tempfile  # here: a hook run does without it

    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as complaint:
        given.write(question)
        given.seek(0)
        names = git.start(*walk, stdin=given, stderr=complaint)
        kinds = git.start("cat-file", "--buffer", f"--batch-check={FORMAT}", stdin=names.stdout)
        try:
            if names.stdout:
                names.stdout.close()  # only `kinds` reads it
            for line in kinds.stdout or ():
                yield line.rstrip(b"\n")
            if names.wait():
                complaint.seek(0)
                raise git.error(walk, complaint.read())
        finally:
            end(names)
            end(kinds)
