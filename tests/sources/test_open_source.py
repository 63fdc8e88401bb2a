"""Which source a command line asks for; standard input; the salt."""

from __future__ import annotations

import io

import pytest
from source_support import Make, blobs_of, gaps_of

from hardenctl.model.blob import Gap, SourceKind, Standing
from hardenctl.model.errors import UsageError
from hardenctl.sources import open_source, stdin
from hardenctl.sources.git import Git, shown
from hardenctl.sources.salt import FIXED, normalise, salt_of


@pytest.mark.parametrize(
    "asked",
    [
        {"staged": True, "history": True},
        {"staged": True, "since": "HEAD"},
        {"since": "HEAD", "all_objects": True},
        {"stdin_filename": "a.py"},
        {"paths": ["-", "a"]},
        {"paths": ["-"], "staged": True},
    ],
)
def test_what_cannot_be_asked_together(make_repository: Make, asked: dict[str, object]) -> None:
    """Two sources at once, or a name for standard input without it, are usage errors with help."""
    paths = asked.pop("paths", [make_repository({"a": "1"}).root])
    with pytest.raises(UsageError) as error:
        open_source(paths, **asked)  # type: ignore[arg-type]
    assert error.value.help


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({}, SourceKind.WORKTREE),
        ({"staged": True}, SourceKind.INDEX),
        ({"since": "HEAD"}, SourceKind.RANGE),
        ({"history": True}, SourceKind.HISTORY),
        ({"all_objects": True}, SourceKind.HISTORY),
        ({"history": True, "all_objects": True}, SourceKind.HISTORY),
    ],
)
def test_the_target_says_what_is_looked_at(make_repository: Make, asked: dict[str, object], kind: SourceKind) -> None:
    """Each way to ask gives its own kind of target, with HEAD's id."""
    repository = make_repository({"a": "1"})
    target = open_source([repository.root], **asked).target  # type: ignore[arg-type]
    assert (target.kind, target.commit) == (kind, repository.git("rev-parse", "HEAD").strip())


def test_standard_input() -> None:
    """One blob, named by the user so that configuration rules know what it is."""
    source = open_source(["-"], stdin_filename="app\\main.py", stdin=io.BytesIO(b"x = 1"))
    blob = blobs_of(source)["app/main.py"]
    assert (blob.data, blob.provenance.kind, blob.provenance.standing) == (
        b"x = 1",
        SourceKind.STDIN,
        Standing.UNTRACKED,
    )
    snapshot = source.snapshot()
    assert snapshot is not None
    assert (list(snapshot.paths()), snapshot.named("app/main.py")) == (["app/main.py"], True)
    assert (source.target.kind, source.salt, source.resolve(())) == (SourceKind.STDIN, FIXED, ())


def test_standard_input_without_a_name() -> None:
    """Without a name it is called what it is; the process's own input is read where none is given."""
    assert list(blobs_of(open_source(["-"], stdin=io.BytesIO(b"")))) == ["stdin"]


def test_binary_standard_input_is_a_gap() -> None:
    """Binary input is left out, and said."""
    source = stdin.StdinSource(io.BytesIO(b"\0"), None)
    assert list(source.blobs()) == [Gap("stdin", "binary: there is no text to look at")]


def test_endless_standard_input_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Input that is too large was not looked at."""
    monkeypatch.setattr(stdin, "LARGEST", 3)
    source = stdin.StdinSource(io.BytesIO(b"1234"), "x")
    assert gaps_of(source) == [Gap("x", "larger than 50 MB")]
    assert list(source.snapshot().paths()) == []
    assert source.skipped == {}


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/Org/Repo.git",
        "https://github.com/org/repo",
        "https://github.com/org/repo/",
        "https://user:token@github.com/org/repo.git",
        "git@github.com:org/repo.git",
        "ssh://git@github.com:22/org/repo",
        "git://github.com/org/repo.git/",
        "github.com:org/repo",
    ],
)
def test_the_salt_is_the_same_however_a_repository_is_cloned(url: str) -> None:
    """Scheme, user, port, case and `.git` don't matter: CI and laptops agree on fingerprints."""
    assert normalise(url) == "github.com/org/repo"
    assert salt_of(url) == salt_of("https://github.com/org/repo")
    assert salt_of(url) != salt_of("https://github.com/org/other")


@pytest.mark.parametrize("url", ["", "/srv/git/repo.git", "file:///srv/git/repo", "../repo", "C:/repo", "C:\\repo"])
def test_a_remote_on_disk_gives_the_fixed_salt(url: str) -> None:
    """A path is different on every machine, so it can be no salt."""
    assert salt_of(url) == FIXED


def test_which_salt_counts(make_repository: Make) -> None:
    """The baseline's, else the remote's, else the fixed one."""
    repository = make_repository({"a": "1"})
    assert open_source([repository.root]).salt == FIXED
    repository.git("remote", "add", "origin", "git@example.com:a/b.git")
    for asked in ({}, {"staged": True}, {"history": True}):
        assert open_source([repository.root], **asked).salt == salt_of("https://example.com/a/b")  # type: ignore[arg-type]
        assert open_source([repository.root], salt=b"own", **asked).salt == b"own"  # type: ignore[arg-type]


def test_a_git_error_never_shows_a_token(make_repository: Make) -> None:
    """A remote's URL can hold a token; an error that quotes it doesn't."""
    error = Git(make_repository().root).error(["fetch"], b"fatal: unable to access 'https://u:token@example.com/x'")
    assert "token" not in error.what
    assert "example.com" in error.what


def test_shown_paths_can_be_printed() -> None:
    """Bytes that are no UTF-8 become escapes."""
    assert shown(b"caf\xe9/\xc3\xa9") == "caf\\xe9/é"
