"""The documentation rules: what counts as a service, and what as documented."""

from __future__ import annotations

import io

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.formats import project_docs
from hardenctl.model.finding import Hit, Render, Severity
from hardenctl.model.settings import Settings
from hardenctl.rules.declare import DocumentRule
from hardenctl.rules.docs import RULES
from hardenctl.sources.memory import MemorySnapshot
from hardenctl.sources.stdin import StdinSource

DOCKERFILE = 'FROM python:3.12\nCMD ["gunicorn", "main:app"]\n'
APP = "import os\nfrom flask import Flask\n\napp = Flask(__name__)\nKEY = os.environ['KEY']\n"


def hits(files: dict[str, str]) -> dict[str, Hit]:
    """Rule to hit, without the `docs-` in front."""
    found = {}
    for result in detect_config(MemorySnapshot(files), RULES, Settings()):
        assert isinstance(result, tuple)
        found[result[0].id.removeprefix("docs-")] = result[1]
    return found


@pytest.mark.parametrize("rule", [pytest.param(each, id=each.id) for each in RULES])
def test_pages_are_fixtures(rule: DocumentRule):
    """The example is flagged; what the page says to use instead is not."""
    name = rule.id.removeprefix("docs-")
    assert name in hits(rule.page.files("Example"))
    assert name not in hits(rule.page.files("Use instead"))
    assert rule.severity <= Severity.LOW
    assert rule.page.why
    assert rule.page.remedy


@pytest.mark.parametrize(
    ("files", "service"),
    [
        pytest.param({"Dockerfile": DOCKERFILE}, True, id="dockerfile"),
        pytest.param({"docker/prod.Dockerfile": DOCKERFILE}, True, id="dockerfile-in-a-folder"),
        pytest.param({"compose.yaml": "services:\n  web:\n    build: .\n"}, True, id="compose-that-builds"),
        pytest.param({"Procfile": "web: x"}, True, id="procfile"),
        pytest.param({"manage.py": ""}, True, id="django"),
        pytest.param({"src/app/main.py": "def make():\n    app = Flask(__name__)\n"}, True, id="factory"),
        pytest.param({"api.py": "api: fastapi.FastAPI = fastapi.FastAPI()\n"}, True, id="annotated"),
        pytest.param({"flask/app.py": '"""Use it::\n\n    app = Flask(__name__)\n"""\n'}, False, id="docstring"),
        pytest.param({"broken.py": "app = Flask(\n"}, False, id="no-python"),
        pytest.param({".ci/compose.yml": "services:\n  web:\n    build: .\n"}, False, id="hidden-folder"),
        pytest.param({"pkg/__init__.py": "import flask\n"}, False, id="library"),
        pytest.param({"tests/app.py": APP, "examples/app.py": APP, "docs_src/app.py": APP}, False, id="not-its-apps"),
        pytest.param({"docker-compose.yml": "services:\n  db:\n    image: postgres:16\n"}, False, id="test-databases"),
        pytest.param({"Dockerfile": "FROM python:3.12\nRUN pip install tox\n"}, False, id="an-image-to-build-in"),
        pytest.param({"Dockerfile": 'FROM nginx\nCMD ["nginx"]\n'}, False, id="not-python"),
        pytest.param({}, False, id="empty"),
    ],
)  # fmt: skip
def test_only_services_are_asked(files: dict[str, str], service: bool):  # noqa: FBT001
    """A library, and an image that only tests run in, are left alone."""
    assert ("no-readme" in hits(files)) is service


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param("README.md", False, id="markdown"),
        pytest.param("readme.rst", False, id="lower-case"),
        pytest.param("README", False, id="no-suffix"),
        pytest.param("README.en.md", False, id="language"),
        pytest.param(".github/README.md", False, id="github"),
        pytest.param("frontend/README.md", True, id="another-folder"),
    ],
)
def test_readme(path: str, found: bool):  # noqa: FBT001
    """A README at the root, in docs or in .github, of any format; an empty one is none."""
    assert ("no-readme" in hits({"Procfile": "", path: "# x"})) is found
    assert "no-readme" in hits({"Procfile": "", path: " \n"})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(".env.example", "", id="usual"),
        pytest.param("env.sample", "", id="no-dot"),
        pytest.param(".env.production.template", "", id="template"),
        pytest.param("backend/.env-dist", "", id="dist"),
        pytest.param("example.env", "", id="turned-round"),
        pytest.param(".envs/.local/.django.env.example", "", id="cookiecutter"),
        pytest.param("README.md", "# x\n\n## Environment variables\n", id="heading"),
        pytest.param("docs/configuration.md", "x", id="guide"),
        pytest.param("README.md", "See the [settings](docs/x.md).", id="link"),
    ],
)
def test_the_environment_is_documented(path: str, text: str):
    """An example file of any usual name, or a guide about the environment."""
    assert "no-env-example" not in hits({"main.py": APP, path: text})


def test_the_environment_is_not_documented():
    """The finding points at the missing file and offers it; what doesn't read the environment needs none."""
    hit = hits({"main.py": APP, ".env.prod": "X=1", "README.md": "# environment\n"})["no-env-example"]
    assert hit.span.path == ".env.example"
    assert hit.fix is not None
    assert hit.fix.edits == (Render("env-example", ".env.example"),)
    assert hit.related[0].span.path == "main.py"
    assert "no-env-example" not in hits({"main.py": "app = Flask(__name__)"})
    django = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x.settings')\n"
    assert "no-env-example" not in hits({"manage.py": django})
    assert "no-env-example" not in hits({"main.py": "app = Flask(__name__)", "gunicorn.conf.py": APP})


@pytest.mark.parametrize(
    ("path", "text", "covered"),
    [
        pytest.param("README.md", "Deploying\n=========\n", {"no-deployment-guide"}, id="underlined"),
        pytest.param("README.md", "== Deployment\n", {"no-deployment-guide"}, id="asciidoc"),
        pytest.param("README.md", "<h2 align='center'>Production</h2>", {"no-deployment-guide"}, id="html"),
        pytest.param("README.rst", ":doc:`deployment`", {"no-deployment-guide"}, id="sphinx"),
        pytest.param("README.md", "[Guide](https://docs.example.com/deploy)", {"no-deployment-guide"}, id="a-site"),
        pytest.param("docs/deploy/aws.md", "", {"no-deployment-guide"}, id="name"),
        pytest.param("README.md", "we deploy", set(), id="prose-is-no-guide"),
        pytest.param("CHANGELOG.md", "## Deployment\n", set(), id="changelog"),
        pytest.param("docs/rotation.md", "", {"no-secrets-guide"}, id="secrets"),
        pytest.param("README.md", "### Load testing\n", {"no-performance-baseline"}, id="performance"),
        pytest.param("load/locustfile.py", "", {"no-performance-baseline"}, id="load-test"),
    ],
)
def test_guides(path: str, text: str, covered: set[str]):
    """A guide is a file of that name, a heading or a link."""
    asked = {"no-deployment-guide", "no-secrets-guide", "no-performance-baseline"}
    assert asked - hits({"main.py": APP, ".hardenctl/load/normal.json": "{}", path: text}).keys() == covered


def test_without_load_results_there_is_nothing_to_explain():
    """That a service has none is said by load-no-evidence alone."""
    assert "no-performance-baseline" not in hits({"main.py": APP})


def test_a_single_file_is_no_project():
    """Standard input says nothing about what the project lacks."""
    snapshot = StdinSource(io.BytesIO(DOCKERFILE.encode()), "Dockerfile").snapshot()
    assert list(detect_config(snapshot, RULES, Settings())) == []
    assert list(project_docs.read(snapshot)) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("a/main.py", True, id="code"),
        pytest.param("docs/x.rst", True, id="guide"),
        pytest.param("Dockerfile", True, id="dockerfile"),
        pytest.param("logo.svg", False, id="image"),
    ],
)
def test_concerns(path: str, expected: bool):  # noqa: FBT001
    """Only files that can make a difference make it read the project."""
    assert project_docs.concerns(path) is expected
