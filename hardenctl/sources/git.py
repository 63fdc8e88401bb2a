"""Plain git plumbing: one way to run git safely, and its errors as ours.

The audited repository is not trusted. Its configuration can name programs (`core.fsmonitor`, `core.hooksPath`, a
signature checker): they are switched off here, and nothing is ever fetched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hardenctl.model.errors import SourceError
from hardenctl.model.files import read_small
from hardenctl.model.pattern import lazy_pattern
from hardenctl.sources import process

if TYPE_CHECKING:
    import subprocess

CONFIGURATION = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.useReplaceRefs=false",
    "core.commitGraph=false",  # it says which parents a commit has, and git believes it unread: a wrong one hides some
    "log.showSignature=false",
    "diff.renames=false",
    "submodule.recurse=false",
)

# Git maps a whole pack into memory where it may. For a walk over trees a few small windows do as well.
FEW_WINDOWS = ("-c", "core.packedGitWindowSize=1m", "-c", "core.packedGitLimit=64m")

PIPE = 1 << 18  # bytes that git may write ahead, where the system lets us say so

# What a hook may set and we honour where it is about the repository that is audited: the index that is being
# committed, and objects that a push has brought but not yet admitted.
HOOK_VARIABLES = (
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
)

_GITFILE = 1 << 16  # bytes: more than any path has
_WORK_TREE = lazy_pattern(rb"(?i)\bworktree[ \t]*=")
_USERINFO = lazy_pattern(r"://[^/@\s]+@")


class Git:
    """Runs git in one folder. Every failure is a SourceError that says what to do."""

    def __init__(self, folder: Path) -> None:
        """Raises SourceError where the configuration says that the files are in another folder."""
        self.folder = folder
        self.environment = environment(folder)
        self._check_work_tree()

    def _check_work_tree(self) -> None:
        """With `core.worktree` git takes another folder for the top: what it lists would not be what is asked for."""
        top = find_top(self.folder)
        if top is None or "GIT_WORK_TREE" in self.environment:
            return
        folder = Path(os.path.realpath(git_folder(top)))
        for path in (folder / "config", folder / "config.worktree"):
            try:
                real = Path(os.path.realpath(path))  # git-new-workdir makes a link of it
                text = read_small(real, real.parent)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise SourceError(
                    f"the git configuration `{path}` could not be read: {error.strerror}", help="make it readable"
                ) from error
            if not _WORK_TREE.search(text):
                continue
            named = self.run("config", "--file", str(path), "--type=path", "--get", "core.worktree", ok=(0, 1))
            tree = os.path.realpath(folder / os.fsdecode(named.rstrip(b"\n")))
            if named and tree != os.path.realpath(top):
                raise SourceError(
                    f"`{path}` says that the files of `{top}` are elsewhere: core.worktree is `{tree}`",
                    help=f"in that folder: GIT_DIR='{folder}' GIT_WORK_TREE=. hardenctl audit",
                )

    def run(self, *arguments: str, input: bytes | None = None, ok: Sequence[int] = (0,)) -> bytes:  # noqa: A002 - as subprocess
        """The standard output of one git command. `ok` are the exit codes that are no failure."""
        return self.run_heard(*arguments, input=input, ok=ok)[0]

    def run_heard(
        self,
        *arguments: str,
        input: bytes | None = None,  # noqa: A002 - as subprocess
        ok: Sequence[int] = (0,),
    ) -> tuple[bytes, bytes]:
        """As `run`, with git's warnings: what it passes over says no exit code."""
        if not process.AVAILABLE:
            return self._run_elsewhere(*arguments, input=input, ok=ok)
        started = self.ask(*arguments, question=input or b"")
        try:
            with started.stdout as stream:
                output = stream.read()
        except BaseException:
            started.kill()
            started.wait()
            raise
        if started.wait() not in ok:
            raise self.error(arguments, started.complaints)
        return output, started.complaints

    def ask(self, *arguments: str, question: bytes) -> process.Process:
        """Start a git command that is given all of its input at once; only where `process` is available. `end` it."""
        if not self.folder.is_dir():
            raise _missing(FileNotFoundError(), self.folder)
        try:
            return process.Process(command("-C", os.fspath(self.folder), *arguments), self.environment, question, PIPE)
        except OSError as error:
            raise _missing(error, self.folder) from error

    def _run_elsewhere(self, *arguments: str, input: bytes | None, ok: Sequence[int]) -> tuple[bytes, bytes]:  # noqa: A002
        import subprocess  # here and below: see `process`

        try:
            done = subprocess.run(  # noqa: S603 - a fixed program; arguments are ours or follow `--`
                command(*arguments),
                cwd=self.folder,
                env=self.environment,
                input=input,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise _missing(error, self.folder) from error
        if done.returncode not in ok:
            raise self.error(arguments, done.stderr)
        return done.stdout, done.stderr

    def start(
        self,
        *arguments: str,
        stdin: IO[bytes] | int | None = None,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a git command whose output is streamed; its complaints go to `stderr` or nowhere. `end` it."""
        import subprocess

        try:
            return subprocess.Popen(  # noqa: S603 - as above
                command(*arguments),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE if stdout is None else stdout,
                stderr=subprocess.DEVNULL if stderr is None else stderr,
                pipesize=PIPE,
                bufsize=PIPE,
            )
        except OSError as error:
            raise _missing(error, self.folder) from error

    def error(self, arguments: Sequence[str], stderr: bytes) -> SourceError:
        """What git's complaint means to the user."""
        text = _USERINFO.sub("://", stderr.decode("utf-8", "replace")).strip()
        if "dubious ownership" in text:
            return SourceError(
                f"git refuses to read `{self.folder}`: it belongs to another user",
                help=f"if you trust it: git config --global --add safe.directory '{self.folder}'",
            )
        # The last of these is what `git diff` says where it finds no repository.
        if any(said in text for said in ("not a git repository", "invalid gitfile format", "diff --no-index")):
            return SourceError(
                f"`{self.folder}` is not a git repository that git can read",
                help="name a folder in a repository, or remove a broken `.git` to audit it as a plain folder",
            )
        if re.search(
            r"\bindex\b.*(corrupt|smaller|signature|checksum)|(bad|unable to read|corrupt)\b.*\bindex\b", text
        ):
            return SourceError(
                f"the git index of `{self.folder}` is corrupt",
                help="rebuild it with `rm .git/index && git reset` (work-tree files are kept)",
            )
        first = next((line for line in text.splitlines() if line.startswith(("fatal:", "error:"))), text.split("\n")[0])
        return SourceError(
            f"`git {arguments[0]}` failed: {first or 'no message'}", help="run `git fsck` on the repository"
        )


def command(*arguments: str) -> list[str]:
    """The command line of a git call."""
    return ["git", *(part for each in CONFIGURATION for part in ("-c", each)), *arguments]


def environment(folder: Path) -> dict[str, str]:
    """The environment of a git call in `folder`.

    Variables of a running hook count only where they are about the same repository; relative ones (git gives
    `GIT_INDEX_FILE=.git/index`) are made absolute, since we may call git from another folder.
    """
    ours = {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        # A partial clone must not fetch what it lacks: that is a gap, said. Old git knows the first of these not, and
        # its setting `protocol.allow` gives way to what a repository says of one protocol, such as `ext`: a program.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,  # a graft hides parents, and with them all that came before
        "GIT_PAGER": "cat",
        "LC_ALL": "C",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _harmless(name)}
    top = find_top(folder)
    if top is None and "GIT_DIR" in os.environ:  # a server's hook, in its bare repository
        if os.path.realpath(os.environ["GIT_DIR"]) == os.path.realpath(folder):
            kept |= _given("GIT_DIR", *HOOK_VARIABLES)
    elif top == find_top(Path.cwd()):
        tree = _given_tree()
        if tree is None:
            kept |= _given(*HOOK_VARIABLES)
        elif tree == top:
            kept |= _given("GIT_DIR", "GIT_WORK_TREE", *HOOK_VARIABLES)
    return kept | ours


def _given(*names: str) -> dict[str, str]:
    return {name: _absolute(os.environ[name]) for name in names if name in os.environ}


def _given_tree() -> Path | None:
    """The work tree that the user set: with `GIT_DIR`, else git itself looks for the repository."""
    if "GIT_DIR" in os.environ and "GIT_WORK_TREE" in os.environ:
        return Path(os.path.realpath(os.environ["GIT_WORK_TREE"]))
    return None


def find_top(path: Path) -> Path | None:
    """The nearest folder at or above `path` that holds a `.git`, without starting git; None where there is none.

    A work tree that the user set with `GIT_DIR` and `GIT_WORK_TREE` is one too.
    """
    path = Path(os.path.realpath(path))
    tree = _given_tree()
    if tree is not None and path.is_relative_to(tree):
        return tree
    return next((each for each in (path, *path.parents) if os.path.lexists(each / ".git")), None)


def git_folder(top: Path) -> Path:
    """Where git keeps what belongs to a work tree: `.git`, or what a file of that name says."""
    folder = top / ".git"
    if folder.is_file():  # a linked worktree or a submodule: `gitdir: PATH`
        with folder.open("rb") as file:
            target = file.read(_GITFILE).partition(b"gitdir:")[2].strip()
        folder = top / os.fsdecode(target)
    return folder


def is_bare(path: Path) -> bool:
    """Whether a folder looks like a bare repository (or is the inside of a `.git`)."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def head_of(top: Path) -> str | None:
    """HEAD's commit where it is plain to read: a loose branch of a plain `.git`. None means that git has to be asked.

    A hook run saves the 2 ms that starting git costs.
    """
    if "GIT_DIR" in os.environ:
        return None
    try:
        head = (top / ".git" / "HEAD").read_bytes()
        name = os.fsdecode(head.removeprefix(b"ref: ").rstrip())
        commit = (top / ".git" / name).read_bytes() if name.startswith("refs/heads/") else head
    except (OSError, ValueError):
        return None
    match = re.fullmatch(rb"([0-9a-f]{40}|[0-9a-f]{64})\n?", commit)
    return match[1].decode() if match else None


def shown(raw: bytes) -> str:
    r"""A path as git gives it, as text that can always be printed: bytes that are no UTF-8 become `\xe9`."""
    return raw.decode("utf-8", "backslashreplace")


def revision_error(revision: str) -> SourceError:
    """A revision that isn't there."""
    return SourceError(
        f"unknown revision `{revision}`",
        help="check the name; in CI, fetch the whole history first (`fetch-depth: 0`, or `git fetch --unshallow`)",
    )


def _harmless(name: str) -> bool:
    return name.startswith(("GIT_CONFIG", "GIT_CEILING", "GIT_EXEC_PATH", "GIT_DISCOVERY"))


def _absolute(value: str) -> str:
    return os.pathsep.join(os.path.abspath(each) if each else each for each in value.split(os.pathsep))  # noqa: PTH100 - links stay


def _missing(error: OSError, folder: Path) -> SourceError:
    if not folder.is_dir():
        return SourceError(f"there is no folder `{folder}`", help="name one that exists")
    if isinstance(error, FileNotFoundError):
        return SourceError("git is not installed, or not on PATH", help="install git: it says which files are tracked")
    return SourceError(f"git could not be started: {error.strerror}", help="does `git --version` work here?")
