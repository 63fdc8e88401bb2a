"""Credentials: which kinds there are, and how one is made. Python's `secrets` is the only source of randomness."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from hardenctl.generate import forms
from hardenctl.generate.alphabets import ALPHABETS, entropy, length_for
from hardenctl.model.errors import UsageError
from hardenctl.model.nearest import nearest
from hardenctl.model.settings import SecretSettings

SIGNING_BITS = 256  # HS256 and its like ask for a key as long as the hash (RFC 7518, section 3.2)
LONGEST = 4096  # characters; a longer "credential" is a slip of the keyboard


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kind of credential. `key` is the name it usually goes by in an environment file."""

    name: str
    summary: str
    key: str
    alphabet: str = "urlsafe"
    length: int = 43
    signing: bool = False

    def floor(self, settings: SecretSettings) -> int:
        """The least bits of entropy that are allowed."""
        return max(settings.minimum_bits, SIGNING_BITS) if self.signing else settings.minimum_bits


RECIPES: Mapping[str, Recipe] = {
    each.name: each
    for each in (
        Recipe(
            "secret-key", "A signing key for Django, Flask, JWT and sessions", "SECRET_KEY", length=64, signing=True
        ),
        Recipe("password", "A password for an account", "PASSWORD", length=32),
        Recipe(
            "db-password",
            "A database password that needs no quoting in URLs, psql, MySQL, shells and dotenv files",
            "POSTGRES_PASSWORD",
            alphabet="db",
            length=40,
        ),
        Recipe("token", "An API token", "API_TOKEN"),
        Recipe("hex", "Hexadecimal digits, as `openssl rand -hex 32` gives", "SECRET", alphabet="hex", length=64),
        Recipe("fernet", "A Fernet key: 32 bytes in URL-safe base64", "FERNET_KEY", alphabet="base64", signing=True),
        Recipe("base64", "Bytes in base64, as `openssl rand -base64 32` gives", "SECRET", alphabet="base64", length=44),
        Recipe(
            "uuid", "A random UUID: an identifier, hard to guess but no credential", "ID", alphabet="hex", length=32
        ),
        Recipe("passphrase", "Pronounceable words that can be read out and typed", "PASSPHRASE", alphabet="alnum"),
    )
}


@dataclass(frozen=True, slots=True)
class Credential:
    """A made value and what may be said about it."""

    value: str = field(repr=False)
    bits: float

    @property
    def fingerprint(self) -> str:
        """Tells two values apart: what `printf %s "$VALUE" | sha256sum | cut -c1-12` prints.

        Nothing can be learnt from it, because nobody can try all values of 128 bits; `describe` leaves it out for less.
        """
        return hashlib.sha256(self.value.encode()).hexdigest()[:12]

    def describe(self) -> str:
        """Bits and fingerprint, for people."""
        bits = f"{math.floor(self.bits)} bits"
        return f"{bits}, sha256 {self.fingerprint}" if self.bits >= 100 else bits  # noqa: PLR2004 - beyond guessing


def generate(
    recipe: Recipe,
    *,
    bits: int | None = None,
    length: int | None = None,
    alphabet: str | None = None,
    prefix: str = "",
    settings: SecretSettings | None = None,
) -> Credential:
    """Make a credential.

    `bits` asks for at least so much entropy, `length` for so many characters; with neither the recipe's own holds, and
    an alphabet of one's own gets as many characters as the recipe's entropy needs. `prefix` is for tokens: such a token
    ends in a checksum, and `length` counts neither. Raises UsageError below the floor.
    """
    floor = recipe.floor(settings or SecretSettings())
    if prefix:
        _check_prefix(recipe, prefix, alphabet)
        body = generate(recipe, bits=bits, length=length, alphabet="alnum", settings=settings)
        return Credential(forms.with_checksum(prefix, body.value), body.bits)
    if recipe.name in _FIXED:
        return _FIXED[recipe.name](recipe, floor, bits, asked=length is not None or alphabet is not None)
    if bits is not None and length is not None:
        raise UsageError("--bits and --length say the same thing twice", help="give one of them")
    characters = _alphabet(alphabet or recipe.alphabet)
    if length is None:
        length = length_for(characters, bits if bits is not None else _own_bits(recipe))
        if bits is None and alphabet is None:
            length = max(recipe.length, length_for(characters, floor))
    strength = entropy(characters, length) if length > 0 else 0.0
    if strength < floor:
        raise UsageError(
            f"{recipe.name}: {length} characters hold {strength:.0f} bits, and the floor is {floor}",
            help=f"use --length {length_for(characters, floor)} or more"
            + ("" if recipe.signing else "; the floor is `minimum-bits` in [tool.hardenctl.secrets]"),
        )
    if length > LONGEST:
        raise UsageError(f"{length} characters are more than any credential has", help=f"use at most {LONGEST}")
    return Credential("".join(secrets.choice(characters) for _ in range(length)), strength)


def _own_bits(recipe: Recipe) -> float:
    return entropy(ALPHABETS[recipe.alphabet], recipe.length)


def _alphabet(name: str) -> str:
    if name not in ALPHABETS:
        raise UsageError(
            f"there is no alphabet `{name}`", help=nearest(name, ALPHABETS) or f"choose from {', '.join(ALPHABETS)}"
        )
    return ALPHABETS[name]


def _check_prefix(recipe: Recipe, prefix: str, alphabet: str | None) -> None:
    if recipe.name != "token":
        raise UsageError("--prefix is for tokens", help=f"hardenctl generate token --prefix {prefix}")
    if not forms.is_prefix(prefix):
        raise UsageError(
            "a prefix is words of letters and digits, each with `_` behind it, 20 characters at most",
            help="for example --prefix shop_ or --prefix shop_live_",
        )
    if alphabet not in {None, "alnum"}:
        raise UsageError("a token with a prefix has letters and digits only", help="leave out --alphabet")


def _fernet(recipe: Recipe, floor: int, bits: int | None, *, asked: bool) -> Credential:
    size = forms.FERNET_BYTES * 8
    if asked or bits is not None:
        raise UsageError("a Fernet key is always 32 bytes in base64", help="leave out --bits, --length and --alphabet")
    if floor > size:
        raise UsageError(
            f"a {recipe.name} key holds {size} bits, and the floor is {floor}", help="lower `minimum-bits`"
        )
    return Credential(forms.fernet(), float(size))


def _uuid(recipe: Recipe, floor: int, bits: int | None, *, asked: bool) -> Credential:
    del floor  # it is for credentials
    if asked or bits is not None:
        raise UsageError(f"a {recipe.name} has one form", help="leave out --bits, --length and --alphabet")
    return Credential(forms.random_uuid(), float(forms.UUID_BITS))


def _whole_units(recipe: Recipe, floor: int, bits: int | None, *, asked: bool) -> Credential:
    if asked:
        raise UsageError(f"{recipe.name} is made of whole bytes or words", help="ask with --bits")
    if bits is not None and bits < floor:
        raise UsageError(f"{recipe.name}: {bits} bits, and the floor is {floor}", help=f"use --bits {floor} or more")
    make, usual = (forms.encoded, 256) if recipe.name == "base64" else (forms.passphrase, 128)
    return Credential(*make(bits if bits is not None else max(usual, floor)))


_FIXED = {"fernet": _fernet, "uuid": _uuid, "base64": _whole_units, "passphrase": _whole_units}
