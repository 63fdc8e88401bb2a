"""CORS set-ups in front of the application: nginx, Traefik, and gateways whose configuration says it plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.cors.document import CorsSetup
from hardenctl.model.blob import Gap, Snapshot

DOCUMENTS = (CorsSetup,)

_NGINX = re.compile(
    r"(?:.*\.)?(?:conf|nginx|vhost)(?:\.(?:template|tmpl|tpl|j2|jinja2?|in|erb|sample))?|nginx.*\.(?:template|tmpl|tpl|j2)",
    re.IGNORECASE,
)
DECLARED = (".yml", ".yaml", ".toml")
# What stands in every configuration that allows origins, compared without regard to case.
_HEADER = b"access-control-allow-origin"
_WORDS = (_HEADER, b"accesscontrolalloworigin", b"cors")


def concerns(path: str) -> bool:
    """Whether a file could allow origins in front of an application, by its name."""
    name = path.rpartition("/")[2]
    return bool(_NGINX.fullmatch(name)) or name.endswith(DECLARED) or "/sites-" in f"/{path}"


def read(snapshot: Snapshot) -> Iterator[CorsSetup | Gap]:
    """Yield the set-ups of a snapshot, and a Gap for each file that has one and cannot be parsed."""
    from hardenctl.formats.paths import ASIDE

    paths = [path for path in snapshot.paths() if concerns(path)]
    paths = [path for path in paths if snapshot.named(path) or not ASIDE.search(path)]
    # What a file declares is its own; nginx's files include one another.
    together = any(map(snapshot.in_scope, (path for path in paths if not path.endswith(DECLARED))))
    nginx: list[str] = []
    for path in paths:
        if not (snapshot.in_scope(path) if path.endswith(DECLARED) else together):
            continue
        blob = snapshot.read(path)
        text = blob.data.lower() if blob is not None else b""
        if blob is not None and path.endswith(DECLARED) and any(word in text for word in _WORDS):
            from hardenctl.formats.cors.edge import declared

            yield from declared.read(blob)
        elif not path.endswith(DECLARED) and _HEADER in text:
            nginx.append(path)
    if nginx:
        from hardenctl.formats.cors.edge import nginx as reader

        yield from reader.read(snapshot, nginx)
