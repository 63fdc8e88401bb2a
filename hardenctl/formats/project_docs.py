"""What a project documents: its README, its guides by topic, and an example of its environment.

A topic counts as documented where a documentation file is named after it, or has a heading or a link about it. That is
lenient on purpose: whether a guide is any good is for people to say.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hardenctl.formats.paths import GUIDES, is_load_result
from hardenctl.model.blob import Blob, Gap, Snapshot

LARGEST = 1 << 20  # characters of one file that are read for headings

_ELSEWHERE = re.compile(
    r"(?:^|/)(?:tests?|testing|examples?|samples?|benchmarks?|demos?|docs?|docs_src|node_modules|vendor|third_party"
    r"|site-packages|venv|\.[^/]+|templates?|cookiecutter[^/]*|\{\{[^/]*)/|(?:^|/)conftest\.py$",
    re.IGNORECASE,
)
_README = re.compile(r"(?:(?:docs?|\.github)/)?readme(?:\.\w+)*", re.IGNORECASE)
_DOCUMENT = re.compile(r".*\.(?:md|mdx|markdown|rst|adoc|asciidoc)|(?:.*/)?readme[^/]*", re.IGNORECASE)
_NO_GUIDE = re.compile(
    r"(?:^|/)(?:node_modules|vendor|third_party|site-packages|\.?venv)/"
    r"|(?:^|/)(?:changelog|history|changes|licen[cs]e)[^/]*$",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"(?:.*/)?(?:[\w.-]*env[\w.-]*[._-](?:example|sample|template|tmpl|dist|tpl|defaults?)"
    r"|(?:example|sample|template|dist|defaults?)[._-][\w.-]*env|\.?env[._-](?:example|sample|template|dist)[\w.-]*)",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"^ {0,3}#{1,6}[ \t]+(?P<md>.+)$"
    r"|^(?P<under>[^\s#|][^\n]{0,200})\r?\n(?:={3,}|-{3,}|~{3,}|\^{3,}|\"{3,}|\*{3,})[ \t]*$"
    r"|^={1,6}[ \t]+(?P<adoc>.+)$"
    r"|<h[1-6][^>]*>(?P<html>.*?)</h[1-6]>"
    r"|<summary>(?P<summary>.*?)</summary>"
    r"|\[(?P<link>[^\]\n]{1,200})\]\((?P<target>[^)\s]{0,500})"
    r"|:doc:`(?P<doc>[^`\n]{1,200})`",
    re.MULTILINE | re.IGNORECASE,
)
_DOCKERFILE = re.compile(r"(?:.*/)?(?:[\w.-]+\.)?(?:Dockerfile|Containerfile)(?:[.-][\w.-]+)?")
_COMPOSE = re.compile(r"(?:.*/)?(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
_PLATFORM = re.compile(
    r"Procfile|fly\.toml|render\.ya?ml|railway\.(?:toml|json)|app\.ya?ml|zappa_settings\.json|nixpacks\.toml"
)
_RUNS = re.compile(r"^\s*(?:CMD|ENTRYPOINT)\s", re.MULTILINE | re.IGNORECASE)
_PYTHON_IMAGE = re.compile(r"python|pip |\buv |poetry|gunicorn|uvicorn", re.IGNORECASE)
_BUILDS = re.compile(r"^\s+build\s*:", re.MULTILINE)
_FRAMEWORKS = frozenset({"FastAPI", "Flask", "Starlette", "Sanic", "Quart", "Litestar", "Bottle"})
_APP = re.compile(rf"=\s*(?:\w+\.)?(?:{'|'.join(sorted(_FRAMEWORKS))})\(")
_SETTINGS = re.compile(r"config|settings", re.IGNORECASE)
_READS_ENVIRONMENT = re.compile(
    r"\bos\.environ\b(?!\.setdefault\()|\bgetenv\(|\bBaseSettings\b|\bload_dotenv\b|\bfrom decouple\b|\benviron\.Env\("
    r"|\bEnv\(\)|\bstarlette\.config\b|\bDynaconf\("
)
_ENVIRONMENT = re.compile(
    r"environment[\s_-]+variables?|env(?:ironment)?[\s_-]*vars?\b|configuration|settings", re.IGNORECASE
)


@dataclass(frozen=True)
class Documentation:
    """The documentation of a whole project.

    `service` is the file that shows it is deployed as a service, None for a library. `topics` holds the headings, links
    and names of documentation files, in lower case. `environment` is the first file that reads the environment.
    """

    path: str
    service: str | None
    readme: Blob | None
    topics: str
    example: str | None
    environment: str | None
    load_tests: bool
    load_results: bool

    @cached_property
    def lists_variables(self) -> bool:
        """Whether a guide explains the environment."""
        return bool(_ENVIRONMENT.search(self.topics))

    def covers(self, pattern: str) -> bool:
        """Whether any topic matches a pattern of lower-case letters."""
        return bool(re.search(pattern, self.topics))


DOCUMENTS = (Documentation,)


def concerns(path: str) -> bool:
    """Everything that can make a project a service or document it."""
    return path.endswith((".py", ".toml", ".json")) or any(
        pattern.fullmatch(path) for pattern in (_DOCUMENT, _EXAMPLE, _DOCKERFILE, _COMPOSE, _PLATFORM)
    )


def read(snapshot: Snapshot) -> Iterator[Documentation | Gap]:
    """The one document of a project; none where only a part of the project was asked for."""
    paths = snapshot.paths()
    if not (any(map(snapshot.in_scope, GUIDES)) and any(map(concerns, paths))):
        return
    readme = next((path for path in paths if _README.fullmatch(path)), None)
    yield Documentation(
        path=".",
        service=service_of(snapshot),
        readme=snapshot.read(readme) if readme else None,
        topics="\n".join(_topics(snapshot)).lower(),
        example=next((path for path in paths if _EXAMPLE.fullmatch(path)), None),
        environment=next(_readers(snapshot, _ours(snapshot)), None),
        load_tests=any(_is_load_test(path) for path in paths),
        load_results=any(map(is_load_result, paths)),
    )


def service_of(snapshot: Snapshot) -> str | None:
    """The file that shows that a project is deployed as a service; None for a library."""
    return next(_services(snapshot, _ours(snapshot)), None)


def _ours(snapshot: Snapshot) -> list[str]:
    return [path for path in snapshot.paths() if not _ELSEWHERE.search(path)]


def _services(snapshot: Snapshot, paths: list[str]) -> Iterator[str]:
    """Files that only a deployed service has: what starts it, or the app itself."""
    for path in paths:
        if _PLATFORM.fullmatch(path) or path.rpartition("/")[2] == "manage.py":
            yield path
        elif _DOCKERFILE.fullmatch(path):
            text = _text(snapshot, path)
            if _RUNS.search(text) and _PYTHON_IMAGE.search(text):
                yield path
        elif (_COMPOSE.fullmatch(path) and _BUILDS.search(_text(snapshot, path))) or (
            path.endswith(".py") and _makes_an_app(_text(snapshot, path))
        ):
            yield path


def _makes_an_app(text: str) -> bool:
    """Whether code, not a docstring's example, assigns an app of a web framework."""
    if not _APP.search(text):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    calls = (node.value for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.AnnAssign))
    functions = (call.func for call in calls if isinstance(call, ast.Call))
    return any(getattr(each, "id", getattr(each, "attr", "")) in _FRAMEWORKS for each in functions)


def _topics(snapshot: Snapshot) -> Iterator[str]:
    for path in snapshot.paths():
        if not _DOCUMENT.fullmatch(path) or _NO_GUIDE.search(path):
            continue
        if not _README.fullmatch(path):
            yield path
        for match in _HEADING.finditer(_text(snapshot, path)):
            yield from (group for group in match.groups() if group)


def _readers(snapshot: Snapshot, paths: list[str]) -> Iterator[str]:
    """The files that read the environment; gunicorn's asks for what starts it, which no example of ours lists."""
    for path in sorted(paths, key=lambda each: (not _SETTINGS.search(each), each.count("/"), each)):
        server = path.endswith("gunicorn.conf.py")
        if path.endswith(".py") and not server and _READS_ENVIRONMENT.search(_text(snapshot, path)):
            yield path


def _text(snapshot: Snapshot, path: str) -> str:
    blob = snapshot.read(path)
    return blob.text[:LARGEST] if blob else ""


def _is_load_test(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.startswith(("locustfile", "load_test", "loadtest", "k6")) or name.endswith((".jmx", ".jtl"))
