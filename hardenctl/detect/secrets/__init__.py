"""The secret pipeline: matcher -> candidate -> classification -> hit. Imports neither git nor policy."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.paths import is_env_file
from hardenctl.model.blob import Blob
from hardenctl.model.finding import Hit
from hardenctl.model.text import is_binary
from hardenctl.rules.declare import Rule


def detect_secrets(blob: Blob, rules: frozenset[str]) -> Iterator[tuple[Rule, Hit]]:
    """The secrets in a blob, by the rules whose ids are given, in the order of their places."""
    from hardenctl.detect.secrets.pipeline import detect

    yield from detect(blob, rules)


def sensitive_spans(blob: Blob) -> list[tuple[int, int]]:
    """Everything in a blob that could be a credential, weak ones included: what must not be shown."""
    from hardenctl.detect.secrets.pipeline import sensitive

    return [*sensitive(blob), *(_env_values(blob) if is_env_file(blob.path) and not is_binary(blob.data) else ())]


def _env_values(blob: Blob) -> Iterator[tuple[int, int]]:
    """What the env rules call weak or live, in whatever way it is written: broken quotes and escapes included."""
    from hardenctl.formats.dotenv import parse_dotenv
    from hardenctl.rules.secrets.values import ValueClass, classify_value

    for entry in parse_dotenv(blob.path, blob.text).entries:
        if entry.value and classify_value(entry.key, entry.value) in {ValueClass.WEAK, ValueClass.LIVE}:
            yield entry.value_span.start, entry.value_span.end
