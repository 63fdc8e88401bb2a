"""Faults: whatever is torn, missing, forbidden, full or moving, the answer is right or a gap, never an all-clear."""

from __future__ import annotations

import ctypes
import hashlib
import itertools
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from source_support import Make

from hardenctl.audit import audit
from hardenctl.model.errors import HardenctlError
from hardenctl.policy.policy import Policy
from hardenctl.rules import RULES
from hardenctl.rules.fakes import FAKES
from hardenctl.rules.secrets import RULES as SECRET_RULES
from hardenctl.sources import history, open_source, remembered, sealed
from hardenctl.sources.objectlist import list_changes

assert SECRET_RULES
TOKEN = FAKES["secret-github-token"]()
SECRETS = [rule for rule in RULES if rule.id == "secret-github-token"]
NIGHTLY = bool(os.environ.get("NIGHTLY"))
SOME = 1 if NIGHTLY else 4  # every so many of a table's cases are tried
LOOKS: list[dict[str, Any]] = [{"history": True}, {"all_objects": True}, {"since": "first"}]


@pytest.fixture
def leaking(make_repository: Make, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A leak that one past version holds, and nothing else: who does not see that version sees nothing."""
    repository = make_repository(name="repo")
    made = tmp_path_factory.getbasetemp() / "leaking"
    if not made.exists():
        repository.commit({"a.py": "x = 1\n" * 200})
        repository.git("tag", "first")
        long = "".join(f"v{number} = {number * 7919}\n" for number in range(3000))
        repository.commit({"conf.py": f'TOKEN = "{TOKEN}"\n{long}'})
        repository.git("tag", "-a", "-m", "the first release", "v1")
        repository.commit({"conf.py": "TOKEN = os.environ['TOKEN']\n"})
        repository.git("checkout", "-q", "-b", "side", "first")
        repository.commit({"b.py": "y = 2\n"})
        repository.git("checkout", "-q", "main")
        repository.commit({"c.py": "z = 3\n"})
        shutil.copytree(repository.root, made)
    else:
        shutil.rmtree(repository.root)
        shutil.copytree(made, repository.root)
    return repository


def answer(root: Path, jobs: int = 1, **asked: Any) -> str:
    """What an audit says: `leak`, `gap`, `refused`, or `clear`."""
    try:
        report = audit(open_source([root], jobs=jobs, **asked), Policy(), rules=SECRETS, jobs=jobs)
    except HardenctlError:
        return "refused"
    if report.findings:
        return "leak"
    return "gap" if report.gaps else "clear"


def object_file(repository: Any, revision: str) -> Path:
    """The file of a loose object."""
    oid = repository.git("rev-parse", revision).strip()
    place: Path = repository.root / ".git/objects" / oid[:2] / oid[2:]
    place.chmod(0o644)
    return place


def flip(place: Path, at: float = 0.5) -> None:
    """Change one byte, at a part of the length."""
    place.chmod(0o644)
    data = bytearray(place.read_bytes())
    data[int(at * len(data))] ^= 0xFF
    place.write_bytes(data)


def halve(place: Path) -> None:
    """Cut a file in half."""
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "half": halve,
    "flipped": flip,
    "empty": lambda place: place.write_bytes(b""),
    "zeros": lambda place: place.write_bytes(bytes(place.stat().st_size)),
}
OBJECTS = {
    "the-blob": "v1^{commit}:conf.py",
    "its-tree": "v1^{tree}",
    "its-commit": "v1^{commit}",
    "the-next-commit": "main~1",
    "the-first-commit": "first",
    "the-tip": "main",
    "a-tag": "v1",
    "another-tip": "side",
    "another-tree": "side^{tree}",
    "the-tree-of-head": "main^{tree}",
    "a-blob-of-head": "main:c.py",
}


@pytest.mark.parametrize("asked", LOOKS, ids=str)
def test_undamaged(leaking: Any, asked: dict[str, Any]) -> None:
    """The leak is found, and where there is none it is clear: what follows can be told from both."""
    assert answer(leaking.root, **asked) == "leak"
    leaking.git("checkout", "-q", "side")
    leaking.git("branch", "-q", "-D", "main")
    leaking.git("tag", "-d", "v1")
    leaking.git("gc", "-q", "--prune=now")
    leaking.git("reflog", "expire", "--expire=now", "--all")
    leaking.git("gc", "-q", "--prune=now")
    assert answer(leaking.root, **asked) == "clear"


@pytest.mark.parametrize(("which", "damage"), list(itertools.product(OBJECTS, DAMAGES))[::SOME])
def test_a_damaged_object(leaking: Any, which: str, damage: str) -> None:
    """A loose object that is gone or torn, on the way to the leak or beside it."""
    DAMAGES[damage](object_file(leaking, OBJECTS[which]))
    for asked in LOOKS:
        assert answer(leaking.root, **asked) != "clear", asked
    assert answer(leaking.root / ".git", history=True) != "clear"


@pytest.mark.parametrize("damage", ["half", "flipped"])
def test_a_damaged_object_hides_no_other(leaking: Any, damage: str) -> None:
    """Git dies on it; what stands behind it in the same question is looked at all the same, in any order."""
    for number in range(40):
        leaking.write({f"more{number:02}.py": f"q = {number}\n" * 50})
    leaking.git("add", ".")
    leaking.git("commit", "-q", "-m", "more")
    leaking.git("rm", "-q", "-r", "--cached", ".")
    leaking.git("commit", "-q", "-m", "nothing")
    for path in leaking.root.glob("*.py"):
        path.unlink()
    damaged = ["more05.py", "more06.py", "more39.py"]
    for name in damaged:
        DAMAGES[damage](object_file(leaking, f"HEAD~1:{name}"))
    report = audit(open_source([leaking.root], history=True), Policy(), rules=SECRETS)
    assert [each.finding.location.path for each in report.findings] == ["conf.py"]
    reasons = " ".join(gap.reason for gap in report.gaps)
    assert all(f" of {name} is damaged" in reasons for name in damaged) or "objects are missing" in reasons


@pytest.mark.parametrize("at", [0.001, *(number / 12 for number in range(1, 12)), 0.999][::SOME])
@pytest.mark.parametrize("kind", ["pack", "idx"])
def test_a_flipped_byte_of_a_pack(leaking: Any, kind: str, at: float) -> None:
    """Anywhere in a pack or its index."""
    leaking.git("gc", "-q", "--prune=now")
    flip(next((leaking.root / ".git/objects/pack").glob(f"*.{kind}")), at)
    for asked in LOOKS:
        assert answer(leaking.root, **asked) != "clear", asked


@pytest.mark.parametrize(("kind", "damage"), list(itertools.product(["pack", "idx"], DAMAGES))[:: SOME - SOME // 2])
def test_a_damaged_pack(leaking: Any, kind: str, damage: str) -> None:
    """A pack or its index that is gone or torn."""
    leaking.git("gc", "-q", "--prune=now")
    place = next((leaking.root / ".git/objects/pack").glob(f"*.{kind}"))
    place.chmod(0o644)
    DAMAGES[damage](place)
    for asked in LOOKS:
        assert answer(leaking.root, **asked) != "clear", asked


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"garbage\n", id="garbage"),
        pytest.param(bytes(41), id="zero-bytes"),
        pytest.param(b"0" * 40 + b"\n", id="zeros"),
        pytest.param(b"1" * 40 + b"\n", id="no-such-object"),
        pytest.param(b"1234567", id="cut-off"),
    ],
)
def test_a_torn_ref(leaking: Any, content: bytes) -> None:
    """The only branch that leads to the leak says nothing any more."""
    only_branch_to_the_leak(leaking)
    (leaking.root / ".git/refs/heads/leaking").write_bytes(content)
    assert answer(leaking.root, history=True) != "clear"
    assert answer(leaking.root / ".git", history=True) != "clear"


@pytest.mark.parametrize("damage", ["gone", "half", "empty", "zeros"])
def test_torn_packed_refs(leaking: Any, damage: str) -> None:
    """All refs are in one file: torn or gone, no ref leads anywhere."""
    only_branch_to_the_leak(leaking)
    leaking.git("gc", "-q")
    DAMAGES[damage](leaking.root / ".git/packed-refs")
    assert answer(leaking.root, history=True) != "clear"
    assert answer(leaking.root / ".git", history=True) != "clear"


def only_branch_to_the_leak(repository: Any) -> None:
    """Leave nothing but one branch, which is not checked out, to lead to the leak."""
    repository.git("branch", "leaking", "v1^{commit}")
    repository.git("checkout", "-q", "side")
    repository.git("branch", "-q", "-D", "main")
    repository.git("tag", "-d", "v1")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("HEAD", b""),
        ("HEAD", b"garbage\n"),
        ("HEAD", b"ref: refs/heads/nowhere\n"),
        ("config", b"[[[\n"),
        ("shallow", b"garbage\n"),
        ("objects/info/alternates", b"/nowhere\n"),
        ("objects/info/commit-graph", b"garbage"),
        ("objects/pack/multi-pack-index", b"garbage"),
        ("index", b""),
        ("index", b"DIRC"),
    ],
    ids=str,
)
def test_a_torn_file_of_git(leaking: Any, name: str, content: bytes) -> None:
    """Whatever else git reads of its own."""
    place = leaking.root / ".git" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    for asked in LOOKS:
        assert answer(leaking.root, **asked) != "clear", asked


def test_a_commit_graph_hides_no_parents(leaking: Any) -> None:
    """Git believes its commit graph without reading the commits: one that gives the tip no parent is not asked."""
    leaking.git("tag", "-d", "v1")
    leaking.git("commit-graph", "write", "--reachable")
    place = leaking.root / ".git/objects/info/commit-graph"
    data = bytearray(place.read_bytes())
    table = {bytes(data[8 + 12 * n : 12 + 12 * n]): struct.unpack_from(">Q", data, 12 + 12 * n)[0] for n in range(4)}
    count = struct.unpack_from(">I", data, table[b"OIDF"] + 255 * 4)[0]
    tip = bytes.fromhex(leaking.git("rev-parse", "main").strip())
    ids = [bytes(data[table[b"OIDL"] + 20 * n : table[b"OIDL"] + 20 * n + 20]) for n in range(count)]
    struct.pack_into(">I", data, table[b"CDAT"] + 36 * ids.index(tip) + 20, 0x70000000)  # no parent
    data[-20:] = hashlib.sha1(data[:-20], usedforsecurity=False).digest()
    place.chmod(0o644)
    place.write_bytes(data)
    assert leaking.git("rev-list", "--count", "main").strip() == "1"
    for asked in LOOKS:
        assert answer(leaking.root, **asked) == "leak", asked


@pytest.mark.parametrize("asked", [{}, {"staged": True}], ids=str)
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_staged_and_damaged(leaking: Any, damage: str, asked: dict[str, Any]) -> None:
    """The index names an object that cannot be read: a gap for the hook; the work tree has its own file."""
    leaking.write({"d.py": f'TOKEN = "{TOKEN}"\n'})
    leaking.git("add", "d.py")
    DAMAGES[damage](object_file(leaking, ":d.py"))
    assert answer(leaking.root, **asked) == ("gap" if asked and damage in {"gone", "empty", "zeros"} else "leak") or (
        asked and answer(leaking.root, **asked) in {"gap", "refused"}
    )


# What the file system does ------------------------------------------------------------------------------------------

_DAC = (1, 2)  # the capabilities by which root passes over permissions
_DROP = 24  # PR_CAPBSET_DROP


def without_privileges() -> None:
    """In a child, before it starts its program: permissions count, for root as well."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for each in _DAC:
            libc.prctl(_DROP, each, 0, 0, 0)


def run(root: Path, *more: str, before: Callable[[], None] | None = None, **variables: str) -> tuple[int, str, Any]:
    """Exit code, complaints and report of the program, without coverage: it needs files where none can be written."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "hardenctl", "audit", "--history", "--format", "json", "--select", "secret", *more],
        cwd=root, capture_output=True, text=True, check=False, env=plain | variables, preexec_fn=before,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    try:
        return done.returncode, done.stderr, json.loads(done.stdout)
    except ValueError:
        return done.returncode, done.stderr, None


def chmod_all(root: Path, mode: int) -> None:
    """Take permissions from everything below."""
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            path = Path(folder, name)
            path.chmod(path.stat().st_mode & mode)
        Path(folder).chmod(Path(folder).stat().st_mode & mode)


@pytest.mark.skipif(sys.platform != "linux", reason="takes capabilities from root")
def test_a_git_folder_that_cannot_be_written(leaking: Any) -> None:
    """Nothing is lost but that the user's cache has to do, and where that cannot be written either, nothing is kept."""
    truth = run(leaking.root, "--no-cache")
    chmod_all(leaking.root / ".git", 0o555)
    cache = Path(os.environ["XDG_CACHE_HOME"])
    try:
        for variables in ({}, {"XDG_CACHE_HOME": str(leaking.root / ".git/cache")}):
            for _ in range(2):
                code, complaints, report = run(leaking.root, before=without_privileges, **variables)
                assert (code, complaints) == (1, truth[1])
                assert report["findings"] == truth[2]["findings"]
        assert not (leaking.root / ".git/hardenctl").exists()
        assert list((cache / "hardenctl/known").iterdir())
    finally:
        chmod_all(leaking.root / ".git", 0o777)
        for folder, _, _ in os.walk(leaking.root / ".git"):
            Path(folder).chmod(0o755)


@pytest.mark.skipif(sys.platform != "linux", reason="takes capabilities from root")
@pytest.mark.parametrize(
    "closed",
    ["refs", "refs/heads", "refs/heads/leaking", "packed-refs", "objects", "objects/pack", "object", "HEAD", "index"],
)
def test_what_may_not_be_read_is_no_all_clear(leaking: Any, closed: str) -> None:
    """Each part of git's folder with its permissions taken away."""
    only_branch_to_the_leak(leaking)
    if closed in {"packed-refs", "objects/pack"}:
        leaking.git("gc", "-q")
    place = object_file(leaking, "leaking:conf.py") if closed == "object" else leaking.root / ".git" / closed
    place.chmod(0)
    try:
        code, complaints, report = run(leaking.root, before=without_privileges)
    finally:
        place.chmod(0o755)
    assert code != 0
    assert code == 2 or (report and report["findings"])
    assert complaints.startswith("error: ") or (report and (report["gaps"] or report["findings"]))


@pytest.mark.skipif(sys.platform != "linux", reason="limits what a process may write")
@pytest.mark.parametrize("size", [0, 1, 100, 1000, 10_000, 100_000][:: SOME - SOME // 2])
def test_a_disk_that_is_full(leaking: Any, size: int) -> None:
    """No file may grow past a size: of what git lists, of temporary files, of what is kept."""
    truth = run(leaking.root, "--no-cache")

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    for _ in range(2):
        code, complaints, report = run(leaking.root, before=limited)
        assert code in {1, 2}
        if code == 1:
            assert report["findings"] == truth[2]["findings"]
        else:
            assert complaints.startswith("error: ") or report["gaps"]
    assert run(leaking.root)[2]["findings"] == truth[2]["findings"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_report_that_cannot_be_written(leaking: Any) -> None:
    """A report that nobody can read is no pass."""
    leaking.git("checkout", "-q", "side")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hardenctl", "audit", "--format", "json", "--select", "secret"],
            cwd=leaking.root, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


# What happens meanwhile ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(["commit", "commit", "branch -f moving HEAD", "branch -D moving"], id="commits-and-branches"),
        pytest.param(["repack -adq", "commit", "gc -q --prune=now"], id="repacked-and-pruned"),
        pytest.param(["commit", "reset -q --hard HEAD~1", "reflog expire --expire=now --all", "prune"], id="dropped"),
        pytest.param(["pack-refs --all", "tag -f t", "tag -d t", "update-ref refs/heads/t HEAD"], id="refs"),
    ],
)
def test_a_repository_that_changes_underneath(leaking: Any, steps: list[str]) -> None:
    """The leak is there all the time: it is found, or what could not be read is said."""
    leaking.git("config", "gc.auto", "0")
    stop = threading.Event()

    def change() -> None:
        for number, step in enumerate(itertools.cycle(steps)):
            if stop.is_set():
                return
            words = ["commit", "-q", "--allow-empty", "-m", f"{number}"] if step == "commit" else step.split()
            subprocess.run(["git", *words], cwd=leaking.root, capture_output=True, check=False)

    other = threading.Thread(target=change)
    other.start()
    try:
        answers = [answer(leaking.root, edition=bytes(32), history=True) for _ in range(8 if NIGHTLY else 3)]
    finally:
        stop.set()
        other.join()
    assert "clear" not in answers
    assert answer(leaking.root, edition=bytes(32), history=True) == "leak"


def test_a_branch_that_is_away_for_the_time_of_a_look(leaking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came of neither state is not kept for the state before, to which the repository returns."""
    monkeypatch.setattr(remembered, "YOUNG", 0.0)
    leaking.git("tag", "-d", "v1")
    leaking.git("checkout", "-q", "side")

    def away(*arguments: Any) -> Any:
        leaking.git("update-ref", "-d", "refs/heads/main")
        return list_changes(*arguments)

    tip = leaking.git("rev-parse", "main").strip()
    with monkeypatch.context() as patched:
        patched.setattr(history, "list_changes", away)
        assert answer(leaking.root, edition=bytes(32), history=True) == "clear"  # it is, by then
    leaking.git("update-ref", "refs/heads/main", tip)
    assert answer(leaking.root, edition=bytes(32), history=True) == "leak"


KILLS = 50 if NIGHTLY else 10
_WRITER = """
import sys
from pathlib import Path
from hardenctl.sources import sealed
for number in range(1_000_000):
    sealed.write([Path(sys.argv[1])], b"magic", bytes(32), bytes([number % 251]) * 3_000_000)
    if number == 1:
        print("ready", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_killed_while_what_is_known_is_written(tmp_path: Path) -> None:
    """At random moments: what is read then is one whole writing, and what was left half-done takes no room for long."""
    place = tmp_path / "kept/known"
    dice = random.Random(7919)  # noqa: S311 - no secret
    for _ in range(KILLS):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(place)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(dice.uniform(0, 0.05))  # not a wait for anything: the moment is the dice's
        writer.kill()
        writer.wait()
        writer.stdout.close()
        body = sealed.read(place, b"magic", bytes(32))
        assert len(body) == 3_000_000
        assert len(set(body)) == 1
    sealed.write([place], b"magic", bytes(32), b"new")
    assert sealed.read(place, b"magic", bytes(32)) == b"new"
