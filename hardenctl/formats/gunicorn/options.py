"""The settings of gunicorn 27 (checked against the installed gunicorn by a test), and how it converts their values.

Source: `gunicorn.config.KNOWN_SETTINGS`. Defaults that depend on the machine (user, folder, sockets) are None here.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Any

from hardenctl.model.record import record


class Kind(enum.Enum):
    """How a value is converted."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"  # takes no value on the command line
    LIST = "list"  # repeatable on the command line
    ADDRESSES = "addresses"  # one text, separated by commas
    DICT = "dict"
    HOOK = "hook"


@record
class Option:
    """A setting: its flags, and its default as gunicorn holds it. `constant` is what a flag without a value means."""

    name: str
    flag_text: str
    kind: Kind
    default: Any = None
    constant: Any = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags; none for a setting that only a config file has."""
        return tuple(self.flag_text.split())

    def convert(self, value: Any, *, command_line: bool = False) -> Any:
        """The value as `--print-config` shows it, with tuples for lists.

        Raises ValueError or TypeError where gunicorn would refuse it. On the command line `010` is ten, and eight for
        a mode or mask.
        """
        if self.kind is Kind.INTEGER and command_line and self.name != "cert_reqs":
            octal = self.name in _AUTO and re.match(r"0\d", value)
            return _integer(int(value, 8) if octal else int(value, 0 if self.name in _AUTO else 10))
        convert = _CONVERT.get(self.kind)
        converted = convert(value) if convert else value
        if self.name in ("forwarded_allow_ips", "proxy_allow_ips", "uwsgi_allow_ips"):
            _check_networks(converted)
        return converted


_AUTO = ("umask", "control_socket_mode")


def _integer(value: Any) -> int:
    number = int(value, 0) if isinstance(value, str) else int(value)
    if number < 0:
        raise ValueError("must be positive")
    return number


def _boolean(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise TypeError("not a boolean")
    word = value.lower().strip()
    if word not in ("true", "false"):
        raise ValueError("not a boolean")
    return word == "true"


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value.strip()


def _list(value: Any) -> tuple[str | None, ...]:
    if not value:
        return ()
    return tuple(_text(item) for item in ([value] if isinstance(value, str) else value))


def _addresses(value: Any) -> tuple[str, ...]:
    text = _text(value)
    return tuple(item.strip() for item in text.split(",") if item) if text else ()


def _check_networks(addresses: tuple[str, ...]) -> None:
    import ipaddress

    for address in addresses:
        if address != "*":
            ipaddress.ip_network(address)


_CONVERT: dict[Kind, Callable[[Any], Any]] = {
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.LIST: _list,
    Kind.ADDRESSES: _addresses,
    Kind.TEXT: _text,
}

OPTIONS: tuple[Option, ...] = (
    Option("config", "-c --config", Kind.TEXT, None),
    Option("wsgi_app", "", Kind.TEXT, None),
    Option("bind", "-b --bind", Kind.LIST, ("127.0.0.1:8000",)),
    Option("backlog", "--backlog", Kind.INTEGER, 2048),
    Option("workers", "-w --workers", Kind.INTEGER, 1),
    Option("worker_class", "-k --worker-class", Kind.TEXT, "sync"),
    Option("threads", "--threads", Kind.INTEGER, 1),
    Option("worker_connections", "--worker-connections", Kind.INTEGER, 1000),
    Option("max_requests", "--max-requests", Kind.INTEGER, 0),
    Option("max_requests_jitter", "--max-requests-jitter", Kind.INTEGER, 0),
    Option("timeout", "-t --timeout", Kind.INTEGER, 30),
    Option("graceful_timeout", "--graceful-timeout", Kind.INTEGER, 30),
    Option("keepalive", "--keep-alive", Kind.INTEGER, 2),
    Option("limit_request_line", "--limit-request-line", Kind.INTEGER, 4094),
    Option("limit_request_fields", "--limit-request-fields", Kind.INTEGER, 100),
    Option("limit_request_field_size", "--limit-request-field_size", Kind.INTEGER, 8190),
    Option("reload", "--reload", Kind.BOOLEAN, default=False),
    Option("reload_engine", "--reload-engine", Kind.TEXT, "auto"),
    Option("reload_extra_files", "--reload-extra-file", Kind.LIST, ()),
    Option("spew", "--spew", Kind.BOOLEAN, default=False),
    Option("check_config", "--check-config", Kind.BOOLEAN, default=False),
    Option("print_config", "--print-config", Kind.BOOLEAN, default=False),
    Option("preload_app", "--preload", Kind.BOOLEAN, default=False),
    Option("sendfile", "--no-sendfile", Kind.BOOLEAN, default=None, constant=False),
    Option("reuse_port", "--reuse-port", Kind.BOOLEAN, default=False),
    Option("chdir", "--chdir", Kind.TEXT, None),
    Option("daemon", "-D --daemon", Kind.BOOLEAN, default=False),
    Option("raw_env", "-e --env", Kind.LIST, ()),
    Option("pidfile", "-p --pid", Kind.TEXT, None),
    Option("worker_tmp_dir", "--worker-tmp-dir", Kind.TEXT, None),
    Option("user", "-u --user", Kind.TEXT, None),
    Option("group", "-g --group", Kind.TEXT, None),
    Option("umask", "-m --umask", Kind.INTEGER, 0),
    Option("initgroups", "--initgroups", Kind.BOOLEAN, default=False),
    Option("tmp_upload_dir", "", Kind.TEXT, None),
    Option("secure_scheme_headers", "", Kind.DICT, None),
    Option("forwarded_allow_ips", "--forwarded-allow-ips", Kind.ADDRESSES, ("127.0.0.1", "::1")),
    Option("accesslog", "--access-logfile", Kind.TEXT, None),
    Option("disable_redirect_access_to_syslog", "--disable-redirect-access-to-syslog", Kind.BOOLEAN, default=False),
    Option(
        "access_log_format",
        "--access-logformat",
        Kind.TEXT,
        '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"',
    ),
    Option("errorlog", "--error-logfile --log-file", Kind.TEXT, "-"),
    Option("loglevel", "--log-level", Kind.TEXT, "info"),
    Option("capture_output", "--capture-output", Kind.BOOLEAN, default=False),
    Option("logger_class", "--logger-class", Kind.TEXT, "gunicorn.glogging.Logger"),
    Option("logconfig", "--log-config", Kind.TEXT, None),
    Option("logconfig_dict", "", Kind.DICT, None),
    Option("logconfig_json", "--log-config-json", Kind.TEXT, None),
    Option("syslog_addr", "--log-syslog-to", Kind.TEXT, "udp://localhost:514"),
    Option("syslog", "--log-syslog", Kind.BOOLEAN, default=False),
    Option("syslog_prefix", "--log-syslog-prefix", Kind.TEXT, None),
    Option("syslog_facility", "--log-syslog-facility", Kind.TEXT, "user"),
    Option("enable_stdio_inheritance", "-R --enable-stdio-inheritance", Kind.BOOLEAN, default=False),
    Option("statsd_host", "--statsd-host", Kind.TEXT, None),
    Option("dogstatsd_tags", "--dogstatsd-tags", Kind.TEXT, ""),
    Option("statsd_prefix", "--statsd-prefix", Kind.TEXT, ""),
    Option("enable_backlog_metric", "--enable-backlog-metric", Kind.BOOLEAN, default=False),
    Option("proc_name", "-n --name", Kind.TEXT, None),
    Option("default_proc_name", "", Kind.TEXT, "gunicorn"),
    Option("pythonpath", "--pythonpath", Kind.TEXT, None),
    Option("paste", "--paste --paster", Kind.TEXT, None),
    Option("on_starting", "", Kind.HOOK, None),
    Option("on_reload", "", Kind.HOOK, None),
    Option("when_ready", "", Kind.HOOK, None),
    Option("pre_fork", "", Kind.HOOK, None),
    Option("post_fork", "", Kind.HOOK, None),
    Option("post_worker_init", "", Kind.HOOK, None),
    Option("worker_int", "", Kind.HOOK, None),
    Option("worker_abort", "", Kind.HOOK, None),
    Option("pre_exec", "", Kind.HOOK, None),
    Option("pre_request", "", Kind.HOOK, None),
    Option("post_request", "", Kind.HOOK, None),
    Option("child_exit", "", Kind.HOOK, None),
    Option("worker_exit", "", Kind.HOOK, None),
    Option("nworkers_changed", "", Kind.HOOK, None),
    Option("on_exit", "", Kind.HOOK, None),
    Option("ssl_context", "", Kind.HOOK, None),
    Option("proxy_protocol", "--proxy-protocol", Kind.TEXT, "off", constant="auto"),
    Option("proxy_allow_ips", "--proxy-allow-from", Kind.ADDRESSES, ("127.0.0.1", "::1")),
    Option("protocol", "--protocol", Kind.TEXT, "http"),
    Option("uwsgi_allow_ips", "--uwsgi-allow-from", Kind.ADDRESSES, ("127.0.0.1", "::1")),
    Option("keyfile", "--keyfile", Kind.TEXT, None),
    Option("certfile", "--certfile", Kind.TEXT, None),
    Option("ssl_version", "--ssl-version", Kind.TEXT, None),
    Option("cert_reqs", "--cert-reqs", Kind.INTEGER, None),
    Option("ca_certs", "--ca-certs", Kind.TEXT, None),
    Option("suppress_ragged_eofs", "--suppress-ragged-eofs", Kind.BOOLEAN, default=True),
    Option("do_handshake_on_connect", "--do-handshake-on-connect", Kind.BOOLEAN, default=False),
    Option("ciphers", "--ciphers", Kind.TEXT, None),
    Option("http_protocols", "--http-protocols", Kind.ADDRESSES, ("h1",)),
    Option("http2_cleartext", "--http2-cleartext", Kind.TEXT, "off"),
    Option("http2_max_concurrent_streams", "--http2-max-concurrent-streams", Kind.INTEGER, 100),
    Option("http2_initial_window_size", "--http2-initial-window-size", Kind.INTEGER, 65535),
    Option("http2_max_frame_size", "--http2-max-frame-size", Kind.INTEGER, 16384),
    Option("http2_max_header_list_size", "--http2-max-header-list-size", Kind.INTEGER, 65536),
    Option("raw_paste_global_conf", "--paste-global", Kind.LIST, ()),
    Option("permit_obsolete_folding", "--permit-obsolete-folding", Kind.BOOLEAN, default=False),
    Option("strip_header_spaces", "--strip-header-spaces", Kind.BOOLEAN, default=False),
    Option("permit_unconventional_http_method", "--permit-unconventional-http-method", Kind.BOOLEAN, default=False),
    Option("permit_unconventional_http_version", "--permit-unconventional-http-version", Kind.BOOLEAN, default=False),
    Option("casefold_http_method", "--casefold-http-method", Kind.BOOLEAN, default=False),
    Option("forwarder_headers", "--forwarder-headers", Kind.ADDRESSES, ("SCRIPT_NAME", "PATH_INFO")),
    Option("header_map", "--header-map", Kind.TEXT, "drop"),
    Option("asgi_loop", "--asgi-loop", Kind.TEXT, "auto"),
    Option("asgi_lifespan", "--asgi-lifespan", Kind.TEXT, "auto"),
    Option("asgi_disconnect_grace_period", "--asgi-disconnect-grace-period", Kind.INTEGER, 3),
    Option("websocket_max_message_size", "--websocket-max-message-size", Kind.INTEGER, 16777216),
    Option("http_parser", "--http-parser", Kind.TEXT, "auto"),
    Option("root_path", "--root-path", Kind.TEXT, ""),
    Option("dirty_apps", "--dirty-app", Kind.LIST, ()),
    Option("dirty_workers", "--dirty-workers", Kind.INTEGER, 0),
    Option("dirty_timeout", "--dirty-timeout", Kind.INTEGER, 300),
    Option("dirty_threads", "--dirty-threads", Kind.INTEGER, 1),
    Option("dirty_graceful_timeout", "--dirty-graceful-timeout", Kind.INTEGER, 30),
    Option("on_dirty_starting", "", Kind.HOOK, None),
    Option("dirty_post_fork", "", Kind.HOOK, None),
    Option("dirty_worker_init", "", Kind.HOOK, None),
    Option("dirty_worker_exit", "", Kind.HOOK, None),
    Option("control_socket", "--control-socket", Kind.TEXT, None),
    Option("control_socket_mode", "--control-socket-mode", Kind.INTEGER, 384),
    Option("control_socket_disable", "--no-control-socket", Kind.BOOLEAN, default=False),
)

BY_NAME: dict[str, Option] = {option.name: option for option in OPTIONS}
BY_FLAG: dict[str, Option] = {flag: option for option in OPTIONS for flag in option.flags}

# Worker classes that come with gunicorn, and those that went. Source: gunicorn.workers.SUPPORTED_WORKERS.
WORKERS = frozenset(("sync", "gevent", "gevent_wsgi", "gevent_pywsgi", "tornado", "gthread", "asgi"))
REMOVED_WORKERS = frozenset(
    ("eventlet", "egg:gunicorn#eventlet", "gunicorn.workers.geventlet.EventletWorker", "gaiohttp")
)
