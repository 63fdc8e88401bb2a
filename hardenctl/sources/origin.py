"""Where a blob came from: the first commit that brought it, who, when, how often. Asked only for blobs that hit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from hardenctl.model.blob import Commit
from hardenctl.sources.git import Git, shown
from hardenctl.sources.objects import end, stream

_AUTHOR = re.compile(
    rb"^(?:author|tagger) (?P<name>.*?) ?<(?P<mail>[^>\n]*)> (?P<time>-?\d+) (?P<zone>[+-]\d{4})$", re.MULTILINE
)


@dataclass
class Origin:
    """`commits` brought the blob in, each with its place in time (0 is the oldest); `paths` are all names it had."""

    commits: dict[str, int] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)


def origins(git: Git, revisions: Sequence[str], oids: Collection[str], prefix: str = "") -> dict[str, Origin]:
    """Each blob's origin in the commits that revisions reach, merges' own changes included; one pass over all of them.

    Paths are relative to `prefix`.
    """
    found: dict[str, Origin] = {}
    commit, age = "", -1
    fields = _changes(git, revisions)
    for record in fields:
        if not record.startswith(b":"):
            commit, age = record.decode(), age + 1
            continue
        path = shown(next(fields))
        # `:mode mode id id M`, one colon, mode and id more for each further parent; the last id is the result
        oid = record.rsplit(b" ", 2)[1].decode()
        if oid in oids:
            origin = found.setdefault(oid, Origin())
            origin.commits.setdefault(commit, age)
            if path.startswith(prefix) and path.removeprefix(prefix) not in origin.paths:
                origin.paths.append(path.removeprefix(prefix))
    return found


def commits(git: Git, ids: Sequence[str]) -> dict[str, Commit]:
    """Who made each commit, and when."""
    wanted = list(dict.fromkeys(ids))
    return {each.oid: commit_of(each.oid, each.data) for each in stream(git, wanted) if isinstance(each.data, bytes)}


def commit_of(oid: str, data: bytes) -> Commit:
    """Author and date of a raw commit or tag object."""
    match = _AUTHOR.search(data.split(b"\n\n", 1)[0])
    if not match:
        return Commit(oid, "", "")
    zone = match["zone"].decode()
    offset = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    try:
        date = datetime.fromtimestamp(int(match["time"]), tz=timezone(offset) if offset else UTC).isoformat()
    except (ValueError, OverflowError, OSError):  # commits with impossible dates exist
        date = ""
    return Commit(oid, f"{shown(match['name'])} <{shown(match['mail'])}>", date)


def _changes(git: Git, revisions: Sequence[str]) -> Iterator[bytes]:
    """What `diff-tree` says of each commit, oldest first: the commit's id, then a record and a path for each change."""
    options = [each for each in revisions if each.startswith("--")]
    import tempfile  # here: a hook run does without it

    with tempfile.TemporaryFile() as given:
        given.write("".join(f"{each}\n" for each in revisions if not each.startswith("--")).encode())
        given.seek(0)
        listed = git.start("rev-list", "--reverse", "--date-order", *options, "--stdin", stdin=given)
    options = "-r -c --root --raw -z --no-renames --no-abbrev".split()  # noqa: SIM905 - reads as typed
    changed = git.start("diff-tree", "--stdin", *options, stdin=listed.stdout)
    try:
        if listed.stdout:
            listed.stdout.close()  # only `changed` reads it
        rest = b""
        while changed.stdout and (piece := changed.stdout.read(1 << 16)):
            *fields, rest = (rest + piece).split(b"\0")
            yield from fields
    finally:
        end(listed)
        end(changed)
