"""CI configuration as what runs it reads it: GitHub's workflows and composite actions.

Forgejo and Gitea read GitHub's syntax. Nothing is fetched: of an action or a reusable workflow elsewhere, only its
name is known.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from collections.abc import Mapping as Names
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain, islice

from hardenctl.formats.markup import load_template
from hardenctl.formats.workflow_values import LONGEST, Scope
from hardenctl.formats.yaml import Mapping, Node, Scalar, Sequence, walk
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
PULL_REQUESTS = frozenset(("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"))
_OF_THOSE_WITH_RIGHTS = frozenset(("push", "schedule", "workflow_dispatch", "repository_dispatch", "release"))
CALL, USE = "workflow_call", "uses"  # what starts a reusable workflow, and an action, of callers that are not known
MOST_STEPS = 10_000  # of one workflow; aliases can make a small file more than memory holds
_MOST_NEEDED = 50  # jobs that one job waits for, as far as their conditions are read
_SCRIPT_INPUTS = {"actions/github-script": "script"}
_EVENT = re.compile(r"github\.event_name\s*+(==|!=)\s*+'(\w+)'")
_PULL_REQUEST = re.compile(r"(?<!!)github\.event\.pull_request\s*+(?:$|&&|\}\})")  # which only some events have


@dataclass(frozen=True)
class Step:
    """A step of a job. `script` is what a shell or an interpreter is given; `uses` names an action.

    `condition` is its `if`, with that of its job.
    """

    node: Mapping
    uses: Scalar | None
    script: Scalar | None
    condition: str
    scope: Scope = field(repr=False)

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
    """A job, or what a composite action does. `uses` names a reusable workflow.

    `condition` is its `if`, with those of the jobs that it waits for, and `environment:` where one of them has one.
    """

    name: str
    node: Mapping
    uses: Scalar | None
    steps: tuple[Step, ...]
    condition: str
    scope: Scope = field(repr=False)


@dataclass(frozen=True)
class Start:
    """A way in which a workflow comes to run: on which events, under which condition of a caller.

    `given` are the inputs of the call: what their expressions can yield, by name.
    """

    triggers: frozenset[str]
    condition: str = ""
    given: Names[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Workflow:
    """A workflow, or a composite action, which has no triggers of its own.

    `neighbours` are the project's own workflows and actions by path; None stands for one that is none.
    """

    path: str
    top: Mapping
    triggers: frozenset[str]
    jobs: tuple[Job, ...]
    starts: tuple[Start, ...] = field(default=(), repr=False)
    neighbours: Names[str, Workflow | None] = field(default_factory=dict, repr=False)

    @property
    def steps(self) -> Iterator[Step]:
        """The steps of all jobs."""
        return (step for job in self.jobs for step in job.steps)

    @property
    def is_callable(self) -> bool:
        """Whether others can start it: a reusable workflow, or an action."""
        return CALL in self.triggers or not self.triggers

    @property
    def own_triggers(self) -> frozenset[str]:
        """What starts it by itself; runs that it follows count where a stranger can have started one."""
        node = self.top.get("on", "workflow_run", "workflows")
        names = {each.text for each in (node if isinstance(node, Sequence) else (node,)) if isinstance(each, Scalar)}
        followed = [each for each in self.neighbours.values() if each and (each.top.text("name") or each.path) in names]
        known = len(followed) == len(names) > 0
        harmless = known and all(each.triggers <= _OF_THOSE_WITH_RIGHTS for each in followed)
        return self.triggers - ({CALL, "workflow_run"} if harmless else {CALL})

    @cached_property
    def has_fixed_branches(self) -> bool:
        """Whether it only follows runs on branches that are named in full."""
        node = self.top.get("on", "workflow_run", "branches")
        names = [each.text for each in (node if isinstance(node, Sequence) else ()) if isinstance(each, Scalar)]
        return bool(names) and not any(set("*?+![") & set(name) for name in names)

    def called(self, uses: str) -> Workflow | None:
        """The project's own action or reusable workflow of that name, as a path or in full; None where none is read."""
        return next((found for path in self._own_paths(uses) if (found := self.neighbours[path])), None)

    def is_own(self, uses: str) -> bool:
        """Whether an action or a reusable workflow is the project's own, called by a path or by its full name."""
        return uses.startswith("./") or any(self._own_paths(uses))

    def _own_paths(self, uses: str) -> Iterator[str]:
        """The files of the project that a name can mean.

        Another repository may have one of the same path: no workflow calls itself, and what is called says so.
        """
        name = uses.partition("@")[0].strip()
        inner = name[2:] if name.startswith("./") else "/".join(name.split("/")[2:])
        folder = self.path.partition(".github/")[0] if ".github/" in self.path else ""
        for root in dict.fromkeys((folder, "")) if inner else ():
            for end in ("", "/action.yml", "/action.yaml"):
                path = posixpath.normpath(root + inner + end)
                found = self.neighbours.get(path)
                if path in self.neighbours and path != self.path and (found is None or found.is_callable):
                    yield path


def parse_workflow(path: str, text: str) -> Workflow | None:
    """The workflow or composite action of a text; None where it is none. Raises DocumentError for broken YAML."""
    nodes = load_template(text, path, expressions=True)
    top = nodes[-1] if nodes else None
    if not isinstance(top, Mapping):
        return None
    runs, scopes = top.mapping("runs"), dict[str, Scope]()
    conditions = {key.text: _condition(node) for key, node in top.mapping("jobs") if isinstance(node, Mapping)}
    room = [MOST_STEPS]
    jobs = []
    for key, node in top.mapping("jobs"):
        if isinstance(node, Mapping):
            condition = " ".join(filter(None, (conditions[name] for name in _waited_for(key.text, top))))[:LONGEST]
            scope = scopes.setdefault(key.text, Scope(node, top, scopes))
            jobs.append(_job(key.text, scope, condition, room))
    if not jobs and "steps" in runs:
        jobs.append(_job("", Scope(runs, top, scopes), "", room))
    if not any(job.steps or job.uses for job in jobs):
        return None
    return Workflow(path, top, frozenset(_triggers(top.value_of("on"))), tuple(jobs))


def _triggers(node: Node | None) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Sequence):
        yield from (each.text for each in node if isinstance(each, Scalar))
    elif isinstance(node, Mapping):
        yield from (key.text for key, _ in node)


def _condition(job: Mapping) -> str:
    environment = job.text("environment") or job.text("environment", "name")
    return f"{job.text('if') or ''} {'environment:' if environment else ''}".strip()


def _waited_for(name: str, top: Mapping) -> list[str]:
    """A job, and those that have to succeed before it, the nearest first."""
    found, jobs = {name: None}, top.mapping("jobs")
    for each in (waiting := [name]):
        node = jobs.mapping(each)
        if re.search(r"\b(?:always|failure|cancelled)\s*\(", node.text("if") or ""):
            continue  # it runs whatever became of the others
        needs = node.value_of("needs")
        items = needs if isinstance(needs, Sequence) else (needs,)
        for need in islice(items, _MOST_NEEDED):
            if isinstance(need, Scalar) and need.text not in found and need.text in jobs and len(found) < _MOST_NEEDED:
                found[need.text] = None
                waiting.append(need.text)
    return [each for each in found if isinstance(jobs.value_of(each), Mapping)]


def _job(name: str, scope: Scope, condition: str, room: list[int]) -> Job:
    steps = []
    listed = scope.holder.value_of("steps")
    for node in listed if isinstance(listed, Sequence) else ():
        if isinstance(node, Mapping):
            room[0] -= 1
            if room[0] < 0:
                raise DocumentError(f"more than {MOST_STEPS} steps")
            steps.append(_step(node, scope, condition))
    return Job(name, scope.holder, _scalar(scope.holder.value_of("uses")), tuple(steps), condition, scope)


def _step(node: Mapping, scope: Scope, condition: str) -> Step:
    condition = f"{condition} {node.text('if') or ''}".strip()[:LONGEST]
    step = Step(node, _scalar(node.value_of("uses")), _scalar(node.value_of("run")), condition, scope)
    name = _SCRIPT_INPUTS.get(step.action)
    return replace(step, script=step.given(name)) if name else step


def _scalar(node: Node | None) -> Scalar | None:
    return node if isinstance(node, Scalar) and node.text.strip() else None


@lru_cache(maxsize=64)  # the steps of a job have one condition mostly
def let_through(triggers: frozenset[str], condition: str) -> frozenset[str]:
    """The triggers that a condition lets through, as far as it is plain; what an unknown caller runs on may be any."""
    own, unknown = triggers - {CALL, USE}, triggers & {CALL, USE}
    if "||" in condition:
        named = [{name for sign, name in _EVENT.findall(each) if sign == "=="} for each in condition.split("||")]
        return own & set(chain.from_iterable(named)) | unknown if all(named) else triggers
    for comparison, name in _EVENT.findall(condition):
        own = own & {name} if comparison == "==" else own - {name}
    return (own & PULL_REQUESTS if _PULL_REQUEST.search(condition) else own) | unknown


def scalars(node: Node) -> Iterator[Scalar]:
    """Every leaf below a node."""
    return (each for each in walk(node) if isinstance(each, Scalar))
