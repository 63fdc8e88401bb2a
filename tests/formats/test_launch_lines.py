"""Launch lines: found in every place they stand, behind every wrapper, with what they come to."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import pytest

from hardenctl.detect.servers import describe_server
from hardenctl.formats.launch import reader
from hardenctl.formats.launch.environment import parse_bytes
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.formats.launch.paths import is_config
from hardenctl.formats.launch.program import find_program
from hardenctl.formats.shell.values import resolve
from hardenctl.formats.shell.words import Word, split_words
from hardenctl.formats.strand import Strand
from hardenctl.model.blob import Gap
from hardenctl.sources.memory import MemorySnapshot

DOCKERFILE = "FROM python:3.13\nWORKDIR /app\nCOPY . .\n"


def launches(files: dict[str, str]) -> list[ServerLaunch]:
    """The launch lines of a project."""
    return [each for each in reader.read(MemorySnapshot(files)) if isinstance(each, ServerLaunch)]


def one(files: dict[str, str]) -> ServerLaunch:
    """The only launch line."""
    (launch,) = launches(files)
    return launch


@pytest.mark.parametrize(
    ("command", "server"),
    [
        pytest.param("gunicorn app:app", "gunicorn", id="plain"),
        pytest.param("exec /venv/bin/gunicorn app:app", "gunicorn", id="exec-and-path"),
        pytest.param("A=1 B=2 gunicorn app:app", "gunicorn", id="assignments"),
        pytest.param("env A=1 gunicorn app:app", "gunicorn", id="env"),
        pytest.param("python -u -m gunicorn app:app", "gunicorn", id="module"),
        pytest.param("python3.12 -mgunicorn app:app", "gunicorn", id="glued-module"),
        pytest.param("poetry run gunicorn app:app", "gunicorn", id="poetry"),
        pytest.param("uv run --no-sync --with x uvicorn a:b", "uvicorn", id="uv"),
        pytest.param("dumb-init -- gunicorn app:app", "gunicorn", id="dumb-init"),
        pytest.param("tini -g -- gunicorn app:app", "gunicorn", id="tini"),
        pytest.param("gosu app gunicorn app:app", "gunicorn", id="gosu"),
        pytest.param("newrelic-admin run-program gunicorn app:app", "gunicorn", id="newrelic"),
        pytest.param("opentelemetry-instrument --x y gunicorn app:app", "gunicorn", id="otel"),
        pytest.param("./wait-for-it.sh db:5432 -- gunicorn app:app", "gunicorn", id="wait-for-it"),
        pytest.param("/entrypoint.sh gunicorn app:app", "gunicorn", id="entrypoint"),
        pytest.param("python -m debugpy --listen x -m uvicorn a:b", "uvicorn", id="debugpy"),
        pytest.param("hypercorn a:b", "hypercorn", id="hypercorn"),
        pytest.param("granian --interface asgi a:b", "granian", id="granian"),
        pytest.param("fastapi run --workers 4 a.py", "fastapi run", id="fastapi-run"),
        pytest.param("fastapi dev", "fastapi dev", id="fastapi-dev"),
        pytest.param("flask --app x run --debug", "flask run", id="flask"),
        pytest.param("python -m flask run", "flask run", id="flask-module"),
        pytest.param("python manage.py runserver 0.0.0.0:8000", "manage.py runserver", id="django"),
        pytest.param("./manage.py runserver_plus", "manage.py runserver", id="runserver-plus"),
        pytest.param("uwsgi --ini x", "uwsgi", id="uwsgi"),
        pytest.param("pip install gunicorn", None, id="installing"),
        pytest.param("echo gunicorn app:app", None, id="talking"),
        pytest.param("pkill gunicorn", None, id="killing"),
        pytest.param("python manage.py migrate", None, id="migrating"),
        pytest.param("flask db upgrade", None, id="flask-but-no-server"),
        pytest.param("fastapi --version", None, id="fastapi-but-no-server"),
        pytest.param('exec "$@"', None, id="who-knows"),
        pytest.param("python -c gunicorn", None, id="inline-code"),
        pytest.param("poetry install", None, id="poetry-install"),
    ],
)
def test_the_server_behind_its_wrappers(command: str, server: str | None):
    """Only a command that starts one counts."""
    words = [token for token in split_words(Strand.of("f", command)) if isinstance(token, Word)]
    found = find_program([(word, resolve(word, {})) for word in words])
    assert (found.server if found else None) == server


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("Dockerfile", DOCKERFILE + 'CMD ["gunicorn", "-w", "4", "app:app"]\n', id="exec-form"),
        pytest.param("Dockerfile", DOCKERFILE + "CMD gunicorn -w 4 app:app\n", id="shell-form"),
        pytest.param("Dockerfile", DOCKERFILE + 'CMD ["sh", "-c", "migrate && gunicorn -w 4 a:b"]\n', id="sh-c"),
        pytest.param("Dockerfile", DOCKERFILE + 'ENTRYPOINT ["gunicorn"]\nCMD ["-w", "4", "a:b"]\n', id="entrypoint"),
        pytest.param("Dockerfile", DOCKERFILE + "ENTRYPOINT exec gunicorn -w 4 a:b\n", id="shell-entrypoint"),
        pytest.param("compose.yml", "services: {web: {image: x, command: gunicorn -w 4 a:b}}", id="compose-string"),
        pytest.param(
            "compose.yml", "services: {web: {image: x, command: [gunicorn, -w, '4', 'a:b']}}", id="compose-list"
        ),
        pytest.param(
            "compose.yml",
            "services:\n  web:\n    image: x\n    command: >\n      bash -c 'migrate &&\n      gunicorn -w 4 a:b'\n",
            id="compose-folded-shell",
        ),
        pytest.param(
            "compose.yml",
            "services: {web: {image: x, entrypoint: gunicorn, command: -w 4 a:b}}",
            id="compose-entrypoint",
        ),
        pytest.param("Procfile", "release: migrate\nweb: gunicorn -w 4 a:b\n", id="procfile"),
        pytest.param("start.sh", "set -e\nexec gunicorn -w 4 a:b\n", id="script"),
        pytest.param("docker/start", "#!/bin/bash\ngunicorn -w 4 a:b\n", id="script-without-suffix"),
        pytest.param("web.service", "[Service]\nExecStart=/venv/bin/gunicorn -w 4 \\\n  a:b\n", id="systemd"),
        pytest.param("supervisord.conf", "[program:web]\ncommand=gunicorn -w 4\n  a:b\n", id="supervisor"),
        pytest.param(
            "deploy/supervisor/shop.conf", "[program:web]\ncommand=gunicorn -w 4 a:b\n", id="supervisor-by-its-folder"
        ),
        pytest.param(
            "Dockerfile",
            "FROM python:3.13 AS web\nCMD gunicorn -w 4 a:b\nFROM web AS web-dev\nRUN pip install debugpy\n",
            id="inherited-by-a-last-stage-for-development",
        ),
        pytest.param(
            "supervisord_programs/web.conf",
            "[program:web]\ncommand=gunicorn\n  -w 4\n  a:b\n",
            id="supervisor-programs",
        ),
        pytest.param("Makefile", "serve-prod:\n\t@gunicorn -w 4 a:b\n", id="makefile"),
        pytest.param("railway.toml", '[deploy]\nstartCommand = "gunicorn -w 4 a:b"\n', id="railway"),
        pytest.param("render.yaml", "services:\n  - startCommand: gunicorn -w 4 a:b\n", id="render"),
        pytest.param("app.yaml", "entrypoint: gunicorn -w 4 a:b\n", id="app-engine"),
        pytest.param("fly.toml", '[processes]\nweb = "gunicorn -w 4 a:b"\n', id="fly"),
        pytest.param(
            "k8s/web.yaml",
            "spec:\n  containers:\n  - name: web\n    command: [gunicorn]\n    args: ['-w', '4', 'a:b']\n",
            id="kubernetes",
        ),
        pytest.param(
            "ecs/task-definition.json",
            '{"containerDefinitions": [{"name": "web", "entryPoint": ["sh", "-c"], "command": ["gunicorn -w 4 a:b"]}]}',
            id="ecs-task-definition",
        ),
        pytest.param(
            "stack.yaml",
            "Resources:\n  T:\n    Properties:\n      ContainerDefinitions:\n"
            "        - Command: [gunicorn, -w, '4', 'a:b']\n",
            id="cloudformation",
        ),
        pytest.param(
            "ecs.tf",
            'x = jsonencode([{ name = "web", command = ["gunicorn", "-w", "4", # four\n "a:b",] }])\n',
            id="terraform-list",
        ),
        pytest.param(
            "ecs.hcl",
            'container_commands = [\n  "sh",\n  "-c",\n  "migrate \\"x\\" && gunicorn -b ${var.bind} -w 4 a:b"\n]\n',
            id="terragrunt-shell",
        ),
        pytest.param(
            "ecs.tf", 'd = <<EOF\n[{"command": ["gunicorn", "-w", "4", "a:b"]}]\nEOF\n', id="terraform-json-heredoc"
        ),
        pytest.param("ecs.tf", 'start_command = "gunicorn -w 4 a:b"\n', id="terraform-string"),
        pytest.param("Procfile.sh", "#!/bin/bash\ngunicorn -w 4 a:b\n", id="script-called-procfile"),
        pytest.param("vm.tf", "user_data = <<-EOT\n  #!/bin/bash\n  gunicorn -w 4 a:b\n  EOT\n", id="terraform-script"),
    ],
)
def test_every_place_a_launch_line_stands_in(path: str, text: str):
    """Found with its arguments, and the span of the value is the value."""
    launch = one({path: text})
    workers = launch.setting("workers")
    assert (launch.server, workers.value, workers.origin) == ("gunicorn", 4, "command line")
    assert workers.value_span is not None
    assert text[workers.value_span.start : workers.value_span.end] == "4"
    assert not launch.development


@pytest.mark.parametrize(
    "script",
    [
        pytest.param('cmd="exec gunicorn a:b -w 4"\neval "$cmd"\n', id="known"),
        pytest.param("cmd='gunicorn a:b -w 4'\neval $cmd\n", id="without-quotes"),
        pytest.param('cmd="cd /x; exec gunicorn a:b -b $HOST -w 4 $@"\neval "$cmd"\n', id="known-in-part"),
        pytest.param('eval "gunicorn a:b -w 4"\n', id="no-variable"),
    ],
)
def test_what_eval_starts(script: str):
    """A command in a variable, read anew."""
    launch = one({"start.sh": script})
    assert (launch.server, launch.setting("workers").value) == ("gunicorn", 4)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(
            "supervisord.conf", "[program:web]\ncommand=gunicorn a:make() -w %(ENV_N)s -t 9\n", id="supervisor"
        ),
        pytest.param("a.service", "[Service]\nExecStart=/v/bin/gunicorn a:make() -w ${N} -t 9\n", id="systemd"),
        pytest.param(
            "b.service",
            "[Service]\nExecStart=/bin/sh -c 'cd /srv; gunicorn -w $N -t 9 a:b'\n",
            id="systemd-and-a-shell",
        ),
    ],
)
def test_a_supervisor_is_no_shell(path: str, text: str):
    """A bracket ends no command; a variable is nobody's to know."""
    launch = one({path: text})
    assert launch.setting("timeout").value == 9
    assert launch.setting("workers").is_set
    assert not launch.setting("workers").known


def test_a_workflow_step_is_for_development():
    """A machine that is thrown away runs it."""
    steps = "jobs:\n  a:\n    steps:\n    - run: |\n        x\n        poetry run gunicorn -w 4 a:b &\n"
    launch = one({".github/workflows/ci.yml": steps})
    assert (launch.setting("workers").value, launch.development) == (4, True)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            '$s = <<~SCRIPT\n  cd /vagrant\n  tmux new-session -d -s x "gunicorn -w 4 a:b"\nSCRIPT\n', id="heredoc-tmux"
        ),
        pytest.param('config.vm.provision "shell", inline: "gunicorn -w 4 a:b"\n', id="inline"),
    ],
)
def test_a_vagrantfile_is_for_development(text: str):
    """What a developer's virtual machine starts is listed and not judged."""
    launch = one({"Vagrantfile": text})
    assert (launch.setting("workers").value, launch.development) == (4, True)


def test_what_terraform_says_in_the_middle_of_a_command_is_unknown():
    """`${...}` is Terraform's: no value is made up for it."""
    launch = one({"ecs.tf": 'command = ["gunicorn", "-w", "${var.workers}", "-t", "120", "a:b"]\n'})
    assert (launch.setting("workers").known, launch.setting("timeout").value) == (False, 120)


def test_a_task_definition_gives_environment_and_memory():
    """Amazon's own names for them; memory is in MiB."""
    launch = one(
        {
            "task_def.json": '{"containerDefinitions": [{"command": ["gunicorn", "a:b"], "memory": 512, '
            '"environment": [{"name": "WEB_CONCURRENCY", "value": "5"}]}]}'
        }
    )
    assert (launch.setting("workers").value, launch.launch.memory) == (5, 512 * 1024 * 1024)


@pytest.mark.parametrize(
    ("files", "development", "doubtful"),
    [
        pytest.param(
            {"docker-compose.dev.yml": "services: {web: {image: x, command: flask run}}"}, True, False, id="name"
        ),
        pytest.param({"compose.yml": "services: {web-dev: {image: x, command: flask run}}"}, True, False, id="service"),
        pytest.param({"Dockerfile": "FROM x AS dev\nCMD flask run\n"}, True, False, id="stage"),
        pytest.param({"Dockerfile": "FROM x AS a\nCMD flask run\nFROM x\nCMD true\n"}, False, True, id="unused-stage"),
        pytest.param({"start.sh": "flask run\n"}, False, True, id="script-nobody-starts"),
        pytest.param(
            {"Dockerfile": DOCKERFILE + 'CMD ["/start.sh"]\n', "start.sh": "flask run\n"},
            False,
            False,
            id="started-script",
        ),
        pytest.param({"start.sh": 'if [ "$DEBUG" ]; then flask run; fi\n'}, True, True, id="test-for-debug"),
        pytest.param(
            {"start.sh": 'if [ "$ENV" = production ]; then x; else flask run; fi\n'}, True, True, id="not-production"
        ),
        pytest.param(
            {"compose.yml": "services: {web: {build: ., command: flask run, volumes: ['.:/app']}}"},
            False,
            True,
            id="source-mounted",
        ),
        pytest.param({"Makefile": "run:\n\tflask run\n"}, True, False, id="makefile"),
    ],
)
def test_what_is_for_development(files: dict[str, str], *, development: bool, doubtful: bool):
    """Names, stages and tests say so; a mounted source only makes it doubtful."""
    launch = one(files)
    assert (launch.development, launch.launch.doubtful) == (development, doubtful)


def test_a_replaced_command_stays_a_launch_line():
    """Compose's `command` and the image's CMD are one each."""
    found = launches(
        {
            "Dockerfile": DOCKERFILE + 'CMD ["gunicorn", "-w", "2", "a:b"]\n',
            "compose.yml": "services: {web: {build: ., command: gunicorn -w 6 a:b}}",
        }
    )
    assert [(each.path, each.setting("workers").value, each.service) for each in found] == [
        ("Dockerfile", 2, None),
        ("compose.yml", 6, "web"),
    ]


def test_an_image_may_start_a_script_of_any_name():
    """What CMD names is a script, though neither its name nor a suffix says so; a function in it starts the server."""
    files = {
        "Dockerfile": 'FROM python:3.13\nCOPY docker/init/* /\nCMD ["/init"]\n',
        "docker/init/init": '#!/bin/bash\nstart_web() {\n\t"${wrap[@]}" gunicorn --forwarded-allow-ips="*" a:b &\n}\n',
        "docker/init/other": "#!/bin/bash\ngunicorn -w 2 a:b\n",
    }
    launch = one(files)
    assert launch.path == "docker/init/init"
    assert launch.setting("forwarded_allow_ips").value == ("*",)


def test_the_service_gives_its_image_environment_and_limit():
    """ENV, env files and `environment` decide, in this order."""
    launch = one(
        {
            "Dockerfile": DOCKERFILE + "ENV WEB_CONCURRENCY=2\nCMD gunicorn -t ${T:-30} -k ${K:-sync} a:b\n",
            ".env": "T=77\nWEB_CONCURRENCY=3\n",
            "compose.yml": "services:\n  web:\n    build: .\n    env_file: .env\n"
            "    environment: {WEB_CONCURRENCY: 5}\n    deploy: {resources: {limits: {cpus: '2'}}}\n",
        }
    )
    assert launch.service == "web"
    assert launch.launch.cpus == 2.0
    assert launch.setting("workers").value == 5
    assert launch.setting("workers").origin == "environment"
    assert launch.setting("timeout").value == 77
    assert launch.setting("timeout").configurable


@pytest.mark.parametrize(
    ("files", "path"),
    [
        pytest.param({"Dockerfile": DOCKERFILE + "CMD gunicorn a:b\n"}, "gunicorn.conf.py", id="default"),
        pytest.param(
            {"Dockerfile": "FROM x\nWORKDIR /app\nCOPY back /app\nCMD gunicorn a:b\n"},
            "back/gunicorn.conf.py",
            id="copied",
        ),
        pytest.param(
            {"Dockerfile": "FROM x\nCOPY docker/g.py /etc/g.py\nCMD gunicorn -c /etc/g.py a:b\n"},
            "docker/g.py",
            id="absolute",
        ),
        pytest.param(
            {"contrib/x.service": "[Service]\nWorkingDirectory=/opt/x\nExecStart=/opt/x/bin/gunicorn a:b\n"},
            "gunicorn.conf.py",
            id="unit-with-a-working-folder",
        ),
        pytest.param(
            {"deploy/supervisord.conf": "[program:x]\ncommand=gunicorn a:b\ndirectory=/srv/x/back\n"},
            "back/gunicorn.conf.py",
            id="a-part-of-the-repository",
        ),
        pytest.param({"Procfile": "web: cd back && gunicorn a:b\n"}, "back/gunicorn.conf.py", id="cd"),
        pytest.param({"Procfile": "web: gunicorn -c config/g.py a:b\n"}, "config/g.py", id="relative"),
        pytest.param({"Procfile": "web: gunicorn -c python:config.g a:b\n"}, "config/g.py", id="module"),
        pytest.param({"Procfile": "web: gunicorn -c /code/g.py a:b\n"}, "deep/g.py", id="only-one-of-that-name"),
        pytest.param(
            {"compose.yml": "services: {web: {image: x, command: gunicorn a:b, volumes: ['./back:/app']}}"},
            "back/gunicorn.conf.py",
            id="mounted",
        ),
    ],
)
def test_the_config_file_is_found(files: dict[str, str], path: str):
    """Through COPY, working folders and mounts."""
    found = [each for each in launches({**files, path: "timeout = 61\n"}) if each.launch.kind != "config"]
    assert [each.setting("timeout").value for each in found] == [61]
    assert found[0].config is not None
    assert found[0].config.path == path


def test_a_config_file_that_is_not_there_leaves_the_line_open():
    """What it says nobody knows, so nothing is called missing."""
    launch = one({"Procfile": "web: gunicorn -c /etc/x.py a:b\n"})
    assert not launch.complete


def test_a_config_file_that_development_finds_is_read_in_production_too():
    """The one of the usual name is a line of its own, unless a line for production reads it."""
    files = {"contrib/x.service": "[Service]\nWorkingDirectory=/opt/x\nExecStart=gunicorn a:b\n"}
    found = launches({**files, "gunicorn.conf.py": "timeout = 61\n"})
    assert [(each.launch.kind, each.development) for each in found] == [("systemd", True), ("config", False)]


def test_a_config_file_nobody_uses_is_a_launch_line_of_its_own():
    """Somebody starts it in a way that is not seen."""
    launch = one({"gunicorn_conf.py": "workers = 4\n", "tests/gunicorn.conf.py": "X = 1\n"})
    assert (launch.path, launch.server, launch.setting("workers").value) == ("gunicorn_conf.py", "gunicorn", 4)


def test_broken_files_are_gaps():
    """Each is named once."""
    files = {"gunicorn.conf.py": "workers = (", "compose.yml": "services: ["}
    found = [each for each in reader.read(MemorySnapshot(files)) if isinstance(each, Gap)]
    assert {each.path for each in found} == set(files)
    assert "line 1" in next(each.reason for each in found if each.path == "gunicorn.conf.py")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("gunicorn.conf.py", True, id="default"),
        pytest.param("docker/gunicorn_conf.py", True, id="underscore"),
        pytest.param("deploy/gunicorn.prod.py", True, id="production"),
        pytest.param("gunicorn/config.py", True, id="in-its-folder"),
        pytest.param("test_gunicorn.py", False, id="a-test"),
        pytest.param("gunicorn_utils.py", False, id="something-else"),
    ],
)
def test_which_files_are_config_files(path: str, *, expected: bool):
    """By name, or by name and folder."""
    assert is_config(path) is expected


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        pytest.param("uvicorn a:b --workers 4 --reload --host 0.0.0.0", {"workers": 4, "reload": True}, id="uvicorn"),
        pytest.param("uvicorn a:b --forwarded-allow-ips='*'", {"forwarded_allow_ips": ("*",)}, id="forwarded"),
        pytest.param("fastapi run --workers=3", {"workers": 3}, id="fastapi"),
        pytest.param("hypercorn -w 2 -b :80 a:b", {"workers": 2, "bind": ":80"}, id="hypercorn"),
        pytest.param("granian --workers 2 a:b", {"workers": 2}, id="granian"),
        pytest.param("flask run --debug", {"debug": True}, id="flask"),
        pytest.param("uwsgi --processes 4 --harakiri 30", {"workers": 4, "timeout": 30}, id="uwsgi"),
    ],
)
def test_other_servers(command: str, settings: dict[str, object]):
    """Their options under gunicorn's names where they mean the same."""
    launch = one({"Procfile": f"web: {command}\n"})
    assert {name: launch.setting(name).value for name in settings} == settings


def test_the_report_shows_values_with_their_places_and_no_credentials():
    """JSON types, an expression for what only the machine knows, and `NAME=value` masked."""
    files = {
        "Procfile": "web: gunicorn -w $(nproc) -b :80 -b :81 --reload -e TOKEN=abc a:b\n",
        "gunicorn.conf.py": "timeout = 5\nraw_env = ['A=b']\n\n\ndef on_exit(server):\n    pass\n",
    }
    snapshot = MemorySnapshot(files)
    (launch,) = (each for each in reader.read(snapshot) if isinstance(each, ServerLaunch))
    server = describe_server(launch, snapshot)
    assert (server.path, server.line, server.server) == ("Procfile", 1, "gunicorn")
    assert not any("abc" in word for word in server.command)
    assert "raw_env" not in server.effective
    assert server.effective["bind"].value == [":80", ":81"]
    assert server.effective["reload"].value is True
    assert (server.effective["workers"].value, server.effective["workers"].expression) == (None, "$(nproc)")
    timeout = server.effective["timeout"]
    assert (timeout.value, timeout.path, timeout.line, timeout.origin) == (5, "gunicorn.conf.py", 1, "config file")


INI = (
    "[uwsgi]\nmodule = app:app\nprocesses = 4 ; of eight cores\nharakiri=30\n"
    "py-autoreload = 1\nhttp = $(HOST):80\n[other]\nthreads = 9\n"
)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"uwsgi.ini": INI}, id="alone"),
        pytest.param({"uwsgi.ini": INI, "Procfile": "web: uwsgi --ini uwsgi.ini\n"}, id="named"),
        pytest.param({"deploy/web.ini": INI, "Procfile": "web: uwsgi deploy/web.ini\n"}, id="as-an-argument"),
        pytest.param({"uwsgi.ini": INI, "Procfile": "web: uwsgi --ini=uwsgi.ini --threads 9 -p 4\n"}, id="equals"),
    ],
)
def test_uwsgi_ini(files: dict[str, str]) -> None:
    """The `[uwsgi]` section sets what the command line leaves out, and each file is one launch line."""
    launch = one(files)
    assert launch.server == "uwsgi"
    assert [launch.setting(name).value for name in ("workers", "timeout", "reload")] == [4, 30, True]
    assert launch.setting("bind").expression == "$(HOST):80"
    assert launch.setting("threads").value == (9 if "--threads" in files.get("Procfile", "") else None)


def test_an_ini_without_a_uwsgi_section_is_none() -> None:
    """Other sections set nothing, and 0 is no reload."""
    assert launches({"uwsgi.ini": "[other]\nprocesses = 4\n"}) == []
    assert one({"uwsgi.ini": "[uwsgi]\npy-autoreload = 0\n"}).setting("reload").value is False


def test_environment_of_a_systemd_unit() -> None:
    """`Environment=` in its forms: several in a line, and quotes around the whole or the value."""
    unit = (
        '[Service]\nEnvironment=A=1 WEB_CONCURRENCY=5\nEnvironment="PORT=8080"\n'
        'Environment=FORWARDED_ALLOW_IPS="10.0.0.1"\nExecStart=gunicorn a:b\n'
    )
    launch = one({"web.service": unit})
    assert launch.setting("workers").value == 5
    assert launch.setting("bind").value == ("0.0.0.0:8080",)
    assert launch.setting("forwarded_allow_ips").value == ("10.0.0.1",)


def test_env_files_of_a_service_count() -> None:
    """`env_file` of a service gives WEB_CONCURRENCY and GUNICORN_CMD_ARGS."""
    compose = "services:\n  web:\n    image: x:1\n    command: gunicorn a:b\n    env_file: [a.env, {path: b.env}]\n"
    files = {"compose.yml": compose, "a.env": "WEB_CONCURRENCY=5\n", "b.env": 'GUNICORN_CMD_ARGS="--timeout 7"\n'}
    launch = one(files)
    assert [launch.setting(name).value for name in ("workers", "timeout")] == [5, 7]
    assert [launch.setting(name).span.path for name in ("workers", "timeout")] == ["a.env", "b.env"]


@pytest.mark.parametrize(
    ("text", "binary", "expected"),
    [
        pytest.param("512m", True, 512 * 1024**2, id="compose"),
        pytest.param("1.5GB", True, int(1.5 * 1024**3), id="compose-gigabytes"),
        pytest.param("256Mi", False, 256 * 1024**2, id="kubernetes"),
        pytest.param("1G", False, 10**9, id="kubernetes-decimal"),
        pytest.param("1000", False, 1000, id="bytes"),
        pytest.param("lots", True, None, id="no-size"),
    ],
)
def test_sizes(text: str, expected: int | None, *, binary: bool) -> None:
    """Docker counts in 1024, Kubernetes says which."""
    assert parse_bytes(text, binary=binary) == expected


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(lambda words: "x " * words + "gunicorn app:app", id="words"),
        pytest.param(lambda words: "gunicorn " + "$(a " * (words // 2), id="substitutions-that-never-end"),
    ],
)
def test_a_long_command_costs_what_its_words_cost(line: Callable[[int], str]):
    """Four times the words cost about four times as much: at least once in five, since a busy machine stretches any."""

    def cost(words: int) -> float:
        snapshot = MemorySnapshot({"Procfile": f"web: {line(words)}"})
        gc.disable()  # it would look through all that other tests have left
        try:
            started = time.process_time()
            list(reader.read(snapshot))
            return time.process_time() - started
        finally:
            gc.enable()

    cost(10)
    assert any(cost(16_000) < 8 * max(cost(4000), 0.01) for _ in range(5))
