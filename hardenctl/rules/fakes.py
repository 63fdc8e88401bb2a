"""Credentials made at run time for examples, tests and the demo, so that no scanner trips on this repository."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable

_PLACEHOLDER = re.compile(r"\{\{fake:([\w-]+)\}\}")


def scramble(seed: str, length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """`length` characters that look random and are the same every time for one seed."""
    stream = hashlib.shake_256(seed.encode()).digest(length * 2)
    return "".join(alphabet[int.from_bytes(stream[i : i + 2], "big") % len(alphabet)] for i in range(0, len(stream), 2))


FAKES: dict[str, Callable[[], str]] = {
    "password": lambda: scramble("password", 20),
    "secret-key": lambda: scramble("secret-key", 50),
    "database-url": lambda: "postgresql" + "://app:" + scramble("database-url", 20) + "@db:5432/app",
}


def fill(text: str) -> str:
    """Put a made credential in place of each `{{fake:NAME}}`. Raises KeyError for a name that isn't known."""
    return _PLACEHOLDER.sub(lambda match: FAKES[match[1]](), text)


def hide(text: str) -> str:
    """Put a word for people in place of each `{{fake:NAME}}`: what a published page shows."""
    return _PLACEHOLDER.sub("<a live credential>", text)
