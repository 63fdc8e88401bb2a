"""Turns a hit into a finding: position, fingerprint, inline marks, and a frame in which every secret is masked.

Redaction happens here and only here. What a finding does not carry, no reporter can leak.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Sequence

from hardenctl.detect.redact import BULLETS, mask, merge
from hardenctl.detect.secrets import sensitive_spans
from hardenctl.model.blob import Blob, Snapshot
from hardenctl.model.finding import Finding, FrameLine, Hit, Location, Mark, RelatedLocation, fingerprint
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import field, record, replace
from hardenctl.model.settings import CustomSecret
from hardenctl.model.text import Span
from hardenctl.rules.declare import Rule

CONTEXT = 1  # lines shown before and after
WIDEST = 160  # characters of a line shown around the caret
TALLEST = 5  # lines of a long span that are shown

_OURS = lazy_pattern(r"hardenctl:\s*ignore\[([^\]\n]*)\]\s*([^\r\n]*)")
_THEIRS = lazy_pattern(r"pragma: ?(?:allow|white)list secret|gitleaks:allow|trufflehog:ignore|ggignore|\bnosec\b")
_COMMENT_START = lazy_pattern(r"[\s#/*<!;%{(\"'-]*(?:REM\s+)?", re.IGNORECASE)
_COMMENT_END = lazy_pattern(r"\s*(?:\*/|-->).*$")


@record(slots=False, frozen=False)
class Stamper:
    """Stamps hits of one run. `salt` is the repository's, or asks for it; `snapshot` resolves spans in other files.

    `custom` are the project's own kinds of credentials, which must not be shown either. Without `frames`, findings have
    none until `framed` adds them: masking a version takes as long as looking at it, and few of a history's are told.
    """

    salt: bytes | Callable[[], bytes]
    snapshot: Snapshot | None = None
    custom: tuple[CustomSecret, ...] = ()
    frames: bool = True
    _sensitive: tuple[str, bytes, Sequence[tuple[int, int]]] = ("", b"", ())
    _hashes: dict[tuple[str, str], str] = field(default_factory=dict)

    def stamp(self, rule: Rule, hit: Hit, blob: Blob, allowed: str | None = None) -> Finding:
        """The finding of a hit whose span lies in `blob`; `allowed` is why the policy says that it doesn't count."""
        location = _location(blob, hit.span)
        return Finding(
            rule=rule.id,
            severity=rule.severity if hit.severity is None else hit.severity,
            confidence=hit.confidence,
            category=rule.category,
            message=hit.message,
            location=location,
            fingerprint=self._fingerprint(rule, hit),
            identity=hit.identity,
            fix=hit.fix,
            related=tuple(self._related(hit, blob)),
            evidence=hit.evidence,
            services=hit.services,
            frame=self._frame(blob, location, secret=hit.secret is not None) if self.frames else (),
            marks=(
                *([Mark((rule.id,), allowed, location.line, tool="policy")] if allowed is not None else ()),
                *self._marks(blob, location),
            ),
            why=hit.why,
            oid=blob.provenance.oid,
            standing=blob.provenance.standing,
            commit=blob.provenance.commit,
        )

    def framed(self, finding: Finding, blob: Blob) -> Finding:
        """The finding of a secret with its frame, from the version that it was found in."""
        return replace(finding, frame=self._frame(blob, finding.location, secret=True))

    def _related(self, hit: Hit, blob: Blob) -> list[RelatedLocation]:
        related = []
        for each in hit.related:
            other = blob if each.span.path == blob.path else self.snapshot and self.snapshot.read(each.span.path)
            if other:
                related.append(RelatedLocation(_location(other, each.span), each.message))
        return related

    def _fingerprint(self, rule: Rule, hit: Hit) -> str:
        """`H(rule, value)` for a secret, `H(rule, path, identity)` for all else.

        The first is deliberately slow (about 2 ms) and salted, so that a report doesn't give a weak value away.
        """
        if hit.secret is None:
            return fingerprint(rule.id, hit.span.path, hit.identity)
        key = (rule.id, hit.secret)
        if key not in self._hashes:
            import hashlib

            salt = self.salt() if callable(self.salt) else self.salt
            material = f"{rule.id}\0{hit.secret}".encode("utf-8", "surrogatepass")
            self._hashes[key] = hashlib.scrypt(material, salt=salt, n=1024, r=8, p=1, dklen=16).hex()
        return self._hashes[key]

    def _frame(self, blob: Blob, location: Location, *, secret: bool) -> tuple[FrameLine, ...]:
        first = max(1, location.line - CONTEXT)
        last = min(len(blob.lines), min(location.end_line, location.line + TALLEST - 1) + CONTEXT)
        sensitive = self._sensitive_spans(blob)
        if secret:
            # The scan that masks neighbours may think less of this value than the rule that found it did.
            sensitive = merge([*sensitive, _span(blob, location)])
        return tuple(_frame_line(blob, number, location, sensitive) for number in range(first, last + 1))

    def _marks(self, blob: Blob, location: Location) -> list[Mark]:
        """The inline suppressions on the finding's lines, and on the line above where that is nothing but a comment.

        A mark behind code of its own belongs to that code: it must not hide what the next line holds.
        """
        marks = []
        for number in {location.line - 1, location.line, location.end_line}:
            line = blob.lines.line(number)
            if "hardenctl:" in line:
                for match in _OURS.finditer(line):
                    if number == location.line - 1 and not _COMMENT_START.fullmatch(line, 0, match.start()):
                        continue
                    rules = tuple(name.strip() for name in match[1].split(",") if name.strip())
                    reason = self._masked(blob, match[2], blob.lines.offset(number) + match.start(2))
                    marks.append(Mark(rules, _COMMENT_END.sub("", reason).strip(), number))
            elif number != location.line - 1 and (theirs := _THEIRS.search(line)):
                marks.append(Mark(("secret-",), f"marked `{theirs[0]}`", number, tool="other"))
        return sorted(marks, key=lambda mark: mark.line)

    def _masked(self, blob: Blob, text: str, start: int) -> str:
        """A stretch of a blob's text with what is sensitive in it masked: a reason may quote what it is about."""
        spans = self._sensitive_spans(blob)
        return mask(text, ((max(low - start, 0), min(high - start, len(text))) for low, high in spans))

    def _sensitive_spans(self, blob: Blob) -> Sequence[tuple[int, int]]:
        """Hits come file by file: one file's spans are kept, with its bytes, since another's may take their place."""
        path, data, spans = self._sensitive
        if path != blob.path or data is not blob.data:
            spans = merge(sensitive_spans(blob, self.custom))
            self._sensitive = blob.path, blob.data, spans
        return spans


def _location(blob: Blob, span: Span) -> Location:
    start, end = blob.lines.position(span.start), blob.lines.position(max(span.start, span.end))
    return Location(span.path, start.line, start.column, end.line, end.column)


def _span(blob: Blob, location: Location) -> tuple[int, int]:
    """As `_location`, the other way."""
    places = (location.line, location.column), (location.end_line, location.end_column)
    start, end = (blob.lines.offset(line) + column - 1 for line, column in places)
    return start, end


def _frame_line(blob: Blob, number: int, location: Location, sensitive: Sequence[tuple[int, int]]) -> FrameLine:
    """One masked line with its caret, cut to `WIDEST` characters around what matters."""
    text = blob.lines.line(number)
    start = blob.lines.offset(number)
    caret: tuple[int, int] | None = None
    if location.line <= number <= location.end_line:
        left = location.column - 1 if number == location.line else len(text) - len(text.lstrip())
        right = location.end_column - 1 if number == location.end_line else len(text)
        caret = (left, max(right, left + 1))
    shown, position, moved = "", 0, list(caret or (0, 0))
    # They are in order, and apart: those of this line, and one that began before it.
    begin, end = (bisect.bisect_left(sensitive, (place,)) for place in (start, start + len(text)))
    for first, last in sensitive[max(0, begin - 1) : end]:
        low, high = max(first - start, 0), min(last - start, len(text))
        if low >= high or low < position:
            continue
        shown += text[position:low]
        at = len(shown)
        shown += BULLETS
        for index, column in enumerate(caret or ()):
            if low < column < high:
                moved[index] = at if index == 0 else len(shown)
            elif column >= high:
                moved[index] += len(BULLETS) - (high - low)
        position = high
    shown += text[position:]
    shown = shown.replace("\t", " ")
    if len(shown) <= WIDEST:
        return FrameLine(number, shown, (moved[0], max(moved[1], moved[0] + 1)) if caret else None)
    cut = max(0, min(moved[0] - WIDEST // 3, len(shown) - WIDEST)) if caret else 0
    piece = shown[cut : cut + WIDEST]
    left, right = moved[0] - cut, min(moved[1] - cut, WIDEST)
    return FrameLine(number, piece, (left, max(right, left + 1)) if caret else None)
