"""The launch rules on files as people write them: what is found, how severe, and what the fix makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.fix.propose import propose
from hardenctl.fix.write import apply
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Append, Render
from hardenctl.model.report import Server
from hardenctl.model.settings import GunicornSettings, Settings
from hardenctl.policy.policy import Policy
from hardenctl.rules import gunicorn
from hardenctl.sources import open_source
from hardenctl.sources.memory import MemorySnapshot

DOCKERFILE = "FROM python:3.13\nWORKDIR /app\nCOPY . .\n"
NOISE = {"gunicorn-timeout-unset", "gunicorn-max-requests-unset"}  # true of most lines below


def found(files: dict[str, str], settings: Settings | None = None) -> dict[str, str]:
    """Rule to severity, without those that most lines get."""
    results = {}
    for result in detect_config(MemorySnapshot(files), gunicorn.RULES, settings or Settings()):
        assert not isinstance(result, Gap)
        if not isinstance(result, Server) and result[0].id not in NOISE:
            rule, hit = result
            results[rule.id] = (rule.severity if hit.severity is None else hit.severity).word
    return results


def web(command: str, **more: str) -> dict[str, str]:
    """A Procfile that starts gunicorn so."""
    return {"Procfile": f"web: gunicorn {command} a:b\n", **more}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(web("-w 4"), {"gunicorn-hardcoded-workers": "medium"}, id="literal"),
        pytest.param(web("-w 1"), {"gunicorn-hardcoded-workers": "low"}, id="one-is-most-often-meant"),
        pytest.param(web("-w ${WEB_CONCURRENCY:-4}"), {}, id="configurable"),
        pytest.param(web("", **{".env": "WEB_CONCURRENCY=4\n"}), {}, id="left-to-the-environment"),
        pytest.param(
            {"start.sh": "WORKERS=4\ngunicorn -w $WORKERS a:b\n"}, {"gunicorn-hardcoded-workers": "low"}, id="constant"
        ),
        pytest.param({"gunicorn.conf.py": "workers = 4\n"}, {"gunicorn-hardcoded-workers": "medium"}, id="config"),
        pytest.param(
            {"gunicorn.conf.py": "n = 2\nworkers = n * 2\n"}, {"gunicorn-hardcoded-workers": "medium"}, id="sum"
        ),
        pytest.param(
            {"gunicorn.conf.py": "import os\nworkers = int(os.getenv('W', 4))\n"}, {}, id="config-environment"
        ),
        pytest.param(
            {"Procfile": "web: uvicorn a:b --workers 4\n"}, {"gunicorn-hardcoded-workers": "low"}, id="uvicorn"
        ),
        pytest.param(
            {"docker-compose.dev.yml": "services: {web: {image: x, command: gunicorn -w 4 --reload a:b}}"},
            {},
            id="development",
        ),
        pytest.param(
            {"compose.yml": "services: {web: {image: x, cpus: 2, command: gunicorn -w 3 a:b}}"}, {}, id="fits-the-limit"
        ),
        pytest.param(
            {"compose.yml": "services: {web: {image: x, cpus: 2, command: gunicorn -w 9 a:b}}"},
            {"gunicorn-hardcoded-workers": "medium"},
            id="exceeds-the-limit",
        ),
    ],
)
def test_hard_coded_workers(files: dict[str, str], expected: dict[str, str]):
    """A literal number that nobody can change without changing the code."""
    assert found(files) == expected


@pytest.mark.parametrize(
    ("files", "variable"),
    [
        pytest.param({"Procfile": "web: uvicorn a:b --workers 4\n"}, "WEB_CONCURRENCY", id="uvicorn"),
        pytest.param({"Procfile": "web: granian a:b --workers 4\n"}, "GRANIAN_WORKERS", id="granian"),
        pytest.param({"Procfile": "web: hypercorn a:b --workers 4\n"}, "${WEB_CONCURRENCY:-2}", id="hypercorn"),
        pytest.param({"Procfile": "web: uwsgi --processes 4 --module a\n"}, "UWSGI_PROCESSES", id="uwsgi"),
    ],
)
def test_the_advice_names_a_variable_that_the_server_reads(files: dict[str, str], variable: str):
    """Only gunicorn, uvicorn and what starts uvicorn read WEB_CONCURRENCY."""
    hits = [
        each for each in detect_config(MemorySnapshot(files), gunicorn.RULES, Settings()) if isinstance(each, tuple)
    ]
    (fix,) = [hit.fix for rule, hit in hits if rule.id == "gunicorn-hardcoded-workers"]
    assert fix is not None
    assert variable in fix.title


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        pytest.param('"--workers", "${WORKERS:-4}"', "no shell puts in `$WORKERS`", id="a-value"),
        pytest.param('"--workers=${WORKERS}"', "`--workers` holds a variable that no shell puts in", id="an-option"),
    ],
)
def test_a_variable_that_no_shell_puts_in_is_named(argument: str, message: str):
    """Its name is no secret; what stands beside it could be one."""
    files = {"Dockerfile": DOCKERFILE + f'CMD ["gunicorn", {argument}, "a:b"]\n'}
    hits = [
        each for each in detect_config(MemorySnapshot(files), gunicorn.RULES, Settings()) if isinstance(each, tuple)
    ]
    assert [hit.message for rule, hit in hits if rule.id == "gunicorn-quoted-argument"] == [message]


def test_the_policy_formula_decides():
    """Another formula fits another number."""
    files = {"compose.yml": "services: {web: {image: x, cpus: '4', command: gunicorn -w 4 a:b}}"}
    assert found(files, Settings(gunicorn=GunicornSettings(workers="min(cpu, 8)"))) == {}
    assert found(files, Settings(gunicorn=GunicornSettings(workers="open('x')"))) != {}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"Dockerfile": DOCKERFILE + "CMD exec gunicorn -w $(nproc) a:b\n"},
            {"gunicorn-cpu-count-in-container": "low"},
            id="no-limit-seen",
        ),
        pytest.param(
            {
                "Dockerfile": DOCKERFILE + "CMD exec gunicorn a:b\n",
                "gunicorn.conf.py": "from multiprocessing import cpu_count as c\nworkers = c() * 2 + 1\n",
                "compose.yml": "services: {web: {build: ., deploy: {resources: {limits: {cpus: '1'}}}}}",
            },
            {"gunicorn-cpu-count-in-container": "medium"},
            id="alias-of-the-function",
        ),
        pytest.param(
            {
                "Dockerfile": DOCKERFILE + "CMD exec gunicorn a:b\n",
                "gunicorn.conf.py": "import os\nworkers = os.cpu_count() * 2 + 1\n",
                "compose.yml": "services: {web: {build: ., deploy: {resources: {limits: {cpus: '1'}}}}}",
            },
            {"gunicorn-cpu-count-in-container": "medium"},
            id="limit",
        ),
        pytest.param(web("-w $(nproc)"), {}, id="no-container"),
    ],
)
def test_counting_the_hosts_cpus(files: dict[str, str], expected: dict[str, str]):
    """Worse where a limit stands beside it."""
    assert found(files) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(web("-t 0"), {"gunicorn-timeout-disabled": "high"}, id="command"),
        pytest.param(web("--timeout=0"), {"gunicorn-timeout-disabled": "high"}, id="equals"),
        pytest.param(web("-t 1"), {}, id="set"),
        pytest.param(web("-t ${T:-0}"), {"gunicorn-timeout-disabled": "high"}, id="default-of-a-variable"),
        pytest.param(web("-t 5", **{"gunicorn.conf.py": "timeout = 0\n"}), {}, id="beaten-by-the-command"),
        pytest.param(web("--limit-request-line 0"), {"gunicorn-limits-disabled": "medium"}, id="limit"),
        pytest.param(web("--max-requests 10"), {"gunicorn-jitter-unset": "low"}, id="no-jitter"),
        pytest.param(web("--max-requests 10 --max-requests-jitter 3"), {}, id="jitter"),
        pytest.param(web("--reload"), {"gunicorn-reload-in-production": "medium"}, id="reload"),
        pytest.param(web("-k eventlet"), {"gunicorn-worker-class-removed": "high"}, id="eventlet"),
        pytest.param(
            web("-k eventlet", **{"requirements.txt": "gunicorn==21.2.0\n"}),
            {"gunicorn-worker-class-removed": "low"},
            id="eventlet-of-an-old-gunicorn",
        ),
        pytest.param(
            web("-k eventlet", **{"poetry.lock": '[[package]]\nname = "gunicorn"\nversion = "27.0.1"\n'}),
            {"gunicorn-worker-class-removed": "high"},
            id="eventlet-of-a-new-gunicorn",
        ),
        pytest.param(
            web("-k uvicorn.workers.UvicornWorker"), {"gunicorn-worker-class-deprecated": "low"}, id="uvicorn-worker"
        ),
        pytest.param(web("-k uvicorn_worker.UvicornWorker"), {}, id="its-successor"),
        pytest.param(web("--forwarded-allow-ips '*'"), {"gunicorn-forwarded-ips-any": "low"}, id="forwarded-any"),
        pytest.param(web("--wrkers 3"), {"gunicorn-unknown-setting": "medium"}, id="unknown-option"),
        pytest.param(web("--timeout soon"), {"gunicorn-unknown-setting": "medium"}, id="refused-value"),
        pytest.param(web("$OPTIONS"), {"gunicorn-unresolved": "info"}, id="unknown-words"),
        pytest.param(
            {"gunicorn.conf.py": "class S:\n    n = 4\nworkers = S().n\ntimeout = 5\n"},
            {"gunicorn-unresolved": "info"},
            id="attribute-of-a-settings-object",
        ),
        pytest.param(web("-w $WORKERS"), {"gunicorn-unresolved": "info"}, id="unknown-number"),
        pytest.param(
            {"gunicorn.conf.py": "log_level = 'x'\ntimeout = 5\n"}, {"gunicorn-unknown-setting": "medium"}, id="alias"
        ),
        pytest.param({"gunicorn.conf.py": "TIMEOUT = 5\ntimeout = TIMEOUT\n"}, {}, id="a-name-that-is-read"),
        pytest.param(
            {"gunicorn.conf.py": "from x import *\ntimeout = 5\n"}, {"gunicorn-unresolved": "info"}, id="star"
        ),
        pytest.param(
            {"Dockerfile": DOCKERFILE + 'CMD ["gunicorn", "--bind", "0.0.0.0:$PORT", "a:b"]\n'},
            {"gunicorn-quoted-argument": "high"},
            id="variable-in-an-exec-form",
        ),
        pytest.param(
            {"Dockerfile": DOCKERFILE + 'CMD ["gunicorn", "--workers 4", "a:b"]\n'},
            {"gunicorn-quoted-argument": "high"},
            id="two-words-in-one",
        ),
        pytest.param(
            {"compose.yml": "services: {web: {image: x, read_only: true, command: gunicorn -t 5 a:b}}"},
            {"gunicorn-control-socket": "low"},
            id="control-socket",
        ),
        pytest.param(
            {
                "compose.yml": "services: {web: {image: x, read_only: true, command: gunicorn -t 5 a:b}}",
                "requirements.txt": "gunicorn==23.0.0",
            },
            {},
            id="no-control-socket-yet",
        ),
    ],
)
def test_settings(files: dict[str, str], expected: dict[str, str]):
    """Each rule where it applies, silence where it does not."""
    assert found(files) == expected


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        pytest.param({"Dockerfile": DOCKERFILE + "CMD flask run\n"}, "medium", id="image"),
        pytest.param({"Procfile": "web: python manage.py runserver\n"}, "medium", id="procfile"),
        pytest.param({"Procfile": "web: uvicorn a:b --reload\n"}, "medium", id="uvicorn-reload"),
        pytest.param({"Procfile": "web: fastapi dev\n"}, "medium", id="fastapi-dev"),
        pytest.param({"Procfile": "web: hypercorn --debug a:b\n"}, "medium", id="debug"),
        pytest.param({"Procfile": "web: fastapi run\n"}, None, id="fastapi-run"),
        pytest.param(
            {"compose.yml": "services: {web: {image: x, command: uvicorn a:b, environment: {UVICORN_RELOAD: 'true'}}}"},
            "medium",
            id="uvicorn-reload-by-a-variable",
        ),
        pytest.param(
            {"compose.yml": "services: {web: {image: x, command: uvicorn a:b, environment: {UVICORN_RELOAD: 'no'}}}"},
            None,
            id="uvicorn-no-reload-by-a-variable",
        ),
        pytest.param(
            {"Dockerfile": DOCKERFILE + "ENV GRANIAN_RELOAD=1\nCMD granian a:b\n"}, "medium", id="granian-reload-in-env"
        ),
        pytest.param({"Procfile.dev": "web: flask run\n"}, None, id="named-for-development"),
        pytest.param(
            {"Dockerfile": DOCKERFILE + 'CMD ["nautobot-server", "runserver", "0.0.0.0:8080", "--insecure"]\n'},
            "medium",
            id="manage-py-under-a-projects-own-name",
        ),
        pytest.param({"Procfile": "web: make runserver\n"}, None, id="a-target-of-that-name"),
        pytest.param(
            {"compose.yml": "services: {web: {build: {context: ., target: dev}, command: flask run}}"},
            None,
            id="built-to-a-stage-for-development",
        ),
        pytest.param(
            {"compose.yml": "services: {web: {build: ., command: flask run, volumes: ['.:/app']}}"},
            "low",
            id="source-mounted",
        ),
        pytest.param(
            {
                "compose.yml": "services: {web: {build: ., command: flask run}}",
                "compose.prod.yml": "services: {web: {command: gunicorn -t 5 a:b}}",
            },
            None,
            id="production-runs-it-otherwise",
        ),
    ],
)
def test_development_servers(files: dict[str, str], severity: str | None):
    """Wrong in production, not where a name or a production file says otherwise."""
    assert found(files).get("server-development-mode") == severity


NINE = "services: {{web: {{image: x, cpus: {}, environment: {{WEB_CONCURRENCY: 9}}, command: gunicorn a:b}}}}"
POD = (
    "kind: Pod\nspec:\n  containers:\n    - name: web\n      image: x:1\n      command: [gunicorn, -w, '{}', a:b]\n"
    "      resources: {{limits: {{cpu: {}, memory: {}}}}}\n"
)


@pytest.mark.parametrize(
    ("files", "severity", "said", "evidence"),
    [
        pytest.param(
            {"compose.yml": NINE.format(1)},
            "low",
            "9 workers; with a limit of 1 CPUs `max(2, cpu * 2 - 1)` is 2",
            {"workers": "9", "cpu limit": "1", "formula": "2"},
            id="environment-beyond-the-cpu-limit",
        ),
        pytest.param(
            {"compose.yml": NINE.format(8)},
            None,
            "",
            {},
            id="environment-within-the-cpu-limit",
        ),
        pytest.param(
            {"compose.yml": "services: {web: {image: x, mem_limit: 256m, command: 'gunicorn -w ${W:-8} a:b'}}"},
            "medium",
            "8 workers; the memory limit leaves 32 MiB to each",
            {"workers": "8", "memory limit": "256 MiB"},
            id="default-beyond-the-memory-limit",
        ),
        pytest.param(
            {
                "compose.yml": "services: {web: {image: x, command: gunicorn -w 3 a:b, deploy: {resources: "
                "{limits: {cpus: '2', memory: 1G}}}}}"
            },
            None,
            "",
            {},
            id="fits-both",
        ),
        pytest.param(
            {"pod.yml": POD.format(9, "500m", "128Mi")},
            "medium",
            "9 workers hard-coded; with a limit of 0.5 CPUs `max(2, cpu * 2 - 1)` is 2; the memory limit leaves 14 MiB",
            {"workers": "9", "cpu limit": "0.5", "formula": "2", "memory limit": "128 MiB"},
            id="kubernetes",
        ),
    ],
)
def test_workers_against_limits(files: dict[str, str], severity: str | None, said: str, evidence: dict[str, str]):
    """The number is held to the CPUs and the memory of its own container, and the finding shows the figures."""
    results = [
        result
        for result in detect_config(MemorySnapshot(files), [gunicorn.hardcoded_workers], Settings())
        if isinstance(result, tuple)
    ]
    assert [(rule.severity if hit.severity is None else hit.severity).word for rule, hit in results] == (
        [severity] if severity else []
    )
    for _, hit in results:
        assert said in hit.message
        assert hit.evidence == evidence


@pytest.mark.parametrize(
    ("command", "version", "expected"),
    [
        pytest.param("-k asgi", "23.0.0", {"gunicorn-worker-class-removed": "high"}, id="asgi-before-24"),
        pytest.param("-k asgi", "25.0.0", {}, id="asgi"),
        pytest.param("-k eventlet", "25.3.0", {"gunicorn-worker-class-removed": "low"}, id="eventlet-before-26"),
        pytest.param("-k eventlet", "26.0.0", {"gunicorn-worker-class-removed": "high"}, id="eventlet"),
        pytest.param("--forwarded-allow-ips=proxy", "22.0.0", {"gunicorn-unknown-setting": "low"}, id="name-before-23"),
        pytest.param("--forwarded-allow-ips=proxy", "23.0.0", {"gunicorn-unknown-setting": "medium"}, id="name"),
        pytest.param("--forwarded-allow-ips=10.0.0.0/8", "24.0.0", {"gunicorn-unknown-setting": "medium"}, id="net"),
        pytest.param("--forwarded-allow-ips=10.0.0.0/8", "24.1.0", {}, id="net-since-24.1"),
    ],
)
def test_the_pinned_version_decides(command: str, version: str, expected: dict[str, str]):
    """What gunicorn refuses depends on the version the project pins; the facts are of gunicorn's tags."""
    assert found(web(command, **{"requirements.txt": f"gunicorn=={version}\n"})) == expected


@pytest.mark.parametrize(
    ("read_only", "version", "expected"),
    [
        pytest.param("true", "26.0.0", {"gunicorn-control-socket": "low"}, id="read-only"),
        pytest.param("true", "25.0.3", {}, id="before-the-control-socket"),
        pytest.param("false", "26.0.0", {}, id="writable"),
    ],
)
def test_control_socket_in_kubernetes(read_only: str, version: str, expected: dict[str, str]):
    """A read-only root file system has no place for the control socket of gunicorn 25.1 and later."""
    pod = (
        "kind: Pod\nspec:\n  containers:\n    - name: web\n      image: x:1\n      command: [gunicorn, a:b]\n"
        f"      securityContext: {{readOnlyRootFilesystem: {read_only}}}\n"
    )
    assert found({"pod.yml": pod, "requirements.txt": f"gunicorn=={version}\n"}) == expected


@pytest.mark.parametrize(
    ("files", "path"),
    [
        pytest.param(
            {"Procfile": "web: gunicorn a:b\napi: gunicorn c:d\n", "gunicorn.conf.py": "timeout = 0\n"},
            "gunicorn.conf.py",
            id="config",
        ),
        pytest.param(
            {
                "Dockerfile": DOCKERFILE + "ENV GUNICORN_CMD_ARGS='--timeout 0'\nCMD gunicorn a:b\n",
                "compose.yml": "services: {web: {build: ., command: gunicorn c:d}}",
            },
            "Dockerfile",
            id="environment-of-an-image",
        ),
    ],
)
def test_what_two_launch_lines_share_is_said_once(files: dict[str, str], path: str):
    """A config file read by two services is one finding, and so is a variable of the image."""
    results = [
        each[1]
        for each in detect_config(MemorySnapshot(files), [gunicorn.timeout_disabled], Settings())
        if isinstance(each, tuple)
    ]
    assert len(results) == 1
    assert results[0].span.path == path


IMAGE = "services:\n  web:\n    image: x:1\n    command: gunicorn -w 4 -t 9 a:b\n"
START = 'CMD ["gunicorn", "-w", "4", "-t", "9", "a:b"]\n'


@pytest.mark.parametrize(
    ("files", "written"),
    [
        pytest.param(web("-w 4 -t 9"), "gunicorn.conf.py", id="beside-a-procfile"),
        pytest.param(
            {"Procfile": "web: cd back && gunicorn -w 4 a:b\n", "back/a.py": ""}, "back/gunicorn.conf.py", id="cd"
        ),
        pytest.param({"Procfile": 'web: cd "$DIR" && gunicorn -w 4 a:b\n'}, None, id="cd-to-what-nobody-knows"),
        pytest.param({"start.sh": "gunicorn -w 4 -t 9 a:b\n"}, None, id="a-script-started-from-anywhere"),
        pytest.param(
            {"Dockerfile": DOCKERFILE + 'CMD ["./start.sh"]\n', "start.sh": "exec gunicorn -w 4 -t 9 a:b\n"},
            "gunicorn.conf.py",
            id="a-script-of-an-image",
        ),
        pytest.param(
            {"x.service": "[Service]\nWorkingDirectory=/opt/x\nExecStart=/opt/x/bin/gunicorn -w 4 a:b\n"},
            None,
            id="systemd",
        ),
        pytest.param(
            {"supervisord.conf": "[program:a]\ncommand=gunicorn -w 4 a:b\ndirectory=/home/a\n"}, None, id="supervisor"
        ),
        pytest.param(
            {
                "k8s/web.yml": "kind: Deployment\nspec: {template: {spec: {containers: [{name: web, image: x:1, "
                'command: [gunicorn, -w, "4", "a:b"]}]}}}\n'
            },
            None,
            id="kubernetes",
        ),
        pytest.param({"compose.yml": IMAGE}, None, id="an-image-of-elsewhere"),
        pytest.param(
            {"compose.yml": IMAGE + "    working_dir: /srv\n    volumes: ['./web:/srv']\n", "web/a.py": ""},
            "web/gunicorn.conf.py",
            id="mounted-into-the-working-folder",
        ),
        pytest.param(
            {
                "Dockerfile": DOCKERFILE,
                "compose.yml": IMAGE.replace("image: x:1", "build: .") + "    volumes: ['code:/app']\n",
            },
            None,
            id="a-volume-over-the-working-folder",
        ),
        pytest.param({"Dockerfile": "FROM x\nWORKDIR /app\n" + START}, None, id="nothing-copied"),
        pytest.param(
            {"Dockerfile": "FROM x\nWORKDIR /app\nCOPY a.py .\n" + START, "a.py": ""}, None, id="a-file-copied"
        ),
        pytest.param(
            {"Dockerfile": "FROM x\nWORKDIR /code\nCOPY app app\n" + START, "app/a.py": ""}, None, id="a-folder-below"
        ),
        pytest.param(
            {"Dockerfile": "FROM x\nWORKDIR /code\nCOPY src/app /code/app\n" + START, "src/app/a.py": ""},
            None,
            id="a-folder-below-by-its-full-path",
        ),
        pytest.param(
            {"Dockerfile": "FROM x\nWORKDIR /code\nCOPY ./src /code\n" + START, "src/a.py": ""},
            "src/gunicorn.conf.py",
            id="the-folder-itself",
        ),
        pytest.param(
            {"Dockerfile": "FROM x\nCOPY . /code\nWORKDIR /code/src\n" + START, "src/a.py": ""},
            "src/gunicorn.conf.py",
            id="a-folder-of-what-is-copied",
        ),
        pytest.param(
            {"Dockerfile": "FROM x\nWORKDIR /build\nCOPY . .\nWORKDIR /code\n" + START}, None, id="another-folder-then"
        ),
        pytest.param(
            {"Dockerfile": "FROM x\nWORKDIR /code\nCOPY --from=build /code .\n" + START}, None, id="from-another-stage"
        ),
        pytest.param(
            {"Dockerfile": DOCKERFILE + START, ".dockerignore": "*\n!*.toml\n"}, None, id="left-out-of-the-build"
        ),
        pytest.param(
            {"Dockerfile": DOCKERFILE + START, ".dockerignore": "*\n!*.py\n"},
            "gunicorn.conf.py",
            id="let-into-the-build",
        ),
    ],
)
def test_the_config_file_is_written_where_it_is_read(files: dict[str, str], written: str | None):
    """A line names `gunicorn.conf.py` only where that is plain to lie in its working folder; else there is advice."""
    fixes = [
        each[1].fix
        for each in detect_config(MemorySnapshot(files), [gunicorn.hardcoded_workers], Settings())
        if isinstance(each, tuple)
    ]
    assert len(fixes) == 1
    assert fixes[0] is not None
    assert [each.path for each in fixes[0].edits if isinstance(each, Append | Render)] == ([written] if written else [])
    assert bool(fixes[0].edits) is (written is not None)


@pytest.mark.parametrize(
    ("line", "sets"),
    [
        pytest.param("-w 4", {"workers"}, id="the-address-is-left-to-gunicorn"),
        pytest.param("-w 4 -b :80", {"workers", "bind", "timeout"}, id="the-line-has-an-address-of-its-own"),
    ],
)
def test_a_new_config_file_opens_no_address(tmp_path: Path, line: str, sets: set[str]):
    """Without `bind` gunicorn listens on this machine alone, and still does after the fix."""
    (tmp_path / "Procfile").write_text(f"web: gunicorn {line} a:b\n")
    apply(propose(open_source([tmp_path]), tmp_path, Policy(), unsafe=True, rules=[gunicorn.hardcoded_workers]))
    scope: dict[str, Any] = {}
    exec((tmp_path / "gunicorn.conf.py").read_text(encoding="utf-8"), scope)  # noqa: S102 - ours, just written
    assert {"workers", "bind", "timeout"} & scope.keys() == sets
    assert scope["workers"] >= 2


def test_a_config_file_that_the_process_may_not_see():
    """One of another folder is no reason to name it in a line that runs elsewhere."""
    files = {"x.service": "[Service]\nExecStart=gunicorn -w 4 -t 9 a:b\n", "gunicorn.conf.py": "timeout = 9\n"}
    hits = [
        each[1]
        for each in detect_config(MemorySnapshot(files), [gunicorn.hardcoded_workers], Settings())
        if isinstance(each, tuple)
    ]
    assert [each.fix.edits for each in hits if each.fix] == [()]


@pytest.mark.parametrize(
    ("files", "path", "wanted"),
    [
        pytest.param(web("-w 4 -t 9"), "Procfile", "gunicorn --config gunicorn.conf.py -t 9 a:b", id="short"),
        pytest.param(web("--workers=4 -t 9"), "Procfile", "gunicorn --config=gunicorn.conf.py -t 9 a:b", id="equals"),
        pytest.param(web("-w4 -t 9"), "Procfile", "gunicorn --config=gunicorn.conf.py -t 9 a:b", id="glued"),
        pytest.param(web("-t 9 --reload"), "Procfile", "gunicorn -t 9 a:b", id="reload"),
        pytest.param(web("-t 0"), "Procfile", "gunicorn -t 120 a:b", id="timeout"),
        pytest.param(
            {"Dockerfile": DOCKERFILE + 'USER app\nCMD ["gunicorn", "-w", "4", "--reload", "-t", "9", "a:b"]\n'},
            "Dockerfile",
            'CMD ["gunicorn", "--config", "gunicorn.conf.py", "-t", "9", "a:b"]',
            id="exec-form",
        ),
        pytest.param(
            {
                "Dockerfile": DOCKERFILE,
                "compose.yml": "services:\n  web:\n    build: .\n    command:\n      - gunicorn\n      - --workers\n"
                '      - "4"\n      - "--reload"\n      - -t9\n      - a:b\n',
            },
            "compose.yml",
            '      - gunicorn\n      - --config\n      - "gunicorn.conf.py"\n      - -t9\n      - a:b\n',
            id="compose-list",
        ),
        pytest.param(
            {
                "Dockerfile": DOCKERFILE,
                "compose.yml": "services:\n  web:\n    build: .\n    command: gunicorn -w 4 -t 9 --reload a:b\n",
            },
            "compose.yml",
            "command: gunicorn --config gunicorn.conf.py -t 9 a:b\n",
            id="compose-string",
        ),
        pytest.param(
            {"gunicorn.conf.py": "bind = ':80'\nworkers = 4  # four\ntimeout = 9\n"},
            "gunicorn.conf.py",
            "\n\nworkers = max(2, available_cpus() * 2 - 1)  # four\ntimeout = 9\n",
            id="config",
        ),
        pytest.param(
            {"gunicorn.conf.py": "import os\nbind = os.environ.get('BIND', ':80')\nworkers = 4\n"},
            "gunicorn.conf.py",
            "bind = os.environ.get('BIND', ':80')\n\n\ndef available_cpus():\n",
            id="config-keeps-two-lines-before-a-function",
        ),
        pytest.param(
            {"gunicorn.conf.py": '"""Ours."""\n\nimport sys\n\nworkers = 4\n'},
            "gunicorn.conf.py",
            "import sys\nimport os\n",
            id="config-with-imports",
        ),
        pytest.param(
            web("-c conf.py -w 4 -t 9", **{"conf.py": "import os\n\nbind = ':80'\n"}),
            "conf.py",
            "workers = max(2, available_cpus() * 2 - 1)\n",
            id="named-config",
        ),
        pytest.param(
            web("-w 4 -t 9", **{"gunicorn.conf.py": "workers = 2\n"}),
            "gunicorn.conf.py",
            "workers = max(2, available_cpus() * 2 - 1)\n",
            id="config-beside-the-flag",
        ),
        pytest.param(
            {"gunicorn.conf.py": "MAX_REQUESTS = 10\nreload = True\nmax_requests_jitter = 3\n"},
            "gunicorn.conf.py",
            "max_requests = 10\nreload = False\n",
            id="renamed",
        ),
    ],
)
def test_fixes(tmp_path: Path, files: dict[str, str], path: str, wanted: str):
    """After the fix the file says what is wanted, the config file works, and the rules are silent."""
    for name, text in files.items():  # a plain folder: git would cost ten processes a case and shows nothing more
        (tmp_path / name).write_text(text, encoding="utf-8")
    rules = [rule for rule in gunicorn.RULES if rule.id not in NOISE]
    apply(propose(open_source([tmp_path]), tmp_path, Policy(), unsafe=True, rules=rules))
    assert wanted in (tmp_path / path).read_text(encoding="utf-8")
    for config in tmp_path.glob("*conf.py"):
        scope: dict[str, Any] = {}
        exec(compile(config.read_text(encoding="utf-8"), str(config), "exec"), scope)  # noqa: S102 - ours, just written
        assert scope.get("workers", 2) >= 2
    after = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir() if file.is_file()}
    assert not {rule for rule, severity in found(after).items() if severity in {"medium", "high"}}
