"""What a launch line opens: reload, development servers, forwarded addresses, the control socket."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.effective import CONFIG_FILE, ENVIRONMENT, Effective
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.model.finding import Applicability, Fix, Hit, Replace, Severity, advice
from hardenctl.rules.declare import rule
from hardenctl.rules.gunicorn.judge import hit, in_production, removal

_CONTROL_SOCKET_SINCE = (25, 1)
_SERVERS = {
    "fastapi dev": "`fastapi dev` is a development server",
    "flask run": "`flask run` is a development server",
    "manage.py runserver": "`manage.py runserver` is a development server",
    "app.run()": "`app.run()` is a development server, and the command that is started here runs it",
}


@rule("gunicorn-reload-in-production", on=ServerLaunch, severity=Severity.MEDIUM)
def reload_in_production(launch: ServerLaunch) -> Iterator[Hit]:
    """Gunicorn reloads code when files change.

    ## Why is this bad?
    Whoever can write a file below the application can run code in it, and each write restarts all workers at once.

    Low where the line is perhaps for development only; silent where a name says so (`docker-compose.dev.yml`).

    ## Example
    ```text title="Procfile"
    web: gunicorn --reload --timeout 120 main:app
    ```

    ## Use instead
    Restart the service to deploy new code.

    ```text title="Procfile"
    web: gunicorn --timeout 120 main:app
    ```

    ## Fix safety
    Unsafe: code that changes on disk is no longer picked up.

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#reload
    """
    reload = launch.setting("reload")
    if in_production(launch) and reload.known and reload.value is True and not reload.configurable:
        fix = _without(launch, reload, "take reload away")
        yield hit(launch, reload, "reload is on", name="reload", severity=Severity.MEDIUM, fix=fix)


@rule("server-development-mode", on=ServerLaunch, severity=Severity.MEDIUM)
def development_mode(launch: ServerLaunch) -> Iterator[Hit]:
    """A development server or a reloading server is started in production.

    ## Why is this bad?
    A development server is made for one user: it is slow, shows tracebacks, and its debugger runs code for anyone.

    Low where the line is perhaps for development only; silent where a name says so (`docker-compose.dev.yml`).

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    WORKDIR /app
    COPY . .
    USER app
    CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--reload"]
    ```

    ## Use instead
    Start a production server: gunicorn, or uvicorn without `--reload`.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    WORKDIR /app
    COPY . .
    USER app
    CMD ["uvicorn", "main:app", "--host", "0.0.0.0"]
    ```

    ## Fix safety
    Unsafe: code that changes on disk is no longer picked up.

    ## References
    - https://uvicorn.dev/deployment/
    - https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver
    """
    if launch.development or launch.server == "gunicorn":
        return
    reload, debug = launch.setting("reload"), launch.setting("debug")
    if launch.server in _SERVERS:
        fix = advice("start gunicorn, or another production server")
        debugs = debug.known and debug.value is True and not debug.configurable
        message = _SERVERS[launch.server] + (", with a debugger that runs code for anyone" if debugs else "")
        severity = Severity.HIGH if debugs else Severity.MEDIUM
        yield hit(launch, None, message, name="server", severity=severity, fix=fix)
    elif reload.known and reload.value is True and (reload.origin == ENVIRONMENT or not reload.configurable):
        message = f"{launch.server} reloads code when files change"
        fix = _without(launch, reload, "take reload away")
        if reload.origin == ENVIRONMENT:
            fix = advice("take the variable away")
        elif launch.launch.doubtful:  # a developer's own line, perhaps: it is theirs to change
            fix = advice("take reload away where this line runs in production")
        yield hit(launch, reload, message, name="reload", severity=Severity.MEDIUM, fix=fix)
    elif debug.known and debug.value is True and not debug.configurable:
        yield hit(launch, debug, f"{launch.server} runs in debug mode", name="debug", severity=Severity.MEDIUM)


@rule("gunicorn-forwarded-ips-any", on=ServerLaunch, severity=Severity.MEDIUM)
def forwarded_ips_any(launch: ServerLaunch) -> Iterator[Hit]:
    """Forwarded headers are believed from any address.

    ## Why is this bad?
    Any client can then write its own address and scheme: logs, rate limits and `https` checks hold what it claims.

    Medium where the service publishes its port itself; low behind a proxy that alone can reach it, where it is usual.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        command: gunicorn --bind 0.0.0.0:8000 --timeout 120 --forwarded-allow-ips="*" main:app
        ports:
          - "8000:8000"
    ```

    ## Use instead
    Name the proxy's address or network.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        command: gunicorn --bind 0.0.0.0:8000 --timeout 120 --forwarded-allow-ips=10.0.0.5 main:app
        ports:
          - "8000:8000"
    ```

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#forwarded-allow-ips
    """
    forwarded = launch.setting("forwarded_allow_ips")
    if launch.development or not forwarded.known or "*" not in (forwarded.value or ()):
        return
    published = _publishes(launch)
    message = "forwarded headers are believed from any address"
    if published:
        message += f", and {launch.service} publishes its port"
    severity = Severity.MEDIUM if published else Severity.LOW
    fix = advice("name the address or network of the proxy")
    yield hit(launch, forwarded, message, name="forwarded_allow_ips", severity=severity, fix=fix)


@rule("gunicorn-control-socket", on=ServerLaunch, severity=Severity.LOW)
def control_socket(launch: ServerLaunch) -> Iterator[Hit]:
    """Gunicorn's control socket has no place to be written.

    ## Why is this bad?
    Gunicorn 25.1 and later open a control socket below HOME at start; on a read-only root file system that is an error.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        read_only: true
        command: gunicorn --timeout 120 main:app
    ```

    ## Use instead
    Switch it off, or give it a tmpfs.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        read_only: true
        command: gunicorn --timeout 120 --no-control-socket main:app
    ```

    ## References
    - https://docs.gunicorn.org/en/stable/settings.html#control-socket-disable
    """
    if not (in_production(launch) and launch.launch.read_only):
        return
    if launch.version is not None and launch.version < _CONTROL_SOCKET_SINCE:
        return
    moved = launch.setting("control_socket")
    disabled = launch.setting("control_socket_disable")
    if moved.is_set or (disabled.is_set and disabled.value is not False) or not launch.complete:
        return
    fix = advice("add --no-control-socket")
    message = "the root file system is read-only, and the control socket needs a place to be written"
    yield hit(launch, None, message, name="control_socket", severity=Severity.LOW, fix=fix)


def _without(launch: ServerLaunch, flag: Effective, title: str) -> Fix:
    if flag.origin == CONFIG_FILE and flag.value_span is not None:
        return Fix(title, (Replace(flag.value_span, "False"),), Applicability.UNSAFE)
    edit = removal(launch, flag)
    return Fix(title, (edit,), Applicability.UNSAFE) if edit else advice(title)


def _publishes(launch: ServerLaunch) -> bool:
    """Whether the service publishes a port on an address others can reach."""
    service = launch.launch.service
    return service is not None and any(port.published is not None and not port.is_local for port in service.ports)
