"""What could be a credential, and how a value is written: quotation marks, escapes, where a value ends."""

from __future__ import annotations

import enum
import re

from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import field, record

BEHIND = 160  # characters before an operator in which its key is looked for
LONGEST = 6000  # characters of a value: an encoded service account has 3,200


class How(enum.Enum):
    """How a value came to its key."""

    __hash__ = object.__hash__  # members are there once each; Enum's is written in Python, and caches ask for it

    ASSIGNED = "assigned"  # `key = "value"`, `key: value`
    COMPARED = "compared"  # `key == "value"`
    ARGUMENT = "argument"  # `put("key", "value")`, `("key", "value")`
    CALL = "call"  # `setKey("value")`
    POSITION = "position"  # `login("ada", "value")`: by its place among the arguments
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


PREFIX = lazy_pattern(
    r"(?:[rbuf]{1,2}|@|\$@?|L|u8|<<)(?=[\"'])|(?:\(|\\)?[ \t\r]*\n[ \t]*(?=\\?[\"'])|\[\s{0,20}(?=\\{0,3}[\"'])",
    re.ASCII,
)
QUOTE = lazy_pattern(r"(?P<escape>\\{0,3})(?P<quote>\"\"\"|'''|[\"'`])")
PLAIN_STRING = {
    '"': lazy_pattern(r'((?:[^"\\\n]|\\[^\n]){0,6000})"'),
    "'": lazy_pattern(r"((?:[^'\\\n]|\\[^\n]){0,6000})'"),
    # What goes over several lines is a text, unless it is short.
    "`": lazy_pattern(r"([^`\n]{0,6000}|[^`]{0,600})`"),
    '"""': lazy_pattern(r'([^"\n]{0,6000}|[^"]{0,600})"""'),
    "'''": lazy_pattern(r"([^'\n]{0,6000}|[^']{0,600})'''"),
}
ESCAPED_STRING = lazy_pattern(r"((?:[^\"'\\\n]|\\+/){0,6000})\\+[\"']")


_NAME = lazy_pattern(r"[a-z]*(?:[A-Z][a-z]{2,})*|[A-Z]+|[a-z]+(?:[\W_][a-z]+)*|[A-Z]+(?:[\W_][A-Z]+)*")
_LINE = lazy_pattern(r"[^\s#\"'`][^\n\r]{0,5999}")
_COMMENT = lazy_pattern(r"\s+(?:#|//|--).*\Z")
_LITERAL_END = lazy_pattern(r"(?:\\[rn]){1,4}[\"']?,?\Z")  # of a line in a log of HTTP
_FORM = lazy_pattern(r"[^&\s]+(?=&[\w.-]+=)")  # of a posted form, its first field


def is_name(value: str) -> bool:
    """Whether a value is letters as in the names of things: `apiKeyName`, `API_KEY`, `api-key`; random ones are not."""
    return bool(_NAME.fullmatch(value))


def quoted(text: str, quote: re.Match[str], key: str, how: How) -> Candidate | None:
    """The string that a quotation mark opens; None where it ends nowhere near."""
    mark = quote["quote"]
    expression = ESCAPED_STRING if quote["escape"] else PLAIN_STRING[mark]
    body = expression.match(text, quote.end())
    if body is None:
        return None
    return trimmed(text, body.start(1), body.end(1), key, how, mark)


def trimmed(  # noqa: PLR0917 - the parts of a candidate
    text: str, start: int, end: int, key: str, how: How, quote: str, user: str = ""
) -> Candidate | None:
    """A candidate without the blanks around it; None where it is too short or too long for one."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if end - start < 3 or end - start > LONGEST:  # noqa: PLR2004 - nothing shorter is a credential
        return None
    return Candidate(start, end, text[start:end], key, how, quote, user)


def line_value(text: str, at: int, key: str) -> Candidate | None:
    """A bare value in a configuration language: up to the end of the line or a comment."""
    body = _LINE.match(text, at)
    if body is None:
        return None
    value = _LITERAL_END.sub("", _COMMENT.sub("", body[0]).rstrip())
    if value.startswith(("<%", "{{", "{%")):
        return None  # a template's, whatever is in it
    if " " in value and not value.startswith(("!", "|", ">")):
        first = value.split(" ", 1)[0]
        if "=" in value or key.isupper() or first.endswith((";", "\\")):
            value = first.rstrip(";")
        else:
            return None
    if value.startswith(("{", "[")):
        return None
    if form := _FORM.match(value):
        value = form[0]
    return trimmed(text, at, at + len(value.rstrip(",;)}]\\")) if value else at, key, How.ASSIGNED, "")
