"""Credentials made at run time for examples, tests and the demo, so that no scanner trips on this repository."""

from __future__ import annotations

from collections.abc import Callable

from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.text import DIGITS, LOWER, UPPER

ALPHANUMERIC = LOWER + UPPER + DIGITS
BASE32 = UPPER + "234567"
BASE62 = DIGITS + UPPER + LOWER

_PLACEHOLDER = lazy_pattern(r"\{\{fake:([\w-]+)\}\}")


def scramble(seed: str, length: int, alphabet: str = ALPHANUMERIC) -> str:
    """`length` characters that look random and are the same every time for one seed."""
    import hashlib  # here and below: a hook run imports the rules and makes no fake

    stream = hashlib.shake_256(seed.encode()).digest(length * 2)
    return "".join(alphabet[int.from_bytes(stream[i : i + 2], "big") % len(alphabet)] for i in range(0, len(stream), 2))


def base62_crc32(text: str, width: int = 6) -> str:
    """The CRC32 of a text in base 62, left-padded with zeros: the checksum GitHub's and npm's tokens end in."""
    import zlib

    number, digits = zlib.crc32(text.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return digits.rjust(width, "0")


def github_token(prefix: str, seed: str) -> str:
    """A token of GitHub's form (`ghp_` and the like) whose checksum holds."""
    body = scramble(seed, 30)
    return f"{prefix}_{body}{base62_crc32(body)}"


FAKES: dict[str, Callable[[], str]] = {
    "password": lambda: scramble("password", 20),
    "secret-key": lambda: scramble("secret-key", 50),
    "database-url": lambda: "postgresql" + "://app:" + scramble("database-url", 20) + "@db:5432/app",
    "redis-url": lambda: "redis" + "://:" + scramble("redis-url", 24) + "@cache:6379/0",
    "jwt-secret": lambda: scramble("jwt-secret", 64, "0123456789abcdef"),
    "aws-access-key-id": lambda: "AK" + "IA" + scramble("aws-access-key-id", 16, BASE32),
    "aws-secret-access-key": lambda: scramble("aws-secret-access-key", 40, ALPHANUMERIC + "+/"),
    "github-token": lambda: github_token("ghp", "github-token"),
    "stripe-live-key": lambda: "sk_" + "live_" + scramble("stripe-live-key", 24),
}


def fill(text: str) -> str:
    """Put a made credential in place of each `{{fake:NAME}}`. Raises KeyError for a name that isn't known."""
    return _PLACEHOLDER.sub(lambda match: FAKES[match[1]](), text)


def hide(text: str) -> str:
    """Put a word for people in place of each `{{fake:NAME}}`: what a published page shows."""
    return _PLACEHOLDER.sub("<a live credential>", text)
