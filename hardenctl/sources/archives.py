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
        *(".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".tbz", ".xz", ".txz", ".lzma", ".oci"),
        *(".zst", ".tzst", ".7z", ".rar", ".lz4"),  # known, and a gap: nothing in Python's library unpacks them
    )
)
SEPARATOR = "!/"
DEEPEST = 5  # archives within each other: an image, its layer, an application in it, a library in that, and one more
MOST_MEMBERS = 200_000  # a large image has about 100,000 files
MOST_BYTES = 4 << 30  # that come out of one archive: the size of a large image
RATIO, FREE = 200, 64 << 20  # times the archive's size that may come out, and bytes that always may: text packs 5 to 20
_HEAD = 512  # bytes that tell what something is
_TAR_MARK = slice(257, 262)
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


def is_packed(head: bytes) -> bool:
    """Whether bytes begin as an archive does."""
    return _kind(head) is not None


def stored(git: Git, wanted: Sequence[Provenance]) -> Iterator[Archive | Gap]:
    """Archives in git's store, one after the other."""
    if not wanted:
        return
    for provenance, found in zip(wanted, objects.stream(git, [str(each.oid) for each in wanted]), strict=True):
        if found.data is None:
            yield Gap(provenance.path, "its object is missing from the repository")
        elif not found.whole:
            yield Gap(provenance.path, TOO_LARGE)
        elif found.data:
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
    if kind is None:
        yield Gap(path, "it is no archive that is known")
    elif kind == "zip":
        yield from _of_zip(path, head, budget, depth, skipped)
    elif kind == "tar":
        # Two archives in a row are one to GNU tar: what stands behind the first one's end counts.
        with closing(
            tarfile.open(fileobj=cast("Any", head), mode="r|", tarinfo=_Info, ignore_zeros=True, errorlevel=0)
        ) as tar:
            yield from _of_tar(path, tar, budget, depth, skipped)
    else:
        unpacked = _Counted(_UNPACKED[kind](cast("Any", head)), budget)
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


def _of_zip(path: str, stream: _Headed, budget: Budget, depth: int, skipped: Counter[str]) -> Iterator[Member | Gap]:
    whole = stream.whole()
    if whole is None:
        yield Gap(path, TOO_LARGE)
        return
    with zipfile.ZipFile(whole) as packed:
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
            try:
                with packed.open(info) as member:
                    yield from _member(name, cast("IO[bytes]", _Counted(member, budget)), budget, depth, skipped)
            except _TORN as error:
                yield Gap(name, f"it could not be unpacked: {_what(error)}")


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
    if _kind(head.head) is not None:
        if depth + 1 >= DEEPEST:
            yield Gap(name, f"archives within {DEEPEST} others are not looked into")
            return
        yield from _members(name, cast("IO[bytes]", head), budget, depth + 1, skipped)
        return
    if skip_by_content(head.head):
        if is_archive(name) or head.head.startswith(_FOREIGN):
            yield Gap(name, "it is no archive that can be looked into")
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


_UNPACKED: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda stream: gzip.GzipFile(fileobj=stream),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
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
    return "tar" if head[_TAR_MARK] == b"ustar" else None


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
