"""A unified diff in which no secret shows: neither in changed lines nor in their neighbours."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from hardenctl.detect.redact import mask
from hardenctl.detect.secrets import detect_secrets, sensitive_spans
from hardenctl.fix.model import Change, Proposal
from hardenctl.model.blob import Blob, Provenance
from hardenctl.model.settings import CustomSecret
from hardenctl.model.text import is_binary
from hardenctl.rules import RULES
from hardenctl.rules.declare import DocumentRule

CONTEXT = 3
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def unified(proposal: Proposal) -> str:
    """The diff of all changes, for people: secrets are bullets, so it can't be applied with `patch`."""
    known = _known(proposal)
    parts = [line for change in proposal.changes for line in _diff(change, known, proposal.custom)]
    parts += [f"# git rm --cached {path}" for path in proposal.untrack]
    return "".join(f"{_CONTROL.sub(_visible, line)}\n" for line in parts)


def _known(proposal: Proposal) -> re.Pattern[str] | None:
    """The secrets found in any version of any file: masked everywhere, also where a fix moved one to."""
    ids = frozenset(each.id for each in RULES if not isinstance(each, DocumentRule))
    values = {
        hit.secret
        for change in proposal.changes
        for data in (change.before or b"", change.after)
        if not is_binary(data)
        for _, hit in detect_secrets(Blob(Provenance(change.path), data), ids, custom=proposal.custom)
        if hit.secret
    }
    return re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True)))) if values else None


def _diff(change: Change, known: re.Pattern[str] | None, custom: tuple[CustomSecret, ...]) -> Iterator[str]:
    old, new = (_Text(change.path, each, known, custom) for each in (change.before or b"", change.after))
    yield f"--- {'/dev/null' if change.before is None else 'a/' + change.path}"
    yield f"+++ b/{change.path}"
    if is_binary(change.after) or is_binary(change.before or b""):
        yield "# binary"
        return
    # Lines are compared as they are and shown masked: a changed secret is a change, though it looks the same.
    matcher = difflib.SequenceMatcher(None, old.raw, new.raw, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        yield f"@@ -{_range(group[0][1], group[-1][2])} +{_range(group[0][3], group[-1][4])} @@"
        for tag, first, last, other_first, other_last in group:
            if tag == "equal":
                yield from (f" {line}" for line in old.shown[first:last])
                continue
            yield from (f"-{line}" for line in old.shown[first:last])
            yield from (f"+{line}" for line in new.shown[other_first:other_last])


class _Text:
    """The lines of a file, as they are and as they may be shown."""

    def __init__(self, path: str, data: bytes, known: re.Pattern[str] | None, custom: tuple[CustomSecret, ...]) -> None:
        blob = Blob(Provenance(path), data)
        spans = [
            *sensitive_spans(blob, custom),
            *(match.span() for match in (known.finditer(blob.text) if known else ())),
        ]
        self.raw = _lines(blob.text)
        self.shown: Sequence[str] = [line.rstrip("\r") for line in _lines(mask(blob.text, spans))]


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _range(start: int, end: int) -> str:
    """A range of lines as `diff -u` writes it."""
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + (1 if length else 0)},{length}"


def _visible(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"
