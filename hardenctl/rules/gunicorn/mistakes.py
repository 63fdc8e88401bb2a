"""What gunicorn does not understand, and what nobody can tell without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from hardenctl.formats.effective import Effective
from hardenctl.formats.gunicorn.options import REMOVED_WORKERS
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.model.finding import Applicability, Category, Fix, Hit, Replace, Severity, advice
from hardenctl.rules.declare import rule
from hardenctl.rules.gunicorn.judge import hit, in_production, weigh

_EVENTLET_GONE = (26,)
_ASGI_SINCE = (24,)
_ADDRESSES_SINCE, _NETWORKS_SINCE = (23,), (24, 1)  # what forwarded_allow_ips has to hold
_DEPRECATED = re.compile(r"uvicorn\.workers\.(Uvicorn\w*Worker)")
_QUOTED = re.compile(r"(?:--[\w-]+=)?(['\"]).*\1", re.DOTALL)
_JUDGED = ("workers", "timeout", "reload", "forwarded_allow_ips", "worker_class")


@rule("gunicorn-worker-class-removed", on=ServerLaunch, severity=Severity.HIGH, category=Category.PERFORMANCE)
def worker_class_removed(launch: ServerLaunch) -> Iterator[Hit]:
    """The worker class no longer exists.

    ## Why is this bad?
    Gunicorn 26 and later have no eventlet worker: the service fails at start, though `--check-config` passes.

    Low where the project pins an older gunicorn.

    ## Example
    ```text title="Procfile"
    web: gunicorn --timeout 120 --worker-class eventlet main:app
    ```

    ## Use instead
    Use gthread or gevent, or the asgi worker.

    ```text title="Procfile"
    web: gunicorn --timeout 120 --worker-class gthread --threads 8 main:app
    ```

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#worker-class
    """
    worker = launch.setting("worker_class")
    if in_production(launch) and worker.known and worker.value in REMOVED_WORKERS:
        old = launch.version is not None and launch.version < _EVENTLET_GONE
        message = f"the worker class {worker.value} is gone since gunicorn 26"
        fix = advice("use gthread or gevent")
        severity = Severity.LOW if old else Severity.HIGH
        yield hit(launch, worker, message, name="worker_class", severity=severity, fix=fix)
    elif in_production(launch) and worker.value == "asgi" and launch.version and launch.version < _ASGI_SINCE:
        message = f"the worker class asgi is there from gunicorn 24 on; the project pins {_dotted(launch.version)}"
        fix = advice("pin gunicorn 24 or later")
        yield hit(launch, worker, message, name="worker_class", severity=Severity.HIGH, fix=fix)


@rule("gunicorn-worker-class-deprecated", on=ServerLaunch, severity=Severity.LOW, category=Category.PERFORMANCE)
def worker_class_deprecated(launch: ServerLaunch) -> Iterator[Hit]:
    """The worker class is deprecated.

    ## Why is this bad?
    `uvicorn.workers` warns at start that it is going; its successor is the package `uvicorn-worker`.

    ## Example
    ```text title="Procfile"
    web: gunicorn --timeout 120 -k uvicorn.workers.UvicornWorker main:app
    ```

    ## Use instead
    Install `uvicorn-worker`, or use gunicorn's own asgi worker.

    ```text title="Procfile"
    web: gunicorn --timeout 120 -k uvicorn_worker.UvicornWorker main:app
    ```

    ## References
    - https://pypi.org/project/uvicorn-worker/
    """
    worker = launch.setting("worker_class")
    match = _DEPRECATED.fullmatch(worker.value) if in_production(launch) and isinstance(worker.value, str) else None
    if match:
        fix = advice(f"install uvicorn-worker and use uvicorn_worker.{match[1]}")
        message = f"{worker.value} is deprecated"
        yield hit(launch, worker, message, name="worker_class", severity=Severity.LOW, fix=fix)


@rule("gunicorn-unknown-setting", on=ServerLaunch, severity=Severity.MEDIUM, category=Category.PERFORMANCE)
def unknown_setting(launch: ServerLaunch) -> Iterator[Hit]:
    """A setting has a name that gunicorn doesn't know.

    ## Why is this bad?
    Gunicorn silently ignores unknown names in its config file, so the setting that was meant keeps its default.

    On the command line an unknown option stops it from starting.

    ## Example
    ```python title="gunicorn.conf.py"
    timeout = 120
    MAX_REQUESTS = 1000
    ```

    ## Use instead
    Write the name as gunicorn has it.

    ```python title="gunicorn.conf.py"
    timeout = 120
    max_requests = 1000
    ```

    ## Fix safety
    Unsafe: the setting begins to hold.

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html
    """
    if launch.server != "gunicorn":
        return
    if launch.config is not None and launch.config.settings:
        for name, (assigned, meant) in launch.config.unknown().items():
            taken = meant in launch.config.names
            edit = (Replace(assigned.name_span, meant),)
            title = f"rename it to `{meant}`"
            fix = advice(title) if taken else Fix(title, edit, Applicability.UNSAFE)
            message = f"gunicorn ignores `{name}`; the setting is `{meant}`"
            yield Hit(assigned.name_span, message, identity=name, fix=fix, severity=weigh(launch, Severity.MEDIUM))
    for span, problem in launch.errors:
        message = f"{problem}: gunicorn doesn't start"
        yield Hit(span, message, identity=f"{launch.name}/{problem}", severity=weigh(launch, Severity.MEDIUM))
    for name, setting in launch.settings.items():
        if setting.configurable or not setting.span:
            continue
        message, severity = f"`{name}` is {setting.error}: gunicorn doesn't start", Severity.MEDIUM
        if name == "forwarded_allow_ips" and launch.version and launch.version < _ADDRESSES_SINCE:
            message = (
                f"`{name}` is {setting.error}: gunicorn {_dotted(launch.version)} never finds it equal to an address"
            )
            severity = Severity.LOW
        if setting.error and not _is_quoted(launch, setting):
            yield hit(launch, setting, message, name=name, severity=severity)
        elif name == "forwarded_allow_ips" and _has_early_network(launch, setting):
            message = f"gunicorn {_dotted(launch.version or ())} takes addresses in `{name}`, networks from 24.1 on"
            yield hit(launch, setting, message, name=name, severity=Severity.MEDIUM)


@rule("gunicorn-quoted-argument", on=ServerLaunch, severity=Severity.HIGH, category=Category.PERFORMANCE)
def quoted_argument(launch: ServerLaunch) -> Iterator[Hit]:
    """An argument holds quotes, a variable or a blank that no shell takes away.

    ## Why is this bad?
    In the exec form no shell looks at the words: gunicorn gets quotes and `$` as they stand, and refuses the value.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    USER app
    CMD ["gunicorn", "--timeout=120", "--forwarded-allow-ips='*'", "main:app"]
    ```

    ## Use instead
    Leave the quotes out, and use the shell form with `exec` where a variable is needed.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    USER app
    CMD ["gunicorn", "--timeout=120", "--forwarded-allow-ips=10.0.0.5", "main:app"]
    ```

    ## References
    - https://docs.docker.com/reference/dockerfile/#shell-and-exec-form
    """
    if not (in_production(launch) and launch.launch.literal):
        return
    for word, value in launch.launch.words[launch.launch.arguments :]:
        text = value.text
        if text is None or any(text.startswith(flag) for flag in ("--access-logformat", "--statsd", "-e", "--env")):
            continue
        problem, variable = None, re.search(r"\$\{?([A-Za-z_]\w*)", text)
        if _QUOTED.fullmatch(text):
            problem = "holds quotes that no shell takes away"
        elif launch.launch.kind == "dockerfile" and variable:
            problem = "holds a variable that no shell puts in"
        elif re.fullmatch(r"--[a-z-]+ +\S+", text):
            problem = "is an option and its value in one word"
        if problem:
            # A value could be anything, a credential too; the name of a variable is none.
            flag = re.split(r"[= ]", text, maxsplit=1)[0] if text.startswith("-") else "a value"
            alone = variable and not text.startswith("-") and "variable" in problem
            message = f"no shell puts in `${variable[1]}`" if variable and alone else f"`{flag}` {problem}"
            identity = f"{launch.name}/{flag}"
            yield Hit(
                word.span, message, identity=identity, severity=weigh(launch, Severity.HIGH), services=launch.services
            )


@rule("gunicorn-unresolved", on=ServerLaunch, severity=Severity.INFO, category=Category.PERFORMANCE)
def unresolved(launch: ServerLaunch) -> Iterator[Hit]:
    """Part of a launch line could not be resolved without running it.

    ## Why is this bad?
    What nobody can read, nobody can check: the settings below were not judged.

    ## Example
    ```sh title="start.sh"
    exec gunicorn --timeout 120 main:app $GUNICORN_OPTIONS
    ```

    ## Use instead
    Give variables a default in the repository, or use `GUNICORN_CMD_ARGS`.

    ```sh title="start.sh"
    exec gunicorn --timeout 120 main:app ${GUNICORN_OPTIONS:-}
    ```

    ## References
    - https://docs.gunicorn.org/en/stable/configure.html
    """
    if not in_production(launch):
        return
    parts = [text for _, text in launch.opaque]
    parts += [f"{name} ({_expression(launch.setting(name))})" for name in _JUDGED if _is_unresolved(launch, name)]
    if parts:
        message = f"could not be resolved: {', '.join(dict.fromkeys(parts))}"
        yield hit(launch, None, message, name="unresolved", severity=Severity.INFO)


def _has_early_network(launch: ServerLaunch, setting: Effective) -> bool:
    """Whether a network is named that the pinned gunicorn refuses at start (23), or never matches (before)."""
    early = launch.version is not None and launch.version < _NETWORKS_SINCE
    return early and setting.known and any("/" in each for each in setting.value or ())


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _is_quoted(launch: ServerLaunch, setting: Effective) -> bool:
    """Whether the value is the business of `gunicorn-quoted-argument`."""
    words = [
        value.text or "" for word, value in launch.launch.words if setting.span and word.span.end == setting.span.end
    ]
    return launch.launch.literal and any(_QUOTED.fullmatch(word) or "$" in word for word in words)


def _is_unresolved(launch: ServerLaunch, name: str) -> bool:
    """Whether nobody can tell a setting; one that a function of the config file computes at start is meant to be."""
    setting = launch.setting(name)
    if not setting.is_set or setting.known or setting.counts_cpus or setting.error:
        return False
    names = launch.config.names.items() if launch.config else ()
    functions = [name for name, each in names if isinstance(each.result.body, ast.FunctionDef)]  # no class
    return not any(f"{name}(" in (setting.expression or "") for name in functions)


def _expression(setting: Effective) -> str:
    text = setting.expression or "computed"
    return f"`{text}`" if len(text) < 60 else "computed"  # noqa: PLR2004 - what fits a line
