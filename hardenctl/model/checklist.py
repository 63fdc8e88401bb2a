"""The pre-deployment checklist: a line a thing, each go, no-go or not checked."""

from __future__ import annotations

import enum

from hardenctl.model.record import record
from hardenctl.model.report import Verdict


class State(enum.StrEnum):
    """What a line says."""

    GO = "go"
    NO_GO = "no-go"
    UNCHECKED = "not checked"


@record
class Check:
    """One line. `asked` says that the user wanted it looked at: not checked is then a gap. `items` are the details."""

    name: str
    state: State
    detail: str
    items: tuple[str, ...] = ()
    asked: bool = True


@record
class Checklist:
    """The lines in the order they are shown, and what they come to."""

    checks: tuple[Check, ...]

    def verdict(self, *, allow_gaps: bool = False) -> Verdict:
        """One no-go is enough; what was asked for and not looked at is no go either."""
        if any(each.state is State.NO_GO for each in self.checks):
            return Verdict.FAIL
        gap = any(each.state is State.UNCHECKED and each.asked for each in self.checks)
        return Verdict.INCOMPLETE if gap and not allow_gaps else Verdict.PASS
