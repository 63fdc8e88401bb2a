"""Audits one file as it stands in the editor, with what else is open there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hardenctl.audit import audit
from hardenctl.detect.veil import veiled
from hardenctl.fix.propose import DraftSource
from hardenctl.fix.text import append, splice
from hardenctl.fix.verify import broken
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.finding import Append, Applicability, Fix, Replace
from hardenctl.model.report import JudgedFinding
from hardenctl.policy.baseline import load_baseline
from hardenctl.policy.load import load_policy
from hardenctl.sources import open_source
from hardenctl.sources.repository import find_place


@dataclass(frozen=True)
class Edited:
    """A file before and after a fix. `replaced` are its edits, none where lines are only added at its end."""

    path: Path
    before: str
    after: str
    replaced: tuple[Replace, ...]


@dataclass(frozen=True)
class Opinion:
    """What an audit says of one file: the findings that count, and why it could not be looked at."""

    findings: tuple[JudgedFinding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    root: Path = Path()
    _snapshot: Snapshot | None = field(default=None, repr=False)

    def edits(self, fix: Fix) -> tuple[Edited, ...]:
        """The files that a fix changes; none where it is advice, does more than edit, or would break a file."""
        snapshot = self._snapshot
        if snapshot is None or fix.applicability is Applicability.ADVICE:
            return ()
        if not all(isinstance(each, Replace | Append) for each in fix.edits):
            return ()
        found = []
        for path in dict.fromkeys(each.span.path if isinstance(each, Replace) else each.path for each in fix.edits):
            blob = snapshot.read(path)
            before = blob.text if blob else ""
            replaced = tuple(each for each in fix.edits if isinstance(each, Replace) and each.span.path == path)
            added = [
                line
                for each in fix.edits
                if isinstance(each, Append) and each.path == path
                for line in each.text.rstrip("\n").split("\n")
            ]
            after = append(splice(before, replaced), added)
            if broken(path, before, after) or (added and replaced):
                return ()
            found.append(Edited(self.root / path, before, after, replaced))
        return tuple(found)


def look(path: str, buffers: Mapping[str, str]) -> Opinion:
    """Audit the file of a path; `buffers` are the texts of what is open in the editor, by path.

    The policy and the baseline are those that `hardenctl audit PATH` would take. Of a file that was never saved nothing
    is said: what it will be is not known. Raises HardenctlError for a policy that cannot be used.
    """
    if not Path(path).exists():
        return Opinion()
    place = find_place([path])
    policy = load_policy(place.root, None)
    baseline = load_baseline(place.root, None)
    source = open_source([path], exclude=policy.exclude, salt=baseline.salt if baseline else None)
    base = source.snapshot()
    if base is None:
        return Opinion()
    texts = {
        file.relative_to(place.root).as_posix(): text.encode("utf-8", "surrogatepass")
        for file, text in ((Path(name).resolve(), text) for name, text in buffers.items())
        if file.is_relative_to(place.root)
    }
    known = frozenset(base.paths())
    draft = DraftSource(source, base, {name: data for name, data in texts.items() if name in known})
    report = veiled(audit(draft, policy, baseline=baseline.fingerprints if baseline else ()))
    name = Path(path).resolve().relative_to(place.root).as_posix()
    return Opinion(
        tuple(each for each in report.open if each.finding.location.path == name),
        tuple(each for each in report.gaps if each.path == name),
        place.root,
        draft.snapshot(),
    )
