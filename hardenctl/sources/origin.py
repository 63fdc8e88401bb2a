"""Where a blob came from: the first commit that brought it, who, when, how often. Asked only for blobs that hit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from hardenctl.model.blob import Commit
from hardenctl.model.pattern import lazy_pattern
from hardenctl.sources.changes import Change
from hardenctl.sources.git import Git, shown
from hardenctl.sources.objects import stream

_AUTHOR = lazy_pattern(
    rb"^(?:author|tagger) (?P<name>.*?) ?<(?P<mail>[^>\n]*)> (?P<time>-?\d+) (?P<zone>[+-]\d{4})$", re.MULTILINE
)


@dataclass
class Origin:
    """`commits` brought the blob in, each with its place in time (0 is the oldest); `paths` are all names it had."""

    commits: dict[str, int] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)


def origins(changes: Iterable[Change], oids: Collection[str], prefix: str = "") -> dict[str, Origin]:
    """Each blob's origin among the changes, newest first. Paths are relative to `prefix`."""
    found: dict[str, Origin] = {}
    for commit, age, oid, path in changes:
        if oid in oids:
            origin = found.setdefault(oid, Origin())
            origin.commits.setdefault(commit, age)
            if path.startswith(prefix) and path.removeprefix(prefix) not in origin.paths:
                origin.paths.append(path.removeprefix(prefix))
    for origin in found.values():
        origin.paths.reverse()
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
