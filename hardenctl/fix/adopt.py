"""What `hardenctl init` adds to a project: policy, ignore files, the pre-commit hook, the CI workflow.

Nothing is overwritten: a file that is there is added to where that is safe, and left alone where it has what is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hardenctl.fix.files import Refused, read
from hardenctl.fix.model import Change, Proposal
from hardenctl.fix.text import encode, newline_of
from hardenctl.fix.verify import broken
from hardenctl.model.blob import Snapshot
from hardenctl.model.text import decode
from hardenctl.policy.load import PYPROJECT, load_policy
from hardenctl.render import TEMPLATES, detect_facts, merge, render

HOOKS = ".pre-commit-config.yaml"
WORKFLOWS = ".github/workflows/"
_OTHER_CI = (
    ".gitlab-ci.yml",
    "bitbucket-pipelines.yml",
    "azure-pipelines.yml",
    "Jenkinsfile",
    ".circleci/config.yml",
    ".drone.yml",
)
_POLICY = 'extends = ["standard"]\n'


@dataclass(frozen=True, slots=True)
class Adoption:
    """The files to write, and what is there already or left to people, in words."""

    proposal: Proposal
    notes: tuple[str, ...]


def adopt(snapshot: Snapshot, root: Path) -> Adoption:
    """Work out what a project lacks. Raises PolicyError where its policy is broken."""
    changes, notes = [], []
    for each in _steps(snapshot, root):
        if isinstance(each, Change):
            changes.append(each)
        else:
            notes.append(each)
    return Adoption(Proposal(root, tuple(changes)), tuple(notes))


def _steps(snapshot: Snapshot, root: Path) -> Iterator[Change | str]:
    facts = detect_facts(snapshot)
    yield _policy(root)
    yield _ignores(root, ".gitignore", render("gitignore", facts))
    if snapshot.read("Dockerfile"):
        yield _ignores(root, ".dockerignore", render("dockerignore", facts))
    yield _hook(root, render("pre-commit", facts))
    yield _workflow(snapshot, root, render("github-actions", facts))


def _policy(root: Path) -> Change | str:
    found = load_policy(root).path
    if found:
        return f"{found} holds a policy already"
    present = _present(root, PYPROJECT)
    if isinstance(present, bytes):
        return _added(PYPROJECT, present, f"\n[tool.hardenctl]\n{_POLICY}")
    return present or Change("hardenctl.toml", None, _POLICY.encode())


def _ignores(root: Path, path: str, rendered: str) -> Change | str:
    present = _present(root, path)
    if isinstance(present, str):
        return present
    if present is None:
        return Change(path, None, rendered.encode())
    merged = encode(merge(decode(present), rendered), present)
    if merged is None or merged == present:
        return f"{path} covers credentials already" if merged else f"{path}: its encoding would not survive"
    return Change(path, present, merged)


def _hook(root: Path, rendered: str) -> Change | str:
    present = _present(root, HOOKS)
    if isinstance(present, str):
        return present
    if present is None:
        return Change(HOOKS, None, rendered.encode())
    if b"hardenctl" in present:
        return f"{HOOKS} runs hardenctl already"
    text = decode(present)
    place = _end_of_repositories(text)
    if place is None:
        return f"{HOOKS}: add this by hand\n{_entry(rendered, '')}"
    offset, indent = place
    newline = newline_of(text)
    entry = _entry(rendered, indent).rstrip("\n").replace("\n", newline)
    edited = text[:offset] + newline + entry + (text[offset:] or newline)
    data = encode(edited, present)
    if data is None or broken(HOOKS, text, edited):
        return f"{HOOKS}: add this by hand\n{_entry(rendered, '')}"
    return Change(HOOKS, present, data)


def _entry(rendered: str, indent: str) -> str:
    """The template's one entry of `repos`, at another indentation."""
    lines = rendered.partition("repos:\n")[2].splitlines()
    width = len(lines[0]) - len(lines[0].lstrip())
    return "".join(f"{indent}{line[width:]}\n" for line in lines)


def _end_of_repositories(text: str) -> tuple[int, str] | None:
    """Where the list under `repos` ends, and how it is indented; None where it isn't a plain block list."""
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "repos" and isinstance(value, yaml.SequenceNode) and value.value and not value.flow_style:
            # A block's end mark lies after the comments and blank lines that follow it.
            mark = value.value[-1].end_mark
            end = (
                len(text[: mark.index - mark.column].rstrip())
                if value.end_mark.index < len(text)
                else len(text.rstrip())
            )
            return end, " " * value.start_mark.column
    return None


def _workflow(snapshot: Snapshot, root: Path, rendered: str) -> Change | str:
    workflows = [path for path in snapshot.paths() if path.startswith(WORKFLOWS)]
    for path in workflows:
        blob = snapshot.read(path)
        if blob and b"hardenctl" in blob.data:
            return f"{path} runs hardenctl already"
    other = next((path for path in _OTHER_CI if snapshot.read(path)), None)
    if other and not workflows:
        return f"{other}: add a job that runs `hardenctl audit`"
    path = TEMPLATES["github-actions"].path
    present = _present(root, path)
    if present is None:
        return Change(path, None, rendered.encode())
    return present if isinstance(present, str) else f"{path} is there already"


def _present(root: Path, path: str) -> bytes | str | None:
    """A file's bytes; None where there is none, or the reason why it is left alone."""
    try:
        return read(root, path)
    except Refused as refused:
        return str(refused)


def _added(path: str, present: bytes, addition: str) -> Change | str:
    text = decode(present)
    newline = newline_of(text)
    edited = text.rstrip("\r\n") + newline + addition.replace("\n", newline)
    data = encode(edited, present)
    if data is None or broken(path, text, edited):
        return f"{path}: add this by hand\n{addition}"
    return Change(path, present, data)
