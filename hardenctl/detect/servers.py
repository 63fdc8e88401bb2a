"""Launch lines as the report lists them: values with their places, everything that could be a credential masked."""

from __future__ import annotations

import re
from typing import Any

from hardenctl.detect.redact import BULLETS
from hardenctl.detect.secrets import sensitive_spans
from hardenctl.formats.effective import Effective
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.model.blob import Snapshot
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.report import Server, Setting
from hardenctl.model.settings import CustomSecret
from hardenctl.model.text import Span

_USERINFO = lazy_pattern(r"(?<=://)\S+(?=@)")  # to the last `@`: a password may hold one, and a `/`
# What these name is in the repository or of a few words; any other variable may hold a secret.
_PLAIN = r"(?<!\w)(?!(?:DJANGO_SETTINGS_MODULE|DJANGO_CONFIGURATION|FLASK_APP|WEB_CONCURRENCY|PYTHON[A-Z]+|PORT|TZ)=)"
_ASSIGNED = lazy_pattern(_PLAIN + r"([A-Za-z_]\w*=).+", re.DOTALL)
# `--env=NAME=value`, `-eNAME=value`
_OPTION = lazy_pattern(r"(?<!-)((?:-[^=\s]*=|-e)" + _PLAIN.removeprefix(r"(?<!\w)") + r"[A-Za-z_]\w*=).+", re.DOTALL)
_HIDDEN = frozenset(("raw_env", "raw_paste_global_conf", "secure_scheme_headers", "logconfig_dict"))


def describe_server(launch: ServerLaunch, snapshot: Snapshot, custom: tuple[CustomSecret, ...] = ()) -> Server:
    """The JSON shape of a launch line. `custom` are the project's own kinds of credentials, masked as well."""
    view = _View(snapshot, custom)
    settings = {
        name: view.setting(effective, launch)
        for name, effective in sorted(launch.settings.items())
        if effective.is_set and name not in _HIDDEN and not callable(effective.value)
    }
    return Server(
        path=launch.path,
        line=view.line(launch.span),
        service=launch.service,
        server=launch.server,
        command=tuple(view.word(word.span, value.text or word.source) for word, value in launch.launch.words),
        effective=settings,
    )


class _View:
    def __init__(self, snapshot: Snapshot, custom: tuple[CustomSecret, ...]) -> None:
        self.snapshot, self.custom = snapshot, custom
        self.sensitive: dict[str, list[tuple[int, int]]] = {}

    def line(self, span: Span) -> int:
        blob = self.snapshot.read(span.path)
        return blob.lines.position(span.start).line if blob else 0

    def setting(self, effective: Effective, launch: ServerLaunch) -> Setting:
        place = effective.span or launch.span
        value = effective.value if effective.known else None
        expression = effective.expression if not effective.known or effective.configurable else None
        if effective.value_span and self.is_sensitive(effective.value_span):
            value, expression = BULLETS, None
        return Setting(_json(value), place.path, self.line(place), effective.origin, _masked(expression))

    def word(self, span: Span, text: str) -> str:
        """A word of a command; the value of `NAME=value` is nobody's business."""
        if self.is_sensitive(span):
            return BULLETS
        assigned = _OPTION if text.startswith("-") else _ASSIGNED
        return _masked(assigned.sub(lambda match: match[1] + BULLETS, text)) or ""

    def is_sensitive(self, span: Span) -> bool:
        if span.path not in self.sensitive:
            blob = self.snapshot.read(span.path)
            self.sensitive[span.path] = list(sensitive_spans(blob, self.custom)) if blob else []
        return any(start < span.end and span.start < end for start, end in self.sensitive[span.path])


def _masked(text: str | None) -> str | None:
    return _USERINFO.sub(BULLETS, text) if text else text


def _json(value: Any) -> Any:
    """JSON types: tuples become lists, what JSON has no word for becomes text."""
    if isinstance(value, tuple | list):
        return [_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _masked(str(value))
