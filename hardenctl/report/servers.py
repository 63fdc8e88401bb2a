"""Each launch line with each effective setting, and the file and line that set it: `check gunicorn --effective`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hardenctl.model.report import Report, Server, Setting
from hardenctl.report.style import Look, cells, visible, wrap
from hardenctl.report.summary import count, gaps, verdict_line


def render_servers(report: Report, look: Look) -> str:
    """All launch lines, then what could not be looked at, then the verdict."""
    lines = [line for server in report.servers for line in _server(server, look)]
    if not report.servers:
        lines = [f"no launch line found in {count(report.scanned.files, 'file')}", ""]
    return "".join(look.final(line) + "\n" for line in [*lines, *gaps(report, look), verdict_line(report, look)])


def _server(server: Server, look: Look) -> Iterator[str]:
    service = f"  service {visible(server.service)}" if server.service else ""
    yield look.paint(visible(f"{server.path}:{server.line}"), bold=True) + look.dim(service)
    yield from (f"  {line}" for line in wrap(visible(" ".join(server.command)), look.width - 2))
    yield ""
    values = {name: _value(setting) for name, setting in server.effective.items()}
    name_width = max((len(name) for name in values), default=0)
    value_width = max((cells(value) for value in values.values() if cells(value) <= look.width // 3), default=0)
    for name, setting in server.effective.items():
        value = values[name]  # whole: it is what was asked for, whatever the place beside it loses
        padding = " " * (value_width - cells(value))
        place = f"{visible(setting.path)}:{setting.line}" if setting.path else ""
        where = look.dim("  ".join(part for part in (place, setting.origin) if part))
        yield f"  {name:<{name_width}}  {look.paint(value, 'blue')}{padding}  {where}".rstrip()
    yield ""


def _value(setting: Setting) -> str:
    if setting.value is None:
        return visible(setting.expression or "unknown")
    if isinstance(setting.value, list | tuple):
        return visible(", ".join(map(str, setting.value)))
    return visible(setting.value if isinstance(setting.value, str) else json.dumps(setting.value))
