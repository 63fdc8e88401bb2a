"""CI configuration as what runs it reads it: GitHub's workflows and composite actions, GitLab's pipelines.

Forgejo and Gitea read GitHub's syntax. Nothing is fetched: of a reusable workflow or an included file elsewhere, only
its name is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hardenctl.formats.markup import load_template
from hardenctl.formats.paths import is_action, is_pipeline, is_workflow
from hardenctl.formats.yaml import Mapping, Node, Scalar, Sequence, walk
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.errors import DocumentError

# What runs with the repository's own rights and secrets, on behalf of people who need none.
# https://docs.github.com/en/actions/reference/security/secure-use
PRIVILEGED = frozenset(
    (
        "pull_request_target",
        "workflow_run",
        "issue_comment",
        "issues",
        "discussion",
        "discussion_comment",
        "commit_comment",
    )
)


@dataclass(frozen=True)
class Step:
    """A step of a job. `script` is what a shell or an interpreter is given; `uses` names an action."""

    node: Mapping
    uses: Scalar | None
    script: Scalar | None
    condition: str

    @property
    def action(self) -> str:
        """The action's name in lower case, without its version; empty where there is none."""
        return self.uses.text.partition("@")[0].strip().lower() if self.uses else ""

    def given(self, name: str) -> Scalar | None:
        """An input of the action."""
        node = self.node.get("with", name)
        return node if isinstance(node, Scalar) else None


@dataclass(frozen=True)
class Job:
    """A job. `uses` names a reusable workflow; `condition` is its `if`, and its environment where it has one."""

    name: str
    node: Mapping
    uses: Scalar | None
    steps: tuple[Step, ...]
    condition: str


@dataclass(frozen=True)
class Workflow:
    """A workflow, or a composite action, which has no triggers: what starts it is its users' matter.

    `neighbours` are the paths of the project's own CI configuration.
    """

    path: str
    top: Mapping
    triggers: frozenset[str]
    jobs: tuple[Job, ...]
    steps: tuple[Step, ...] = field(repr=False)
    neighbours: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def privileged(self) -> frozenset[str]:
        """The triggers by which strangers start it with the repository's rights."""
        return self.triggers & PRIVILEGED

    @property
    def has_fixed_branches(self) -> bool:
        """Whether it only follows runs on branches that are named in full."""
        node = self.top.get("on", "workflow_run", "branches")
        names = [each.text for each in (node if isinstance(node, Sequence) else ()) if isinstance(each, Scalar)]
        return bool(names) and not any(set("*?+![") & set(name) for name in names)

    def is_own(self, uses: str) -> bool:
        """Whether an action or a reusable workflow is the project's own, called by a path or by its full name."""
        inner = "/".join(uses.partition("@")[0].split("/")[2:])
        names = {inner, f"{inner}/action.yml", f"{inner}/action.yaml"}
        return uses.startswith("./") or (bool(inner) and not self.neighbours.isdisjoint(names))


@dataclass(frozen=True)
class Pipeline:
    """A pipeline of GitLab's: every mapping of variables in it, with the name of the job, empty for all jobs."""

    path: str
    variables: tuple[tuple[str, Mapping], ...]


DOCUMENTS = (Workflow, Pipeline)
_SCRIPT_INPUTS = {"actions/github-script": "script"}


def read(snapshot: Snapshot) -> Iterator[Workflow | Pipeline | Gap]:
    """The CI configuration of a snapshot; what cannot be parsed is a gap."""
    neighbours = frozenset(path for path in snapshot.paths() if is_workflow(path) or is_action(path))
    for path in snapshot.paths():
        parse = (
            parse_workflow if is_workflow(path) or is_action(path) else parse_pipeline if is_pipeline(path) else None
        )
        if parse is None or (blob := snapshot.read(path)) is None:
            continue
        try:
            document = parse(path, blob.text)
        except DocumentError as error:
            yield Gap(path, f"{error.what} (line {error.line})" if error.line else error.what)
            continue
        if isinstance(document, Workflow):
            yield replace(document, neighbours=neighbours)
        elif document is not None:
            yield document


def parse_workflow(path: str, text: str) -> Workflow | None:
    """The workflow or composite action of a text; None where it is none. Raises DocumentError for broken YAML."""
    top = _top(path, text)
    if top is None:
        return None
    jobs = tuple(_job(key.text, node) for key, node in top.mapping("jobs") if isinstance(node, Mapping))
    steps = tuple(_steps(top.get("runs", "steps")))
    if not jobs and not steps:
        return None
    own = (step for job in jobs for step in job.steps)
    return Workflow(path, top, frozenset(_triggers(top.value_of("on"))), jobs, (*own, *steps))


def parse_pipeline(path: str, text: str) -> Pipeline | None:
    """The pipeline of a text; None where it is none. Raises DocumentError for broken YAML."""
    top = _top(path, text)
    if top is None:
        return None
    found = [(key.text, node.mapping("variables")) for key, node in top if isinstance(node, Mapping)]
    return Pipeline(path, (("", top.mapping("variables")), *found))


def _top(path: str, text: str) -> Mapping | None:
    """The last document: GitLab's pipelines may have a header of inputs before."""
    nodes = load_template(text, path, expressions=True)
    return nodes[-1] if nodes and isinstance(nodes[-1], Mapping) else None


def _triggers(node: Node | None) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Sequence):
        yield from (each.text for each in node if isinstance(each, Scalar))
    elif isinstance(node, Mapping):
        yield from (key.text for key, _ in node)


def _job(name: str, node: Mapping) -> Job:
    environment = node.text("environment") or node.text("environment", "name") or ""
    condition = " ".join(filter(None, (node.text("if"), environment and "environment")))
    return Job(name, node, _scalar(node.value_of("uses")), tuple(_steps(node.value_of("steps"))), condition)


def _steps(node: Node | None) -> Iterator[Step]:
    for each in node if isinstance(node, Sequence) else ():
        if isinstance(each, Mapping):
            uses = _scalar(each.value_of("uses"))
            step = Step(each, uses, _scalar(each.value_of("run")), each.text("if") or "")
            name = _SCRIPT_INPUTS.get(step.action)
            yield step if name is None else Step(each, uses, step.given(name), step.condition)


def _scalar(node: Node | None) -> Scalar | None:
    return node if isinstance(node, Scalar) and node.text.strip() else None


def scalars(node: Node) -> Iterator[Scalar]:
    """Every leaf below a node."""
    return (each for each in walk(node) if isinstance(each, Scalar))


_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def expressions(scalar: Scalar) -> Iterator[tuple[int, int, str]]:
    """The expressions in a text: start and end in it, and what stands between the brackets."""
    for match in _EXPRESSION.finditer(scalar.text):
        yield match.start(), match.end(), match[1].strip()
