"""Adds to findings what only history knows, and merges what history repeats."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hardenctl.model.address import past_path
from hardenctl.model.blob import Commit
from hardenctl.model.finding import Finding, Occurrences
from hardenctl.sources.changes import Change
from hardenctl.sources.git import Git
from hardenctl.sources.origin import Origin, commits, origins

LAST = 1 << 62  # the age of a tag: it is made after what it names


@dataclass(frozen=True)
class Resolver:
    """Resolves the findings of one history audit.

    `changes` are those of the commits that were looked at; `messages` are the ids of commits and tags with their
    ages, `present` the blob ids that were looked at in the present state.
    """

    git: Git
    changes: Iterable[Change]
    prefix: str
    head: str | None
    present: Collection[str]
    messages: Mapping[str, int] = field(default_factory=dict)

    def resolve(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings with first commit, author, date and occurrences.

        The same secret in many versions becomes one finding, at the first version that held it; where the present
        state holds it, it stays where it is there.
        """
        oids = {finding.oid for finding in findings if finding.oid}
        messages = oids.intersection(self.messages)
        found = origins(self.changes, oids - messages, self.prefix) if oids - messages else {}
        found |= {oid: Origin({oid: self.messages[oid]}) for oid in messages}
        authors = commits(self.git, [id_ for each in found.values() for id_ in each.commits])
        groups: dict[tuple[str, ...], list[Finding]] = {}
        for number, finding in enumerate(findings):
            groups.setdefault(_key(finding, number), []).append(finding)
        in_head = self._head_oids() if oids else frozenset()
        return [each for group in groups.values() for each in self._merge(group, found, authors, in_head)]

    def _merge(
        self,
        group: Sequence[Finding],
        found: Mapping[str, Origin],
        authors: Mapping[str, Commit],
        in_head: Collection[str],
    ) -> list[Finding]:
        """One group's findings: those of the present, else the oldest."""
        traced = [
            (finding, found[finding.oid]) for finding in group if finding.oid is not None and finding.oid in found
        ]
        if not traced:
            return list(group)
        ages = {commit: age for _, origin in traced for commit, age in origin.commits.items()}

        def order(commit: str) -> tuple[int, str]:
            return ages[commit], authors[commit].date if commit in authors else ""

        first = min(ages, key=order)
        oldest = next(finding for finding, origin in traced if first in origin.commits)
        now = [finding for finding in group if finding.oid is None or finding.oid in self.present]
        occurrences = Occurrences(
            commits=len(ages),
            paths=tuple(dict.fromkeys(path for finding, origin in traced for path in origin.paths or [_path(finding)])),
            in_head=any(finding.oid in in_head for finding, _ in traced),
        )
        commit = authors.get(first)
        return [
            dataclasses.replace(
                finding,
                location=dataclasses.replace(finding.location, path=_path(finding)),
                commit=commit,
                occurrences=occurrences,
            )
            for finding in now or [oldest]
        ]

    def _head_oids(self) -> frozenset[str]:
        """The blobs of HEAD's tree, and nothing before the first commit."""
        if self.head is None:
            return frozenset()
        records = self.git.run("ls-tree", "-r", "-z", "--full-tree", self.head).split(b"\0")[:-1]
        return frozenset(record.split(b"\t", 1)[0].rsplit(b" ", 1)[1].decode() for record in records)


def _path(finding: Finding) -> str:
    return past_path(finding.location.path) or finding.location.path


def _key(finding: Finding, number: int) -> tuple[str, ...]:
    """What makes two findings the same leak. Only secrets and past files repeat over history."""
    if past_path(finding.location.path):
        return finding.rule, _path(finding), "past"
    if finding.rule.startswith("secret-"):
        return finding.rule, finding.fingerprint
    return (str(number),)
