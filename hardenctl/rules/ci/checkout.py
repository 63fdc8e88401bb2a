"""A stranger's code that runs with the repository's rights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.workflow import PRIVILEGED, Job, Start, Step, Workflow, let_through
from hardenctl.formats.workflow_values import expressions, origins
from hardenctl.formats.yaml import Scalar
from hardenctl.model.finding import Hit, Related, Severity, advice
from hardenctl.rules.ci.conditions import worst_under
from hardenctl.rules.declare import rule

# The head of a pull request, down to its build scripts its author's, as the events that have rights name it. A branch's
# name alone is none: it is looked for in the repository itself, where only those with rights have made it.
_HEADS = {
    "pull_request_target": re.compile(
        r"github\.event\.pull_request\.(?:head\.(?:sha|repo)|merge_commit_sha)\b|refs/pull/", re.IGNORECASE
    ),
    "workflow_run": re.compile(
        r"github\.event\.workflow_run\.(?:head_sha|head_commit\.id|head_repository|pull_requests)\b|refs/pull/",
        re.IGNORECASE,
    ),
    "issue_comment": re.compile(
        r"refs/pull/|outputs\.(?:pr[-_]?)?(?:head[-_]?sha|head[-_]?repo(?:sitory)?)\b|head\.repo\b", re.IGNORECASE
    ),
}
# https://docs.github.com/en/actions/reference/security/securely-using-pull_request_target
_REFUSED, _REFUSING = ("pull_request_target", "workflow_run"), 7
_CHECKED_OUT = re.compile(r"\bgh\s+pr\s+checkout\b")
_FETCHED = re.compile(r"\bgit\s+(?:fetch|pull|checkout)\b")
_RUNS_ITSELF = ("actions/", "github/codeql-action/")  # actions that run nothing of what was checked out


@rule("ci-untrusted-checkout", on=Workflow, severity=Severity.HIGH)
def untrusted_checkout(workflow: Workflow) -> Iterator[Hit]:
    """A stranger's code runs with the repository's rights and secrets.

    ## Why is this bad?
    `pull_request_target`, `workflow_run` and `issue_comment` run with a token that can write and with all secrets. What
    is checked out of a pull request then is its author's: a changed `setup.py`, `conftest.py` or `package.json` is
    enough to take them.

    Nothing is said where only pull requests of the repository itself get so far, as with the name of a branch and no
    `repository` (it is then looked for in the repository itself), or where nothing is run afterwards.
    Low where somebody with rights has to set a label or to approve, and with a version of `actions/checkout` (7 and up)
    that takes no code from forks unless `allow-unsafe-pr-checkout` is set.

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
    found: dict[tuple[str, Severity | None], list[tuple[Job, Scalar]]] = {}
    for job in workflow.jobs:
        cases = [case for start in workflow.starts if (case := _checked_out(job, start))]
        if cases:
            trigger, severity, place = max(cases, key=lambda case: case[1] is None)
            found.setdefault((trigger, severity), []).append((job, place))
    for (trigger, severity), places in found.items():
        (job, place), *others = places
        message = f"{_names(places)} a pull request's code on {trigger}, with the repository's secrets"
        fix = advice("test it on `pull_request`, and keep what needs secrets away from its code")
        related = tuple(Related(other.span, f"in job {each.name}") for each, other in others)
        yield Hit(place.span, message, identity=trigger, severity=severity, fix=fix, related=related)


def _names(places: list[tuple[Job, Scalar]]) -> str:
    *names, last = [job.name for job, _ in places]
    if names:
        return f"jobs {', '.join(names)} and {last} run"
    return f"job {last} runs" if last else "this action runs"


def _checked_out(job: Job, start: Start) -> tuple[str, Severity | None, Scalar] | None:
    """How a job runs a pull request's code: by which trigger, how bad, and what says so; None where it does not."""
    triggers = start.triggers & PRIVILEGED
    steps = job.steps if triggers else ()
    last = max((number for number, step in enumerate(steps) if _runs_something(step)), default=-1)
    for number, step in enumerate(steps[: last + 1]):
        condition = f"{start.condition} {step.condition}"
        taken = _taken(step, let_through(triggers, condition), start)
        eased = worst_under(condition)
        if taken is not None and eased is None and _refuses(step, taken[0]):
            eased = Severity.LOW
        if taken is not None and eased is not Severity.INFO and (number < last or step.uses is None):
            return taken[0], eased, taken[1]
    return None


def _taken(step: Step, triggers: frozenset[str], start: Start) -> tuple[str, Scalar] | None:
    """How a step gets a pull request's code: by which trigger, and what says so; None where it does not."""
    script = step.script
    if step.action == "actions/checkout":
        for each in (step.given("ref"), step.given("repository")):
            named = [each.text, *_origins(each, step, start)] if each and triggers else []
            for trigger in sorted(triggers & _HEADS.keys()):
                if each and any(_HEADS[trigger].search(text) for text in named):
                    return trigger, each
    elif triggers and script is not None and step.uses is None and _pulls(script.text):
        return min(triggers), script
    return None


def _refuses(step: Step, trigger: str) -> bool:
    """Whether the checkout itself takes nothing from forks: since version 7 it has to be told to."""
    version = re.search(r"@v(\d{1,4})", step.uses.text if step.uses else "")
    told = step.given("allow-unsafe-pr-checkout")
    return (
        trigger in _REFUSED
        and version is not None
        and int(version[1]) >= _REFUSING
        and (told is None or told.text.lower() == "false")
    )


def _origins(scalar: Scalar, step: Step, start: Start) -> Iterator[str]:
    for _, _, text in expressions(scalar):
        yield from origins(text, step.node, step.scope, start.given)


def _pulls(script: str) -> bool:
    """Whether a script gets a pull request's code."""
    for line in script.replace("\\\n", " ").splitlines():
        found = _FETCHED.search(line)
        if _CHECKED_OUT.search(line) or (found and ("pull/" in line[found.end() :] or "FETCH_HEAD" in line)):
            return True
    return False


def _runs_something(step: Step) -> bool:
    """Whether a step runs what was checked out: by a script, or by an action that is not GitHub's own."""
    return step.script is not None or bool(step.uses and not step.action.startswith(_RUNS_ITSELF))
