"""The CI rules on workflows and pipelines as people write them."""

from __future__ import annotations

import textwrap

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Hit
from hardenctl.model.settings import Settings
from hardenctl.rules import ci
from hardenctl.rules.declare import Rule
from hardenctl.sources.memory import MemorySnapshot

WORKFLOW = ".github/workflows/w.yml"
HEAD = "${{ github.event.pull_request.head.sha }}"
TAKEN = f"- uses: actions/checkout@v4\n  with: {{ref: '{HEAD}'}}"
LABEL = "contains(github.event.pull_request.labels.*.name, 'ok')"
EVENT = "github.event_name"
OWN = "github.event.pull_request.head.repo.full_name == github.repository"
COMMIT = "a" * 40


def results(files: dict[str, str]) -> list[tuple[Rule, Hit]]:
    """What the rules say; a gap fails the test."""
    found = [*detect_config(MemorySnapshot(files), ci.RULES, Settings())]
    assert not [each for each in found if isinstance(each, Gap)]
    return [each for each in found if isinstance(each, tuple)]


def severities(files: dict[str, str]) -> list[tuple[str, str]]:
    """Rule and severity of each hit."""
    return [(rule.id, (rule.severity if hit.severity is None else hit.severity).word) for rule, hit in results(files)]


def workflow(steps: str, on: str = "pull_request_target", job: str = "") -> dict[str, str]:
    """A workflow of one job; `job` are more of its keys."""
    body = textwrap.indent(textwrap.dedent(steps).strip(), "      ")
    keys = f"    {job}\n" if job else ""
    return {WORKFLOW: f"on: {on}\njobs:\n  j:\n    runs-on: x\n{keys}    steps:\n{body}\n"}


def checkout(ref: str = HEAD, more: str = "") -> str:
    """A checkout of a pull request, and a script behind it."""
    return f"{TAKEN.replace(HEAD, ref)}\n{more}\n- run: pip install ."


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(workflow(checkout()), "high", id="a-pull-request"),
        pytest.param(workflow(checkout("refs/pull/${{ github.event.number }}/merge")), "high", id="its-merge"),
        pytest.param(workflow(checkout("${{ github.head_ref }}")), "high", id="its-branch"),
        pytest.param(workflow(checkout(), on="[push, pull_request_target]"), "high", id="one-of-two-triggers"),
        pytest.param(workflow(checkout(), on="{pull_request_target: {types: [opened]}}"), "high", id="with-types"),
        pytest.param(
            workflow(checkout("${{ github.event.workflow_run.head_sha }}"), on="{workflow_run: {workflows: [t]}}"),
            "high",
            id="after-another-workflow",
        ),
        pytest.param(
            workflow("- run: gh pr checkout 1 && make", on="issue_comment"), "high", id="by-a-command-on-a-comment"
        ),
        pytest.param(
            workflow(f"{TAKEN}\n- uses: ./build"),
            "high",
            id="its-own-action-is-run",
        ),
        pytest.param(workflow(checkout(), job=f"if: {LABEL}"), "low", id="a-label"),
        pytest.param(workflow(checkout(), job="environment: review"), "low", id="an-approval"),
        pytest.param(workflow(checkout(), job=f"if: {LABEL} || {OWN}"), "low", id="a-label-or-own"),
        pytest.param(workflow(checkout(), job=f"if: {OWN}"), None, id="own-pull-requests-only"),
        pytest.param(
            workflow(checkout(more=f"  if: {OWN}")), None, id="own-pull-requests-only-in-the-step"
        ),
        pytest.param(
            workflow(checkout(), on="{workflow_run: {workflows: [t]}, pull_request: {}}"), None, id="of-another-event"
        ),
        pytest.param(
            workflow(checkout(), on="[pull_request, pull_request_target]", job=f"if: {EVENT} == 'pull_request'"),
            None,
            id="for-the-event-without-rights",
        ),
        pytest.param(
            workflow(checkout(), job="if: github.event_name == 'push' || always()"), "high", id="or-for-any-event"
        ),
        pytest.param(workflow(checkout(), on="pull_request"), None, id="without-rights"),
        pytest.param(workflow("- uses: actions/checkout@v4\n- run: make"), None, id="the-base"),
        pytest.param(
            workflow(f"{TAKEN}\n- uses: actions/upload-artifact@v4"),
            None,
            id="nothing-is-run",
        ),
    ],
)  # fmt: skip
def test_a_strangers_code_with_rights(files: dict[str, str], expected: str | None) -> None:
    """It is found where something of it runs, and eased where somebody has to agree first."""
    found = [severity for rule, severity in severities(files) if rule == "ci-untrusted-checkout"]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(workflow("- run: echo ${{ github.event.issue.title }}", on="issues"), ["high"], id="a-title"),
        pytest.param(
            workflow("- run: |\n    a\n    echo '${{ github.event.comment.body }}'", on="issue_comment"),
            ["high"],
            id="in-a-block",
        ),
        pytest.param(
            workflow("- uses: actions/github-script@v7\n  with: {script: 'f(`${{ github.head_ref }}`)'}"),
            ["high"],
            id="a-program",
        ),
        pytest.param(
            workflow("- run: echo ${{ format('{0}', github.event.pull_request.title) }}"), ["high"], id="formatted"
        ),
        pytest.param(workflow("- run: echo ${{ github.head_ref || github.ref_name }}"), ["high"], id="or-another"),
        pytest.param(workflow("- run: echo ${{ github.head_ref }}", on="pull_request"), ["low"], id="without-rights"),
        pytest.param(
            workflow("- run: echo ${{ github.event.head_commit.message }}", on="push"), ["low"], id="who-may-push"
        ),
        pytest.param(
            {"setup/action.yml": "runs: {steps: [{run: 'echo ${{ github.head_ref }}', shell: sh}]}"},
            ["medium"],
            id="in-an-action",
        ),
        pytest.param(
            workflow("- run: a\n  env: {T: '${{ github.event.issue.title }}'}", on="issues"), [], id="a-variable"
        ),
        pytest.param(
            workflow("- run: echo ${{ contains(github.event.issue.title, 'x') }}", on="issues"), [], id="only-asked"
        ),
        pytest.param(workflow("- run: a ${{ github.event.issue.title }}", on="push"), [], id="no-such-event"),
        pytest.param(
            workflow("- run: ${{ github.event.head_commit.message }}", on="[push, issues]"), ["low"], id="another-event"
        ),
        pytest.param(workflow("- run: a ${{ github.head_ref }}", on="workflow_call"), ["low"], id="a-callers-event"),
        pytest.param(workflow("- run: echo ${{ github.head_ref == 'main' }}"), [], id="compared"),
        pytest.param(workflow("- run: echo ${{ github.event.pull_request.number }}"), [], id="a-number"),
        pytest.param(workflow("- run: a ${{ github.ref_name }} ${{ inputs.version }}"), [], id="of-those-with-rights"),
        pytest.param(
            workflow(
                "- run: echo ${{ github.event.workflow_run.head_branch }}",
                on="{workflow_run: {workflows: [t], branches: [main, next]}}",
            ),
            [],
            id="a-branch-named-in-full",
        ),
        pytest.param(
            workflow(
                "- run: echo ${{ github.event.workflow_run.head_branch }}",
                on="{workflow_run: {workflows: [t], branches: ['release/*']}}",
            ),
            ["high"],
            id="any-branch-of-a-pattern",
        ),
        pytest.param(workflow("- run: a ${{ github.head_ref }}\n- run: b ${{ github.head_ref }}"), ["high"], id="once"),
    ],
)  # fmt: skip
def test_words_of_strangers_in_scripts(files: dict[str, str], expected: list[str]) -> None:
    """What a stranger writes is found where it becomes code, not where it is a variable or an answer."""
    assert [severity for rule, severity in severities(files) if rule == "ci-script-injection"] == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(workflow("- run: x\n  env: {ALL: '${{ toJSON(secrets) }}'}"), ["medium"], id="all-secrets"),
        pytest.param(workflow("- run: x\n  env: {ONE: '${{ secrets.ONE }}'}"), [], id="one-secret"),
        pytest.param(
            {WORKFLOW: "on: push\njobs: {a: {uses: 'o/r/.github/workflows/d.yml@main', secrets: inherit}}"},
            ["low"],
            id="inherited-elsewhere",
        ),
        pytest.param(
            {WORKFLOW: f"on: push\njobs: {{a: {{uses: 'o/r/.github/workflows/d.yml@{COMMIT}', secrets: inherit}}}}"},
            [],
            id="inherited-by-a-commit",
        ),
        pytest.param(
            {WORKFLOW: "on: push\njobs: {a: {uses: ./.github/workflows/d.yml, secrets: inherit}}"}, [], id="own"
        ),
        pytest.param(
            {
                WORKFLOW: "on: push\njobs: {a: {uses: 'o/r/.github/workflows/d.yml@main', secrets: inherit}}",
                ".github/workflows/d.yml": "on: workflow_call\njobs: {a: {steps: [{run: x}]}}",
            },
            [],
            id="own-by-its-full-name",
        ),
    ],
)
def test_all_secrets_at_once(files: dict[str, str], expected: list[str]) -> None:
    """They are named one by one, or stay in the project."""
    assert [severity for rule, severity in severities(files) if rule == "ci-secrets-exposed"] == expected


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        pytest.param("o/a@main", ["low"], id="a-branch"),
        pytest.param("o/a@v3", [], id="a-tag-without-secrets"),
        pytest.param("o/a@v3\n  with: {t: '${{ secrets.T }}'}", ["info"], id="a-tag-with-secrets"),
        pytest.param("o/a@v3\n  with: {t: '${{ secrets.GITHUB_TOKEN }}'}", [], id="a-tag-with-the-jobs-token"),
        pytest.param(f"o/a@{COMMIT}\n  with: {{t: '${{{{ secrets.T }}}}'}}", [], id="a-commit"),
        pytest.param("actions/checkout@main", [], id="of-the-host"),
        pytest.param("./local", [], id="own"),
        pytest.param("docker://alpine:3", [], id="an-image"),
        pytest.param("o/a@main\n- uses: o/a@main", ["low"], id="twice"),
    ],
)
def test_actions_of_others(uses: str, expected: list[str]) -> None:
    """Branches are found, tags only where secrets go."""
    found = severities(workflow(f"- uses: {uses}", on="push"))
    assert [severity for rule, severity in found if rule == "ci-unpinned-action"] == expected


@pytest.mark.parametrize("path", [".gitlab-ci.yml", "deploy.gitlab-ci.yml", ".gitlab/ci/deploy.yml"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("variables: {CI_DEBUG_TRACE: 'true'}", ["CI_DEBUG_TRACE"], id="every-job"),
        pytest.param("a: {variables: {CI_DEBUG_TRACE: 1}}", ["a CI_DEBUG_TRACE"], id="a-job"),
        pytest.param("variables: {CI_DEBUG_TRACE: {value: 'true'}}", ["CI_DEBUG_TRACE"], id="described"),
        pytest.param("variables: {CI_DEBUG_TRACE: 'false'}", [], id="off"),
        pytest.param("variables: [x]\na: b", [], id="something-else"),
    ],
)  # fmt: skip
def test_traces(path: str, text: str, expected: list[str]) -> None:
    """A log that shows all variables is found, with its job."""
    assert [hit.identity for rule, hit in results({path: text}) if rule.id == "ci-debug-trace"] == expected


def test_rights_are_found_for_all_jobs_and_for_one() -> None:
    """`write-all` is found at the top and in a job; what names its rights is not."""
    text = "on: push\npermissions: write-all\njobs:\n  a: {permissions: write-all, steps: [{run: x}]}\n"
    text += "  b: {permissions: {contents: write}, steps: [{run: x}]}\n"
    assert [hit.identity for _, hit in results({WORKFLOW: text})] == ["", "a"]


def test_the_place_of_an_expression_in_a_folded_script() -> None:
    """The span is that of the expression, wherever the script's lines are folded."""
    text = "on: issues\njobs:\n  a:\n    steps:\n    - run: >-\n        echo\n        ${{ github.event.issue.title }}\n"
    ((_, hit),) = results({WORKFLOW: text})
    assert text[hit.span.start : hit.span.end] == "${{ github.event.issue.title }}"


def test_a_template_of_a_workflow_is_read() -> None:
    """Markup of cookiecutter or Jinja is no gap, and does not hide what is beside it."""
    text = "on: issues\n{%- if cookiecutter.ci %}\njobs:\n  a:\n    steps:\n"
    text += "    - run: {% raw %}echo ${{ github.event.issue.title }}{% endraw %}\n{%- endif %}\n"
    ((rule, hit),) = results({"{{cookiecutter.slug}}/" + WORKFLOW: text})
    assert rule.id == "ci-script-injection"
    assert text[hit.span.start : hit.span.end] == "${{ github.event.issue.title }}"


@pytest.mark.parametrize("text", ["on: push\njobs: {a: [", "\t: {"])
def test_what_cannot_be_parsed_is_a_gap(text: str) -> None:
    """And no silence."""
    (gap,) = detect_config(MemorySnapshot({WORKFLOW: text}), ci.RULES, Settings())
    assert isinstance(gap, Gap)
    assert gap.path == WORKFLOW


@pytest.mark.parametrize("text", ["", "[]", "on: push", "jobs: 3", "jobs: {a: 3}", "runs: {using: node20, main: x.js}"])
def test_what_is_no_workflow_says_nothing(text: str) -> None:
    """A file of such a name that holds something else is none."""
    assert results({WORKFLOW: text, "action.yml": text}) == []
