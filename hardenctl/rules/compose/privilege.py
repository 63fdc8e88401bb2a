"""What a container may do to its host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.compose import ComposeFile, Volume, plain_bool
from hardenctl.formats.yaml import Scalar
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.compose.offence import Offence, image_name, report, weigh
from hardenctl.rules.declare import rule

# Images whose work is the Docker socket or the host. Mounting it is their purpose; the risk remains, lower ranked.
_HOST_TOOLS = re.compile(
    r"traefik|portainer|watchtower|dozzle|promtail|alloy|datadog|agent|cadvisor|autoheal|ofelia|diun|nginx-proxy|docker-gen|"
    r"caddy-docker|homepage|socket-proxy|docker-proxy|dind|exporter|netdata|fluent|vector|filebeat|telegraf|glances|"
    r"swag|acme|backup|runner|jenkins|drone|woodpecker|buildkit|localstack|ryuk|docker$|komodo|beszel"
)
_CAPABILITIES = frozenset(
    ("ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "SYS_PTRACE", "DAC_READ_SEARCH", "NET_ADMIN", "BPF", "SYS_BOOT")
)
_SENSITIVE = re.compile(r"/|/(?:etc|root|boot|dev|proc|sys|usr|home|var/lib/docker|var/run|run|lib/modules)/?")
_PROFILES = re.compile(
    r"(?:seccomp|apparmor)[=:]unconfined|label[=:]disable|systempaths[=:]unconfined|no-new-privileges[=:]false"
)


@rule("compose-privileged", on=ComposeFile, severity=Severity.HIGH)
def privileged(file: ComposeFile) -> Iterator[Hit]:
    """A service runs privileged.

    ## Why is this bad?
    A privileged container has every device and capability of the host: who breaks in owns the machine.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        privileged: true
    ```

    ## Use instead
    Leave it out, and add the one device or capability that is needed.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        cap_add: [NET_BIND_SERVICE]
    ```

    ## References
    - https://docs.docker.com/reference/compose-file/services/#privileged
    """
    offences = []
    for service in file.services:
        node = service.own.get("privileged")
        if isinstance(node, Scalar) and plain_bool(node):
            tool = bool(_HOST_TOOLS.search(image_name(service)))
            severity = Severity.LOW if tool else weigh(file, service, Severity.HIGH)
            offences.append(Offence(service, node.span, severity))
    fix = advice("leave it out, and add the one capability or device that is needed")
    yield from report(offences, "runs privileged ({services})", fix)


@rule("compose-docker-socket", on=ComposeFile, severity=Severity.HIGH)
def docker_socket(file: ComposeFile) -> Iterator[Hit]:
    """A service has the Docker socket.

    ## Why is this bad?
    Who reaches the socket starts a privileged container and owns the host; a read-only mount doesn't change that.

    Low for images that manage containers.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        volumes:
          - /var/run/docker.sock:/var/run/docker.sock
    ```

    ## Use instead
    Leave it out, or put a socket proxy that allows a few calls before it.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        environment:
          DOCKER_HOST: tcp://socket-proxy:2375
    ```

    ## References
    - https://docs.docker.com/engine/security/protect-access/
    """
    offences = []
    for service in file.services:
        for volume in service.volumes:
            if volume.source and re.search(r"docker\.sock|podman\.sock|containerd\.sock", volume.source):
                tool = _HOST_TOOLS.search(image_name(service)) or _HOST_TOOLS.search(service.name.lower())
                severity = Severity.LOW if tool else weigh(file, service, Severity.HIGH)
                offences.append(Offence(service, volume.span, severity))
    yield from report(offences, "the Docker socket is mounted ({services})", advice("put a socket proxy before it"))


@rule("compose-dangerous-capability", on=ComposeFile, severity=Severity.MEDIUM)
def dangerous_capability(file: ComposeFile) -> Iterator[Hit]:
    """A service has a capability that opens the host.

    ## Why is this bad?
    `SYS_ADMIN`, `SYS_PTRACE` and the like are ways out of a container for whoever breaks in.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        cap_add: [SYS_ADMIN]
    ```

    ## Use instead
    Drop all, and add what is needed.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        cap_drop: [ALL]
        cap_add: [NET_BIND_SERVICE]
    ```

    ## References
    - https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
    """
    offences = []
    for service in file.services:
        for node in service.list("cap_add"):
            name = node.text.upper().removeprefix("CAP_") if isinstance(node, Scalar) else ""
            if name in _CAPABILITIES:
                low = name == "NET_ADMIN" or _HOST_TOOLS.search(image_name(service))
                severity = Severity.LOW if low else weigh(file, service, Severity.MEDIUM)
                offences.append(Offence(service, node.span, severity, name))
    yield from report(offences, "a capability opens the host: {details}", advice("take it away"))


@rule("compose-sensitive-mount", on=ComposeFile, severity=Severity.MEDIUM)
def sensitive_mount(file: ComposeFile) -> Iterator[Hit]:
    """A service has a folder of the host's system.

    ## Why is this bad?
    Writing to `/etc`, `/root` or the whole root file system is owning the host; reading it is reading its keys.

    Low where it is mounted read-only.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        volumes:
          - /etc:/host/etc
    ```

    ## Use instead
    Mount the one file that is needed, read-only.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        volumes:
          - /etc/localtime:/etc/localtime:ro
    ```

    ## References
    - https://docs.docker.com/engine/storage/bind-mounts/
    """
    offences = []
    for service in file.services:
        for volume in service.volumes:
            if _is_sensitive(volume):
                low = volume.read_only or _HOST_TOOLS.search(image_name(service))
                severity = Severity.LOW if low else weigh(file, service, Severity.MEDIUM)
                offences.append(Offence(service, volume.span, severity, f"`{volume.source}`"))
    yield from report(offences, "a part of the host is mounted: {details}", advice("mount one file, read-only"))


@rule("compose-security-profile-disabled", on=ComposeFile, severity=Severity.MEDIUM)
def security_profile_disabled(file: ComposeFile) -> Iterator[Hit]:
    """A service runs without the kernel's protection.

    ## Why is this bad?
    Docker's seccomp and AppArmor profiles block the system calls that ways out of a container need.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        security_opt: ["seccomp:unconfined"]
    ```

    ## Use instead
    Keep the default profiles.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        security_opt: ["no-new-privileges:true"]
    ```

    ## References
    - https://docs.docker.com/engine/security/seccomp/
    """
    offences = [
        Offence(service, node.span, weigh(file, service, Severity.MEDIUM), f"`{node.text}`")
        for service in file.services
        for node in service.list("security_opt")
        if isinstance(node, Scalar) and _PROFILES.fullmatch(node.text.strip())
    ]
    yield from report(offences, "a protection is switched off: {details}", advice("keep the default profile"))


def _is_sensitive(volume: Volume) -> bool:
    return bool(volume.source and _SENSITIVE.fullmatch(volume.source))
