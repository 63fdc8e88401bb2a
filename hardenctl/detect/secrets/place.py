"""How bad a credential is where it stands: in a test, in an example, in what every visitor is sent anyway."""

from __future__ import annotations

import re

from hardenctl.detect.secrets.language import Setting, setting
from hardenctl.model.finding import Confidence, Severity
from hardenctl.model.pattern import lazy_pattern

UNTRUSTED = Setting.TEST | Setting.EXAMPLE | Setting.DOCUMENT
_BESIDE = 400  # characters around a key's id in which its secret is looked for
_SIGNED_URL = lazy_pattern(r"(?:Credential|AccessKeyId|SubscriptionId)(?:=|%3D|\\u003d)\Z", re.IGNORECASE)
_EXAMPLE = lazy_pattern(
    r"(?:@|\b)(?:examples?|placeholder)\b[\"']?\s{0,4}(?:[:=(]|\s)\s{0,4}[\[({]?\s{0,80}[\"'`]?\Z"
    r"|(?:\bfor example\b|\be\.g\.)[^\n\"'`]{0,80}\Z",
    re.IGNORECASE,
)
_AWS_SECRET = lazy_pattern(
    r"(?<![A-Za-z0-9/+])(?=[A-Za-z/+]{0,39}\d)(?=[^A-Z]{0,39}[A-Z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
_AWS_IDS = frozenset({"secret-aws-access-key-id", "secret-aws-temporary-key-id"})
# What Firebase writes for its client libraries: the key in it identifies the project to everybody, by design.
# https://firebase.google.com/docs/projects/api-keys
_CLIENT_FILE = lazy_pattern(r"(?:^|/)(?:google-services\.json|GoogleService-Info\.plist|firebase-config\.\w+)$")
_CLIENT_WORDS = lazy_pattern(r"authDomain|messagingSenderId|mobilesdk_app_id|firebaseapp\.com")


def is_example(text: str, start: int) -> bool:
    """Whether what stands before a value calls it an example: `examples=["`, `placeholder: "`, `for example, `."""
    return bool(_EXAMPLE.search(text[max(0, start - 120) : start]))


def eased(  # noqa: PLR0917 - where a token stands
    rule_id: str, severity: Severity, confidence: Confidence, text: str, span: tuple[int, int], path: str
) -> tuple[Severity, Confidence]:
    """Severity and confidence of a token of a known format, by what is around it."""
    start, end = span
    around = text[max(0, start - _BESIDE) : start], text[end : end + _BESIDE]
    if rule_id in _AWS_IDS and not any(map(_AWS_SECRET.search, around)):
        return min(severity, Severity.LOW), min(confidence, Confidence.POSSIBLE)
    if _SIGNED_URL.search(around[0]) or is_example(text, start):
        return min(severity, Severity.LOW), confidence
    if rule_id == "secret-google-api-key" and (_CLIENT_FILE.search(path) or any(map(_CLIENT_WORDS.search, around))):
        return min(severity, Severity.LOW), confidence
    return severity, confidence


def standing(
    severity: Severity, confidence: Confidence, text: str, start: int, path: str
) -> tuple[Severity, Confidence]:
    """Severity and confidence of a credential that no format of its own gives away.

    In a test, an example or a document it may look as random as it likes: most of those open nothing, so it is possible
    there, and no more.
    """
    where = setting(path)
    if where & (UNTRUSTED | Setting.TRANSLATION) or is_example(text, start):
        return min(severity, Severity.LOW), min(confidence, Confidence.POSSIBLE)
    return min(severity, Severity.MEDIUM) if Setting.CI in where else severity, confidence
