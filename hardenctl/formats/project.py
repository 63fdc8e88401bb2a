"""What a project is: framework, app, database, port. Read from its files, never by running them.

Used by templates, so a wrong guess is visible in what is rendered and can be overridden; nothing here is a finding.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hardenctl.formats.paths import is_env_file
from hardenctl.formats.project_services import Image, project_services
from hardenctl.formats.project_variables import Variable, variables_read
from hardenctl.model.blob import Snapshot

FRAMEWORKS = ("fastapi", "starlette", "flask", "django", "none")
DATABASES = ("postgres", "mysql", "mongodb", "sqlite", "none")
_LONGEST_NAME = 50
_NO_TEXT = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
PYTHON = "3.13"  # where the project doesn't say

_APPS = {"FastAPI": "fastapi", "Starlette": "starlette", "Flask": "flask"}
_MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "manage.py", "Dockerfile", "Procfile")
_NOT_OURS = re.compile(
    r"(?:^|/)(?:tests?|docs?|docs_src|examples?|samples?|benchmarks?|migrations|node_modules|\.?venv|\.devcontainer|\.github)/"
)
_NAME = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)", re.MULTILINE)
_LAUNCH = re.compile(
    r"\b(?:gunicorn|uvicorn|hypercorn|granian)\b[^\n]{0,300}?[\s\"'](?P<app>[A-Za-z_][\w.]*:[A-Za-z_]\w*(?:\(\))?)(?=[\s\"',\]]|$)"
)
_PORTS = (
    re.compile(r"""(?:--bind|-b|--port|-p)[=\s"',]+(?:(?:[\d.]+|\[::\]|localhost)?:)?(?P<port>\d{2,5})\b"""),
    re.compile(r"^\s*EXPOSE\s+(?P<port>\d{2,5})", re.MULTILINE),
    re.compile(r"""^\s*bind\s*=\s*["'][^"'\n]*?:(?P<port>\d{2,5})["']""", re.MULTILINE),
)
_FROM_PYTHON = re.compile(r"^FROM\s+(?:--\S+\s+)?\S*python:(\d+\.\d+)", re.MULTILINE | re.IGNORECASE)
_HEALTH = re.compile(r"""["'](/(?:api/)?(?:v\d/)?(?:healthz?|health[-_]?check|readyz?|livez|ping|status)/?)["']""")
_UVICORN_WORKER = "uvicorn_worker.UvicornWorker"
_DRIVERS = {
    "postgres": {"psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "asyncpg", "pg8000", "aiopg"},
    "mysql": {"pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy"},
    "mongodb": {"pymongo", "motor", "beanie", "mongoengine"},
    "sqlite": {"aiosqlite"},
}


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What templates are filled from. Every field can be overridden with `--set field=value`.

    `app` is `module:attribute` as gunicorn takes it, and `home` the folder it is imported from, empty for the root.
    `requirements` is the file dependencies are installed from.
    `env_file` is where production's settings are read from. `service`, `database_host` and `cache_host` are compose
    services.
    """

    name: str = "app"
    framework: str = "none"
    app: str = "main:app"
    home: str = ""
    database: str = "none"
    database_host: str = "db"
    cache: str = "none"
    cache_host: str = "redis"
    service: str = "web"
    database_image: str = ""  # empty: a recent one of ours. What is there stays: data is tied to a major version
    database_volume: str = ""  # a volume's name, or a folder of the host
    cache_image: str = ""
    cache_volume: str = ""
    port: int = 8000
    python: str = PYTHON
    requirements: str = "requirements.txt"
    health: str = ""  # a path that answers 200 without a login; empty where none was found
    env_file: str = ".env.production"
    env_example: str = ".env.example"
    worker_class: str = ""  # empty: what is installed decides where gunicorn starts
    subnet: str = "10.231.77.0/24"  # of the network to the proxy: its first address is what is trusted as one
    variables: tuple[Variable, ...] = ()  # environment variables that the code reads by name
    image: Image = Image()  # noqa: RUF009 - frozen
    database_build: str = ""  # the folder the database's image is built from
    environment: tuple[tuple[str, str], ...] = ()  # the web service's own, as its compose file writes it
    left_out: tuple[str, ...] = ()  # services of the compose file that are neither the web service nor a store
    compose: str = ""  # the compose file that says so
    references: tuple[Variable, ...] = ()  # variables that Compose puts into the compose files
    fed: frozenset[str] = frozenset()  # kinds of stores that compose starts with an env file
    installs: frozenset[str] = frozenset()  # normalised names of the declared dependencies

    @property
    def interface(self) -> str:
        """`asgi` or `wsgi`, as the framework's servers speak."""
        return "asgi" if self.framework in {"fastapi", "starlette"} or ".asgi:" in self.app else "wsgi"


def detect_facts(snapshot: Snapshot) -> ProjectFacts:
    """What the files say; defaults where they say nothing. Files that cannot be parsed say nothing."""
    texts = _Texts(snapshot)
    dependencies = _dependencies(texts)
    apps = sorted(_apps(texts), key=lambda each: (each.path.count("/"), each.path))
    framework = _framework(apps, dependencies, texts)
    launched = [match["app"] for text in texts.launch_files() for match in _LAUNCH.finditer(text)]
    services = project_services(snapshot, texts.paths)
    database = services.first(DATABASES, "db")
    cache = services.first(("redis",), "redis")
    app = next((each.target for each in apps if each.framework == framework), "") or "main:app"
    if framework == "django":
        app = _django_app(texts) or app
    app = Counter(launched).most_common(1)[0][0] if launched else app
    home = _home(app, texts.paths)
    return ProjectFacts(
        name=_name(texts),
        framework=framework,
        app=app,
        home=home,
        database=database.kind or _database(dependencies, texts),
        database_host=database.name,
        database_image=database.image,
        database_volume=database.volume,
        cache="redis" if "redis" in dependencies or cache.kind == "redis" else "none",
        cache_host=cache.name,
        cache_image=cache.image,
        cache_volume=cache.volume,
        service=services.web or "web",
        port=_port(texts),
        python=_python(texts),
        requirements=_requirements(texts, home),
        health=services.health or _health(texts, apps),
        env_file=_env_file(texts),
        env_example=next(
            (path for path in texts.paths if path in {".env.example", ".env.sample", ".env.template"}), ".env.example"
        ),
        worker_class=_UVICORN_WORKER
        if "uvicorn-worker" in dependencies and framework in {"fastapi", "starlette"}
        else "",
        variables=variables_read(texts.sources()),
        image=services.image or Image(),
        database_build=database.build,
        environment=services.environment,
        left_out=services.left_out(database, cache),
        compose=services.path,
        references=services.references,
        fed=services.fed,
        installs=frozenset(dependencies),
    )


def store_hosts(snapshot: Snapshot) -> dict[str, str]:
    """Kind of store (`postgres`, `redis`, ...) to the compose service that runs it, the first of each kind."""
    hosts: dict[str, str] = {}
    for each in project_services(snapshot, _Texts(snapshot).paths).stores:
        hosts.setdefault(each.kind, each.name)
    return hosts


class _Texts:
    """The texts of a snapshot that facts are read from, each read once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.paths = [path for path in snapshot.paths() if not _NOT_OURS.search(path)]

    def read(self, path: str) -> str:
        blob = self._snapshot.read(path)
        return blob.text if blob is not None else ""

    def named(self, pattern: str) -> Iterator[str]:
        """The texts of files whose last part matches, the nearest to the root first."""
        wanted = re.compile(pattern)
        for path in sorted(self.paths, key=lambda each: (each.count("/"), each)):
            if wanted.fullmatch(path.rpartition("/")[2]):
                yield self.read(path)

    def python(self) -> Iterator[tuple[str, str]]:
        """Python files that could make an app: path and text."""
        for path in self.paths:
            if path.endswith(".py"):
                text = self.read(path)
                if any(f"{name}(" in text for name in _APPS):
                    yield path, text

    def sources(self) -> Iterator[tuple[str, str]]:
        """All Python files but gunicorn's, which asks for what starts it: path and text."""
        for path in self.paths:
            if path.endswith(".py") and not path.endswith(("gunicorn.conf.py", "conftest.py", "setup.py")):
                yield path, self.read(path)

    def compose(self) -> Iterator[str]:
        return self.named(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")

    def launch_files(self) -> Iterator[str]:
        yield from self.compose()
        yield from self.named(
            r"(?:[\w.-]+\.)?Dockerfile(?:[.-][\w.-]+)?|Procfile"
            r"|(?:[\w.-]*(?:entrypoint|start|run)[\w.-]*\.sh|(?:docker-)?entrypoint|start)"
        )


@dataclass(frozen=True, slots=True)
class _App:
    framework: str
    path: str
    target: str


def _apps(texts: _Texts) -> Iterator[_App]:
    for path, text in texts.python():
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        module = _module(path, texts.paths)
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and (made := _made(node.value)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Name):
                    yield _App(made, path, f"{module}:{target.id}")
            elif isinstance(node, ast.FunctionDef) and not _needs_arguments(node):
                inner = next((made for each in ast.walk(node) if (made := _made(each))), None)
                if inner and any(isinstance(each, ast.Return) for each in ast.walk(node)):
                    yield _App(inner, path, f"{module}:{node.name}()")


def _made(node: ast.AST | None) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return _APPS.get(name)


def _needs_arguments(node: ast.FunctionDef) -> bool:
    return len(node.args.posonlyargs + node.args.args) > len(node.args.defaults) or any(
        default is None for default in node.args.kw_defaults
    )


def _module(path: str, paths: Iterable[str]) -> str:
    """The module of a file as seen from the nearest folder above it that holds a manifest; `src` is no package."""
    known = set(paths)
    folder = PurePosixPath(path).parent
    root = next(
        (each for each in (folder, *folder.parents) if any((each / name).as_posix() in known for name in _MANIFESTS)
         or any((each / name).as_posix() in known for name in ("requirements.txt",))),
        PurePosixPath(),
    )  # fmt: skip
    parts = list(PurePosixPath(path).relative_to(root).with_suffix("").parts)
    if parts[:1] == ["src"] and len(parts) > 1:
        parts = parts[1:]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


def _framework(apps: list[_App], dependencies: set[str], texts: _Texts) -> str:
    if any("DJANGO_SETTINGS_MODULE" in text for text in texts.named(r"manage\.py")):  # Flask projects have one too
        return "django"
    if apps:
        return apps[0].framework
    return next((name for name in ("fastapi", "django", "flask", "starlette") if name in dependencies), "none")


def _django_app(texts: _Texts) -> str:
    for name in ("wsgi.py", "asgi.py"):
        for path in texts.paths:
            if path.endswith("/" + name):
                return f"{_module(path, texts.paths)}:application"
    return ""


def _dependencies(texts: _Texts) -> set[str]:
    """The names of all declared dependencies, normalised."""
    names: set[str] = set()
    for text in texts.named(r"[\w-]*requirements[\w.-]*\.(?:txt|in)"):
        names.update(_NAME.findall(text))
    for text in texts.named(r"(?:base|common|prod|production)\.(?:txt|in)"):
        names.update(_NAME.findall(text))
    for text in texts.named(r"pyproject\.toml"):
        data = _toml(text)
        project, poetry = data.get("project", {}), data.get("tool", {}).get("poetry", {})
        listed = [*project.get("dependencies", ())]
        for extra in project.get("optional-dependencies", {}).values():
            listed += extra
        names.update(name for each in listed if isinstance(each, str) for name in _NAME.findall(each))
        names.update(poetry.get("dependencies", {}))
    for text in texts.named(r"Pipfile"):
        names.update(_toml(text).get("packages", {}))
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _database(dependencies: set[str], texts: _Texts) -> str:
    for kind, drivers in _DRIVERS.items():
        if dependencies & drivers:
            return kind
    return "sqlite" if any("sqlite3" in text for _, text in texts.python()) else "none"


def _port(texts: _Texts) -> int:
    for text in (*texts.launch_files(), *texts.named(r"gunicorn[\w.-]*\.py")):
        for pattern in _PORTS:
            for match in pattern.finditer(text):
                if 80 <= (port := int(match["port"])) <= 65535:  # noqa: PLR2004 - TCP's range, and no `-p 22`
                    return port
    return 8000


def _python(texts: _Texts) -> str:
    for text in texts.named(r"(?:[\w.-]+\.)?Dockerfile(?:[.-][\w.-]+)?"):
        if match := _FROM_PYTHON.search(text):
            return match[1]
    for text in texts.named(r"\.python-version|runtime\.txt"):
        if match := re.search(r"\b(3\.\d+)", text):
            return match[1]
    return PYTHON


def _home(app: str, paths: Iterable[str]) -> str:
    """The folder nearest to the root from which an app's module is found; empty where none is."""
    module = app.partition(":")[0].replace(".", "/")
    ends = (f"/{module}.py", f"/{module}/__init__.py")
    found = [f"/{path}".removesuffix(end) for path in paths for end in ends if f"/{path}".endswith(end)]
    return min(found, key=lambda each: (each.count("/"), each), default="").lstrip("/")


def _requirements(texts: _Texts, home: str) -> str:
    """The file to install from, in the folder of the app or the nearest one above it."""
    names = ("requirements.txt", "requirements/production.txt", "requirements/prod.txt", "requirements/base.txt")
    paths = set(texts.paths)
    for folder in (PurePosixPath(home), *PurePosixPath(home).parents):
        for name in (*names, "pyproject.toml"):
            if (path := (folder / name).as_posix()) in paths:
                return path
    return "requirements.txt"


def _health(texts: _Texts, apps: list[_App]) -> str:
    for path in (
        *(each.path for each in apps),
        *(path for path in texts.paths if path.endswith(("urls.py", "health.py"))),
    ):
        if match := _HEALTH.search(texts.read(path)):
            return match[1]
    return ""


def _name(texts: _Texts) -> str:
    project = _toml(texts.read("pyproject.toml"))
    name = project.get("project", {}).get("name") or project.get("tool", {}).get("poetry", {}).get("name") or "app"
    return plain_name(str(name))


def plain_name(text: str) -> str:
    """A name as it can stand in any file of a deployment: small letters, digits and dashes, a letter first.

    Kubernetes takes 63 characters, and some of our names have an ending. YAML reads `yes` and `null` as no text.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].rstrip("-")
    return f"app-{plain}".rstrip("-") if not plain[:1].isalpha() or plain in _NO_TEXT else plain


def _env_file(texts: _Texts) -> str:
    """The production env file the project speaks of already, unless it is the committed one we tell people to leave."""
    for text in texts.compose():
        for match in re.finditer(r"(?:^|[\s\"'-])((?:[\w./-]*/)?\.env\.prod(?:uction)?)\b", text):
            if match[1] not in texts.paths and is_env_file(match[1]):
                return match[1]
    return ".env.production"
