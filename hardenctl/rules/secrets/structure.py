"""What tokens say about themselves: checksums, accounts, expiry. All offline, and never a reason to be silent."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Any

from hardenctl.model.finding import Severity
from hardenctl.rules.fakes import BASE62, base62_crc32
from hardenctl.rules.secrets.declare import Proof

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


def _checksum(name: str, *, holds: bool) -> Proof:
    return Proof(holds, "its checksum holds", {"checksum": name}) if holds else Proof(holds, "its checksum fails")


def crc32_base62(token: str) -> Proof:
    """GitHub's and npm's checksum: the last six characters are the CRC32 of the 30 before them in base 62.

    https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    body = token.rpartition("_")[2]
    if len(body) != 36 or any(character not in BASE62 for character in body):  # noqa: PLR2004 - 30 and 6
        return Proof()
    valid = base62_crc32(body[:-6]) == body[-6:]
    return _checksum("crc32", holds=valid)


def crc32_hex_suffix(token: str) -> Proof:
    """Grafana service accounts: eight hex digits of the CRC32 of what is before the last underscore."""
    body, _, suffix = token.rpartition("_")
    valid = f"{zlib.crc32(body.encode()):08x}" == suffix.lower()
    return _checksum("crc32", holds=valid)


def gitlab_routable(token: str) -> Proof:
    """GitLab's routable tokens end in the CRC32 of all before it, in base 36, seven characters wide."""
    if "." not in token or len(token) < 16:  # noqa: PLR2004 - older tokens carry no checksum
        return Proof()
    number, digits = zlib.crc32(token[:-7].encode()), ""
    while number:
        number, rest = divmod(number, 36)
        digits = _BASE36[rest] + digits
    valid = digits.rjust(7, "0") == token[-7:]
    return _checksum("crc32", holds=valid)


def aws_account(token: str) -> Proof:
    """The account an AWS key id belongs to: bits of its base-32 body (https://medium.com/@TalBeerySec, 2023)."""
    body = token[4:]
    if len(body) < 16 or any(character not in _BASE32 for character in body):  # noqa: PLR2004 - as AWS makes them
        return Proof(valid=False, note="no base-32 key id")
    number = 0
    for character in body[:10]:
        number = number * 32 + _BASE32.index(character)
    account = (number >> 2 & 0x7FFFFFFFFF80) >> 7
    return Proof(evidence={"aws-account": f"{account:012d}"}, note="its account is readable from it")


def jwt(token: str) -> Proof:
    """The header and claims of a JSON Web Token; an expired one is milder."""
    parts = token.split(".")
    header = _json_part(parts[0])
    if header is None or not ({"alg", "enc", "typ", "kid"} & set(header)):
        return Proof(valid=False, note="its header is no JSON")
    evidence = {"algorithm": str(header.get("alg", ""))[:16]}
    claims = _json_part(parts[1]) if len(parts) > 1 else None
    if claims is None:
        return Proof(None if len(parts) == 5 else False, "its claims are not readable", evidence)  # noqa: PLR2004 - JWE
    if isinstance(issuer := claims.get("iss"), str):
        evidence["issuer"] = issuer[:80]
    severity = None
    if isinstance(expiry := claims.get("exp"), (int, float)) and 0 < expiry < 32503680000:  # noqa: PLR2004 - the year 3000
        import datetime as dt

        moment = dt.datetime.fromtimestamp(expiry, tz=dt.UTC)
        evidence["expires"] = moment.date().isoformat()
        if moment < dt.datetime.now(tz=dt.UTC):
            evidence["expired"] = "yes"
            severity = Severity.LOW
    return Proof(valid=True, note="header and claims decode", evidence=evidence, severity=severity)


def _json_part(part: str) -> dict[str, Any] | None:
    import json  # here: only for a token that is worth a look

    try:
        decoded = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        return None
    return decoded if isinstance(decoded, dict) else None


def pypi(token: str) -> Proof:
    """PyPI's tokens are macaroons: base64 that names the index it is for."""
    body = token.partition("-")[2]
    try:
        decoded = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return Proof(valid=False, note="no macaroon")
    if b"pypi.org" not in decoded[:40]:
        return Proof(valid=False, note="no macaroon")
    site = "test.pypi.org" if b"test.pypi.org" in decoded[:40] else "pypi.org"
    return Proof(valid=True, note="a macaroon", evidence={"index": site})


def base64_json(token: str) -> Proof:
    """Tokens whose body is base64 of a JSON object (Grafana Cloud, Sentry organisation, 1Password, Mapbox)."""
    body = re.split(r"[_.]", token, maxsplit=1)[1] if re.match(r"[a-z]{2,8}[_.]", token) else token
    part = re.split(r"[_.]", body, maxsplit=1)[0] if "_" in body or "." in body else body
    found = _json_part(part)
    if found is None:
        return Proof(valid=False, note="its body is no JSON")
    return Proof(valid=True, note="its body decodes")


def stripe(token: str) -> Proof:
    """Stripe, Clerk and others write live or test into the key."""
    if "_test_" in token or token.startswith(("test_", "TEST")) or "sandbox" in token[:24].lower():
        return Proof(note="a test key", evidence={"mode": "test"}, severity=Severity.MEDIUM)
    return Proof(note="a live key", evidence={"mode": "live"})


def openai(token: str) -> Proof:
    """OpenAI's keys carry the fixed text `T3BlbkFJ` in the middle."""
    return Proof(valid=True, note="OpenAI's marker is in it") if "T3BlbkFJ" in token else Proof(note="no marker in it")


def telegram(token: str) -> Proof:
    """The bot's id stands before the colon."""
    return Proof(evidence={"bot": token.partition(":")[0]})


def discord(token: str) -> Proof:
    """The first part is the bot's id in base64."""
    part = token.partition(".")[0]
    try:
        identifier = base64.b64decode(part + "=" * (-len(part) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        identifier = ""
    if identifier.isdigit():
        return Proof(valid=True, note="the bot's id decodes", evidence={"bot": identifier})
    return Proof(valid=False, note="no bot's id")


def nkey(seed: str) -> Proof:
    """NATS seeds are base 32 with a CRC16 at the end (https://docs.nats.io, NKeys)."""
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except (binascii.Error, ValueError):
        return Proof(valid=False, note="no base 32")
    crc = 0
    for byte in raw[:-2]:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1 & 0xFFFF
    valid = crc == int.from_bytes(raw[-2:], "little")
    return _checksum("crc16", holds=valid)


def azure_sas(url: str) -> Proof:
    """A shared access signature says when it ends."""
    if found := re.search(r"[?&]se=(\d{4}-\d{2}-\d{2})", url):
        import datetime as dt

        expired = found[1] < dt.datetime.now(tz=dt.UTC).date().isoformat()
        return Proof(
            note="expired" if expired else "its end is readable",
            evidence={"expires": found[1]},
            severity=Severity.LOW if expired else None,
        )
    return Proof()


def private_key(block: str) -> Proof:
    """The kind of a PEM or PGP private key, whether it is encrypted, and whether its body is one at all."""
    label = re.match(r"-----BEGIN ([A-Z0-9 ]*?) ?PRIVATE KEY", block)
    kind = (label[1] if label else "").strip() or "PKCS#8"
    body = re.sub(r"\\[nrt]|[\s\"'+,\\]|-----[^-]*-----", "", block)
    encrypted = "ENCRYPTED" in block[:400] or "Proc-Type" in block[:400]
    body = re.sub(r"(?:Proc-Type|DEK-Info|Version|Comment):[^\n]*", "", body)
    try:
        raw = base64.b64decode(body[: len(body) // 4 * 4][:4000], validate=False)
    except (binascii.Error, ValueError):
        raw = b""
    if raw.startswith(b"openssh-key-v1\0"):
        encrypted = b"bcrypt" in raw[:60]
    evidence = {"key": kind, "encrypted": "yes" if encrypted else "no"}
    parsed = raw.startswith((b"\x30", b"openssh-key-v1\0")) or "PGP" in block[:40]
    if encrypted:
        return Proof(parsed or None, "an encrypted key", evidence, Severity.MEDIUM)
    return Proof(parsed, "its body parses" if parsed else "its body is no key", evidence)


def service_account(block: str) -> Proof:
    """The project and account a Google service-account file is for."""
    evidence = {}
    for name in ("project_id", "client_email"):
        if found := re.search(rf'"{name}\\?"\s*:\s*\\?"([\w.@-]{{1,80}})', block):
            evidence[name.replace("_", "-")] = found[1]
    return Proof(valid=bool(evidence) or None, note="the account is named beside it", evidence=evidence)
