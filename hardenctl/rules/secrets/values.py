"""What a key and its value are to a credential scanner: the one place that decides "placeholder", "weak" or "live".

Rules about `.env` and compose files and the secret pipeline all ask here, so that they never disagree.
"""

from __future__ import annotations

import enum
import functools
import itertools
import re
from collections.abc import Container, Iterable, Sequence

from hardenctl.model.pattern import lazy_pattern
from hardenctl.rules.secrets.words import (
    ABOUT_PREFIXES,
    ABOUT_SUFFIXES,
    CREDENTIAL_WORDS,
    KEY_QUALIFIERS,
    PLACEHOLDER_WORDS,
    PUBLIC_WORDS,
    STORE_WORDS,
    WEAK_VALUES,
    WEAK_WORDS,
)


class ValueClass(enum.Enum):
    """What a value is, seen together with its key."""

    EMPTY = "empty"
    REFERENCE = "reference"  # resolved elsewhere: `${VAR}`, `{{ x }}`, `$(cmd)`, a vault path, a mounted secret file
    PLACEHOLDER = "placeholder"  # nobody's credential: `changeme`, `<your-key>`, `xxxx`
    WEAK = "weak"  # a real credential that is guessable: `postgres`, `root123`, its own user's name
    PLAIN = "plain"  # no credential by key and shape: a port, a switch, a host
    LIVE = "live"  # looks like a real credential


SHORTEST = 4  # characters: below, a value is guessable whatever it is made of
_DIALLED = 6  # digits: fewer fall to a guess
LONGEST = 4096  # characters: a longer value is text or data

_WORD = lazy_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_URL = lazy_pattern(
    r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<user>[^\s:@/?#]*):(?P<password>[^\s@/]*(?:@[^\s@/]+)*?)@(?P<host>[^\s@]+)"
)
_DEFAULT = lazy_pattern(r"\$\{\w+:?-(?P<default>[^{}]*)\}")
_REFERENCE = lazy_pattern(
    r"""
      \$\{[^}]*\}? | \{\{.*\}\} | \{%.*%\} | <%.*%> | \$\(.*\) | `[^`]+` | %\(\w+\)[sd] | \#\{[^}]+\}
    | ^\$\$?[A-Za-z_]\w*(?:[.\[]\w.*|->\w.*)?$ | ^\$\( | (?:^|[\s/:@=.-])\$[A-Z_][A-Z0-9_]+\b
    | ^\$\$?\[ | \$env: | ^%[A-Za-z_]\w*%$ | ^:\w+$ | ^%[sdv]$ | ^%[\w-]+%$
    | ^\{\$ | ^\{[A-Za-z_][\w.\[\]'"()-]*\}$ | ^\{[A-Za-z_][\w.]*[(\[]
    | \{\w*![rsa]\} | ^[^{}]*\{\}[^{}]*$ | ^EV\[ | ^\(\(.*\)\)$ | ^\{\w+:[\w.:]+\}$
    | ^!(?:vault|secret|Ref|Sub|GetAtt|ImportValue|env_var|ENV|env|reference)\b
    | ^(?:vault|ssm|secretsmanager|awssm|gcpsm|op|sm|keyvault|doppler|bao|ref\+\w+|secret|env|file|azkv)
      (?::/{0,2}|\#)[\w./$#\[-]
    | ^arn:aws[\w-]*: | @Microsoft\.KeyVault\( | resolve:(?:ssm|secretsmanager)
    | (?:process\.env|os\.environ|import\.meta\.env)\b | \b(?:getenv|env|ENV|config|var|secrets|lookup)[.(\[]['"\w]
    | ^/(?:run|var/run)/secrets/ | ^ENC\[ | ^ENC\( | ^\$ANSIBLE_VAULT | ^AgA[A-Za-z0-9+/]{100} | ^\$9\$
    """,
    re.VERBOSE | re.DOTALL,
)
_PLACEHOLDER = lazy_pattern(
    r"""
      ^(?P<character>.)(?P=character){2,}$ | ^(?P<loud>[*!_#/-]{2,})[^*!].*[^*!](?P=loud)$
    | ^[*.•·…xX_?#-]+$ | ^<[^<>]+>$ | ^\[[^\[\]]*\]$ | ^__\w+__$ | ^@@?\w+@@?$
    | ^\(\w.*\)$ | [*•]{4} | x{6} | X{6} | \.{3} | … | EXAMPLE
    | ^\[[A-Z][A-Z_ ]{2,30}(?:$|\](?=[&;,<\\])) | (?i:deadbeef|cafebabe) | <[A-Za-z][\w .-]*>
    | x{4,}$ | X{4,}$ | [0-9a-fA-F]{6}[xX]{3}$ | (?:(?<=^\w\w)|(?<=[-_]))[xX]{3}$ | x{3}.*[^x]x{3} | X{3}.*[^X]X{3}
    | 0{10} | 0123456789 | 1234567890 | abcdefghij | ABCDEFGHIJ | 12345678-?9 | AaBbCcDdEe | (?i:1234-?abcd-?1234)
    | (?i:change[-_ ]?(?:me|this|it|in)\b | change[-_ ]?me | replace[-_ ]?(?:me|this|with)
        | (?-i:\b(?:your|Your|YOUR)[-_ ]?\w | ^(?:your|Your|YOUR))
        | ^my[-_ ]?(?:api|secret|password|token|key|access|client|super|pass)
        | [-_ ]here$ | ^(?:some|an?[-_ ]|the)[-_ ]?(?:secret|password|token|key|api) | [-_ ]goes[-_ ]
        | (?:^|[^a-z])(?:insert|enter|put|type|fill)[-_ ]?(?:your|in|me|the)
        | placeholder | redacted | dummy | \bexample | example$
        | (?:to|should|must)[-_ ]?be[-_ ]?(?:changed|replaced|set(?![a-z]))
        | do[-_ ]?not[-_ ]?use | not[-_ ]?(?:a|so)?[-_ ]?(?:real|secret|secure|used)
        | keep[-_ ]?(?:it|me|this)[-_ ]?(?:secret|safe) | generate[-_ ](?:a|me|one|with|your|using)
        | openssl\ rand | ^todo | ^fixme )
    """,
    re.VERBOSE,
)
# Words that tell the reader to write something else, in a value that a program takes as it is.
_ASKS = lazy_pattern(
    r"""(?ix: chang[e3][-_ ]?(?:me|this|it) | replace[-_ ]?(?:me|this|with) | set[-_ ]?me\b | \byour[-_ ]?\w | ^your
        | (?:to|should|must)[-_ ]?be[-_ ]?(?:changed|replaced|set(?![a-z])) )"""
)
_CHOSEN = lazy_pattern(r"(?i)pass|pwd|pw$|psw|psk|secret|senha|mdp")
_ADDRESS = lazy_pattern(r"[A-Za-z][\w+.-]*://[^\s@?/]*(?:/[\w.-]*)?/?")
# What no program could use as it stands: a mark, or words that tell the reader to write something else.
_STAND_IN = lazy_pattern(
    r"""
      ^(?P<character>.)(?P=character){2,}$ | ^(?P<loud>[*!_#/-]{2,})[^*!].*[^*!](?P=loud)$
    | ^[*.•·…xX_?#-]+$ | ^<[^<>]*>$ | ^\[[^\[\]]*\]$ | ^__\w+__$ | ^@@?\w+@@?$ | ^\(\w.*\)$ | ^%\(\w+$
    | [*•]{4} | \.{3} | … | <[A-Za-z][\w .-]*>
    | x{4,}$ | X{4,}$ | [0-9a-fA-F]{6}[xX]{3}$ | (?:(?<=^\w\w)|(?<=[-_]))[xX]{3}$
    | x{3}.*[^x]x{3} | X{3}.*[^X]X{3} | x{6} | X{6}
    | ^\[[A-Z][A-Z_ ]{2,30}(?:$|\](?=[&;,<\\]))
    | (?i:^(?:null|nil|none|undefined|true|false)$ | deadbeef | cafebabe | placeholder | redacted
        | change[-_ ]?(?:me|this|it) | \byour[-_ ]?\w | ^your | ^todo | ^fixme | replace[-_ ]?(?:me|this|with)
        | [-_]here$ | insert | fill[-_]in)
    """,
    re.VERBOSE,
)
_PLAIN = lazy_pattern(
    r"""
      (?i:true|false|yes|no|on|off|enabled?|disabled?|required|optional|auto|plain|md5|trust|scram-sha-256|sha256
        |bearer|basic|hs\d{3}|rs\d{3}|es\d{3})
    | -?\d{1,3} | /[\w./-]*/[\w.-]+ | \.{1,2}/\S* | ~/\S* | [A-Za-z]:\\\S*
    | [A-Za-z][\w+.-]*://(?:[^\s@:/]*@)?[^\s@]* | [\w.+-]+@[\w-]+\.[a-z]{2,}
    """,
    re.VERBOSE,
)
_OF_ADDRESS = lazy_pattern(r"(?i)(?:ur[il]|dsn)$")
_HOST_AND_PORT = lazy_pattern(r"[A-Za-z][\w.-]*:\d{2,5}(?:/[\w.-]*)?")  # what libraries take for a URL, too
_PROVIDER = lazy_pattern(
    r"""^(?: A[KS]IA[A-Z2-7]{16} | gh[pousr]_\w{36} | github_pat_\w{22} | glpat-[\w-]{20} | [sr]k_(?:live|test)_\w{16}
        | xox[abprs]-\d | eyJ[\w-]{8,}\.eyJ[\w-]{4,}\. | AIza[\w-]{35} | sk-[\w-]{20} | SG\.[\w-]{16} | npm_\w{36}
        | pypi-AgE | hf_[A-Za-z]{30} | dop_v1_ )""",
    re.VERBOSE,
)
_TYPED = lazy_pattern(r"[a-z]*(?:[A-Z][a-z]+|[AI](?=[A-Z]))*[A-Z]?|[A-Z]+[a-z]?")
# Of a provider's key: it is one all the same.
_ENVIRONMENT = lazy_pattern(r"^[a-z]{2,6}_(?:test|sandbox|demo)_(?=\w{16})")
_DIGITS, _SGITID = "12345678901234567890", "09876543210987654321"
# A word and a count, whatever the word: the first guesses of all.
_COUNTED = lazy_pattern(r"[a-z]{1,12}[_-]?123(?:4(?:5(?:6(?:7(?:8(?:90?)?)?)?)?)?)?|[a-z]{4,12}0{1,3}[1-9]")
_ROWS = "qwertyuiop qwertzuiop azertyuiop asdfghjkl zxcvbnm poiuytrewq lkjhgfdsa mnbvcxz"  # of keyboards
_WALK = 4  # keys
_REPEATED = lazy_pattern(r"(.{1,4})\1+|([a-z]{3,12})\2+")
_NAME_OF_ANOTHER = lazy_pattern(r"[A-Z]+(?:_[A-Z]+)+")
# Words that say of a value that it is for no server: `insecure_key_for_dev`.
_ADMITTED = frozenset(("insecure", "dev", "development", "local", "test", "testing", "unsafe", "demo", "dummy", "fake"))
# Before a last `token`, these make it something that every visitor is sent, or a place in a list.
_NO_CREDENTIAL = frozenset(
    ("csrf", "xsrf", "authenticity", "antiforgery", "next", "page", "continuation", "pagination")
)
_SHORT, _LONG = 20, 100  # characters: in longer values, words of three or six letters between marks turn up by chance
_TAIL = 4  # characters after the service's own name: `eclairpw`, `redis123`
_WORDLIKE = 8  # letters: a lower-case or an upper-case word up to this long falls to a dictionary
LEET = str.maketrans("01345@$!", "oieasasi")
_SIGNS = lazy_pattern(r"[0134@$!]")  # that stand for letters
_MIXED = lazy_pattern(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)(?=\w*\W)")
_DISGUISED = 14  # characters
_EDGE = "0123456789!@#$%^&*.,;:?+=~ _-"


@functools.lru_cache(maxsize=8192)
def key_words(key: str) -> tuple[str, ...]:
    """The words of a key in lower case: `dbPassword`, `DB_PASSWORD` and `db.password` are all `db password`."""
    return tuple(word.lower() for word in _WORD.findall(key))


@functools.lru_cache(maxsize=8192)
def is_credential_key(key: str) -> bool:  # noqa: C901, PLR0911 - one case after the other reads best
    """Whether a key names a credential itself, not something about one.

    True for `DB_PASSWORD`, `SECRET_KEY`, `apiKey`, `DATABASE_URL`; false for `PUBLIC_KEY`, `PASSWORD_MIN_LENGTH`,
    `TOKEN_EXPIRE_MINUTES`, `SECRET_NAME`, `FORGOT_PASSWORD`.
    """
    words = key_words(key)
    while words and (words[-1].isdigit() or words[-1] in {"b64", "base", "old", "new", "prod", "dev", "staging"}):
        words = words[:-1]
    if not words:
        return False
    *before, last = words
    if last == "dsn" or "".join(words[-2:]) in {"connectionstring", "connstr", "connstring", "connectionuri"}:
        return True
    if last in {"url", "uri"}:
        return bool(STORE_WORDS.intersection(before)) and not ABOUT_PREFIXES.intersection(before[:1])
    if last in {"key", "keys"}:
        if PUBLIC_WORDS.intersection(before[-1:]) or "public" in before or "publishable" in before:
            return False
        return bool(KEY_QUALIFIERS.intersection(before[-1:]) or {"secret", "private", "api"}.intersection(before))
    if last == "auth":
        return bool(before) and before[-1] not in {"use", "enable", "require", "no"}
    if last in ABOUT_SUFFIXES and last not in CREDENTIAL_WORDS:
        return False
    if last not in CREDENTIAL_WORDS:
        squeezed = "".join(words)
        return squeezed in CREDENTIAL_WORDS or last.endswith(("password", "passwd", "secret", "apikey", "passphrase"))
    first = {words[0], *key_words(key.rpartition(".")[2])[:1]}  # of the whole key, and of the last name in a dotted one
    if last == "tokens" or ABOUT_PREFIXES.intersection(first) - {"csrf", "update", "create"}:
        return False
    if last in {"pass", "pw", "pat", "otp", "jwt", "bearer"}:
        return not {"by", "first", "second", "single", "multi", "two"}.intersection(before)
    return not (last == "token" and _NO_CREDENTIAL.intersection(before))


def classify_value(key: str, value: str) -> ValueClass:  # noqa: C901, PLR0911 - as above
    """What a value is under its key. A URL with userinfo is what its password is, whatever its key.

    `${VAR:-default}` is what its default is where that is weak or live, because production falls back to it.
    """
    value = _unquoted(value)
    if not value or value.lower() in {"null", "nil", "none", "~", "undefined"}:
        return ValueClass.EMPTY
    if len(value) > LONGEST:
        return ValueClass.PLAIN
    if default := _DEFAULT.fullmatch(value):
        fallback = classify_value(key, default["default"])
        return fallback if fallback in {ValueClass.WEAK, ValueClass.LIVE} else ValueClass.REFERENCE
    if url := _URL.search(value):
        return _of_userinfo(url["user"], url["password"])
    if _PROVIDER.match(value) and not is_placeholder(value):
        return ValueClass.LIVE
    if is_reference(value):
        return ValueClass.REFERENCE
    if not is_credential_key(key):
        return ValueClass.PLAIN
    if is_placeholder(value) or _NAME_OF_ANOTHER.fullmatch(value):
        return ValueClass.PLACEHOLDER
    if _PLAIN.fullmatch(value) or (_OF_ADDRESS.search(key) and _HOST_AND_PORT.fullmatch(value)):
        return ValueClass.PLAIN
    if is_weak(value, key) or _falls_to_a_guess(key, value):
        return ValueClass.WEAK
    return ValueClass.LIVE


@functools.lru_cache(maxsize=16384)
def is_reference(value: str) -> bool:
    """Whether a value is filled in elsewhere: a variable, a template, a command, a vault path."""
    return bool(_REFERENCE.search(value))


def fallback(value: str) -> str:
    """What `${VAR:-default}` is where nothing sets the variable; any other value as it is."""
    default = _DEFAULT.fullmatch(value)
    return default["default"] if default else value


def asks_for_change(value: str) -> bool:
    """Whether a placeholder is one that would work all the same, and that everybody tries: `changeme`; not `<key>`."""
    return bool(_ASKS.search(value)) and is_placeholder(value) and not any(mark in value for mark in "<{[")


def is_chosen_key(key: str) -> bool:
    """Whether a key is of what a person may choose, as a password; tokens are mostly given out by somebody else."""
    return bool(_CHOSEN.search(key))


def is_bare_address(value: str) -> bool:
    """Whether a value is a URL of a host and little else: `redis://cache:6379/0`, no user, query or long path."""
    return bool(_ADDRESS.fullmatch(value))


def is_said(value: str, others: Iterable[str]) -> bool:
    """Whether a value is what other settings say, with nothing but guesses around it: user `fief`, `fiefpassword`."""
    lowered = value.lower()
    said = {each.strip().lower() for each in others}
    if lowered in said:
        return True
    rests = (lowered.replace(each, "") for each in said if len(each) > 3 and each in lowered)  # noqa: PLR2004 - shorter words turn up by chance
    return any(is_weak(re.sub(r"[^a-z0-9]", "", rest)) for rest in rests)


def is_stand_in(value: str) -> bool:
    """Whether a value is a placeholder that no program could use: `<key>`, `changeme`; not `my-secret-token`."""
    return any(_is_typed(match[0]) for match in _STAND_IN.finditer(value))


@functools.lru_cache(maxsize=16384)
def is_placeholder(value: str) -> bool:
    """Whether a value only stands where a credential should go."""
    value = _ENVIRONMENT.sub("", value)
    if any(_is_typed(match[0]) for match in _PLACEHOLDER.finditer(value)):
        return True
    pieces = [word for word in re.split(r"[^A-Za-z0-9]+", value) if word]
    longer = 0 if len(value) <= _SHORT else 3 if len(value) <= _LONG else 6
    if any(len(word) > longer and word.lower() in PLACEHOLDER_WORDS and _is_typed(word) for word in pieces):
        return True
    words = key_words(value)
    if not value.isalpha() or len(value) < 3 * len(words):  # random letters change case all the time
        return False
    return any(word in PLACEHOLDER_WORDS for word in words if len(word) > 3)  # noqa: PLR2004 - shorter words turn up in random letters


def _is_typed(text: str) -> bool:
    """Whether words are written as people write them: `yoUr` is a stretch of random letters."""
    return all(_TYPED.fullmatch(word) for word in re.findall(r"[A-Za-z]+", text))


class Weakness(enum.Enum):
    """What makes a value guessable."""

    __hash__ = object.__hash__  # as `How`'s

    SHORT = "short"  # or of one or two characters again and again
    LISTED = "listed"  # what everybody tries first
    DIGITS = "digits"
    OWN = "own"  # the same as its key or user
    COUNTED = "counted"  # a word and 123
    WORD = "word"  # a common one, with leet or marks around it
    RUN = "run"  # `abcdef`, `qwerty`, `abcabc`
    WORDS = "words"  # several in a row


def is_weak(value: str, key: str = "", user: str = "") -> bool:
    """Whether a value is guessable: too short, made of common words and digits, or the same as its key or user."""
    return weakness(value, key, user) is not None


@functools.lru_cache(maxsize=16384)
def weakness(value: str, key: str = "", user: str = "") -> Weakness | None:
    """What makes a value guessable, if it is."""
    lowered = value.lower().strip()
    if lowered in WEAK_VALUES:
        return Weakness.LISTED
    if len(lowered) < SHORTEST or len(set(lowered)) <= 2:  # noqa: PLR2004 - `abab`, `1111`
        return Weakness.SHORT
    if lowered.isdigit():
        few = len(lowered) < _DIALLED or len(set(lowered)) < SHORTEST
        return Weakness.DIGITS if few or _is_run(lowered) else None
    bare = re.sub(r"[^a-z0-9]", "", lowered)
    own = {re.sub(r"[^a-z0-9]", "", each.lower()) for each in (key, user) if each}
    if bare in own or bare.rstrip("0123456789") in own - {""}:
        return Weakness.OWN
    if _COUNTED.fullmatch(lowered):
        return Weakness.COUNTED
    named = {word for each in (key, user) for word in key_words(each) if len(word) > 2}  # noqa: PLR2004 - as a whole value
    forms = [lowered.strip(_EDGE)]
    if not _is_disguised(value):
        forms += [forms[0].translate(LEET), lowered.translate(LEET).strip(_EDGE)]
    return _of_words(forms, own, named) or (Weakness.WORDS if _are_words(key_words(value)) else None)


def _of_words(forms: Sequence[str], own: Container[str], named: Container[str]) -> Weakness | None:
    """What makes a value guessable where one of its forms is made of words: without marks around it, or leet read."""
    if not forms[0] or forms[0] in WEAK_VALUES:
        return Weakness.WORD
    for form in forms:
        if form in WEAK_WORDS or form in own:
            return Weakness.WORD
        if _is_run(form):
            return Weakness.RUN
        if _are_words(re.findall(r"[a-z]+|[^a-z\W_]+", form), named):
            return Weakness.WORDS
    return None


def _are_words(pieces: Sequence[str], named: Container[str] = ()) -> bool:
    """Whether all pieces are words, a name's own among them, or dates; three of a letter or two are hexadecimal."""
    if sum(len(piece) < 3 and piece.isalpha() for piece in pieces) > 2:  # noqa: PLR2004 - as said above
        return False
    return all(
        _made_of_words(piece) or piece in named or (piece.isdigit() and len(piece) <= 6)  # noqa: PLR2004 - a date
        for piece in pieces
    )


def _is_disguised(value: str) -> bool:
    """Whether words are disguised as rules for passwords want it, too much for a first guess: `W0rk1ngH@rd2024#`."""
    inner = value.strip(_EDGE)
    return len(value) >= _DISGUISED and len(_SIGNS.findall(inner)) > 1 and bool(_MIXED.match(value))


def _falls_to_a_guess(key: str, value: str) -> bool:
    """Whether somebody who knows the service would guess a value: too strict for a scanner, right for a server."""
    if value.isalpha() and len(value) <= _WORDLIKE and (value.islower() or value.isupper()):
        return True
    return is_own_word(key, value) or is_admitted(value)


def is_own_word(key: str, value: str) -> bool:
    """Whether a value is the service's own name with little after it: `ECLAIR_PASS=eclairpw`."""
    bare = re.sub(r"[^a-z0-9]", "", value.lower())
    return any(
        bare.startswith(word) and len(bare) - len(word) <= _TAIL
        for word in key_words(key)[:-1]
        if len(word) > 3  # noqa: PLR2004 - shorter words start anything
    )


def is_admitted(value: str) -> bool:
    """Whether a value says itself that it is for no server: `insecure_key_for_dev`."""
    words = re.split(r"[\W_]+", value.lower())
    return all(map(str.isalpha, words)) and not _ADMITTED.isdisjoint(words)


def _of_userinfo(user: str, password: str) -> ValueClass:
    if "%" in password:
        from urllib.parse import unquote

        password = unquote(password)
    if not password:
        return ValueClass.EMPTY
    if is_reference(password):
        return ValueClass.REFERENCE
    if is_placeholder(password) or (
        password.lower() in {"pass", "password", "pwd", "secret", "token", "key", "pw"}
        and (user.lower() in {"user", "username", "name", "login", "u", "usr", "usuario"})
    ):
        return ValueClass.PLACEHOLDER
    return ValueClass.WEAK if is_weak(password, "", user) else ValueClass.LIVE


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].strip()
    return value


def _is_run(text: str) -> bool:
    """Whether characters follow each other: `12345678`, `abcdef`, `87654321`, or one short piece repeated."""
    if len(text) > 1 and not -1 <= ord(text[1]) - ord(text[0]) <= 1:  # most values
        walk = len(text) >= _WALK and text in _ROWS
        return text in _DIGITS or text in _SGITID or walk or bool(_REPEATED.fullmatch(text))
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(text)}
    return steps <= {0, 1} or steps <= {0, -1} or text in _DIGITS or bool(_REPEATED.fullmatch(text))


@functools.lru_cache(maxsize=4096)
def _made_of_words(text: str) -> bool:
    """Whether a lower-case piece is a common word or two or more of them in a row."""
    if text in WEAK_WORDS or text in PLACEHOLDER_WORDS:
        return True
    if not 6 <= len(text) <= 40:  # noqa: PLR2004 - shorter ones are split by chance
        return False
    reached, starts = {0}, [0]  # where prefixes end that are words in a row; mostly the first is none
    while starts:
        start = starts.pop()
        for end in range(start + 2, min(start + 14, len(text)) + 1):
            if end not in reached and text[start:end] in _LONG_WORDS:
                reached.add(end)
                starts.append(end)
    return len(text) in reached


_LONG_WORDS = frozenset(
    word
    for word in WEAK_WORDS | PLACEHOLDER_WORDS
    if len(word) > 2 or word in {"my", "is", "no", "me", "db", "to", "be"}  # noqa: PLR2004
)
