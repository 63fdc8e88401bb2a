"""What versions of files have in common needs no second look: it is most of a history's bytes.

Whether a piece of text holds a credential depends on what is near it and on the path alone. So a version is clean if
the version before it was, and what differs between the two is, with enough around it. And of all lines of a history
few are different ones: those that were once looked at in vain need not be parsed again.

Whatever is not surely clean is looked at whole: this module only ever says "nothing here", and never what there is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from hardenctl.detect.secrets import pipeline
from hardenctl.detect.secrets.assign import LONGEST
from hardenctl.detect.secrets.language import quoting, setting
from hardenctl.detect.secrets.matcher import Anchor, HyperscanEngine
from hardenctl.detect.secrets.stores import is_store, stored
from hardenctl.model.blob import Blob, Gap, Provenance

NEAR = 700  # bytes around a value that may have a say in what it is; the farthest look of `detect.secrets` is 600
FAR = LONGEST + NEAR  # the same for a value that may go on over many lines
GRAIN = 64  # bytes: how exactly the difference of two versions is found
LINES = 3  # lines before a difference in which a key may stand whose value is on the next ones, and after a key
KEPT = 400_000  # pieces of text that are remembered: about 30 MB
APART = b"\n" * 400  # between pieces that are parsed together: further than anything but a whole-file form looks

# Forms whose parts are far from each other: always looked at whole. So is what is no UTF-8.
# Three searches for literals take a tenth of the time of one for any of them.
_WHOLE = (b"-----BEGIN", b'"kty"', b"kind: Secret")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_MULTILINE = (b"`", b'"""', b"'''")
# What a line ends in whose value may stand on the next one: after these whatever that begins with...
_OPENS = (b"(", b"|", b"?", b"\\", b" or", b"new")
# ... and after these if it begins with a string.
_AWAITS = (b"[", b"{", b",", b"=", b":", b">", b"+", b"!", b"~")
_STRING = re.compile(rb"[ \t]*(?:\\|[rbufL@$8]{0,2}[\"'`]|default)")


class Repeats:
    """Remembers the last version of one path, and pieces of text. `rules` are the ids of those that are enabled."""

    def __init__(self, rules: frozenset[str]) -> None:
        self._rules = rules
        self._path = ""
        self._clean: bytes | None = None  # the last version of the path, if it was
        self._barren: set[int] = set()  # hashes of pieces in which there was nothing, with the kind of their path

    def is_clean(self, blob: Blob) -> bool:
        """Whether a blob surely holds no credential. False says nothing."""
        before = self._clean if blob.path == self._path else None
        self._path, self._clean = blob.path, None
        engine = pipeline.matcher().settle()
        if isinstance(engine, HyperscanEngine) and self._is_clean(engine, blob, before):
            self._clean = blob.data
            return True
        return False

    def _is_clean(self, engine: HyperscanEngine, blob: Blob, before: bytes | None) -> bool:
        data, path = blob.data, blob.path
        start, end = (0, len(data)) if before is None else around(data, *difference(before, data))
        part = data if before is None else data[start:end]
        if b"\0" in part or data.startswith(_MARKS) or not _is_utf8(part) or any(map(part.__contains__, _WHOLE)):
            return False
        if next(stored(blob.text, path), None):
            return False
        anchors = engine.anchors(part)
        if anchors is None:
            return False
        kind, barren = _kind(path), self._barren
        near: dict[bytes, int] = {}  # new lines, and where they start
        far: list[int] = []
        reached = -1
        for offset, anchor in anchors:
            at = start + offset
            if at < reached:
                continue
            if anchor == Anchor.PAIR:
                far.append(at)
                continue
            # Most often a line that is known: this loop is the hottest of a history's scan.
            first, reached = data.rfind(b"\n", max(0, at - FAR), at) + 1, data.find(b"\n", at, at + FAR)
            if reached >= 0 and hash((kind, data[first:reached])) in barren:
                continue
            reached = line_end(data, first, at)
            if reached < 0:
                far.append(at)
            elif hash((kind, line := data[first:reached])) not in barren:
                near.setdefault(line, at)
        return self._are_barren(blob, kind, near, far)

    def _are_barren(self, blob: Blob, kind: int, near: dict[bytes, int], far: list[int]) -> bool:
        """Whether there is nothing in new lines, and in what has to be looked at with all around it."""
        if near and not self._look(blob.path, kind, APART.join(near), near):
            for line, at in near.items():  # a line that looks like a hit: what is around it may say otherwise
                if not self._look(blob.path, kind, line, (line,)):
                    far.append(at)
        for first, last in stretches(blob.data, sorted(far)):
            stretch = blob.data[first:last]
            if hash((kind, stretch)) not in self._barren and not self._look(blob.path, kind, stretch, (stretch,)):
                return False
        return True

    def _look(self, path: str, kind: int, text: bytes, pieces: Iterable[bytes]) -> bool:
        """Whether there is nothing in a text, and remember its pieces if so."""
        left_out: list[Gap] = []
        if not _is_utf8(text) or next(
            pipeline.detect(Blob(Provenance(path), text), self._rules, left_out.append), None
        ):
            return False
        if left_out:
            return False
        if len(self._barren) > KEPT:
            self._barren.clear()
        self._barren.update(hash((kind, piece)) for piece in pieces)
        return True


@functools.lru_cache(maxsize=1024)
def _kind(path: str) -> int:
    """All that a path says about the lines of its file."""
    return hash((quoting(path), setting(path), is_store(path), PurePosixPath(path).suffix))


def line_end(data: bytes, start: int, at: int) -> int:
    """Where the line of an anchor ends, with those it goes on in; -1 where its value may be further away.

    The line break counts only where a line could go on, so that others are told by their own bytes.
    """
    end = at - 1
    for _ in range(LINES):
        end = data.find(b"\n", end + 1, at + FAR)
        if end < 0:
            end = len(data)
            if end - at > FAR:
                return -1
            break
        last = data[start:end].rstrip(b" \t\r")[-16:]
        if last.endswith(_AWAITS):
            if not _STRING.match(data, end + 1):
                end += 1
                break
        elif not last.endswith(_OPENS):
            break
    else:
        return -1
    line = data[start:end]
    quote = line.rfind(b"`")
    # A string in backticks that the line opens and does not close: what is before the mark tells.
    if (quote >= 0 and not line[quote - 1 : quote].isalnum()) or b'"""' in line or b"'''" in line:
        return -1
    return end


def difference(old: bytes, new: bytes) -> tuple[int, int]:
    """The stretch of `new` outside of which it is the same as `old`, exact to `GRAIN` bytes. Halves and compares."""
    limit = min(len(old), len(new))
    same, upper = 0, limit
    while upper - same > GRAIN:
        middle = (same + upper) // 2
        if old[same:middle] == new[same:middle]:
            same = middle
        else:
            upper = middle
    tail, upper, shift = 0, limit - same, len(old) - len(new)
    while upper - tail > GRAIN:
        middle = (tail + upper) // 2
        low, high = len(new) - middle, len(new) - tail
        if old[low + shift : high + shift] == new[low:high]:
            tail = middle
        else:
            upper = middle
    return same, len(new) - tail


def around(data: bytes, start: int, end: int) -> tuple[int, int]:
    """A stretch with all whose meaning it can change: whole lines, and more where a value can have many."""
    start = max(0, start - NEAR)
    if any(mark in data[max(0, start - FAR) : end] for mark in _MULTILINE):
        start = max(0, start - FAR)
    for _ in range(LINES):
        start = max(0, data.rfind(b"\n", 0, start))
    end = data.find(b"\n", min(len(data), end + NEAR))
    return start, end + 1 if end >= 0 else len(data)


def stretches(data: bytes, anchors: list[int]) -> Iterator[tuple[int, int]]:
    """What has to be known of a text to judge each of its anchors: sorted stretches that share no anchor."""
    at = 0
    while at < len(anchors):
        first = last = anchors[at]
        at += 1
        while at < len(anchors) and anchors[at] - last <= NEAR:
            last = anchors[at]
            at += 1
        start = data.rfind(b"\n", max(0, first - FAR), max(0, first - NEAR)) + 1 or max(0, first - FAR)
        end = _line_end(data, _line_end(data, last) + NEAR)
        if any(mark in data[first:end] for mark in _MULTILINE):
            end = _line_end(data, last + FAR)
        yield start, end


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at, at + FAR)
    return end + 1 if end >= 0 else min(len(data), at + FAR)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
