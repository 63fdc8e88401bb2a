"""The table of templates, and filling one."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from hardenctl import __version__
from hardenctl.formats.project import DATABASES, FRAMEWORKS, PYTHON, ProjectFacts, plain_name
from hardenctl.model.errors import UsageError
from hardenctl.model.nearest import nearest
from hardenctl.render.environment import example, kept_environment

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "framework": FRAMEWORKS,
    "database": DATABASES,
    "cache": ("redis", "none"),
}
_IMAGES = {
    "postgres": "postgres:18.1-alpine",
    "mysql": "mysql:8.4.6",
    "mongodb": "mongo:8.0.13",
    "redis": "redis:8.2.1-alpine",
}
_DETECTED_ONLY = frozenset(
    "variables image database_build environment left_out compose references fed installs".split()  # noqa: SIM905 - names
)
# What each fact may look like, and an example. What goes into a file as it is can then neither end a word nor begin
# another one in nginx, YAML, Python or a shell. Images and volumes may name variables, as Compose fills them in.
_SERVICE = (r"(?![\d.e_]+$)[A-Za-z0-9][\w.-]*", "`db`")  # and nothing that YAML reads as a number
_FILE = (r"[\w./~][\w./~+-]*", "`.env.production`")
_IMAGE = (r"(?:[\w$][\w./:@${}?-]*[\w}])?", "`postgres:18.1-alpine`")
_VOLUME = (r"(?!.*: )(?:[\w./~$](?:[\w./~:?$ {}+-]*[\w./}])?)?", "`db-data` or `./data`")
_SHAPES: Mapping[str, tuple[str, str]] = {
    "name": (r"[\w .-]*[A-Za-z0-9][\w .-]*", "`shop`"),  # it becomes a plain one
    "app": (r"(?!-)(?u:[\w.-]+):[A-Za-z_]\w*(?:\(\))?", "`main:app`"),
    "service": _SERVICE,
    "database_host": _SERVICE,
    "cache_host": _SERVICE,
    "database_image": _IMAGE,
    "cache_image": _IMAGE,
    "database_volume": _VOLUME,
    "cache_volume": _VOLUME,
    "python": (r"3\.\d{1,2}(?:\.\d{1,2})?", f"`{PYTHON}`"),
    "requirements": (_FILE[0], "`requirements.txt`"),
    "env_file": _FILE,
    "env_example": (_FILE[0], "`.env.example`"),
    "health": (r"(?:/[\w./~%+=&?-]*)?", "`/health`"),
    "worker_class": (r"(?:[A-Za-z_][\w.]*)?", "`uvicorn_worker.UvicornWorker`"),
    "port": (r"0*[1-9]\d{0,4}", "`8080`"),
    "home": (r"(?!/)[\w./-]*", "`backend`, below the project"),
}
_MOST_PORT = 65535
_STORES = ("postgres", "mysql", "mongodb")  # databases that are servers


@dataclass(frozen=True, slots=True)
class Template:
    """Something that can be rendered. `path` is where it goes in a project.

    `lines` marks files whose lines stand for themselves (ignore files): rendered into a file that exists, they are
    added to it and nothing is overwritten. `aliases` are other names of the same file: where one is there, it is meant.
    """

    name: str
    path: str
    summary: str
    source: str
    lines: bool = False
    aliases: tuple[str, ...] = ()


TEMPLATES: Mapping[str, Template] = {
    each.name: each
    for each in (
        Template(
            "compose",
            "docker-compose.yml",
            "A hardened compose file",
            "docker-compose.yml.j2",
            aliases=("compose.yaml", "compose.yml", "docker-compose.yaml"),
        ),
        Template("dockerfile", "Dockerfile", "A two-stage image that runs as its own user", "Dockerfile.j2"),
        Template("gunicorn", "gunicorn.conf.py", "Workers from the CPUs the container has", "gunicorn.conf.py.j2"),
        Template("env-example", ".env.example", "The variables a deployment needs", "env.example.j2"),
        Template("gitignore", ".gitignore", "What must not be committed", "gitignore.j2", lines=True),
        Template("dockerignore", ".dockerignore", "What must not get into an image", "dockerignore.j2", lines=True),
        Template("locustfile", "load_test.py", "A load test with a normal and a spike user", "load_test.py.j2"),
        Template(
            "load-compose",
            "docker-compose.load.yml",
            "A load test from a master and workers in containers",
            "docker-compose.load.yml.j2",
        ),
        Template(
            "load-k8s",
            "load-kubernetes.yaml",
            "A load test from a master and workers as Kubernetes jobs",
            "load-kubernetes.yaml.j2",
        ),
        Template("nginx", "nginx.conf", "A reverse proxy with TLS and security headers", "nginx.conf.j2"),
        Template("github-actions", ".github/workflows/hardenctl.yml", "The audit in CI", "github-actions.yml.j2"),
        Template("gitlab-ci", ".gitlab-ci.yml", "The audit in GitLab's CI", "gitlab-ci.yml.j2"),
        Template("k8s", "kubernetes.yaml", "A hardened Kubernetes deployment", "kubernetes.yaml.j2"),
        Template("monitoring", "prometheus-rules.yml", "Prometheus alerts with our targets", "prometheus-rules.yml.j2"),
        Template(
            "docs", "docs/DEPLOYMENT.md", "How to deploy, check, roll back, and where secrets are", "DEPLOYMENT.md.j2"
        ),
        Template("pre-commit", ".pre-commit-config.yaml", "The audit before each commit", "pre-commit.yaml.j2"),
    )
}


def template_named(name: str) -> Template:
    """A template by its name. Raises UsageError that suggests the nearest."""
    if name not in TEMPLATES:
        raise UsageError(
            f"there is no template `{name}`",
            help=nearest(name, TEMPLATES) or f"there are: {', '.join(sorted(TEMPLATES))}",
        )
    return TEMPLATES[name]


def render(name: str, facts: ProjectFacts) -> str:
    """A template filled from facts. Raises UsageError for an unknown name, or facts that cannot be."""
    template = template_named(name)
    values: dict[str, Any] = {each.name: getattr(facts, each.name) for each in fields(facts)}
    values |= {"interface": facts.interface, "stores": _STORES}
    values["database_image"] = facts.database_image or _IMAGES.get(facts.database, "")
    values["database_volume"] = facts.database_volume or "db-data"
    values["cache_image"] = facts.cache_image or _IMAGES["redis"]
    values["cache_volume"] = facts.cache_volume or "cache-data"
    values["probe"] = _probe(facts)
    values["gateway"] = _gateway(facts.subnet)
    values["mounts_config"] = not facts.image.takes_root
    values["command"] = [*facts.image.runner, "gunicorn", "--config", "gunicorn.conf.py", facts.app]
    values["kept"] = kept_environment(facts)[0]
    values["container"] = plain_name(facts.service)
    values["example"] = example(facts)
    values["version"] = __version__
    values["postgres_data"] = _postgres_data(values["database_image"])
    text = template_text(template.source, values)
    for key in _SHAPES:  # what was found is no better than what is given: a project can say anything
        if (value := str(getattr(facts, key))) in text:
            _check(key, value)
    return text


def template_text(source: str, values: Mapping[str, Any]) -> str:
    """Fill a file below `templates/`. A name the template uses and nobody gave is a bug and raises."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder()),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - configuration files and code, no HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.get_template(source).render(values)


def templates_folder() -> Path:
    """Where the templates are: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return next(each for each in (package / "templates", package.parent / "templates") if each.is_dir())


def override(facts: ProjectFacts, settings: Iterable[str]) -> ProjectFacts:
    """Facts with `key=value` settings on top. Raises UsageError for an unknown key or a value that cannot be."""
    names = {each.name for each in fields(facts)} - _DETECTED_ONLY
    changes: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set takes key=value, not `{setting}`", help="for example --set port=8080")
        if key not in names:
            raise UsageError(
                f"there is no fact `{key}`", help=nearest(key, names) or f"there are: {', '.join(sorted(names))}"
            )
        if key in _CHOICES and value not in _CHOICES[key]:
            raise UsageError(f"`{value}` is no {key}", help=f"choose from {', '.join(_CHOICES[key])}")
        _check(key, value)
        changes[key] = int(value) if key == "port" else plain_name(value) if key == "name" else value
    for store in ("database", "cache"):
        if changes.get(store, getattr(facts, store)) != getattr(facts, store):  # what was found belongs to the other
            changes = {f"{store}_image": "", f"{store}_volume": "", **changes}
            if store == "database":
                changes["database_build"] = ""
    return replace(facts, **changes)


def _check(key: str, value: str) -> None:
    """Raise UsageError for a value that cannot be what it is for."""
    if key == "subnet":
        if not _is_subnet(value):
            raise UsageError(f"`{value}` is no IPv4 network", help="give one that is free here, such as 10.231.77.0/24")
    elif key in _SHAPES:
        shape, example = _SHAPES[key]
        if not re.fullmatch(shape, value, re.ASCII) or (key == "port" and int(value) > _MOST_PORT):
            raise UsageError(f"`{value}` is no {key.replace('_', ' ')}", help=f"--set {key}=... such as {example}")


def merge(present: str, rendered: str) -> str:
    """An ignore file with the rendered lines about credentials that it lacks; the text itself if it lacks none.

    Those lines are the template's first paragraph; what else a project ignores is its own affair. They go to the end,
    because there a later line wins: `!.env.example` has to follow `.env.*`.
    """
    known = {line.strip() for line in present.splitlines()}
    wanted = [line for line in rendered.split("\n\n", 1)[0].splitlines() if not line.startswith("#")]
    lacking = [line for line in wanted if line not in known]
    if not lacking:
        return present
    if ".env.*" in lacking:
        lacking += [line for line in wanted if line.startswith("!") and line not in lacking]
    newline = "\r\n" if "\r\n" in present else "\n"
    gap = "" if not present else newline if present.endswith(("\n", "\r")) else newline * 2
    return present + gap + newline.join(["# added by hardenctl", *lacking]) + newline


def _probe(facts: ProjectFacts) -> str:
    """Python that fails where the service is not up: its health path is asked, or at least its port."""
    port = f"os.environ.get('PORT', '{facts.port}')"
    if not facts.health:
        return f"import os, socket; socket.create_connection(('127.0.0.1', {port}), 4).close()"
    return f"import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + {port} + '{facts.health}', timeout=4)"


def _postgres_data(image: str) -> str:
    """Where the image wants its volume: version 18 moved it one folder up."""
    version = re.search(r":(\d+)", image.rpartition("/")[2])
    return "/var/lib/postgresql/data" if version and int(version[1]) < 18 else "/var/lib/postgresql"  # noqa: PLR2004 - as said


def _is_subnet(text: str) -> bool:
    try:
        return ipaddress.IPv4Network(text).num_addresses >= 4  # noqa: PLR2004 - its own, the gateway, a container, broadcast
    except ValueError:
        return False


def _gateway(subnet: str) -> str:
    """The network's first address: where Docker has connections to a published port come from."""
    return str(ipaddress.IPv4Network(subnet)[1])
