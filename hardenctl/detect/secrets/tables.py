"""Credentials in columns: rows of an INSERT, of a CSV file, of a table in Markdown, under a heading that names them."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator

from hardenctl.detect.secrets.candidate import Candidate, How, trimmed
from hardenctl.model.pattern import lazy_pattern
from hardenctl.rules.secrets.values import is_credential_key

MOST = 2000  # rows of one table; of more than 500 credentials the pipeline says so
_WIDEST = 1200  # characters of a list of columns
_STATEMENT = lazy_pattern(r"\b(?:into|replace)\s{1,9}[^\s(]{1,120}\s{0,9}\Z", re.IGNORECASE)
_COLUMNS_END = lazy_pattern(r"\)\s{0,20}values\s{0,9}\Z", re.IGNORECASE)
_FIELD = lazy_pattern(
    r"\s{0,40}(?:[NEBneb]?'(?P<single>(?:[^'\\\n]|\\[^\n]|''){0,500})'|\\?\"(?P<double>[^\"\\\n]{0,500})\\?\""
    r"|[^,()'\"]{0,200}(?:\([^()\n]{0,300}\)[^,()'\"]{0,40})?)\s{0,40}(?P<next>[,)])"
)
_NEXT_ROW = lazy_pattern(r"\s{0,40},\s{0,40}\(")
_RULE = lazy_pattern(r"\r?\n[ \t]*\|?[ \t]*:?-{2,}")
_CELL = r"[ \t]*[*_`]{0,3}(?P<value>[^\s|`]{3,200}?)[*_`]{0,3}[ \t]*(?:\||$)"
_HEADING = lazy_pattern(r"(?:#[^\n]{0,500}\n){0,20}([^\n]{1,1200}?)\r?\n")  # below comments
_SEPARATORS = ",;\t|"


def inserted(text: str, offset: int) -> tuple[list[Candidate], int]:
    """The values of an INSERT under columns that name a credential, from its first bracket; and where its rows end."""
    found: list[Candidate] = []
    closed = _COLUMNS_END.search(text, max(0, offset - 40), offset)
    opened = text.rfind("(", max(0, closed.start() - _WIDEST), closed.start()) if closed else -1
    if closed is None or opened < 0 or not _STATEMENT.search(text, max(0, opened - 150), opened):
        return found, offset
    names = [name.strip("`\"'[]\\ \t\r\n") for name in text[opened + 1 : closed.start()].split(",")]
    wanted = {place: name for place, name in enumerate(names) if is_credential_key(name)}
    at = offset + 1
    for _ in range(MOST if wanted else 0):
        for place in itertools.count():
            field = _FIELD.match(text, at)
            if field is None or place > len(names):
                return found, at
            group = "single" if field["single"] is not None else "double"
            if (
                place in wanted
                and field[group]
                and (
                    each := trimmed(
                        text, *field.span(group), wanted[place], How.PAIR, "'" if group == "single" else '"'
                    )
                )
            ):
                found.append(each)
            at = field.end()
            if field["next"] == ")":
                break
        following = _NEXT_ROW.match(text, at)
        if following is None:
            break
        at = following.end()
    return found, at


def cells(text: str, offset: int, key: str) -> tuple[list[Candidate], int]:
    """The cells under a heading of a Markdown table, from the `|` behind it; and where they end."""
    end = text.find("\n", offset, offset + 1000)
    start = text.rfind("\n", max(0, offset - 1000), offset) + 1
    rule = _RULE.match(text, end) if end >= 0 and is_credential_key(key) else None
    if rule is None:
        return [], offset
    before = text[start:offset].lstrip().removeprefix("|").count("|")
    row = _row_of_cells(before)
    at, found = text.find("\n", rule.end()) + 1, list[Candidate]()
    for _ in range(MOST if at else 0):
        line = row.match(text, at)
        if line is None:
            break
        if line["value"] and (each := trimmed(text, *line.span("value"), key, How.PAIR, "|")):
            found.append(each)
        at = text.find("\n", line.end()) + 1
        if not at:
            break
    return found, max(at, offset)


@functools.lru_cache(maxsize=32)
def _row_of_cells(before: int) -> re.Pattern[str]:
    """A row of a table whose interesting cell has so many before it; without a value where the cell is prose."""
    return re.compile(rf"(?=[^\n|]*\|)[ \t]*\|?(?:[^|\n]*\|){{{before}}}(?:{_CELL}|[^\n]*)", re.MULTILINE)


def is_table(path: str) -> bool:
    """Whether a file is one of columns, by its name."""
    return path.endswith((".csv", ".tsv", ".CSV", ".TSV"))


def columns(text: str, path: str) -> Iterator[Candidate]:
    """The values of a CSV or TSV file under a heading that names a credential."""
    if not is_table(path):
        return
    first = _HEADING.match(text)
    heading = first[1] if first else ""
    mark = max(_SEPARATORS, key=heading.count)
    names = [name.strip("\"' \ufeff") for name in heading.split(mark)]
    for place, name in enumerate(names):
        if len(names) > 1 and is_credential_key(name):
            for row in itertools.islice(_row_of_fields(mark, place).finditer(text, first.end() if first else 0), MOST):
                group = "quoted" if row["quoted"] is not None else "bare"
                if row[group] and (each := trimmed(text, *row.span(group), name, How.PAIR, mark)):
                    yield each


@functools.lru_cache(maxsize=32)
def _row_of_fields(mark: str, before: int) -> re.Pattern[str]:
    field = rf"(?:\"(?:[^\"\n]|\"\")*+\"|[^\"\n{re.escape(mark)}]*+)"
    value = rf"(?:\"(?P<quoted>(?:[^\"\n]|\"\")*+)\"|(?P<bare>[^\"\n{re.escape(mark)}]*+))"
    return re.compile(rf"^(?:{field}{re.escape(mark)}){{{before}}}{value}", re.MULTILINE)
