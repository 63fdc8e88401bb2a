"""Credentials of a fixed form: Fernet keys, encoded bytes, UUIDs, passphrases, tokens with a checksum."""

from __future__ import annotations

import base64
import math
import re
import secrets
import string
import uuid
import zlib

FERNET_BYTES = 32
UUID_BITS = 122  # of 128, six say which kind of UUID it is (RFC 9562, section 5.4)
WORD_BITS = 16

# Proquints (Wilkerson, 2009): a consonant carries 4 bits and a vowel 2, so that a word of five letters is 16 bits and
# can be read out on a telephone. No word list to ship, and the entropy is exact.
_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKSUM = 6  # digits in base 62 that any CRC32 fits in, as in GitHub's and npm's tokens
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*_")


def fernet() -> str:
    """A Fernet key: 32 bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(FERNET_BYTES)).decode()


def encoded(bits: float) -> tuple[str, float]:
    """Bytes in base64, as `openssl rand -base64` gives, and the bits they hold: whole bytes, at least `bits`."""
    size = math.ceil(bits / 8)
    return base64.b64encode(secrets.token_bytes(size)).decode(), size * 8.0


def random_uuid() -> str:
    """A random UUID (version 4), from `secrets`."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def passphrase(bits: float) -> tuple[str, float]:
    """Pronounceable words joined by `-`, and the bits they hold: whole words, at least `bits`."""
    count = math.ceil(bits / WORD_BITS - 1e-9)
    return "-".join(_word() for _ in range(count)), float(count * WORD_BITS)


def _word() -> str:
    return "".join(secrets.choice(letters) for letters in (_CONSONANTS, _VOWELS) * 2 + (_CONSONANTS,))


def is_prefix(text: str) -> bool:
    """Whether a text can start a token: words of letters and digits, each followed by `_`, 20 characters at most."""
    return len(text) <= 20 and _PREFIX.fullmatch(text) is not None  # noqa: PLR2004 - said in the docstring


def with_checksum(prefix: str, body: str) -> str:
    """A token that a scanner can tell from noise without asking anybody: prefix, body, CRC32 of the body in base 62."""
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return prefix + body + digits.rjust(_CHECKSUM, "0")


def checks_out(token: str, prefix: str) -> bool:
    """Whether a text is a token of this prefix: what a scanner's rule does after its pattern has matched."""
    body = token.removeprefix(prefix)[:-_CHECKSUM]
    return token.startswith(prefix) and bool(body) and token == with_checksum(prefix, body)
