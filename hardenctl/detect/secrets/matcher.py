"""The matcher: which rules can match a text at all, and where assignments and headers are.

Two engines give the same answer: hyperscan over the whole buffer, and `re` where hyperscan is not installed or where
loading it would cost more than it saves. Both use the same expressions, which therefore have no look-around.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from hardenctl.detect.secrets.cache import database
from hardenctl.model.record import record

if TYPE_CHECKING:  # the first look does without the rules
    from hardenctl.rules.secrets.declare import SecretRule

# Loading hyperscan and its database takes about 25 ms; `re` needs about 60 ms for a megabyte.
SMALL = 20_000  # bytes that `re` scans in one process before hyperscan is worth its loading


class Anchor(enum.IntEnum):
    """Where the parsers of `assign` start. The offset is that of the anchor's last character."""

    ASSIGN = 0  # a credential word, then `:`, `=` or `>`; or `,`, `(` or `{` and the start of what holds a string
    FLAG = 1  # `--password value`, `ENV KEY value`, `PASSWORD 'value'`
    USERINFO = 2  # `://user:password@`
    SCHEME = 3  # `Bearer value`, `Basic value`
    PAIR = 4  # `name: KEY` and then `value: ...`
    ARMOUR = 5  # the first line of a PEM or PGP block
    LETTER = 6  # `-u user:value`, `-p value`
    CALL = 7  # the bracket after a name that `calls` knows
    STREAM = 8  # `--password-stdin`, `chpasswd`, `sudo -S`: what is read from a pipe; `ada@example.org:value`
    ROWS = 9  # `VALUES (`
    PHRASE = 10  # `password is value`, `"password" with "value"`, `("password").type("value"`


# A credential word: where one stands before an operator, an assignment is parsed.
_WORDS = "pass|pwd|passwd|secret|token|key|auth|cred|jwt|otp|dsn|pw|psw|psk|senha|mdp"
# In a key, some are one anywhere, others as a word of their own alone: two in three assignments are of `shipping`,
# `assigned`, `taxCode` or `keyword`, which `filters.names_nothing` refuses after twenty times the work.
_ANYWHERE = "pass|pwd|secret|token|auth|cred|jwt|dsn|pw|psw|psk|senha|mdp|session|cookie|salt|nonce|seed|decode"
_ALONE = "pepper|pin|sid|sig|otp|totp|hotp|api|conn|connection|signature"
_CODES = "access|verification|verify|invite|security|activation"  # what makes a `code` one
_REST = r"[\w.$-]{0,40}"  # of a key
_BREAK = rf"(?:[A-Z0-9_.$-]{_REST})?"  # the rest where a word has ended that is lower-case or a title
_BREAK_UPPER = rf"(?:[0-9_.$-]{_REST}|[A-Z][a-z]{_REST})?"
_KEY = (
    rf"(?:(?i:(?:{_ANYWHERE}){_REST}|(?:{_CODES})[\w.$-]{{0,30}}codes?)|[kK]eys?{_BREAK}|KEYS?{_BREAK_UPPER}"
    rf"|(?:(?:\b|[_0-9])(?:{_ALONE})|{_ALONE.title()}){_BREAK}|(?:\b|[a-z_0-9])(?:{_ALONE.upper()}){_BREAK_UPPER})"
)
# Calls whose argument is the credential by its place, as `calls` knows them: what follows may be no string.
_PLACED = (
    r"auth|log_?in|sign_?in|credentials?|authenticator|simple_bind(?:_s)?|(?:pw|password)_set|conn(?:ect(?:ion)?)?"
    r"|mysqli?|pdo|(?:jwt|token|jose)\.(?:sign|verify|encode|decode)|hmac(?:\.new)?|fernet|authenticate"
    r"|create_?(?:super_?)?user|username_?password(?:_?authentication)?_?token|password_?authentication"
)
_CLOSING = r"(?:\\{0,3}[\"'`]|\[[0-9]{0,4}\]|\]|\?|!|\*\*){0,3}"  # behind a key

EXPRESSIONS: dict[Anchor, str] = {
    Anchor.ASSIGN: rf"{_KEY}{_CLOSING}(?:[ \t]{{1,9}}(?i:as[ \t]{{1,9}})?(?i:string|\[\]byte))?[ \t]{{0,40}}"
    # After a comma and a bracket only what may hold a string: four in five are followed by a name.
    r"(?:[?!]?[:=>|]|<-|\??[,(][ \t]*(?:[\"'`\\\[@brf]|<<\"|\r?\n[ \t]*\\?[\"']|default|new |value)|\??\{[ \t]*[\"'])",
    Anchor.CALL: rf"(?i)(?:{_PLACED}){_CLOSING}[ \t]{{0,40}}\(",
    Anchor.FLAG: rf"(?i)(?:--?[\w-]{{0,30}}(?:{_WORDS})[\w-]{{0,30}}"
    rf"|\b(?:env|arg|set|setx|export|setenv)(?:[ \t]{{1,4}}-\w{{1,4}})?[ \t]{{1,4}}\w{{0,30}}(?:{_WORDS})\w{{0,30}}"
    r"|--(?:proxy-)?user|password|identified(?: with \w{1,40})? by|passwd|requirepass|masterauth|securestring)"
    r"[ \t]{1,8}[!-,./0-9;<>-~]"
    r"|securestring(?:[ \t]{1,4}-(?:string|asplaintext|force)){1,2}[ \t]{1,4}[\"']"
    rf"|(?:{_WORDS})\w{{0,20}}[ \t]{{1,8}}[\"']",
    Anchor.USERINFO: r"://[!#-&(-.0-9;=?A-_a-~]{0,100}:[!#-&(-;=?A-_a-~]{1,200}@"
    r"|(?:thin:|sqlplus[ \t][!#-&(-.0-9;=?A-_a-~ ]{0,40})[A-Za-z0-9_]{1,40}/[!#-&(-.0-9;=?A-_a-~]{1,100}@",
    Anchor.SCHEME: r"(?i)\b(?:bearer|basic|token|apikey|splunk)[ \t]{1,4}[\w+/=.~-]{7}",
    Anchor.PAIR: rf"(?i)(?:{_WORDS})[\w.-]{{0,40}}(?:"
    r"\\{0,2}[\"']?[,\s]{1,60}\\{0,2}[\"']?(?:value|content)\\{0,2}[\"']?[ \t]{0,4}[:=]"
    r"|</(?:key|name)>\s{0,60}<(?:string|value)>|\"[ \t]{0,4}\{|[\"'][ \t]{0,4}/?>)",
    Anchor.ARMOUR: r"-----BEGIN[ A-Z0-9]{0,40} KEY(?: BLOCK)?-----",
    Anchor.LETTER: r"(?i)\B-[upaw][ \t]{0,8}[!-,./0-9;<>-~]",
    Anchor.STREAM: r"(?i)--password-stdin\b|--with-token\b|--stdin\b|\bchpasswd\b|\bsudo[ \t]{1,3}-k?S\b"
    r"|\bnet[ \t]{1,3}user\b|@[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,40}){1,3}:[!-~]"
    r"|\buser_[\w.-]{1,40}[ \t]{0,2}=[ \t]{0,2}\"",
    Anchor.ROWS: r"(?i)\bvalues\s{0,9}\(",
    Anchor.PHRASE: r"(?i)(?:pass(?:word|wd|phrase|code)|pwd|secret|token|key)"
    r"(?:[ \t]{1,3}(?:is|was)[ \t]{0,2}:?[ \t]{1,3}[!-9;-~]"
    r"|[\"']?[)\]]{0,2}(?:\.(?:type|fill|send_?keys|setvalue)\(|,[ \t]{0,3}with(?::|[ \t]=>)[ \t]{0,3}"
    r"|[ \t]{1,3}(?:with|as)[ \t]{1,3})[\"'])",
}


_KINDS = tuple(Anchor)


@record
class Match:
    """What the matcher says about one text. `anchors` are sorted (offset, kind) pairs, offsets in characters."""

    rules: tuple[SecretRule, ...]
    anchors: tuple[tuple[int, Anchor], ...]


_NOTHING = Match((), ())
_BITS = 16  # of a number that says an end and an expression
_MASK = (1 << _BITS) - 1


class Engine(Protocol):
    """Finds out which expressions match, and where anchors end."""

    def match(self, text: str, data: bytes) -> Match:
        """`data` is `text` in UTF-8."""
        ...


@record(slots=False, frozen=False)
class ReEngine:
    """The pure-Python engine: a rule's expression is only tried where one of its keywords is."""

    rules: Sequence[SecretRule]

    def match(self, text: str, data: bytes) -> Match:
        """As `Engine.match`."""
        del data
        found = tuple(
            each for each in self.rules if any(word in text for word in each.keywords) and each.regex.search(text)
        )
        return Match(found, anchors(text))


# What every match of an expression starts with, in lower case: where `re` needs to look. Ten times faster than letting
# it try each position, because a plain search for a literal is.
_STARTS: dict[Anchor, tuple[str, ...]] = {
    Anchor.ASSIGN: (*f"{_ANYWHERE}|{_CODES}|key".split("|"), *_ALONE.split("|")),
    Anchor.CALL: (
        *("auth", "log", "sign", "credential", "simple_bind", "pw_set", "password_set", "conn", "mysql", "pdo"),
        *("jwt.", "token.", "jose.", "hmac", "fernet", "create", "username", "password"),
    ),
    Anchor.FLAG: (
        *("-", "env", "arg", "set", "export", "identified", "requirepass", "masterauth", "securestring"),
        *_WORDS.split("|"),
    ),
    Anchor.USERINFO: ("://", "thin:", "sqlplus"),
    Anchor.SCHEME: ("bearer", "basic", "token", "apikey", "splunk"),
    Anchor.PAIR: tuple(_WORDS.split("|")),
    Anchor.ARMOUR: ("-----begin",),
    Anchor.LETTER: ("-u", "-p", "-a", "-w"),
    Anchor.STREAM: ("--password-stdin", "--with-token", "--stdin", "chpasswd", "sudo", "net", "@", "user_"),
    Anchor.ROWS: ("values",),
    Anchor.PHRASE: ("pass", "pwd", "secret", "token", "key"),
}
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


# One of these, in lower case, stands in every match besides: most files hold a `-`, and few of them a flag.
_NEEDED: dict[Anchor, tuple[str, ...]] = {
    Anchor.FLAG: (*_WORDS.split("|"), "-user", "identified", "securestring"),
    Anchor.USERINFO: ("@",),
}


@functools.cache
def _compiled(anchor: Anchor) -> re.Pattern[str]:
    """One expression, compiled when it is first needed: half a millisecond each."""
    return re.compile(EXPRESSIONS[anchor], re.ASCII)


@functools.lru_cache(maxsize=1)  # the first look and the pipeline ask one after the other
def anchors(text: str) -> tuple[tuple[int, Anchor], ...]:
    """The anchors of a text, as `Match` has them."""
    # `lower()` of some other letters changes their number, and with it every offset after them.
    lowered = text.lower() if text.isascii() else text.translate(_ASCII_LOWER)
    places: dict[str, list[int]] = {}
    found: set[tuple[int, Anchor]] = set()
    alone = frozenset(_ALONE.split("|"))
    for anchor, starts in _STARTS.items():
        if anchor in _NEEDED and not any(word in lowered for word in _NEEDED[anchor]):
            continue
        for start in starts:
            if start not in places:
                places[start] = list(_places(lowered, start))
            if not places[start]:
                continue
            match_at = _compiled(anchor).match
            for at in places[start]:
                if match := match_at(text, at):
                    found.add((match.end() - 1, anchor))
                # What stands alone may start with the character before.
                if at and start in alone and anchor is Anchor.ASSIGN and (match := match_at(text, at - 1)):
                    found.add((match.end() - 1, anchor))
    return tuple(sorted(found))


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


@record(slots=False, frozen=False)
class HyperscanEngine:
    """The fast engine. `database` is a compiled block-mode database whose ids are anchors, then rule indexes."""

    rules: Sequence[SecretRule]
    database: Any

    def match(self, text: str, data: bytes) -> Match:
        """As `Engine.match`."""
        events: list[int] = []  # an end and an expression in one number: half the time of tuples
        add = events.append

        def on_match(expression: int, _start: int, end: int, _flags: int, _context: object) -> None:
            add(end << _BITS | expression)

        self.database.scan(data, match_event_handler=on_match)
        if not events:
            return _NOTHING
        found = sorted({event & _MASK for event in events})
        rules = tuple([self.rules[each - len(_KINDS)] for each in found if each >= len(_KINDS)])
        ends = sorted({*events})
        if rules:
            ends = [event for event in ends if event & _MASK < len(_KINDS)]
        if len(text) != len(data):
            ends = _to_characters(ends, data)
        return Match(rules, tuple([((event >> _BITS) - 1, _KINDS[event & _MASK]) for event in ends]))


def _to_characters(ends: Iterable[int], data: bytes) -> list[int]:
    """Byte offsets as character offsets, in one pass. Anchors end in ASCII, so no offset splits a character."""
    converted, position, characters = [], 0, 0
    for event in ends:
        end = event >> _BITS
        part = data[position:end]
        characters += len(part) if part.isascii() else len(part.decode("utf-8", "ignore"))
        position = end
        converted.append(characters << _BITS | event & _MASK)
    return converted


_SINGLE_MATCH = 8  # HS_FLAG_SINGLEMATCH: whether a rule matches at all; where, `re` says


def hyperscan_engine(rules: Sequence[SecretRule]) -> HyperscanEngine:
    """The fast engine for these rules. Raises ImportError where hyperscan is not installed."""
    expressions = [(EXPRESSIONS[kind], 0) for kind in _KINDS]
    expressions += [(each.pattern, _SINGLE_MATCH) for each in rules]
    return HyperscanEngine(rules, database(expressions))


@record(slots=False, frozen=False)
class Matcher:
    """Chooses the engine: `re` for the first `budget` bytes of a process, hyperscan for the rest."""

    rules: Sequence[SecretRule]
    budget: int = SMALL
    engine: Engine | None = None
    settled: bool = False

    def match(self, text: str, data: bytes | None = None) -> Match:
        """Which rules match in a text, and its anchors. `data` is the text in UTF-8, where it is there already."""
        if data is None:
            data = text.encode("utf-8", "surrogatepass")
        self.budget -= len(data)
        if self.engine is None or (self.budget < 0 and not self.settled):
            self.engine = self._choose()
        return self.engine.match(text, data)

    def prepare(self) -> None:
        """Choose the engine for much text now: what is loaded here, processes forked from this one have."""
        self.budget = -1
        if not self.settled:
            self.engine = self._choose()

    def _choose(self) -> Engine:
        if self.budget >= 0:
            return ReEngine(self.rules)
        self.settled = True
        try:
            return hyperscan_engine(self.rules)
        except ImportError:
            return ReEngine(self.rules)
