from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from dotenv import dotenv_values

from hardenctl.cli.app import run
from hardenctl.generate import push as push_module
from hardenctl.generate.push import PLATFORMS, Destination, push
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.rules.fakes import scramble

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fakes are POSIX scripts")

# What the programs print when they are asked for what is there. Every value in it is a neighbour's: nobody may see it.
NEIGHBOUR = scramble("neighbour", 24)
API_KEY = "rnd_" + scramble("render", 28)
PRINTED = {
    "doctl apps spec get": {
        "name": "shop",
        "services": [{"name": "web", "envs": [{"key": "SECRET_KEY", "value": "EV[1:x]", "type": "SECRET"}]}],
        "envs": [{"key": "OTHER", "value": NEIGHBOUR}],
    },
    "op item get": {
        "id": "abc",
        "category": "SECURE_NOTE",
        "fields": [
            {"id": "x1", "label": "SECRET_KEY", "value": "old"},
            {"id": "x2", "label": "OTHER", "value": NEIGHBOUR},
        ],
    },
    "railway variable list": {"SECRET_KEY": "x", "OTHER": NEIGHBOUR},
    "aws secretsmanager list-secrets": ["shop/SECRET_KEY", "shop/OTHER"],
    "doppler secrets --only-names": {"SECRET_KEY": {}, "OTHER": {}},
    "flyctl secrets list": [{"name": "SECRET_KEY", "digest": "x"}, {"name": "OTHER", "digest": "y"}],
    "vault read": {"data": {"subkeys": {"SECRET_KEY": None, "OTHER": None}}},
    "gh secret list": "SECRET_KEY\t2026-01-01\nOTHER\t2026-01-01\n",
    "gcloud secrets list": "SECRET_KEY\nOTHER\n",
    "kubectl get secrets": "shop/SECRET_KEY\nshop/OTHER\n",
    "docker secret ls --format": "SECRET_KEY\nOTHER\n",
    "heroku config --json": {"SECRET_KEY": "x", "OTHER": NEIGHBOUR},
    "heroku config:get": "the old one",
    "curl": [{"envVar": {"key": name, "value": value}} for name, value in (("SECRET_KEY", "x"), ("OTHER", NEIGHBOUR))],
}

# A platform's program that writes down how it was called. FAKE decides how it behaves when it is given something.
FAKE = """\
#!{python} -IS
import json, os, pathlib, subprocess, sys, tempfile, time
if "config:edit" in sys.argv:  # as Heroku's: the editor writes, then a question is asked
    edited = pathlib.Path(tempfile.mkstemp()[1])
    subprocess.run([os.environ["VISUAL"], edited], check=True)
    value = edited.read_bytes().decode()
    edited.unlink()
    assert sys.stdin.read() == "y\\n"
else:
    value = sys.stdin.read()
if sys.argv[0].endswith("curl") and "PUT" not in value:  # a question, not a delivery
    asked, value = value, ""
call = {{"program": os.path.basename(sys.argv[0]), "argv": sys.argv[1:], "stdin": value}}
call["environment"] = dict(os.environ)
with pathlib.Path({calls!r}).open("a") as stream:
    stream.write(json.dumps(call) + "\\n")
said = " ".join([call["program"], *sys.argv[1:]])
for words, printed in json.loads({printed!r}).items():
    if said.startswith(words):
        print(printed if isinstance(printed, str) else json.dumps(printed))
mood = os.environ.get("FAKE", "")
if mood == "logged out" and not value:
    sys.exit(1)
if mood == "failing" and value:
    sys.exit(f"no such thing: {{value}}")
if mood == "silent" and value:
    sys.exit(3)
if mood == "second fails" and value and "JWT_SECRET" in said:
    sys.exit("quota")
if mood == "slow" and value:
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
            script.write_text(
                FAKE.format(python=sys.executable, calls=str(self.calls_file), printed=json.dumps(PRINTED)),
                encoding="utf-8",
            )
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
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # which keeps the first answer
    monkeypatch.setenv("RENDER_API_KEY", API_KEY)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return fakes


def aws(value: str) -> list[str]:
    """The end of aws's command line."""
    return ["--secret-string", "file:///dev/stdin", *([f"--profile={value}"] if value else [])]


CASES = [
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
        "aws",
        "shop/key",
        "prod",
        ["secretsmanager", "put-secret-value", "--secret-id", "shop/key", *aws("prod")],
        id="aws",
    ),
    pytest.param(
        "digitalocean", "SECRET_KEY", "a1", ["apps", "update", "a1", "--spec=-", "--format=ID"], id="digitalocean"
    ),
    pytest.param(
        "digitalocean", "NEW_KEY", "a1", ["apps", "update", "a1", "--spec=-", "--format=ID"], id="digitalocean, new"
    ),
    pytest.param(
        "kubernetes",
        "shop/SECRET_KEY",
        "prod",
        ["apply", "--server-side", "--field-manager=hardenctl-SECRET_KEY", "--namespace=prod", "--filename=-"],
        id="kubernetes",
    ),
    pytest.param(
        "vault",
        "secret/team/shop/SECRET_KEY",
        "",
        ["kv", "patch", "-mount=secret", "team/shop", "SECRET_KEY=-"],
        id="vault",
    ),
    pytest.param("flyio", "SECRET_KEY", "shop", ["secrets", "import", "--detach", "--app=shop"], id="flyio"),
    pytest.param(
        "doppler",
        "SECRET_KEY",
        "prd",
        ["secrets", "set", "SECRET_KEY", "--no-interactive", "--silent", "--config=prd"],
        id="doppler",
    ),
    pytest.param(
        "onepassword",
        "shop/SECRET_KEY",
        "ops",
        ["item", "edit", "shop", "--format=json", "--vault=ops"],
        id="1password",
    ),
    pytest.param(
        "onepassword", "shop/NEW", "ops", ["item", "edit", "shop", "--format=json", "--vault=ops"], id="1password, new"
    ),
    pytest.param(
        "sops",
        "SECRET_KEY",
        "prod.yaml",
        ["set", "--value-file", "prod.yaml", '["SECRET_KEY"]', "/dev/stdin"],
        id="sops",
    ),
    pytest.param("docker-secret", "shop_key.2", "", ["secret", "create", "shop_key.2", "-"], id="docker-secret"),
    pytest.param("heroku", "SECRET_KEY", "shop", ["config:edit", "SECRET_KEY", "--app", "shop"], id="heroku"),
    pytest.param(
        "render",
        "SECRET_KEY",
        "srv-1",
        ["--disable", "--silent", "--show-error", "--fail", "--config", "-"],
        id="render",
    ),
    pytest.param(
        "docker-secret", "k", "ctx", ["--context=ctx", "secret", "create", "k", "-"], id="docker-secret context"
    ),
]


RENDERED = "srv-1"


def received(platform: str, key: str, sent: str) -> str:  # noqa: PLR0911 - one for each platform
    """The value as the platform's program takes it out of its standard input."""
    name = key.rpartition("/")[2]
    if platform == "kubernetes":
        manifest = json.loads(sent)
        assert (manifest["kind"], manifest["metadata"], list(manifest["data"])) == ("Secret", {"name": "shop"}, [name])
        return base64.b64decode(manifest["data"][name]).decode()
    if platform == "digitalocean":
        spec = json.loads(sent)
        assert spec["name"] == "shop"
        assert spec["envs"][0] == {"key": "OTHER", "value": NEIGHBOUR}
        (row,) = [row for each in (spec, *spec["services"]) for row in each["envs"] if row["key"] == name]
        assert row["type"] == "SECRET"
        assert (row in spec["envs"]) is (name == "NEW_KEY")
        return str(row["value"])
    if platform == "onepassword":
        item = json.loads(sent)
        assert NEIGHBOUR in [row["value"] for row in item["fields"]]
        (row,) = [row for row in item["fields"] if row["label"] == name]
        return str(row["value"])
    if platform == "sops":
        return str(json.loads(sent))
    if platform == "render":
        lines = dict(line.split(" = ", 1) for line in sent.splitlines() if not line.startswith("header"))
        assert lines["url"] == f'"https://api.render.com/v1/services/{RENDERED}/env-vars/{name}"'
        return str(json.loads(json.loads(lines["data-raw"]))["value"])
    if platform == "flyio":
        return sent.removeprefix(f"{name}=").removesuffix("\n")
    return sent


@pytest.mark.parametrize(("platform", "key", "where", "argv"), CASES)
def test_delivery(fakes: Fakes, capsys: Any, platform: str, key: str, where: str, argv: list[str]) -> None:  # noqa: PLR0917 - a table
    """The exact bytes go through standard input; no argument, variable, output or file holds them."""
    options = ["--environment", where] if where else []
    assert run(["generate", "secret-key", "--push", platform, "--key", key, *options, "--yes"]) == 0
    (delivery,) = fakes.deliveries
    assert delivery["argv"] == argv
    value = received(platform, key, delivery["stdin"])
    assert re.fullmatch(r"[\w-]{64}", value)
    printed = capsys.readouterr()
    assert hashlib.sha256(value.encode()).hexdigest()[:12] in printed.out
    seen = printed.out + printed.err + json.dumps([[call["argv"], call["environment"]] for call in fakes.calls])
    assert NEIGHBOUR not in seen
    assert API_KEY not in printed.out + printed.err + json.dumps([call["argv"] for call in fakes.calls])
    assert base64.b64encode(value.encode()).decode() not in seen
    assert value not in seen + "".join(each.read_text() for each in left(fakes))
    assert [each.name for each in left(fakes)] == ["rotation.json"]


def left(fakes: Fakes) -> list[Path]:
    """The files there are, apart from the fakes' own."""
    folder = fakes.calls_file.parent
    return [
        each for each in folder.rglob("*") if each.is_file() and each.parent != fakes.bin and each != fakes.calls_file
    ]


@pytest.mark.parametrize("platform", ["github", "flyio", "kubernetes", "sops"])
def test_private_key_is_delivered(fakes: Fakes, platform: str) -> None:
    """A private key arrives as it is, without the line break at its end, which gh and doppler would drop."""
    call = command(platform)
    call[1] = "ed25519"
    assert run(call) == 0
    (delivery,) = fakes.deliveries
    sent = delivery["stdin"].replace('"""', "") if platform == "flyio" else delivery["stdin"]
    value = received(platform, KEYS.get(platform, "SECRET_KEY"), sent)
    assert load_pem_private_key(value.encode(), None)
    assert value.strip() == value


KEYS = {
    "kubernetes": "shop/SECRET_KEY",
    "vault": "secret/shop/SECRET_KEY",
    "onepassword": "shop/SECRET_KEY",
}


def command(platform: str) -> list[str]:
    """A command line that delivers to a platform."""
    named = RENDERED if platform == "render" else "x.env"
    where = ["--environment", named] if PLATFORMS[platform].asks_environment else []
    return ["generate", "secret-key", "--push", platform, "--key", KEYS.get(platform, "SECRET_KEY"), *where, "--yes"]


@pytest.mark.parametrize("mood", ["logged out", "failing", "silent"])
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_failures(
    fakes: Fakes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, platform: str, mood: str
) -> None:
    """A program that is not logged in stops it before anything is made; an error of one that fails hides the value."""
    monkeypatch.setenv("FAKE", mood)
    assert run(command(platform)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert left(fakes) == []
    if mood == "logged out":
        assert "is not logged in" in printed.err
        assert fakes.deliveries == []
        return
    (delivery,) = fakes.deliveries
    assert "failed: " in printed.err
    assert "was not delivered" in printed.err
    assert NEIGHBOUR not in printed.err
    assert received(platform, KEYS.get(platform, "SECRET_KEY"), delivery["stdin"]) not in printed.err
    assert ("••••••••" in printed.err) is (mood == "failing" and PLATFORMS[platform].fetch is None)


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_time_out_of_each(
    fakes: Fakes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """A program that hangs is given up; the error names the platform's program, and nothing is left."""
    monkeypatch.setenv("FAKE", "slow")
    monkeypatch.setattr(push_module, "PATIENCE", 2.0)
    assert run(command(platform)) == 2
    printed = capsys.readouterr()
    assert f"`{PLATFORMS[platform].program}` took longer" in printed.err
    (delivery,) = fakes.deliveries
    assert received(platform, KEYS.get(platform, "SECRET_KEY"), delivery["stdin"]) not in printed.err
    assert left(fakes) == []


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_list(fakes: Fakes, capsys: pytest.CaptureFixture[str], platform: str) -> None:
    """`--list` prints the names of what a platform has, and none of its values."""
    Path("x.env").write_text(f"SECRET_KEY=ENC[x]\nOTHER=ENC[{NEIGHBOUR}]\nsops_version=3\n", encoding="utf-8")
    assert run([*command(platform), "--list"]) == 0
    printed = capsys.readouterr()
    prefix = {"kubernetes": "shop/", "aws": "shop/"}.get(platform, "")
    assert printed.out.split() == [f"{prefix}OTHER", f"{prefix}SECRET_KEY"]
    assert printed.err == ""
    assert fakes.deliveries == []


def test_list_of_an_encrypted_yaml(fakes: Fakes, capsys: pytest.CaptureFixture[str]) -> None:
    """SOPS leaves the keys of a YAML file readable; its own section is none."""
    Path("p.yaml").write_text(f"SECRET_KEY: ENC[{NEIGHBOUR}]\nsops: {{version: 3}}\n", encoding="utf-8")
    assert run(["generate", "token", "--push", "sops", "--environment", "p.yaml", "--list"]) == 0
    assert capsys.readouterr().out == "SECRET_KEY\n"
    assert run(["generate", "token", "--push", "sops", "--environment", "q.yaml", "--list"]) == 2
    assert run(["generate", "token", "--list"]) == 2
    assert fakes.deliveries == []


@pytest.mark.parametrize("platform", ["aws", "digitalocean", "heroku", "render"])
def test_killed_in_the_middle(fakes: Fakes, platform: str) -> None:
    """Killed while the platform's program has the value, it leaves no file that holds it."""
    environment = {**os.environ, "FAKE": "slow", "TMPDIR": str(fakes.calls_file.parent), "HOME": str(Path.cwd())}
    process = subprocess.Popen([sys.executable, "-m", "hardenctl", *command(platform)], env=environment)
    deadline = time.monotonic() + 30
    while not fakes.deliveries and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    (delivery,) = fakes.deliveries
    value = received(platform, "SECRET_KEY", delivery["stdin"])
    assert value
    assert not [each for each in left(fakes) if value.encode() in each.read_bytes()]


def test_without_names_for_pipes(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pipes have no names (Windows), the file that stands in is the owner's alone, and is wiped and gone."""
    monkeypatch.setattr(push_module, "HAS_PIPE_NAME", False)
    seen: list[tuple[int, bytes]] = []
    wiped: list[bytes] = []
    real_run, real_unlink = subprocess.run, os.unlink

    def spy(arguments: list[str], **options: Any) -> Any:
        for each in arguments:
            if each.startswith("file://"):
                path = Path(each.removeprefix("file://"))
                seen.append((path.stat().st_mode & 0o777, path.read_bytes()))
        return real_run(arguments, **options)

    def look(path: str) -> None:
        wiped.append(Path(path).read_bytes())
        real_unlink(path)

    monkeypatch.setattr(subprocess, "run", spy)
    monkeypatch.setattr(os, "unlink", look)
    push(Destination("aws", "shop/key"), "the value")
    monkeypatch.undo()
    assert seen == [(0o600, b"the value")]
    assert wiped == [bytes(9)]
    assert fakes.deliveries == []


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        pytest.param("plain", "KEY=plain\n", id="a line"),
        pytest.param("a\nb\n", 'KEY="""a\nb\n"""\n', id="lines, the last break kept"),
    ],
)
def test_flyctl_lines(value: str, sent: str) -> None:
    """What flyctl's parser reads back is the value."""
    platform = PLATFORMS["flyio"]
    assert platform.payload(Destination("flyio", "KEY"), value, "") == sent
    with pytest.raises(UsageError, match="would change"):
        platform.payload(Destination("flyio", "KEY"), f'"{value}"', "")


@pytest.mark.parametrize(
    ("value", "old", "sent"),
    [
        pytest.param("a", "b", "a", id="a line"),
        pytest.param("a\n", "b", "a\n\n", id="heroku drops the break that the old value has not"),
        pytest.param("a\n", "b\n", "a\n", id="and keeps it otherwise"),
    ],
)
def test_heroku_line_breaks(value: str, old: str, sent: str) -> None:
    """What Heroku's program makes of the editor's text is the value."""
    to = Destination("heroku", "KEY", "shop")
    assert PLATFORMS["heroku"].payload(to, value, f"{old}\n") == sent
    with pytest.raises(UsageError, match="no variable KEY"):
        PLATFORMS["heroku"].payload(to, value, "\n")


def test_render_needs_a_key(fakes: Fakes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key for its API nothing is made."""
    monkeypatch.delenv("RENDER_API_KEY")
    assert run(command("render")) == 2
    assert "RENDER_API_KEY is not set" in capsys.readouterr().err
    assert fakes.calls == []


def test_render_says_when_an_answer_is_not_whole() -> None:
    """A full page of names may have a next one."""
    rows = [{"envVar": {"key": f"K{number}", "value": "x"}} for number in range(100)]
    with pytest.raises(ToolError, match="more variables"):
        PLATFORMS["render"].names(json.dumps(rows), Destination("render", ""))


def test_login_item_is_refused() -> None:
    """A 1Password LOGIN item would lose its passkey."""
    with pytest.raises(UsageError, match="passkey"):
        PLATFORMS["onepassword"].payload(Destination("onepassword", "a/b"), "x", '{"category": "LOGIN"}')


@pytest.mark.parametrize("platform", ["digitalocean", "onepassword"])
@pytest.mark.parametrize("fetched", ["not JSON", "[]", '{"envs": 1, "fields": 1}'])
def test_strange_answers(platform: str, fetched: str) -> None:
    """A program that prints something else is an error without its text."""
    with pytest.raises(ToolError) as caught:
        PLATFORMS[platform].payload(Destination(platform, "a/b"), "x", fetched)
    assert "not JSON" not in str(caught.value)


def test_file_is_delivered_and_resumed(
    fakes: Fakes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery that stops half-way says what has arrived; the same command again sends only the rest."""
    Path(".env.example").write_text("DEBUG=false\nSECRET_KEY=\nJWT_SECRET=\nADMIN_PASSWORD=\n", encoding="utf-8")
    deliver = ["generate", "env", "--write", ".env.production", "--push", "github", "--environment", "prod", "--yes"]
    monkeypatch.setenv("FAKE", "second fails")
    assert run(deliver) == 2
    printed = capsys.readouterr()
    assert "arrived: SECRET_KEY; still to come: JWT_SECRET, ADMIN_PASSWORD" in printed.err
    monkeypatch.setenv("FAKE", "")
    before = len(fakes.deliveries)
    assert run(deliver) == 0
    assert [call["argv"][2] for call in fakes.deliveries[before:]] == ["JWT_SECRET", "ADMIN_PASSWORD"]
    values = dotenv_values(".env.production")
    sent = {call["argv"][2]: call["stdin"] for call in fakes.deliveries}
    assert sent == {key: values[key] for key in ("SECRET_KEY", "JWT_SECRET", "ADMIN_PASSWORD")}
    assert run(deliver) == 0
    printed = capsys.readouterr()
    assert "has all of them" in printed.out
    ledger = Path(".hardenctl/rotation.json").read_text(encoding="utf-8")
    assert not [value for value in sent.values() if value in printed.out + printed.err + ledger]


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
        pytest.param(["--push", "heroku", "--yes"], "needs --environment", id="heroku needs an app"),
        pytest.param(["--push", "sops", "--yes"], "needs --environment", id="sops needs a file"),
        pytest.param(["--push", "vault", "--yes"], "MOUNT/PATH/KEY", id="vault needs a path"),
        pytest.param(["--push", "vault", "--list"], "MOUNT/PATH/KEY", id="vault lists one path"),
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
        input=platform.payload(Destination("kubernetes", "shop/A"), "exact value", ""),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "KUBECONFIG": os.devnull},
    )
    assert base64.b64decode(json.loads(done.stdout)["data"]["A"]) == b"exact value"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param("bad value {whole}", "bad value ••••••••", id="whole"),
        pytest.param("invalid character in '{start}...'", "invalid character in '••••••••...'", id="cut"),
        pytest.param("near {middle}: no", "near ••••••••: no", id="from-the-middle"),
        pytest.param("no such project", "no such project", id="something-else"),
    ],
)
def test_what_a_program_quotes_of_a_value_is_masked(said: str, shown: str) -> None:
    """However little of it: six characters of a password are a good part of one."""
    value = scramble("quoted", 32)
    text = said.format(whole=value, start=value[:10], middle=value[11:19])
    assert push_module._masked(text, value, value) == shown  # noqa: SLF001 - no program here cuts its complaints
