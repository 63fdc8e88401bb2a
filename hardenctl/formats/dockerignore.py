"""What a Docker build takes into an image: `.dockerignore` as Docker reads it, and the COPY lines that take all.

Its patterns are not git's: they are rooted at the build context, `*` stays within a folder, `**` crosses, and the
last line that matches a path or one of its folders decides (moby's patternmatcher).
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterator, Sequence

from hardenctl.formats.build_context import build_contexts
from hardenctl.formats.dockerfile import Dockerfile, Stage, dockerfiles
from hardenctl.formats.dotenv import Dotenv, parse_dotenv
from hardenctl.formats.instructions import Instruction
from hardenctl.formats.paths import is_env_file, is_example
from hardenctl.model.address import past_path
from hardenctl.model.blob import Snapshot, Standing
from hardenctl.model.record import record
from hardenctl.model.text import Span

PROBES = (".env", ".env.local", ".env.prod", ".env.production")


@record
class DockerIgnore:
    """The patterns of one ignore file, in order: each with whether it excepts (`!`)."""

    patterns: tuple[tuple[str, bool], ...]

    @classmethod
    def parse(cls, text: str) -> DockerIgnore:
        """Read an ignore file."""
        patterns = []
        for line in text.removeprefix("\ufeff").splitlines():
            pattern = line.strip()
            if line.startswith("#") or not pattern:
                continue
            negated = pattern.startswith("!")
            pattern = pattern[1:].strip() if negated else pattern
            if pattern:
                pattern = posixpath.normpath(pattern)
                patterns.append((pattern.lstrip("/") if len(pattern) > 1 else pattern, negated))
        return cls(tuple(patterns))

    def excludes(self, path: str) -> bool:
        """Whether a path below the context stays out of the build."""
        parts = path.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        excluded = False
        for pattern, negated in self.patterns:
            if excluded is negated and any(map(_compiled(pattern).fullmatch, above)):
                excluded = not negated
        return excluded


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as Go's filepath.Match has it, with `**`. One that is malformed matches nothing."""
    parts, position = [], 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if pattern.startswith("**", position - 1):
            position += 1
            if pattern.startswith("/", position):
                position += 1
            parts.append(".*" if position >= len(pattern) else "(?:.*/)?")
        elif character == "*":
            parts.append("[^/]*")
        elif character == "?":
            parts.append("[^/]")
        elif character == "\\" and position < len(pattern):
            parts.append(re.escape(pattern[position]))
            position += 1
        elif character in "[]":
            parts.append(character)
        else:
            parts.append(character if character in "^-" else re.escape(character))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return re.compile(r"(?!)")


@record(slots=False)
class ContextCopy:
    """The COPY or ADD of a Dockerfile that takes most env files out of the build context.

    `exposed` are those it takes with their folder, `possible` names it would take if they were there; env files that
    it names itself are another matter. `near` are the env files and examples below what it takes: they tell what
    could be in others. `tracked` are the exposed ones that git tracks. `ships` says that what it copies reaches the
    image that is run. `ignore_path` is the ignore file that counts, there or not.
    """

    path: str
    span: Span
    ignore_path: str
    ignore_exists: bool
    exposed: tuple[str, ...]
    possible: tuple[str, ...]
    near: tuple[Dotenv, ...]
    ships: bool
    tracked: tuple[str, ...] = ()


DOCUMENTS = (ContextCopy,)


def read(snapshot: Snapshot) -> Iterator[ContextCopy]:
    """The worst copy of each Dockerfile, in the context it is built from."""
    documents = [*dockerfiles(snapshot)]
    contexts = build_contexts(snapshot, documents)
    paths = frozenset(path for path in snapshot.paths() if not past_path(path))
    env_files = sorted(filter(is_env_file, paths))
    for dockerfile in documents:
        context = contexts[dockerfile.path]
        own = f"{dockerfile.path}.dockerignore"
        ignore_path = own if own in paths else _join(context, ".dockerignore")
        blob = snapshot.read(ignore_path)
        here = [path.removeprefix(f"{context}/") for path in env_files if _below(path, context)]
        look = _Context(snapshot, context, ignore_path, DockerIgnore.parse(blob.text) if blob else None, here)
        copies = [
            copy
            for stage in dockerfile.stages
            for instruction in stage.of("COPY", "ADD")
            if (copy := look.copy(dockerfile, stage, instruction))
        ]
        if copies:
            yield max(copies, key=lambda each: (each.ships, bool(each.exposed)))


@record(slots=False)
class _Context:
    """A build context: its ignore file, and the env files in it relative to it."""

    snapshot: Snapshot
    folder: str
    ignore_path: str
    ignore: DockerIgnore | None
    env_files: Sequence[str]

    def copy(self, dockerfile: Dockerfile, stage: Stage, instruction: Instruction) -> ContextCopy | None:
        """What one instruction takes; None where it takes no env file and could take none."""
        folders = _folders(instruction)
        excludes = [self.ignore or DockerIgnore(()), DockerIgnore.parse(instruction.flags.get("exclude", ""))]

        def taken(candidates: Sequence[str]) -> tuple[str, ...]:
            return tuple(path for path in candidates if not any(each.excludes(path) for each in excludes))

        real = [path for path in self.env_files if not is_example(path)]
        exposed = taken([path for path in real if any(_below(path, folder) for folder in folders)])
        possible = taken(PROBES if "" in folders else ())
        if not (exposed or possible):
            return None
        return ContextCopy(
            path=dockerfile.path,
            span=instruction.span,
            ignore_path=self.ignore_path,
            ignore_exists=self.ignore is not None,
            exposed=exposed,
            possible=possible,
            near=tuple(
                parse_dotenv(path, blob.text)
                for path in self.env_files
                if any(_below(path, folder) for folder in folders)
                if (blob := self.snapshot.read(_join(self.folder, path)))
            ),
            ships=_ships(stage, dockerfile, _landing(instruction, stage, (*exposed, *possible), folders)),
            tracked=tuple(path for path in exposed if self._is_tracked(path)),
        )

    def _is_tracked(self, path: str) -> bool:
        blob = self.snapshot.read(_join(self.folder, path))
        return self.snapshot.is_repository and blob is not None and blob.provenance.standing is Standing.TRACKED


def _folders(instruction: Instruction) -> list[str]:
    """What an instruction takes out of the context that may be a folder; "" is the context itself."""
    if "from" in instruction.flags:
        return []
    found = []
    for source in [word.text for word in instruction.words][:-1]:
        if "://" in source or source.startswith(("git@", "<<")) or "$" in source:
            continue
        cleaned = posixpath.normpath(source.removesuffix("*") or ".").lstrip("/")
        cleaned = "" if cleaned == "." else cleaned
        if re.search(r"[*?\[]", cleaned) or cleaned.startswith(".."):
            continue
        if not is_env_file(cleaned):
            found.append(cleaned)
    return found


def _landing(instruction: Instruction, stage: Stage, paths: Sequence[str], folders: Sequence[str]) -> list[str]:
    """Where the env files that a copy takes lie in its stage: a folder's content goes below the target."""
    target = posixpath.normpath(posixpath.join("/", stage.workdir, stage.expand(instruction.words[-1].text)))
    landed = []
    for path in paths:
        folder = next((each for each in folders if _below(path, each)), "")
        landed.append(posixpath.join(target, path.removeprefix(folder).lstrip("/")))
    return landed


def _ships(stage: Stage, dockerfile: Dockerfile, landed: Sequence[str]) -> bool:
    """Whether what lies in a stage is part of the image that is run, by ancestry or by a `COPY --from` of it."""
    if any(each is stage for each in dockerfile.final.lineage):
        return True
    numbers = {str(number): each for number, each in enumerate(dockerfile.stages)}
    names = numbers | {each.name: each for each in dockerfile.stages if each.name}
    for part in dockerfile.final.lineage:
        for instruction in part.of("COPY"):
            source = names.get(instruction.flags.get("from", "").lower())
            if source and any(each is stage for each in source.lineage):
                taken = [posixpath.normpath(posixpath.join("/", word.text)) for word in instruction.words[:-1]]
                if any(each == "/" or f"{path}/".startswith(f"{each}/") for each in taken for path in landed):
                    return True
    return False


def _below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
