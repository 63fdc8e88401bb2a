"""Key pairs for signing: RSA and Ed25519, through `cryptography`, which is an extra."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardenctl.model.errors import ToolError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

RSA_BITS = 3072
# Modulus to strength: NIST SP 800-57 part 1 revision 5, table 2; 4096 by the formula of FIPS 140 guidance 7.5.
RSA_STRENGTH = {2048: 112, 3072: 128, 4096: 152, 7680: 192, 15360: 256}
ED25519_STRENGTH = 128  # RFC 8032, section 8.5


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key (PKCS#8) and its public one (SubjectPublicKeyInfo), both PEM."""

    kind: str
    value: str = field(repr=False)
    public: str
    bits: float
    public_der: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Of the public key, so that it gives nothing away: `openssl pkey -pubin -outform DER | sha256sum`."""
        return hashlib.sha256(self.public_der).hexdigest()[:12]

    def describe(self) -> str:
        """Strength and fingerprint, for people."""
        return f"{self.kind}, about {self.bits:.0f} bits, public key sha256 {self.fingerprint}"


def generate_pair(kind: str, *, modulus: int | None = None, floor: int = 128) -> KeyPair:
    """Make an `rsa` or `ed25519` pair of at least `floor` bits of strength.

    `modulus` is the size of an RSA key. Raises UsageError for what would be weak or makes no sense, ToolError without
    `cryptography`.
    """
    if kind == "rsa":
        modulus = modulus or next((size for size, bits in RSA_STRENGTH.items() if bits >= max(floor, 128)), RSA_BITS)
        strength = RSA_STRENGTH.get(modulus)
        if strength is None:
            raise UsageError(
                f"{modulus} is no size for an RSA key", help=f"use one of {', '.join(map(str, RSA_STRENGTH))}"
            )
        if strength < floor:
            raise UsageError(
                f"rsa: a modulus of {modulus} gives about {strength} bits of strength, and the floor is {floor}",
                help="use a larger modulus; the floor is `minimum-bits` in [tool.hardenctl.secrets]",
            )
        return _pair(f"RSA {modulus}", _rsa(modulus), strength)
    if modulus is not None:
        raise UsageError("an Ed25519 key has one size", help="leave out --bits")
    if floor > ED25519_STRENGTH:
        raise UsageError(
            f"ed25519: about {ED25519_STRENGTH} bits of strength, and the floor is {floor}", help="use rsa, or lower it"
        )
    return _pair("Ed25519", _ed25519(), ED25519_STRENGTH)


def require() -> None:
    """Raise ToolError without `cryptography`: asked before anything else is done."""
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise ToolError(
            "key pairs need the package `cryptography`", help="run `pip install 'hardenctl[keys]'`"
        ) from None


def _rsa(modulus: int) -> RSAPrivateKey:
    require()
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=modulus)


def _ed25519() -> Ed25519PrivateKey:
    require()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def _pair(kind: str, key: RSAPrivateKey | Ed25519PrivateKey, strength: int) -> KeyPair:
    from cryptography.hazmat.primitives import serialization as form

    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key()
    return KeyPair(
        kind,
        private.decode(),
        public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo).decode(),
        float(strength),
        public.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo),
    )
