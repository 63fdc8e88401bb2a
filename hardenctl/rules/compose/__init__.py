"""The compose rules: one finding per rule and file, with the services it covers."""

from __future__ import annotations

from hardenctl.rules.compose.credentials import authentication_disabled, inline_credential, weak_credential
from hardenctl.rules.compose.missing import latest_tag, memory_limit_unset, new_privileges, restart_unset
from hardenctl.rules.compose.network import host_namespace, published_port
from hardenctl.rules.compose.privilege import (
    dangerous_capability,
    docker_socket,
    privileged,
    security_profile_disabled,
    sensitive_mount,
)
from hardenctl.rules.declare import Rule

RULES: tuple[Rule, ...] = (
    published_port,
    weak_credential,
    inline_credential,
    authentication_disabled,
    privileged,
    docker_socket,
    host_namespace,
    dangerous_capability,
    sensitive_mount,
    security_profile_disabled,
    latest_tag,
    memory_limit_unset,
    new_privileges,
    restart_unset,
)
