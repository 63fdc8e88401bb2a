"""What makes a value guessable: soft signals for the score, and what such a credential is told as."""

from __future__ import annotations

import functools

from hardenctl.detect.secrets.candidate import Candidate, How
from hardenctl.detect.secrets.filters import text_in_base64
from hardenctl.detect.secrets.headers import basic
from hardenctl.detect.secrets.language import Setting, setting
from hardenctl.formats.paths import is_compose, is_dockerfile, is_env_file
from hardenctl.rules.secrets.values import is_admitted, is_chosen_key, is_own_word, is_placeholder, weakness

_BESIDE_A_USER = frozenset((How.USERINFO, How.BASIC))


def guesses(candidate: Candidate) -> frozenset[str]:
    """The names of what makes a candidate's value guessable; none where nothing does."""
    return _guesses(candidate.value, candidate.key, candidate.how, candidate.user)


@functools.lru_cache(maxsize=4096)  # versions of a file say the same again and again
def _guesses(value: str, key: str, how: How, user: str) -> frozenset[str]:
    if how is How.BASIC and (pair := basic(value)):
        user, value = pair if pair[1] else ("", pair[0])  # some services take a key as the user, without a password
        key = ""
    plain = text_in_base64(value)
    found = set(_of(value, key, user))
    if plain != value:
        pair = basic(plain.removeprefix("Basic "))
        found |= _of(pair[1], "", pair[0]) if pair else _of(plain, key, user)
    return frozenset(found)


def _of(value: str, key: str, user: str) -> set[str]:
    found = set()
    if (kind := weakness(value, key, user)) is not None:
        found.add(f"weak:{kind.value}")
    if is_placeholder(value):
        found.add("weak:placeholder")
    if is_own_word(key, value):
        found.add("weak:own-word")
    if is_admitted(value):
        found.add("weak:admitted")
    return found


def is_no_leak(candidate: Candidate, path: str, *, own_name: bool = False) -> bool:
    """Whether a candidate is guessable, or its user's `own_name`, where that is not told as a leak.

    Another rule tells those of some files (`*-weak-credential`), and what a workflow starts for its tests is thrown
    away with it. A person chooses passwords: a word under `token` is mostly none. Digits are examples.
    """
    found = guesses(candidate)
    if not found and not own_name:
        return False
    if candidate.value.isdigit() or _is_told_elsewhere(path):
        return True
    return candidate.how not in _BESIDE_A_USER and not is_chosen_key(candidate.key)


@functools.lru_cache(maxsize=256)
def _is_told_elsewhere(path: str) -> bool:
    return is_env_file(path) or is_compose(path) or is_dockerfile(path) or Setting.CI in setting(path)
