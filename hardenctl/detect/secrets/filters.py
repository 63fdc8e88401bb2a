"""What is no credential whatever its key says: the shapes that false alarms are made of."""

from __future__ import annotations

import base64
import functools
import re

from hardenctl.detect.secrets.candidate import Candidate, How
from hardenctl.detect.secrets.language import Quoting, quoting
from hardenctl.model.pattern import lazy_pattern
from hardenctl.rules.secrets.values import LEET, is_credential_key, is_reference, is_stand_in, key_words
from hardenctl.rules.secrets.words import ABOUT_SUFFIXES, ASKING_WORDS, ROW_WORDS

_CODE = lazy_pattern(
    r"""^(?:self|this|cls|ctx|req|request|response|res|config|cfg|settings|options|opts|params|props|args|os|process
        |env|data|user|app|form|secrets?|vars?|local|module|context|event|state|conf) (?:\.|->|\[|::)\w
      | ^\w+(?:\.\w+)*\([^)]*\)?$ | ^&\#?\w+;$ | ^[&*]\w+$ | ^\w+\[\w*\]?$
      | ^(?:None|null|nil|undefined|True|False|true|false|NULL|string|String|str|bytes|int|bool|any|object|required
        |optional)\b[\W]*$
      | ^(?:keyof|typeof|readonly|unique)\b
      | ^(?:await|new|function|lambda|return|if|not|typeof|keyof|async|import|from|type|readonly)\s
    """,
    re.VERBOSE,
)
_SENTENCE = lazy_pattern(r"^[A-Z¿¡]?[\w'’-]+[,;:]?(?: [\w'’\"()`.-]+[,;:]?){2,}[.!?…:]*$")  # noqa: RUF001 - typography
_PATHLIKE = lazy_pattern(
    r"^(?:\.{0,2}|~)?/[\w.@{}$-]+(?:/[\w.@{}$*-]*)*$|^[A-Za-z]:\\\\?|^[\w-]+(?:/[\w.-]+)+\.\w{1,5}$"
    r"|^\w+\.(?:pem|key|crt|cer|json|ya?ml|txt|jks|p12|pfx|pub|asc|gpg|env)$"
    r"|^[\w.-]+(?:\\{1,2}[\w.-]+)+\.\w{1,8}$"
)
_ADDRESS = lazy_pattern(
    r"^[a-z][\w+.-]*://[^\s@]*$|^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$|^(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?$"
    r"|^[\w-]+(?:\.[\w-]+)+:\d+$|^urn:[a-z][\w-]*:"
)
_ENCODING = lazy_pattern(  # `password.encode("latin1")`
    r"(?i)(?:utf[-_]?(?:8|16|32)(?:[-_]?(?:le|be|sig))?|latin[-_]?\d|(?:us-)?ascii|iso[-_]?8859[-_]?\d+|cp\d{3,4}"
    r"|windows[-_]?12\d\d|koi8[-_][ru]|gb(?:k|2312|18030)|big5|shift[-_]?jis|euc[-_]\w{2})"
)
_ALGORITHM = lazy_pattern(
    r"^(?:sha(?:1|224|256|384|512)|md5|[HRE]S\d+|A(?:128|192|256)\w*(?:[+-][\w-]+)?|aes[-_]?\d*[-_]?\w*|bcrypt|pbkdf2\w*"
    r"|rsa(?:[-_](?:oaep|pss|sha)[\w-]{0,8})?|x?oauth(?:bearer)?2?|ntlm|kerberos|gssapi|negotiate|argon2\w*)$",
    re.IGNORECASE,
)
_UUID = lazy_pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HASHED = lazy_pattern(
    r"^(?:\$(?:2[abxy]|5|6|1|apr1|argon2\w*|pbkdf2\w*|scrypt|y)\$|pbkdf2_sha\d+\$|\{SSHA\}|\{SHA\}|sha\d+[-:$]"
    r"|md5[-:$]|bcrypt|scrypt:|argon2\$|SHA256:|SCRAM-)",
    re.IGNORECASE,
)
_PUBLIC = lazy_pattern(
    r"^(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-|MII[BC]|LS0tLS1CRUdJTiBDRVJU|LS0tLS1CRUdJTiBQVUJ|pk_(?:live|test)_|pk\.eyJ"
    r"|-----BEGIN (?:CERT|PUBLIC))"
)
_PHRASE = lazy_pattern(r"[^\W\d_]+(?:[ '-][^\W\d_]+)* [^\W\d_]+[.!?:]?")
_MARKUP = lazy_pattern(r"<[a-z/!][^>]*>|^&\w+;|\\(?:e|033|x1b)\[[0-9;]*m")  # of a page, of a terminal
_COLOUR = lazy_pattern(r"#[0-9a-fA-F]{3,8}")
_VERSION = lazy_pattern(r"[\^~>=<v]{0,3}\d+\.\d+\.\d+(?:[-+.][\w.+-]*)?")
_MOMENT = lazy_pattern(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_EXPRESSION = lazy_pattern(
    r"\[(?:a-z|A-Z|0-9)|\(\?[:=!<P]|\[\^|\\[dwsSWDb][+*{\]]|\][+*]|\)[+*]['\"$]?|\\{2,}[\[.]|\]\{\d"
)
_ESCAPE = lazy_pattern(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}")
# Strings beside each other in a list: what is before a value must be no flag, whose argument it would be.
_LIST_BEFORE = lazy_pattern(r"(?:[\"'],|\[)\s{0,40}[\"'](?!-)[^\"'\n]{1,80}[\"']\s{0,4},\s{0,40}[\"']\Z")
_LIST_AFTER = lazy_pattern(r"[\"']\s{0,40}(?:,\s{0,40}[\"']|\])")
_SHOWN_TO_ALL = lazy_pattern(r"badge|shields\.io|alt=media&", re.IGNORECASE)
_NEXT_PAIR = lazy_pattern(r"[\"']\s{0,4}:")  # `"pass", "next": ...`: the value is the next pair's key
_ATTRIBUTE = lazy_pattern(r"[a-z]\.[a-z_]+,\s*[\"']\Z")  # `check(module.token, "..."`: an expression, no key's name
_NEXT_WORD = lazy_pattern(r"[,;:]? [^\W\d_]+")
_URN = lazy_pattern(r"(?:^|\W)urn:[\w.:-]*\Z")
_ACCOUNT = lazy_pattern(r"0x[0-9a-fA-F]{40}")  # of a blockchain: a private key there has 64 digits
_POINTER = lazy_pattern(r"0x0{4}[0-9a-fA-F]{4,12}")  # of an object, as an inspector prints it
_HEX = lazy_pattern(r"[0-9a-fA-F]+")
_DIGEST_KEY = lazy_pattern(r"(?i)sha1|sha256|sha512|md5")  # `ROOT_PASSWORD_SHA256`
_DIGESTS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}  # hexadecimal digits
_PUBLIC_BASE58 = lazy_pattern(r"[1-9A-HJ-NP-Za-km-z]{43,44}")  # the same where keys are written in base 58
# What a payment provider's objects are called: a card or a charge, which opens nothing without the account's key.
_OBJECT = lazy_pattern(r"(?:card|ch|tok|cus|ps|rf|pm|sub|evt|txn|acct|refund)_(?!\w*secret)\w{8,}")
_FINGERPRINT = lazy_pattern(r"(?:0x)?[0-9A-F]{16}(?:[0-9A-F]{24})?")  # of a public key, as GnuPG writes it
_NUMBERED = frozenset(
    ("pass", "password", "passwd", "passphrase", "passcode", "pwd", "pw", "pin", "secret", "key", "iv", "otp")
)
_APPROVALS, _APPROVAL = ("authcode", "authorizationcode"), 8  # of a payment: letters and digits
# Encrypted for the terminal that it is from.
_CARD_DATA = frozenset((("pin", "block"), ("tokenization", "data"), ("encrypted", "pan"), ("ksn",), ("cryptogram",)))
# An icon of a font, a format's directives, a link in Markdown, and what a form asks of a field: `min:8`, `required`.
_GLYPH = lazy_pattern(r"\\[0-9a-fA-F]{3,6}")
_FORMAT = lazy_pattern(r"(?:[^\w%]*%[-+#0-9.]{0,8}[a-zA-Z@])+[^\w%]*")
_LINK = lazy_pattern(r"!?\[[^\[\]]{1,200}\]\([^()\s]{1,1000}\)?")
_DEMAND = lazy_pattern(
    r"(?:required?|nullable|sometimes|confirmed|filled|optional|current_password|(?:min|max|len|length|size|range):\d[\d-]*)"
    r"(?:[|,].*)?"
)
# `$input[` of `$input['password']`, `$xml->`, a role in reStructuredText.
_CUT_OFF = lazy_pattern(r"\$?\w+[:\[(]|\$\w+-")
_INTERPOLATED = lazy_pattern(r"\{[a-z_][\w.]{0,60}\}[-_./:]|[-_./:]\{[a-z_][\w.]{0,60}\}")  # `f"{name}-backup"`
_LOCALE = lazy_pattern(r"^[a-z]{2}[-_][A-Z]{2}$")
# A key that ends in one of these tells of a credential, whatever the value looks like.
_ABOUT = frozenset(
    {
        "hash",
        "digest",
        "checksum",
        "integrity",
        "fingerprint",
        "sha",
        "md",
        "name",
        "type",
        "url",
        "uri",
        "path",
        "file",
    }
    | {"label", "description", "title", "placeholder", "text", "message", "help", "address", "version", "lifespan"}
)


# A key must hold one of these in a word, or one of `_WHOLE` as a word: `COLOR_PINK` is about no PIN.
_IN_A_WORD = lazy_pattern(
    r"pass|pwd|secret|token|cred(?!it)|jwt|senha|cookie|session|key$|keys$|^auth(?!or(?!i))|auth$|psw|passwd|salt$|nkey"
)
_WHOLE = frozenset(
    {
        "key",
        "pw",
        "pepper",
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
_PAGES = frozenset(("csrf", "xsrf", "authenticity", "antiforgery"))  # every visitor's page holds one of its own
_SEALED = frozenset(("hashed", "encrypted"))  # what opens nothing as it stands
_PLACES = frozenset(("next", "page", "continuation", "pagination", "previous"))  # in a list
_PUBLISHED = frozenset(("public", "pub", "publishable", "pubkey", "publickey"))  # a key that is no secret
_STRONG_NAME = ("public", "key", "token")  # of a .NET assembly: the digest of a public key
_PRIVATE = frozenset(("password", "passwd", "pass", "secret", "token"))
_CODES = frozenset({"auth", "access", "verification", "pass", "invite", "security", "activation", "verify", "secret"})
_NAMED = frozenset(How) - {How.USERINFO, How.BASIC, How.SCHEME}
# What names the one beside a password, read backwards from its value.
_EMAN = lazy_pattern(
    r"[\"']?\s*[:=,({ ]?\s*[\"'\]]*(?:resu|emanresu|nigol|bd|emanbd|esabatad|eman_bd|tsoh|renwo|elor|eman_|u-)",
    re.IGNORECASE,
)
_ENDS = lazy_pattern(r"\b")
_NAME = lazy_pattern(r"[a-z][a-z_-]{2,30}\d{0,3}")
_JOINS = frozenset(("@", ".", "/", "-"))
_LOOKED_AT = 50  # places of a word in a file
_NAMED_AS = lazy_pattern(
    r"(?:[a-z0-9]{1,12}[-_]){1,5}(?:key|token|secret|password|creds|credentials|webhook)|[a-z]{1,8}[-_]"
)
_FLAG = lazy_pattern(r"--|-[a-z]+(?:-[a-z]+)*(?:=|\Z)")  # of a command
_ESCAPED = lazy_pattern(r"\\.")
_SHORTEST = 3  # characters without escapes
_CONSTANT = lazy_pattern(r"[A-Z]+(?:_[A-Z]+)*")
# `credentials("ada")`: whose
_OF_A_USER = lazy_pattern(r"(?i)(?:^|[._>:])(?:credentials?|auth\w*|log_?in|sign_?in)$")
_API = 16  # characters of the shortest key under `api`: what is shorter names one
_ABBREVIATION = 5  # letters: `OIDC`, `BASIC`
_TOKEN = lazy_pattern(r"(?=(?:[A-Za-z]*\d){4})[A-Za-z0-9_-]{16,}")  # encoded twice
_JWT = lazy_pattern(r"ey[\w-]+\.ey[\w-]+\.(?P<signature>[\w-]*)")
_SIGNATURE = 43  # characters of the shortest: 32 bytes
_PREFIX = lazy_pattern(r"[A-Za-z]{2,8}_|\d\.")
_PART = 12  # characters
_SHORTEST_WORDS = 8  # characters without padding: fewer make text by chance
_LONGEST_WORDS = 200  # characters: a longer value in base64 is no word in disguise
_MONOTONOUS = 12  # characters from which a value mostly of one is no credential
_SOURCE_FILE = lazy_pattern(
    r"\.(?:py|js|ts|tsx|jsx|go|rb|php|java|html?|css|ya?ml|json|md|txt|sh|(?:cs|fs|vb|vcx)proj)$"
)
_BESIDE = 300  # characters around a value in which its user's or database's name is looked for


@functools.lru_cache(maxsize=8192)
def _of_key(key: str, how: How) -> str:
    words = [word for word in key_words(key) if not word.isdigit()]  # `SHA256` is `sha` and a number
    if words and words[-1] in _ABOUT:
        return "a statement about a credential"
    if how in _NAMED and names_nothing(key, how):
        return "its key names no credential"
    return "its key is a file" if _SOURCE_FILE.search(key) else ""


def names_nothing(key: str, how: How = How.ASSIGNED) -> bool:  # noqa: C901, PLR0911 - a list of cases
    """Whether a key only looked like a credential's because of the letters in it: `shipping`, `COLOR_PINK`."""
    words = key_words(key)
    if how is How.CALL:
        called = key_words(key.rpartition(".")[2])
        if called and (called[0] in ASKING_WORDS or "encode" in called):
            return True
    if len(words) > 1 and words[-1] in {"key", "keys"} and words[-2] in ROW_WORDS:
        return True
    if words and (words[-1] in {"author", "authors", "ids"} or (words[-1] == "token" and _PAGES.intersection(words))):
        return True
    if words and words[-1] == "token" and _PLACES.intersection(words):
        return True
    if words and _PUBLISHED.intersection(words) and words[-1] not in _PRIVATE:
        return True
    if (
        not _SEALED.isdisjoint(words) or words[-1:] == ("nonce",) or words[-2:] == ("nonce", "str")
    ):  # used once, and sent in the clear
        return True
    if words[-3:] == _STRONG_NAME or words[-2:] in _CARD_DATA or words[-1:] in _CARD_DATA or _is_signature(words):
        return True
    if any(word in _WHOLE or _IN_A_WORD.search(word) for word in words):
        return False
    if how is How.CALL and "decode" in key.lower():
        return False
    return not (words and words[-1] in {"code", "codes"} and _CODES.intersection(words))


def _is_signature(words: tuple[str, ...]) -> bool:
    """Whether a key names what proves one message; a shared access signature opens things."""
    return (words[-1:] == ("signature",) or words[-2:] == ("signature", "value")) and "access" not in words


def is_own_name(candidate: Candidate, text: str) -> bool:
    """Whether a word used as a password is the name of the user, database or host beside it."""
    plain = text_in_base64(candidate.value)
    return any(
        _is_name_beside(candidate, form, text) for form in {candidate.value, plain, plain.lower().translate(LEET)}
    )


def _is_name_beside(candidate: Candidate, value: str, text: str) -> bool:
    if not _NAME.fullmatch(value):
        return False
    window = text[max(0, candidate.start - _BESIDE) : candidate.end + _BESIDE]
    lowered = window.lower()
    if len(lowered) != len(window):  # of a few letters, what is lower is longer
        lowered = window
    at, own = lowered.find(value), min(candidate.start, _BESIDE)
    while at >= 0:
        if at != own and _ENDS.match(window, at + len(value)) and _EMAN.match(window[:at][::-1]):
            return True
        at = lowered.find(value, at + 1)
    return candidate.how is not How.USERINFO and _is_part_of_names(value, text)


@functools.lru_cache(maxsize=64)  # a file of fixtures says the same value many times
def _is_part_of_names(value: str, text: str) -> bool:
    """Whether a word stands in the file as a part of longer names, as a product's: `io.kafka.server`, `joomla/5`."""
    at, seen = text.find(value), 0
    while at >= 0 and seen < _LOOKED_AT:
        end, seen = at + len(value), seen + 1
        before, after = text[max(0, at - 2) : at], text[end : end + 2]
        at = text.find(value, end)
        if before[-1:] == ":" or (before == "//" and after[:1] != "."):
            continue  # in an address, as a password or a user
        if not before[-1:].isalnum() and after[:1] in _JOINS and after[1:].isalpha():
            return True
        if before[-1:] in _JOINS and before[:1].isalnum() and not after[:1].isalnum():
            return True
    return False


def is_surrounded(candidate: Candidate, text: str, path: str) -> bool:  # noqa: PLR0911 - a list of cases
    """Whether what stands around a value says that it is none: a list of words, a sentence, a badge's address."""
    value, how = candidate.value, candidate.how
    before, after = text[max(0, candidate.start - 200) : candidate.start], text[candidate.end : candidate.end + 130]
    if how is How.ARGUMENT and _LIST_AFTER.match(after) and _LIST_BEFORE.search(before):
        return True
    if how is How.ARGUMENT and (_NEXT_PAIR.match(after) or _ATTRIBUTE.search(before)):
        return True
    if _URN.search(before):
        return True
    if candidate.quote == "`" and quoting(path) is Quoting.BARE:
        return True  # a command, in a shell
    if how is How.INLINE and _SHOWN_TO_ALL.search(before[before.rfind("\n") + 1 :]):
        return True
    language = quoting(path)
    if language is Quoting.PROSE and how is How.CALL and re.search(r"\s\(\s*.?\Z", before):
        return True
    bare = not candidate.quote and how is not How.ELEMENT and language is not Quoting.BARE
    return bare and value.isalpha() and before[-1:] != "=" and bool(_NEXT_WORD.match(after))


def refusal(candidate: Candidate) -> str:  # noqa: C901, PLR0911, PLR0912 - a list of cases, one line each
    """Why a candidate is no leak by its value alone; empty where nothing speaks against it.

    That a value is guessable does not: the score weighs it, and `guessable` says what it is told as.
    """
    value, key = candidate.value, candidate.key
    if candidate.how is not How.BASIC and (reason := _of_key(key, candidate.how)):
        return reason
    if is_reference(value):
        return "a reference"
    if candidate.how is How.BASIC:
        return ""
    if is_stand_in(value):
        return "a placeholder"
    if _is_monotonous(value):
        return "guessable"
    if key == "key" and is_credential_key(value):
        return "a name"  # of an entry in a Secret: `key: htpasswd`
    if _CONSTANT.fullmatch(value) and (len(value) <= _ABBREVIATION or is_credential_key(value)):
        return "a name"
    if _NAMED_AS.fullmatch(value) or _FLAG.match(value) or len(_ESCAPED.sub("", value)) < _SHORTEST:
        return "a name"
    if _is_signed_with_words(value):
        return "a placeholder"
    if (plain := text_in_base64(value)) != value:
        if is_reference(plain) or is_stand_in(plain) or _PATHLIKE.match(plain):
            return "a reference"
        if _SENTENCE.match(plain):
            return "text"
    if _HASHED.match(value):
        return "a hash"
    if _PUBLIC.match(value):
        return "public"
    if _ADDRESS.match(value) or _PATHLIKE.match(value):
        return "an address or a path"
    if value.isdigit() and key_words(key)[-1:] and key_words(key)[-1] in ABOUT_SUFFIXES:
        return "a number about a credential"
    if len(value) <= _APPROVAL and "".join(key_words(key)[-2:]).endswith(_APPROVALS):
        return "a number"
    if value.isdigit() and (_NUMBERED.isdisjoint(key_words(key)) or (key == "key" and candidate.how is How.INLINE)):
        return "a number"
    if (digest := _DIGEST_KEY.search(key)) and len(value) == _DIGESTS[digest[0].lower()] and _HEX.fullmatch(value):
        return "a hash"
    if (
        _ACCOUNT.fullmatch(value)
        or _POINTER.fullmatch(value)
        or (key.lower() in {"key", "publickey"} and candidate.how is How.CALL and _PUBLIC_BASE58.fullmatch(value))
    ):
        return "an address or a path"
    if _OBJECT.fullmatch(value) or (
        _UUID.fullmatch(value) and (key == "key" or key.lower().endswith(("id", "uuid", "guid")))
    ):
        return "an identifier"
    if key_words(key)[-2:] == ("client", "id") or (
        _FINGERPRINT.fullmatch(value) and key_words(key)[-2:] == ("key", "id")
    ):
        return "an identifier"
    if _ALGORITHM.match(value) or _COLOUR.fullmatch(value) or _ENCODING.fullmatch(value):
        return "an algorithm, a colour or an encoding"
    if _VERSION.fullmatch(value) or _MOMENT.match(value):
        return "a version or a time"
    if _GLYPH.fullmatch(value) or _FORMAT.fullmatch(value) or _LINK.fullmatch(value) or _DEMAND.fullmatch(value):
        return "text"
    if candidate.quote and _INTERPOLATED.search(value):
        return "a reference"
    if not candidate.quote and value.startswith("(") and value.count("(") > value.count(")"):
        return "code"
    if not candidate.quote and _CUT_OFF.fullmatch(value):
        return "code"
    if (_CODE.match(value) and not candidate.quote) or _EXPRESSION.search(value):
        return "code"
    if candidate.how is How.SCHEME and value.isalpha() and (value.islower() or value.istitle() or value.isupper()):
        return "text"
    if _SENTENCE.match(value) or _MARKUP.search(value) or _LOCALE.match(value):
        return "text"
    if _PHRASE.fullmatch(value) or _is_foreign_text(value):
        return "text"
    if key.lower() == "api" and len(value) < _API:
        return "a name"
    if not any(character.isalnum() for character in value) or value[0] in "\"'`":
        return "punctuation"
    if candidate.how is How.CALL and value.isalpha() and _OF_A_USER.search(key):
        return "a name"
    if candidate.how is How.CALL and "decode" in key.lower() and plain != value and not _TOKEN.fullmatch(plain):
        return "text"
    return ""


def _is_signed_with_words(value: str) -> bool:
    """Whether a JSON Web Token's signature is too short for one: `signature`, `c2lnbmF0dXJl`."""
    found = _JWT.fullmatch(value)
    return found is not None and len(found["signature"]) < _SIGNATURE


def text_in_base64(value: str) -> str:
    """What a value decodes to where a person can read it, else the value: random bytes make no text.

    What stands before is left out, and of encoded parts the first one is looked at: `DMS_YWNjZXNz`, `2.QmFzZTY0|QmFz`.
    """
    if len(value) > _LONGEST_WORDS or (len(value) < _SHORTEST_WORDS and value[-1:] != "="):
        return value
    prefix = _PREFIX.match(value)
    part = value[prefix.end() if prefix else 0 :].partition("|")[0]
    body = part if len(part) >= _PART else value
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4), validate=True).decode("utf-8").strip(" \r\n")
    except ValueError:  # binascii.Error and UnicodeDecodeError are
        return value
    return decoded if decoded.isprintable() else value


def _is_monotonous(value: str) -> bool:
    """Whether one character makes up most of a value: `1x0000000000000000000000AA`."""
    return len(value) >= _MONOTONOUS and max(map(value.count, set(value))) * 5 > len(value) * 3


def _is_foreign_text(value: str) -> bool:
    """Whether a value is mostly letters or signs that no generator of credentials uses, escaped ones too."""
    plain, escapes = _ESCAPE.subn("", value)
    if escapes and 6 * escapes * 2 > len(value):
        return True
    foreign = sum(not character.isascii() for character in plain)
    return foreign * 3 > len(plain) or (foreign > 0 and plain.replace(" ", "").isalpha())
