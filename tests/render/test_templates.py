from __future__ import annotations

import ast
import http.server
import itertools
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
import yaml

from hardenctl.audit import audit
from hardenctl.formats.project import ProjectFacts, detect_facts, plain_name
from hardenctl.formats.project_services import referenced
from hardenctl.formats.project_variables import Variable
from hardenctl.generate.env import fill
from hardenctl.model.errors import UsageError
from hardenctl.model.finding import Severity
from hardenctl.policy.policy import default_policy
from hardenctl.render import TEMPLATES, merge, override, render
from hardenctl.render.render import _CHOICES, _DETECTED_ONLY, _SHAPES
from hardenctl.rules.secrets.values import ValueClass, classify_value
from hardenctl.sources import open_source
from hardenctl.sources.memory import MemorySnapshot

PROJECTS = [
    pytest.param(
        ProjectFacts(framework=framework, database=database, cache=cache), id=f"{framework}-{database}-{cache}"
    )
    for (framework, database), cache in zip(
        itertools.product(("fastapi", "flask", "django"), ("postgres", "mysql", "mongodb", "sqlite", "none")),
        itertools.cycle(("redis", "none")),
        strict=False,
    )
]


READ = [("MY_API_KEY", None, True), ("LOG_FORMAT", ""), ("SECRET_KEY", None, True), ("CORS_ORIGINS", "")]


@pytest.mark.parametrize("facts", PROJECTS)
@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_everything_renders(name: str, facts: ProjectFacts) -> None:
    """Every template renders for every kind of project, ends in one newline, and has no template syntax left."""
    text = render(name, facts)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "{%" not in text
    assert "\n\n\n\n" not in text
    if name not in {"github-actions", "monitoring"}:  # both have templates of their own
        assert "{{" not in text
    path = TEMPLATES[name].path
    if path.endswith(".py"):
        ast.parse(text)
    if path.endswith((".yml", ".yaml")):
        assert list(yaml.safe_load_all(text))


@pytest.mark.parametrize("facts", PROJECTS)
def test_compose_is_hardened(facts: ProjectFacts) -> None:
    """Every service is confined, limited and watched; no store is published; no credential stands in the file."""
    compose = yaml.safe_load(render("compose", facts))
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]
        assert "/tmp" in service["tmpfs"]  # noqa: S108 - a mount inside the container
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]
        assert service["logging"]["options"]["max-size"]
        assert "latest" not in service.get("image", "")
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))
        for network in service["networks"]:
            assert network in compose["networks"]
        for other, how in service.get("depends_on", {}).items():
            assert other in compose["services"]
            assert how == {"condition": "service_healthy"}
        for mount in service.get("volumes", ()):
            assert mount.partition(":")[0] in compose["volumes"]
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key and "RANDOM" not in key:
                assert value.startswith("${"), key
                assert ":?" in value, key
        if name != "web":
            assert "ports" not in service
            assert service["networks"] == ["back"]
    assert compose["networks"].get("back", {"internal": True}) == {"internal": True}


def test_stores_keep_what_their_images_need() -> None:
    """Stock PostgreSQL starts as root and becomes postgres: five capabilities and its run folder; redis needs none."""
    compose = yaml.safe_load(render("compose", ProjectFacts(database="postgres", cache="redis")))
    database, cache = compose["services"]["db"], compose["services"]["redis"]
    assert set(database["cap_add"]) == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert "/var/run/postgresql" in database["tmpfs"]
    assert cache["user"] == "redis"
    assert "cap_add" not in cache
    assert "requirepass %s\\n" in cache["command"][2]


@pytest.mark.parametrize(
    ("image", "mount"),
    [
        pytest.param("", "/var/lib/postgresql", id="ours"),
        pytest.param("postgres:17.2", "/var/lib/postgresql/data", id="17"),
        pytest.param("postgres:18", "/var/lib/postgresql", id="18"),
        pytest.param("registry:5000/postgres:16", "/var/lib/postgresql/data", id="a registry's port is no version"),
    ],
)
def test_postgres_data_folder(image: str, mount: str) -> None:
    """The volume is mounted where the image's version keeps its data."""
    facts = ProjectFacts(database="postgres", database_image=image, database_volume="pg")
    compose = yaml.safe_load(render("compose", facts))
    assert compose["services"]["db"]["volumes"] == [f"pg:{mount}"]
    assert compose["volumes"] == {"pg": {}}


def test_host_folder_is_no_named_volume() -> None:
    """Data in a folder of the host stays there."""
    facts = ProjectFacts(database="postgres", database_image="postgres:16", database_volume="./pgdata")
    compose = yaml.safe_load(render("compose", facts))
    assert compose["services"]["db"]["volumes"] == ["./pgdata:/var/lib/postgresql/data"]
    assert "volumes" not in compose


@pytest.mark.parametrize("facts", PROJECTS)
def test_env_example_can_be_filled(facts: ProjectFacts) -> None:
    """The example holds no live value, and `generate env` makes a whole file of it that compose can use."""
    compose = render("compose", facts)
    read = tuple(Variable(*each) for each in READ)
    example = render("env-example", replace(facts, variables=read, references=referenced([compose])))
    for line in example.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            assert classify_value(key, value) is not ValueClass.LIVE, key
    filled = fill(example, None)
    assert set(filled.missing) == {"CORS_ORIGINS", "MY_API_KEY"}
    assert "\n# LOG_FORMAT=\n" in example
    assert not filled.check
    for variable in compose.split("${")[1:]:
        assert f"\n{variable.partition(':')[0]}=" in filled.text


def test_ignore_files_are_what_git_thinks(make_repository: Callable[..., Any]) -> None:
    """Git, asked, ignores env files, keys and dumps, and not their examples."""
    repository = make_repository({".gitignore": render("gitignore", ProjectFacts(env_example=".env.sample"))})
    wanted = [".env", ".env.prod", "a/.env.local", "prod.env", "server.pem", "a/b.key", "dump.sql.gz", "app.sqlite3"]
    kept = [".env.example", ".env.sample", "a/.env.example", "environment.py", "keys.py"]
    repository.write(dict.fromkeys([*wanted, *kept], ""))
    ignored = repository.git("status", "--porcelain", "--ignored", "-uall").splitlines()
    assert {line[3:] for line in ignored if line.startswith("!!")} == set(wanted)


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param("", ["# added by hardenctl", ".env", ".env.*", "!.env.example", "*.pem"], id="empty"),
        pytest.param(
            "*.log\n.env\n",
            ["*.log", ".env", "", "# added by hardenctl", ".env.*", "!.env.example", "*.pem"],
            id="some",
        ),
        pytest.param(
            "!.env.example\n.env\n*.pem",
            ["!.env.example", ".env", "*.pem", "", "# added by hardenctl", ".env.*", "!.env.example"],
            id="the exception has to come last",
        ),
        pytest.param(
            ".env\n.env.*\n!.env.example\n*.pem\n", [".env", ".env.*", "!.env.example", "*.pem"], id="all there"
        ),
    ],
)
def test_merge(present: str, expected: list[str]) -> None:
    """What an ignore file lacks is added at its end; what it says stays."""
    rendered = "# credentials\n.env\n.env.*\n!.env.example\n*.pem\n\n# Python\nbuild/\n"
    merged = merge(present, rendered)
    assert merged.splitlines() == expected
    assert merge(merged, rendered) == merged


def test_merge_keeps_crlf() -> None:
    """A file with Windows line ends keeps them."""
    assert merge("a\r\n", "b\n") == "a\r\n\r\n# added by hardenctl\r\nb\r\n"


def test_override() -> None:
    """Facts can be overridden; what was found of another database is forgotten."""
    facts = ProjectFacts(database="postgres", database_image="postgres:16", database_volume="pg")
    changed = override(facts, ["port=9000", "database=mysql", "app=a.b:c"])
    assert (changed.port, changed.app, changed.database, changed.database_image) == (9000, "a.b:c", "mysql", "")
    assert override(facts, ["database=postgres"]).database_image == "postgres:16"
    assert override(facts, ["database=mysql", "database_image=mysql:9"]).database_image == "mysql:9"


@pytest.mark.parametrize(
    ("setting", "what", "help"),
    [
        pytest.param("prot=1", "no fact `prot`", "did you mean `port`?", id="misspelt"),
        pytest.param("zzz=1", "no fact `zzz`", "there are: app,", id="nothing near"),
        pytest.param("variables=A", "no fact `variables`", "", id="cannot be set"),
        pytest.param("port", "takes key=value", "for example", id="no value"),
        pytest.param("port=0", "`0` is no port", "8080", id="no port"),
        pytest.param("port=x", "`x` is no port", "8080", id="no number"),
        pytest.param("framework=rails", "`rails` is no framework", "fastapi", id="no such framework"),
        pytest.param("port=²", "is no port", "8080", id="a digit that is no number"),
        pytest.param("port=65536", "is no port", "8080", id="too large a port"),
        pytest.param("subnet=fd00::/64", "no IPv4 network", "10.231", id="another kind of network"),
        pytest.param("name=", "is no name", "shop", id="no name"),
        pytest.param("name=x: {y", "is no name", "shop", id="no name anywhere"),
        pytest.param("name=ÄÖ", "is no name", "shop", id="a name of which nothing would be left"),
        pytest.param('health=/a"b', "is no health", "/health", id="would break out of a string"),
        pytest.param("health=/x; } evil {", "is no health", "/health", id="would end a directive"),
        pytest.param("health=x", "is no health", "/health", id="no path"),
        pytest.param("env_file=x: y", "is no env file", ".env", id="would begin a mapping"),
        pytest.param("env_file=x:", "is no env file", ".env", id="would begin one at the end of the line"),
        pytest.param("env_file=*x", "is no env file", ".env", id="would be an alias"),
        pytest.param("env_file=-x", "is no env file", ".env", id="would be an option"),
        pytest.param("env_file=$(x)", "is no env file", ".env", id="would be run"),
        pytest.param("requirements=a b", "is no requirements", "requirements.txt", id="would be two files"),
        pytest.param("database_image=[a]", "is no database image", "postgres:", id="would be a list"),
        pytest.param("cache_image=redis #", "is no cache image", "postgres:", id="would be a comment"),
        pytest.param("database_volume=a: b", "is no database volume", "./data", id="would be a mapping of a volume"),
        pytest.param("python=x", "is no python", "3.", id="no version"),
        pytest.param("worker_class=a'b", "is no worker class", "uvicorn", id="no class"),
        pytest.param("service=1e3", "no service", "db", id="would be a number"),
        pytest.param("app=a b", "no app", "main:app", id="no application"),
        pytest.param("service=x: {y", "no service", "db", id="no service"),
    ],
)
def test_override_refusals(setting: str, what: str, help: str) -> None:  # noqa: A002 - the word users read
    """A setting that cannot be is an error with a way out."""
    with pytest.raises(UsageError, match=what) as caught:
        override(ProjectFacts(), [setting])
    assert help in caught.value.help


@pytest.mark.parametrize("given", ["my.shop", "X -- Y", "Shop_2"])
def test_a_name_that_is_set_becomes_a_plain_one(given: str) -> None:
    """As one that is found: whatever it was, it can stand in any file."""
    assert re.fullmatch("[a-z2-]+", override(ProjectFacts(), [f"name={given}"]).name)


def test_every_fact_that_can_be_set_has_a_shape() -> None:
    """A new one cannot be forgotten: its value would go into files as it is."""
    settable = {each.name for each in fields(ProjectFacts)} - _DETECTED_ONLY
    assert settable == {*_SHAPES, *_CHOICES, "subnet"}


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(ProjectFacts(service="a: {b"), id="service"),
        pytest.param(ProjectFacts(database="postgres", database_image="x\nprivileged: true"), id="image"),
        pytest.param(ProjectFacts(health="/x'+evil()+'"), id="health"),
    ],
)
def test_what_was_found_is_checked_too(facts: ProjectFacts) -> None:
    """A project that is not trusted puts no line of its own into what is rendered for it."""
    with pytest.raises(UsageError, match="is no") as caught:
        render("compose", facts)
    assert "--set" in caught.value.help


@pytest.mark.parametrize(
    ("given", "plain"),
    [("My Shop", "my-shop"), ("2048", "app-2048"), ("yes", "app-yes"), ("---", "app"), ("x" * 99, "x" * 50)],
)
def test_plain_names(given: str, plain: str) -> None:
    """A name is one in YAML, a DNS label for Kubernetes, and leaves room for an ending."""
    assert plain_name(given) == plain


def test_a_container_is_named_as_kubernetes_wants_it() -> None:
    """A service of compose may have underscores and capitals, a container in a pod none."""
    text = render("k8s", ProjectFacts(service="Web_App"))
    deployment = next(each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["name"] == "web-app"
    assert 'container="web-app"' in render("monitoring", ProjectFacts(service="Web_App"))


@pytest.mark.parametrize(
    "setting",
    [
        "database_image=postgres:${TAG:-18}",
        "database_volume=./data",
        "health=/health?a=b",
        "service=api_v2",
        "service=2web",
        "app=my-shop.übung:app",
    ],
)
def test_what_projects_set_is_taken(setting: str) -> None:
    """References to variables, folders, queries and versions are no danger."""
    key, _, value = setting.partition("=")
    assert getattr(override(ProjectFacts(), [setting]), key) == value


@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")
@pytest.mark.parametrize("health", ["", "/health"], ids=["the port", "the health path"])
def test_health_checks_notice(health: str) -> None:
    """The probe of compose and image passes while the service answers, and fails when it does not."""
    facts = ProjectFacts(health=health, port=1)
    probe = yaml.safe_load(render("compose", facts))["services"]["web"]["healthcheck"]["test"]
    assert probe[:3] == ["CMD", "python", "-c"]
    assert probe[3] in render("dockerfile", facts)
    server = http.server.HTTPServer(("127.0.0.1", 0), Healthy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def check(port: int) -> int:
        environment = {**os.environ, "PORT": str(port)}
        return subprocess.run(
            [sys.executable, *probe[2:]], env=environment, capture_output=True, check=False
        ).returncode

    try:
        assert check(server.server_port) == 0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert check(server.server_port) != 0


class Healthy(http.server.BaseHTTPRequestHandler):
    """Answers on /health alone, as a service would."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_unknown_template() -> None:
    """A misspelt name gets the nearest."""
    with pytest.raises(UsageError, match="no template `gunicron`") as caught:
        render("gunicron", ProjectFacts())
    assert caught.value.help == "did you mean `gunicorn`?"


def test_pre_commit_and_ci_run_what_there_is() -> None:
    """The hook and the workflow call commands of ours."""
    hook = yaml.safe_load(render("pre-commit", ProjectFacts()))["repos"][0]["hooks"][0]
    assert hook["entry"] == "hardenctl audit --staged"
    workflow = yaml.safe_load(render("github-actions", ProjectFacts()))
    assert workflow[True]["push"]["branches"] == ["main", "master"]  # `on` is a boolean to YAML 1.1
    steps = workflow["jobs"]["audit"]["steps"]
    assert steps[-1]["run"] == "hardenctl audit --format github"


@pytest.mark.parametrize("facts", PROJECTS)
def test_our_own_audit_finds_nothing(facts: ProjectFacts, make_repository: Callable[..., Any]) -> None:
    """What we render passes our own rules: nothing of severity low or above in any rendered file."""
    files = {template.path: render(name, facts) for name, template in TEMPLATES.items()}
    repository = make_repository({**files, "requirements.txt": "gunicorn\n"})
    report = audit(open_source([repository.root]), default_policy())
    found = [
        f"{each.finding.rule} {each.finding.location.path}:{each.finding.location.line} {each.finding.message}"
        for each in report.open
        if each.severity >= Severity.LOW and each.finding.location.path in files
    ]
    assert found == []
    assert report.gaps == ()


def test_facts_of_what_we_render() -> None:
    """Detection reads our own templates back: rendering again gives the same."""
    facts = ProjectFacts(framework="fastapi", app="shop.api:app", database="postgres", cache="redis", port=9000)
    files = {
        name: render(template, facts)
        for template, name in (("compose", "docker-compose.yml"), ("dockerfile", "Dockerfile"))
    }
    found = detect_facts(MemorySnapshot({**files, "requirements.txt": "fastapi\nredis\n"}))
    assert (found.app, found.database, found.cache, found.port) == ("shop.api:app", "postgres", "redis", 9000)
    assert render("compose", replace(found, name=facts.name)) == files["docker-compose.yml"]


def test_pyproject_parses() -> None:
    """The wheel carries the templates where the code looks for them."""
    from pathlib import Path

    data = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert data["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]["templates"] == "hardenctl/templates"
