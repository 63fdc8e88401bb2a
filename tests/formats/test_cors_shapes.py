"""Shapes that CORS set-ups take in real code, beyond what the corpus can run: each with the rules it calls for."""

# ruff: noqa: E501 - one program a case

from __future__ import annotations

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.formats import cors
from hardenctl.formats.cors import reader
from hardenctl.formats.cors.document import CorsSetup
from hardenctl.model.blob import Gap
from hardenctl.model.settings import Settings
from hardenctl.rules.cors import RULES
from hardenctl.sources.memory import MemorySnapshot

STARLETTE = "from starlette.middleware.cors import CORSMiddleware\n"
CREDENTIALS, ANY, UNRESOLVED = "cors-any-origin-credentials", "cors-any-origin", "cors-unresolved"


def rules(files: dict[str, str]) -> set[str]:
    """The rules that fire on a repository, besides the mild one about origins in the code."""
    found = list(detect_config(MemorySnapshot(files), RULES, Settings()))
    assert not [each for each in found if isinstance(each, Gap)]
    return {each[0].id for each in found if not isinstance(each, Gap)} - {"cors-hardcoded-origins"}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param(
            {"main.py": STARLETTE + "class Paths(CORSMiddleware):\n    def __init__(self, *args, path_regex, **kwargs):\n        super().__init__(*args, **kwargs)\napp.add_middleware(Paths, path_regex='^/a', allow_origins=['*'], allow_methods=['GET'])\n"},
            {"cors-any-origin"},
            id="subclass-with-a-parameter-of-its-own",
        ),
        pytest.param(
            {"main.py": STARLETTE + "class Server:\n    origins = ['*']\n    def __init__(self):\n        self.credentials = True\n    def build(self, app):\n        app.add_middleware(CORSMiddleware, allow_origins=self.origins, allow_credentials=self.credentials)\n"},
            {CREDENTIALS},
            id="method-nobody-calls",
        ),
        pytest.param(
            {"main.py": STARLETTE + "class Setup:\n    @classmethod\n    def build(cls, app):\n        app.add_middleware(CORSMiddleware, allow_origins=['*'])\n    @staticmethod\n    def other(app, origins=('*',)):\n        app.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)\n"},
            {CREDENTIALS, ANY},
            id="class-and-static-methods",
        ),
        pytest.param(
            {"cors.py": STARLETTE + "def setup(app, origins):\n    app.add_middleware(CORSMiddleware, allow_origins=origins)\n"},
            {UNRESOLVED},
            id="parameter-nobody-gives",
        ),
        pytest.param(
            {
                "config.py": "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    origins: list[str] = ['*']\n",
                "main.py": STARLETTE + "from config import Settings\ndef setup(app, settings: Settings | None = None):\n    app.add_middleware(CORSMiddleware, allow_origins=settings.origins)\n",
            },
            {ANY},
            id="settings-by-annotation",
        ),
        pytest.param(
            {
                "config.py": "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    origins: list[str] = []\nsettings = Settings()\n",
                "main.py": STARLETTE + "from config import settings\napp.add_middleware(CORSMiddleware, allow_origins=settings.origins)\n",
                ".env.production": "ORIGINS=https://a.example,https://b.example\n",
            },
            {"cors-startup-error"},
            id="plain-text-for-a-json-list",
        ),
        pytest.param(
            {
                "config.py": "from pydantic import AnyHttpUrl\nfrom pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    origins: list[AnyHttpUrl] = ['https://a.example']\nsettings = Settings()\n",
                "main.py": STARLETTE + "from config import settings\napp.add_middleware(CORSMiddleware, allow_origins=[str(o) for o in settings.origins])\n",
            },
            {"cors-dead-origin"},
            id="url-with-a-slash",
        ),
        pytest.param(
            {
                "config.py": "from pydantic import AnyHttpUrl, BaseSettings\nclass Settings(BaseSettings):\n    origins: list[AnyHttpUrl] = ['https://a.example']\nsettings = Settings()\n",
                "main.py": STARLETTE + "from config import settings\napp.add_middleware(CORSMiddleware, allow_origins=[str(o) for o in settings.origins])\n",
            },
            set(),
            id="url-of-pydantic-1",
        ),
        pytest.param(
            {"main.py": STARLETTE + "import uvicorn\napp = make()\nuvicorn.run(CORSMiddleware(app, allow_origins=['*'], allow_credentials=True))\n"},
            {CREDENTIALS},
            id="wrapped-in-a-call",
        ),
        pytest.param(
            {"main.py": STARLETTE + "from functools import partial\nadd = partial(app.add_middleware, CORSMiddleware, allow_origins=['*'])\nadd(allow_credentials=True)\n"},
            set(),
            id="partial-of-an-unknown-method-is-not-seen",
        ),
        pytest.param(
            {"main.py": STARLETTE + "from enum import Enum\nimport os\nclass Env(str, Enum):\n    DEV = 'dev'\n    PROD = 'prod'\nenv = Env(os.getenv('APP_ENV', 'dev'))\norigins = ['*'] if env == Env.DEV else ['https://a.example']\napp.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)\n"},
            set(),
            id="enumeration-of-environments",
        ),
        pytest.param(
            {"main.py": STARLETTE + "import os\nif not os.getenv('SECRET'):\n    raise RuntimeError('no secret')\napp.add_middleware(CORSMiddleware, allow_origins=['*'])\n"},
            {ANY},
            id="required-variable-checked-first",
        ),
        pytest.param(
            {"main.py": STARLETTE + "for origin in load():\n    origins.append(origin)\napp.add_middleware(CORSMiddleware, allow_origins=['https://a.example', *more])\n"},
            {UNRESOLVED},
            id="unknown-rest",
        ),
        pytest.param(
            {"app.py": "from flask import Flask\nfrom flask_cors import CORS\nclass Base:\n    CORS_ORIGINS = '*'\nclass Live(Base):\n    CORS_SUPPORTS_CREDENTIALS = True\napp = Flask(__name__)\napp.config.from_object(Live())\nCORS(app)\n"},
            {CREDENTIALS},
            id="flask-config-from-an-object",
        ),
        pytest.param(
            {"app.py": "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\napp.config.from_mapping(CORS_ORIGINS=['https://a.example'])\nCORS(app)\n"},
            set(),
            id="flask-config-from-a-mapping",
        ),
        pytest.param(
            {"app.py": "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\napp.config.from_object('settings')\nCORS(app)\n", "settings.py": "CORS_ORIGINS = 'https://a.example'\n"},
            set(),
            id="flask-config-from-a-module",
        ),
        pytest.param(
            {"app.py": "from flask_cors import CORS, cross_origin\ncors = CORS()\ncors.init_app(app=app, origins=['https://a.example'])\n@cross_origin\ndef f():\n    pass\n"},
            {ANY},
            id="bare-decorator",
        ),
        pytest.param(
            {"app.py": "from flask_cors import CORS\nCORS(app, **options)\n"}, {UNRESOLVED}, id="flask-unknown-options"
        ),
        pytest.param(
            {"app.py": "from flask_cors import CORS\nimport re\nCORS(app, origins=[re.compile(r'https://.*\\.example\\.com$')])\n"}, set(), id="flask-compiled"
        ),
        pytest.param(
            {"handler.py": "import tornado.web\nclass Base(tornado.web.RequestHandler):\n    def set_default_headers(self):\n        self.set_header('Access-Control-Allow-Origin', self.request.headers.get('Origin', '*'))\n        self.set_header('Access-Control-Allow-Credentials', 'true')\n"},
            {CREDENTIALS},
            id="tornado",
        ),
        pytest.param(
            {"views.py": "from django.http import JsonResponse\ndef view(request):\n    response = JsonResponse({})\n    response['Access-Control-Allow-Origin'] = request.META.get('HTTP_ORIGIN')\n    response['Access-Control-Allow-Credentials'] = 'true'\n    return response\n"},
            {CREDENTIALS},
            id="django-view",
        ),
        pytest.param(
            {"views.py": "def view(request, response):\n    headers = {'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Methods': '*', 'Access-Control-Allow-Headers': '*'}\n    response.headers.update(headers)\n"},
            {ANY, "cors-wildcard-methods", "cors-wildcard-headers"},
            id="dictionary-of-headers",
        ),
        pytest.param(
            {"asgi.py": "async def app(scope, receive, send):\n    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'access-control-allow-origin', b'*')]})\n"},
            {ANY},
            id="raw-asgi",
        ),
        pytest.param(
            {"views.py": "def view(request):\n    return Response(headers={'Access-Control-Allow-Origin': pick(request)})\n"}, {UNRESOLVED}, id="computed-header"
        ),
        pytest.param(
            {"app.py": "HEADERS = {'X': 1}\nresponse.headers.add('Access-Control-Allow-Origin', '*')\n"}, {ANY}, id="at-module-level"
        ),
        pytest.param(
            {"views.py": "def view(request, response):\n    origin = request.headers['origin']\n    if origin == 'null' or origin == 'https://a.example.com':\n        response.headers['Access-Control-Allow-Origin'] = origin\n"},
            {"cors-null-origin"},
            id="null-let-in-by-hand",
        ),
        pytest.param(
            {"views.py": "ALLOWED = 'Access-Control-Allow-Origin'\ndef view(request, response):\n    allowed = {'origin': 'x'}\n    return allowed.get('origin')\n"}, set(), id="a-dictionary-is-no-request"
        ),
    ],
)  # fmt: skip
def test_shapes(files: dict[str, str], wanted: set[str]) -> None:
    """The verdict on each."""
    assert rules(files) == wanted


def test_too_many_undecided_branches_are_said() -> None:
    """Where not every way could be followed, the set-up says so."""
    branches = "".join(
        f"if flags.f{number}():\n    origins = origins + ['https://{number}.example']\n" for number in range(6)
    )
    source = f"{STARLETTE}from somewhere import flags\norigins = []\n{branches}app.add_middleware(CORSMiddleware, allow_origins=origins)\n"
    setups = [each for each in cors.read(MemorySnapshot({"main.py": source})) if isinstance(each, CorsSetup)]
    assert [each.complete for each in setups] == [False]
    assert UNRESOLVED in rules({"main.py": source})


def test_a_crash_over_one_module_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one module's evaluation runs into is one gap that names the module."""
    from hardenctl.formats.cors import reader

    original = reader.trace_site

    def crash(project: object, site: object, configured: object) -> object:
        if site.module.path == "a.py":  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return original(project, site, configured)  # type: ignore[arg-type]

    monkeypatch.setattr(reader, "trace_site", crash)
    source = STARLETTE + "app.add_middleware(CORSMiddleware, allow_origins=['*'])\n"
    found = list(cors.read(MemorySnapshot({"a.py": source, "b.py": source})))
    assert [each.path for each in found if isinstance(each, CorsSetup)] == ["b.py"]
    assert [each for each in found if isinstance(each, Gap)] == [
        Gap("a.py", "the CORS set-up could not be evaluated: ZeroDivisionError")
    ]


AIOHTTP = """
from aiohttp import web
import os

class Config:
    DEFAULTS = {"ORIGINS": %r}

    def __init__(self):
        for name, default in self.DEFAULTS.items():
            setattr(self, name, os.environ.get(name, default))

config = Config()
origins = [each.strip() for each in config.ORIGINS.split(",") if each.strip()]
app = web.Application()

async def on_prepare(request, response):
    origin = request.headers.get("Origin")
    if not origin or not origins:
        return
    wildcard = "*" in origins
    trusted = not wildcard and origin in origins
    if not (wildcard or trusted):
        return
    response.headers["Access-Control-Allow-Origin"] = origin

app.on_response_prepare.append(on_prepare)
"""


@pytest.mark.parametrize(
    ("default", "wanted"),
    [pytest.param("", set(), id="nobody-by-default"), pytest.param("*", {"cors-any-origin"}, id="anyone-by-default")],
)
def test_a_settings_class_that_fills_itself(default: str, wanted: set[str]):
    """What `setattr` sets is known where its name is."""
    assert rules({"main.py": AIOHTTP % default}) == wanted


@pytest.mark.parametrize(
    ("line", "one"),
    [
        pytest.param("app.on_response_prepare.append(on_prepare)", False, id="signal"),
        pytest.param("app.middlewares.append(on_prepare)", False, id="middleware"),
        pytest.param("app.router.add_get('/x', on_prepare)", True, id="route"),
    ],
)
def test_a_hook_is_of_all_routes(line: str, *, one: bool):
    """A function that is registered to see every response is no route's handler."""
    text = (AIOHTTP % "*").replace("app.on_response_prepare.append(on_prepare)", line)
    found = [each for each in reader.read(MemorySnapshot({"main.py": text})) if isinstance(each, CorsSetup)]
    assert [each.single_route for each in found] == [one]
