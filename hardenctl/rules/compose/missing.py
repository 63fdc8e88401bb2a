"""What is merely missing: information, said once per file and never in files for development."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hardenctl.formats.compose import ComposeFile, Service
from hardenctl.formats.yaml import Scalar
from hardenctl.model.finding import Category, Hit, Severity, advice
from hardenctl.rules.compose.offence import Offence, report
from hardenctl.rules.declare import rule

_ONCE = re.compile(
    r"migrat|init|setup|seed|bootstrap|job|cron|backup|create|prestart|provision|fixture|install|upgrade"
)
_DEFAULT = re.compile(r"\$\{\w+:?-([^{}]*)\}")


@rule("compose-latest-tag", on=ComposeFile, severity=Severity.LOW)
def latest_tag(file: ComposeFile) -> Iterator[Hit]:
    """An image has no fixed version.

    ## Why is this bad?
    `latest`, or no tag at all, is another image tomorrow: a restart can bring a new major version, and no way back.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      cache:
        image: redis
    ```

    ## Use instead
    Name the version, or the digest.

    ```yaml title="docker-compose.yml"
    services:
      cache:
        image: redis:8.2
    ```

    ## References
    - https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
    """
    offences = []
    for service in file.services:
        image = service.own.get("image")
        if (
            isinstance(image, Scalar)
            and image.value is not None
            and "build" not in service.node
            and _is_latest(image.text)
        ):
            severity = Severity.INFO if file.development or service.development else Severity.LOW
            offences.append(Offence(service, image.span, severity))
    yield from report(offences, "the image has no fixed version ({services})", advice("name the version"))


@rule("compose-memory-limit-unset", on=ComposeFile, severity=Severity.INFO, category=Category.PERFORMANCE)
def memory_limit_unset(file: ComposeFile) -> Iterator[Hit]:
    """A service has no memory limit.

    ## Why is this bad?
    One service that leaks takes the whole host with it, the database included.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
    ```

    ## Use instead
    Say how much it may use.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        deploy:
          resources:
            limits:
              memory: 512M
    ```

    ## References
    - https://docs.docker.com/reference/compose-file/deploy/#resources
    """
    limits = (("mem_limit",), ("deploy", "resources", "limits", "memory"))
    yield from _missing(
        file,
        lambda each: all(each.node.get(*names) is None for names in limits),
        "no memory limit",
        "set a memory limit",
    )


@rule("compose-new-privileges", on=ComposeFile, severity=Severity.INFO)
def new_privileges(file: ComposeFile) -> Iterator[Hit]:
    """A service can gain privileges.

    ## Why is this bad?
    A setuid program in the image makes root of an ordinary user, unless `no-new-privileges` is set.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
    ```

    ## Use instead
    Set the option.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        security_opt: ["no-new-privileges:true"]
    ```

    ## References
    - https://docs.docker.com/reference/cli/docker/container/run/#security-opt
    """

    def lacks(service: Service) -> bool:
        options = service.list("security_opt")
        return not any(isinstance(each, Scalar) and each.text.startswith("no-new-privileges") for each in options)

    yield from _missing(file, lacks, "`no-new-privileges` is not set", "add `security_opt: [no-new-privileges:true]`")


@rule("compose-restart-unset", on=ComposeFile, severity=Severity.INFO, category=Category.PERFORMANCE)
def restart_unset(file: ComposeFile) -> Iterator[Hit]:
    """A service is not started again when it ends.

    ## Why is this bad?
    A crash or a reboot of the host leaves it down until somebody looks.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
    ```

    ## Use instead
    Set a restart policy.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        restart: unless-stopped
    ```

    ## References
    - https://docs.docker.com/reference/compose-file/services/#restart
    """

    def lacks(service: Service) -> bool:
        return service.node.get("restart") is None and service.node.get("deploy", "restart_policy") is None

    yield from _missing(file, lacks, "no restart policy", "set `restart: unless-stopped`")


def _missing(file: ComposeFile, lacks: Callable[[Service], bool], message: str, title: str) -> Iterator[Hit]:
    """One hit for the services that run for long and lack something."""
    if file.development:
        return
    offences = [
        Offence(service, service.span, Severity.INFO)
        for service in file.services
        if not service.development and not _ONCE.search(service.name.lower()) and lacks(service)
    ]
    yield from report(offences, message + " ({services})", advice(title))


def _is_latest(image: str) -> bool:
    text = _DEFAULT.sub(r"\1", image)
    if "@sha256:" in text:
        return False
    name, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        return "$" not in text
    return tag == "latest" and bool(name)
