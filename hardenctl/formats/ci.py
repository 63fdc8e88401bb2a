"""The CI configuration of a project: which files are some, and who calls whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TypeVar

from hardenctl.formats.paths import is_action, is_pipeline, is_workflow
from hardenctl.formats.pipeline import Pipeline, parse_pipeline
from hardenctl.formats.workflow import CALL, USE, Job, Start, Step, Workflow, let_through, parse_workflow
from hardenctl.formats.workflow_values import LONGEST, MOST_NAMES, Scope, expressions, origins
from hardenctl.formats.yaml import Mapping, Scalar
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.errors import DocumentError

DOCUMENTS = (Workflow, Pipeline)
DEEPEST_CALL = 4  # calls below one another that are followed
MOST_STARTS = 20  # of one workflow that are told apart

_Document = TypeVar("_Document", Workflow, Pipeline)


def read(snapshot: Snapshot) -> Iterator[Workflow | Pipeline | Gap]:
    """The CI configuration of a snapshot; what cannot be parsed is a gap."""
    paths = snapshot.paths()
    workflows: dict[str, Workflow | None] = {}
    for path in paths:
        if is_workflow(path) or is_action(path):
            document = _parsed(parse_workflow, path, snapshot)
            workflows[path] = document if isinstance(document, Workflow) else None
            if isinstance(document, Gap):
                yield document
    yield from _started([replace(each, neighbours=workflows) for each in workflows.values() if each])
    waiting, seen, files = [path for path in paths if is_pipeline(path)], set[str](), frozenset(paths)
    for path in waiting:
        if path in seen:
            continue
        seen.add(path)
        pipeline = _parsed(parse_pipeline, path, snapshot)
        if isinstance(pipeline, Pipeline):
            waiting += pipeline.includes(files)
        if pipeline is not None:
            yield pipeline


def _parsed(parse: Callable[[str, str], _Document | None], path: str, snapshot: Snapshot) -> _Document | Gap | None:
    blob = snapshot.read(path)
    try:
        return parse(path, blob.text) if blob is not None else None
    except DocumentError as error:
        return Gap(path, f"{error.what} (line {error.line})" if error.line else error.what)


def _started(workflows: Sequence[Workflow]) -> Iterator[Workflow]:
    """The workflows with what starts them. Whose callers are not known is started by some nevertheless."""
    own = {each.path: [Start(each.own_triggers)] if each.own_triggers else [] for each in workflows}
    calls = [call for caller in workflows for call in _calls(caller)]
    starts = own
    for _ in range(DEEPEST_CALL if calls else 0):
        passed = {path: list(given) for path, given in own.items()}
        for call in calls:
            for start in starts[call.caller]:
                _add(passed[call.callee], call.start(start))
        starts = passed
    called = {call.callee for call in calls}
    for each in workflows:
        anyone = (
            ()
            if each.path in called or not each.is_callable
            else (Start(frozenset((CALL if each.triggers else USE,))),)
        )
        yield replace(each, starts=(*starts[each.path], *anyone))


@dataclass(frozen=True)
class _Call:
    """A job or a step that runs what the project has under another path."""

    caller: str
    callee: str
    node: Mapping
    scope: Scope
    condition: str

    def start(self, start: Start) -> Start:
        """How the callee comes to run where the caller has been started so."""
        given = {}
        for name, value in self.node.mapping("with"):
            if isinstance(value, Scalar):
                inner = (text for _, _, text in expressions(value))
                held = (each for text in inner for each in origins(text, self.node, self.scope, start.given))
                given[name.text] = " ".join(islice(held, MOST_NAMES))[:LONGEST]
        condition = f"{start.condition} {self.condition}".strip()
        return Start(let_through(start.triggers, condition), condition, given)


def _calls(caller: Workflow) -> Iterator[_Call]:
    places: Iterator[Job | Step] = chain(caller.jobs, caller.steps)
    for each in places:
        if each.uses and (callee := caller.called(each.uses.text)):
            yield _Call(caller.path, callee.path, each.node, each.scope, each.condition)


def _add(starts: list[Start], new: Start) -> None:
    """Beyond the most that are told apart, they are taken together, without conditions."""
    if not new.triggers or new in starts:
        return
    if len(starts) >= MOST_STARTS:
        last = starts.pop()
        new = Start(last.triggers | new.triggers, given={**last.given, **new.given})
    starts.append(new)
