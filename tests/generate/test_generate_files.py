from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from hardenctl.generate import private
from hardenctl.generate.files import fill_file, store
from hardenctl.generate.private import write_private
from hardenctl.model.blob import Standing
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.rules.fakes import scramble
from hardenctl.sources.standing import git_standing

LIVE = scramble("live", 24)
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")


@pytest.mark.parametrize(
    ("path", "standing"),
    [
        pytest.param("tracked.env", Standing.TRACKED, id="tracked"),
        pytest.param("ignored.env", Standing.IGNORED, id="ignored, not there yet"),
        pytest.param("both.env", Standing.TRACKED, id="tracked wins over ignored"),
        pytest.param("new.env", Standing.UNTRACKED, id="the next `git add` takes it"),
        pytest.param("folder/ignored.env", Standing.IGNORED, id="in a folder"),
        pytest.param("sp ace*.env", Standing.UNTRACKED, id="a name with wildcards is taken literally"),
    ],
)
def test_standing(make_repository: Callable[..., Any], path: str, standing: Standing) -> None:
    """Git itself says what it thinks of a file, there or not."""
    repository = make_repository({"tracked.env": "", "both.env": "", "sp ace1.env": "", "folder/x": ""})
    repository.write({".gitignore": "ignored.env\nboth.env\n"})
    assert git_standing(repository.root / path) is standing


def test_no_standing_outside_git(tmp_path: Path) -> None:
    """In a plain folder there is nobody to ask."""
    assert git_standing(tmp_path / ".env") is None


@pytest.mark.parametrize(
    ("path", "what"),
    [
        pytest.param("tracked.env", "git tracks", id="tracked"),
        pytest.param("new.env", "git does not ignore", id="about to be tracked"),
    ],
)
def test_refused_where_git_sees(make_repository: Callable[..., Any], path: str, what: str) -> None:
    """Credentials are not written where the next commit would take them, and the file stays as it was."""
    repository = make_repository({"tracked.env": "A=1\n", ".env.example": "SECRET_KEY=\n"})
    target = repository.root / path
    before = target.read_bytes() if target.exists() else None
    with pytest.raises(UsageError, match=what):
        store(target, "SECRET_KEY", LIVE)
    with pytest.raises(UsageError, match=what):
        fill_file(repository.root / ".env.example", target)
    assert (target.read_bytes() if target.exists() else None) == before
    assert repository.git("status", "--porcelain") == ""


@posix
def test_refused_through_a_link(make_repository: Callable[..., Any]) -> None:
    """An ignored link to a tracked file is no way around."""
    repository = make_repository({"real.env": "A=1\n", ".gitignore": ".env\n"})
    (repository.root / ".env").symlink_to("real.env")
    with pytest.raises(UsageError, match="git tracks"):
        store(repository.root / ".env", "B", LIVE)


@posix
def test_mode_and_link(tmp_path: Path) -> None:
    """The file is its owner's alone, whatever its mode was; a link goes on pointing at it; nothing else is left."""
    real = tmp_path / "real.env"
    real.write_text("A=1\n", encoding="utf-8")
    real.chmod(0o644)
    link = tmp_path / ".env"
    link.symlink_to(real)
    store(link, "B", "2")
    assert real.read_text(encoding="utf-8") == "A=1\nB=2\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == [".env", "real.env"]


@posix
def test_mode_under_a_wide_umask(tmp_path: Path) -> None:
    """The umask doesn't matter."""
    old = os.umask(0)
    try:
        store(tmp_path / ".env", "A", "1")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_failing_write_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves the old file whole, no half of the new one, and an error without a value."""
    target = tmp_path / ".env"
    target.write_text("A=1\n", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private.os, "fsync", full)
    with pytest.raises(SourceError, match="No space left") as caught:
        write_private(target, f"A={LIVE}\n")
    assert LIVE not in caught.value.what
    assert target.read_text(encoding="utf-8") == "A=1\n"
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_interrupted_write_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle leaves nothing behind and goes on up."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(private.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_private(tmp_path / ".env", "A=1\n")
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that isn't there is an error, not a traceback."""
    with pytest.raises(SourceError, match="cannot be written"):
        write_private(tmp_path / "no" / ".env", "A=1\n")


def test_unreadable_targets(tmp_path: Path) -> None:
    """A folder, or bytes that are no text, in place of the file are errors."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"A=\xff\n")
    with pytest.raises(UsageError, match="is no regular file"):
        store(tmp_path / "folder", "A", "1")
    with pytest.raises(SourceError, match="is not UTF-8"):
        store(tmp_path / "bytes", "A", "1")


@pytest.mark.parametrize(
    ("present", "force", "written"),
    [
        pytest.param("", False, True, id="new key"),
        pytest.param("KEY=\n", False, True, id="empty"),
        pytest.param("SECRET_KEY=change-me\n", False, True, id="placeholder"),
        pytest.param(f"SECRET_KEY={LIVE}\n", False, False, id="a value is there"),
        pytest.param("SECRET_KEY=weak1\n", False, False, id="a weak value is a value"),
        pytest.param(f"SECRET_KEY={LIVE}\n", True, True, id="forced"),
    ],
)
def test_store_overwrites_only_when_asked(tmp_path: Path, present: str, force: bool, written: bool) -> None:  # noqa: FBT001 - a table
    """A value that somebody may be using is not replaced in passing."""
    target = tmp_path / ".env"
    target.write_text(f"# top\n{present}OTHER=1\n", encoding="utf-8")
    new = scramble("new", 40)
    if written:
        store(target, "SECRET_KEY", new, force=force)
        assert dotenv_values(target)["SECRET_KEY"] == new
    else:
        with pytest.raises(UsageError, match="has a value") as caught:
            store(target, "SECRET_KEY", new, force=force)
        assert new not in caught.value.what + caught.value.help
        assert dotenv_values(target)["SECRET_KEY"] != new
    assert target.read_text(encoding="utf-8").startswith("# top\n")
    assert dotenv_values(target)["OTHER"] == "1"


def test_template_errors(tmp_path: Path) -> None:
    """A missing template, and a template that is its own target, are refused."""
    with pytest.raises(SourceError, match="no template"):
        fill_file(tmp_path / ".env.example", tmp_path / ".env")
    (tmp_path / ".env").write_text("SECRET_KEY=\n", encoding="utf-8")
    with pytest.raises(UsageError, match="its own target"):
        fill_file(tmp_path / ".env", tmp_path / ".env")


def test_errors_name_the_right_file(tmp_path: Path) -> None:
    """A broken line in the present file is not blamed on the template."""
    (tmp_path / ".env.example").write_text("SECRET_KEY=\n", encoding="utf-8")
    (tmp_path / ".env").write_text("A='open\n", encoding="utf-8")
    with pytest.raises(Exception, match=r"\.env:1"):
        fill_file(tmp_path / ".env.example", tmp_path / ".env")


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_killed_while_writing(tmp_path: Path) -> None:
    """Killed at 30 moments, a run leaves the old file or the new one, and the next run takes away the rest."""
    script = "import sys, pathlib; from hardenctl.generate.private import write_private\n"
    script += "print('go', flush=True)\nwhile True: write_private(pathlib.Path(sys.argv[1]), sys.argv[2] * 20_000)\n"
    file, pieces = tmp_path / ".env", ("SECRET=a\n", "SECRET=b\n")
    write_private(file, pieces[0] * 20_000)
    left = 0
    for moment in range(30):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(file), pieces[moment % 2]], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment / 1500)
        process.kill()
        process.wait()
        process.stdout.close()
        assert file.read_text(encoding="utf-8") in {each * 20_000 for each in pieces}
        left += len(list(tmp_path.iterdir())) - 1
    write_private(file, "SECRET=c\n")
    assert [each.name for each in tmp_path.iterdir()] == [".env"]
    if sys.platform == "linux":
        assert left <= 3  # a name is there for two system calls, of a write that takes a thousand times longer


def test_where_files_need_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems that know no nameless files get one with a name, mode 0600; what a dead run left there goes."""
    monkeypatch.setattr(private, "_unnamed", lambda _: None)
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    stale = tmp_path / f".env.{gone.stdout.strip()}.0123abcd.tmp"
    living = tmp_path / f".env.{os.getpid()}.0123abcd.tmp"
    for each in (stale, living):
        each.write_text("SECRET=x\n", encoding="utf-8")
    write_private(tmp_path / ".env", "SECRET=new\n")
    assert sorted(each.name for each in tmp_path.iterdir()) == [".env", living.name]
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
