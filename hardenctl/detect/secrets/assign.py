"""From anchors to candidates: the exact span of a value, its key, and how it was assigned.

Everything here works on a bounded window around an anchor, so that a line of megabytes costs no more than its anchors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from hardenctl.detect.secrets.calls import argument
from hardenctl.detect.secrets.candidate import BEHIND, PREFIX, QUOTE, Candidate, How, line_value, quoted, trimmed
from hardenctl.detect.secrets.commands import flag, letter
from hardenctl.detect.secrets.headers import scheme, userinfo
from hardenctl.detect.secrets.language import Quoting
from hardenctl.detect.secrets.markup import element, pair
from hardenctl.detect.secrets.matcher import Anchor
from hardenctl.detect.secrets.phrases import phrase
from hardenctl.detect.secrets.streams import stream
from hardenctl.detect.secrets.tables import cells, inserted
from hardenctl.model.pattern import lazy_pattern

DEEPEST = 16  # anchors looked at within one value
_BACK = 320  # characters before an anchor that its parser looks at, a line's start among them
# Behind it: 400 of names, brackets and blanks, 600 of a value on several lines; or up to nine lines (of a parameter
# before its default) and that of a value.
_AHEAD = 1100
_LINES = lazy_pattern(r"(?:\s*\S[^\n]*\n){12}")
_MOST_KNOWN = 8_000  # anchors of one file
# The parsers that look no further. Those of rows, cells and modules do.
_NEAR = (Anchor.ASSIGN, Anchor.CALL, Anchor.FLAG, Anchor.LETTER, Anchor.PHRASE)


# Read backwards from an operator: a key, perhaps with an index, a call or (in Go, C, Basic) a type after it.
_LIAT = lazy_pattern(
    r"(?:[ \t]{0,9}(?:(?i:gnirts|etyb\]\[)[ \t]{1,9}(?:(?i:sa)[ \t]{1,9})?|\]\d{0,4}\[))?"
    r"[ \t?!\])*]{0,44}(?:\][^\[\]\n]{1,64}\[)?([\w.$@-]{1,90})",
    re.ASCII,
)
_QUOTED_KEY = lazy_pattern(r"[ \t?!\])]{0,44}([\"'`])\\{0,3}")
_OPERATOR = lazy_pattern(
    r"(===?|!==?|=>|=~|:=|<-|::?=?|\?=|=|,|\(|>|\{)[ \t]*"
    # `name: type = value`
    r"(?:(?:typing\.)?(?:Optional|Final|Annotated|ClassVar|Union|SecretStr|str|string|String\??|bytes|Any|&'static str"
    r"|&str|\[\]byte)(?:\[[^\]\n]{0,40}\])?(?:\s{0,40}\|\s{0,40}\w+)?\??[ \t]*=(?!=)[ \t]*)?",
    re.ASCII,
)
# Calls whose only argument is the value itself; the name is bounded, else `key:key:key:...` costs its length squared.
_WRAPPER = lazy_pattern(
    r"(?:\(\s{0,40})?(?:new\s{1,40})?(?:[\w.:]{0,60}(?:SecretStr|Secret|Some|String|str|bytes|bytearray|from|fromString|of|encode|decode"
    r"|b64decode|decode64|decodeHex|unhexlify|from_?hex|hexToBytes|atob|Field|Buffer|to_bytes|to_string|toBytes|getBytes|SymmetricSecurityKey|SigningCredentials|Credential"
    r"|[Pp]assword|value|literal|unsafe|parse|raw)|\[\]byte|@?array|char\[\])\s{0,40}\(\s{0,40}(?:default\s{0,40}=\s{0,40})?",
    re.ASCII,
)
# Look-ups whose second argument, or what stands after `||`, is the value used where there is nothing to look up.
_LOOKUP = lazy_pattern(
    r"[\w.:>$-]{1,60}[\[(]\s{0,40}[\"'][\w.\-/:]{1,80}[\"']\s{0,40}\)\s{0,40}(?:\|\||\?\?|\?:|or)\s{0,40}"
    r"|(?!\S{0,60}(?:push|append|add|open|replace|insert|emit|Error|Exception|Field|Column)\()"
    r"[\w.:>$-]{1,60}[\[(]\s{0,40}[\"'][\w.\-/:]{1,80}[\"']\s{0,40},\s{0,40}(?:default(?:_value)?\s{0,40}[=:]\s{0,40})?"
    r"|[\w.>$\[\]\"'-]{1,80}\s{0,40}(?:\|\||\?\?|\?:|\bor\b)\s{0,40}",
    re.ASCII,
)
# What a value within a call or beside a look-up starts with: half of what has no quotation mark at once has not.
_CALLED = lazy_pattern(r"(?:new\s|[\w.:>$@\]\"'-]{0,80}+\s{0,40}(?:[(\[|?]|or\b))", re.ASCII)
_PREFIXED = frozenset("rbuf@$L(\\ \t\r\n[<")  # what `PREFIX` starts with
_QUOTES = frozenset("\"'`\\")
_NOTHING = frozenset(("", "\r", "\n"))
_QUOTED_ONLY = frozenset((",", "(", "{", "=>", "==", "===", "!=", "!==", "=~", "::", "<-"))
# In YAML: a value on the next line, in a block, as the first of a list, or as the default of a parameter.
_BELOW = lazy_pattern(r"(?:[|>][+-]?\d?)?[ \t]*(?:#[^\n]{0,200})?\r?\n(?P<indent>[ \t]+)(?P<item>-[ \t]+)?(?=\S)")
_PARAMETER = lazy_pattern(
    r"(?:Type|Description|NoEcho|type|description)[ \t]*:[^\n]*\n"
    r"(?:[ \t]+[^ \t\n][^\n]*\n){0,6}?[ \t]+[Dd]efault:[ \t]*"
)
_MAPPING = lazy_pattern(r"[^\n]*:(?:[ \t]|$)|[{\[]", re.MULTILINE)
_CELL = lazy_pattern(r"\|[ \t]*[*_`]{0,3}([^\s|`]{4,200}?)[*_`]{0,3}[ \t]*(?:\||$)", re.MULTILINE)
_MARKED = lazy_pattern(r"\*{1,3}[ \t]*(?=[^*\s])")  # `**Password:** value`, `password: **value**`
_SHELL_DEFAULT = lazy_pattern(r"[-=]([^}\s\"'$]{3,200})\}")
_PROPERTY_DEFAULT = lazy_pattern(r":(?![-=?+])([^}\s\"'${]{3,200})\}")  # Spring's: `${NAME:value}`
_OPENED = lazy_pattern(r"\$\{[\w.-]{1,80}\Z")
_TAG = lazy_pattern(r"!!\w{1,20}[ \t]+")
_DEFAULT = lazy_pattern(r"default(?:_value)?\s{0,40}[=:]\s{0,40}")
_BARE_WORD = lazy_pattern(r"(?:\d{13,17}\|(?=\w))?[^\s\"'`<>;&|,)\]}\\]{1,6000}")
_BARE_URL = lazy_pattern(r"(?:\d{13,17}\|(?=\w))?[^\s\"'`<>&#;,|\\)\]}]{1,6000}")
_YAML_KEY = lazy_pattern(r"[ \t]*(?:- )?[\w.-]{1,60}")
_YAML_VALUE = lazy_pattern(r"[ \t]*(?P<value>[A-Za-z0-9_+/=-]{16,200})(?=[ \t\r]*(?:\n|\Z))")
_LISTED = lazy_pattern(r"[ \t]*-[ \t]+[\"']?[\w.-]{1,60}")  # `- x-app-token:value`, a header in a list
_DIGIT_GROUPS = lazy_pattern(r"\d+")
_SCATTERED = 3  # groups of digits: in a name there are one or two
_ENTITY_END = lazy_pattern(r"&(?:quot|amp|lt|gt|#\d+);|\\[nrt\"']|%26")


_COMMENTS = ("#", "//", "*", "$", "export", "--")  # what a line starts with in which a bare value may be one
_GOES_ON = ("(", "[", "{", ",", "\\", "|", "?", ":", "=", ">", "+")  # what a line ends in whose value is on the next
_STRINGS = frozenset(">\"'`\\")  # an element's body, or a string
_APART = frozenset((" ", "="))  # what stands behind the `=` of an assignment in code, or of a comparison
_LINE = 299  # characters of the rest of a line without a string
_HOW = {
    ",": How.ARGUMENT,
    "(": How.CALL,
    "==": How.COMPARED,
    "===": How.COMPARED,
    "!=": How.COMPARED,
    "!==": How.COMPARED,
}


_Parsed = Candidate | Literal[False] | None


class Memo:
    """What was parsed of the versions of one file: the next one says most of it again, word for word.

    A candidate is known by all the text that it can depend on: `_BACK` characters and `_AHEAD`, with a line's start
    before and twelve lines behind the anchor, or the text's end.
    """

    def __init__(self) -> None:
        self._path = ""
        self._known: list[dict[str, _Parsed] | None] = [{} if each in _NEAR else None for each in Anchor]

    def __len__(self) -> int:
        """How many anchors it knows."""
        return sum(len(each) for each in self._known if each)

    def __bool__(self) -> bool:
        """An empty one is one, too."""
        return True

    def at(self, path: str) -> Memo:
        """The memo, emptied where another file's versions begin."""
        if path != self._path or len(self) > _MOST_KNOWN:
            self._path = path
            for each in self._known:
                if each:
                    each.clear()
        return self

    def parse(self, text: str, offset: int, anchor: Anchor, language: Quoting) -> _Parsed:
        """As `_parse`."""
        known = self._known[anchor]
        if known is None or offset < _BACK:
            return _parse(text, offset, anchor, language)
        around = text[offset - _BACK : offset + _AHEAD]
        if around in known:
            each = known[around]
            return _moved(each, offset) if each else each
        each = _parse(text, offset, anchor, language)
        if _is_confined(around):
            known[around] = _moved(each, -offset) if each else each
        return each


def _is_confined(around: str) -> bool:
    if len(around) < _BACK + _AHEAD:
        return True  # it ends with the text
    return "\n" in around[:_BACK] and bool(_LINES.match(around, _BACK))


def _moved(each: Candidate, by: int) -> Candidate:
    return Candidate(each.start + by, each.end + by, each.value, each.key, each.how, each.quote, each.user)


def _parse(text: str, offset: int, anchor: Anchor, language: Quoting) -> _Parsed:
    """What an anchor leads to; False where, in a language that quotes strings, it is an assignment of none."""
    if anchor is Anchor.ASSIGN and language is Quoting.QUOTED and not _leads_to_string(text, offset):
        return False
    return _PARSERS[anchor](text, offset, language)


def candidates(
    text: str, anchors: Iterable[tuple[int, Anchor]], language: Quoting, memo: Memo | None = None
) -> list[Candidate]:
    """What could be a credential, in order; of nested ones the innermost: the password and not the URL around it.

    `memo` is that of the file's other versions.
    """
    parse = memo.parse if memo else _parse
    found: list[Candidate] = []
    reached = depth = told = 0
    for offset, anchor in anchors:
        if anchor is Anchor.ROWS or (text[offset] == "|" and language is Quoting.PROSE):
            if offset >= told:
                rows, told = _rows(text, offset, anchor)
                found += rows
                if rows:
                    continue
            if anchor is Anchor.ROWS:
                continue
        # Within one value, only so many others: `password=password=...` must not cost its length squared.
        deeper = depth + 1 if offset < reached else 0
        each = parse(text, offset, anchor, language) if deeper <= DEEPEST else None
        if each is False:
            continue
        depth = deeper
        if each and each.key:
            found.append(each)
            reached = max(reached, each.end)
    return _innermost(found)


def _innermost(found: list[Candidate]) -> list[Candidate]:
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
    mark = text[offset]
    if mark == "|":
        return _cell(text, offset) if language is Quoting.PROSE else None
    if mark == ">":
        return element(text, offset)
    if mark == "-":
        offset -= 1
    elif mark not in ":=":  # the start of what holds a string
        while text[offset] not in ",({":
            offset -= 1
    if text[offset] == "(" and (placed := argument(text, offset, _key_before(text, offset))):
        return placed  # for which there is another anchor
    operator = _OPERATOR.match(text, offset)
    if operator is None:
        return None
    op, at = operator[1], operator.end()
    tail = text[at : at + 1]
    if op == "=" and tail == "(" and (placed := argument(text, offset, _key_before(text, offset))):
        return placed
    if language is Quoting.BARE and op == ":" and (below := _BELOW.match(text, at)):
        return _below(text, offset, below)
    if language is Quoting.PROSE and (marked := _MARKED.match(text, at)):
        at = marked.end()
        tail = text[at : at + 1]
    prefix = PREFIX.match(text, at) if tail in _PREFIXED else None
    if tail in _NOTHING and not prefix:
        return None
    if op == "{" and tail not in "\"'":
        return None
    if op in {",", "("} and not (
        tail in "\"'`brf\\[@<" or text.startswith(("default", "new ", "value", "\n", "\r"), at)
    ):
        return None
    how = _HOW.get(op, How.ASSIGNED)
    start = at
    if prefix:
        at = prefix.end()
        tail = text[at : at + 1]
    quote = QUOTE.match(text, at) if tail in _QUOTES else None
    if quote is None:
        quote = _within_call(text, at)
    elif how is How.ARGUMENT and text.startswith("default", start):
        return None
    if quote is None and op == "," and (default := _DEFAULT.match(text, at)):
        quote = QUOTE.match(text, default.end())
    if quote is not None:
        return quoted(text, quote, _key_before(text, offset), how)
    if op in _QUOTED_ONLY or (op == ":=" and language is not Quoting.BARE):
        return None
    if (
        op == ":"
        and (default := _PROPERTY_DEFAULT.match(text, offset))
        and _OPENED.search(text, max(0, offset - 90), offset)
    ):
        return trimmed(text, *default.span(1), _key_before(text, offset), How.INLINE, "")
    if op in {":", ":="} and text.startswith((":-", ":="), offset) and "${" in text[max(0, offset - 60) : offset]:
        default = _SHELL_DEFAULT.match(text, offset + 1)
        return trimmed(text, *default.span(1), _key_before(text, offset), How.INLINE, "") if default else None
    return _bare(text, offset, at, op, language)


def _within_call(text: str, at: int) -> re.Match[str] | None:
    """The quotation mark of a value within a call, or of the one used where there is nothing to look up."""
    if not _CALLED.match(text, at):
        return None
    for expression in (_WRAPPER, _LOOKUP):
        if wrapped := expression.match(text, at):
            after = PREFIX.match(text, wrapped.end())
            if quote := QUOTE.match(text, after.end() if after else wrapped.end()):
                return quote
    return None


def _below(text: str, offset: int, below: re.Match[str]) -> Candidate | None:
    """A YAML value that starts on the line after its key."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    key, at = _key_before(text, offset), below.end()
    if (
        len(below["indent"].expandtabs()) <= len(line.expandtabs()) - len(line.expandtabs().lstrip(" -"))
        and not below["item"]
    ):
        return None
    if parameter := _PARAMETER.match(text, at):
        at = parameter.end()
    quote = QUOTE.match(text, at)
    if quote is not None:
        return quoted(text, quote, key, How.ASSIGNED)
    if _MAPPING.match(text, at) and not parameter:
        return None
    return line_value(text, at, key)


def _rows(text: str, offset: int, anchor: Anchor) -> tuple[list[Candidate], int]:
    return inserted(text, offset) if anchor is Anchor.ROWS else cells(text, offset, _key_before(text, offset))


def _cell(text: str, offset: int) -> Candidate | None:
    """The cell of a table beside the one that holds its key."""
    body = _CELL.match(text, offset)
    key = _key_before(text, offset)
    return trimmed(text, *body.span(1), key, How.ASSIGNED, "|") if body and key else None


def _leads_to_string(text: str, offset: int) -> bool:
    """Whether a string may follow an assignment on its line, or the next: most are of names, numbers and calls."""
    operator = text[offset]
    if operator in _STRINGS or (operator == "=" and text[offset + 1 : offset + 2] not in _APART):
        return True  # an element, a string, or perhaps `?key=value` within one
    end = text.find("\n", offset, offset + _LINE + 1)
    if end < 0:
        return True
    rest = text[offset:end]
    if '"' in rest or "'" in rest or "`" in rest or rest.rstrip().endswith(_GOES_ON):
        return True
    if operator == ":" and _YAML_VALUE.match(rest, 1):
        return True  # perhaps a line of YAML in a string
    return text[text.rfind("\n", 0, offset) + 1 : offset].lstrip().startswith(_COMMENTS)


def _key_before(text: str, offset: int) -> str:
    backwards = text[max(0, offset - BEHIND) : offset][::-1]
    if mark := _QUOTED_KEY.match(backwards):
        start = mark.end()
        end = backwards.find(mark[1], start, start + 82)
        key = backwards[start : end if end >= 0 else start + 80]
        return key[::-1].strip() if "\n" not in key else ""
    bare = _LIAT.match(backwards)
    return bare[1][::-1].lstrip("-.$@") if bare else ""


def _bare(  # noqa: C901, PLR0912 - as above
    text: str, offset: int, at: int, op: str, language: Quoting
) -> Candidate | None:
    before = text[max(0, offset - BEHIND) : offset]
    tight = at == offset + len(op)
    line = before[before.rfind("\n") + 1 :]
    within = line.count('"') % 2 or line.count("'") % 2  # a string
    comment = line.lstrip().startswith(_COMMENTS)
    if language is Quoting.QUOTED and not (within or comment or (op == "=" and tight) or line.count("`") % 2):
        return _embedded(text, offset, at, line) if op == ":" and not tight else None
    key = _key_before(text, offset)
    ahead = before[: len(before) - len(key)][-1:] if before.endswith(key) else ""
    if tagged := _TAG.match(text, at):
        at = tagged.end()
    if op == ":" and tight and ahead == "/":  # an option of Windows' programs
        expression, how = _BARE_WORD, How.FLAG
    elif op == "=" and tight and ahead in {"?", "&", ";"}:
        expression, how = _BARE_URL, How.INLINE
    elif op == "=" and tight and (ahead in {'"', "'", "-"} or within):
        expression, how = _BARE_WORD, How.INLINE
    elif op == ":" and tight and language is Quoting.BARE and _LISTED.fullmatch(line) and _YAML_VALUE.match(text, at):
        expression, how = _BARE_WORD, How.ASSIGNED
    elif language is Quoting.BARE and not (op == ":" and tight):
        found = line_value(text, at, key)
        if found is not None or not _is_word(line, key):
            return found
        expression, how = _BARE_WORD, How.INLINE
    elif language is Quoting.PROSE or comment:
        expression, how = _BARE_WORD, How.ASSIGNED
    elif within or line.count("`") % 2:
        expression, how = _BARE_WORD, How.INLINE
    else:
        return None
    body = expression.match(text, at)
    if body is None:
        return None
    end = body.end()
    if entity := _ENTITY_END.search(text, at, end):
        end = entity.start()
    if language is Quoting.PROSE:
        end = at + len(text[at:end].rstrip("*"))
    return trimmed(text, at, end, key, how, "")


def _embedded(text: str, offset: int, at: int, line: str) -> Candidate | None:
    """A line of YAML in a string of several lines, of a test in Go say. A name there would be code's own."""
    value = _YAML_VALUE.match(text, at)
    if value is None or not _YAML_KEY.fullmatch(line) or len(_DIGIT_GROUPS.findall(value["value"])) < _SCATTERED:
        return None
    return trimmed(text, *value.span("value"), _key_before(text, offset), How.ASSIGNED, "")


def _is_word(line: str, key: str) -> bool:
    """Whether an assignment is one word of a command, or within a string that a command is given."""
    before = line.rstrip()
    before = before.removesuffix(key) if before.endswith(key) else before
    return before.count('"') % 2 == 1 or before.count("'") % 2 == 1 or before.strip(" \t-")[:1].isalpha()


def _armour(text: str, offset: int, language: Quoting) -> Candidate | None:
    """Private keys are a rule's own business."""
    del text, offset, language
    return None


def _placed(text: str, offset: int, language: Quoting) -> Candidate | None:
    del language
    return argument(text, offset, _key_before(text, offset))


_PARSERS = {
    Anchor.ASSIGN: _assignment,
    Anchor.CALL: _placed,
    Anchor.FLAG: flag,
    Anchor.USERINFO: userinfo,
    Anchor.SCHEME: scheme,
    Anchor.PAIR: pair,
    Anchor.ARMOUR: _armour,
    Anchor.LETTER: letter,
    Anchor.STREAM: stream,
    Anchor.PHRASE: phrase,
}
