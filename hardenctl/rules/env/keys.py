"""What the env rules say about keys: which are credentials of which class, and how they are named in a message."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hardenctl.formats.dotenv import Dotenv, Entry
from hardenctl.rules.secrets.values import ValueClass, classify_value, is_credential_key, is_said

_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}")
_PUBLIC = re.compile(r"(?:VITE|NEXT_PUBLIC|REACT_APP|NUXT_PUBLIC|EXPO_PUBLIC|GATSBY|PUBLIC|VUE_APP|STORYBOOK)_")
_SHORT = 24  # characters; a longer mix of cases and digits may be a piece of a key and is never shown
_SHOWN = 5


def of_class(document: Dotenv, *classes: ValueClass) -> list[Entry]:
    """The entries whose value is of one of the classes; the last one of a key counts, as applications see it."""
    last = {entry.key: entry for entry in document.entries if _is_name(entry.key)}
    return [entry for entry in last.values() if class_of(document, entry) in classes]


def live(document: Dotenv) -> list[Entry]:
    """The entries that hold a live credential, overwritten ones too: they leak all the same."""
    return [entry for entry in document.entries if _is_name(entry.key) and class_of(document, entry) is ValueClass.LIVE]


def unfilled(document: Dotenv, *classes: ValueClass) -> list[Entry]:
    """The entries that name a credential and hold none."""
    return [entry for entry in of_class(document, *classes) if is_credential_key(entry.key)]


def class_of(document: Dotenv, entry: Entry) -> ValueClass:
    """What a value is, seen together with its key and its neighbours.

    What looks live by itself is guessable where other settings of the file say it.
    """
    value = (entry.value or "").strip()
    found = classify_value(entry.key, value)
    if found is not ValueClass.LIVE:
        return found
    others = (
        other.value or "" for other in document.entries if other.key != entry.key and not is_credential_key(other.key)
    )
    return ValueClass.WEAK if is_said(value, others) else found


def is_public(document: Dotenv) -> bool:
    """Whether every key is one that a front end's build publishes anyway."""
    return bool(document.entries) and all(_PUBLIC.match(entry.key) for entry in document.entries)


def names(entries: Iterable[Entry]) -> str:
    """Key names for a message, the first five of them; never a value."""
    keys = list(dict.fromkeys(entry.key for entry in entries))
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(f"`{key}`" for key in keys[:_SHOWN]) + more


def _is_name(key: str) -> bool:
    """Whether a key can be shown: a line of a private key that lost its quotes also looks like an assignment."""
    if not _NAME.fullmatch(key):
        return False
    mixed = re.search("[a-z]", key) and re.search("[A-Z]", key) and re.search("[0-9]", key)
    return len(key) <= _SHORT or not mixed
