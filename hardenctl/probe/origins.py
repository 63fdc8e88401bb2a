"""The origins that an attacker can have, by what each of them tries: the same for a live target and an app in process.

The tricks are those of the known scanners (nuclei's `cors-misconfig`, Corsy) and of `Acceptance`'s lookalikes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from hardenctl.formats.cors.acceptance import ALSO_EVIL, EVIL, is_local, mutants


class Trick(enum.Enum):
    """What an origin tries, and so what it means when it gets in."""

    ANYONE = "anyone"  # belongs to a stranger
    NULL = "null"  # a sandboxed frame, a `data:` page
    LOOKALIKE = "lookalike"  # a stranger's, that looks like one's own
    PLAINTEXT = "plaintext"  # one's own name, without TLS
    SUBDOMAIN = "subdomain"  # below one's own name: meant, more often than not
    OWN = "own"  # one's own


@dataclass(frozen=True, slots=True)
class Attack:
    """One origin to try. `own` is the origin it imitates; empty where it imitates none."""

    origin: str
    trick: Trick
    own: str = ""


def attacks(own: Iterable[str] = ()) -> tuple[Attack, ...]:
    """Every attack, the general ones first; `own` are origins that the application is meant for."""
    intended = tuple(dict.fromkeys(own))
    found: dict[str, Attack] = {}
    general = [Attack(EVIL, Trick.ANYONE), Attack(ALSO_EVIL, Trick.ANYONE), Attack("null", Trick.NULL)]
    for each in (*general, *(attack for origin in intended for attack in _imitations(origin))):
        if each.trick is Trick.OWN or each.origin not in intended:
            found.setdefault(each.origin, each)
    found.setdefault(LOCAL, Attack(LOCAL, Trick.LOOKALIKE, "http://localhost"))
    return tuple(found.values())


LOCAL = "https://localhost.evil.example"


def _imitations(own: str) -> Iterator[Attack]:
    try:
        parts = urlsplit(own)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        return
    yield Attack(own, Trick.OWN, own)
    for each in mutants(own):
        yield Attack(each, Trick.LOOKALIKE, own)
    # Characters that some browsers let a host name have, and that end it in the eyes of a careless pattern.
    for infix in ("%60.", "_."):
        yield Attack(f"{parts.scheme}://{host}{infix}evil.example", Trick.LOOKALIKE, own)
    if is_local(host):
        return
    if parts.scheme == "https":
        yield Attack(f"http://{host}{port}", Trick.PLAINTEXT, own)
    yield Attack(f"{parts.scheme}://hardenctl-probe.{host}{port}", Trick.SUBDOMAIN, own)
