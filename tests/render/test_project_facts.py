from __future__ import annotations

import pytest

from hardenctl.formats.project import ProjectFacts, detect_facts, store_hosts
from hardenctl.sources.memory import MemorySnapshot

DJANGO = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"


def facts(files: dict[str, str]) -> ProjectFacts:
    """The facts of a project made of these files."""
    return detect_facts(MemorySnapshot(files))


@pytest.mark.parametrize(
    ("files", "framework", "app"),
    [
        pytest.param({"main.py": FASTAPI}, "fastapi", "main:app", id="one file"),
        pytest.param({"app/main.py": FASTAPI, "pyproject.toml": ""}, "fastapi", "app.main:app", id="a package"),
        pytest.param({"src/shop/api.py": FASTAPI, "pyproject.toml": ""}, "fastapi", "shop.api:app", id="src layout"),
        pytest.param(
            {"backend/app/main.py": FASTAPI, "backend/requirements.txt": "fastapi\n"},
            "fastapi",
            "app.main:app",
            id="a backend folder with its own requirements",
        ),
        pytest.param(
            {"shop/__init__.py": "def create_app():\n    app = flask.Flask(__name__)\n    return app\n"},
            "flask",
            "shop:create_app()",
            id="a factory",
        ),
        pytest.param(
            {"wsgi.py": "import flask\n\napplication: flask.Flask = flask.Flask(__name__)\n"},
            "flask",
            "wsgi:application",
            id="an annotated name and a dotted class",
        ),
        pytest.param(
            {"manage.py": DJANGO, "shop/wsgi.py": "", "shop/asgi.py": "", "shop/settings.py": ""},
            "django",
            "shop.wsgi:application",
            id="Django",
        ),
        pytest.param({"manage.py": DJANGO, "shop/asgi.py": ""}, "django", "shop.asgi:application", id="Django on ASGI"),
        pytest.param(
            {"main.py": FASTAPI, "server.py": FASTAPI, "Procfile": "web: gunicorn -w 2 server:app\n"},
            "fastapi",
            "server:app",
            id="the launch line knows best",
        ),
        pytest.param(
            {"a.py": FASTAPI, "Dockerfile": 'CMD ["uvicorn", "a:app", "--port", "9000"]\n'},
            "fastapi",
            "a:app",
            id="exec form",
        ),
        pytest.param(
            {"tests/test_app.py": FASTAPI, "docs/x.py": FASTAPI}, "none", "main:app", id="tests are no service"
        ),
        pytest.param({"broken.py": "app = FastAPI(\n"}, "none", "main:app", id="a syntax error says nothing"),
        pytest.param({"requirements.txt": "Flask==3.1\n"}, "flask", "main:app", id="only a dependency"),
        pytest.param({"make.py": "def make(x):\n    return FastAPI()\n"}, "none", "main:app", id="needs an argument"),
        pytest.param(
            {"manage.py": "cli()\n", "shop.py": "app = Flask(__name__)\n"}, "flask", "shop:app", id="Flask's manage.py"
        ),
        pytest.param(
            {"bin/docker-entrypoint": "exec gunicorn -b :80 shop.wsgi:app\n"}, "none", "shop.wsgi:app", id="a script"
        ),
        pytest.param({}, "none", "main:app", id="nothing"),
    ],
)
def test_framework_and_app(files: dict[str, str], framework: str, app: str) -> None:
    """The app is found where gunicorn would find it."""
    found = facts(files)
    assert (found.framework, found.app) == (framework, app)


@pytest.mark.parametrize(
    ("files", "database", "cache"),
    [
        pytest.param({"requirements.txt": "psycopg2-binary==2.9\nredis>=5\n"}, "postgres", "redis", id="requirements"),
        pytest.param({"requirements/base.txt": "mysqlclient\n"}, "mysql", "none", id="a folder of requirements"),
        pytest.param({"pyproject.toml": '[project]\ndependencies = ["motor>=3"]\n'}, "mongodb", "none", id="pyproject"),
        pytest.param(
            {"pyproject.toml": '[project.optional-dependencies]\ndb = ["asyncpg"]\n'}, "postgres", "none", id="an extra"
        ),
        pytest.param(
            {"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"\nPyMySQL = "*"\n'},
            "mysql",
            "none",
            id="poetry",
        ),
        pytest.param({"Pipfile": '[packages]\nasyncpg = "*"\n'}, "postgres", "none", id="Pipfile"),
        pytest.param({"pyproject.toml": "[broken"}, "none", "none", id="a broken file says nothing"),
        pytest.param({"app.py": "import sqlite3\n" + FASTAPI}, "sqlite", "none", id="sqlite in the code"),
        pytest.param(
            {"compose.prod.yml": "services:\n  pg: {image: postgis/postgis:16-3.4}\n  c: {image: valkey/valkey:8}\n"},
            "postgres",
            "redis",
            id="compose images",
        ),
        pytest.param({"compose.yml": "services: [\n"}, "none", "none", id="a broken compose file"),
        pytest.param({"compose.yml": "- a\n"}, "none", "none", id="compose that is a list"),
        pytest.param({"compose.yml": "services:\n  a:\n"}, "none", "none", id="an empty service"),
    ],
)
def test_stores(files: dict[str, str], database: str, cache: str) -> None:
    """Databases are known by their drivers and their images."""
    found = facts(files)
    assert (found.database, found.cache) == (database, cache)


def test_a_project_file_with_an_endless_number_says_nothing() -> None:
    """Python reads no integer of so many digits: that is a file like any other that cannot be parsed."""
    text = 'project.name = "shop"\nx = ' + "9" * 5000
    assert detect_facts(MemorySnapshot({"pyproject.toml": text})).name == "app"


def test_what_is_there_stays() -> None:
    """Service names, pinned images and volumes of a present compose file are facts: data hangs on them."""
    compose = (
        "services:\n"
        "  api:\n    build: .\n"
        "  store:\n    image: postgres:16.4\n    volumes:\n      - ./init.sql:/docker-entrypoint-initdb.d/init.sql\n"
        "      - pg:/var/lib/postgresql/data\n"
        "  cache:\n    image: redis:latest\n    volumes:\n      - {type: volume, source: kept, target: /data}\n"
        "volumes:\n  pg: {}\n  kept: {}\n"
    )
    found = facts({"compose.yaml": compose})
    assert (found.service, found.database_host, found.cache_host) == ("api", "store", "cache")
    assert (found.database_image, found.database_volume) == ("postgres:16.4", "pg")
    assert (found.cache_image, found.cache_volume) == ("", "kept")
    assert store_hosts(MemorySnapshot({"compose.yaml": compose})) == {"postgres": "store", "redis": "cache"}


@pytest.mark.parametrize(
    ("files", "port"),
    [
        pytest.param({"Dockerfile": "EXPOSE 9000\n"}, 9000, id="EXPOSE"),
        pytest.param({"Procfile": "web: gunicorn a:b --bind 0.0.0.0:5000\n"}, 5000, id="bind"),
        pytest.param({"Procfile": "web: gunicorn a:b --bind=:5001\n"}, 5001, id="bind without host"),
        pytest.param({"compose.yml": "services:\n  a:\n    command: uvicorn a:b --port 7000\n"}, 7000, id="port"),
        pytest.param({"gunicorn.conf.py": 'bind = "127.0.0.1:8888"\n'}, 8888, id="gunicorn's config file"),
        pytest.param({"Dockerfile": "EXPOSE 70000\n"}, 8000, id="no port"),
        pytest.param({}, 8000, id="nothing"),
    ],
)
def test_port(files: dict[str, str], port: int) -> None:
    """The port is what the launch lines say."""
    assert facts(files).port == port


def test_the_rest() -> None:
    """Name, Python, requirements, health path, env files and what the code reads from the environment."""
    found = facts(
        {
            "pyproject.toml": '[project]\nname = "My_Shop.API"\ndependencies = ["fastapi", "uvicorn-worker"]\n',
            "Dockerfile": "FROM python:3.12-slim AS build\n",
            "main.py": FASTAPI
            + 'import os\nA = os.environ["A_KEY"]\nB = os.getenv(\'B_KEY\', "x")\nC = os.environ.get("C_KEY")\n'
            '@app.get("/healthz")\ndef health(): ...\n',
            ".env.sample": "",
            "compose.yml": "services:\n  web:\n    build: .\n    env_file: deploy/.env.prod\n",
        }
    )
    assert found.name == "my-shop-api"
    assert found.python == "3.12"
    assert found.requirements == "pyproject.toml"
    assert found.health == "/healthz"
    assert found.env_file == "deploy/.env.prod"
    assert found.env_example == ".env.sample"
    assert [each.name for each in found.variables] == ["A_KEY", "B_KEY", "C_KEY"]
    assert found.worker_class == "uvicorn_worker.UvicornWorker"
    assert found.interface == "asgi"


def test_committed_env_file_is_not_the_target() -> None:
    """The env file that is in the repository already is not the one to tell people to write."""
    files = {"compose.yml": "services:\n  web:\n    build: .\n    env_file: .env.prod\n", ".env.prod": "A=1\n"}
    assert facts(files).env_file == ".env.production"


@pytest.mark.parametrize(("text", "python"), [("3.11.4\n", "3.11"), ("python-3.12\n", "3.12"), ("nothing\n", "3.13")])
def test_python_version_file(text: str, python: str) -> None:
    """`.python-version` counts where there is no Dockerfile."""
    assert facts({".python-version": text}).python == python
