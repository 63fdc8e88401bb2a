"""The secret pipeline: matcher -> candidate -> classification -> hit. Imports neither git nor policy."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.model.blob import Blob
from hardenctl.model.finding import Hit
from hardenctl.rules.declare import Rule


def detect_secrets(blob: Blob, rules: frozenset[str]) -> Iterator[tuple[Rule, Hit]]:
    """The secrets in a blob, by the rules whose ids are given, in the order of their places."""
    from hardenctl.detect.secrets.pipeline import detect

    yield from detect(blob, rules)


def sensitive_spans(blob: Blob) -> list[tuple[int, int]]:
    """Everything in a blob that could be a credential, weak ones included: what must not be shown."""
    from hardenctl.detect.secrets.pipeline import sensitive

    return sensitive(blob)
