"""Servers that Python programs start themselves."""

from __future__ import annotations

from typing import Any

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.formats.launch import reader
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.model.blob import Gap
from hardenctl.model.report import Server
from hardenctl.model.settings import Settings
from hardenctl.rules import gunicorn
from hardenctl.sources.memory import MemorySnapshot

IMAGE = "FROM python:3.13\nWORKDIR /app\nCOPY . .\nCMD {}\n"
MAIN = 'import uvicorn\n\nif __name__ == "__main__":\n    uvicorn.run("main:app", host="0.0.0.0", {})\n'
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n\nif __name__ == '__main__':\n    app.run({})\n"


def servers(files: dict[str, str]) -> list[ServerLaunch]:
    """The launch lines found in Python files."""
    found = reader.read(MemorySnapshot(files))
    return [each for each in found if isinstance(each, ServerLaunch) and each.launch.kind == "python"]


def rules(files: dict[str, str]) -> dict[str, str]:
    """Rule to severity."""
    found = {}
    for result in detect_config(MemorySnapshot(files), gunicorn.RULES, Settings()):
        assert not isinstance(result, Gap)
        if not isinstance(result, Server):
            rule, hit = result
            found[rule.id] = (rule.severity if hit.severity is None else hit.severity).word
    return found


def image(command: str, **more: str) -> dict[str, str]:
    """A Dockerfile with this CMD, and other files; `_` in a name is `.`, `__` a `/`."""
    names = {name.replace("__", "/").replace("_py", ".py"): text for name, text in more.items()}
    return {"Dockerfile": IMAGE.format(command), **names}


FACTORY = "from flask import Flask\n\ndef create_app():\n    return Flask('x')\n\n"
SHOP = {
    "pyproject.toml": '[project.scripts]\nshop = "shop.main:main"\n',
    "src/shop/main.py": "import uvicorn\n\ndef main():\n    uvicorn.run('shop.app:app', reload=True)\n",
}
RELOADS = {"server-development-mode": "medium"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"main.py": MAIN.format("reload=True")}, {}, id="nothing-starts-it"),
        pytest.param(image('["python", "main.py"]', main_py=MAIN.format("reload=True")), RELOADS, id="exec-form"),
        pytest.param(image("python -u main.py", main_py=MAIN.format("reload=True")), RELOADS, id="shell-form"),
        pytest.param(
            image('["python3.13", "-m", "main"]', main_py=MAIN.format("reload=True")), RELOADS, id="as-a-module"
        ),
        pytest.param(image('["python", "/app/main.py"]', main_py=MAIN.format("reload=True")), RELOADS, id="absolute"),
        pytest.param(image("uv run python main.py", main_py=MAIN.format("reload=True")), RELOADS, id="behind-uv"),
        pytest.param(
            image('["python", "-m", "service"]') | {"service/__main__.py": MAIN.format("reload=True")},
            RELOADS,
            id="package",
        ),
        pytest.param(image('["python", "main.py"]', main_py=MAIN.format("reload=False")), {}, id="no-reload"),
        pytest.param(
            image('["python", "main.py"]', main_py=MAIN.format("workers=4")),
            {"gunicorn-hardcoded-workers": "low"},
            id="workers",
        ),
        pytest.param(
            image('["python", "main.py"]', main_py="import os\n" + MAIN.format("reload=bool(os.getenv('RELOAD'))")),
            {},
            id="the-environment-decides",
        ),
        pytest.param(
            image('["python", "main.py"]', main_py=MAIN.format("forwarded_allow_ips='*'")),
            {"gunicorn-forwarded-ips-any": "low"},
            id="forwarded",
        ),
        pytest.param(
            {"Procfile": "web: python main.py\n", "main.py": MAIN.format("reload=True")}, RELOADS, id="procfile"
        ),
        pytest.param(
            {
                "compose.yml": "services:\n  web:\n    image: x:1\n    command: python main.py\n",
                "main.py": MAIN.format("reload=True"),
            },
            RELOADS,
            id="compose",
        ),
        pytest.param(
            {
                "docker-compose.dev.yml": "services:\n  web:\n    image: x:1\n    command: python main.py\n",
                "main.py": MAIN.format("reload=True"),
            },
            {},
            id="compose-of-development",
        ),
        pytest.param(
            image('["./start.sh"]', main_py=MAIN.format("reload=True"))
            | {"start.sh": "#!/bin/sh\nexec python main.py\n"},
            RELOADS,
            id="script-of-the-image",
        ),
        pytest.param(
            image('["python", "app.py"]', app_py=FLASK.format("debug=True")),
            {"server-development-mode": "high"},
            id="flask-debugger",
        ),
        pytest.param(image('["python", "app.py"]', app_py=FLASK.format("")), RELOADS, id="flask"),
        pytest.param(
            image(
                '["python", "run.py"]',
                run_py=FACTORY + "def main():\n    app = create_app()\n    app.run(debug=True)\nmain()\n",
            ),
            {"server-development-mode": "high"},
            id="flask-of-a-function",
        ),
        pytest.param(
            image('["python", "run.py"]', run_py=FACTORY + "create_app().run(debug=True)\n"),
            {"server-development-mode": "high"},
            id="flask-run-as-it-is-made",
        ),
        pytest.param(
            image(
                '["python", "run.py"]',
                run_py=FACTORY + "def main():\n    app = Job()\n    app.run(debug=True)\nmain()\n",
            ),
            {},
            id="another-run-of-a-function",
        ),
        pytest.param(
            image(
                '["python", "run.py"]',
                run_py="from web import create_app\napp = create_app()\nif __name__ == '__main__':\n"
                "    app.run(debug=True)\n",
            )
            | {"web/__init__.py": "from flask import Flask\n\ndef create_app():\n    return Flask('x')\n"},
            {"server-development-mode": "high"},
            id="flask-factory",
        ),
        pytest.param(
            image(
                '["python", "run.py"]',
                run_py="from web import app\napp.run(debug=True)\n",
                web_py="import flask\napp = flask.Flask('x')\n",
            ),
            {"server-development-mode": "high"},
            id="flask-imported",
        ),
        pytest.param(
            image(
                '["python", "start.py"]',
                start_py="import os\nos.execvp('gunicorn', ['gunicorn', '-w', '4', '-t', '0', 'a:b'])\n",
            ),
            {"gunicorn-hardcoded-workers": "medium", "gunicorn-timeout-disabled": "high"}
            | {"gunicorn-max-requests-unset": "info"},
            id="command-handed-on",
        ),
        pytest.param(
            image('["python", "bot.py"]', bot_py="import asyncio\nfrom bot import client\nasyncio.run(client.run())\n"),
            {},
            id="another-run",
        ),
        pytest.param(
            image(
                '["python", "main.py"]',
                main_py="import uvicorn as server\n\ndef main():\n    server.run('a:b', reload=True)\n\nmain()\n",
            ),
            RELOADS,
            id="through-a-function",
        ),
        pytest.param(
            image(
                '["python", "main.py"]',
                main_py="import uvicorn\n\ndef dev():\n    uvicorn.run('a:b', reload=True)\n\nuvicorn.run('a:b')\n",
            ),
            {},
            id="a-function-nobody-calls",
        ),
        pytest.param(
            image(
                '["python", "main.py"]',
                main_py="from app.server import main\n\nif __name__ == '__main__':\n    main()\n",
                app__server_py="import uvicorn\n\ndef main():\n    uvicorn.run('a:b', reload=True)\n",
            ),
            RELOADS,
            id="in-another-module",
        ),
        pytest.param(
            image(
                '["python", "main.py"]',
                main_py="import uvicorn\nfrom config import settings\n\nif settings.DEBUG:\n"
                "    uvicorn.run('a:b', reload=True)\nelse:\n    uvicorn.run('a:b')\n",
            ),
            {},
            id="only-where-debugging",
        ),
        pytest.param(
            image('["python", "main.py"]', main_py="import uvicorn\nuvicorn.Config('a:b', reload=True)\n"),
            {},
            id="config-objects-heed-no-reload",
        ),
        pytest.param(image('["python", "main.py"]', main_py="def broken(:\n"), {}, id="a-program-that-does-not-parse"),
        pytest.param(image('["python", "-c", "print(1)"]'), {}, id="inline-code"),
        pytest.param(image("exec shop --port 80") | SHOP, RELOADS, id="a-command-the-project-installs"),
        pytest.param(
            {"docker/entry.sh": "#!/bin/sh\nexec shop\n", **SHOP}, {"server-development-mode": "low"}, id="in-a-script"
        ),
        pytest.param(
            {
                "docker/entry.sh": "#!/bin/sh\nexec python /srv/shop/main.py\n",
                "shop/main.py": MAIN.format("reload=True"),
            },
            {"server-development-mode": "low"},
            id="absolute-in-a-script",
        ),
        pytest.param(image("pip install shop") | SHOP, {}, id="installing-it"),
    ],
)
def test_programs(files: dict[str, str], expected: dict[str, str]) -> None:
    """What a program starts is judged where something of production starts the program."""
    assert rules(files) == expected


@pytest.mark.parametrize(
    ("call", "server", "settings"),
    [
        pytest.param(
            "import uvicorn\nuvicorn.run('a:b', workers=2, port=80)\n",
            "uvicorn",
            {"workers": 2, "port": 80},
            id="uvicorn",
        ),
        pytest.param(
            "import asyncio\nfrom hypercorn.asyncio import serve\nfrom hypercorn.config import Config\n"
            "asyncio.run(serve(object(), Config()))\n",
            "hypercorn",
            {},
            id="hypercorn",
        ),
        pytest.param(
            "from granian import Granian\nGranian('a:b', address='10.0.0.1', workers=3).serve()\n",
            "granian",
            {"host": "10.0.0.1", "workers": 3},
            id="granian",
        ),
    ],
)
def test_settings_of_a_call(call: str, server: str, settings: dict[str, Any]) -> None:
    """The arguments of the call are the settings, with the place that sets each."""
    (launch,) = servers(image('["python", "main.py"]', main_py=call))
    assert launch.server == server
    assert {name: each.value for name, each in launch.settings.items()} == settings
    assert all(each.origin == "code" and each.span and each.span.path == "main.py" for each in launch.settings.values())


def test_what_is_set_behind_the_main_guard_is_known() -> None:
    """A program is its own `__main__`: what stands there holds, and no test is shown in its place."""
    text = "import os, uvicorn\n\nif __name__ == '__main__':\n    port = int(os.environ.get('PORT', 5000))\n"
    (launch,) = servers(image('["python", "main.py"]', main_py=text + "    uvicorn.run('a:b', port=port)\n"))
    assert launch.setting("port").value == 5000


def test_the_environment_of_the_service_counts() -> None:
    """`WEB_CONCURRENCY` of the service that starts the program moves uvicorn's default."""
    compose = (
        "services:\n  web:\n    image: x:1\n    command: python main.py\n    environment:\n      WEB_CONCURRENCY: 5\n"
    )
    (launch,) = servers({"compose.yml": compose, "main.py": MAIN.format("port=80")})
    assert launch.service == "web"
    assert launch.setting("workers").value == 5


def test_production_decides_where_development_starts_it_too() -> None:
    """A program that both start is production's."""
    files = {
        "docker-compose.dev.yml": "services:\n  web:\n    image: x:1\n    command: python main.py\n",
        "docker-compose.prod.yml": "services:\n  web:\n    image: x:1\n    command: python main.py\n",
        "main.py": MAIN.format("reload=True"),
    }
    assert [launch.development for launch in servers(files)] == [False]


@pytest.mark.parametrize(
    ("path", "text", "server"),
    [
        pytest.param(
            "shop/__main__.py", "import uvicorn\nuvicorn.Server(uvicorn.Config('a:b'))\n", "uvicorn", id="config"
        ),
        pytest.param("main.py", MAIN.format("reload=True"), "uvicorn", id="main-guard"),
        pytest.param(
            "shop/health.py", "import uvicorn\ndef start(app):\n    c = uvicorn.Config(app)\n", "uvicorn", id="function"
        ),
        pytest.param("serve.py", FLASK.format("debug=True"), "app.run()", id="flask"),
        pytest.param(
            "serve.py",
            "from flask import Flask\nclass Shop(Flask):\n    pass\napp = Shop('x')\napp.run(debug=True)\n",
            "app.run()",
            id="class-below-flask",
        ),
        pytest.param(
            "dev/api.py",
            "import os\ndef api(port):\n"
            "    cmd = ['uv', 'run', 'uvicorn', 'a:b', '-p', str(port)]\n    os.execvp(cmd[0], cmd)\n",
            "uvicorn",
            id="command-handed-on",
        ),
        pytest.param(
            "conf.py", "import subprocess\nEXTRAS = ['gunicorn', 'uvicorn']\n", None, id="names-that-are-no-command"
        ),
        pytest.param("conf.py", "WORDS = ['gunicorn', 'a:b']\n", None, id="starts-no-program"),
        pytest.param("tests/serve.py", MAIN.format("reload=True"), None, id="a-test"),
        pytest.param("job.py", "import asyncio\nasyncio.run(main())\n", None, id="another-run"),
    ],
)
def test_what_nothing_starts_is_listed_and_not_judged(path: str, text: str, server: str | None):
    """A developer's own start is a launch line for development."""
    found = [(each.path, each.server, each.development) for each in servers({path: text})]
    assert found == ([(path, server, True)] if server else [])
    assert rules({path: text}) == {}


@pytest.mark.parametrize(
    ("files", "gaps"),
    [
        pytest.param({"serve.py": "import uvicorn\nuvicorn.run("}, ["serve.py"], id="no-python"),
        pytest.param(
            {"{{ name }}/__main__.py": "import uvicorn\n{%- if x %}\nuvicorn.run('a:b', reload=True)\n{%- endif %}\n"},
            ["{{ name }}/__main__.py"],
            id="a-template",
        ),
        pytest.param({"web.py": "print 'two'\napp.run(debug=True)\n"}, ["web.py"], id="python-2-that-serves"),
        pytest.param(image('["python", "main.py"]', main_py="app.run(debug=True"), ["main.py"], id="started"),
        pytest.param({"job.py": "print 'two'\n"}, [], id="python-2-that-serves-nothing"),
        pytest.param({"tests/serve.py": "uvicorn.run("}, [], id="a-test"),
        pytest.param({"examples/serve.py": "uvicorn.run("}, [], id="an-example"),
    ],
)
def test_what_may_start_a_server_and_cannot_be_read_is_a_gap(files: dict[str, str], gaps: list[str]):
    """Each file once; one that starts no server is none of this subject's business."""
    found = dict.fromkeys(each for each in reader.read(MemorySnapshot(files)) if isinstance(each, Gap))
    assert [each.path for each in found] == gaps


def test_a_program_alone_is_read():
    """With no other file of the subject beside it."""
    found = detect_config(MemorySnapshot({"main.py": MAIN.format("reload=True")}), gunicorn.RULES, Settings())
    assert [each.path for each in found if isinstance(each, Server)] == ["main.py"]


def test_a_program_is_listed_once():
    """What the image starts is not a developer's as well."""
    (launch,) = servers(image('["python", "main.py"]', main_py=MAIN.format("reload=True")))
    assert not launch.development


CLICK = """
import click, uvicorn

@click.group()
def cli(): ...

@cli.group("server")
def server(): ...

server.add_command(uvicorn.main{})
"""


@pytest.mark.parametrize(
    ("name", "command", "workers"),
    [
        pytest.param(', name="start"', '["server", "start", "shop.main:app", "--workers", "3"]', 3, id="named"),
        pytest.param("", '["server", "main", "shop.main:app", "--workers", "3"]', 3, id="its-own-name"),
        pytest.param(', "start"', '["server", "migrate"]', None, id="another-subcommand"),
    ],
)
def test_uvicorn_behind_a_command_of_the_project(name: str, command: str, workers: int | None):
    """A click application that takes uvicorn's command line in starts uvicorn."""
    files = {
        "Dockerfile": f'FROM python:3.13\nENTRYPOINT ["shop"]\nCMD {command}\n',
        "pyproject.toml": '[project.scripts]\nshop = "shop.cli:cli"\n',
        "src/shop/cli.py": CLICK.format(name),
    }
    found = [each for each in reader.read(MemorySnapshot(files)) if isinstance(each, ServerLaunch)]
    assert [(each.server, each.setting("workers").value) for each in found] == (
        [("uvicorn", workers)] if workers else []
    )
