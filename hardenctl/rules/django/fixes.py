"""Remedies for the simple shapes: literals that stand where they can be replaced."""

from __future__ import annotations

import re

from hardenctl.formats.cors.document import Source
from hardenctl.formats.django.document import Setting
from hardenctl.model.finding import Applicability, Edit, Fix, Replace, advice
from hardenctl.model.text import Span

_OFF = {"True": "False", '"True"': '"False"', "'True'": "'False'", '"true"': '"false"', "'true'": "'false'"}
_WILDCARDS = {"['*']": "[]", "('*',)": "()", "'*'": "''", '"*"': '""'}
_HOSTS = '[host.strip() for host in {os}.environ.get("ALLOWED_HOSTS", "").split(",") if host.strip()]'


def switch_off_debug(setting: Setting) -> Fix:
    """Take `DEBUG` from the environment, off by default."""
    literal = setting.literal
    if literal is not None and setting.data is True:
        if setting.variables and literal.text in _OFF:
            return Fix("Leave it off by default", (Replace(literal.span, _OFF[literal.text]),), Applicability.UNSAFE)
        if not setting.variables and literal.text == "True" and _beside(setting, literal):
            text = f'{literal.os or "os"}.environ.get("DEBUG") == "True"'
            return Fix("Switch it on by `DEBUG=True` alone", _edits(literal, text), Applicability.UNSAFE)
    return advice("Leave `DEBUG` off unless a variable that only development sets says otherwise")


def name_hosts(setting: Setting) -> Fix:
    """Take the hosts from the environment, none by default."""
    literal = setting.literal
    normal = re.sub(r"\s+", "", literal.text).replace('"', "'").replace(",]", "]") if literal is not None else ""
    if literal is not None and normal in _WILDCARDS:
        if setting.variables:
            edits: tuple[Edit, ...] = (Replace(literal.span, _WILDCARDS[normal]),)
            return Fix("Serve no host by default", edits, Applicability.UNSAFE)
        if normal.startswith("[") and _beside(setting, literal):
            text = _HOSTS.format(os=literal.os or "os")
            return Fix("Read the hosts from `ALLOWED_HOSTS`", _edits(literal, text), Applicability.UNSAFE)
    return advice("List the host names of the service, read from the environment")


def switch_on(setting: Setting, name: str) -> Fix:
    """Put `True` where `False` is written."""
    literal = setting.literal
    if literal is not None and literal.text == "False" and not setting.variables and _beside(setting, literal):
        return Fix(f"Set `{name} = True`", (Replace(literal.span, "True"),), Applicability.UNSAFE)
    return advice(f"Set `{name} = True`")


def _beside(setting: Setting, literal: Source) -> bool:
    """Whether the literal stands on the line that gives the setting: elsewhere it may serve others too."""
    line = setting.span
    return literal.span.path == line.path and line.start <= literal.span.start < line.end


def _edits(source: Source, text: str) -> tuple[Edit, ...]:
    """The replacement, and `import os` where the file has none."""
    if source.os is not None:
        return (Replace(source.span, text),)
    start = Span(source.span.path, source.import_at, source.import_at)
    return (Replace(start, "import os\n"), Replace(source.span, text))
