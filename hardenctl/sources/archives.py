"""What is in archives and saved images: each member like a file of its own, `backup.tar.gz!/app/.env`.

Nothing is ever written to disk, and names in an archive are labels only: `..`, absolute paths and links lead nowhere.
A saved image (`docker save`, an OCI layout) is a tar of tars: its layers are looked into one by one, so that a file
which a later layer deletes is found all the same, and its configuration (environment, history) is text like any other.

Archives are small things that can be made to become very large ones: what may come out of one is bounded, and what is
left out is a gap.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import os
import posixpath
import re
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import IO, Any, cast

from hardenctl.model.blob import Blob, Gap, Provenance
from hardenctl.model.record import field, record, replace
from hardenctl.sources import objects
from hardenctl.sources.files import LARGEST, TOO_LARGE, skip_by_content, skip_by_name
from hardenctl.sources.git import Git, shown

SUFFIXES = frozenset(
    (
        *(".zip", ".jar", ".war", ".ear", ".whl", ".egg", ".apk", ".ipa", ".aar", ".nupkg", ".vsix", ".xpi", ".pyz"),
        *(".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp"),  # zips of XML
        *(".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".tbz", ".xz", ".txz", ".lzma", ".oci"),
        # Known, and a gap: nothing in Python's library unpacks them.
        *(".zst", ".tzst", ".7z", ".rar", ".lz4", ".z", ".deb", ".rpm", ".iso", ".dmg", ".cab"),
    )
)
SEPARATOR = "!/"
NO_ARCHIVE = "it is no archive that can be looked into"
DEEPEST = 5  # archives within each other: an image, its layer, an application in it, a library in that, and one more
MOST_MEMBERS = 200_000  # a large image has about 100,000 files
MOST_BYTES = 4 << 30  # that come out of one archive: the size of a large image
RATIO, FREE = 200, 64 << 20  # times the archive's size that may come out, and bytes that always may: text packs 5 to 20
_HEAD = 512  # bytes that tell what something is
_TAR_MARK, _TAR_SUM = slice(257, 262), re.compile(rb"[ 0-7]{6}[\0 ]{2}")  # the first is none of a tar before 1988
_FOREIGN = (b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x04\x22\x4d\x18")  # zstd, 7-Zip, RAR, LZ4
_TORN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, struct.error,
    IndexError, KeyError, OverflowError, NotImplementedError, RuntimeError, MemoryError,
)  # fmt: skip


class _Enough(Exception):  # noqa: N818 - no error: a bound
    """What was reached."""


@record(slots=False, frozen=False)
class Budget:
    """What may still come out of one archive; `size` is its own, in bytes."""

    size: int
    members: int = 0
    bytes: int = 0

    def take(self, count: int) -> None:
        """Count bytes that came out. Raises _Enough at the bound."""
        self.bytes += count
        if self.bytes > MOST_BYTES:
            raise _Enough(f"more than {MOST_BYTES >> 30} GB come out of it")
        if self.bytes > max(FREE, self.size * RATIO):
            raise _Enough(f"it grows to more than {RATIO} times its size")

    def member(self) -> None:
        """Count a member. Raises _Enough at the bound."""
        self.members += 1
        if self.members > MOST_MEMBERS:
            raise _Enough(f"it has more than {MOST_MEMBERS:,} members")


@record
class Archive:
    """An archive of a source: where it came from, how large it is, and how it is opened."""

    provenance: Provenance
    size: int
    open: Callable[[], IO[bytes]] = field(repr=False)


def is_archive(path: str) -> bool:
    """Whether a file is one that is looked into, by its name."""
    return os.path.splitext(path)[1].lower() in SUFFIXES  # noqa: PTH122 - asked of every path


def may_be_archive(path: str) -> bool:
    """Whether a file is worth a look at what it begins with: `dump.tar.gz.bak`, but no picture."""
    return is_archive(path) or skip_by_name(path) is None


def is_packed(head: bytes) -> bool:
    """Whether bytes begin as an archive does."""
    return _kind(head) is not None


def stored(git: Git, wanted: Sequence[Provenance]) -> Iterator[Archive | Gap]:
    """The archives among objects in git's store, one after the other, by their names or what they begin with."""
    if not wanted:
        return
    for provenance, found in zip(wanted, objects.stream(git, [str(each.oid) for each in wanted]), strict=True):
        if found.data is None:
            yield Gap(provenance.path, "its object is missing from the repository")
        elif found.data and (is_archive(provenance.path) or is_packed(found.data[:_HEAD])):
            if not found.whole:
                yield Gap(provenance.path, TOO_LARGE)
                continue
            yield Archive(provenance, len(found.data), functools.partial(io.BytesIO, found.data))


def look_into(archive: Archive, skipped: Counter[str]) -> Iterator[Blob | Gap]:
    """The members of an archive that can hold text, and gaps for what could not be looked at."""
    path = archive.provenance.path
    budget = Budget(archive.size)
    try:
        with archive.open() as stream:
            for each in _members(path, stream, budget, 0, skipped):
                yield each if isinstance(each, Gap) else Blob(replace(archive.provenance, path=each[0]), each[1])
    except _Enough as bound:
        yield Gap(path, f"{bound}: the rest of it was not looked at")
    except _TORN as error:
        yield Gap(path, f"it could not be read to its end: {_what(error)}")


Member = tuple[str, bytes]


def _members(path: str, stream: IO[bytes], budget: Budget, depth: int, skipped: Counter[str]) -> Iterator[Member | Gap]:
    """What is in an archive, or in one compressed file."""
    head = _Headed(stream)
    kind = _kind(head.head)
    if kind in {None, "zip"}:  # a zip is known by its end, and may begin with a program's first line
        whole = head.whole()
        if whole is None:
            yield Gap(path, TOO_LARGE)
        elif kind is None and not zipfile.is_zipfile(whole):
            yield Gap(path, NO_ARCHIVE)
        else:
            yield from _of_zip(path, whole, budget, depth, skipped)
    elif kind == "tar":
        # Two archives in a row are one to GNU tar: what stands behind the first one's end counts.
        with closing(
            tarfile.open(fileobj=cast("Any", head), mode="r|", tarinfo=_Info, ignore_zeros=True, errorlevel=0)
        ) as tar:
            yield from _of_tar(path, tar, budget, depth, skipped)
    else:
        unpacked = _Counted(_UNPACKED[str(kind)](cast("Any", head)), budget)
        inner = _Headed(cast("IO[bytes]", unpacked))
        if _kind(inner.head) == "tar":
            yield from _members(path, cast("IO[bytes]", inner), budget, depth, skipped)
        else:
            yield from _member(_inside(path), cast("IO[bytes]", inner), budget, depth, skipped)


class _Info(tarfile.TarInfo):
    """A header that is wrong ends a `TarFile` without a word, and one for a long name may ask for any memory."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Info:
        """As `TarInfo.frombuf`. Raises ReadError for what is no header and no end."""
        try:
            info = super().frombuf(buf, encoding, errors)
        except (tarfile.EmptyHeaderError, tarfile.EOFHeaderError):  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None
        if info.type in _EXTENSIONS and info.size > _LONGEST_NAME:
            raise tarfile.ReadError("a name longer than any path")
        return info


_EXTENSIONS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
)  # fmt: skip
_LONGEST_NAME = 1 << 20  # bytes of a name, or of a member's attributes


def _of_zip(path: str, whole: IO[bytes], budget: Budget, depth: int, skipped: Counter[str]) -> Iterator[Member | Gap]:
    with zipfile.ZipFile(whole) as packed:
        if packed.comment and not skip_by_content(packed.comment):
            yield f"{path}{SEPARATOR}(comment)", packed.comment
        for info in packed.infolist():
            budget.member()
            if info.is_dir() and not info.file_size:
                continue
            name = _joined(path, info.filename)
            if info.flag_bits & 1:
                yield Gap(name, "it is encrypted")
                continue
            if _is_left_out(name):
                skipped["binary"] += 1
                continue
            info.file_size = MOST_BYTES  # what is packed ends by itself; how long it says to be may be a lie
            try:
                with packed.open(info) as member:
                    yield from _member(name, cast("IO[bytes]", _Counted(member, budget)), budget, depth, skipped)
                    if _has_more(member):
                        yield Gap(name, "more is packed there than comes out of it")
            except _TORN as error:
                yield Gap(name, f"it could not be unpacked: {_what(error)}")
        yield from _in_no_member(path, whole, packed, budget, depth, skipped)


def _has_more(member: IO[bytes]) -> bool:
    """Whether packed bytes stand behind the end of a member's stream. Asked of one that was read to its end."""
    return bool(getattr(getattr(member, "_decompressor", None), "unused_data", b""))


def _in_no_member(  # noqa: PLR0917 - a zip, and what goes with each look into one
    path: str, whole: IO[bytes], packed: zipfile.ZipFile, budget: Budget, depth: int, skipped: Counter[str]
) -> Iterator[Member | Gap]:
    """What a zip holds that its directory does not name: another zip before or behind it, a program's first line."""
    for start, end in _stretches(whole, packed):
        name = f"{path}{SEPARATOR}(from byte {start})"
        if end - start > LARGEST:
            yield Gap(name, TOO_LARGE)
            continue
        whole.seek(start)
        data = whole.read(end - start)
        if not data.strip(b"\0"):
            continue  # members may be aligned
        at = max(0, data.find(_MEMBER))
        for first, piece in ((start, data[:at]), (start + at, data[at:])):
            if piece:
                name = f"{path}{SEPARATOR}(from byte {first})"
                try:
                    yield from _member(name, io.BytesIO(piece), budget, depth, skipped)
                except _TORN as error:
                    yield Gap(name, f"it could not be unpacked: {_what(error)}")


def _stretches(whole: IO[bytes], packed: zipfile.ZipFile) -> Iterator[tuple[int, int]]:
    """The stretches of bytes that belong to no member, nor to the directory. Format: PKWARE's APPNOTE, 4.3."""
    size = whole.seek(0, io.SEEK_END)
    spans = [(packed.start_dir, _directory_end(whole, packed.start_dir))]
    for info in packed.infolist():
        whole.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", whole.read(4))
        end = info.header_offset + 30 + name + extra + info.compress_size
        spans.append((info.header_offset, end + (_DESCRIPTOR if info.flag_bits & 8 else 0)))
    at = 0
    for start, end in [*sorted(spans), (size, size)]:
        if start > at:
            yield at, start
        at = max(at, end)


def _directory_end(whole: IO[bytes], at: int) -> int:
    """Where the directory that starts at `at` ends, its comment included."""
    while True:
        whole.seek(at)
        head = whole.read(46)
        if head.startswith(b"PK\x01\x02"):
            at += 46 + sum(struct.unpack("<HHH", head[28:34]))
        elif head.startswith(b"PK\x06\x06"):
            at += 12 + int.from_bytes(head[4:12], "little")
        elif head.startswith(b"PK\x06\x07"):
            at += 20
        elif head.startswith(b"PK\x05\x06"):
            return at + 22 + int.from_bytes(head[20:22], "little")
        else:
            return at


_MEMBER = b"PK\x03\x04"
_DESCRIPTOR = 24  # bytes behind a member whose sizes were not known before: at most


def _of_tar(
    path: str, tar: tarfile.TarFile, budget: Budget, depth: int, skipped: Counter[str]
) -> Iterator[Member | Gap]:
    for info in tar:
        budget.member()
        name = _joined(path, info.name)
        if info.isdir() or info.issym() or info.islnk() or info.isdev():
            continue  # they hold nothing; what is of an unknown kind is a file to whoever unpacks it
        if _is_left_out(name):
            skipped["binary"] += 1
            continue
        member = tar.extractfile(info)
        if member is not None:
            try:
                stream = (
                    cast("IO[bytes]", _Counted(member, budget)) if info.issparse() else member
                )  # holes cost nothing
                yield from _member(name, stream, budget, depth, skipped)
            except _TORN as error:
                yield Gap(name, f"it could not be unpacked: {_what(error)}")


def _member(name: str, stream: IO[bytes], budget: Budget, depth: int, skipped: Counter[str]) -> Iterator[Member | Gap]:
    """One member: text, an archive of its own, or something that can hold neither."""
    head = _Headed(stream)
    binary = skip_by_content(head.head)
    if _kind(head.head) is not None or (binary and is_archive(name)):
        if depth + 1 >= DEEPEST:
            yield Gap(name, f"archives within {DEEPEST} others are not looked into")
        else:
            yield from _members(name, cast("IO[bytes]", head), budget, depth + 1, skipped)
        return
    if binary:
        if head.head.startswith(_FOREIGN):
            yield Gap(name, NO_ARCHIVE)
        else:
            skipped["binary"] += 1
        return
    data = head.read(LARGEST + 1)
    if len(data) > LARGEST:
        yield Gap(name, TOO_LARGE)
    elif skip_by_content(data):
        skipped["binary"] += 1
    else:
        yield name, data


class _Headed:
    """A stream whose first bytes were looked at."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.head = _read(stream, _HEAD)
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """As a file's: everything that was asked for, unless the end is reached."""
        first = self.head[self._at :] if size < 0 else self.head[self._at : self._at + size]
        self._at += len(first)
        if size < 0:
            return first + self._stream.read()
        return first + _read(self._stream, size - len(first)) if len(first) < size else first

    def whole(self) -> IO[bytes] | None:
        """The stream as one in which can be gone back and forth; None where it is too large for that."""
        seekable = getattr(self._stream, "seekable", None)
        if seekable is not None and seekable() and self._at == 0:
            self._stream.seek(0)
            return self._stream
        data = self.read(LARGEST + 1)
        return None if len(data) > LARGEST else io.BytesIO(data)


class _Counted:
    """A stream of unpacked bytes, which are counted."""

    def __init__(self, stream: Any, budget: Budget) -> None:
        self._stream, self._budget = stream, budget

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        if size < 0:
            size = LARGEST + 1
        data: bytes = self._stream.read(min(size, 1 << 20))
        self._budget.take(len(data))
        return data


def _read(stream: IO[bytes], size: int) -> bytes:
    """So many bytes, in as many readings as it takes."""
    pieces, left = [], size
    while left > 0 and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


class _Streams:
    """Compressed streams in a row.

    `bz2` and `lzma` pass over what stands behind the last one: here it raises, as in `gzip`, unless it is padding.
    """

    def __init__(self, stream: IO[bytes], new: Callable[[], Any]) -> None:
        self._stream, self._new, self._current = stream, new, new()

    def read(self, size: int) -> bytes:
        """Up to so many unpacked bytes, none at the end. Raises what the decompressor does, and EOFError."""
        while size > 0:
            packed = b""
            if self._current.eof:
                packed = self._current.unused_data.lstrip(b"\0")
                while not packed:
                    if not (piece := self._stream.read(_PIECE)):
                        return b""
                    packed = piece.lstrip(b"\0")
                self._current = self._new()
            elif self._current.needs_input and not (packed := self._stream.read(_PIECE)):
                raise EOFError
            if data := self._current.decompress(packed, size):
                return bytes(data)
        return b""


_PIECE = 1 << 16  # bytes
_UNPACKED: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda stream: gzip.GzipFile(fileobj=stream),
    "bzip2": lambda stream: _Streams(stream, bz2.BZ2Decompressor),
    "xz": lambda stream: _Streams(stream, lzma.LZMADecompressor),
}


def _kind(head: bytes) -> str | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"BZh"):
        return "bzip2"
    if head.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
        return "xz"
    return "tar" if head[_TAR_MARK] == b"ustar" or _is_old_tar(head) else None


def _is_old_tar(head: bytes) -> bool:
    """Whether a header of a tar from before the mark stands there: its sum tells."""
    if len(head) < _HEAD or not head[0] or not _TAR_SUM.fullmatch(head, 148, 156):
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_HEAD], "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _is_left_out(name: str) -> bool:
    return skip_by_name(name) is not None and not is_archive(name)


def _joined(path: str, name: str) -> str:
    """A member's path: a label, with what would make it another one taken off."""
    clean = shown(name.encode("utf-8", "surrogateescape")).replace("\\", "/").lstrip("/").removeprefix("./")
    return f"{path}{SEPARATOR}{clean}"


def _inside(path: str) -> str:
    """The name of the one file that a compressed file holds: its own, without the suffix."""
    stem, suffix = posixpath.splitext(posixpath.basename(path.rpartition(SEPARATOR)[2] or path))
    return f"{path}{SEPARATOR}{stem}{'.tar' if suffix.lower().startswith('.t') else ''}"


def _what(error: BaseException) -> str:
    return "its compression is not known here" if isinstance(error, NotImplementedError) else type(error).__name__
