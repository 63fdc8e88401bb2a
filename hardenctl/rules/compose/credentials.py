"""Credentials in compose files. A live one is the secret scan's; here are the guessable ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.compose import ComposeFile, Service
from hardenctl.formats.yaml import Mapping, Node, Scalar, Sequence
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.model.text import Span
from hardenctl.rules.compose.offence import Offence, report, weigh
from hardenctl.rules.declare import rule
from hardenctl.rules.secrets.values import ValueClass, classify_value, fallback, is_credential_key, is_said

_GUESSABLE = (ValueClass.WEAK, ValueClass.PLACEHOLDER)
_FLAG = re.compile(
    r"--?(?:[\w-]*password|requirepass|masterauth|pass|secret-key|[\w-]*token)(?:[= ]+)(?P<value>[^\s\"',\]]+)"
)
# Switches of database images that let everybody in, and the values that do. Source: the images' manuals.
_OPEN = {
    "POSTGRES_HOST_AUTH_METHOD": ("trust",),
    "MYSQL_ALLOW_EMPTY_PASSWORD": ("yes", "true", "1"),
    "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": ("yes", "true", "1"),
    "ALLOW_EMPTY_PASSWORD": ("yes", "true", "1"),
    "ALLOW_ANONYMOUS_LOGIN": ("yes", "true", "1"),
    "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": ("true",),
    "NEO4J_AUTH": ("none",),
    "xpack.security.enabled": ("false",),
    "plugins.security.disabled": ("true",),
    "DISABLE_SECURITY_PLUGIN": ("true",),
}
_OPEN_FLAG = re.compile(r"(?<!\S)(?:--protected-mode[ =]no|--noauth|--skip-grant-tables)(?!\S)")


@rule("compose-weak-credential", on=ComposeFile, severity=Severity.MEDIUM)
def weak_credential(file: ComposeFile) -> Iterator[Hit]:
    """A guessable password stands in the file.

    ## Why is this bad?
    `postgres`, `admin` and `changeme` are the first values every scanner tries, and the file runs as it stands.

    High in a file for production, low in one for development.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      db:
        image: postgres:17
        environment:
          POSTGRES_PASSWORD: postgres
    ```

    ## Use instead
    Take the value from the environment and let Compose refuse to start without it.

    ```yaml title="docker-compose.yml"
    services:
      db:
        image: postgres:17
        environment:
          POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}
    ```

    ## References
    - https://docs.docker.com/compose/how-tos/use-secrets/
    """
    offences = [
        Offence(
            service,
            variable.span,
            weigh(file, service, Severity.MEDIUM, production=Severity.HIGH),
            f"`{variable.name}`",
        )
        for service in file.services
        for variable in service.own_environment
        if variable.value
        and (_is_guessable(variable.name, variable.value) or _is_said(variable.name, variable.value, service))
    ]
    fix = advice("take it from the environment: `${NAME:?}`; `hardenctl generate db-password` makes one")
    yield from report(offences, "a credential has a guessable value: {details}", fix)


@rule("compose-inline-credential", on=ComposeFile, severity=Severity.MEDIUM)
def inline_credential(file: ComposeFile) -> Iterator[Hit]:
    """A credential stands in a command or a build argument.

    ## Why is this bad?
    Everybody on the host sees a command line in `ps`, and a build argument stays in the image's history.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      cache:
        image: redis:8
        command: redis-server --requirepass hunter2
    ```

    ## Use instead
    Mount it as a secret, or take it from the environment.

    ```yaml title="docker-compose.yml"
    services:
      cache:
        image: redis:8
        command: redis-server --requirepass ${REDIS_PASSWORD:?}
    ```

    ## References
    - https://docs.docker.com/compose/how-tos/use-secrets/
    """
    offences = []
    for service in file.services:
        severity = weigh(file, service, Severity.MEDIUM)
        places = [(span, key) for key in ("command", "entrypoint") for span in _in_command(service.own.get(key))]
        places += [(span, f"build argument `{name}`") for span, name in _in_arguments(service)]
        offences += [Offence(service, span, severity, place) for span, place in places]
    fix = advice("mount it as a secret, or take it from the environment")
    yield from report(offences, "a credential stands in a command or a build argument: {details}", fix)


@rule("compose-authentication-disabled", on=ComposeFile, severity=Severity.MEDIUM)
def authentication_disabled(file: ComposeFile) -> Iterator[Hit]:
    """A database lets everybody in without a password.

    ## Why is this bad?
    Whatever reaches the port, another container included, reads and writes all data.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      db:
        image: postgres:17
        environment:
          POSTGRES_HOST_AUTH_METHOD: trust
    ```

    ## Use instead
    Set a password.

    ```yaml title="docker-compose.yml"
    services:
      db:
        image: postgres:17
        environment:
          POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}
    ```

    ## References
    - https://hub.docker.com/_/postgres
    """
    offences = []
    for service in file.services:
        severity = weigh(file, service, Severity.MEDIUM, production=Severity.HIGH)
        offences += [
            Offence(service, variable.span, severity, f"`{variable.name}`")
            for variable in service.own_environment
            if (variable.value or "").lower() in _OPEN.get(variable.name, ())
        ]
        offences += [Offence(service, span, severity, f"`{flag}`") for span, flag in _opened(service)]
    yield from report(offences, "everybody is let in: {details}", advice("set a password"))


def _opened(service: Service) -> Iterator[tuple[Span, str]]:
    """The options of its command that switch a check off; with a password, redis needs no protected mode."""
    command = service.own.get("command")
    scalars = [
        each for each in (command.items if isinstance(command, Sequence) else (command,)) if isinstance(each, Scalar)
    ]
    words = " ".join(each.text for each in scalars)
    match = _OPEN_FLAG.search(" ".join(words.split()))
    if match and "--requirepass" not in words and isinstance(command, Scalar | Sequence):
        yield command.span, match[0].replace("=", " ")


def _is_guessable(name: str, value: str) -> bool:
    """Whether a value is guessable as it stands; Compose puts nothing else in place of a placeholder."""
    value = fallback(value)
    found = classify_value(name, value)
    if re.match(r"[\w+.-]+://", value) and not re.search(r"://[^/@]*:[^/@]+@", value):
        return False  # an address without a password
    if found is ValueClass.PLACEHOLDER:
        return is_credential_key(name) and "<" not in value and "{" not in value
    return found is ValueClass.WEAK


def _is_said(name: str, value: str, service: Service) -> bool:
    """Whether what looks live is said beside it: the user's name, the database's, the service's own."""
    value = fallback(value)
    if not is_credential_key(name) or classify_value(name, value) is not ValueClass.LIVE:
        return False
    others = (each.value or "" for each in service.environment if not is_credential_key(each.name))
    return is_said(value, (service.name, *others))


def _in_command(node: Node | None) -> Iterator[Span]:
    scalars = node.items if isinstance(node, Sequence) else (node,)
    previous = ""
    for scalar in scalars:
        if not isinstance(scalar, Scalar):
            continue
        for match in _FLAG.finditer(scalar.text):
            if _is_literal(match["value"]):
                yield scalar.strand.span(*match.span("value"))
        if re.fullmatch(r"--(?:requirepass|masterauth|[\w-]*password)", previous) and _is_literal(scalar.text):
            yield scalar.inner
        previous = scalar.text


def _is_literal(value: str) -> bool:
    """Whether the value of an option that takes a credential is one, live or guessable."""
    return classify_value("password", value) in (*_GUESSABLE, ValueClass.LIVE)


def _in_arguments(service: Service) -> Iterator[tuple[Span, str]]:
    arguments = service.own.get("build", "args")
    pairs: list[tuple[str, str, Span]] = []
    if isinstance(arguments, Mapping):
        pairs = [(key.text, value.text, value.inner) for key, value in arguments if isinstance(value, Scalar)]
    elif isinstance(arguments, Sequence):
        for item in arguments:
            if isinstance(item, Scalar) and "=" in item.text:
                name, _, value = item.text.partition("=")
                pairs.append((name, value, item.strand.span(len(name) + 1, len(item.text))))
    for name, value, span in pairs:
        if is_credential_key(name) and classify_value(name, value) is ValueClass.WEAK:
            yield span, name
