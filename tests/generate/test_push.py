from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hardenctl.cli.app import run
from hardenctl.generate import push as push_module
from hardenctl.generate.push import PLATFORMS, Destination, push
from hardenctl.model.errors import ToolError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fakes are POSIX scripts")

# A platform's program that writes down how it was called. FAKE decides how it behaves.
FAKE = """\
#!{python} -IS
import json, os, pathlib, sys, time
value = sys.stdin.read()
call = {{"argv": sys.argv[1:], "stdin": value, "environment": dict(os.environ)}}
with pathlib.Path({calls!r}).open("a") as stream:
    stream.write(json.dumps(call) + "\\n")
mood = os.environ.get("FAKE", "")
checking = not value
if mood == "logged out" and checking:
    sys.exit(1)
if mood == "failing" and not checking:
    sys.exit(f"no such thing: {{value}}")
if mood == "silent" and not checking:
    sys.exit(3)
if mood == "slow" and not checking:
    time.sleep(30)
"""


class Fakes:
    """The fake programs and what they saw."""

    def __init__(self, folder: Path) -> None:
        self.calls_file = folder / "calls.jsonl"
        self.bin = folder / "bin"
        self.bin.mkdir()
        for platform in PLATFORMS.values():
            script = self.bin / platform.program
            script.write_text(FAKE.format(python=sys.executable, calls=str(self.calls_file)), encoding="utf-8")
            script.chmod(0o755)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """All calls, in order."""
        if not self.calls_file.exists():
            return []
        return [json.loads(line) for line in self.calls_file.read_text(encoding="utf-8").splitlines()]

    @property
    def deliveries(self) -> list[dict[str, Any]]:
        """The calls that carried something."""
        return [call for call in self.calls if call["stdin"]]


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """Fake platform programs, and nothing else, on PATH."""
    fakes = Fakes(tmp_path)
    monkeypatch.setenv("PATH", str(fakes.bin))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return fakes


@pytest.mark.parametrize(
    ("platform", "key", "where", "argv"),
    [
        pytest.param("github", "SECRET_KEY", "", ["secret", "set", "SECRET_KEY"], id="github"),
        pytest.param(
            "github", "SECRET_KEY", "production", ["secret", "set", "SECRET_KEY", "--env=production"], id="github env"
        ),
        pytest.param(
            "railway",
            "SECRET_KEY",
            "staging",
            ["variable", "set", "SECRET_KEY", "--stdin", "--environment=staging"],
            id="railway",
        ),
        pytest.param("gcp", "secret-key", "", ["secrets", "versions", "add", "secret-key", "--data-file=-"], id="gcp"),
        pytest.param(
            "kubernetes",
            "shop/SECRET_KEY",
            "prod",
            ["apply", "--server-side", "--field-manager=hardenctl-SECRET_KEY", "--namespace=prod", "--filename=-"],
            id="kubernetes",
        ),
    ],
)
def test_delivery(fakes: Fakes, capsys: Any, platform: str, key: str, where: str, argv: list[str]) -> None:  # noqa: PLR0917 - a table
    """The exact bytes go through standard input; no argument, variable, output or file holds them."""
    options = ["--environment", where] if where else []
    assert run(["generate", "secret-key", "--push", platform, "--key", key, *options, "--yes"]) == 0
    (delivery,) = fakes.deliveries
    assert delivery["argv"] == argv
    value = delivery["stdin"]
    if platform == "kubernetes":
        manifest = json.loads(value)
        assert (manifest["kind"], manifest["metadata"], list(manifest["data"])) == (
            "Secret",
            {"name": "shop"},
            ["SECRET_KEY"],
        )
        value = base64.b64decode(manifest["data"]["SECRET_KEY"]).decode()
    assert len(value) == 64
    assert value == value.strip()
    printed = capsys.readouterr()
    assert hashlib.sha256(value.encode()).hexdigest()[:12] in printed.out
    seen = printed.out + printed.err + json.dumps([[call["argv"], call["environment"]] for call in fakes.calls])
    assert value not in seen
    assert base64.b64encode(value.encode()).decode() not in seen
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("mood", ["logged out", "failing", "silent"])
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_failures(
    fakes: Fakes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, platform: str, mood: str
) -> None:
    """A program that is not logged in stops it before anything is made; an error of one that fails hides the value."""
    monkeypatch.setenv("FAKE", mood)
    key = "shop/SECRET_KEY" if platform == "kubernetes" else "SECRET_KEY"
    assert run(["generate", "secret-key", "--push", platform, "--key", key, "--yes"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    if mood == "logged out":
        assert "is not logged in" in printed.err
        assert fakes.deliveries == []
    else:
        (delivery,) = fakes.deliveries
        assert "failed: " in printed.err
        assert "was not delivered" in printed.err
        assert delivery["stdin"] not in printed.err
        assert ("••••••••" in printed.err) is (mood == "failing")


def test_time_out(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that hangs is given up, and neither error nor its cause carries the value."""
    assert fakes.calls == []
    monkeypatch.setenv("FAKE", "slow")
    monkeypatch.setattr(push_module, "PATIENCE", 0.5)
    with pytest.raises(ToolError, match="took longer") as caught:
        push(Destination("github", "A"), "the value")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "the value" not in caught.value.what + caught.value.help


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param(["--push", "githob", "--yes"], "did you mean `github`?", id="misspelt platform"),
        pytest.param(["--push", "github", "--key", "--x", "--yes"], "", id="an option for a key"),
        pytest.param(["--push", "github", "--key", "A B", "--yes"], "cannot be a key", id="no key"),
        pytest.param(["--push", "kubernetes", "--yes"], "SECRET/KEY", id="kubernetes needs both names"),
        pytest.param(
            ["--push", "github", "--environment=-x", "--yes"], "cannot start with", id="an option in disguise"
        ),
        pytest.param(["--push", "github"], "no terminal to confirm on", id="nobody to ask"),
    ],
)
def test_refusals(fakes: Fakes, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str) -> None:
    """What cannot be is refused before anything is delivered."""
    assert run(["generate", "secret-key", *arguments]) == 2
    assert what in capsys.readouterr().err
    assert fakes.deliveries == []


@pytest.mark.parametrize(("answer", "code", "delivered"), [("y\n", 0, 1), ("n\n", 130, 0)])
def test_confirmation(fakes: Fakes, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, delivered: int) -> None:
    """On a terminal the destination is shown, and somebody has to say yes."""
    import io

    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert run(["generate", "secret-key", "--push", "github"]) == code
    assert len(fakes.deliveries) == delivered


def test_missing_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the platform's program there is a clear error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run(["generate", "secret-key", "--push", "railway", "--yes"]) == 2
    assert "`railway` is not installed" in capsys.readouterr().err


def test_program_that_cannot_start(fakes: Fakes, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken program is an error, not a traceback."""
    (fakes.bin / "gh").write_text("#!/no/such/interpreter\n", encoding="utf-8")
    assert run(["generate", "secret-key", "--push", "github", "--yes"]) == 2
    assert "could not be started" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here")
def test_real_kubectl_takes_the_manifest() -> None:
    """The real kubectl, without a cluster, reads the Secret and the value in it."""
    platform = PLATFORMS["kubernetes"]
    done = subprocess.run(
        ["kubectl", "annotate", "--local", "--filename=-", "checked=yes", "--output=json"],
        input=platform.payload(Destination("kubernetes", "shop/A"), "exact value"),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "KUBECONFIG": os.devnull},
    )
    assert base64.b64decode(json.loads(done.stdout)["data"]["A"]) == b"exact value"
