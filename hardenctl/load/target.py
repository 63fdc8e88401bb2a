"""May this host be loaded? Loopback and private networks yes; any other one only where its name was confirmed."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from hardenctl.model.errors import ToolError, UsageError

_OWN_NETWORKS = tuple(
    ipaddress.ip_network(each)
    for each in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
_PRODUCTION = re.compile(r"(?:^|[.-])(?:prod|production|live|www)(?:[.-]|$)", re.IGNORECASE)
_RESOLVE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """A host that may be loaded. `url` has no trailing slash; `warnings` are for people."""

    url: str
    name: str
    addresses: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def allow_target(url: str, *, confirmed: str | None = None, hosts: Collection[str] = ()) -> LoadTarget:
    """Check a target by each address its name has. Raises UsageError or ToolError.

    `confirmed` is what the user repeated with --confirm-host, `hosts` the policy's list.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise UsageError(f"`{_without_credentials(url)}` is no URL", help="write it as http://127.0.0.1:8000") from None
    name = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not name:
        raise UsageError(f"`{_without_credentials(url)}` is no URL", help="write it as http://127.0.0.1:8000")
    if parts.username or parts.password:
        raise UsageError(
            "--host holds credentials, which would end up in logs",
            help="put them into environment variables and name those in the scenario file",
        )
    if parts.query or parts.fragment:
        raise UsageError("--host has a query or fragment", help="paths and queries belong to the scenario's endpoints")
    addresses = _resolve(name, port)
    outside = [address for address in addresses if not _is_own(address)]
    warnings = []
    if outside:
        if name not in {confirmed, *hosts}:
            raise UsageError(
                f"`{name}` is outside of this machine and private networks ({', '.join(outside)})",
                help=f"only load what you may load: confirm it with --confirm-host {name}, "
                "or list it in policy `[tool.hardenctl.load] hosts`",
            )
        if _PRODUCTION.search(name):
            warnings.append(f"`{name}` looks like a production host: real users share it with this run")
    return LoadTarget(url.rstrip("/"), name, addresses, tuple(warnings))


def _is_own(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in _OWN_NETWORKS)


def _resolve(name: str, port: int) -> tuple[str, ...]:
    """All addresses, in a thread: the system's resolver cannot be told to hurry."""
    answer: list[tuple[str, ...]] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            answer.append(tuple(sorted({str(each[4][0]) for each in found})))
        except (OSError, UnicodeError) as error:
            errors.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_RESOLVE_SECONDS)
    if not answer:
        why = "cannot be resolved" if errors else f"was not resolved within {_RESOLVE_SECONDS:.0f} s"
        raise ToolError(f"`{name}` {why}", help="check --host and the name service")
    return answer[0]


def _without_credentials(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)
