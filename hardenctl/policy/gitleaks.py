"""A `.gitleaks.toml` as tables of a policy: its rules become custom ones, its allowlists what is allowed.

What a policy `extends` is read anew whenever it changes, so a team that runs both tools keeps one list. The file's
meaning is that of gitleaks 8.30: https://github.com/gitleaks/gitleaks#configuration. What would change results and has
no equal here is an error that names the key; what only leaves something out is a note in the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardenctl.model.errors import PolicyError
from hardenctl.policy.golang import python_expression

_RULE = frozenset(
    ("id", "description", "regex", "secretGroup", "entropy", "path", "keywords", "tags", "allowlist", "allowlists")
)
_ALLOW = frozenset(
    ("id", "description", "condition", "commits", "paths", "regexes", "regexTarget", "stopwords", "targetRules")
)
_TOP = frozenset(("title", "description", "extend", "minVersion", "rules", "allowlist", "allowlists"))
_HELP = "correct it there, and gitleaks reads the file too"
_LISTED = 5  # rules that a note names


def extended_path(document: Mapping[str, Any], shown: str) -> str:
    """The file that this one extends; empty where there is none."""
    extend = _typed(document, "extend", dict, shown) or {}
    return _typed(extend, "path", str, shown, "extend.") or ""


def translate(document: Mapping[str, Any], shown: str) -> dict[str, Any]:
    """The tables of a policy, and `notes`. Raises PolicyError that names the file and the key."""
    reader = _Reader(shown)
    reader.known(document, _TOP, "")
    custom, allow = [], []
    for index, rule in enumerate(_tables(document, "rules", shown)):
        key = f"rules[{index}]"
        reader.known(rule, _RULE, f"{key}.")
        own, theirs = reader.rule(rule, key)
        custom += own
        allow += theirs
    for key, each in reader.allowlists(document, ""):
        allow += reader.allowed(each, key, [])
    extend = document.get("extend") or {}
    if extend.get("useDefault"):
        reader.notes.append(f"{shown}: our own rules stand in for gitleaks' default ones")
    if reader.by_path:
        named = ", ".join(f"`{each}`" for each in reader.by_path[:_LISTED])
        more = f" and {len(reader.by_path) - _LISTED} more" if len(reader.by_path) > _LISTED else ""
        reader.notes.append(f"{shown}: rules that look at paths alone are not carried over: {named}{more}")
    if reader.commits:
        reader.notes.append(f"{shown}: allowed commits are not carried over: a baseline says what is accepted")
    return {"secrets": {"custom": custom, "allow": allow}, "notes": reader.notes}


class _Reader:
    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.notes: list[str] = []
        self.by_path: list[str] = []
        self.commits = False

    def known(self, table: Mapping[str, Any], keys: frozenset[str], prefix: str) -> None:
        """Raise for a key that gitleaks does not have, or that means something we cannot do."""
        for key in table:
            if key not in keys:
                raise PolicyError(
                    f"{self.shown}: `{prefix}{key}`: cannot be carried over", help="remove it, or write the rule anew"
                )

    def rule(self, rule: Mapping[str, Any], key: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """A rule as a custom one, and what it allows."""
        shown = self.shown
        name = _typed(rule, "id", str, shown, f"{key}.") or ""
        if not name:
            raise PolicyError(f"{shown}: `{key}.id`: is missing", help="name the rule")
        pattern = _typed(rule, "regex", str, shown, f"{key}.") or ""
        path = _typed(rule, "path", str, shown, f"{key}.") or ""
        if not pattern:
            self.by_path.append(name)
            return [], []
        own = {
            "id": name,
            "description": _typed(rule, "description", str, shown, f"{key}.") or name,
            "pattern": self.expression(pattern, f"{key}.regex"),
            "keywords": _strings(rule, "keywords", shown, key),
            "group": _typed(rule, "secretGroup", int, shown, f"{key}.") or 0,
            "entropy": float(_typed(rule, "entropy", (int, float), shown, f"{key}.") or 0),
            "path-pattern": self.expression(path, f"{key}.path") if path else "",
        }
        allow = [
            each for where, table in self.allowlists(rule, f"{key}.") for each in self.allowed(table, where, [name])
        ]
        return [own], allow

    def allowlists(self, table: Mapping[str, Any], prefix: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Each allowlist of the file or of a rule, in its old and new spelling, and its key."""
        found = [
            (f"{prefix}allowlists[{index}]", each)
            for index, each in enumerate(_tables(table, "allowlists", self.shown, prefix))
        ]
        old = _typed(table, "allowlist", dict, self.shown, prefix)
        return [*found, *([(f"{prefix}allowlist", old)] if old else [])]

    def allowed(self, table: Mapping[str, Any], key: str, rules: list[str]) -> list[dict[str, Any]]:
        """An allowlist; none where nothing is left of it."""
        shown = self.shown
        self.known(table, _ALLOW, f"{key}.")
        condition = (_typed(table, "condition", str, shown, f"{key}.") or "OR").upper()
        if condition not in {"OR", "AND", "||", "&&"}:
            raise PolicyError(f"{shown}: `{key}.condition`: expected `OR` or `AND`", help="leave it out for `OR`")
        every = condition in {"AND", "&&"}
        if table.get("commits"):
            self.commits = True
            if every:
                return []  # without the commits, it would allow more than it says
        target = _typed(table, "regexTarget", str, shown, f"{key}.") or "secret"
        if target not in {"secret", "match", "line"}:
            raise PolicyError(
                f"{shown}: `{key}.regexTarget`: expected `match` or `line`", help="leave it out for the secret"
            )
        allow = {
            "reason": _typed(table, "description", str, shown, f"{key}.") or f"an allowlist of {shown}",
            "rules": rules or _strings(table, "targetRules", shown, key),
            "path-patterns": [
                self.expression(each, f"{key}.paths[{at}]")
                for at, each in enumerate(_strings(table, "paths", shown, key))
            ],
            "patterns": [
                self.expression(each, f"{key}.regexes[{at}]")
                for at, each in enumerate(_strings(table, "regexes", shown, key))
            ],
            "target": target,
            "words": _strings(table, "stopwords", shown, key),
            "all-of": every,
        }
        return [allow] if allow["path-patterns"] or allow["patterns"] or allow["words"] else []

    def expression(self, text: str, key: str) -> str:
        """An expression of Go in Python's words."""
        try:
            return python_expression(text)
        except ValueError as error:
            raise PolicyError(
                f"{self.shown}: `{key}`: {error}", help="write it without, here or as a custom rule of the policy"
            ) from None


def _typed(table: Mapping[str, Any], key: str, kind: Any, shown: str, prefix: str = "") -> Any:
    value = table.get(key)
    if value is None or (isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)):
        return value
    names: Mapping[Any, str] = {str: "a string", dict: "a table", int: "a whole number"}
    raise PolicyError(f"{shown}: `{prefix}{key}`: expected {names.get(kind, 'a number')}", help=_HELP)


def _tables(table: Mapping[str, Any], key: str, shown: str, prefix: str = "") -> list[Mapping[str, Any]]:
    value = table.get(key, [])
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return value
    raise PolicyError(f"{shown}: `{prefix}{key}`: expected tables", help=f"write `[[{prefix}{key}]]`")


def _strings(table: Mapping[str, Any], key: str, shown: str, prefix: str) -> list[str]:
    value = table.get(key, [])
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [each for each in value if each]
    raise PolicyError(f"{shown}: `{prefix}.{key}`: expected a list of strings", help=_HELP)
