"""Ports and namespaces of the host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.compose import ComposeFile, Port, Service
from hardenctl.formats.yaml import Scalar
from hardenctl.model.finding import Applicability, Fix, Hit, Replace, Severity, advice
from hardenctl.rules.compose.offence import Offence, image_name, report, weigh
from hardenctl.rules.declare import rule

# Data ports of stores and brokers, by what an image's name holds. Source: the images' own EXPOSE and manuals.
STORES: dict[str, frozenset[str]] = {
    "postg": frozenset(("5432",)),
    "pgvector": frozenset(("5432",)),
    "timescale": frozenset(("5432",)),
    "pgbouncer": frozenset(("5432", "6432")),
    "cockroach": frozenset(("26257",)),
    "mysql": frozenset(("3306", "33060")),
    "mariadb": frozenset(("3306",)),
    "percona": frozenset(("3306", "27017")),
    "mssql": frozenset(("1433",)),
    "oracle": frozenset(("1521",)),
    "mongo": frozenset(("27017",)),
    "redis": frozenset(("6379",)),
    "valkey": frozenset(("6379",)),
    "keydb": frozenset(("6379",)),
    "dragonfly": frozenset(("6379",)),
    "memcached": frozenset(("11211",)),
    "rabbitmq": frozenset(("5672", "15672", "25672", "4369")),
    "kafka": frozenset(("9092", "9093", "29092")),
    "redpanda": frozenset(("9092",)),
    "zookeeper": frozenset(("2181",)),
    "nats": frozenset(("4222", "8222")),
    "elasticsearch": frozenset(("9200", "9300")),
    "opensearch": frozenset(("9200", "9300", "9600")),
    "clickhouse": frozenset(("8123", "9000")),
    "cassandra": frozenset(("9042",)),
    "scylla": frozenset(("9042",)),
    "neo4j": frozenset(("7474", "7687")),
    "couchdb": frozenset(("5984",)),
    "influxdb": frozenset(("8086",)),
    "etcd": frozenset(("2379", "2380")),
    "qdrant": frozenset(("6333", "6334")),
    "milvus": frozenset(("19530",)),
    "weaviate": frozenset(("50051",)),
    "solr": frozenset(("8983",)),
}
# Ports that are one of these stores' whatever the image is called.
_KNOWN = frozenset("5432 3306 27017 6379 11211 5672 9200 1433 9042 26257 5984 7687 2379".split())  # noqa: SIM905 - one list of numbers
_NETWORK_TOOLS = re.compile(
    r"exporter|cadvisor|home-?assistant|wireguard|openvpn|tailscale|netdata|datadog|agent|zerotier|avahi|mdns|keepalived"
)


@rule("compose-published-port", on=ComposeFile, severity=Severity.MEDIUM)
def published_port(file: ComposeFile) -> Iterator[Hit]:
    """A database or broker is published on all interfaces.

    ## Why is this bad?
    Docker opens the port past the host's firewall, so anyone who reaches the machine reaches the database.

    Other services of the file reach it by its name, without any `ports`. Low in a file for development.
    Under `network_mode: host` no address before the port helps: Docker discards `ports`.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      db:
        image: postgres:17
        ports:
          - "5432:5432"
    ```

    ## Use instead
    Leave `ports` out, or publish on the loopback address.

    ```yaml title="docker-compose.yml"
    services:
      db:
        image: postgres:17
        ports:
          - "127.0.0.1:5432:5432"
    ```

    ## Fix safety
    Unsafe: clients on other machines can't connect any more.

    ## References
    - https://docs.docker.com/engine/network/packet-filtering-firewalls/
    """
    offences, unbound = [], []
    for service in file.services:
        for port in service.ports:
            if not _is_store(service, port) or (port.is_local and not service.on_host_network):
                continue
            random = port.published is None
            severity = Severity.LOW if random else weigh(file, service, Severity.MEDIUM, production=Severity.HIGH)
            if service.on_host_network:
                unbound.append(Offence(service, port.span, severity, port.target))
                continue
            offences.append(Offence(service, port.span, severity, port.target, _bound(port)))
    edits = tuple(each.edit for each in offences if each.edit)
    title = "publish on 127.0.0.1"
    if edits and len(edits) < len(offences):
        title += f"; the others by hand: {', '.join(dict.fromkeys(each.detail for each in offences if not each.edit))}"
    yield from report(
        offences,
        "a database or broker is published on all interfaces: port {details}",
        Fix(title, edits, Applicability.UNSAFE) if edits else advice(title),
    )
    yield from report(
        unbound,
        "a database or broker listens on all interfaces, `network_mode: host` makes nothing of `ports`: port {details}",
        advice("take `network_mode: host` away and publish on 127.0.0.1"),
    )


def _bound(port: Port) -> Replace | None:
    """The edit that puts the loopback address before a port; None where a variable or another address stands there."""
    if port.host_span is None or port.host not in (None, "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return None
    return Replace(port.host_span, "127.0.0.1:" if port.published else "127.0.0.1::")


@rule("compose-host-namespace", on=ComposeFile, severity=Severity.MEDIUM)
def host_namespace(file: ComposeFile) -> Iterator[Hit]:
    """A service shares a namespace of the host.

    ## Why is this bad?
    With the host's network, processes or memory a service that is broken into sees and reaches what the host does.

    ## Example
    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        network_mode: host
    ```

    ## Use instead
    Use a network of the file, and publish the ports that are needed.

    ```yaml title="docker-compose.yml"
    services:
      web:
        image: registry.example.com/web:1.4
        ports:
          - "8000:8000"
    ```

    ## References
    - https://docs.docker.com/reference/compose-file/services/#network_mode
    """
    offences = []
    for service in file.services:
        tool = bool(_NETWORK_TOOLS.search(image_name(service)))
        for key in ("network_mode", "pid", "ipc", "userns_mode", "uts"):
            node = service.own.get(key)
            if isinstance(node, Scalar) and node.text == "host":
                severity = Severity.LOW if tool or key in ("uts", "ipc") else weigh(file, service, Severity.MEDIUM)
                offences.append(Offence(service, node.span, severity, f"`{key}: host`"))
    yield from report(offences, "a namespace of the host is shared: {details}", advice("use a network of the file"))


def _is_store(service: Service, port: Port) -> bool:
    target = re.sub(r"\$\{\w+:?-(\d+)\}", r"\1", port.target)
    name = image_name(service) or service.name.lower()
    if any(
        part in name for part in ("exporter", "admin", "express", "insight", "commander", "dashboard", "kibana", "ui")
    ):
        return False
    for part, ports in STORES.items():
        if part in name:
            return target in ports
    return target in _KNOWN
