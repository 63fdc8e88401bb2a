"""From anchors to candidates: the exact span of a value, its key, and how it was assigned.

Everything here works on a bounded window around an anchor, so that a line of megabytes costs no more than its anchors.
"""

from __future__ import annotations

import base64
import binascii
import enum
import re
from collections.abc import Iterable

from hardenctl.detect.secrets.language import Quoting
from hardenctl.detect.secrets.matcher import Anchor
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import field, record

BEHIND = 160  # characters before an operator in which its key is looked for
LONGEST = 6000  # characters of a value: an encoded service account has 3,200
DEEPEST = 16  # anchors looked at within one value


class How(enum.Enum):
    """How a value came to its key."""

    ASSIGNED = "assigned"  # `key = "value"`, `key: value`
    COMPARED = "compared"  # `key == "value"`
    ARGUMENT = "argument"  # `put("key", "value")`, `("key", "value")`
    CALL = "call"  # `setKey("value")`
    ELEMENT = "element"  # `<key>value</key>`
    PAIR = "pair"  # `name: KEY` and then `value: ...`
    FLAG = "flag"  # `--key value`, `ENV KEY value`, `PASSWORD 'value'`
    INLINE = "inline"  # within a string: `user=a;password=b`, `?token=...`
    USERINFO = "userinfo"  # `://user:value@`
    SCHEME = "scheme"  # `Bearer value`
    BASIC = "basic"  # `Basic value`, decoded


@record
class Candidate:
    """A value that could be a credential. `quote` is the quotation mark around it, empty for none."""

    start: int
    end: int
    value: str = field(repr=False)
    key: str
    how: How
    quote: str = ""
    user: str = ""  # the user beside a password, where it is known


# Read backwards from an operator: a key, perhaps with an index or a call after it.
_LIAT = lazy_pattern(r"[ \t?!\])]{0,44}(?:\][^\[\]\n]{1,64}\[)?([\w.$@-]{1,90})", re.ASCII)
_QUOTED_KEY = lazy_pattern(r"[ \t?!\])]{0,44}([\"'`])\\{0,3}")
_OPERATOR = lazy_pattern(
    r"(?P<op>===?|!==?|=>|=~|:=|::?=?|\?=|=|,|\(|>)[ \t]*"
    # `name: type = value`
    r"(?:(?:typing\.)?(?:Optional|Final|Annotated|ClassVar|Union|SecretStr|str|string|String\??|bytes|Any|&'static str"
    r"|&str|\[\]byte)(?:\[[^\]\n]{0,40}\])?(?:\s*\|\s*\w+)?\??[ \t]*=(?!=)[ \t]*)?",
    re.ASCII,
)
# Calls whose only argument is the value itself; the name is bounded, else `key:key:key:...` costs its length squared.
_WRAPPER = lazy_pattern(
    r"(?:\(\s*)?(?:new\s+)?(?:[\w.:]{0,60}(?:SecretStr|Secret|Some|String|str|bytes|bytearray|from|fromString|of|encode|decode"
    r"|b64decode|Field|Buffer|to_bytes|to_string|toBytes|getBytes|SymmetricSecurityKey|SigningCredentials|Credential"
    r"|[Pp]assword|value|literal|unsafe|parse|raw)|\[\]byte|@?array|char\[\])\s*\(\s*(?:default\s*=\s*)?",
    re.ASCII,
)
# Look-ups whose second argument, or what stands after `||`, is the value used where there is nothing to look up.
_LOOKUP = lazy_pattern(
    r"[\w.:>$-]{1,60}[\[(]\s*[\"'][\w.\-/:]{1,80}[\"']\s*\)\s*(?:\|\||\?\?|\?:|or)\s*"
    r"|(?!\S{0,60}(?:push|append|add|open|replace|insert|emit|Error|Exception|Field|Column)\()"
    r"[\w.:>$-]{1,60}[\[(]\s*[\"'][\w.\-/:]{1,80}[\"']\s*,\s*(?:default(?:_value)?\s*[=:]\s*)?"
    r"|[\w.>$\[\]\"'-]{1,80}\s*(?:\|\||\?\?|\?:|\bor\b)\s*",
    re.ASCII,
)
_DEFAULT = lazy_pattern(r"default(?:_value)?\s*[=:]\s*")
_PREFIX = lazy_pattern(
    r"(?:[rbuf]{1,2}|@|\$@?|L|u8)(?=[\"'])|(?:\(|\\)?[ \t\r]*\n[ \t]*(?=\\?[\"'])|\[\s{0,20}(?=\\{0,3}[\"'])", re.ASCII
)
_QUOTE = lazy_pattern(r"(?P<escape>\\{0,3})(?P<quote>\"\"\"|'''|[\"'`])")
_PLAIN_STRING = {
    '"': lazy_pattern(r'((?:[^"\\\n]|\\[^\n]){0,6000})"'),
    "'": lazy_pattern(r"((?:[^'\\\n]|\\[^\n]){0,6000})'"),
    "`": lazy_pattern(r"([^`]{0,6000})`"),
    '"""': lazy_pattern(r'([^"]{0,6000})"""'),
    "'''": lazy_pattern(r"([^']{0,6000})'''"),
}
_ESCAPED_STRING = lazy_pattern(r"([^\"'\\\n]{0,6000})\\+[\"']")
_BARE_CONFIG = lazy_pattern(r"[^\s#\"'`][^\n\r]{0,5999}")
_BARE_WORD = lazy_pattern(r"[^\s\"'`<>;&|,)\]}\\]{1,6000}")
_BARE_URL = lazy_pattern(r"[^\s\"'`<>&#;,|\\)\]}]{1,6000}")
_ELEMENT = lazy_pattern(r"([^<>\n]{1,6000})</")
_USERINFO = lazy_pattern(
    r"(?P<scheme>[A-Za-z][\w+.-]{1,30})://(?P<user>[^\s/:@\"'<>`]{0,100}):(?P<password>[^\s/\"'<>`]{1,200})@(?=[\w.\[{$%-])",
    re.ASCII,
)
# A password with a `/` in it that nobody escaped: clients refuse the URL, but it is written down all the same. Digits
# before the `/` are a port, and what follows the `@` must be a host with a port, a path or an end: no package's scope.
_SLASHED = lazy_pattern(
    r"(?P<scheme>[A-Za-z][\w+.-]{1,30})://(?P<user>[^\s/:@\"'<>`?#]{0,100}):(?!\d{1,5}/)"
    r"(?P<password>[^\s\"'<>`@?#]{1,200})@(?=[\w-]+(?:\.[\w-]+)*(?::\d|/|[\"'`\s]|\Z))",
    re.ASCII,
)
_SCHEME = lazy_pattern(
    r"(?P<scheme>bearer|basic|token|apikey|splunk)[ \t]{1,4}(?P<value>[\w+/=.~:-]{7,6000})\Z", re.IGNORECASE | re.ASCII
)
_SCHEME_VALUE = lazy_pattern(r"[\w+/=.~:|-]{0,6000}", re.ASCII)
_FLAG = lazy_pattern(
    r"(?P<key>--?[\w-]{1,60}|(?:env|arg|set|setx|export|setenv)[ \t]{1,4}\w{1,70}|password|identified by|passwd|-u)"
    r"[ \t]{1,8}(?P<first>\S)\Z",
    re.IGNORECASE | re.ASCII,
)
_ARGUMENT = lazy_pattern(r"([^\s\"'`;|&)\]}>\\]{1,500})")
_NAME_BEFORE_VALUE = lazy_pattern(
    r"([\w.-]{2,80})\\{0,2}[\"']?[,\s]{1,60}\\{0,2}[\"']?value\\{0,2}[\"']?[ \t]{0,4}\Z", re.IGNORECASE | re.ASCII
)
_COMMENT = lazy_pattern(r"\s+(?:#|//|--).*\Z")
_ENTITY_END = lazy_pattern(r"&(?:quot|amp|lt|gt|#\d+);|\\[nrt\"']|%26")


_COMMENTS = ("#", "//", "*", "$", "export", "--")  # what a line starts with in which a bare value may be one
_GOES_ON = ("(", "[", "{", ",", "\\", "|", "?", ":", "=", ">", "+")  # what a line ends in whose value is on the next
_AHEAD = 300
_HOW = {
    ",": How.ARGUMENT,
    "(": How.CALL,
    "==": How.COMPARED,
    "===": How.COMPARED,
    "!=": How.COMPARED,
    "!==": How.COMPARED,
}


def candidates(text: str, anchors: Iterable[tuple[int, Anchor]], language: Quoting) -> list[Candidate]:
    """What could be a credential, in order; of nested ones the innermost: the password and not the URL around it."""
    found: list[Candidate] = []
    reached = depth = 0
    for offset, anchor in anchors:
        # Within one value, only so many others: `password=password=...` must not cost its length squared.
        depth = depth + 1 if offset < reached else 0
        if depth <= DEEPEST and (each := _PARSERS[anchor](text, offset, language)) and each.key:
            found.append(each)
            reached = max(reached, each.end)
    found.sort(key=lambda each: (each.start, -each.end))
    kept: list[Candidate] = []
    for each in found:
        if kept and each.start < kept[-1].end and each.end <= kept[-1].end:
            if (each.start, each.end) != (kept[-1].start, kept[-1].end):
                kept[-1] = each
            continue
        kept.append(each)
    return kept


def _assignment(text: str, offset: int, language: Quoting) -> Candidate | None:  # noqa: C901, PLR0911, PLR0912
    if language is Quoting.QUOTED and _is_unquoted(text, offset):
        return None
    operator = _OPERATOR.match(text, offset)
    if operator is None:
        return None
    op, at = operator["op"], operator.end()
    if op == ">":
        return _element(text, offset)
    tail = text[at : at + 1]
    if tail in {"", "\r", "\n"} and not _PREFIX.match(text, at):
        return None
    if op in {",", "("} and not (tail in "\"'`brf\\[@" or text.startswith(("default", "new ", "value", "\n"), at)):
        return None
    how = _HOW.get(op, How.ASSIGNED)
    if prefix := _PREFIX.match(text, at):
        at = prefix.end()
    quote = _QUOTE.match(text, at)
    if quote is None:
        for expression in (_WRAPPER, _LOOKUP):
            if wrapped := expression.match(text, at):
                after = _PREFIX.match(text, wrapped.end())
                quote = _QUOTE.match(text, after.end() if after else wrapped.end())
                if quote:
                    break
    elif how is How.ARGUMENT and text.startswith("default", at):
        return None
    if quote is None and op == "," and (default := _DEFAULT.match(text, at)):
        quote = _QUOTE.match(text, default.end())
    if quote is not None:
        return _quoted(text, quote, _key_before(text, offset), how)
    if op in {",", "(", "=>", ":=", "==", "===", "!=", "!==", "=~", "::"}:
        return None
    return _bare(text, offset, at, op, language)


def _is_unquoted(text: str, offset: int) -> bool:
    """Whether no string can follow an operator in a language that quotes strings: most of its assignments."""
    if text[offset] == ">" or (text.startswith("=", offset) and not text.startswith(("= ", "=="), offset)):
        return False  # an element, or perhaps `?key=value` within a string
    end = text.find("\n", offset, offset + _AHEAD)
    if end < 0:
        return False
    rest = text[offset:end]
    if '"' in rest or "'" in rest or "`" in rest or rest.rstrip().endswith(_GOES_ON):
        return False
    line = text[text.rfind("\n", max(0, offset - BEHIND), offset) + 1 : offset].lstrip()
    return not line.startswith(_COMMENTS)


def _key_before(text: str, offset: int) -> str:
    backwards = text[max(0, offset - BEHIND) : offset][::-1]
    if quoted := _QUOTED_KEY.match(backwards):
        start = quoted.end()
        end = backwards.find(quoted[1], start, start + 82)
        key = backwards[start : end if end >= 0 else start + 80]
        return key[::-1].strip() if "\n" not in key else ""
    bare = _LIAT.match(backwards)
    return bare[1][::-1].lstrip("-.$@") if bare else ""


def _quoted(text: str, quote: re.Match[str], key: str, how: How) -> Candidate | None:
    mark = quote["quote"]
    expression = _ESCAPED_STRING if quote["escape"] else _PLAIN_STRING[mark]
    body = expression.match(text, quote.end())
    if body is None:
        return None
    return _trimmed(text, body.start(1), body.end(1), key, how, mark)


def _bare(text: str, offset: int, at: int, op: str, language: Quoting) -> Candidate | None:
    key = _key_before(text, offset)
    before = text[max(0, offset - BEHIND) : offset]
    tight = at == offset + len(op)
    line = before[before.rfind("\n") + 1 :]
    ahead = before[: len(before) - len(key)][-1:] if before.endswith(key) else ""
    if op == "=" and tight and ahead in {"?", "&", ";"}:
        expression, how = _BARE_URL, How.INLINE
    elif op == "=" and tight and (ahead in {'"', "'", "-"} or line.count('"') % 2 or line.count("'") % 2):
        expression, how = _BARE_WORD, How.INLINE
    elif language is Quoting.BARE and not (op == ":" and tight):
        return _config(text, at, key)
    elif language is Quoting.PROSE or line.lstrip().startswith(_COMMENTS):
        expression, how = _BARE_WORD, How.ASSIGNED
    elif line.count('"') % 2 or line.count("'") % 2 or line.count("`") % 2:
        expression, how = _BARE_WORD, How.INLINE
    else:
        return None
    body = expression.match(text, at)
    if body is None:
        return None
    end = body.end()
    if entity := _ENTITY_END.search(text, at, end):
        end = entity.start()
    return _trimmed(text, at, end, key, how, "")


def _config(text: str, at: int, key: str) -> Candidate | None:
    """A bare value in a configuration language: up to the end of the line or a comment."""
    body = _BARE_CONFIG.match(text, at)
    if body is None:
        return None
    value = _COMMENT.sub("", body[0]).rstrip()
    if " " in value and not value.startswith(("!", "|", ">")):
        first = value.split(" ", 1)[0]
        if "=" in value or key.isupper() or first.endswith((";", "\\")):
            value = first.rstrip(";")
        else:
            return None
    if value.startswith(("{", "[")):
        return None
    return _trimmed(text, at, at + len(value.rstrip(",;)}]\\")) if value else at, key, How.ASSIGNED, "")


def _element(text: str, offset: int) -> Candidate | None:
    window = text[max(0, offset - 80) : offset]
    opening = window.rfind("<")
    if opening < 0 or not re.fullmatch(r"<[\w.:-]{2,60}(?:\s[^<>]*)?", window[opening:]):
        return None
    body = _ELEMENT.match(text, offset + 1)
    if body is None:
        return None
    return _trimmed(text, body.start(1), body.end(1), window[opening + 1 :].split()[0], How.ELEMENT, "<")


def _pair(text: str, offset: int, language: Quoting) -> Candidate | None:
    window = text[max(0, offset - BEHIND) : offset]
    name = _NAME_BEFORE_VALUE.search(window)
    if name is None:
        return None
    at = offset + 1
    while at < len(text) and text[at] in " \t":
        at += 1
    quote = _QUOTE.match(text, at)
    if quote is not None:
        return _quoted(text, quote, name[1], How.PAIR)
    if language is Quoting.QUOTED:
        return None
    found = _config(text, at, name[1])
    return found and Candidate(found.start, found.end, found.value, found.key, How.PAIR)


def _flag(text: str, offset: int, language: Quoting) -> Candidate | None:
    del language
    flag = _FLAG.search(text, max(0, offset - 100), offset + 1)
    if flag is None:
        return None
    if flag["key"][0] == "-" and flag.start() and text[flag.start() - 1] not in " \t\n\r\"'`=([{,":
        return None
    key = flag["key"].lstrip("-")
    if " " in key or "\t" in key:
        key = key.split()[-1] if not key.lower().startswith("identified") else "password"
    quote = _QUOTE.match(text, offset)
    sql = flag["key"][0] != "-" and key.lower() in {"password", "passwd"}
    if quote is not None and not quote["escape"]:
        body = _PLAIN_STRING[quote["quote"]].match(text, quote.end())
    elif quote is not None:
        body = _ESCAPED_STRING.match(text, quote.end())
    else:
        body = None if sql else _ARGUMENT.match(text, offset)
    if body is None:
        return None
    start, end, user = body.start(1), body.end(1), ""
    if key == "u":
        user, colon, _ = body[1].partition(":")
        if not colon:
            return None
        start, key = start + len(user) + 1, "password"
    return _trimmed(text, start, end, key, How.FLAG, quote["quote"] if quote else "", user)


def _userinfo(text: str, offset: int, language: Quoting) -> Candidate | None:
    del language
    start = text.rfind("://", max(0, offset - 310), offset)
    begin = start
    while begin > 0 and start - begin < 30 and (text[begin - 1].isalnum() or text[begin - 1] in "+.-"):  # noqa: PLR2004
        begin -= 1
    found = _USERINFO.match(text, begin) or _SLASHED.match(text, begin)
    if found is None:
        return None
    return Candidate(
        found.start("password"),
        found.end("password"),
        found["password"],
        found["scheme"],
        How.USERINFO,
        "",
        found["user"],
    )


def _scheme(text: str, offset: int, language: Quoting) -> Candidate | None:
    del language
    start = max(0, offset - 20)
    found = _SCHEME.search(text, start, offset + 1)
    if found is None:
        return None
    rest = _SCHEME_VALUE.match(text, offset + 1)
    begin, end = found.start("value"), rest.end() if rest else offset + 1
    while end > begin and text[end - 1] in ".:":
        end -= 1
    value, word = text[begin:end], found["scheme"].lower()
    if word == "basic":
        decoded = basic(value)
        if decoded is None:
            return None
        return Candidate(begin, end, value, "basic", How.BASIC, "", decoded[0])
    return Candidate(begin, end, value, word, How.SCHEME)


def basic(value: str) -> tuple[str, str] | None:
    """User and password of a Basic authorization value, or None where it is none."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    user, colon, password = decoded.partition(":")
    return (user, password) if colon and decoded.isprintable() else None


def _armour(text: str, offset: int, language: Quoting) -> Candidate | None:
    """Private keys are a rule's own business."""
    del text, offset, language
    return None


def _trimmed(  # noqa: PLR0917 - the parts of a candidate
    text: str, start: int, end: int, key: str, how: How, quote: str, user: str = ""
) -> Candidate | None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if end - start < 3 or end - start > LONGEST:  # noqa: PLR2004 - nothing shorter is a credential
        return None
    return Candidate(start, end, text[start:end], key, how, quote, user)


_PARSERS = {
    Anchor.ASSIGN: _assignment,
    Anchor.FLAG: _flag,
    Anchor.USERINFO: _userinfo,
    Anchor.SCHEME: _scheme,
    Anchor.PAIR: _pair,
    Anchor.ARMOUR: _armour,
}
