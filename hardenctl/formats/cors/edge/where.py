"""What a configuration's path says: which environment it is for, and which paths hold nothing secret."""

from __future__ import annotations

import re

_DEVELOPMENT = re.compile(
    r"(?:^|[/._-])(?:dev|devel|develop|development|local|localhost|test|tests|testing|e2e|ci)(?:[/._-]|$)"
)
_FILE = (
    r"(?:avif|bmp|css|eot|gif|html?c?|ico|jpe?g?|m?js|json|map|mp[34]|ogg|otf|pdf|png|svgz?|tt[cf]|txt|wasm|web[mp]|"
    r"webmanifest|woff2?|xml|woff2\?|jpe\?g|svgz\?|html\?)"
)
_BY_EXTENSION = re.compile(rf"~\*? .*\\\.\(?(?:\?:)?{_FILE}(?:\|{_FILE})*\)?\$?")
_FOLDER = re.compile(
    r"(?:(?:=|\^~|~\*?) )?\^?/?"
    r"(?:static|assets?|media|fonts?|images?|img|css|js|_next/static|public|dist|\.well-known)\b.*"
)


def environment_of(path: str) -> str:
    """`development` for a configuration that is for developers and tests by its name; else empty."""
    return "development" if _DEVELOPMENT.search(path.lower()) else ""


def is_static(location: str) -> bool:
    r"""Whether an nginx location is for files that anybody gets anyway: `~* \.(woff2?|ttf)$`, `/static/`."""
    return bool(_FOLDER.fullmatch(location) or _BY_EXTENSION.fullmatch(location))
