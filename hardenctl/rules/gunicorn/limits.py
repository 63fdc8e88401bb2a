"""Time-outs, recycling of workers, and the limits on a request."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.model.finding import Category, Hit, Severity, advice
from hardenctl.model.settings import Settings
from hardenctl.rules.declare import rule
from hardenctl.rules.gunicorn.judge import change, hit, in_production

_LIMITS = {"limit_request_line": 4094, "limit_request_field_size": 8190}


@rule("gunicorn-timeout-disabled", on=ServerLaunch, severity=Severity.HIGH, category=Category.PERFORMANCE)
def timeout_disabled(launch: ServerLaunch, settings: Settings) -> Iterator[Hit]:
    """The worker timeout is disabled.

    ## Why is this bad?
    With `timeout = 0` a worker that hangs is never killed: each stuck request takes one worker out for ever.

    ## Example
    ```python title="gunicorn.conf.py"
    timeout = 0
    ```

    ## Use instead
    Set a limit that the slowest legitimate request stays below.

    ```python title="gunicorn.conf.py"
    timeout = 120
    ```

    ## Fix safety
    Unsafe: a request that takes longer is killed.

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#timeout
    """
    timeout = launch.setting("timeout")
    if in_production(launch) and timeout.known and timeout.value == 0:
        wanted = settings.gunicorn.timeout
        message = "timeout 0 never frees a stuck worker"
        fix = change(timeout, str(wanted), f"set the timeout to {wanted} s")
        yield hit(launch, timeout, message, name="timeout", severity=Severity.HIGH, fix=fix)


@rule("gunicorn-timeout-unset", on=ServerLaunch, severity=Severity.LOW, category=Category.PERFORMANCE)
def timeout_unset(launch: ServerLaunch, settings: Settings) -> Iterator[Hit]:
    """No worker timeout is set, so gunicorn's 30 seconds hold.

    ## Why is this bad?
    The default of 30 s is nobody's decision: it kills long reports, and leaves a hung worker for half a minute.

    ## Example
    ```text title="Procfile"
    web: gunicorn main:app
    ```

    ## Use instead
    Say how long a request may take.

    ```text title="Procfile"
    web: gunicorn --timeout 120 main:app
    ```

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#timeout
    """
    if in_production(launch) and launch.complete and not launch.setting("timeout").is_set:
        wanted = settings.gunicorn.timeout
        fix = advice(f"set `timeout = {wanted}`, or what the slowest request needs")
        yield hit(
            launch, None, "no timeout set: the default of 30 s holds", name="timeout", severity=Severity.LOW, fix=fix
        )


@rule("gunicorn-max-requests-unset", on=ServerLaunch, severity=Severity.INFO, category=Category.PERFORMANCE)
def max_requests_unset(launch: ServerLaunch) -> Iterator[Hit]:
    """Workers are never recycled.

    ## Why is this bad?
    Memory that the application leaks stays until the container is killed; `max_requests` replaces a worker in time.

    ## Example
    ```text title="Procfile"
    web: gunicorn --timeout 120 main:app
    ```

    ## Use instead
    Recycle workers, each at a different moment.

    ```text title="Procfile"
    web: gunicorn --timeout 120 --max-requests 1000 --max-requests-jitter 100 main:app
    ```

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#max-requests
    """
    requests = launch.setting("max_requests")
    if (
        in_production(launch)
        and launch.complete
        and requests.known
        and requests.value == 0
        and not requests.configurable
    ):
        fix = advice("set max_requests with a max_requests_jitter of a tenth of it")
        yield hit(launch, requests, "workers are never recycled", name="max_requests", severity=Severity.INFO, fix=fix)


@rule("gunicorn-jitter-unset", on=ServerLaunch, severity=Severity.LOW, category=Category.PERFORMANCE)
def jitter_unset(launch: ServerLaunch) -> Iterator[Hit]:
    """All workers are recycled at the same moment.

    ## Why is this bad?
    Workers take equal shares of the load, so with `max_requests` alone they all restart together and nobody answers.

    ## Example
    ```text title="Procfile"
    web: gunicorn --timeout 120 --max-requests 1000 main:app
    ```

    ## Use instead
    Spread the restarts.

    ```text title="Procfile"
    web: gunicorn --timeout 120 --max-requests 1000 --max-requests-jitter 100 main:app
    ```

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#max-requests-jitter
    """
    requests, jitter = launch.setting("max_requests"), launch.setting("max_requests_jitter")
    if not (in_production(launch) and launch.complete and requests.known and requests.value):
        return
    if jitter.known and jitter.value == 0 and not jitter.configurable:
        fix = advice(f"set max_requests_jitter to {max(1, requests.value // 10)}")
        message = f"max_requests {requests.value} without jitter restarts all workers together"
        yield hit(launch, requests, message, name="max_requests_jitter", severity=Severity.LOW, fix=fix)


@rule("gunicorn-limits-disabled", on=ServerLaunch, severity=Severity.MEDIUM)
def limits_disabled(launch: ServerLaunch) -> Iterator[Hit]:
    """A limit on the size of requests is switched off.

    ## Why is this bad?
    Without a limit a single client can make a worker hold a request line or header of any size in memory.

    ## Example
    ```python title="gunicorn.conf.py"
    timeout = 120
    limit_request_line = 0
    ```

    ## Use instead
    Keep the default, or raise it to what is needed.

    ```python title="gunicorn.conf.py"
    timeout = 120
    limit_request_line = 4094
    ```

    ## Fix safety
    Unsafe: a client that sends longer requests is refused.

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#limit-request-line
    """
    for name, default in _LIMITS.items():
        limit = launch.setting(name)
        if in_production(launch) and limit.known and limit.value == 0:
            fix = change(limit, str(default), f"set {name} to its default of {default}")
            yield hit(launch, limit, f"{name} 0 means no limit", name=name, severity=Severity.MEDIUM, fix=fix)
