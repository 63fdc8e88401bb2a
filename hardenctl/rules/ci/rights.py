"""Who is given rights, secrets and a say in what runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.workflow import Pipeline, Workflow, expressions, scalars
from hardenctl.formats.yaml import Mapping, Scalar
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.declare import rule

_ALL_SECRETS = re.compile(r"\btoJSON\s*\(\s*secrets\s*\)|^secrets$", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MOVING = re.compile(r"(?i)main|master|trunk|dev|develop|latest|head|nightly|edge|stable|next|unstable|beta|alpha")
_TRUSTED = ("docker://", "actions/", "github/")
_SECRET = re.compile(r"\bsecrets\.(?!GITHUB_TOKEN\b)|\bsecrets\[|^inherit$")
_TRUE = frozenset(("true", "1", "yes", "on"))


@rule("ci-secrets-exposed", on=Workflow, severity=Severity.MEDIUM)
def secrets_exposed(workflow: Workflow) -> Iterator[Hit]:
    """All secrets are handed over at once.

    ## Why is this bad?
    `toJSON(secrets)` gives a step every secret of the repository and its organisation, those of other services too. As
    one value they are masked in the log only where they stand there exactly as in it. A reusable workflow of another
    owner that inherits all can send them anywhere, today or after its next release.

    ## Example
    ```yaml title=".github/workflows/deploy.yml"
    on: push
    jobs:
      deploy:
        runs-on: ubuntu-latest
        steps:
          - run: ./deploy.sh
            env:
              SECRETS: ${{ toJSON(secrets) }}
    ```

    ## Use instead
    Name what the step needs.

    ```yaml title=".github/workflows/deploy.yml"
    on: push
    jobs:
      deploy:
        runs-on: ubuntu-latest
        steps:
          - run: ./deploy.sh
            env:
              DEPLOY_TOKEN: ${{ secrets.DEPLOY_TOKEN }}
    ```

    ## References
    - https://docs.github.com/en/actions/reference/security/secure-use
    """
    for each in scalars(workflow.top):
        for start, end, text in expressions(each):
            if _ALL_SECRETS.search(text):
                fix = advice("name the secrets that the step needs")
                yield Hit(each.strand.span(start, end), "all secrets are handed over", identity=text, fix=fix)
    for job in workflow.jobs:
        inherited = job.node.value_of("secrets")
        if job.uses is None or not isinstance(inherited, Scalar) or inherited.text != "inherit":
            continue
        if not workflow.is_own(job.uses.text) and not _COMMIT.fullmatch(job.uses.text.rpartition("@")[2]):
            name = job.uses.text.partition("@")[0]
            message = f"all secrets are handed to {name}, whose owner can change it"
            fix = advice("name the secrets that it needs, and the commit that was looked at")
            yield Hit(inherited.span, message, identity=job.name, severity=Severity.LOW, fix=fix)


@rule("ci-debug-trace", on=Pipeline, severity=Severity.HIGH)
def debug_trace(pipeline: Pipeline) -> Iterator[Hit]:
    """The job log shows every variable.

    ## Why is this bad?
    With `CI_DEBUG_TRACE` GitLab's runner prints each command with all variables, those that are masked elsewhere too,
    into a log that everybody with access to the project can read.

    ## Example
    ```yaml title=".gitlab-ci.yml"
    deploy:
      variables:
        CI_DEBUG_TRACE: "true"
      script: ./deploy.sh
    ```

    ## Use instead
    Set it for one run of one job by hand, and delete the job's log afterwards.

    ```yaml title=".gitlab-ci.yml"
    deploy:
      script: ./deploy.sh
    ```

    ## References
    - https://docs.gitlab.com/ci/variables/variables_troubleshooting/#enable-debug-logging
    """
    for job, variables in pipeline.variables:
        for name in ("CI_DEBUG_TRACE", "CI_DEBUG_SERVICES"):
            node = variables.value_of(name)
            node = node.value_of("value") if isinstance(node, Mapping) else node
            if isinstance(node, Scalar) and node.text.lower() in _TRUE:
                message = f"{name} shows all variables of {f'job {job}' if job else 'every job'} in its log"
                fix = advice("remove it, and change what the logs have shown")
                yield Hit(node.span, message, identity=f"{job} {name}".strip(), fix=fix)


@rule("ci-write-all", on=Workflow, severity=Severity.LOW)
def write_all(workflow: Workflow) -> Iterator[Hit]:
    """The job's token may change everything.

    ## Why is this bad?
    Each action and each package that a job installs can use its token: to push, to release, to change workflows.

    ## Example
    ```yaml title=".github/workflows/release.yml"
    on: push
    permissions: write-all
    jobs:
      release:
        runs-on: ubuntu-latest
        steps:
          - run: ./release.sh
    ```

    ## Use instead
    Name the rights that the job needs.

    ```yaml title=".github/workflows/release.yml"
    on: push
    permissions:
      contents: write
    jobs:
      release:
        runs-on: ubuntu-latest
        steps:
          - run: ./release.sh
    ```

    ## References
    - https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
    """
    for name, node in (("", workflow.top), *((job.name, job.node) for job in workflow.jobs)):
        given = node.value_of("permissions")
        if isinstance(given, Scalar) and given.text == "write-all":
            where = f"job {name}" if name else "every job"
            fix = advice("name the rights that are needed")
            yield Hit(given.span, f"the token of {where} may change everything", identity=name, fix=fix)


@rule("ci-unpinned-action", on=Workflow, severity=Severity.LOW)
def unpinned_action(workflow: Workflow) -> Iterator[Hit]:
    """Somebody else's action runs as it is on the day.

    ## Why is this bad?
    A branch is whatever its owner, or who has taken his account, pushed last, and it runs with the job's token and
    secrets. A tag can be moved as well (in March 2025 those of a popular action were): where an action gets secrets,
    that is said as a note, once a workflow. GitHub's own actions and those of the project itself are not meant.

    ## Example
    ```yaml title=".github/workflows/deploy.yml"
    on: push
    jobs:
      deploy:
        runs-on: ubuntu-latest
        steps:
          - uses: example/deploy-action@main
    ```

    ## Use instead
    Name the commit; Dependabot and Renovate keep it up to date.

    ```yaml title=".github/workflows/deploy.yml"
    on: push
    jobs:
      deploy:
        runs-on: ubuntu-latest
        steps:
          - uses: example/deploy-action@b4ffde65f46336ab88eb53be808477a3936bae11 # v4.1.1
    ```

    ## References
    - https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions
    """
    tagged: dict[str, Scalar] = {}
    said: set[str] = set()
    used = [(step.uses, step.node) for step in workflow.steps] + [(job.uses, job.node) for job in workflow.jobs]
    for uses, node in used:
        if uses is None or uses.text.startswith(_TRUSTED) or "${{" in uses.text or workflow.is_own(uses.text):
            continue
        name, at, version = uses.text.partition("@")
        if not at or uses.text in said or _COMMIT.fullmatch(version):
            continue
        if _MOVING.fullmatch(version):
            said.add(uses.text)
            message = f"{name} runs as it stands on its branch {version} that day"
            yield Hit(uses.span, message, identity=name, fix=advice("name the commit that was looked at"))
        elif any(_SECRET.search(each.text) for each in scalars(node)):
            tagged.setdefault(name, uses)
    if tagged:
        first, *others = tagged
        message = f"{first} gets secrets and is named by a tag, which can be moved"
        if others:
            message = f"{first} and {len(others)} more get secrets and are named by tags, which can be moved"
        fix = advice("name the commits that were looked at")
        yield Hit(tagged[first].span, message, identity="tags", severity=Severity.INFO, fix=fix)
