"""The characters credentials are made of, per use."""

from __future__ import annotations

import math
import string

_LETTERS_DIGITS = string.ascii_letters + string.digits

# Each is free of repeats, so that `length * log2(size)` is the exact entropy of a uniform draw.
ALPHABETS: dict[str, str] = {
    "alnum": _LETTERS_DIGITS,
    "urlsafe": _LETTERS_DIGITS + "-_",
    # Passes through URLs, psql, MySQL, .pgpass, shells and dotenv files without quoting or escaping.
    "db": _LETTERS_DIGITS + "_",
    "hex": "0123456789abcdef",
    "base32": string.ascii_uppercase + "234567",
    "base64": _LETTERS_DIGITS + "+/",
    # What Django's own get_random_secret_key() draws from.
    "django": string.ascii_lowercase + string.digits + "!@#$%^&*(-_=+)",
    "printable": _LETTERS_DIGITS + string.punctuation,
    "digits": string.digits,
}


def entropy(alphabet: str, length: int) -> float:
    """Bits of `length` characters drawn uniformly and independently."""
    return length * math.log2(len(alphabet))


def length_for(alphabet: str, bits: float) -> int:
    """The fewest characters that hold at least `bits` bits."""
    return math.ceil(bits / math.log2(len(alphabet)) - 1e-9)
