"""What a repository's ignore files cover of the env files it has or could have. Git itself is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hardenctl.formats.paths import GITIGNORE, is_compose, is_dockerfile, is_env_file, is_example
from hardenctl.model.address import past_path
from hardenctl.model.blob import Snapshot, Standing

PLAIN = ".env"
VARIANTS = (".env.local", ".env.prod", ".env.production", ".env.staging")

_HOMES = frozenset(("manage.py", "pyproject.toml", "requirements.txt", "setup.py", "Pipfile"))
_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|testing|fixtures|docs?|docs_src|examples?|samples?|templates?|vendor|node_modules)/"
)
_MANIFEST = re.compile(r"(?:^|/)(?:requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|Pipfile|setup\.(?:py|cfg))$")
_CODE = re.compile(r"(?:^|/)(?:config|settings|main|app|wsgi|asgi|core|__init__|base)\.py$")
_USES = re.compile(
    r"(?i)python-dotenv|pydantic[-_]settings|environs|django-environ|python-decouple|dynaconf|load_dotenv|env_file"
    r"|read_env|--env-file"
)
_MENTION = re.compile(r"(?<![\w.])\.env(?:\.[\w-]+)*\b(?![\w(=])")
_DEEPEST = 40  # folders that are asked about; more are alike


@dataclass(frozen=True)
class IgnoreCoverage:
    """`uncovered` are paths of env files, there or not, that git would take; `present` those that are there.

    `hidden_examples` are example files that git ignores. `used` are the names of env files that the project has or
    reads.
    """

    path: str
    exists: bool
    uncovered: tuple[str, ...]
    present: tuple[str, ...]
    hidden_examples: tuple[str, ...]
    examples: tuple[str, ...]
    used: frozenset[str]


DOCUMENTS = (IgnoreCoverage,)


def read(snapshot: Snapshot) -> Iterator[IgnoreCoverage]:
    """The one coverage of a repository; nothing for a plain folder, or where its ignore file is not in scope."""
    if not (snapshot.is_repository and snapshot.in_scope(GITIGNORE)):
        return
    paths = [path for path in snapshot.paths() if not past_path(path)]
    if not paths:
        return
    env_files = [path for path in paths if is_env_file(path)]
    standings = {path: blob.provenance.standing for path in env_files if (blob := snapshot.read(path))}
    present = [path for path, standing in standings.items() if not is_example(path) and standing is Standing.UNTRACKED]
    examples = [path for path in standings if is_example(path)]
    used = _used(snapshot, paths)
    excepted = _excepted(snapshot)  # git takes them since somebody said so
    names = [name for name in (PLAIN, *VARIANTS, *sorted(used)) if name not in excepted]
    probes = [_join(folder, name) for folder in _homes(paths) for name in names]
    tracked = {path for path, standing in standings.items() if standing is Standing.TRACKED}
    ignored = snapshot.ignored([*probes, *present, *examples])
    yield IgnoreCoverage(
        path=GITIGNORE,
        exists=GITIGNORE in paths,
        uncovered=tuple(path for path in dict.fromkeys((*probes, *present)) if path not in ignored),
        present=tuple(path for path in present if path not in ignored),
        hidden_examples=tuple(path for path in examples if path in ignored and path not in tracked),
        examples=tuple(examples),
        used=used,
    )


def _homes(paths: list[str]) -> list[str]:
    """The folders where env files live: where the project keeps manifests, images or env files; else the root."""
    homes = set()
    for path in paths:
        folder, _, name = path.rpartition("/")
        if _ASIDE.search(path):
            continue
        if name in _HOMES or is_env_file(path) or is_compose(path) or is_dockerfile(path):
            homes.add(folder)
    return sorted(homes or {""}, key=lambda folder: (folder.count("/"), folder))[:_DEEPEST]


def _used(snapshot: Snapshot, paths: list[str]) -> frozenset[str]:
    """The names of the env files that the project has, or names in its manifests, settings and compose files.

    A library that reads env files reads `.env` where nothing else is said.
    """
    used = {path.rpartition("/")[2] for path in paths if is_env_file(path) and not _ASIDE.search(path)}
    likely = (path for path in paths if _MANIFEST.search(path) or _CODE.search(path) or is_compose(path))
    texts = [blob.text for path in likely if (blob := snapshot.read(path))]
    used.update(name for text in texts for name in _MENTION.findall(text))
    used = {name for name in used if is_env_file(name) and not is_example(name)}
    if not used and any(_USES.search(text) for text in texts):
        used.add(PLAIN)
    return frozenset(used)


def _excepted(snapshot: Snapshot) -> frozenset[str]:
    """The names that the ignore file excepts one by one: `!.env.testing`."""
    blob = snapshot.read(GITIGNORE)
    lines = blob.text.splitlines() if blob else ()
    return frozenset(line.strip().rpartition("/")[2].removeprefix("!") for line in lines if line.startswith("!"))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
