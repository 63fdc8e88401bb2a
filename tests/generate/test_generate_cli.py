from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from hardenctl.cli.app import run
from hardenctl.generate.credential import RECIPES


@pytest.fixture(autouse=True)
def plain_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in a folder of its own, outside git."""
    monkeypatch.chdir(tmp_path)


def on_terminal(*arguments: str) -> str:
    """What a command prints on a real terminal."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on Windows")
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "hardenctl", *arguments], stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        seen += part
    os.close(master)
    assert process.wait() == 0
    return seen.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_pipe_gets_the_bare_value(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe the value stands alone, without a newline."""
    assert run(["generate", name]) == 0
    printed = capsys.readouterr()
    assert re.fullmatch(r"[\w=+/-]{32,}", printed.out)
    assert printed.err == ""


@pytest.mark.parametrize("name", ["rsa", "ed25519"])
def test_a_pipe_gets_a_whole_pem(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends as a text file does: OpenSSL finds both of two that stand in one file."""
    pytest.importorskip("cryptography")
    assert run(["generate", name]) == 0
    assert run(["generate", name]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("-----END PRIVATE " + "KEY-----\n")
    Path("both.pem").write_text(printed, encoding="utf-8")
    if shutil.which("openssl") is None:
        pytest.skip("OpenSSL is not installed here")
    command = ["openssl", "storeutl", "-noout", "-keys", "both.pem"]
    assert b"Total found: 2" in subprocess.run(command, check=True, capture_output=True).stdout


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices as POSIX has them")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link"])
@pytest.mark.parametrize("what", [["secret-key"], ["ed25519"], ["env", "--template", "t"], ["htpasswd", "--user", "u"]])
def test_only_a_file_is_written_to(what: list[str], kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A device is not replaced by a file, nobody waits for a pipe's other end, and a folder is no crash."""
    pytest.importorskip("bcrypt")
    Path("t").write_text("SECRET_KEY=\n", encoding="utf-8")
    target = Path("target")
    if kind == "device":
        try:
            os.mknod(target, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        except OSError:
            pytest.skip("only root makes devices")
    elif kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        os.mkfifo("pipe")
        target.symlink_to("pipe")
    before = target.lstat()
    assert run(["generate", *what, "--write", str(target)]) == 2
    assert re.search(r"error: `target` is no regular file\nhelp: ", capsys.readouterr().err)
    assert (target.lstat().st_mode, target.lstat().st_ino) == (before.st_mode, before.st_ino)


def test_a_folder_is_no_key_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The folder we are in has no name to put `.pub` behind."""
    pytest.importorskip("cryptography")
    assert run(["generate", "ed25519", "--write", "."]) == 2
    assert "`.` is no regular file" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_large_key_can_be_interrupted() -> None:
    """OpenSSL computes for minutes and hears of no Ctrl-C: it ends the process all the same."""
    pytest.importorskip("cryptography")
    command = [sys.executable, "-m", "hardenctl", "generate", "rsa", "--bits", "15360"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=10)
    assert process.returncode in {-signal.SIGINT, 130}
    assert (printed, b"Traceback" in said) == (b"", False)


def test_terminal_shows_no_value() -> None:
    """On a terminal: name, bits, fingerprint, and how to get at the value."""
    seen = on_terminal("generate", "secret-key")
    assert re.search(r"^secret-key: 384 bits, sha256 [0-9a-f]{12}$", seen, re.MULTILINE)
    assert "--show" in seen
    assert not re.search(r"[\w-]{40,}", seen)


def test_terminal_shows_what_was_asked_for() -> None:
    """`--show` prints the value on a line of its own."""
    assert re.fullmatch(r"[0-9a-f]{64}\n", on_terminal("generate", "hex", "--show"))


def test_write(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`--write` puts the value into the file and names, bits and fingerprint on the screen."""
    assert run(["generate", "token", "--write", ".env", "--key", "API_TOKEN"]) == 0
    printed = capsys.readouterr()
    value = dotenv_values(tmp_path / ".env")["API_TOKEN"]
    assert value
    assert value not in printed.out + printed.err
    assert re.fullmatch(r"\.env: API_TOKEN set \(258 bits, sha256 [0-9a-f]{12}\)\n", printed.out)


def test_write_has_a_usual_key(tmp_path: Path) -> None:
    """Without `--key` the kind's usual name is set."""
    assert run(["generate", "secret-key", "--write", ".env"]) == 0
    assert list(dotenv_values(tmp_path / ".env")) == ["SECRET_KEY"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param(["token", "--length", "5"], "the floor is 128", id="below the floor"),
        pytest.param(["token", "--key", "A"], "--key needs --write FILE or --push", id="key without file"),
        pytest.param(["token", "--force"], "--force needs --write", id="force without file"),
        pytest.param(["token", "--write", ".env", "--show"], "--show excludes", id="written and shown"),
        pytest.param(["token", "--write", ".env", "--push", "gcp"], "exclude each other", id="written and pushed"),
        pytest.param(["token", "--environment", "x"], "needs --push", id="environment without platform"),
        pytest.param(["token", "--write", ".env", "--key", "1A"], "cannot be the name", id="no name"),
        pytest.param(["env", "--write", ".env"], "no template", id="no template"),
        pytest.param(["token", "--write", ".env", "--key", ""], "names no key", id="empty key"),
        pytest.param(["env", "--write", ".env", "--set", "X"], "KEY=VALUE", id="half an assignment"),
        pytest.param(["tokne"], "No such command", id="unknown kind"),
    ],
)
def test_errors(arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each mistake is one error with help, exit code 2, and nothing is written."""
    assert run(["generate", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert what in printed.err
    assert "help: " in printed.err
    assert not Path(".env").exists()


def test_policy_floor(capsys: pytest.CaptureFixture[str]) -> None:
    """The project's policy raises the floor."""
    Path("hardenctl.toml").write_text("[secrets]\nminimum-bits = 512\n", encoding="utf-8")
    assert run(["generate", "token", "--length", "43"]) == 2
    assert "the floor is 512" in capsys.readouterr().err


def test_env(make_repository: Callable[..., Any], capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """The whole way in a repository: filled, ignored, named but not shown; a second run changes nothing."""
    repository = make_repository(
        {
            ".env.example": "ENVIRONMENT=development\nSECRET_KEY=\nPOSTGRES_PASSWORD=\n"
            "DATABASE_URL=postgresql://user:password@host/app\nOPENAI_API_KEY=\n",
            ".gitignore": ".env.*\n!.env.example\n",
            "docker-compose.yml": "services:\n  store:\n    image: postgres:17\n",
        }
    )
    monkeypatch.chdir(repository.root)
    command = ["generate", "env", "--template", ".env.example", "--write", ".env.production"]
    assert run([*command, "--set", "ENVIRONMENT=production"]) == 0
    printed = capsys.readouterr()
    values = dotenv_values(".env.production")
    assert values["ENVIRONMENT"] == "production"
    assert values["DATABASE_URL"] == f"postgresql://user:{values['POSTGRES_PASSWORD']}@store/app"
    for key in ("SECRET_KEY", "POSTGRES_PASSWORD", "DATABASE_URL"):
        assert key in printed.out
        assert str(values[key]) not in printed.out + printed.err
    assert "you must fill:\n  OPENAI_API_KEY: only its issuer can make it" in printed.out
    assert repository.git("status", "--porcelain", "-uall") == "?? .hardenctl/rotation.json\n"

    before = Path(".env.production").read_bytes()
    assert run(command) == 0
    assert Path(".env.production").read_bytes() == before
    again = capsys.readouterr().out
    assert again.startswith(".env.production is up to date\n")
    assert "kept:\n  SECRET_KEY\n  POSTGRES_PASSWORD\n  DATABASE_URL\n" in again

    assert run([*command, "--rotate", "SECRET_KEY"]) == 0
    rotated = dotenv_values(".env.production")
    assert rotated["SECRET_KEY"] != values["SECRET_KEY"]
    assert rotated["DATABASE_URL"] == values["DATABASE_URL"]


def test_pasted_secret_is_not_echoed(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody who pastes a value in place of KEY=VALUE does not find it on the screen."""
    value = RECIPES["token"].name + "x" * 30
    assert run(["generate", "env", "--write", ".env", "--set", value]) == 2
    assert value not in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="a shell that closes a stream")
@pytest.mark.parametrize("what", ["token", "ed25519"])
def test_a_value_is_not_made_for_nowhere(what: str) -> None:
    """Without standard output it would be lost, and nobody told."""
    command = f'exec "{sys.executable}" -m hardenctl generate {what} >&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "standard output is closed" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
@pytest.mark.parametrize("command", ["secret-key --key A", "env --template t", "rsa"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_only_a_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, kind: str
) -> None:
    """A device would be replaced by a file of credentials (/dev/null, for root), and a pipe be waited for."""
    monkeypatch.chdir(tmp_path)
    Path("t").write_text("A=\n")
    os.mkfifo("real")
    Path("folder").mkdir()
    Path("link").symlink_to("real")
    name = "real" if kind == "pipe" else kind
    assert run(["generate", *command.split(), "--write", name]) == 2
    assert f"error: `{name}` is no regular file" in capsys.readouterr().err
    assert Path("real").is_fifo()
