"""What lets anyone in or shows them too much: debug pages, any host, a key that anyone can read."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.django.document import DjangoSettings, Way
from hardenctl.model.finding import Confidence, Hit, Related, Severity, advice
from hardenctl.model.record import replace
from hardenctl.rules.declare import rule
from hardenctl.rules.django.fixes import name_hosts, switch_off_debug
from hardenctl.rules.django.ruling import Ruling, answer, anywhere, counted, exposed, is_on, tell


def _debug(way: Way) -> bool | None:
    return is_on(way, "DEBUG", otherwise=False)


def _any_host(way: Way) -> bool | None:
    setting = way.get("ALLOWED_HOSTS")
    if setting is None:
        return False
    if "*" in setting.entries:
        return True
    return None if setting.open_ended or not setting.known else False


def _public_key(way: Way) -> bool | None:
    """Whether the key is text of the code. One that files of a deployment set is what rules about those files tell."""
    setting = way.get("SECRET_KEY")
    if setting is None:
        return False
    if not setting.known:
        return None
    return isinstance(setting.data, str) and bool(setting.data) and setting.by_default and not setting.refused


def _related(ruling: Ruling) -> tuple[Related, ...]:
    """The files that set the variables which decide it."""
    places = ruling.deployment.places
    names = sorted(ruling.setting.variables & places.keys())
    return tuple(Related(places[name], f"`{name}` is set here") for name in names)


def _decided(ruling: Ruling) -> str:
    """A clause about the variables that decide it; empty where none does."""
    if ruling.by_files:
        return f" ({ruling.names} decides, and a file of the repository sets it so)"
    return _unset(ruling)


def _unset(ruling: Ruling) -> str:
    if not ruling.names:
        return ""
    return f" where {ruling.names} {'is' if len(ruling.setting.variables) == 1 else 'are'} not set"


@rule("django-debug", on=DjangoSettings, severity=Severity.HIGH)
def debug(settings: DjangoSettings) -> Iterator[Hit]:
    """`DEBUG` is on in the settings that production uses.

    ## Why is this bad?
    Whoever causes an error sees the code around it, local variables, settings and SQL, and Django keeps every query in
    memory. It is of low severity where a file of the repository switches it off by the variable that decides, and of
    medium where a module that is not in the repository may do so.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    DEBUG = True
    ```

    ## Use instead
    Leave it off unless a variable that only development sets says otherwise.
    ```python title="config/settings.py"
    import os

    ROOT_URLCONF = "config.urls"
    DEBUG = os.environ.get("DEBUG") == "True"
    ```

    ## Fix safety
    Unsafe: development has to set `DEBUG=True`, and Django then wants `ALLOWED_HOSTS` everywhere else.

    ## References
    - https://docs.djangoproject.com/en/stable/ref/settings/#debug
    - https://docs.djangoproject.com/en/stable/howto/deployment/checklist/#debug
    """
    ruling = anywhere(settings, "DEBUG", [*exposed(settings, "DEBUG")], _debug)
    if ruling is None:
        return
    setting = ruling.setting
    if isinstance(setting.data, str) and not ruling.by_files:
        message = "any text switches `DEBUG` on, `False` too: it is read as text, and compared with nothing"
    else:
        message = f"`DEBUG` is on in the settings that production uses{_decided(ruling)}"
    yield tell(
        settings,
        setting,
        message,
        "DEBUG",
        fix=advice("Switch it off in that file") if ruling.by_files else switch_off_debug(setting),
        severity=Severity.LOW if ruling.fallback else Severity.MEDIUM if settings.open_ended else None,
        confidence=ruling.confidence,
        related=_related(ruling),
    )


@rule("django-any-host", on=DjangoSettings, severity=Severity.MEDIUM)
def any_host(settings: DjangoSettings) -> Iterator[Hit]:
    """`ALLOWED_HOSTS` lets any host name in.

    ## Why is this bad?
    Django builds links from the `Host` header of a request: with `*`, whoever asks for a password reset in another's
    name decides which site the mailed link leads to, and caches can be fed pages with such links. It is of low
    severity where a file of the repository sets the variable that decides.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    ALLOWED_HOSTS = ["*"]
    ```

    ## Use instead
    List the host names of the service, read from the environment.
    ```python title="config/settings.py"
    import os

    ROOT_URLCONF = "config.urls"
    ALLOWED_HOSTS = [host.strip() for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host.strip()]
    ```

    ## Fix safety
    Unsafe: with `ALLOWED_HOSTS` unset, Django refuses every request while `DEBUG` is off.

    ## References
    - https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts
    - https://docs.djangoproject.com/en/stable/topics/security/#host-header-validation
    """
    ruling = anywhere(settings, "ALLOWED_HOSTS", [*counted(settings)], _any_host)
    if ruling is None:
        return
    yield tell(
        settings,
        ruling.setting,
        f"`*` in `ALLOWED_HOSTS` lets any host name in{_decided(ruling)}",
        "ALLOWED_HOSTS",
        fix=advice("Name the hosts in that file") if ruling.by_files else name_hosts(ruling.setting),
        severity=Severity.LOW if ruling.fallback else None,
        confidence=ruling.confidence,
        related=_related(ruling),
    )


@rule("django-public-secret-key", on=DjangoSettings, severity=Severity.HIGH)
def public_secret_key(settings: DjangoSettings) -> Iterator[Hit]:
    """`SECRET_KEY` falls back on a text that anyone can read.

    ## Why is this bad?
    A deployment that forgets the variable starts all the same, and whoever has read the code can make sessions,
    password reset links and signed values that Django believes. A key that looks like a real one is told by the rules
    for secrets instead. It is of low severity where a file of the repository sets the variable.

    ## Example
    ```python title="config/settings.py"
    import os

    ROOT_URLCONF = "config.urls"
    SECRET_KEY = os.environ.get("SECRET_KEY", "insecure")
    ```

    ## Use instead
    Let Django refuse to start without the key.
    ```python title="config/settings.py"
    import os

    ROOT_URLCONF = "config.urls"
    SECRET_KEY = os.environ["SECRET_KEY"]
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/ref/settings/#secret-key
    - https://docs.djangoproject.com/en/stable/howto/deployment/checklist/#secret-key
    """
    ruling = anywhere(settings, "SECRET_KEY", [*counted(settings)], _public_key)
    if ruling is None:
        return
    setting = ruling.setting
    hit = tell(
        settings,
        setting,
        f"`SECRET_KEY` is a text that anyone who reads the code knows{_unset(ruling)}",
        "SECRET_KEY",
        fix=advice("Read it from the environment without a default (`hardenctl generate secret-key` makes one)"),
        severity=Severity.LOW if ruling.fallback else None,
        confidence=ruling.confidence,
        secret=setting.data,
    )
    yield replace(hit, span=setting.literal.span) if setting.literal is not None else hit


@rule("django-unresolved", on=DjangoSettings, severity=Severity.INFO)
def unresolved(settings: DjangoSettings) -> Iterator[Hit]:
    """What `DEBUG` or `ALLOWED_HOSTS` comes to could not be worked out from the code.

    ## Why is this bad?
    Nobody has checked it: the value comes from a place that reading the code does not show.

    ## Example
    ```python title="config/settings.py"
    from somewhere import load

    ROOT_URLCONF = "config.urls"
    DEBUG = load("debug")
    ```

    ## Use instead
    Read it from the environment, where a check can follow it.
    ```python title="config/settings.py"
    import os

    ROOT_URLCONF = "config.urls"
    DEBUG = os.environ.get("DEBUG") == "True"
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/ref/django-admin/#cmdoption-check-deploy
    """
    for name, test in (("DEBUG", _debug), ("ALLOWED_HOSTS", _any_host)):
        deployments = [*counted(settings)]
        if any(answer(each, test) for each in deployments):
            continue
        given = [way[name] for each in deployments for way in each.ways if name in way]
        unknown = [each for each in given if not each.known and not each.operators]
        wavers = any(len({test(way) for way in each.ways}) > 1 for each in deployments)
        nowhere = name == "DEBUG" and settings.open_ended and not given
        if unknown or wavers or nowhere:
            yield tell(
                settings,
                next(iter([*unknown, *given]), None),
                f"what `{name}` comes to in production could not be worked out",
                name,
                fix=advice("Check the deployment itself (`manage.py check --deploy` with production's settings)"),
                confidence=Confidence.POSSIBLE,
            )


RULES = (debug, any_host, public_secret_key, unresolved)
