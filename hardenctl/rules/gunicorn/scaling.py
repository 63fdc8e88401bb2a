"""How many workers: a literal number, or one from a count of CPUs that a container doesn't have."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from hardenctl.formats.effective import CODE, COMMAND_LINE, CONFIG_FILE, Effective
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.formats.launch.paths import DEFAULT_CONFIG
from hardenctl.model.finding import (
    Append,
    Applicability,
    Category,
    Edit,
    Fix,
    Hit,
    Render,
    Replace,
    Severity,
    advice,
)
from hardenctl.model.settings import Settings
from hardenctl.model.text import Span
from hardenctl.rules.declare import rule
from hardenctl.rules.gunicorn.judge import formula_workers, hit, in_production, removal

if TYPE_CHECKING:
    from hardenctl.formats.gunicorn.conf import ConfigFile

_FUNCTION = '''\
def available_cpus():
    """The CPUs of the container's quota (cgroup v2), else those this process may use."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as limit:
            quota, period = limit.read().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
'''
# For a line that leaves its address to gunicorn, which is this machine's alone: the template's is open to all.
_NEW = f'''\
"""How many workers gunicorn starts. `hardenctl render gunicorn` shows what else is worth setting here."""

import os


{_FUNCTION}

# WEB_CONCURRENCY overrides it, where memory is the narrower limit.
workers = int(os.environ.get("WEB_CONCURRENCY") or max(2, available_cpus() * 2 - 1))
'''
_MIB = 1024 * 1024
_LEAST_MEMORY = 64 * _MIB  # a worker that has imported a web framework rarely fits in less
# The variables that servers take their number of workers from. Hypercorn reads none, so its own line has to.
_VARIABLES = {
    "uwsgi": "UWSGI_PROCESSES",
    "granian": "GRANIAN_WORKERS",
    "hypercorn": "a variable in its place (`--workers ${WEB_CONCURRENCY:-2}`)",
}
_TITLE = "compute the number of workers in gunicorn.conf.py"
_ADVICE = (
    "take the flag away, and set WEB_CONCURRENCY where it is deployed or compute the number in a gunicorn.conf.py in "
    "the working folder of the process"
)


@rule("gunicorn-hardcoded-workers", on=ServerLaunch, severity=Severity.MEDIUM, category=Category.PERFORMANCE)
def hardcoded_workers(launch: ServerLaunch, settings: Settings) -> Iterator[Hit]:
    """The number of gunicorn workers is hard-coded.

    ## Why is this bad?
    A literal number fits one machine size: on a smaller one it exhausts memory, on a larger one it leaves CPUs idle.
    The policy's formula is `max(2, cpu * 2 - 1)`: 2 workers on 1 CPU, 3 on 2, 7 on 4, 15 on 8.

    Where the container has a limit of CPUs or memory, the number is held to it: more workers than the formula gives, or
    less than 64 MiB for each, is a finding wherever the number comes from.

    A number that the environment can change (`${WEB_CONCURRENCY:-4}`, `os.getenv("WORKERS", "4")`) is not hard-coded.
    One worker, and the workers of uvicorn, hypercorn, granian and `fastapi run`, are low.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    WORKDIR /app
    COPY . .
    CMD ["gunicorn", "--workers", "4", "main:app"]
    ```

    ## Use instead
    Compute it from the CPUs the container may use, and let `WEB_CONCURRENCY` override it.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    WORKDIR /app
    COPY . .
    CMD exec gunicorn --workers ${WEB_CONCURRENCY:-3} main:app
    ```

    ## Fix safety
    Unsafe: the number of workers changes. Only offered where `gunicorn.conf.py` is plain to be in the working folder
    of the process: beside a `Procfile`, or in a folder that the image copies there or the service mounts there.

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#workers
    """
    workers = launch.setting("workers")
    count = workers.value
    if launch.development or not workers.known or not isinstance(count, int) or launch.server == "flask run":
        return
    limits = launch.launch
    wanted = formula_workers(settings.gunicorn.workers, limits.cpus) if limits.cpus else None
    each = limits.memory // count if limits.memory and count > 1 else None
    crowded = each is not None and each < _LEAST_MEMORY
    literal = workers.origin in (COMMAND_LINE, CONFIG_FILE, CODE) and not workers.configurable
    # What the environment sets is no literal; beside the limit of the same container it can still be too much.
    too_many = wanted is not None and count > wanted
    if not crowded and (wanted == count or not (literal or too_many)):
        return
    other = launch.server != "gunicorn"
    of = f" of {launch.server}" if other else ""
    message = f"{count} worker{'' if count == 1 else 's'}{of}{' hard-coded' if literal else ''}"
    if wanted is not None and wanted != count:
        message += f"; with a limit of {limits.cpus:g} CPUs `{settings.gunicorn.workers}` is {wanted}"
    elif literal and wanted is None:
        message += f"; compute it: `{settings.gunicorn.workers}`"
    if each is not None and crowded:
        message += f"; the memory limit leaves {each // _MIB} MiB to each"
    evidence = {"workers": str(count)}
    evidence |= {"cpu limit": f"{limits.cpus:g}", "formula": str(wanted)} if wanted is not None else {}
    evidence |= {"memory limit": f"{limits.memory // _MIB} MiB"} if limits.memory else {}
    low = count == 1 or other or not literal  # one worker is most often meant
    fix = (
        advice(f"leave it to {_VARIABLES.get(launch.server, 'WEB_CONCURRENCY')}, set where it is deployed")
        if other or not literal
        else _fix(launch, workers)
    )
    severity = Severity.LOW if low and not crowded else Severity.MEDIUM
    found = hit(launch, workers, message, name="workers", severity=severity, fix=fix)
    yield replace(found, evidence=evidence if len(evidence) > 1 else {})


def _fix(launch: ServerLaunch, workers: Effective) -> Fix:
    if workers.origin == CONFIG_FILE:
        edits = _in_config(launch.config, workers)
        return Fix(_TITLE, tuple(edits), Applicability.UNSAFE) if edits else advice(_TITLE)
    edits = _in_command(launch, workers)
    return Fix(_TITLE, tuple(edits), Applicability.UNSAFE) if edits else advice(_ADVICE)


def _in_config(config: ConfigFile | None, workers: Effective) -> list[Edit]:
    """Replace the literal by a computed number, with the function it needs before it."""
    tree, span = config.tree if config else None, workers.value_span
    if config is None or tree is None or span is None or workers.span is None:
        return []
    statement = next(
        (
            node
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Constant)
            and any(isinstance(each, ast.Name) and each.id == "workers" for each in _targets(node))
        ),
        None,
    )
    if statement is None or "available_cpus" in config.names:
        return []
    start = workers.span.start
    has_os = any(
        isinstance(node, ast.Import) and any(a.name == "os" and not a.asname for a in node.names) for node in tree.body
    )
    edits: list[Edit] = []
    if not has_os and config.end_of_imports:
        end = config.end_of_imports
        edits.append(Replace(Span(config.path, end, end), "\nimport os"))
    before = max((node.end_lineno or 0 for node in tree.body if node.lineno < statement.lineno), default=None)
    lead = "import os\n\n\n" if not (has_os or config.end_of_imports) else ""
    if before is not None:  # two blank lines before a function
        lead = "\n" * max(0, before + 3 - statement.lineno) + lead
    edits.append(Replace(Span(config.path, start, start), f"{lead}{_FUNCTION}\n\n"))
    edits.append(Replace(span, "max(2, available_cpus() * 2 - 1)"))
    return edits


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _in_command(launch: ServerLaunch, workers: Effective) -> list[Edit]:
    """Take the flag away, and see that the config file computes the number."""
    place = workers.value_span
    if place is None or workers.span is None or place.path != launch.path:
        return []
    asked, home = launch.settings.get("config"), launch.launch.home
    path = None if home is None else posixpath.join(home, DEFAULT_CONFIG)
    edits: list[Edit] = []
    if asked is not None and asked.is_set:
        away = removal(launch, workers)
        if away is None or launch.config is None:
            return []
        edits.append(away)
    elif path is None or (launch.config is not None and launch.config.path != path):
        return []  # gunicorn does not start without the file that it is told to read
    elif workers.flag_span is not None:
        edits += [Replace(workers.flag_span, "--config"), Replace(place, DEFAULT_CONFIG)]
    elif workers.span.start < place.start:  # `-w4`, `--workers=4`
        edits.append(Replace(Span(place.path, workers.span.start, place.end), f"--config={DEFAULT_CONFIG}"))
        word = next((word for word, _ in launch.launch.words if word.span == workers.span), None)
        if word is None or word.inner.end != place.end:
            return []
        edits[-1] = Replace(word.inner, f"--config={DEFAULT_CONFIG}")
    else:
        return []
    if launch.config is None and path is not None:
        edits.append(Render("gunicorn", path) if launch.setting("bind").is_set else Append(path, _NEW))
    elif launch.config is not None:
        edits += _computed_in(launch.config)
    return edits if launch.config is None or len(edits) > 0 else []


def _computed_in(config: ConfigFile) -> list[Edit]:
    """See that an existing config file computes the number itself."""
    own = config.names.get("workers")
    if own is not None and not own.result.known:
        return []
    if own is not None and own.result.configurable:
        return []
    tail = f"\n\n{_FUNCTION}\n\nworkers = max(2, available_cpus() * 2 - 1)\n"
    return [Append(config.path, tail if _imports_os(config) else "\nimport os\n" + tail)]


def _imports_os(config: ConfigFile) -> bool:
    return bool(config.tree) and any(
        isinstance(node, ast.Import) and any(alias.name == "os" and not alias.asname for alias in node.names)
        for node in (config.tree.body if config.tree else [])
    )


@rule("gunicorn-cpu-count-in-container", on=ServerLaunch, severity=Severity.MEDIUM, category=Category.PERFORMANCE)
def cpu_count_in_container(launch: ServerLaunch) -> Iterator[Hit]:
    """The number of workers is computed from the host's CPUs inside a container.

    ## Why is this bad?
    `multiprocessing.cpu_count()` and `nproc` see the host's CPUs, not the container's quota.
    A container limited to 2 CPUs on an 80-core host starts 161 workers and is killed for its memory.

    Low where no CPU limit is seen beside it.

    ## Example
    ```python title="gunicorn.conf.py"
    import multiprocessing

    workers = multiprocessing.cpu_count() * 2 + 1
    ```
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    WORKDIR /app
    COPY . .
    CMD ["gunicorn", "main:app"]
    ```

    ## Use instead
    Read the quota from `/sys/fs/cgroup/cpu.max`, or set `WEB_CONCURRENCY` per environment.

    ```python title="gunicorn.conf.py"
    import os

    workers = int(os.environ.get("WEB_CONCURRENCY", "3"))
    ```
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    WORKDIR /app
    COPY . .
    CMD ["gunicorn", "main:app"]
    ```

    ## References
    - https://docs.python.org/3/library/os.html#os.process_cpu_count
    """
    workers = launch.setting("workers")
    if not (in_production(launch) and launch.launch.container and workers.counts_cpus and not workers.known):
        return
    limit = launch.launch.cpus
    severity = Severity.MEDIUM if limit is not None and not workers.configurable else Severity.LOW
    tail = f"; this container may use {limit:g} of them" if limit is not None else ", not the container's quota"
    fix = advice("read /sys/fs/cgroup/cpu.max, as `hardenctl render gunicorn` does")
    yield hit(
        launch,
        workers,
        f"`{workers.expression}` counts the host's CPUs{tail}",
        name="workers",
        severity=severity,
        fix=fix,
    )
