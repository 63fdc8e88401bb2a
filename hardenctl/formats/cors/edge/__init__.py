"""CORS set-ups in front of the application: nginx, Traefik, and gateways whose configuration says it plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.cors.document import CorsSetup
from hardenctl.formats.paths import is_compose
from hardenctl.model.blob import Gap, Snapshot

DOCUMENTS = (CorsSetup,)

_NGINX = re.compile(
    r"(?:.*\.)?(?:conf|nginx|vhost)(?:\.(?:template|tmpl|tpl|j2|jinja2?|in|erb|sample))?|nginx.*\.(?:template|tmpl|tpl|j2)",
    re.IGNORECASE,
)
_DECLARED = (".yml", ".yaml", ".toml", ".json")
# What stands in every configuration that allows origins, compared without regard to case.
_WORDS = (b"access-control-allow-origin", b"accesscontrolalloworigin", b"cors")


def concerns(path: str) -> bool:
    """Whether a file could allow origins in front of an application, by its name."""
    name = path.rpartition("/")[2]
    return bool(_NGINX.fullmatch(name)) or name.endswith(_DECLARED[:3]) or "/sites-" in f"/{path}" or is_compose(path)


def read(snapshot: Snapshot) -> Iterator[CorsSetup | Gap]:
    """Yield the set-ups of a snapshot, and a Gap for each file that has one and cannot be parsed."""
    from hardenctl.formats.cors.search import ASIDE

    nginx: list[str] = []
    for path in snapshot.paths():
        if not concerns(path) or (ASIDE.search(path) and not snapshot.named(path)):
            continue
        blob = snapshot.read(path)
        if blob is None or not any(word in blob.data.lower() for word in _WORDS):
            continue
        if path.endswith(_DECLARED):
            from hardenctl.formats.cors.edge import declared

            yield from declared.read(blob)
        elif b"access-control-allow-origin" in blob.data.lower():
            nginx.append(path)
    if nginx:
        from hardenctl.formats.cors.edge import nginx as reader

        yield from reader.read(snapshot, nginx)
