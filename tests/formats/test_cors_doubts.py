"""What hangs on things the code does not show is said aloud, and never called proven."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Confidence, Hit
from hardenctl.model.settings import Settings
from hardenctl.rules.cors import RULES
from hardenctl.sources.memory import MemorySnapshot

FLASK = (
    "import os\nfrom flask import Flask, request\nfrom elsewhere import allowed, Site\n\napp = Flask(__name__)\n\n\n"
)
STARLETTE = (
    "import json\nimport os\nfrom elsewhere import parse\nfrom starlette.applications import Starlette\n"
    "from starlette.middleware.cors import CORSMiddleware\n\napp = Starlette()\n"
)


def found(files: Mapping[str, str]) -> dict[str, Hit]:
    """Rule id to hit."""
    seen = list(detect_config(MemorySnapshot(files), RULES, Settings()))
    assert not [each for each in seen if isinstance(each, Gap)]
    return {each[0].id: each[1] for each in seen if not isinstance(each, Gap)}


def after_request(*body: str) -> dict[str, str]:
    """A Flask hook that knows the request's origin."""
    lines = ['origin = request.headers.get("Origin")', *body, "return response"]
    return {"main.py": FLASK + "@app.after_request\ndef allow(response):\n    " + "\n    ".join(lines) + "\n"}


SET = '    response.headers["Access-Control-Allow-Origin"] = origin'
UNRESOLVED = [
    pytest.param(after_request("if allowed(origin):", SET), id="function-from-elsewhere"),
    pytest.param(
        after_request("if not origin or not allowed(origin):", "    return response", SET.strip()), id="early-return"
    ),
    pytest.param(after_request("if Site.objects.filter(domain=origin).exists():", SET), id="database"),
    pytest.param(
        after_request(
            "for each in Site.objects.all():",
            "    if each.origin == origin:",
            '        response.headers["Access-Control-Allow-Origin"] = origin',
        ),
        id="loop-over-a-database",
    ),
    pytest.param(
        after_request('if allowed(origin) and request.path.startswith("/api"):', SET), id="one-of-two-conditions"
    ),
    pytest.param(
        {"main.py": f'{STARLETTE}app.add_middleware(CORSMiddleware, allow_origins=parse(os.environ["X"]))\n'},
        id="variable-read-by-a-foreign-function",
    ),
    pytest.param(
        {"main.py": f'{STARLETTE}app.add_middleware(CORSMiddleware, allow_origins=os.getenv("X") or parse())\n'},
        id="variable-or-a-foreign-function",
    ),
]


@pytest.mark.parametrize("files", UNRESOLVED)
def test_what_cannot_be_followed_is_unresolved(files: Mapping[str, str]) -> None:
    """Neither an all-clear nor an accusation."""
    assert set(found(files)) == {"cors-unresolved"}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(after_request('if origin in os.environ["ORIGINS"].split(","):', SET), id="membership"),
        pytest.param(after_request('if origin not in os.environ["ORIGINS"]:', "    return response"), id="nothing-set"),
        pytest.param(
            {"main.py": f'{STARLETTE}app.add_middleware(CORSMiddleware, allow_origins=json.loads(os.environ["X"]))\n'},
            id="json",
        ),
        pytest.param(
            {
                "main.py": f"{STARLETTE}app.add_middleware(CORSMiddleware, "
                'allow_origins=[f"https://{os.environ["DOMAIN"]}"])\n'.replace('"DOMAIN"', "'DOMAIN'")
            },
            id="formatted",
        ),
    ],
)
def test_what_only_a_variable_decides_is_the_operators(files: Mapping[str, str]) -> None:
    """A variable that must be set, read by functions that are known, raises nothing."""
    assert found(files) == {}


def test_a_refusal_by_an_exception_lets_nobody_in() -> None:
    """`raise` in a handler answers this request; it does not stop the deployment."""
    source = (
        "import os\nfrom fastapi import FastAPI, HTTPException, Request\n\napp = FastAPI()\n"
        'ALLOWED = os.getenv("ALLOWED", "https://app.example.com").split(",")\n\n\n@app.middleware("http")\n'
        "async def cors(request: Request, call_next):\n"
        '    origin = request.headers.get("origin")\n    if origin not in ALLOWED:\n        raise HTTPException(403)\n'
        "    response = await call_next(request)\n"
        '    response.headers["Access-Control-Allow-Origin"] = origin\n    return response\n'
    )
    assert found({"main.py": source}) == {}


ASGI = """
import os
from fnmatch import fnmatchcase

ALLOWED = os.environ.get("ALLOWED_ORIGINS", "*").split(",")


def cors(application):
    async def wrapper(scope, receive, send):
        origin = ""
        for header, value in scope.get("headers", []):
            if header == b"origin":
                origin = value.decode("latin1")
        admitted = any(fnmatchcase(origin, each) for each in ALLOWED)

        async def send_with_origin(message):
            if message["type"] == "http.response.start" and admitted:
                message["headers"].append((b"access-control-allow-origin", origin.encode("latin1")))
                message["headers"].append((b"access-control-allow-credentials", b"true"))
            await send(message)

        await application(scope, receive, send_with_origin)

    return wrapper
"""


def test_an_asgi_wrapper_is_followed_to_its_inner_send() -> None:
    """The raw headers of a scope bring the origin; the variable's default decides who gets in."""
    hit = found({"asgi.py": ASGI})["cors-any-origin-credentials"]
    assert hit.confidence is Confidence.LIKELY
    assert "ALLOWED_ORIGINS" in hit.message
    assert found({"asgi.py": ASGI.replace('"*"', '"https://app.example.com"')}) == {}


def test_django_settings_are_found_by_their_environment_variable() -> None:
    """`django.conf.settings` is the module that `DJANGO_SETTINGS_MODULE` names."""
    files = {
        "shop/wsgi.py": 'import os\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n',
        "shop/settings.py": 'ORIGINS = ["*"]\n',
        "shop/cors.py": (
            "from django.conf import settings\n\n\nclass Middleware:\n    def __call__(self, request):\n"
            '        origin = request.headers.get("Origin")\n        response = self.get_response(request)\n'
            '        if origin in settings.ORIGINS or "*" in settings.ORIGINS:\n'
            '            response["Access-Control-Allow-Origin"] = origin\n        return response\n'
        ),
    }
    assert found(files)["cors-any-origin"].confidence is Confidence.PROVEN
    files["shop/settings.py"] = 'ORIGINS = ["https://app.example.com"]\n'
    assert found(files) == {}


SETTINGS = """
from enum import Enum
from typing import List
from pydantic import BaseSettings

class Environment(Enum):
    prod: str = "prod"
    dev: str = "dev"

class Base(BaseSettings):
    app_env: Environment = Environment.prod
    allowed_hosts: List[str] = ["*"]

class Production(Base):
    pass

class Development(Base):
    pass

def settings():
    return {Environment.prod: Production, Environment.dev: Development}[Base().app_env]()
"""


def test_a_world_that_cannot_be_worked_out_is_no_good_value() -> None:
    """A default that lets everybody in stays `likely` when nothing configures it and another world is unresolved."""
    main = (
        "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n"
        "from settings import settings\n"
        "app = FastAPI()\napp.add_middleware(\n"
        "    CORSMiddleware, allow_origins=settings().allowed_hosts, allow_credentials=True\n)\n"
    )
    hits = found({"main.py": main, "settings.py": SETTINGS})
    assert "cors-wildcard-default" not in hits
    assert hits["cors-any-origin-credentials"].confidence is Confidence.LIKELY
