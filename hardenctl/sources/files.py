"""Which files are looked at, and how one is read: by type, by size, never through a link out of the root."""

from __future__ import annotations

import functools
import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO

from hardenctl.model.blob import Blob, Gap
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.text import is_binary

KEPT, KEPT_BYTES = 512, 1 << 20  # how many blobs a snapshot holds on to, and how large one may be
LARGEST = 50 * 1024 * 1024  # bytes; a longer text file is a gap
TOO_LARGE = f"larger than {LARGEST >> 20} MB"

# Left out without being read, and counted. Only what cannot hold text: an .svg or a .pem stays in.
BINARY_SUFFIXES = frozenset(
    """
    .png .jpg .jpeg .gif .bmp .ico .icns .webp .avif .heic .tif .tiff .psd .ai .eot .ttf .otf .woff .woff2
    .mp3 .mp4 .m4a .m4v .mov .avi .mkv .webm .ogg .oga .ogv .flac .wav .aac
    .zip .gz .tgz .bz2 .xz .zst .lz4 .7z .rar .tar .jar .war .ear .whl .egg .apk .ipa .dmg .iso .deb .rpm .nupkg
    .pyc .pyo .pyd .so .dll .dylib .exe .bin .o .a .class .wasm .obj .lib
    .pdf .doc .docx .xls .xlsx .ppt .pptx .odt .ods .odp
    .npy .npz .pt .pth .onnx .h5 .hdf5 .parquet .feather .pkl .pickle .joblib .safetensors .mo .gmo
    """.split()  # noqa: SIM905 - one word a line is no easier to read
)

_POINTER = lazy_pattern(  # and nothing else, as its specification says
    rb"version https://git-lfs\.github\.com/spec/[^\n]{1,20}\n(?:ext-\d-[a-z0-9]+ sha256:[0-9a-f]{64}\n){0,9}"
    rb"oid sha256:[0-9a-f]{64}\nsize \d+\n?"
)

Skipped = str  # why a file was left out on purpose, as the report counts it


@functools.lru_cache(maxsize=1 << 14)  # a history asks for a path once a version
def skip_by_name(path: str) -> Skipped | None:
    """The reason not to read a file of this name, if there is one."""
    return "binary" if os.path.splitext(path)[1].lower() in BINARY_SUFFIXES else None  # noqa: PTH122 - a hot path


def skip_by_content(data: bytes) -> Skipped | None:
    """The reason not to look into these bytes, if there is one."""
    if is_binary(data):
        return "binary"
    return "Git LFS pointer" if data.startswith(b"version https://git-lfs") and _POINTER.fullmatch(data) else None


class KeptBlobs:
    """The small blobs read last, since several readers ask for the same file and its text is decoded once."""

    def __init__(self, load: Callable[[str], Blob | None]) -> None:
        self._load = load
        self._kept: OrderedDict[str, Blob] = OrderedDict()

    def read(self, path: str) -> Blob | None:
        """The blob of a path, loaded where it isn't kept."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        blob = self._load(path)
        if blob is not None:
            self.keep(blob)
        return blob

    def keep(self, blob: Blob) -> None:
        """Hold on to a blob, if it is small."""
        if len(blob.data) <= KEPT_BYTES:
            self._kept[blob.path] = blob
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)


class Folder:
    """Reads files below one root. `read` takes the raw path, as the file system spells it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = os.fsencode(root)
        self._inside: dict[bytes, bool] = {}

    def read(self, raw: bytes, path: str) -> bytes | Gap | Skipped | None:
        """The bytes of a file; a gap or the reason why not; None where there is no such file (any more)."""
        full = os.path.join(self._root, raw)  # noqa: PTH118 - bytes, and a hot path
        if not self._is_inside(os.path.dirname(full)):  # noqa: PTH120 - as above
            return "symbolic link"
        try:
            handle = os.open(full, _FLAGS)
        except OSError as error:
            return self._unopened(full, path, error)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return None if stat.S_ISDIR(status.st_mode) else "not a regular file"
            if status.st_size > LARGEST:
                return skip_by_content(os.read(handle, 8000)) or Gap(path, TOO_LARGE)
            data = os.read(handle, status.st_size + 1)  # a third of the time of a file object's
            more = () if len(data) == status.st_size else iter(lambda: os.read(handle, 1 << 20), b"")  # it is growing
            return b"".join((data, *more)) if more else data
        except OSError as error:
            return Gap(path, f"could not be read: {error.strerror}")
        finally:
            os.close(handle)

    def stream(self, raw: bytes) -> IO[bytes] | None:
        """A regular file below the root, opened for reading; None where there is none that can be."""
        try:
            return self.open(raw)
        except OSError:
            return None

    def open(self, raw: bytes) -> IO[bytes]:
        """As `stream`. Raises OSError."""
        full = os.path.join(self._root, raw)  # noqa: PTH118 - bytes
        if not self._is_inside(os.path.dirname(full)):  # noqa: PTH120 - as above
            raise OSError("behind a symbolic link")
        handle = os.open(full, _FLAGS)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return os.fdopen(handle, "rb")
        os.close(handle)
        raise OSError("not a regular file")

    def _unopened(self, full: bytes, path: str, error: OSError) -> Gap | Skipped | None:
        try:
            mode = os.lstat(full).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return Gap(path, f"could not be read: {error.strerror}")
        if stat.S_ISLNK(mode):
            return "symbolic link"
        if stat.S_ISDIR(mode):
            return None
        return Gap(path, f"could not be read: {error.strerror}") if stat.S_ISREG(mode) else "not a regular file"

    def _is_inside(self, folder: bytes) -> bool:
        """Whether a folder is where it seems to be: no link on the way to it."""
        known = self._inside.get(folder)
        if known is None:
            known = self._inside[folder] = os.path.realpath(folder) == os.path.normpath(folder)
        return known


# A link is not followed, and a pipe does not make us wait. Windows knows neither flag: there a link is
# recognised by `_is_inside` for folders, and git checks out links as small text files by default.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
