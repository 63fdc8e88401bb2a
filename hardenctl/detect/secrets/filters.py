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
_MARKUP = re.compile(r"<[a-z/!][^>]*>|^&\w+;")
_LOCALE = re.compile(r"^[a-z]{2}[-_][A-Z]{2}$")
# A key that ends in one of these tells of a credential, whatever the value looks like.
_ABOUT = frozenset(
    {"hash", "digest", "checksum", "integrity", "fingerprint", "sha", "name", "type", "url", "uri", "path", "file"}
    | {"label", "description", "title", "placeholder", "text", "message", "help"}
)


def refusal(candidate: Candidate) -> str:  # noqa: C901, PLR0911 - a list of cases, one line each
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
    if _ALGORITHM.match(value):
        return "an algorithm"
    if _CODE.match(value) and not candidate.quote:
        return "code"
    if _SENTENCE.match(value) or _MARKUP.search(value) or _LOCALE.match(value):
        return "text"
    if not any(character.isalnum() for character in value):
        return "punctuation"
    words = key_words(key)
    if words and words[-1] in _ABOUT:
        return "a statement about a credential"
    return ""
