"""What is no credential whatever its key says: the shapes that false alarms are made of."""

from __future__ import annotations

import re

from hardenctl.detect.secrets.assign import Candidate, How
from hardenctl.rules.secrets.values import is_placeholder, is_reference, is_weak, key_words

_CODE = re.compile(
    r"""^(?:self|this|cls|ctx|req|request|response|res|config|cfg|settings|options|opts|params|props|args|os|process
        |env|data|user|app|form|secrets?|vars?|local|module|context|event|state|conf) (?:\.|->|\[|::)\w
      | ^\w+(?:\.\w+)*\([^)]*\)?$ | ^&\#?\w+;$ | ^[&*]\w+$ | ^\w+\[\w*\]?$
      | ^(?:None|null|nil|undefined|True|False|true|false|NULL|string|String|str|bytes|int|bool|any|object|required
        |optional)\b[\W]*$
      | ^(?:await|new|function|lambda|return|if|not|typeof|async|import|from|type)\s
    """,
    re.VERBOSE,
)
_SENTENCE = re.compile(r"^[A-Z¿¡]?[\w'’-]+[,;:]?(?: [\w'’\"()`.-]+[,;:]?){2,}[.!?…:]*$")  # noqa: RUF001 - typography
_PATHLIKE = re.compile(
    r"^(?:\.{0,2}|~)?/[\w.@{}$-]+(?:/[\w.@{}$*-]*)*$|^[A-Za-z]:\\\\?|^[\w-]+(?:/[\w.-]+)+\.\w{1,5}$"
    r"|^\w+\.(?:pem|key|crt|cer|json|ya?ml|txt|jks|p12|pfx|pub|asc|gpg|env)$"
)
_ADDRESS = re.compile(
    r"^[a-z][\w+.-]*://[^\s@]*$|^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$|^(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?$"
    r"|^[\w-]+(?:\.[\w-]+)+:\d+$"
)
_ALGORITHM = re.compile(
    r"^(?:sha(?:1|224|256|384|512)|md5|[HRE]S\d+|A(?:128|192|256)\w*|aes[-_]?\d*[-_]?\w*|rsa|bcrypt|pbkdf2\w*"
    r"|argon2\w*)$",
    re.IGNORECASE,
)
_HASHED = re.compile(
    r"^(?:\$(?:2[abxy]|5|6|1|apr1|argon2\w*|pbkdf2\w*|scrypt|y)\$|pbkdf2_sha\d+\$|\{SSHA\}|\{SHA\}|sha\d+[-:$]"
    r"|md5[-:$]|bcrypt|scrypt:|argon2\$|SHA256:|SCRAM-)",
    re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"^(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-|MII[BC]|LS0tLS1CRUdJTiBDRVJU|LS0tLS1CRUdJTiBQVUJ|pk_(?:live|test)_"
    r"|-----BEGIN (?:CERT|PUBLIC))"
)
_PHRASE = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)* [^\W\d_]+[.!?:]?")
_MARKUP = re.compile(r"<[a-z/!][^>]*>|^&\w+;")
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")
_LOCALE = re.compile(r"^[a-z]{2}[-_][A-Z]{2}$")
# A key that ends in one of these tells of a credential, whatever the value looks like.
_ABOUT = frozenset(
    {"hash", "digest", "checksum", "integrity", "fingerprint", "sha", "name", "type", "url", "uri", "path", "file"}
    | {"label", "description", "title", "placeholder", "text", "message", "help"}
)


# A key must hold one of these in a word, or one of `_WHOLE` as a word: `COLOR_PINK` is about no PIN.
_IN_A_WORD = re.compile(
    r"pass|pwd|secret|token|cred|jwt|senha|cookie|session|key$|keys$|^auth|auth$|psw|passwd|salt$|nkey"
)
_WHOLE = frozenset(
    {
        "key",
        "pw",
        "pin",
        "sid",
        "sig",
        "otp",
        "totp",
        "hotp",
        "dsn",
        "psk",
        "mdp",
        "salt",
        "nonce",
        "seed",
        "conn",
        "api",
    }
    | {"authorization", "bearer", "basic", "license", "licence", "connection", "signature"}
)
_CODES = frozenset({"auth", "access", "verification", "pass", "invite", "security", "activation", "verify", "secret"})
_NAMED = frozenset(How) - {How.USERINFO, How.BASIC, How.SCHEME}
_NAMES = r"(?:user|username|login|db|dbname|database|db_name|host|owner|role|_name|-U|-u)"
_NAME = re.compile(r"[a-z][a-z_-]{2,30}\d{0,3}")
_BESIDE = 300  # characters around a value in which its user's or database's name is looked for


def names_nothing(key: str, how: How = How.ASSIGNED) -> bool:
    """Whether a key only looked like a credential's because of the letters in it: `shipping`, `COLOR_PINK`."""
    words = key_words(key)
    if any(word in _WHOLE or _IN_A_WORD.search(word) for word in words):
        return False
    if how is How.CALL and "decode" in key.lower():
        return False
    return not (words and words[-1] in {"code", "codes"} and _CODES.intersection(words))


def is_own_name(candidate: Candidate, text: str) -> bool:
    """Whether a word used as a password is the name of the user, database or host beside it."""
    value = candidate.value
    if not _NAME.fullmatch(value):
        return False
    window = text[max(0, candidate.start - _BESIDE) : candidate.end + _BESIDE]
    if value not in window:
        return False
    beside = rf"{_NAMES}[\"'\]]*\s*[:=,({{ ]?\s*[\"']?{value}\b"
    return bool(re.search(beside, window, re.IGNORECASE))


def refusal(candidate: Candidate) -> str:  # noqa: C901, PLR0911, PLR0912 - a list of cases, one line each
    """Why a candidate is no leak by its value alone; empty where nothing speaks against it."""
    value, key = candidate.value, candidate.key
    if is_reference(value):
        return "a reference"
    if candidate.how is How.BASIC:
        return ""
    if is_placeholder(value):
        return "a placeholder"
    if is_weak(value, key, candidate.user):
        return "guessable"
    if _HASHED.match(value):
        return "a hash"
    if _PUBLIC.match(value):
        return "public"
    if _ADDRESS.match(value) or _PATHLIKE.match(value):
        return "an address or a path"
    if _ALGORITHM.match(value) or _COLOUR.fullmatch(value):
        return "an algorithm or a colour"
    if _CODE.match(value) and not candidate.quote:
        return "code"
    if _SENTENCE.match(value) or _MARKUP.search(value) or _LOCALE.match(value):
        return "text"
    if _PHRASE.fullmatch(value) or (not value.isascii() and value.replace(" ", "").isalpha()):
        return "text"
    if not any(character.isalnum() for character in value) or value[0] in "\"'`":
        return "punctuation"
    if candidate.how in _NAMED and names_nothing(key, candidate.how):
        return "its key names no credential"
    words = key_words(key)
    if words and words[-1] in _ABOUT:
        return "a statement about a credential"
    return ""
