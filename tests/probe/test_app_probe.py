"""`check cors --app`: the project's own application in a subprocess, against the real frameworks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hardenctl.cli.app import app as cli
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.probe.app import AppClient, check_name, environment, interpreter_of

STARLETTE = """
import os
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

print("printed by the application")
app = Starlette()
app.add_middleware(CORSMiddleware, allow_credentials=True, allow_origins=os.environ.get("ORIGINS", "*").split(","))


def create():
    return app
"""
FLASK = """
import os
from flask import Flask
from flask_cors import CORS

app = Flask(__name__)
CORS(app, origins=[os.environ.get("PATTERN", "*")], supports_credentials=True, methods=["GET"], allow_headers=["X-A"])
"""
DJANGO = """
import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["corsheaders"],
    MIDDLEWARE=["corsheaders.middleware.CorsMiddleware"],
    CORS_ALLOW_ALL_ORIGINS=os.environ.get("ALL", "True") == "True",
    CORS_ALLOWED_ORIGINS=["https://app.example.com"],
    CORS_ALLOW_CREDENTIALS=True,
    CORS_ALLOW_METHODS=["GET"],
)
urlpatterns = [path("", lambda request: HttpResponse("x"))]
application = get_wsgi_application()
"""
HAND_WRITTEN = """
async def app(scope, receive, send):
    await receive()
    origin = dict(scope["headers"])[b"origin"]
    headers = [(b"access-control-allow-origin", origin)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    raise RuntimeError("after the answer")
"""
CREDENTIALS = "cors-any-origin-credentials"


def check(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """Exit code and the rules that a probe confirms."""
    done = CliRunner().invoke(
        cli, ["check", "cors", str(folder), "--format", "json", *arguments], standalone_mode=False
    )
    report = json.loads(done.stdout)
    return int(done.return_value), {each["rule"] for each in report["findings"]}


@pytest.mark.parametrize(
    ("source", "arguments", "expected"),
    [
        pytest.param(STARLETTE, ["--app", "main:app"], {CREDENTIALS}, id="starlette-default"),
        pytest.param(STARLETTE, ["--app", "main:create()"], {CREDENTIALS}, id="starlette-factory"),
        pytest.param(
            STARLETTE, ["--app", "main:app", "--env", "ORIGINS=https://app.example.com"], set(), id="starlette-listed"
        ),
        pytest.param(
            STARLETTE, ["--app", "main:app", "--env", "ORIGINS=null"], {"cors-null-origin"}, id="starlette-null"
        ),
        pytest.param(FLASK, ["--app", "main:app"], {CREDENTIALS}, id="flask-default"),
        pytest.param(
            FLASK,
            [
                "--app", "main:app", "--env", r"PATTERN=https://app\.example\.com",
                "--origin", "https://app.example.com",
            ],
            {"cors-lookalike-origin"},
            id="flask-pattern-without-an-end",
        ),
        pytest.param(
            FLASK, ["--app", "main:app", "--env", r"PATTERN=https://app\.example\.com$"], set(), id="flask-anchored"
        ),
        pytest.param(DJANGO, ["--app", "main:application"], {CREDENTIALS}, id="django-everyone"),
        pytest.param(DJANGO, ["--app", "main:application", "--env", "ALL=False"], set(), id="django-listed"),
        pytest.param(HAND_WRITTEN, ["--app", "main:app"], {"cors-any-origin"}, id="crashes-after-its-answer"),
    ],
)  # fmt: skip
def test_an_application_is_asked_in_process(
    tmp_path: Path, source: str, arguments: Sequence[str], expected: set[str]
) -> None:
    """Bad configurations are confirmed by the running application, good ones are not."""
    (tmp_path / "main.py").write_text(source, encoding="utf-8")
    code, rules = check(tmp_path, *arguments)
    assert rules - {"cors-wildcard-methods", "cors-wildcard-headers"} == expected
    assert (code == 1) == bool(expected)


def test_an_application_that_fails_to_import_is_named_by_its_error_alone(tmp_path: Path) -> None:
    """The message of the error may hold a secret; its kind does not."""
    (tmp_path / "main.py").write_text('raise ValueError("the password is swordfish")\n', encoding="utf-8")
    client = AppClient("main:app", tmp_path)
    with pytest.raises(ToolError) as caught:
        client.ask("GET")
    assert "ValueError" in caught.value.what
    assert "swordfish" not in f"{caught.value.what} {caught.value.help}"


@pytest.mark.parametrize("body", [pytest.param("time.sleep(60)", id="hangs"), pytest.param("os._exit(3)", id="ends")])
def test_an_application_that_gives_no_answer_is_ended(tmp_path: Path, body: str) -> None:
    """Neither a hanging nor an ending application keeps the probe."""
    source = f"import os, time\n\n\ndef app(environ, start_response):\n    {body}\n"
    (tmp_path / "main.py").write_text(source, encoding="utf-8")
    client = AppClient("main:app", tmp_path, patience=3)
    with pytest.raises(ToolError, match="gave no answer"):
        client.ask("GET", {"Origin": "https://evil.example"})


def test_an_application_that_fails_is_a_gap(tmp_path: Path) -> None:
    """Only errors: the application's set-up was not seen."""
    source = "def app(environ, start_response):\n    raise RuntimeError\n"
    (tmp_path / "main.py").write_text(source, encoding="utf-8")
    assert check(tmp_path, "--app", "main:app") == (2, set())


@pytest.mark.parametrize("name", ["main", "main:", ":app", "main:a b", "../x:app", "main:app()()"])
def test_a_name_that_is_no_application_is_refused(name: str) -> None:
    """Only a dotted module and attribute, perhaps called."""
    with pytest.raises(UsageError):
        check_name(name)


def test_environment_pairs() -> None:
    """A value may hold `=`; a pair without a name is refused and not repeated."""
    assert environment(["A=b=c", "D="]) == {"A": "b=c", "D": ""}
    with pytest.raises(UsageError) as caught:
        environment(["swordfish"])
    assert "swordfish" not in f"{caught.value.what} {caught.value.help}"


def test_the_projects_own_interpreter_is_taken(tmp_path: Path) -> None:
    """`.venv` in the folder; else the one in use."""
    own = tmp_path / ".venv" / "bin" / "python"
    assert interpreter_of(tmp_path) != str(own)
    own.parent.mkdir(parents=True)
    own.touch()
    assert interpreter_of(tmp_path) == str(own)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--app", "main:app", "--url", "http://localhost:1"], id="two-targets"),
        pytest.param(["--env", "A=b"], id="env-without-app"),
        pytest.param(["--origin", "https://a.example"], id="origin-without-target"),
        pytest.param(["--app", "main:app", "no-such-folder"], id="no-folder"),
    ],
)
def test_options_that_do_not_fit(arguments: Sequence[str]) -> None:
    """A usage error, never a probe of something else."""
    done = CliRunner().invoke(cli, ["check", "cors", *arguments])
    assert isinstance(done.exception, UsageError)


@pytest.mark.parametrize("interpreter", ["/no/such/python", "."])
def test_an_interpreter_that_cannot_be_run(tmp_path: Path, interpreter: str) -> None:
    """One that is not there, or is no program, is an error with a remedy."""
    with pytest.raises(ToolError, match="cannot be run") as caught:
        AppClient("main:app", tmp_path, interpreter=interpreter).ask("GET")
    assert "--python" in caught.value.help
