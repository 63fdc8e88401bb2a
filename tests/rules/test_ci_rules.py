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
FORK = "${{ github.event.pull_request.head.repo.full_name }}"
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


def gated(files: dict[str, str], more: str = "environment: review") -> dict[str, str]:
    """With a job besides, that has more keys."""
    return {path: f"{text}  gate:\n    {more}\n    steps: [{{run: x}}]\n" for path, text in files.items()}


def checkout(ref: str = HEAD, more: str = "") -> str:
    """A checkout of a pull request, and a script behind it."""
    return f"{TAKEN.replace(HEAD, ref)}\n{more}\n- run: pip install ."


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(workflow(checkout()), "high", id="a-pull-request"),
        pytest.param(workflow(checkout("refs/pull/${{ github.event.number }}/merge")), "high", id="its-merge"),
        pytest.param(workflow(checkout("${{ github.head_ref }}")), None, id="a-branch-of-that-name-in-the-project"),
        pytest.param(
            workflow(checkout("${{ github.head_ref }}', repository: '" + FORK)), "high", id="its-branch-in-the-fork"
        ),
        pytest.param(workflow(checkout("${{ github.event[''pull_request''].head.SHA }}")), "high", id="in-other-words"),
        pytest.param(
            workflow(checkout("${{ env.SHA }}"), job=f"env: {{SHA: '{HEAD}'}}"), "high", id="by-way-of-a-variable"
        ),
        pytest.param(
            workflow(
                f"- id: s\n  env: {{SHA: '{HEAD}'}}\n  run: echo \"sha=$SHA\" >> $GITHUB_OUTPUT\n"
                + checkout("${{ steps.s.outputs.sha }}")
            ),
            "high",
            id="by-way-of-a-steps-output",
        ),
        pytest.param(
            workflow(checkout("${{ steps.s.outputs.head_sha }}"), on="issue_comment"), "high", id="asked-of-the-forge"
        ),
        pytest.param(workflow("- run: git fetch origin pull/1/head:x && make", on="issues"), "high", id="fetched"),
        pytest.param(
            workflow("- run: git fetch origin main && make", on="issues"), None, id="fetched-from-the-project"
        ),
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
        pytest.param(workflow(checkout(), job=f'if: "!{LABEL}"'), "high", id="no-label"),
        pytest.param(workflow(checkout(), job="if: github.actor == 'me'"), "low", id="one-person"),
        pytest.param(
            workflow(checkout(), job="if: github.actor == 'dependabot[bot]'"), "high", id="a-robot-anyone-uses"
        ),
        pytest.param(workflow(checkout(), job="if: github.actor != 'me'"), "high", id="all-but-one"),
        pytest.param(workflow(checkout(), job="if: inputs.environment == 'x'"), "high", id="a-word-in-a-condition"),
        pytest.param(workflow(checkout(), job="environment: review"), "low", id="an-approval"),
        pytest.param(gated(workflow(checkout(), job="needs: [gate]")), "low", id="an-approval-of-the-job-before"),
        pytest.param(
            gated(workflow(checkout(), job="needs: gate\n    if: always()")),
            "high",
            id="whatever-became-of-the-job-before",
        ),
        pytest.param(workflow(checkout(), job=f"if: {LABEL} || {OWN}"), "low", id="a-label-or-own"),
        pytest.param(workflow(checkout(), job=f"if: {OWN}"), None, id="own-pull-requests-only"),
        pytest.param(workflow(checkout(more=f"  if: {OWN}")), None, id="own-pull-requests-only-in-the-step"),
        pytest.param(
            workflow(checkout(), on="{workflow_run: {workflows: [t]}, pull_request: {}}"), None, id="of-another-event"
        ),
        pytest.param(
            workflow(checkout(), on="[pull_request, pull_request_target]", job=f"if: {EVENT} == 'pull_request'"),
            None,
            id="for-the-event-without-rights",
        ),
        pytest.param(
            workflow(
                checkout(),
                on="[push, pull_request, pull_request_target]",
                job=f"if: {EVENT} == 'pull_request' || {EVENT} == 'push'",
            ),
            None,
            id="for-either-of-two-events-without-rights",
        ),
        pytest.param(
            workflow(checkout(), job="if: github.event_name == 'push' || always()"), "high", id="or-for-any-event"
        ),
        pytest.param(workflow(checkout().replace("@v4", "@v7")), "low", id="refused-for-forks"),
        pytest.param(
            workflow(checkout("refs/pull/1/head").replace("@v4", "@v7"), on="issue_comment"), "high", id="not-refused"
        ),
        pytest.param(
            workflow(checkout(f"{HEAD}', allow-unsafe-pr-checkout: 'true").replace("@v4", "@v7")),
            "high",
            id="not-refused-as-told",
        ),
        pytest.param(
            workflow(
                "- run: gh pr checkout 1 && make",
                on="[issue_comment, pull_request]",
                job="if: github.event.pull_request && true",
            ),
            None,
            id="for-events-of-pull-requests",
        ),
        pytest.param(workflow(checkout(), on="pull_request"), None, id="without-rights"),
        pytest.param(workflow("- uses: actions/checkout@v4\n- run: make"), None, id="the-base"),
        pytest.param(
            workflow(f"{TAKEN}\n- uses: actions/upload-artifact@v4"),
            None,
            id="nothing-is-run",
        ),
    ],
)
def test_a_strangers_code_with_rights(files: dict[str, str], expected: str | None) -> None:
    """It is found where something of it runs, and eased where somebody has to agree first."""
    found = [severity for rule, severity in severities(files) if rule == "ci-untrusted-checkout"]
    assert found == ([expected] if expected else [])


def followed(on: str) -> dict[str, str]:
    """A workflow that checks out what another one ran on, and that one, with its triggers."""
    ref = "${{ github.event.workflow_run.head_sha }}"
    one = workflow(checkout(ref), on="{workflow_run: {workflows: [tests]}}")
    return {**one, ".github/workflows/tests.yml": f"name: tests\non: {on}\njobs: {{a: {{steps: [{{run: x}}]}}}}\n"}


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        pytest.param("[push, schedule]", [], id="of-those-who-may-push"),
        pytest.param("[push, pull_request]", ["high"], id="of-strangers-too"),
    ],
)
def test_what_a_followed_workflow_ran_on(on: str, expected: list[str]) -> None:
    """The head of a run is a stranger's where a stranger can start the run."""
    assert [severity for _, severity in severities(followed(on))] == expected


def called(caller: str, on: str = "pull_request_target") -> dict[str, str]:
    """A reusable workflow that checks out what it is told to and runs a title, with an action, and who calls them."""
    callee = workflow(checkout("${{ inputs.ref }}") + "\n- run: echo ${{ inputs.title }}", on="workflow_call")[WORKFLOW]
    action = "runs:\n  using: composite\n  steps:\n  - {run: 'echo ${{ inputs.title }}', shell: sh}\n"
    body = textwrap.indent(textwrap.dedent(caller).strip(), "    ")
    return {
        ".github/workflows/caller.yml": f"on: {on}\njobs:\n  c:\n{body}\n",
        ".github/workflows/callee.yml": callee,
        ".github/actions/say/action.yml": action,
    }


TITLE = "${{ github.event.pull_request.title }}"
CHECKED, INJECTED = ("ci-untrusted-checkout", "high"), ("ci-script-injection", "high")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(called(f"uses: ./.github/workflows/callee.yml\nwith: {{ref: '{HEAD}'}}"), [CHECKED], id="a-ref"),
        pytest.param(
            called(f"if: {OWN}\nuses: ./.github/workflows/callee.yml\nwith: {{ref: '{HEAD}'}}"),
            [],
            id="a-ref-of-its-own",
        ),
        pytest.param(
            called(f"uses: o/r/.github/workflows/callee.yml@main\nwith: {{title: '{TITLE}'}}"), [INJECTED], id="a-title"
        ),
        pytest.param(
            called(f"steps: [{{uses: ./.github/actions/say, with: {{title: '{TITLE}'}}}}]"), [INJECTED], id="an-action"
        ),
        pytest.param(
            called(f"uses: ./.github/workflows/callee.yml\nwith: {{title: '{TITLE}'}}", on="pull_request"),
            [("ci-script-injection", "low")],
            id="without-rights",
        ),
        pytest.param(called("uses: ./.github/workflows/callee.yml\nwith: {ref: main, title: x}"), [], id="plain-words"),
    ],
)
def test_what_a_caller_hands_over(files: dict[str, str], expected: list[tuple[str, str]]) -> None:
    """The inputs of the project's own workflows and actions are what their callers give, on the callers' events."""
    assert severities(files) == expected


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
        pytest.param(
            workflow("- run: a ${{ github.head_ref }}", on="workflow_call", job=f"if: {EVENT} == 'pull_request'"),
            ["low"],
            id="one-of-a-callers-events",
        ),
        pytest.param(workflow("- run: echo ${{ github.head_ref == 'main' }}"), [], id="compared"),
        pytest.param(workflow("- run: echo ${{ github.event.pull_request.number }}"), [], id="a-number"),
        pytest.param(
            workflow("- run: echo ${{ github.event_name == 'x' && github.head_ref || 'y' }}"), ["high"], id="a-choice"
        ),
        pytest.param(workflow("- run: echo ${{ github.head_ref && 'x' || 'y' }}"), [], id="the-reason-of-a-choice"),
        pytest.param(workflow("- run: echo ${{ !github.head_ref }}"), [], id="whether-there-is-one"),
        pytest.param(
            workflow("- run: echo ${{ github.event.changes.title.from }}", on="issues"), ["high"], id="a-title-before"
        ),
        pytest.param(
            workflow(
                "- run: echo ${{ env.T }}\n  env: {T: 'x ${{ env.T }}'}", job="env: {T: '${{ github.head_ref }}'}"
            ),
            ["high"],
            id="a-variable-made-of-one-of-its-name",
        ),
        pytest.param(workflow("- run: echo '${{ toJSON(github.event) }}'"), ["high"], id="all-of-an-event"),
        pytest.param(workflow("- run: echo '${{ toJSON(github.event.label) }}'"), [], id="another-part-of-an-event"),
        pytest.param(
            workflow("- run: echo ${{ github.event['issue']['title'] }}", on="issues"), ["high"], id="brackets"
        ),
        pytest.param(workflow("- run: echo ${{ gitea.event.issue.title }}", on="issues"), ["high"], id="another-forge"),
        pytest.param(workflow("- run: echo ${{ GitHub.Event.issue.Title }}", on="issues"), ["high"], id="capitals"),
        pytest.param(
            workflow("- run: echo ${{ format('}}{0}', github.head_ref) }}"), ["high"], id="brackets-in-a-text"
        ),
        pytest.param(workflow("- run: echo ${{ '${{' }} ${{ github.head_ref"), [], id="no-end"),
        pytest.param(
            workflow("- run: echo ${{ env.T }}", job="env: {T: 'a-${{ github.head_ref }}'}"),
            ["high"],
            id="in-a-variable",
        ),
        pytest.param(
            workflow("- run: echo ${{ env.T }}", job="env: {T: '${{ github.sha }}'}"), [], id="a-commit-in-a-variable"
        ),
        pytest.param(
            workflow("- run: echo ${{ env.T }}\n  env: {T: x}", job="env: {T: '${{ github.head_ref }}'}"),
            [],
            id="nearest",
        ),
        pytest.param(
            workflow("- run: echo ${{ matrix.t }}", job="strategy: {matrix: {t: ['${{ github.head_ref }}']}}"),
            ["high"],
            id="in-a-matrix",
        ),
        pytest.param(
            workflow(
                "- id: s\n  env: {T: '${{ github.head_ref }}'}\n  run: echo \"t=${T}\" >> $GITHUB_OUTPUT\n"
                "- run: echo ${{ steps.s.outputs.t }}"
            ),
            ["high"],
            id="in-a-steps-output",
        ),
        pytest.param(
            workflow(
                "- id: s\n  env: {T: '${{ github.head_ref }}'}\n  run: echo \"t=${T//[^a-z]/}\" >> $GITHUB_OUTPUT\n"
                "- run: echo ${{ steps.s.outputs.t }}"
            ),
            [],
            id="cleaned-before",
        ),
        pytest.param(
            gated(workflow("- run: echo ${{ needs.gate.outputs.t }}"), "outputs: {t: '${{ github.head_ref }}'}"),
            ["high"],
            id="in-a-jobs-output",
        ),
        pytest.param(
            workflow("- run: a ${{ github.head_ref }}", job=f"if: {OWN}"), ["low"], id="own-pull-requests-only"
        ),
        pytest.param(
            workflow("- run: a ${{ github.head_ref }}", on="[pull_request_target, push]", job=f"if: {EVENT} == 'push'"),
            [],
            id="never-on-that-event",
        ),
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
        pytest.param(
            workflow("- run: a ${{ github.head_ref }}\n- run: b ${{ github.head_ref }}"),
            ["high", "high"],
            id="each-step",
        ),
        pytest.param(workflow("- run: a ${{ github.head_ref }} ${{ github.head_ref }}"), ["high"], id="once-a-step"),
    ],
)
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
        pytest.param("variables: {CI_DEBUG_TRACE: 'yes'}", [], id="not-on-for-the-runner"),
        pytest.param(
            "a: {rules: [{if: $X, variables: {CI_DEBUG_TRACE: 'true'}}]}", ["a CI_DEBUG_TRACE"], id="by-a-rule-of-a-job"
        ),
        pytest.param("spec: {inputs: {}}\n---\na: {variables: {CI_DEBUG_TRACE: t}}", ["a CI_DEBUG_TRACE"], id="header"),
        pytest.param("variables: [x]\na: b", [], id="something-else"),
    ],
)
def test_traces(path: str, text: str, expected: list[str]) -> None:
    """A log that shows all variables is found, with its job."""
    assert [hit.identity for rule, hit in results({path: text}) if rule.id == "ci-debug-trace"] == expected


def test_service_logs_are_milder_than_a_trace() -> None:
    """Values can be seen in them, and need not be."""
    assert severities({".gitlab-ci.yml": "a: {variables: {CI_DEBUG_SERVICES: 'true'}}"}) == [
        ("ci-debug-trace", "medium")
    ]


@pytest.mark.parametrize(
    "include",
    [
        "ci/a.yml",
        "/ci/a.yml",
        "[{local: /ci/a.yml}]",
        "{local: 'ci/*.yml'}",
        "[{remote: 'https://x.example/b.yml'}, ci/a.yml]",
    ],
)
def test_what_a_pipeline_includes(include: str) -> None:
    """Files of the project that it includes are read, whatever their names; others are nobody's pipeline."""
    part = {"ci/a.yml": "a: {variables: {CI_DEBUG_TRACE: 'true'}}"}
    ((_, hit),) = results({".gitlab-ci.yml": f"include: {include}", **part})
    assert hit.span.path == "ci/a.yml"
    assert results({".gitlab-ci.yml": "a: b", **part}) == []


HOSTILE = 50_000  # repetitions; anything that looks back or ahead through all of them would take minutes


@pytest.mark.parametrize(
    "script",
    [
        "${{ ",
        "${{ 'a ",
        "${{ contains((a) ",
        "${{ a.b ",
        "git fetch ",
        "${{ env.A }} ",
        "a=${{ GITHUB_OUTPUT ",
        "gh pr ",
    ],
)
def test_hostile_scripts(script: str) -> None:
    """A script of many beginnings without an end takes no longer than any other of its length."""
    assert results(workflow(f"- id: s\n  run: {script * HOSTILE}x", job="env: {A: '${{ env.A }}'}")) == []


@pytest.mark.parametrize("markup", ["{{ ", "{% ", "{# ", "{{ a }} "])
def test_hostile_templates(markup: str) -> None:
    """Markup without an end is no template, and is told in time."""
    (gap,) = detect_config(MemorySnapshot({WORKFLOW: f"a: '\n{markup * HOSTILE}\n\t: {{"}), ci.RULES, Settings())
    assert isinstance(gap, Gap)


@pytest.mark.parametrize("value", ["${{ env.A }} ", "${{ env.B }} ", "${{ steps.s.outputs.t }} "])
def test_hostile_values(value: str) -> None:
    """A long value that many steps name is read once."""
    steps = f"- id: s\n  run: |\n{'    echo t=$T >> $GITHUB_OUTPUT' * 3000}\n" + "- run: a ${{ env.A }}\n" * 5000
    assert results(workflow(steps, job=f"env: {{A: '{value * 3000}', B: '{value * 3000}'}}")) == []


def test_hostile_aliases() -> None:
    """A small file can name more steps than anybody would look through: a gap."""
    steps = f"x: &x [{'{run: a},' * 1000}]\non: push\njobs:\n" + "".join(
        f"  j{n}: {{steps: *x}}\n" for n in range(1000)
    )
    (gap,) = detect_config(MemorySnapshot({WORKFLOW: steps}), ci.RULES, Settings())
    assert gap == Gap(WORKFLOW, "more than 10000 steps")


def test_hostile_calls() -> None:
    """Workflows that all call one another come to an end, and what a stranger can start is found beyond the limits."""
    files = {}
    for number in range(30):
        calls = "".join(f"  c{n}: {{uses: ./.github/workflows/w{n}.yml, if: '{number}'}}\n" for n in range(30))
        on = "[workflow_call, pull_request_target]" if number == 29 else "workflow_call"  # fmt: skip
        text = f"on: {on}\njobs:\n{calls}  j: {{steps: [{{run: 'a ${{{{ github.head_ref }}}}'}}]}}\n"
        files[f".github/workflows/w{number}.yml"] = text
    assert severities(files) == [("ci-script-injection", "high")] * 30


def test_an_action_elsewhere_of_a_path_that_the_project_has() -> None:
    """It is another owner's: no workflow calls itself, and one that can be called says so."""
    for on in ("push", "workflow_call"):
        text = f"on: {on}\njobs: {{a: {{uses: 'o/r/{WORKFLOW}@main', secrets: inherit}}}}"
        assert sorted(severities({WORKFLOW: text})) == [("ci-secrets-exposed", "low"), ("ci-unpinned-action", "low")]


def test_a_workflow_elsewhere_of_the_name_of_one_that_is_not_called() -> None:
    """It is another owner's."""
    files = {WORKFLOW: "on: push\njobs: {a: {uses: 'o/r/.github/workflows/x.yml@main'}}"}
    for on, expected in (("push", ["ci-unpinned-action"]), ("workflow_call", [])):
        other = {".github/workflows/x.yml": f"on: {on}\njobs: {{a: {{steps: [{{run: x}}]}}}}"}
        assert [rule for rule, _ in severities({**files, **other})] == expected


def test_an_action_of_the_project_by_its_full_name() -> None:
    """Also one that is no composite, of which nothing is read."""
    files = workflow("- uses: o/r/tools/build@main", on="push")
    assert severities(files) == [("ci-unpinned-action", "low")]
    assert severities({**files, "tools/build/action.yml": "runs: {using: node24, main: x.js}"}) == []


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


def test_a_step_that_jobs_share_is_found_once() -> None:
    """By an alias they name the same place."""
    step = "&s {run: 'echo ${{ github.event.issue.title }}'}"
    assert severities({WORKFLOW: f"on: issues\njobs: {{a: {{steps: [{step}]}}, b: {{steps: [*s]}}}}"}) == [INJECTED]


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
