"""The env files of a project: each with its standing in git and the example file beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hardenctl.formats.dotenv import Dotenv, parse_dotenv
from hardenctl.formats.paths import environment_of, is_env_file, is_example
from hardenctl.model.address import past_path
from hardenctl.model.blob import Snapshot, Standing
from hardenctl.model.text import is_binary


@dataclass(frozen=True)
class EnvironmentFile:
    """An env file in its place. `example` documents it, `covered` says that an ignore file names it."""

    dotenv: Dotenv
    standing: Standing
    covered: bool = False
    example: Dotenv | None = None

    @property
    def path(self) -> str:
        """The path as the snapshot addresses it."""
        return self.dotenv.path

    @property
    def is_committed(self) -> bool:
        """Whether git tracks it now."""
        return self.standing is Standing.TRACKED and not self.dotenv.is_past


DOCUMENTS = (EnvironmentFile,)


def read(snapshot: Snapshot) -> Iterator[EnvironmentFile]:
    """The env files of a snapshot, past versions among them."""
    found: dict[str, tuple[Dotenv, Standing]] = {}
    for path in filter(is_env_file, snapshot.paths()):
        blob = snapshot.read(path)
        if blob and not is_binary(blob.data):
            found[path] = parse_dotenv(path, blob.text), blob.provenance.standing
    tracked = [path for path, (_, standing) in found.items() if standing is Standing.TRACKED and not past_path(path)]
    covered = snapshot.ignored(tracked) if tracked else frozenset()
    examples = {path: dotenv for path, (dotenv, _) in found.items() if dotenv.is_example and not dotenv.is_past}
    for path, (dotenv, standing) in found.items():
        yield EnvironmentFile(dotenv, standing, path in covered, _example_of(path, examples))


def _example_of(path: str, examples: Mapping[str, Dotenv]) -> Dotenv | None:
    """The example in the same folder that fits best: of the same environment, else of none, else the first."""
    folder = path.rpartition("/")[0]
    beside = [each for each in sorted(examples) if each.rpartition("/")[0] == folder]
    if is_example(path) or not beside:
        return None
    wanted = environment_of(path)
    ranked = sorted(beside, key=lambda each: (environment_of(each) != wanted, environment_of(each) is not None, each))
    return examples[ranked[0]]
