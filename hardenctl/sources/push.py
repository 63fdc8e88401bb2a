"""What a push brings, as git tells a server's pre-receive hook: old, new and ref lines on standard input.

The refs have not moved yet and the objects are in quarantine: what is new is what the pushed ids reach and no ref does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import record
from hardenctl.sources.git import Git, shown
from hardenctl.sources.objects import stream
from hardenctl.sources.revisions import UNBORN, Revisions

KNOWN = ("--not", "--all", "--not")  # what the server has; the second `--not` for git before 2.42, which goes on else
STATES = 20  # tips whose files are judged as a project; secrets are looked for in all there are
COMPARED = 200  # commits that git is asked to compare with each other, which takes it the square of that

_LINE = lazy_pattern(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs/[^\0\n]+)")
_HELP = "as git's pre-receive hook: `exec hardenctl audit --pre-receive`"


@record
class Update:
    """One ref that a push wants to move. An id of zeros is no object: `old` of a new ref, `new` of a deleted one."""

    old: str
    new: str
    ref: str


@record
class Push:
    """The updates, what is new, and the states that result: `revisions` holds all that is new in its first element.

    `passed_over` counts the states beyond `STATES`. `governing` is what the default branch
    would be, None where it stays.
    """

    updates: tuple[Update, ...]
    revisions: tuple[Revisions, ...]
    passed_over: int = 0
    governing: str | None = None


def parse_updates(data: bytes) -> tuple[Update, ...]:
    """The lines of standard input. Raises UsageError for anything else than git writes there, and for nothing."""
    updates = []
    for number, line in enumerate(data.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or len(match[1]) != len(match[2]):
            raise UsageError(f"--pre-receive: line {number} of standard input is not `OLD NEW REF`", help=_HELP)
        updates.append(Update(match[1].decode(), match[2].decode(), shown(match[3])))
    if not updates:
        raise UsageError("--pre-receive: there was nothing on standard input", help=_HELP)
    return tuple(updates)


def read_push(git: Git, updates: Sequence[Update]) -> Push:
    """What is new, and which states it makes. Raises SourceError for an id that is no object here."""
    default = git.run("symbolic-ref", "-q", "HEAD", ok=(0, 1, 128)).decode("utf-8", "backslashreplace").strip()
    new = [each for each in updates if each.new.strip(UNBORN)]
    new.sort(key=lambda each: each.ref != default)
    ids = tuple(dict.fromkeys(each.new for each in new))
    commits = _commits(git, ids)
    tips = _independent(git, tuple(dict.fromkeys(commits.values())))
    old = {commits[each.new]: each.old for each in reversed(new) if each.new in commits}
    arguments = (*ids, *KNOWN) if ids else ()
    states = [
        Revisions(() if number else arguments, tip, _base(git, old[tip], tip))
        for number, tip in enumerate(tips[:STATES])
    ]
    governing = next((commits.get(each.new) for each in new if each.ref == default), None)
    return Push(tuple(updates), tuple(states) or (Revisions(arguments, None),), len(tips[STATES:]), governing)


def _commits(git: Git, ids: Iterable[str]) -> dict[str, str]:
    """Each id to the commit that it is or that it, as a tag, names. Trees and blobs have none."""
    commits: dict[str, str] = {}
    wanted = {each: each for each in ids}  # a tag's target to what was pushed
    while wanted:
        targets = {}
        for each in stream(git, wanted):
            if each.data is None:
                raise SourceError(f"the pushed object {each.oid} is not there", help="run `git fsck` on the server")
            if each.kind == "commit":
                commits[wanted[each.oid]] = each.oid
            elif each.kind == "tag":
                targets[each.data.split(b"\n", 1)[0].partition(b" ")[2].decode()] = wanted[each.oid]
        wanted = targets
    return commits


def _independent(git: Git, commits: Sequence[str]) -> Sequence[str]:
    """The commits that no other of them reaches, in the order given."""
    if not 1 < len(commits) <= COMPARED:
        return commits
    kept = set(git.run("merge-base", "--independent", *commits).decode().split())
    return [each for each in commits if each in kept]


def _base(git: Git, old: str, tip: str) -> str | None:
    """What a tip is compared with: where it left the ref's old tip; on a new ref, the newest ancestor the server has.

    None where there is nothing to compare with.
    """
    if old.strip(UNBORN):
        return git.run("merge-base", old, tip, ok=(0, 1, 128)).decode().strip() or None
    walked = git.run("rev-list", "--first-parent", "--boundary", tip, *KNOWN).decode().split()
    return next((each[1:] for each in walked if each.startswith("-")), None) if walked else tip
