"""Rule ids and prefixes as users write them, checked against the rules there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hardenctl.model.nearest import nearest
from hardenctl.policy.policy import matches

# What `--push` delivers to. The programs are in generate/platforms.py; a test holds the two together.
PLATFORM_NAMES = (
    "github",
    "railway",
    "gcp",
    "aws",
    "digitalocean",
    "kubernetes",
    "vault",
    "flyio",
    "doppler",
    "onepassword",
    "sops",
    "docker-secret",
    "heroku",
    "render",
)


def known_ids() -> tuple[str, ...]:
    """The ids of all rules."""
    from hardenctl.rules import RULES

    return tuple(each.id for each in RULES)


def is_known(selector: str, ids: Iterable[str]) -> bool:
    """Whether a selector is a rule's id or a prefix of one at a word boundary."""
    return bool(selector) and any(matches(each, (selector,)) for each in ids)


def nearest_rule(selector: str, ids: Sequence[str]) -> str:
    """As `nearest`, over ids and their prefixes, with the way to the list where nothing is near."""
    prefixes = {"-".join(parts[:size]) for each in ids if (parts := each.split("-")) for size in range(1, len(parts))}
    return nearest(selector, {*ids, *prefixes}) or "`hardenctl rules` lists them all"
