"""Layouts of real projects: what is rendered for them builds and keeps what the service needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardenctl.cli.app import run
from hardenctl.fix.files import read
from hardenctl.formats.project import detect_facts
from hardenctl.render import render
from hardenctl.rules.fakes import scramble
from hardenctl.sources.memory import MemorySnapshot

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
PASSWORD = scramble("layouts", 20)
MONOREPO = {
    "backend/pyproject.toml": '[project]\nname = "app"\ndependencies = ["fastapi"]\n',
    "backend/Dockerfile": "FROM python:3.13\nWORKDIR /app/\nCOPY ./backend/app /app/backend/app\n"
    'WORKDIR /app/backend/\nCMD ["fastapi", "run"]\n',
    "backend/app/main.py": FASTAPI,
    "backend/app/config.py": "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
    "    SECRET_KEY: str\n    POSTGRES_SERVER: str\n    POSTGRES_PASSWORD: str\n    PROJECT_NAME: str\n"
    '    ENVIRONMENT: str = "local"\n    FRONTEND_HOST: str = "http://localhost:5173"\n'
    "    SENTRY_DSN: str | None = None\n"
    "    LIFETIME: int = 60 * 24\n",
    "compose.override.yml": "services:\n  backend:\n"
    "    build:\n      context: .\n      dockerfile: backend/Dockerfile\n"
    "    command: fastapi run --reload\n    ports: ['8000:8000']\n    environment:\n      SMTP_HOST: mailpit\n",
    "compose.yml": "services:\n"
    "  proxy:\n    image: traefik:3.6\n"
    "  db:\n    image: postgres:17\n    volumes: ['data:/var/lib/postgresql/data']\n"
    "  prestart:\n    image: backend\n    build:\n      context: .\n      dockerfile: backend/Dockerfile\n"
    "    command: bash scripts/prestart.sh\n"
    "  backend:\n    image: backend\n    build:\n      context: .\n      dockerfile: backend/Dockerfile\n"
    "    environment:\n      - POSTGRES_SERVER=db\n      - POSTGRES_PORT=${POSTGRES_PORT}\n"
    f"      - SECRET_KEY={PASSWORD}\n      - ENVIRONMENT=local\n      - DOMAIN=${{DOMAIN}}\n"
    "    healthcheck:\n      test: ['CMD', 'curl', '-f', 'http://localhost:8000/api/health-check/']\n"
    "volumes:\n  data: {}\n",
}
SUBFOLDER = {
    "project/Dockerfile": "FROM python:3.12\nWORKDIR /usr/src/app\nCOPY . .\n",
    "project/Dockerfile.prod": "FROM python:3.12\nWORKDIR /home/app/web\nCOPY . .\nCMD gunicorn app.main:app\n",
    "project/db/Dockerfile": "FROM postgres:16\n",
    "project/requirements.txt": "fastapi\ngunicorn\n",
    "project/app/main.py": FASTAPI,
    "project/app/db.py": 'import os\nURL = os.environ.get("DATABASE_URL")\n',
    "docker-compose.yml": "services:\n"
    "  web:\n    build: ./project\n    command: uvicorn app.main:app --reload\n    environment:\n"
    f"      - TESTING=0\n      - DATABASE_URL=postgres://postgres:{PASSWORD}@web-db:5432/web\n"
    "  web-db:\n    build:\n      context: ./project/db\n",
}


def compose_of(files: dict[str, str]) -> dict[str, Any]:
    """The rendered services."""
    services: dict[str, Any] = yaml.safe_load(render("compose", detect_facts(MemorySnapshot(files))))["services"]
    return services


def example_of(files: dict[str, str]) -> list[str]:
    """The lines of the rendered example that are no comments."""
    text = render("env-example", detect_facts(MemorySnapshot(files)))
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_monorepo_builds_from_its_context() -> None:
    """The image is built as the compose file builds it; what it doesn't copy is mounted; settings stay."""
    web = compose_of(MONOREPO)["backend"]
    assert web["build"] == {"context": ".", "dockerfile": "backend/Dockerfile"}
    assert web["volumes"] == ["./gunicorn.conf.py:/app/backend/gunicorn.conf.py:ro"]
    assert "/api/health-check/" in web["healthcheck"]["test"][3]
    environment = web["environment"]
    assert environment["POSTGRES_SERVER"] == "db"
    assert environment["DOMAIN"] == "${DOMAIN}"
    assert not {"SECRET_KEY", "ENVIRONMENT", "SMTP_HOST"} & environment.keys()


def test_monorepo_example_lists_what_is_read() -> None:
    """Credentials are placeholders, settings have their defaults, the database's host is its service."""
    lines = example_of(MONOREPO)
    assert {"SECRET_KEY=change-me", "POSTGRES_PASSWORD=change-me", "POSTGRES_SERVER=db", "PROJECT_NAME="} <= {*lines}
    assert {"ENVIRONMENT=production", "POSTGRES_PORT=5432", "DOMAIN="} <= {*lines}
    assert not any(line.startswith(("CORS_ORIGINS", "DATABASE_URL", "SENTRY_DSN", "LIFETIME")) for line in lines)
    text = render("env-example", detect_facts(MemorySnapshot(MONOREPO)))
    assert "\n# LIFETIME=\n" in text
    assert "\n# FRONTEND_HOST=http://localhost:5173\n" in text


def test_subfolder_builds_its_production_image() -> None:
    """A folder is the context, its production Dockerfile is used, and a database that is built here stays so."""
    services = compose_of(SUBFOLDER)
    assert services["web"]["build"] == {"context": "./project", "dockerfile": "Dockerfile.prod"}
    assert services["web"]["volumes"] == ["./gunicorn.conf.py:/home/app/web/gunicorn.conf.py:ro"]
    assert services["web"]["environment"]["TESTING"] == "0"
    assert services["web-db"]["build"] == "./project/db"
    assert [line for line in example_of(SUBFOLDER) if line.startswith("DATABASE_URL")] == [
        "DATABASE_URL=postgres://app:change-me@web-db:5432/app"
    ]


@pytest.mark.parametrize(
    ("files", "build", "command"),
    [
        pytest.param({"Dockerfile": "FROM python:3.13\nCOPY . .\n"}, ".", "gunicorn", id="the root"),
        pytest.param({"api/Dockerfile": "FROM python:3.13\nCOPY . .\n"}, "./api", "gunicorn", id="a folder"),
        pytest.param(
            {"api/Dockerfile": "FROM python:3.13\nCOPY ./api/src /src\n"},
            {"context": ".", "dockerfile": "api/Dockerfile"},
            "gunicorn",
            id="a Dockerfile that copies from the root",
        ),
        pytest.param(
            {"Dockerfile": "FROM python:3.13\nCOPY . .\nCMD poetry run uvicorn main:app\n"}, ".", "poetry", id="poetry"
        ),
        pytest.param(
            {
                "compose.yml": "services:\n  web:\n    build: {context: ., target: prod}\n",
                "Dockerfile": "FROM a AS prod\n",
            },
            {"context": ".", "dockerfile": "Dockerfile", "target": "prod"},
            "gunicorn",
            id="a target",
        ),
    ],
)
def test_builds(files: dict[str, str], build: object, command: str) -> None:
    """Without a compose file the Dockerfile says what its context is."""
    web = compose_of({"main.py": FASTAPI, **files})["web"]
    assert web["build"] == build
    assert web["command"][0] == command


def test_what_is_left_out_is_said(
    make_repository: Callable[..., Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services and variables that the rendered file lacks are named on standard error, no value with them."""
    monkeypatch.chdir(make_repository(MONOREPO).root)
    assert run(["render", "compose"]) == 0
    printed = capsys.readouterr()
    assert "`proxy`, `prestart` of compose.yml" in printed.err
    assert "`SECRET_KEY`, `ENVIRONMENT`" in printed.err
    assert "neither the dependencies nor backend/Dockerfile install" in printed.err
    assert PASSWORD not in printed.out + printed.err


def test_the_fix_writes_the_same_example(make_repository: Callable[..., Any]) -> None:
    """`docs-no-env-example` writes what `render env-example` prints."""
    root: Path = make_repository(SUBFOLDER).root
    run(["fix", str(root), "--select", "docs-no-env-example", "--apply"])
    written = read(root, ".env.example")
    assert written
    assert b"DATABASE_URL=postgres://app:change-me@web-db:5432/app" in written


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param('ALLOWED_HOSTS: list[str] = ["*"]', 'ALLOWED_HOSTS=["app.example.com"]', id="a list is JSON"),
        pytest.param('TITLE: str = "My shop"', "# TITLE='My shop'", id="blanks are quoted"),
        pytest.param("DEBUG: bool = True", "DEBUG=false", id="no debugging in production"),
        pytest.param('DB_HOST: str = "localhost"', "DB_HOST=db", id="the host is the service"),
        pytest.param("DB_PORT: int = 1", "DB_PORT=5432", id="the port is the image's"),
        pytest.param("REDIS_HOST: str", "REDIS_HOST=cache", id="the cache's host"),
        pytest.param("API_KEY: str", "API_KEY=change-me", id="a credential"),
        pytest.param(
            f'API_KEY: str = "{PASSWORD}"', "API_KEY=change-me", id="a credential with a default is not shown"
        ),
        pytest.param("names: dict[str, str]", "# NAMES=[]", id="what has to be JSON"),
    ],
)
def test_example_lines(code: str, expected: str) -> None:
    """Each kind of setting as it can be put into an env file."""
    files = {
        "settings.py": f"from pydantic_settings import BaseSettings\n\n\nclass S(BaseSettings):\n    {code}\n",
        "compose.yml": "services:\n  db: {image: 'postgres:17'}\n  cache: {image: 'redis:8'}\n",
    }
    text = render("env-example", detect_facts(MemorySnapshot(files)))
    assert PASSWORD not in text
    assert expected in text.splitlines()


@pytest.mark.parametrize(
    ("code", "more", "expected"),
    [
        pytest.param('os.environ.get("WEB") is not None', {}, ["# WEB="], id="an-empty-value-is-a-yes"),
        pytest.param('os.getenv("ELASTICSEARCH_URL")', {}, ["# ELASTICSEARCH_URL="], id="no-url-anybody-knows"),
        pytest.param('os.environ["ELASTICSEARCH_URL"]', {}, ["ELASTICSEARCH_URL="], id="a-url-that-is-needed"),
        pytest.param('os.getenv("MODE", "fast")', {}, ["# MODE=fast"], id="a-default"),
        pytest.param('os.environ["MODE"]', {"requirements.txt": "psycopg2\nredis\n"}, ["MODE="], id="only-drivers"),
        pytest.param(
            'os.getenv("DB_URL", "mysql+aiomysql://u:p@h/x")', {"requirements.txt": "aiomysql\n"},
            ["DB_URL=mysql+aiomysql://app:change-me@db:3306/app"], id="the-drivers-scheme"),
        pytest.param(
            'os.environ["MODE"]', {"compose.yml": "services:\n  db:\n    image: postgres:17\n    env_file: .env.db\n"},
            ["MODE=", "POSTGRES_DB=app", "POSTGRES_PASSWORD=change-me", "POSTGRES_USER=app"],
            id="a-store-that-reads-an-env-file"),
        pytest.param(
            'os.environ["REDIS_URL"]', {"compose.yml": "services: {cache: {image: 'redis:8'}}\n"},
            ["REDIS_URL=redis://cache:6379/0"], id="a-store-without-a-password"),
        pytest.param(
            'os.environ["MODE"]',
            {"compose.yml": "services:\n  # ${NO}\n  a: {image: 'a:${TAG}', command: '$$NO $USER ${N:-x}'}\n"},
            ["# N=", "MODE=", "TAG="], id="what-compose-puts-in"),
        pytest.param("1", {}, [], id="nothing-is-read"),
    ],
)  # fmt: skip
def test_only_what_is_read(code: str, more: dict[str, str], expected: list[str]) -> None:
    """What neither the code nor Compose reads is left out, and what may be left out is commented."""
    files = {"main.py": f"import os\nfrom flask import Flask\napp = Flask(__name__)\nvalue = {code}\n", **more}
    text = render("env-example", detect_facts(MemorySnapshot(files)))
    lines = [line for line in text.splitlines() if "=" in line and "WEB_CONCURRENCY" not in line]
    assert sorted(lines) == expected


def test_the_config_is_mounted_where_the_process_starts() -> None:
    """An image without a WORKDIR starts in `/`."""
    files = {
        "docker/Dockerfile": "FROM python:3.13\nRUN pip install shop gunicorn\nCMD gunicorn a:b\n",
        "compose.yml": "services:\n  web:\n    build:\n      context: .\n      dockerfile: docker/Dockerfile\n",
    }
    assert compose_of(files)["web"]["volumes"] == ["./gunicorn.conf.py:/gunicorn.conf.py:ro"]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param(
            {"web/requirements.txt": "django", "web/manage.py": "DJANGO_SETTINGS_MODULE", "web/shop/wsgi.py": ""},
            ["COPY web/requirements.txt ./requirements.txt", "COPY web .", "COPY gunicorn.conf.py ."],
            id="a-folder-with-its-own-requirements",
        ),
        pytest.param(
            {"requirements.txt": "fastapi", "api/manage.py": "", "api/main.py": FASTAPI},
            ["COPY requirements.txt ./requirements.txt", "COPY api .", "COPY gunicorn.conf.py ."],
            id="a-folder-with-the-roots-requirements",
        ),
        pytest.param(MONOREPO, ["COPY backend/ .", "COPY backend .", "COPY gunicorn.conf.py ."], id="a-package"),
        pytest.param(
            {"requirements.txt": "fastapi", "main.py": FASTAPI, "old/requirements.txt": "", "old/main.py": FASTAPI},
            ["COPY requirements.txt ./requirements.txt", "COPY . ."],
            id="the-root",
        ),
    ],
)
def test_the_image_holds_what_the_app_is_imported_from(files: dict[str, str], wanted: list[str]) -> None:
    """The folder the app lies in becomes the working folder: from anywhere else its module would not be found."""
    lines = render("dockerfile", detect_facts(MemorySnapshot(files))).splitlines()
    assert [each for each in lines if each.startswith("COPY ") and "--from" not in each] == wanted
