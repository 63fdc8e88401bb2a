"""Reads objects from git's store, one process for any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from hardenctl.model.blob import Blob, Gap, Provenance
from hardenctl.model.errors import SourceError
from hardenctl.model.record import record
from hardenctl.sources import process as light
from hardenctl.sources.files import LARGEST, TOO_LARGE, Skipped, skip_by_content
from hardenctl.sources.git import Git
from hardenctl.sources.loose import FEW, LooseObjects

if TYPE_CHECKING:
    import subprocess
    from threading import Thread

    Running = subprocess.Popen[bytes] | light.Process

HEAD = 8000  # bytes that tell binary from text


@record
class Object:
    """One object. `data` is None where git has no such object, and only its head where it is longer than `LARGEST`."""

    oid: str
    kind: str
    data: bytes | None
    whole: bool = True

    def blob(self, provenance: Provenance) -> Blob | Gap | Skipped:
        """The object as a blob to look at, or why not."""
        if self.data is None:
            return Gap(provenance.path, "its object is missing from the repository")
        if reason := skip_by_content(self.data):
            return reason
        return Blob(provenance, self.data) if self.whole else Gap(provenance.path, TOO_LARGE)


class ObjectReader:
    """`git cat-file --batch`, started when first asked and ended with its owner."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None
        self._loose = LooseObjects(git)

    def read(self, oid: str) -> Object:
        """One object. Raises SourceError where the store is broken."""
        if self._process is None:
            if (found := self._loose.read(oid)) is not None:
                return Object(oid, *found)
            import subprocess
            import weakref

            self._process = self._git.start("cat-file", "--batch", stdin=subprocess.PIPE)
            weakref.finalize(self, end, self._process)
        stdin, stdout = streams(self._process)
        try:
            stdin.write(oid.encode() + b"\n")
            stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise SourceError("git stopped while reading objects", help="run `git fsck` on the repository") from error
        return next_object(stdout)


def stream(git: Git, oids: Iterable[str], *, ahead: bool = True) -> Iterator[Object]:
    """Many objects in the order given. Ends git when the iterator is closed early.

    Git reads `ahead`, and when it dies on a damaged object it takes with it what it has read and not yet given; not
    `ahead`, which takes longer, it has given all before the damaged one. Raises SourceError there.
    """
    wanted = list(oids)
    if len(wanted) <= FEW:
        loose = LooseObjects(git)
        found = [loose.read(oid) for oid in wanted]
        if None not in found:
            yield from (Object(oid, *each) for oid, each in zip(wanted, found, strict=True) if each)
            return
    question = "".join(f"{oid}\n" for oid in wanted).encode()
    process, stdout, feeder = _asked(git, question, ("--buffer",) if ahead else ())
    try:
        for _ in wanted:
            yield next_object(stdout)
    finally:
        end(process)
        if feeder:
            feeder.join()


def _asked(git: Git, question: bytes, options: Sequence[str]) -> tuple[Running, IO[bytes], Thread | None]:
    """`cat-file` with a question, its answer, and the thread that puts it where the system cannot hold it."""
    command = ("cat-file", "--batch", *options)
    if light.AVAILABLE:
        started = git.ask(*command, question=question)
        return started, started.stdout, None
    import subprocess
    from threading import Thread

    process = git.start(*command, stdin=subprocess.PIPE)
    stdin, stdout = streams(process)
    feeder = Thread(target=_feed, args=(stdin, question), daemon=True)
    feeder.start()
    return process, stdout, feeder


def next_object(stdout: IO[bytes]) -> Object:
    """The next object of a batch. Of one longer than `LARGEST` only the head is kept."""
    header = stdout.readline().split()
    if not header:
        raise SourceError("git stopped while reading objects", help="run `git fsck` on the repository")
    oid = header[0].decode()
    if len(header) != 3:  # noqa: PLR2004 - id, type, size; anything else is `<id> missing`
        return Object(oid, "missing", None)
    kind, size = header[1].decode(), int(header[2])
    if size <= LARGEST:
        data = stdout.read(size)
        if len(data) < size or stdout.read(1) != b"\n":  # git died on a damaged object: a part of it is not the object
            raise SourceError("git stopped while reading objects", help="run `git fsck` on the repository")
        return Object(oid, kind, data)
    head = stdout.read(HEAD)
    left = size - len(head) + 1
    while left > 0:
        piece = stdout.read(min(left, 1 << 20))
        if not piece:
            raise SourceError("git stopped while reading objects", help="run `git fsck` on the repository")
        left -= len(piece)
    return Object(oid, kind, head, whole=False)


def streams(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Both pipes of a process that was started with them."""
    if process.stdin is None or process.stdout is None:
        raise SourceError("git could not be started", help="does `git --version` work here?")
    return process.stdin, process.stdout


def end(process: Running) -> None:
    """End a git process, whatever it is doing, and close its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with suppress(OSError):
                pipe.close()


def _feed(stdin: IO[bytes], question: bytes) -> None:
    with suppress(OSError, ValueError):  # the reader went away first: it says why
        stdin.write(question)
        stdin.close()
