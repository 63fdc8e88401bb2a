"""The rules about launch lines: gunicorn above all, and development servers."""

from __future__ import annotations

from hardenctl.rules.declare import Rule
from hardenctl.rules.gunicorn.exposure import (
    control_socket,
    development_mode,
    forwarded_ips_any,
    reload_in_production,
)
from hardenctl.rules.gunicorn.limits import (
    jitter_unset,
    limits_disabled,
    max_requests_unset,
    timeout_disabled,
    timeout_unset,
)
from hardenctl.rules.gunicorn.mistakes import (
    quoted_argument,
    unknown_setting,
    unresolved,
    worker_class_deprecated,
    worker_class_removed,
)
from hardenctl.rules.gunicorn.scaling import cpu_count_in_container, hardcoded_workers

RULES: tuple[Rule, ...] = (
    hardcoded_workers,
    cpu_count_in_container,
    timeout_disabled,
    timeout_unset,
    reload_in_production,
    forwarded_ips_any,
    max_requests_unset,
    jitter_unset,
    limits_disabled,
    worker_class_removed,
    worker_class_deprecated,
    unknown_setting,
    control_socket,
    quoted_argument,
    unresolved,
    development_mode,
)
