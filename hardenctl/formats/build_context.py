"""Which folder an image is built from: Docker reads the context's `.dockerignore`, not that of the Dockerfile's folder.

Where nothing says it, a Dockerfile is built in its own folder. What says it, the surest first: a compose file, a step
of a workflow that builds images, a `docker build` in a script, a Makefile, a guide or a comment, and at last the COPY
lines themselves, whose sources lie in the context.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

from hardenctl.formats.compose import compose_files
from hardenctl.formats.dockerfile import Dockerfile
from hardenctl.formats.instructions import Instruction
from hardenctl.formats.paths import is_compose, is_dockerfile
from hardenctl.formats.yaml import Mapping, Node, load_yaml
from hardenctl.model.address import past_path
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.errors import DocumentError
from hardenctl.model.record import record

LARGEST = 1 << 20  # characters of a text that is searched for commands

_WORKFLOW = re.compile(r"(?:^|/)\.(?:github|gitea|forgejo)/(?:workflows|actions)/.*\.ya?ml")
_TEXTS = re.compile(
    r"(?:.*/)?(?:[\w.-]+\.(?:sh|bash|zsh|md|rst|mk)|(?:GNU)?[Mm]akefile|[Jj]ustfile|Taskfile\.ya?ml|Jenkinsfile"
    r"|(?:\.gitlab-ci|azure-pipelines|cloudbuild|\.travis|bitbucket-pipelines|appveyor)\.ya?ml|package\.json|tasks\.py)"
    r"|\.(?:circleci|buildkite)/.*\.ya?ml"
)
_COMMAND = re.compile(
    r"\b(?:docker|podman|nerdctl|buildah)\s+(?:(?:buildx|builder|image)\s+)?(?:build|bud)(?=\s)"
    r"(?P<rest>(?:\\\r?\n|[^\n;&|`])*)"
)
_NO_WORD = re.compile(r"\\\r?\n|\[[^\]\n]*\]")  # a continued line, and what a guide says may be added
_WORD = re.compile(r"""(?:[^\s"']|"[^"\n]*"|'[^'\n]*')+""")
# Options without a value of their own: every other one takes the next word.
_SWITCHES = frozenset(
    "--no-cache --pull --push --load --quiet -q --rm --force-rm --squash --compress --debug -D --check --layers".split()  # noqa: SIM905 - one line
)
_FILLED = re.compile(r"\$\{\{.*?\}\}|\$\([^)]*\)|\$\{[^}]*\}|\$\w+|\{\{.*?\}\}|%\w+%")
# Ways to say "where the sources are" that are no path of the project.
_HERE = re.compile(
    r"\$\(pwd\)|\$\{?(?:PWD|CURDIR|GITHUB_WORKSPACE|CI_PROJECT_DIR|workspaceFolder)\}?|\$\(CURDIR\)"
    r"|\$\{\{\s*github\.workspace\s*\}\}|\{\{defaultContext\}\}"
)


@record
class _Build:
    """One build as something states it, paths as written there. `folders` are where it may be run."""

    context: str
    dockerfile: str | None
    folders: tuple[str, ...]


def build_contexts(snapshot: Snapshot, dockerfiles: Sequence[Dockerfile]) -> dict[str, str]:
    """Path of each Dockerfile to the folder it is built from, relative to the root."""
    contexts = _from_compose(snapshot, dockerfiles)
    open_ = {each.path: each for each in dockerfiles if each.path not in contexts and each.folder}
    if open_:  # one at the root is built there, and nothing has to be read for it
        for build in (*_from_workflows(snapshot), *_from_commands(snapshot, tuple(open_))):
            for path in [each for each in open_ if each not in contexts]:
                if (context := _context_for(build, path)) is not None:
                    contexts[path] = context
    said = {posixpath.dirname(path): context for path, context in contexts.items()}
    left = [each for each in dockerfiles if each.path not in contexts]
    there = (
        {each for path in snapshot.paths() for each in _with_folders(path)}
        if any(each.folder for each in left)
        else set()
    )
    for each in left:
        contexts[each.path] = _from_sources(each, there, said.get(each.folder)) if each.folder else ""
    return contexts


def _from_compose(snapshot: Snapshot, dockerfiles: Sequence[Dockerfile]) -> dict[str, str]:
    contexts: dict[str, str] = {}
    filled: dict[str, str] = {}  # names with a variable in them: any file that they can stand for
    for file in compose_files(snapshot):
        if isinstance(file, Gap):
            continue
        for service in file.services:
            build = service.build
            if build and build.dockerfile is not None and build.context is not None:
                (filled if _FILLED.search(build.dockerfile) else contexts).setdefault(build.dockerfile, build.context)
    for name, context in filled.items():
        for each in dockerfiles:
            if _is_named(name, each.path):
                contexts.setdefault(each.path, context)
    return contexts


def _from_workflows(snapshot: Snapshot) -> Iterator[_Build]:
    """The `with` of steps such as docker/build-push-action's: both of its paths start at the repository's root."""
    for path in filter(_WORKFLOW.fullmatch, snapshot.paths()):
        blob = snapshot.read(path)
        text = blob.text if blob else ""
        try:
            nodes = load_yaml(text, path) if "build" in text and "with:" in text else ()
        except DocumentError:  # what a workflow cannot say is no gap of this audit
            continue
        for step in (step for node in nodes for step in _mappings(node)):
            given = step.get("with")
            if isinstance(given, Mapping) and "build" in (step.text("uses") or ""):
                file = given.text("file") or given.text("dockerfile") or given.text("containerfiles")
                context = given.text("context")
                if file or context:
                    yield _Build(context or ".", file, ("",))


def _mappings(node: Node) -> Iterator[Mapping]:
    """All mappings in a document; anchors make it a graph, so each is visited once."""
    waiting, seen = [node], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Mapping):
            yield each
            waiting += [value for _, value in each]
        elif not hasattr(each, "text"):
            waiting += list(each)


def _from_commands(snapshot: Snapshot, dockerfiles: Collection[str]) -> Iterator[_Build]:
    """The `docker build` lines of scripts, guides and workflows, and of the comments in Dockerfiles themselves."""
    for path in snapshot.paths():
        if past_path(path) or not (path in dockerfiles or _TEXTS.fullmatch(path) or _WORKFLOW.fullmatch(path)):
            continue
        blob = snapshot.read(path)
        for match in _COMMAND.finditer(blob.text[:LARGEST]) if blob else ():
            words = _WORD.findall(_NO_WORD.sub(" ", match["rest"]))
            if (build := _command([re.sub("[\"']", "", each) for each in words], path)) is not None:
                yield build


def _command(words: Sequence[str], path: str) -> _Build | None:
    file, context, waiting = None, None, iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        if name in {"-f", "--file"}:
            file = value if equals else next(waiting, None)
        elif word.startswith("-f") and not equals:
            file = word[2:]
        elif word.startswith("-"):
            if not equals and word not in _SWITCHES:
                next(waiting, None)
        elif context is None:
            context = word
    if context is None:
        return None
    folder = posixpath.dirname(path)
    return _Build(context, file, tuple(dict.fromkeys(("", folder))))


def _context_for(build: _Build, dockerfile: str) -> str | None:
    """The context that a build gives a Dockerfile; None where it builds another, or one that no text can tell."""
    for folder in build.folders:
        context = _path(folder, build.context)
        if context is None:
            continue
        written = build.dockerfile
        name = posixpath.join(context, "Dockerfile") if written is None else _path(folder, written, filled=True)
        if name is not None and _is_named(name, dockerfile):
            return context
    return None


def _path(folder: str, written: str, *, filled: bool = False) -> str | None:
    """A path of the project as it is seen from a folder; None for a URL, a variable's value and what lies outside."""
    written = _HERE.sub(".", written)
    if "://" in written or written == "-" or (not filled and _FILLED.search(written)):
        return None
    path = posixpath.normpath(posixpath.join(folder, written.lstrip("/") if filled else written))
    if path.startswith(("..", "/")):
        return None
    return "" if path == "." else path


def _is_named(name: str, dockerfile: str) -> bool:
    """Whether a name is that of a Dockerfile; a variable in it stands for a part of a folder's or a file's name."""
    pieces = _FILLED.split(name)
    if len(pieces) == 1:
        return name == dockerfile
    return any(map(str.isalnum, "".join(pieces))) and bool(
        re.fullmatch("[^/]+".join(map(re.escape, pieces)), dockerfile)
    )


def _from_sources(dockerfile: Dockerfile, there: Collection[str], beside: str | None) -> str:
    """The nearest folder, from its own up to the root, in which most of what it copies lies.

    `there` is every file and folder. Where that leaves a choice, it is built as those `beside` it are. A folder that
    holds Dockerfiles alone has nothing to copy.
    """
    sources = set(_sources(dockerfile))
    above = [dockerfile.folder]
    while above[-1]:
        above.append(posixpath.dirname(above[-1]))
    if all(_is_build_file(each) for each in there if each.startswith(f"{dockerfile.folder}/")):
        del above[0]
    if beside is not None:
        above.insert(0, beside)

    def present(folder: str) -> int:
        return len({wanted for each in sources if (wanted := posixpath.join(folder, each)) in there})

    return max(above, key=present)  # the first of the best


def _is_build_file(path: str) -> bool:
    return is_dockerfile(path) or is_compose(path) or path.endswith(".dockerignore")


def _sources(dockerfile: Dockerfile) -> Iterator[str]:
    """The files and folders of the context that are named as such: copied, or mounted while a RUN lasts."""
    for stage in dockerfile.stages:
        for instruction in stage.of("COPY", "ADD", "RUN"):
            for source in _mounted(instruction) if instruction.keyword == "RUN" else _copied(instruction):
                path = posixpath.normpath(source).lstrip("/")
                if path not in {".", ""} and not re.search(r"[*?\[\]$]|://|^<<|^\.\.", path):
                    yield path


def _copied(instruction: Instruction) -> Iterator[str]:
    yield from (word.text for word in instruction.words[:-1] if "from" not in instruction.flags)


def _mounted(instruction: Instruction) -> Iterator[str]:
    for mount in instruction.flags.get("mount", "").splitlines():
        options = dict(each.partition("=")[::2] for each in mount.split(","))
        if options.get("type", "bind") == "bind" and "from" not in options:
            yield options.get("source") or options.get("src") or "."


def _with_folders(path: str) -> Iterator[str]:
    yield path
    while path := posixpath.dirname(path):
        yield path
