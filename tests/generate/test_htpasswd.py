"""Lines of password files: Apache's own program believes them, and nobody saw the password."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import bcrypt
import pytest

from hardenctl.cli.app import run
from hardenctl.generate import htpasswd
from hardenctl.generate.htpasswd import entry
from hardenctl.generate.stamps import Ledger
from hardenctl.model.errors import UsageError


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Make a line; what the pipe got."""
    assert run(["generate", "htpasswd", "--write", ".htpasswd", *arguments]) == 0
    return capsys.readouterr().out


def test_apaches_own_program_believes_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The password from the pipe opens the line in the file, and another one does not."""
    password = make("--user", "ada", capsys=capsys)
    program = shutil.which("htpasswd")
    if program is None:
        assert not os.environ.get("CI"), "apache2-utils is not installed, and CI has to have it"
        pytest.skip("htpasswd (apache2-utils) is not installed here")
    for text, code in ((password, 0), (password + "x", 3)):
        done = subprocess.run(
            [program, "-vi", ".htpasswd", "ada"], input=text, text=True, capture_output=True, check=False
        )
        assert done.returncode == code


def test_other_users_stay(capsys: pytest.CaptureFixture[str]) -> None:
    """A new line comes last, an old one is replaced where it stands and only with --force."""
    Path(".htpasswd").write_text("# staff\ngrace:$2y$05$x\n", encoding="utf-8")
    first = make("--user", "ada", capsys=capsys)
    assert run(["generate", "htpasswd", "--user", "ada", "--write", ".htpasswd"]) == 2
    assert "has an entry for `ada` already" in capsys.readouterr().err
    second = make("--user", "ada", "--force", "--length", "40", capsys=capsys)
    lines = Path(".htpasswd").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# staff", "grace:$2y$05$x"]
    assert len(lines) == 3
    assert (len(first), len(second)) == (32, 40)
    assert bcrypt.checkpw(second.encode(), lines[2].partition(":")[2].encode())
    assert [(each.key, each.kind) for each in Ledger().stamps] == [("ada", "htpasswd")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_its_owner_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Mode 0600, as all files of credentials."""
    make("--user", "ada", capsys=capsys)
    assert Path(".htpasswd").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param(["--user", "a:b"], "a user's name", id="colon"),
        pytest.param(["--user", ""], "a user's name", id="empty"),
        pytest.param(["--user", "#a"], "a user's name", id="comment"),
        pytest.param(["--user", "a\nb"], "a user's name", id="two-lines"),
        pytest.param(["--user", "a" * 256], "a user's name", id="long"),
        pytest.param(["--user", "ada", "--length", "80"], "bcrypt reads 72 bytes", id="longer-than-bcrypt-reads"),
        pytest.param(["--user", "ada", "--length", "8"], "the floor is 128", id="weak"),
        pytest.param(["--user", "ada", "--push", "herokuu"], "there is no platform", id="no-platform"),
    ],
)
def test_refusals(arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be is refused, and no file is made."""
    assert run(["generate", "htpasswd", "--write", ".htpasswd", "--yes", *arguments]) == 2
    assert what in capsys.readouterr().err
    assert not Path(".htpasswd").exists()


def test_a_password_nobody_would_know_is_not_made(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal the password has to be asked for, or delivered."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert run(["generate", "htpasswd", "--user", "ada", "--write", ".htpasswd"]) == 2
    assert "nobody would know the password" in capsys.readouterr().err
    assert not Path(".htpasswd").exists()


def test_without_bcrypt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named before anything is made."""
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    assert run(["generate", "htpasswd", "--user", "ada", "--write", ".htpasswd"]) == 2
    assert "pip install 'hardenctl[keys]'" in capsys.readouterr().err


def test_git_must_not_see_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A password file that the next commit would take is refused."""
    subprocess.run(["git", "init", "-q", "."], check=True)
    assert run(["generate", "htpasswd", "--user", "ada", "--write", ".htpasswd"]) == 2
    assert "git does not ignore `.htpasswd`" in capsys.readouterr().err


def test_the_whole_password_counts() -> None:
    """Bcrypt would silently read a part of a longer one."""
    assert entry("ada", "p" * htpasswd.LONGEST).startswith("ada:$2y$05$")
    with pytest.raises(UsageError, match="72 bytes"):
        entry("ada", "p" * (htpasswd.LONGEST + 1))
