"""`--pre-receive` as the hook of a real server repository, asked by a real `git push`."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl.rules.fakes import FAKES
from hardenctl.sources.governing import governing_files
from hardenctl.sources.push import STATES
from hardenctl.sources.repository import find_place

Make = Callable[..., Any]
KEY = FAKES["stripe-live-key"]()


class Server:
    """A bare repository whose hook is ours, and how a push to it went."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", *options, str(root)], check=True)
        self.install("audit")

    def install(self, command: str, *options: str) -> None:
        """Write the hook, as an administrator would."""
        given = [command, "--pre-receive", *options]
        call = f"import sys; from hardenctl.__main__ import main; sys.argv[1:] = {given}; main()"
        hook = self.root / "hooks/pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{call}"\n')
        hook.chmod(0o755)

    def push(self, repository: Any, *arguments: str) -> tuple[bool, str]:
        """Whether the push was taken, and what the pusher saw."""
        done = subprocess.run(
            ["git", "push", "-q", str(self.root), *arguments],
            cwd=repository.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert KEY not in done.stdout + done.stderr
        return done.returncode == 0, done.stderr

    def has(self, oid: str) -> bool:
        """Whether an object is in the store."""
        command = ["git", "cat-file", "-e", oid]
        return subprocess.run(command, cwd=self.root, capture_output=True, check=False).returncode == 0


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """An empty server."""
    return Server(tmp_path / "server.git")


def feed(repository: Any, command: str, text: str) -> str:
    """Run git with something on standard input."""
    return subprocess.run(
        ["git", command], cwd=repository.root, input=text, capture_output=True, text=True, check=True
    ).stdout


def leak(name: str = "b.py") -> dict[str, str]:
    """A file with a live key."""
    return {name: f"STRIPE = '{KEY}'\n"}


@pytest.fixture
def repository(server: Server, make_repository: Make) -> Any:
    """A repository whose main branch the server has."""
    repository = make_repository({"a.py": "x = 1\n"})
    assert server.push(repository, "main")[0]
    return repository


def test_a_push_is_taken_or_refused(server: Server, repository: Any) -> None:
    """What adds nothing bad is taken; a key is refused, said to the pusher, and its objects are not kept."""
    good = repository.commit({"b.py": "y = 2\n"})
    assert server.push(repository, "main")[0]
    bad = repository.commit(leak())
    taken, said = server.push(repository, "main")
    assert not taken
    assert "remote:   critical  secret-stripe-secret-key" in said
    assert "b.py:1:11" in said
    assert bad[:10] in said
    assert "the push moves refs/heads/main" in said
    assert "nothing of it is kept" in said
    assert server.has(good)
    assert not server.has(bad)
    assert not server.push(repository, "main")[0], "asked again, the answer is the same"


def added_and_removed(repository: Any) -> list[str]:
    """In one commit of the push, and out in the next."""
    repository.commit(leak())
    repository.git("rm", "-q", "b.py")
    repository.git("commit", "-q", "-m", "out")
    return ["main"]


def new_branch(repository: Any) -> list[str]:
    """On a branch that the server has not."""
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit(leak())
    return ["topic"]


def forced(repository: Any) -> list[str]:
    """In the message of a commit that replaces another."""
    repository.git("commit", "-q", "--amend", "-m", f"rewritten {KEY}")
    return ["--force", "main"]


def orphan(repository: Any) -> list[str]:
    """On a branch that shares nothing with the server."""
    repository.git("checkout", "-q", "--orphan", "new")
    repository.commit(leak())
    return ["new"]


def second_of_two(repository: Any) -> list[str]:
    """Not in the first of two refs."""
    repository.git("branch", "one")
    repository.git("checkout", "-q", "-b", "two")
    repository.commit(leak())
    return ["one", "two"]


def beside_a_deleted_one(repository: Any) -> list[str]:
    """On a ref beside one that goes."""
    return [*second_of_two(repository), ":main"][1:]


def commit_message(repository: Any) -> list[str]:
    """In what a commit says."""
    repository.commit({"c.py": "z = 3\n"}, f"use {KEY}")
    return ["main"]


def tag_message(repository: Any) -> list[str]:
    """In what a tag of a known commit says."""
    repository.git("tag", "-a", "-m", f"with {KEY}", "v1")
    return ["v1"]


def tag_of_a_tag(repository: Any) -> list[str]:
    """In what the inner one of two tags says."""
    repository.git("tag", "-a", "-m", f"with {KEY}", "inner")
    repository.git("tag", "-a", "-m", "outer", "outer", "inner")
    return ["outer"]


def tag_of_a_blob(repository: Any) -> list[str]:
    """In a blob that only a tag names."""
    repository.write(leak())
    repository.git("tag", "blob", repository.git("hash-object", "-w", "b.py").strip())
    return ["blob"]


def note(repository: Any) -> list[str]:
    """In a note on a known commit."""
    repository.git("notes", "add", "-m", f"see {KEY}")
    return ["refs/notes/commits"]


def evil_merge(repository: Any) -> list[str]:
    """In the resolution of a merge, in none of its parents."""
    repository.git("checkout", "-q", "-b", "side")
    repository.commit({"s.py": "s = 1\n"})
    repository.git("checkout", "-q", "main")
    repository.commit({"m.py": "m = 1\n"})
    repository.git("merge", "-q", "--no-commit", "side")
    repository.commit(leak("m.py"), "merge")
    return ["main"]


def all_of_it(repository: Any) -> list[str]:
    """In a push of everything."""
    repository.git("checkout", "-q", "-b", "z")
    repository.commit(leak())
    return ["--mirror"]


@pytest.mark.parametrize("first", [False, True], ids=["later", "first-push"])
@pytest.mark.parametrize(
    "prepare",
    [
        added_and_removed, new_branch, forced, orphan, second_of_two, beside_a_deleted_one, commit_message, tag_message,
        tag_of_a_tag, tag_of_a_blob, note, evil_merge, all_of_it,
    ],
    ids=lambda prepare: prepare.__name__,
)  # fmt: skip
def test_where_a_key_can_come_in(
    server: Server,
    make_repository: Make,
    prepare: Callable[[Any], list[str]],
    first: bool,  # noqa: FBT001
) -> None:
    """Whatever moves and however, into an empty server or beside what it has: the key is found."""
    repository = make_repository({"a.py": "x = 1\n"})
    if not first:
        assert server.push(repository, "main")[0]
    arguments = [each for each in prepare(repository) if not (first and each.startswith(":"))]
    taken, said = server.push(repository, *arguments)
    assert not taken
    assert "secret-stripe-secret-key" in said


def test_what_brings_nothing_new_is_taken(server: Server, repository: Any) -> None:
    """A branch, a tag or a deletion of what the server has needs no look at files, and is taken."""
    repository.git("tag", "v1")
    repository.git("branch", "other")
    taken, said = server.push(repository, "other", "v1")
    assert taken
    assert "0 files" in said
    taken, said = server.push(repository, ":other")
    assert taken
    assert "refs/heads/other (deleted)" in said


def test_what_stood_there_before_is_not_the_pushs_fault(server: Server, repository: Any) -> None:
    """A file that held a key before the hook was there can be edited and renamed; a second key is refused."""
    hook = server.root / "hooks/pre-receive"
    hook.rename(server.root / "hooks/aside")
    repository.commit(leak() | {"compose.yml": "services:\n  db:\n    image: postgres:16\n    privileged: true\n"})
    assert server.push(repository, "main")[0]
    (server.root / "hooks/aside").rename(hook)
    repository.git("checkout", "-q", "-b", "topic")
    text = (repository.root / "compose.yml").read_text()
    repository.git("mv", "b.py", "c.py")
    repository.commit({"c.py": f"# moved\n{leak()['b.py']}", "compose.yml": f"# edited\n{text}"})
    taken, said = server.push(repository, "topic")
    assert taken, said
    assert "baselined" in said
    repository.commit(
        {"compose.yml": f"{text}    network_mode: host\n", "c.py": f"x = '{FAKES['aws-access-key-id']()}'\n"}
    )
    assert not server.push(repository, "topic")[0]


POLICY = 'rules = { "secret" = "off" }\n'


def test_the_policy_is_not_the_pushs_own(server: Server, repository: Any) -> None:
    """A push that switches a rule off is judged without that; once its policy is the server's, it holds."""
    repository.commit(leak() | {"hardenctl.toml": POLICY})
    assert not server.push(repository, "main")[0]
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit({"hardenctl.toml": 'extends = ["rules/team.toml"]\n', "rules/team.toml": POLICY})
    assert server.push(repository, "main")[0]
    repository.commit(leak())
    taken, said = server.push(repository, "main")
    assert taken, said
    assert "the server's policy holds (hardenctl.toml)" in said


def test_a_comment_excuses_nothing(server: Server, repository: Any) -> None:
    """Neither our marks nor those of other tools count in what is pushed."""
    for mark in ("hardenctl: ignore[secret-] for a test", "gitleaks:allow", "nosec"):
        repository.commit({"b.py": f"STRIPE = '{KEY}'  # {mark}\n"})
        assert not server.push(repository, "main")[0]


def test_the_baseline_is_the_servers(server: Server, repository: Any, hardenctl: Callable[..., Any]) -> None:
    """A baseline that comes with what it accepts does not count; one that was there does, with its salt."""
    repository.commit(leak())
    assert hardenctl("baseline", "create", cwd=repository.root).code == 0
    accepted = (repository.root / ".hardenctl-baseline.json").read_text()
    repository.commit({".hardenctl-baseline.json": accepted})
    assert not server.push(repository, "main")[0]
    repository.git("reset", "-q", "--hard", "HEAD~2")
    repository.commit({".hardenctl-baseline.json": accepted})
    assert server.push(repository, "main")[0]
    repository.commit(leak())
    assert server.push(repository, "main")[0]


def test_archives_on_request(server: Server, repository: Any) -> None:
    """With `--archives` in the hook a key in a pushed zip is found; without, the file is counted as binary."""
    with zipfile.ZipFile(repository.root / "a.zip", "w") as archive:
        archive.writestr("inside.py", leak()["b.py"])
    repository.git("add", "a.zip")
    repository.git("commit", "-q", "-m", "packed")
    server.install("audit", "--archives")
    taken, said = server.push(repository, "main")
    assert not taken
    assert "inside.py" in said
    server.install("audit")
    taken, said = server.push(repository, "main")
    assert taken
    assert "1 binary" in said


def test_the_administrators_policy_comes_first(server: Server, repository: Any, tmp_path: Path) -> None:
    """`--config` in the hook is the server's word, whatever the default branch says."""
    (tmp_path / "company.toml").write_text(POLICY)
    server.install("audit", "--config", str(tmp_path / "company.toml"))
    repository.commit(leak())
    assert server.push(repository, "main")[0]


def test_configuration_is_judged_at_each_new_tip(server: Server, repository: Any) -> None:
    """Two branches are two states; a state that another one holds is no state of its own; `scan` judges none."""
    bad = {"compose.yml": "services:\n  web:\n    image: nginx:1.27\n    privileged: true\n"}
    repository.git("checkout", "-q", "-b", "one")
    repository.commit(bad)
    repository.git("checkout", "-q", "-b", "two", "main")
    repository.commit({"c.py": "c = 1\n"})
    taken, said = server.push(repository, "two", "one")
    assert not taken
    assert "compose-privileged" in said
    repository.git("checkout", "-q", "one")
    repository.git("rm", "-q", "compose.yml")
    repository.git("commit", "-q", "-m", "better")
    taken, said = server.push(repository, "one", "one~1:refs/heads/old")
    assert taken, said
    server.install("scan")
    assert server.push(repository, "one~1:refs/heads/worse")[0]


def test_too_many_states_are_a_gap(server: Server, repository: Any) -> None:
    """Beyond a number of tips files are not judged, which is said and refuses; secrets are found in all."""
    for number in range(STATES + 2):
        repository.git("checkout", "-q", "-b", f"b{number}", "main")
        repository.commit({"n.py": f"n = {number}\n"})
    taken, said = server.push(repository, "--all")
    assert not taken
    assert "2 more" in said
    server.install("scan")
    repository.commit(leak())
    taken, said = server.push(repository, "--all")
    assert not taken
    assert "secret-stripe-secret-key" in said


@pytest.mark.parametrize("options", [[], ["--object-format=sha256"]], ids=["sha1", "sha256"])
def test_both_object_formats(tmp_path: Path, make_repository: Make, options: list[str]) -> None:
    """Ids of 40 and of 64 digits are ids, zeros included."""
    server = Server(tmp_path / "s.git", *options)
    (tmp_path / "repo").mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", *options, str(tmp_path / "repo")], check=True)
    repository = make_repository({"a.py": "x = 1\n"})
    assert server.push(repository, "main")[0]
    repository.commit(leak())
    assert not server.push(repository, "main")[0]


def test_a_server_with_a_work_tree(tmp_path: Path, make_repository: Make) -> None:
    """A push into a repository that is not bare is looked at the same way."""
    server = Server(tmp_path / "s.git")
    plain = make_repository({"a.py": "x = 1\n"}, "plain")
    plain.git("config", "receive.denyCurrentBranch", "ignore")
    (server.root / "hooks/pre-receive").rename(plain.root / ".git/hooks/pre-receive")
    repository = make_repository(None, "mine")
    repository.git("pull", "-q", str(plain.root), "main")
    server.root = plain.root
    repository.commit({"c.py": "c = 1\n"})
    assert server.push(repository, "HEAD:main")[0]
    bad = repository.commit(leak())
    assert not server.push(repository, "HEAD:main")[0]
    assert not server.has(bad)


ZERO, ONE = "0" * 40, "1" * 40


@pytest.mark.parametrize(
    ("given", "error"),
    [
        pytest.param("", "there was nothing on standard input", id="nothing"),
        pytest.param("\n", "line 1 of standard input is not `OLD NEW REF`", id="an-empty-line"),
        pytest.param(f"{ZERO} {ONE}\n", "line 1 of standard input", id="two-fields"),
        pytest.param(f"refs/heads/a {ONE} refs/heads/b {ZERO}\n", "line 1 of standard input", id="a-pre-push-line"),
        pytest.param(f"{ZERO} {'1' * 64} refs/heads/a\n", "line 1 of standard input", id="two-lengths"),
        pytest.param(f"{ZERO} {'g' * 40} refs/heads/a\n", "line 1 of standard input", id="no-hex"),
        pytest.param(f"{ZERO} {ZERO} refs/heads/a\n--all\n", "line 2 of standard input", id="an-option"),
        pytest.param(f"{ZERO} {ONE} refs/heads/a\n", f"the pushed object {ONE} is not there", id="no-object"),
    ],
)
def test_what_is_no_push(server: Server, given: str, error: str) -> None:
    """Anything else than git's lines is an error with a remedy, and refuses."""
    done = subprocess.run(
        [sys.executable, "-m", "hardenctl", "audit", "--pre-receive"],
        cwd=server.root, input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"error: {'' if ONE in error else '--pre-receive: '}{error}" in done.stderr
    assert "\nhelp: " in done.stderr


@pytest.mark.parametrize("option", ["--staged", "--since=HEAD", "--history", "--all-objects", "--submodules", "-"])
def test_it_stands_alone(server: Server, hardenctl: Callable[..., Any], option: str) -> None:
    """Another source cannot be asked together with it."""
    result = hardenctl("audit", "--pre-receive", option, cwd=server.root)
    assert (result.code, "stands alone" in result.err) == (2, True)


def test_a_hostile_tree_writes_nothing_outside(server: Server, repository: Any) -> None:
    """Paths that lead out of a folder, which a server does not refuse of itself, are not written there."""
    blob = repository.git("hash-object", "-w", "a.py").strip()
    inner = feed(repository, "mktree", f"100644 blob {blob}\thardenctl.toml\n").strip()
    tree = feed(repository, "mktree", f"040000 tree {inner}\t..\n100644 blob {blob}\ta.py\n").strip()
    commit = repository.git("commit-tree", "-p", "HEAD", "-m", "hostile", tree).strip()
    server.push(repository, f"{commit}:refs/heads/main")
    repository.git("reset", "-q", "--hard", "main")
    place = find_place([server.root], on_disk=False)
    with governing_files(place, place.head) as folder:
        assert list(folder.rglob("*")) == []
        assert not (folder.parent / "hardenctl.toml").exists()


UNUSABLE = {
    "a policy": {"pyproject.toml": '[tool.hardenctl]\nfail-onn = "x"\n'},
    "a baseline": {".hardenctl-baseline.json": "{}\n"},
}
unusable = pytest.mark.parametrize("files", [pytest.param(files, id=what) for what, files in UNUSABLE.items()])


@unusable
def test_what_cannot_govern_is_not_taken(server: Server, repository: Any, files: dict[str, str]) -> None:
    """A push that would leave the server with a policy or baseline that cannot be used is refused with the error."""
    repository.commit(files)
    taken, said = server.push(repository, "main")
    assert not taken
    assert next(iter(files)) in said
    assert "error: the push is refused" in said
    assert server.push(repository, "main:refs/heads/topic")[0]  # no branch of it governs


@unusable
def test_a_broken_server_can_be_repaired(server: Server, repository: Any, files: dict[str, str]) -> None:
    """Where such a file governs already, the default holds: it is said, a push can repair it, branches go their way."""
    repository.commit(files)
    hook = server.root / "hooks/pre-receive"
    kept = hook.rename(hook.with_name("aside"))
    assert server.push(repository, "main", "main:refs/heads/old")[0]
    kept.rename(hook)
    taken, said = server.push(repository, ":refs/heads/old")
    assert taken
    assert "until a push to the default branch repairs it" in said
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit(leak())
    taken, said = server.push(repository, "topic")
    assert not taken
    assert "secret-stripe" in said
    repository.git("checkout", "-q", "main")
    repository.commit({"c.py": "y = 1\n"})
    assert not server.push(repository, "main")[0]  # not yet
    for name in files:
        repository.git("rm", "-q", name)
    repository.git("commit", "-q", "-m", "repair")
    taken, said = server.push(repository, "main")
    assert taken, said
    repository.commit({"d.py": "z = 1\n"})
    taken, said = server.push(repository, "main")
    assert taken
    assert "repairs it" not in said
