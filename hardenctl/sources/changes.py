"""What every commit changed: git's own raw diffs, written to disk once and read twice.

First for the blobs there are and the names they had; later, for the few that hit, for the commits that brought them.
This costs about what `rev-list --objects` does, which tells neither commits nor more than one name, and can be split.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from hardenctl.model.errors import SourceError
from hardenctl.sources.git import FEW_WINDOWS, Git, shown
from hardenctl.sources.objects import end

SMALL = 2000  # commits below which splitting the work costs more than it saves
_RAW = "-r -c --root --raw -z --no-renames --no-abbrev".split()  # noqa: SIM905 - reads as typed
_SUBMODULE = b"160000"


class Change(NamedTuple):
    """One commit gave a path a new blob. `age` grows with time; several changes of one commit share it."""

    commit: str
    age: int
    oid: str
    path: str


class Changes:
    """The changes of all commits that revisions reach, merges' own included.

    `failure` says why git did not come to the end; what it said until then is there.
    """

    def __init__(self, git: Git, revisions: Sequence[str], jobs: int = 1) -> None:
        self.failure: SourceError | None = None
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="hardenctl-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            self.commits = self._list(git, revisions)
            self._files = self._write(git, 1 if len(self.commits) < SMALL else jobs)
        except OSError as error:  # a full disk, say
            raise SourceError(
                f"what git lists could not be written to disk: {error.strerror}",
                help="make room, or name another folder for temporary files in TMPDIR",
            ) from error

    def __iter__(self) -> Iterator[Change]:
        """Newest commit first."""
        commit, age, ages = "", 0, self.ages()
        for file in self._files:
            with file.open("rb") as stream:
                fields = _fields(stream)
                for field in fields:
                    if not field.startswith(b":"):
                        commit = field.decode()
                        age = ages[commit]
                        continue
                    # `:mode mode id id M`, one colon, mode and id more for each further parent; the last is the result
                    path, parts = next(fields, None), field.split(b" ")
                    if path is None:  # git did not come to the end
                        return
                    oid = parts[-2]
                    if parts[field.count(b":")] != _SUBMODULE and oid.strip(b"0"):
                        yield Change(commit, age, oid.decode(), shown(path))

    def ages(self) -> dict[str, int]:
        """Each commit's age, whether or not it changed a file."""
        return {commit: age for age, commit in enumerate(reversed(self.commits))}

    def _list(self, git: Git, revisions: Sequence[str]) -> list[str]:
        options = [each for each in revisions if each.startswith("--")]
        names = "".join(f"{each}\n" for each in revisions if not each.startswith("--"))
        self._run(git, {"commits": names}, "rev-list", "--date-order", *options, "--stdin")
        return (self._folder / "commits.out").read_text(encoding="ascii").split()

    def _write(self, git: Git, jobs: int) -> list[Path]:
        size = -(-len(self.commits) // jobs) or 1
        starts = range(0, len(self.commits), size)
        parts = {str(start): "".join(f"{each}\n" for each in self.commits[start : start + size]) for start in starts}
        self._run(git, parts, "diff-tree", "--stdin", *_RAW)
        return [self._folder / f"{name}.out" for name in parts]

    def _run(self, git: Git, questions: Mapping[str, str], *command: str) -> None:
        """Ask git several questions at once. What it answers to the question NAME is in the file NAME.out."""
        running: list[tuple[subprocess.Popen[bytes], Path]] = []
        try:
            for name, text in questions.items():
                question, answer, complaint = (self._folder / f"{name}.{kind}" for kind in ("in", "out", "err"))
                question.write_bytes(os.fsencode(text))
                with question.open("rb") as stdin, answer.open("wb") as stdout, complaint.open("wb") as stderr:
                    process = git.start(*FEW_WINDOWS, *command, stdin=stdin, stdout=stdout, stderr=stderr)
                running.append((process, complaint))
            for process, complaint in running:
                if process.wait() and self.failure is None:
                    self.failure = git.error(command, complaint.read_bytes())
        finally:
            for process, _ in running:
                end(process)


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while piece := stream.read(1 << 18):
        *fields, rest = (rest + piece).split(b"\0")
        yield from fields
