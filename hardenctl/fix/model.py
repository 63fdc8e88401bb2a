"""What a proposal is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hardenctl.model.blob import Gap
from hardenctl.model.finding import Applicability, Finding
from hardenctl.model.settings import CustomSecret


@dataclass(frozen=True, slots=True)
class Change:
    """A file's bytes before and after; `before` is None for a new file."""

    path: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """A fix that is part of the proposal, and the files it touches."""

    rule: str
    path: str
    line: int
    title: str
    applicability: Applicability
    touches: frozenset[str]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A fix that is not, and why."""

    rule: str
    path: str
    line: int
    title: str
    reason: str

    @classmethod
    def of(cls, finding: Finding, reason: str) -> Skipped:
        """The fix of a finding, left out."""
        title = finding.fix.title if finding.fix else ""
        return cls(finding.rule, finding.location.path, finding.location.line, title, reason)


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that would be done.

    `unsafe` counts the fixes left out because they change behaviour, `advice` those that only a person can carry out.
    `gaps` are what could not be looked at, so what could not be fixed either. `custom` are the project's own kinds of
    credentials, which no diff may show.
    """

    root: Path
    changes: tuple[Change, ...] = ()
    untrack: tuple[str, ...] = ()
    done: tuple[Done, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unsafe: int = 0
    advice: int = 0
    gaps: tuple[Gap, ...] = ()
    custom: tuple[CustomSecret, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.untrack)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written, and what was left as it is at the last moment."""

    done: tuple[Done, ...]
    skipped: tuple[Skipped, ...]
    written: tuple[str, ...]
    untracked: tuple[str, ...]
