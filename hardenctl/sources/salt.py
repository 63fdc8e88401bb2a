"""The salt of a repository's fingerprints: the same in CI and on every laptop, whatever URL it was cloned by."""

from __future__ import annotations

from hardenctl.model.pattern import lazy_pattern

FIXED = bytes.fromhex("dcc6d8be517657ea5ae1df04a829411c")  # of the words `hardenctl: no remote`

_URL = lazy_pattern(r"^[\w+.-]+://(?:[^/@]*@)?(?P<host>[^/:]+)(?::\d*)?/+(?P<path>.+)$")
_SCP = lazy_pattern(r"^(?:[^/@:]+@)?(?P<host>[^/:]{2,}):(?!//)/*(?P<path>.+)$")


def salt_of(url: str) -> bytes:
    """The salt that belongs to a remote's URL; a fixed one where it names no host."""
    import hashlib

    name = normalise(url)
    return hashlib.sha256(f"hardenctl: {name}".encode()).digest()[:16] if name else FIXED


def normalise(url: str) -> str:
    """`host/path` of a remote: without scheme, user, port, `.git` and case. Empty for a path on disk."""
    match = _URL.match(url.strip()) or _SCP.match(url.strip())
    if not match or url.startswith("file:"):
        return ""
    path = match["path"].rstrip("/").removesuffix(".git").rstrip("/")
    return f"{match['host']}/{path}".lower()
