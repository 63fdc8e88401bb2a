"""What goes wrong is said in words with exit code 2, and what only looks odd works."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl.cli import auditing, progress
from hardenctl.cli.errors import guarded
from hardenctl.model.blob import Blob
from hardenctl.rules.fakes import scramble

Run = Callable[..., Any]


def _broken_policy(root: Path) -> None:
    (root / "hardenctl.toml").write_text("fail-on = \n")


def _unknown_key(root: Path) -> None:
    (root / "hardenctl.toml").write_text('fail-onn = "high"\n')


def _corrupt_index(root: Path) -> None:
    (root / ".git" / "index").write_bytes(b"this is no index")


def _index_as_a_folder(root: Path) -> None:
    index = root / ".git" / "index"
    index.unlink()
    index.mkdir()


def _policy(text: str) -> Callable[[Path], None]:
    return lambda root: [(root / "hardenctl.toml").write_text(text + "\n"), None][1]


def _nothing(root: Path) -> None:
    del root


@pytest.mark.parametrize(
    ("spoil", "arguments", "words"),
    [
        pytest.param(_nothing, ("audit", "missing.py"), "missing.py", id="missing-path"),
        pytest.param(_broken_policy, ("audit",), "hardenctl.toml", id="policy-that-is-no-toml"),
        pytest.param(_unknown_key, ("audit",), "fail-on", id="policy-with-an-unknown-key"),
        pytest.param(_nothing, ("audit", "--config", "missing.toml"), "missing.toml", id="missing-policy"),
        pytest.param(_nothing, ("audit", "--select", "corz"), "did you mean `cors`?", id="unknown-rule"),
        pytest.param(_nothing, ("audit", "--ignore", "cors-any-orign"), "cors-any-origin", id="unknown-rule-to-ignore"),
        pytest.param(_nothing, ("audit", "--select", ","), "--select names no rule", id="no-rule-selected"),
        pytest.param(_nothing, ("audit", ""), "a path is empty", id="empty-path"),
        pytest.param(_nothing, ("audit", "--output", "json=."), "Is a directory", id="output-into-a-folder"),
        pytest.param(_nothing, ("explain", "cors-any-orign"), "did you mean `cors-any-origin`?", id="explain-unknown"),
        pytest.param(_nothing, ("explain", "secret"), "`hardenctl rules secret` lists them", id="explain-a-prefix"),
        pytest.param(_nothing, ("check",), "`hardenctl check` needs a command", id="no-subject"),
        pytest.param(_nothing, ("rules", "nonsense"), "no rule `nonsense`", id="rules-unknown"),
        pytest.param(_nothing, ("rules", "--format", "yaml"), "formats: text, json", id="rules-format"),
        pytest.param(_nothing, ("score", "--format", "yaml"), "formats: text, json", id="score-format"),
        pytest.param(_nothing, ("policy", "show", "--format", "x"), "formats: toml, json", id="policy-format"),
        pytest.param(_nothing, ("audit", "--format", "pdf"), "formats: full, concise", id="unknown-format"),
        pytest.param(_nothing, ("audit", "--output", "json"), "FORMAT=FILE", id="output-without-a-file"),
        pytest.param(_nothing, ("audit", "--output", "json=no/such/x"), "cannot write", id="output-nowhere"),
        pytest.param(_nothing, ("audit", "--fail-on", "hihg"), "high", id="unknown-severity"),
        pytest.param(_nothing, ("audit", "--frmat", "json"), "--format", id="unknown-option"),
        pytest.param(_nothing, ("audit", "--format"), "--format", id="option-without-its-value"),
        pytest.param(_nothing, ("adit",), "adit", id="unknown-command"),
        pytest.param(_nothing, ("audit", "--select", "cors", "--ignore", "cors"), "no rule is left", id="no-rule-left"),
        pytest.param(_nothing, ("audit", "--baseline", "missing.json"), "missing.json", id="missing-baseline"),
        pytest.param(_nothing, ("audit", "--since", "no-such-rev"), "no-such-rev", id="unknown-revision"),
        pytest.param(_corrupt_index, ("audit", "--staged"), "index", id="corrupt-index"),
        pytest.param(_corrupt_index, ("audit",), "index", id="corrupt-index-for-the-work-tree"),
        pytest.param(_index_as_a_folder, ("audit", "--staged"), "could not be read", id="index-that-cannot-be-read"),
        pytest.param(_policy("fail-on = 3"), ("audit",), "write one of them", id="policy-number-for-a-word"),
        pytest.param(_policy("exclude = 'a.py'"), ("audit",), "put it in brackets", id="policy-word-for-a-list"),
        pytest.param(_policy("rules = []"), ("audit",), "a heading of their own", id="policy-list-for-a-table"),
        pytest.param(_policy("suppress = {}"), ("audit",), "write `[[suppress]]`", id="policy-table-for-several"),
        pytest.param(_policy("load.targets.p95 = 'x'"), ("audit",), "docs/schema/policy.json", id="policy-no-duration"),
        pytest.param(_policy("load.targets.p95 = inf"), ("audit",), "expected a duration", id="policy-without-a-limit"),
        pytest.param(_policy("load.targets.rps = inf"), ("audit",), "a run can reach", id="policy-that-none-reaches"),
        pytest.param(_policy("gunicorn.timeout = " + "9" * 5000), ("audit",), "too long", id="policy-endless-number"),
        pytest.param(_nothing, ("audit", "--jobs", "9" * 5000), "no number of processes", id="endless-number-of-jobs"),
        pytest.param(_policy("cors = 3\nx = 4"), ("audit",), "2 problems", id="policy-two-problems"),
        pytest.param(_nothing, ("audit", "--staged", "--history"), "--staged", id="sources-that-exclude-each-other"),
        pytest.param(_nothing, ("audit", "--stdin-filename", "x"), "`-`", id="a-name-without-standard-input"),
    ],
)
@pytest.mark.parametrize("typer", [False, True])
def test_bad_input(  # noqa: PLR0917 - a table
    hardenctl: Run,
    make_repository: Callable[..., Any],
    spoil: Callable[[Path], None],
    arguments: tuple[str, ...],
    words: str,
    typer: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """`error:` says what is wrong, `help:` what to do; exit 2, nothing on standard output, the same on both paths."""
    root = make_repository({"a.py": "x = 1\n"}).root
    spoil(root)
    result = hardenctl(*arguments, cwd=root, typer=typer)
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert words in result.err
    assert "\nhelp: " in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("docker-compose.yml", "services: {web: [\n", id="broken-yaml"),
        pytest.param("main.py", "from fastapi import FastAPI\ndef broken(:\n", id="python-with-a-syntax-error"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_a_gap(
    hardenctl: Run, make_repository: Callable[..., Any], name: str, text: str
) -> None:
    """It is named in the report, with exit 2."""
    result = hardenctl("audit", name, cwd=make_repository({name: text}).root)
    assert result.code == 2
    assert "Could not be looked at" in result.out
    assert name in result.out


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda root: root.mkdir(), id="plain-folder"),
        pytest.param(lambda root: subprocess.run(["git", "init", "-q", root], check=True), id="empty-repository"),
    ],
)
def test_a_folder_without_files_passes_and_says_so(
    hardenctl: Run, tmp_path: Path, prepare: Callable[[Path], object]
) -> None:
    """Nothing to look at is no failure, and no silent pass either."""
    root = tmp_path / "root"
    prepare(root)
    result = hardenctl("audit", "--select", "cors,secret", cwd=root)
    assert result.code == 0
    assert "there was no file to look at" in result.out
    assert "0 files" in result.out


def test_nothing_staged_is_said(hardenctl: Run, make_repository: Callable[..., Any]) -> None:
    """A hook that looked at nothing doesn't just pass."""
    result = hardenctl("audit", "--staged", "--quiet", cwd=make_repository({"a.py": "x = 1\n"}).root)
    assert result.code == 0
    assert "0 files looked at" in result.out


def test_an_unborn_branch_can_be_audited(hardenctl: Run, make_repository: Callable[..., Any]) -> None:
    """Before the first commit the index is all there is."""
    repository = make_repository()
    repository.write({"a.py": "x = 1\n"})
    repository.git("add", "a.py")
    result = hardenctl("audit", "--staged", "--format", "json", cwd=repository.root)
    assert result.code == 0
    assert json.loads(result.out)["target"]["commit"] is None
    assert hardenctl("audit", "--select", "cors").code == 0


def test_a_bare_repository_says_what_works(hardenctl: Run, make_repository: Callable[..., Any], tmp_path: Path) -> None:
    """It has no work tree: that is said, and history works."""
    make_repository({"a.py": "x = 1\n"}).git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    result = hardenctl("audit", cwd=tmp_path / "bare.git")
    assert result.code == 2
    assert "--history" in result.err
    assert hardenctl("audit", "--history", "--select", "secret").code == 0


@pytest.mark.parametrize("command", ["audit", "score", "policy show", "load list", "render compose", "generate token"])
def test_a_folder_that_is_gone(tmp_path: Path, command: str) -> None:
    """Whoever is in a folder that somebody removed is told so."""
    (tmp_path / "gone").mkdir()
    script = f'rmdir ../gone && exec "$0" -m hardenctl {command}'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path / "gone",
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 2
    assert "error: the current folder is gone\nhelp: " in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
@pytest.mark.parametrize("command", ["audit", "score", "fix", "policy show"])
def test_a_folder_that_cannot_be_read(
    hardenctl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """It is no folder without files. Root may read everything, so the system's answer is made up."""
    (tmp_path / "closed").mkdir()
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: "closed" not in str(path) and access(path, mode, **more)
    )
    result = hardenctl(*command.split(), "closed", cwd=tmp_path)
    assert result.code == 2
    assert "error: `closed` cannot be read\nhelp: " in result.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&-", "<&- 2>/dev/full"])
def test_an_error_that_cannot_be_told(tmp_path: Path, streams: str) -> None:
    """Where standard error is full or closed the exit code still says that the command could not run."""
    script = f'"$0" -m hardenctl audit nope {streams}; echo $?; "$0" -m hardenctl nope {streams}; echo $?'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.split() == ["2", "2"]


def test_help_without_standard_output() -> None:
    """A service that closes its standard output gets no traceback for a `--help`."""
    done = subprocess.run(
        ["sh", "-c", '"$0" -m hardenctl --help >&-', sys.executable], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def _raise(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("debug", [False, True])
def test_a_crash_names_a_place_and_no_value(
    hardenctl: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    debug: bool,  # noqa: FBT001
) -> None:
    """An unexpected exception's text could hold a secret: type and line are all that is printed."""
    value = scramble("crash", 20)
    monkeypatch.setattr(auditing, "audit", _raise(ValueError(value)))
    if debug:
        monkeypatch.setenv("HARDENCTL_DEBUG", "1")
        monkeypatch.chdir(tmp_path)
        assert guarded(lambda: auditing.run_audit(auditing.Request())) == 2
        text = capsys.readouterr().err
        assert 'auditing.py", line' in text
    else:
        result = hardenctl("audit", cwd=tmp_path)
        text = result.err
        assert (result.code, result.out) == (2, "")
        assert text.startswith("error: hardenctl crashed: ValueError at hardenctl.cli.auditing:")
        assert "report that line" in text
    assert value not in text


def test_a_crash_outside_our_code_has_a_place_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The place is the innermost line of ours, else the innermost line."""
    assert guarded(lambda: json.loads("{")) == 2
    assert "JSONDecodeError at decoder.py:" in capsys.readouterr().err


def test_interrupted(hardenctl: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ctrl-C ends with 130 and one line, on both paths."""
    monkeypatch.setattr(auditing, "audit", _raise(KeyboardInterrupt()))
    for typer in (False, True):
        result = hardenctl("audit", cwd=tmp_path, typer=typer)
        assert result.code == 130
        assert result.err.strip() == "error: interrupted"


def test_interrupted_while_modules_are_loaded(tmp_path: Path) -> None:
    """Ctrl-C in the first tenth of a second leaves no traceback either."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'hardenctl.cli.fast': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
    )
    command = [sys.executable, "-m", "hardenctl", "audit"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode().split("\n")) == (130, ["error: interrupted", ""])


@pytest.mark.parametrize("arguments", [("rules",), ("audit", "--format", "json"), ("--help",)])
def test_a_reader_that_stops_reading_is_no_error(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """`hardenctl rules | head` prints no traceback, and nothing about its pipe."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "hardenctl", *arguments],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode in {0, 1, 141}  # click's own word for it is 1


def test_names_in_errors_cannot_steer_the_terminal(hardenctl: Run, tmp_path: Path) -> None:
    """An escape sequence in a path is made visible in the error too."""
    result = hardenctl("audit", "no\x1b[31msuch", cwd=tmp_path)
    assert result.code == 2
    assert "\x1b" not in result.err


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_progress_is_shown_on_a_terminal_once_work_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some patience a line with count and path is drawn, and removed at the end."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with progress.progress() as advance:
        assert advance is not None
        advance(Blob.empty("b.py"))
        advance(Blob.empty("a\x1b[31m.py"))
    drawn = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "2 files" in drawn
    assert "\\x1b[31m" in drawn


def test_progress_is_silent_in_a_pipe_for_short_work_and_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal, no line; nor for what takes a moment; nor with --no-progress."""
    with progress.progress() as advance:
        assert advance is None
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.progress(wanted=False) as advance:
        assert advance is None
    with progress.progress() as advance:
        assert advance is not None
        advance(Blob.empty("a.py"))
    assert terminal.getvalue() == ""


def test_a_named_file_is_looked_at_though_nothing_is_staged(
    hardenctl: Run, make_repository: Callable[..., Any]
) -> None:
    """`pre-commit run --all-files` names unchanged files: looking at none of them must not pass."""
    root = make_repository({"a.py": "x = 1\n", "b.py": "x = 1\n"}).root
    assert "1 file looked at" in hardenctl("audit", "--staged", "--quiet", "a.py", cwd=root).out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments", [("audit", "."), ("audit", "--format", "json"), ("rules",), ("explain", "cors-any-origin")]
)
def test_a_full_disk_is_no_crash(make_repository: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    """Output that cannot be written is said in words, with exit 2, and nobody is asked to report a bug."""
    root = make_repository({"a.py": "x = 1\n"}).root
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hardenctl", *arguments], cwd=root, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: the output cannot be written: ")
    assert b"bug" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="descriptors are closed in a POSIX shell")
@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_do_not_change_the_verdict(make_repository: Callable[..., Any], streams: str) -> None:
    """A service manager may start us without output: the exit code and the files asked for are there all the same."""
    root = make_repository({"a.py": "x = 1\n"}).root
    command = f'"{sys.executable}" -m hardenctl audit --output json=out.json {streams}'
    done = subprocess.run(["sh", "-c", command], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0
    assert json.loads((root / "out.json").read_text(encoding="utf-8"))["verdict"] == "pass"
