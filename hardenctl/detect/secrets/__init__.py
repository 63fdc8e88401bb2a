"""The secret pipeline: matcher -> candidate -> classification -> hit. Imports neither git nor policy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from hardenctl.formats.paths import is_env_file
from hardenctl.model.blob import Blob, Gap
from hardenctl.model.finding import Hit
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.settings import CustomSecret
from hardenctl.model.text import is_binary
from hardenctl.rules.declare import Rule

if TYPE_CHECKING:
    from hardenctl.detect.secrets.assign import Memo

# Of random base-62 values of 20 to 40 characters these know 83 to 99 in 100; of the names in the Python packages of a
# large project, a few dozen.
_RUN = lazy_pattern(r"[A-Za-z0-9_+-]{20,}")  # no `/`: a path is no run
_DIGITS = lazy_pattern(r"[0-9]+")
_CLASSES = lazy_pattern(r"[a-z]+|[A-Z]+|[0-9]+|[_+-]+")
_SCATTERED = 2  # groups of digits
_LARGEST = 100_000  # characters of an env file; nothing of a larger one is shown
_SHORTEST, _LONGEST, _MOST = 8, 200, 500  # characters of a value, and values, that are looked for elsewhere in a file
_CHANGING = 0.4  # changes of class per character


def detect_secrets(
    blob: Blob,
    rules: frozenset[str],
    tell: Callable[[Gap], None] | None = None,
    custom: tuple[CustomSecret, ...] = (),
    memo: Memo | None = None,
) -> Iterator[tuple[Rule, Hit]]:
    """The secrets in a blob, by the rules whose ids are given, in the order of their places.

    `tell` is called with what was left out of a blob that holds more than can be looked at or told. `custom` are kinds
    of credentials that the project declares itself. `memo` is that of the file's other versions.
    """
    from hardenctl.detect.secrets.pipeline import detect

    yield from detect(blob, rules, tell, custom, memo)


def sensitive_spans(blob: Blob, custom: tuple[CustomSecret, ...] = ()) -> list[tuple[int, int]]:
    """Everything in a blob that could be a credential, weak and custom ones included: what must not be shown."""
    from hardenctl.detect.secrets.pipeline import sensitive

    if is_binary(blob.data):
        return []
    spans = [*sensitive(blob, custom), *_random_runs(blob.text), *(_env_values(blob) if is_env_file(blob.path) else ())]
    return [*spans, *_repeated(blob.text, spans)]


def _repeated(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where else the values of these spans stand: in a comment, say, or behind a broken quote. No common words."""
    from hardenctl.rules.secrets.values import is_weak

    values = {text[start:end] for start, end in spans if _SHORTEST <= end - start <= _LONGEST}
    for value in itertools.islice((value for value in sorted(values) if not is_weak(value)), _MOST):
        at = text.find(value)
        while at >= 0:
            yield at, at + len(value)
            at = text.find(value, at + len(value))


def _random_runs(text: str) -> Iterator[tuple[int, int]]:
    """Long runs that change between cases and digits all the time: a code frame does without, whatever they are."""
    for match in _RUN.finditer(text):
        run = match[0]
        if run.islower() or run.isupper():
            continue  # a digest: hexadecimal tokens are told by their keys
        if len(_DIGITS.findall(run)) >= _SCATTERED and len(_CLASSES.findall(run)) >= _CHANGING * len(run):
            yield match.span()


def _env_values(blob: Blob) -> Iterator[tuple[int, int]]:
    """What the env rules call weak or live, in whatever way it is written: broken quotes and escapes included."""
    from hardenctl.formats.dotenv import parse_dotenv
    from hardenctl.rules.secrets.values import ValueClass, classify_value

    if len(blob.text) > _LARGEST:
        yield 0, len(blob.text)
        return
    for entry in parse_dotenv(blob.path, blob.text).entries:
        if entry.value and classify_value(entry.key, entry.value) in {ValueClass.WEAK, ValueClass.LIVE}:
            yield entry.value_span.start, entry.value_span.end
