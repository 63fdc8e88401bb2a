"""Credentials that no provider's format gives away: keys in files, assignments, URLs, headers."""

from __future__ import annotations

import base64

from hardenctl.model.finding import Severity
from hardenctl.rules.fakes import BASE32, scramble
from hardenctl.rules.secrets.declare import OWASP, Proof, SecretRule, secret
from hardenctl.rules.secrets.structure import jwt, private_key

_REMOVAL = (
    "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure"
    "/removing-sensitive-data-from-a-repository"
)


def _pem() -> str:
    body = base64.b64encode(b"\x30\x82\x04\xa4" + scramble("pem", 300).encode()).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    head, foot = ("-----" + word + " RSA PRIVATE " + "KEY-----" for word in ("BEGIN", "END"))
    return f"{head}\n{lines}\n{foot}"


def _jwt() -> str:
    import json

    def part(content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': '1', 'iss': 'app'})}.{scramble('jwt', 43)}"


def _jwk(block: str) -> Proof:
    del block
    return Proof(note="the private member of a JSON Web Key")


PRIVATE_KEY = secret(
    "private-key",
    "Private key",
    pattern=r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----",
    keywords=("PRIVATE KEY",),
    sample=_pem,
    check=private_key,
    opens="can pose as the server or person the key belongs to, and read what was encrypted to it",
    revoke=_REMOVAL,
    steps="make a new pair, replace the public half everywhere (and have the certificate revoked)",
    issued=False,
    variable="TLS_PRIVATE_KEY",
    floor=0,
    example='```text title="server.key"\n{{fake:secret-private-key}}\n```',
)
PRIVATE_KEY_BODY = secret(
    "private-key-body",
    "Private key without its header",
    pattern=r"\bMII[A-Za-z0-9+/]{3,6}(?:IBAAKCA|IBAAKBg|IBADANBgkqhkiG9w0BAQEFAASC)[A-Za-z0-9+/]{40,4000}",
    keywords=("IBAAKCA", "IBAAKBg", "IBADANBgkqhkiG9w0BAQEFAASC"),
    sample=lambda: "MII" + "EpAIBAAKCA" + scramble("private-key-body", 200),
    opens="can pose as the server or person the key belongs to, and read what was encrypted to it",
    revoke=_REMOVAL,
    steps="make a new pair and replace the public half everywhere",
    issued=False,
    variable="SIGNING_KEY",
    floor=4,
)
PRIVATE_KEY_BASE64 = secret(
    "private-key-base64",
    "Private key in base64",
    pattern=r"\bLS0tLS1CRUdJTi(?:BSU0EgUFJJVkFURS|BQUklWQVRFIEtFW|BFQyBQUklWQVRFIE|BPUEVOU1NIIFBSSV|BFTkNSWVBURUQgUF|BEU0EgUFJJVkFURS)"
    r"[A-Za-z0-9+/]{60,8000}={0,2}",
    keywords=("LS0tLS1CRUdJTi",),
    sample=lambda: base64.b64encode(_pem().encode()).decode(),
    opens="can pose as the server or person the key belongs to, and read what was encrypted to it",
    revoke=_REMOVAL,
    steps="make a new pair and replace the public half everywhere",
    issued=False,
    variable="TLS_KEY_BASE64",
    floor=4,
)
PUTTY_KEY = secret(
    "putty-key",
    "PuTTY private key",
    pattern=r"PuTTY-User-Key-File-[23]: [a-z0-9-]{3,30}",
    keywords=("PuTTY-User-Key-File",),
    sample=lambda: "PuTTY-User-" + "Key-File-2: ssh-rsa",
    opens="can sign in wherever the key is allowed",
    revoke=OWASP,
    steps="take its public half out of every authorized_keys",
    issued=False,
    floor=0,
    example='```text title="id.ppk"\n{{fake:secret-putty-key}}\nEncryption: none\n```',
)
ASSIGNMENT = secret(
    "generic-assignment",
    "Credential",
    sample=lambda: scramble("generic-assignment", 32),
    keywords=("key",),
    opens="can do whatever it opens",
    revoke=OWASP,
    steps="change it where it is used",
    issued=False,
    variable="DB_PASSWORD",
    severity=Severity.HIGH,
)
URL = secret(
    "url-credentials",
    "Password in a URL",
    sample=lambda: scramble("url-credentials", 20),
    keywords=("://",),
    opens="can sign in to that server as that user",
    revoke=OWASP,
    steps="change the password on the server",
    issued=False,
    variable="DATABASE_URL",
    severity=Severity.HIGH,
    example='```python title="settings.py"\nDATABASE_URL = "postgresql://app:{{fake:secret-url-credentials}}@db:5432/app"\n```',
)
BASIC = secret(
    "basic-auth",
    "Basic authorization header",
    sample=lambda: base64.b64encode(f"app:{scramble('basic-auth', 16)}".encode()).decode(),
    keywords=("asic ",),
    opens="can sign in as that user",
    revoke=OWASP,
    steps="change the password",
    issued=False,
    variable="AUTHORIZATION",
    severity=Severity.HIGH,
    example='```python title="client.py"\nHEADERS = {"Authorization": "Basic {{fake:secret-basic-auth}}"}\n```',
)
BEARER = secret(
    "bearer-token",
    "Bearer token",
    sample=lambda: scramble("bearer-token", 40),
    keywords=("earer ",),
    opens="can do whatever the token was given for",
    revoke=OWASP,
    steps="revoke it where it was issued",
    issued=False,
    variable="AUTHORIZATION",
    severity=Severity.HIGH,
    example='```python title="client.py"\nHEADERS = {"Authorization": "Bearer {{fake:secret-bearer-token}}"}\n```',
)
JWT = secret(
    "jwt",
    "JSON Web Token",
    pattern=r"\bey[JI][A-Za-z0-9_-]{10,2000}\.ey[A-Za-z0-9_-]{4,4000}\.[A-Za-z0-9_-]{10,1200}",
    keywords=("eyJ", "eyI"),
    sample=_jwt,
    check=jwt,
    opens="is, to your service, whoever the token says",
    revoke="https://datatracker.ietf.org/doc/html/rfc7519",
    steps="change the signing key if it is long-lived",
    issued=False,
    variable="ACCESS_TOKEN",
    severity=Severity.HIGH,
)
JWK = secret(
    "json-web-key",
    "JSON Web Key with its private part",
    # Members stand in any order, and in JavaScript without quotation marks. A public key has none of `d`, `k`, `priv`.
    pattern=r"kty\\{0,3}[\"']?\s{0,8}:\s{0,8}\\{0,3}[\"'](?:RSA|EC|OKP|oct|AKP)\\{0,3}[\"'][^{}]{0,4000}"
    r"[\s,\"'](?:d|k|priv)\\{0,3}[\"']?\s{0,8}:\s{0,8}\\{0,3}[\"'](?P<secret>[A-Za-z0-9_-]{22,1500})\\{0,3}[\"']"
    r"|[\s,{\"'](?:d|k|priv)\\{0,3}[\"']?\s{0,8}:\s{0,8}\\{0,3}[\"'](?P<before>[A-Za-z0-9_-]{22,1500})\\{0,3}[\"']"
    r"[^{}]{0,4000}[\s,\"']kty\\{0,3}[\"']?\s{0,8}:",
    keywords=("kty",),
    sample=lambda: scramble("jwk", 86),
    check=_jwk,
    opens="can sign tokens that your services believe",
    revoke="https://datatracker.ietf.org/doc/html/rfc7517",
    steps="publish a new key, sign with it, then take the old one out",
    issued=False,
    floor=3.5,
    example='```json title="key.json"\n{"kty": "RSA", "e": "AQAB", "d": "{{fake:secret-json-web-key}}"}\n```',
)
OTP = secret(
    "otp-seed",
    "One-time password seed",
    pattern=r"otpauth://[ht]otp/[^\s\"'?]{1,200}\?(?:[a-z]{4,12}=[^\s&\"']{1,60}&){0,5}secret=(?P<secret>[A-Za-z2-7]{16,128})",
    keywords=("otpauth://",),
    sample=lambda: scramble("otp-seed", 32, BASE32),
    opens="can make that user's second factor",
    revoke=OWASP,
    steps="enrol the user's device anew",
    issued=False,
    severity=Severity.HIGH,
    example='```python title="seed.py"\nURI = "otpauth://totp/app:ada?secret={{fake:secret-otp-seed}}&issuer=app"\n```',
)

STORED = secret(
    "stored-password",
    "Password in a credentials file",
    sample=lambda: scramble("stored-password", 16),
    keywords=("pass",),
    opens="can sign in where that file's owner can",
    revoke=OWASP,
    steps="change it, and keep the file out of the repository: it belongs to one machine",
    issued=False,
    severity=Severity.HIGH,
    example='```text title=".pgpass"\ndb.internal:5432:app:app:{{fake:secret-stored-password}}\n```',
)
HASH = secret(
    "password-hash",
    "Password hash",
    sample=lambda: "$2" + "b$12$" + scramble("password-hash", 53),
    keywords=("$",),
    opens="can try passwords against it, offline and as fast as the hash allows",
    revoke=OWASP,
    steps="change the password, and keep user tables and password files out of the repository",
    issued=False,
    severity=Severity.MEDIUM,
    example='```text title=".htpasswd"\nadmin:{{fake:secret-password-hash}}\n```',
)

CUSTOM = secret(
    "custom",
    "Credential of a kind that the policy declares",
    sample=lambda: scramble("custom", 32),
    keywords=("",),
    opens="can do whatever it opens",
    revoke=OWASP,
    steps="revoke it where it was issued",
    issued=False,
    variable="ACME_TOKEN",
    severity=Severity.HIGH,
)
PLUGIN = secret(
    "plugin",
    "What a detect-secrets plugin takes for a credential",
    sample=lambda: scramble("plugin", 32),
    keywords=("",),
    opens="can do whatever it opens, if it is one",
    revoke=OWASP,
    steps="look at it; if it is one, revoke it where it was issued",
    issued=False,
    variable="ACME_TOKEN",
    severity=Severity.LOW,
)
GUESSABLE = secret(
    "guessable",
    "Guessable credential",
    sample=lambda: "Letmein" + "-2024!",
    keywords=("",),
    opens="can sign in without having read this, too",
    revoke=OWASP,
    steps="if anything real believes it, change it there to a generated one (`hardenctl generate`)",
    issued=False,
    variable="DB_PASSWORD",
    severity=Severity.LOW,
)

# What others find: a policy's own kinds, and plugins. They say nothing where there are none.
BY_OTHERS = (CUSTOM, PLUGIN)
RULES: tuple[SecretRule, ...] = (
    *BY_OTHERS,
    STORED,
    HASH,
    PRIVATE_KEY,
    PRIVATE_KEY_BODY,
    PRIVATE_KEY_BASE64,
    PUTTY_KEY,
    ASSIGNMENT,
    GUESSABLE,
    URL,
    BASIC,
    BEARER,
    JWT,
    JWK,
    OTP,
)
