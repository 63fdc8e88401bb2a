"""What can be said about a candidate without knowing the answer: the features that the score weighs."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterator

from hardenctl.detect.secrets.candidate import Candidate, How
from hardenctl.detect.secrets.filters import is_own_name
from hardenctl.detect.secrets.guessable import guesses
from hardenctl.detect.secrets.language import Setting, quoting, setting
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.text import DIGITS, LOWER, UPPER
from hardenctl.rules.secrets.letters import cost
from hardenctl.rules.secrets.values import is_credential_key, key_words
from hardenctl.rules.secrets.words import ABOUT_SUFFIXES, WEAK_WORDS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KINDS = (
    ("password", _words("password passwd pass pwd passphrase passwort pw psw senha passcode storepass keypass psk")),
    ("secret", _words("secret secrets clientsecret appsecret")),
    ("token", _words("token tokens jwt bearer accesstoken authtoken session sessionid")),
    ("key", _words("key keys apikey secretkey privatekey nkey accesskey")),
    ("auth", _words("auth authorization basic credential credentials creds authentication")),
    ("otp", _words("otp totp hotp code pin seed salt nonce")),
)
_AGAIN = _words(
    "confirmation confirm repeat again"
)  # `password_confirmation`, as `password2`, holds what `password` does
_LENGTHS = (5, 7, 9, 12, 15, 20, 31, 39, 64, 128)  # characters: the upper ends of the ranges that are told apart
_HEX = lazy_pattern(r"(?:0x)?[0-9a-fA-F]+")
_BASE64 = lazy_pattern(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_UUID = lazy_pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IDENTIFIER = lazy_pattern(r"[A-Za-z_$][\w$]*")
_DOTTED = lazy_pattern(r"[A-Za-z_$][\w$-]*(?:(?:\.|::|->|/|:)[A-Za-z_$*][\w$-]*)+(?:\(\))?")
_CALL = lazy_pattern(r"\w[\[(]|[\])]$|=>|->|\$\w|\{\w|%\w\b|::")
_CAMEL = lazy_pattern(r"[a-z]+(?:[A-Z][a-z]+)+[0-9]?|(?:[A-Z][a-z]+){2,}[0-9]?")
_CONSTANT = lazy_pattern(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_SNAKE = lazy_pattern(r"[a-z]+\d{0,3}(?:[_-](?:[a-z]+\d{0,3}|\d+))+")
_FILE = lazy_pattern(
    r"[\w./\\-]*\.(?:pem|key|crt|json|ya?ml|txt|py|js|ts|html?|env|php|java|rb|go|sh|conf|cfg|ini|xml|jks|p12|pub|db|md"
    r"|com|org|net|io)\b",
    re.IGNORECASE,
)
_DATE = lazy_pattern(r"\d{4}-\d\d-\d\d|\d\d:\d\d|\d+(?:\.\d+){1,3}")
_COMMENT = lazy_pattern(r"^\s*(?:#|//|\*|/\*|<!--|--|;|%|rem )", re.IGNORECASE)
_RUNS = lazy_pattern(r"[a-z]+|[A-Z]+|[0-9]+|[^A-Za-z0-9]+")
_LETTERS = lazy_pattern(r"[a-z]{2,}")
_DIGITS = lazy_pattern(r"(?=[a-fA-F]*[0-9])[0-9a-fA-F]{16,}")
_FEW = 0.4  # of a value's characters: where letters beside each other are fewer, there are no words to tell
# What a provider writes in front of a random key: `sk_test_`, `t-`.
_LABEL = lazy_pattern(
    r"(?:(?:[A-Za-z]{1,8}[_-]){1,2}(?=(?:[^\W\d]*\d){3})|(?:[a-z]{2,6}_)?(?:test|live|prod|sandbox|demo)_)(?=[\w-]{16,}\Z)"
)
_DIGEST_KEY = lazy_pattern(
    r"sha|md5|hash|digest|checksum|integrity|etag|fingerprint|commit|revision|signature", re.IGNORECASE
)


def entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    total = len(value)
    return -sum(count / total * math.log2(count / total) for count in Counter(value).values()) if total else 0.0


def strangeness(value: str) -> float:
    """The mean cost of a value's runs of letters, weighed by their length; 0 where it has none, or few among digits."""
    runs = _LETTERS.findall(value.lower())
    total = sum(map(len, runs))
    few = value.isalnum() and (total <= _FEW * len(value) or bool(_DIGITS.fullmatch(value)))
    return 0.0 if few or not total else sum(cost(run) * len(run) for run in runs) / total


def _unlabelled(value: str) -> str:
    label = _LABEL.match(value)
    return value[label.end() :] if label else value


def features(candidate: Candidate, text: str, path: str, *, near: bool = False) -> frozenset[str]:
    """The names of what holds of a candidate; `near`: without what takes a search through the whole text."""
    own = _own(candidate.how, candidate.key, candidate.value, candidate.user)
    return own.union(guesses(candidate), _of_place(candidate, text, path, near=near))


@functools.lru_cache(maxsize=4096)  # versions of a file say the same again and again
def _own(how: How, key: str, value: str, user: str) -> frozenset[str]:
    return frozenset({f"how:{how.value}"}) | _of_key(key) | _of_shape(value) | _of_words(value, key, user)


@functools.lru_cache(maxsize=4096)
def _of_key(key: str) -> frozenset[str]:
    return frozenset(_features_of_key(key))


def _features_of_key(key: str) -> Iterator[str]:  # noqa: C901 - a list of features
    words = key_words(key)
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in _AGAIN):
        words = words[:-1]
    names = set(words)
    last = words[-1] if words else ""
    if is_credential_key(key):
        yield "key:credential"
    for kind, members in _KINDS:
        if last in members or "".join(words[-2:]) in members:
            yield f"key:{kind}"
            break
    else:
        yield "key:other"
    if len(words) == 1:
        yield "key:one-word"
    if last in ABOUT_SUFFIXES:
        yield "key:about"
    if names & {"public", "primary", "foreign", "name", "id", "path", "file", "url", "type", "header", "field"}:
        yield "key:harmless-word"
    if names & {"api", "access", "client", "private", "secret"}:
        yield "key:qualified"
    if _DIGEST_KEY.search(key):
        yield "key:digest"
    if " " in key:
        yield "key:spaces"


@functools.lru_cache(maxsize=4096)
def _of_shape(value: str) -> frozenset[str]:
    return frozenset(_features_of_shape(value))


def _features_of_shape(value: str) -> Iterator[str]:
    length = len(value)
    yield f"length:{next((limit for limit in _LENGTHS if length <= limit), 'more')}"
    characters = set(value)
    classes = {
        "lower": not characters.isdisjoint(LOWER),
        "upper": not characters.isdisjoint(UPPER),
        "digit": not characters.isdisjoint(DIGITS),
        "symbol": not value.isalnum(),
    }
    yield "classes:" + "+".join(name for name, holds in classes.items() if holds)
    bits = entropy(value)
    yield f"entropy:{min(5, int(bits * 2) / 2)}"
    changes = len(_RUNS.findall(value)) - 1
    yield f"changes:{min(9, int(10 * changes / max(1, length - 1)))}"
    if _HEX.fullmatch(value):
        yield "shape:hex"
        yield f"hex:{length if length in {32, 40, 64, 128} else 'other'}"
    elif _BASE64.fullmatch(value) and classes["digit"] and classes["upper"] and classes["lower"]:
        yield "shape:base64"
    for name, holds in (
        ("uuid", _UUID.fullmatch(value)),
        ("identifier", _IDENTIFIER.fullmatch(value)),
        ("dotted", _DOTTED.fullmatch(value)),
        ("code", _CALL.search(value)),
        ("camel", _CAMEL.fullmatch(value)),
        ("constant", _CONSTANT.fullmatch(value)),
        ("snake", _SNAKE.fullmatch(value)),
        ("file", _FILE.search(value)),
        ("date", _DATE.fullmatch(value)),
        ("space", " " in value),
        ("colon", ":" in value),
        ("slash", "/" in value),
        ("comma", "," in value),
        ("angle", "<" in value or ">" in value),
        ("backslash", "\\" in value),
        ("non-ascii", not value.isascii()),
        ("lead-slash", value[0] in "/.#&"),
        ("padding", value.endswith("=")),
        ("trailing-digits", value[-1].isdigit() and value.rstrip("0123456789").isalpha()),
        ("email", "@" in value and "." in value.partition("@")[2]),
        ("url", "://" in value),
        ("json", value[0] in "{["),
    ):
        if holds:
            yield f"shape:{name}"


@functools.lru_cache(maxsize=4096)
def _of_words(value: str, key: str, user: str) -> frozenset[str]:
    return frozenset(_features_of_words(value, key, user))


def _features_of_words(value: str, key: str, user: str) -> Iterator[str]:
    body = _unlabelled(value)
    strange = strangeness(body)
    yield "letters:none" if not strange else f"letters:{min(8, max(3, int(strange * 2) / 2))}"
    if any(len(part) > 2 and part in WEAK_WORDS for part in key_words(body)):  # noqa: PLR2004 - two turn up by chance
        yield "words:common"
    squeezed = re.sub(r"[\W_]", "", value).lower()
    key = re.sub(r"[\W_]", "", key).lower()
    if squeezed and (squeezed in key or key in squeezed):
        yield "words:like-key"
    if user and squeezed == user.lower():
        yield "words:like-user"


def _of_place(candidate: Candidate, text: str, path: str, *, near: bool) -> Iterator[str]:
    language = quoting(path)
    yield f"quote:{'bare' if not candidate.quote else 'quoted'}:{language.value}"
    where = setting(path)
    for flag in (Setting.TEST, Setting.EXAMPLE, Setting.DOCUMENT, Setting.GENERATED, Setting.TRANSLATION):
        if flag in where:
            yield f"path:{(flag.name or '').lower()}"
    if not near and is_own_name(candidate, text):
        yield "weak:own-name"
    start = text.rfind("\n", max(0, candidate.start - 300), candidate.start) + 1
    before = text[max(start, candidate.start - 300) : candidate.start]
    if _COMMENT.match(before):
        yield "line:comment"
    after = text[candidate.end : candidate.end + 12]
    if after.lstrip("\"'`").lstrip().startswith(("+", ".", "%", "(")):
        yield "after:expression"
    if after[:1] == "(" or after[:2] == '["':
        yield "after:call"
    if len(before) >= 290:  # noqa: PLR2004 - the window is full: a very long line
        yield "line:long"
