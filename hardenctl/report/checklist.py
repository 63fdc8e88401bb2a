"""The checklist on a terminal, and as JSON."""

from __future__ import annotations

import json

from hardenctl import __version__
from hardenctl.model.checklist import Checklist, State
from hardenctl.model.report import Verdict
from hardenctl.report.style import MEASURE, Look, visible, wrap

SCHEMA_VERSION = 1
WORDS = {Verdict.PASS: "go", Verdict.FAIL: "no-go", Verdict.INCOMPLETE: "incomplete"}
_COLOURS = {State.GO: "green", State.NO_GO: "red", State.UNCHECKED: "ochre"}
_VERDICT_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCOMPLETE: "ochre"}
_STATE, _NAME = 13, 22  # columns


def render_checklist(checklist: Checklist, verdict: Verdict, look: Look) -> str:
    """A line a check with its details below, then the verdict. Quiet leaves out what is in order."""
    lines = []
    for check in checklist.checks:
        if look.quiet and check.state is State.GO:
            continue
        dim = check.state is State.UNCHECKED and not check.asked
        state = (
            look.dim(check.state.ljust(_STATE)) if dim else look.paint(check.state.ljust(_STATE), _COLOURS[check.state])
        )
        width = max(min(look.width, MEASURE) - _STATE - _NAME, 20)
        for index, text in enumerate(wrap(visible(check.detail), width)):
            head = f"{state}{check.name:<{_NAME}}" if not index else " " * (_STATE + _NAME)
            lines.append(head + (look.dim(text) if dim else text))
        for item in check.items:
            for index, text in enumerate(wrap(visible(item), width - 2)):
                lines.append(" " * (_STATE + _NAME) + ("  " if index else "- ") + text)
    lines += ["", look.paint(WORDS[verdict], _VERDICT_COLOURS[verdict], bold=True) + f": {_words(checklist)}"]
    return "".join(look.final(line) + "\n" for line in lines)


def checklist_json(checklist: Checklist, verdict: Verdict) -> str:
    """Version 1 of its own shape."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": "preflight",
        "tool": {"name": "hardenctl", "version": __version__},
        "verdict": WORDS[verdict],
        "checks": [
            {
                "name": each.name,
                "state": each.state.value,
                "detail": each.detail,
                "items": list(each.items),
                "asked": each.asked,
            }
            for each in checklist.checks
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _words(checklist: Checklist) -> str:
    counts = {state: sum(each.state is state for each in checklist.checks) for state in State}
    return ", ".join(f"{number} {state}" for state, number in counts.items() if number)
