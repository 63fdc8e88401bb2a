"""The policy says where each environment's credentials go: `--push production`, whatever platform that is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from hardenctl.cli.app import run
from hardenctl.generate.stamps import Ledger, Place
from hardenctl.generate.targets import destination_of, place_named
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import SecretSettings, SecretTarget

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake is a POSIX script")

POLICY = """\
[secrets.targets.production]
platform = "kubernetes"
environment = "shop-prod"
key = "shop/{key}"
[secrets.targets.staging]
platform = "kubernetes"
environment = "shop-test"
key = "shop/{key}"
"""
SETTINGS = SecretSettings(targets={"production": SecretTarget("kubernetes", "shop-prod", "shop/{key}")})
# Writes down what it was given; `get` names what is there.
FAKE = """\
#!/bin/sh
case "$1" in
  get) printf 'SECRET_KEY\\nSTRIPE_KEY\\n' ;;
  apply) printf '%s\\n' "$*" >> "$CALLS"; cat >> "$CALLS"; echo >> "$CALLS" ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a fake kubectl was called with, in a project whose policy has two targets."""
    script = tmp_path / "bin" / "kubectl"
    script.parent.mkdir()
    script.write_text(FAKE, encoding="utf-8")
    script.chmod(0o755)
    project = tmp_path / "project"
    project.mkdir()
    (project / "hardenctl.toml").write_text(POLICY, encoding="utf-8")
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.chdir(project)
    return tmp_path / "calls"


def test_a_target_is_a_platform_an_environment_and_a_name(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The key keeps the variable's name in the ledger, and is the target's own at the platform."""
    assert run(["generate", "secret-key", "--push", "production", "--key", "SECRET_KEY", "--yes"]) == 0
    assert "kubernetes: shop/SECRET_KEY in shop-prod delivered" in capsys.readouterr().out
    command, manifest = calls.read_text(encoding="utf-8").splitlines()
    assert "--namespace=shop-prod" in command
    assert json.loads(manifest)["metadata"]["name"] == "shop"
    assert [(each.key, each.place, each.environment) for each in Ledger().stamps] == [
        ("SECRET_KEY", "target:production", "production")
    ]


def test_rotate_finds_the_target_again(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a key went is looked up by its variable's name; another target is named once."""
    assert run(["generate", "secret-key", "--push", "production", "--key", "SECRET_KEY", "--yes"]) == 0
    assert run(["rotate", "SECRET_KEY", "--yes"]) == 0
    assert run(["rotate", "SECRET_KEY", "--push", "staging", "--yes"]) == 0
    lines = calls.read_text(encoding="utf-8").splitlines()
    assert ["shop-prod" in each or "shop-test" in each for each in lines[::2]] == [True] * 3
    assert len({json.loads(each)["data"]["SECRET_KEY"] for each in lines[1::2]}) == 3
    capsys.readouterr()
    assert run(["rotate", "--list"]) == 0
    assert capsys.readouterr().out.count("SECRET_KEY  production") == 1


def test_a_whole_file_goes_to_a_target(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys of an environment file that could be none at the platform are put into the target's form."""
    Path(".gitignore").write_text(".env*\n!.env.example\n", encoding="utf-8")
    Path(".env.example").write_text("SECRET_KEY=\nJWT_SECRET=\nDEBUG=false\n", encoding="utf-8")
    assert run(["generate", "env", "--write", ".env.production", "--push", "production", "--yes"]) == 0
    assert "delivered to production: SECRET_KEY, JWT_SECRET" in capsys.readouterr().out
    assert calls.read_text(encoding="utf-8").count("--namespace=shop-prod") == 2


def test_one_credential_in_two_targets_is_named(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The audit says so: whoever has the one of staging has production."""
    ledger = Ledger()
    for name in ("production", "staging"):
        ledger.stamp("SECRET_KEY", Place(f"target:{name}", name), "x" * 40, "secret-key")
    assert not calls.exists()
    assert run(["check", "env", ".", "--format", "concise"]) == 1
    assert "at staging is the same credential as `SECRET_KEY` at production" in capsys.readouterr().out


def test_preflight_asks_a_target_for_names(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable that the target's platform lacks is no-go, by name."""
    Path(".env.example").write_text("SECRET_KEY=\nJWT_SECRET=\n", encoding="utf-8")
    assert run(["preflight", "--platform", "production", "--fail-on", "never"]) == 1
    assert "lacks `JWT_SECRET`" in capsys.readouterr().out
    assert not calls.exists()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param(["--push", "prodction"], "no platform `prodction`", id="misspelt"),
        pytest.param(["--push", "production", "--environment", "x"], "says its environment", id="two-environments"),
    ],
)
def test_refusals(calls: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str) -> None:
    """What leads nowhere is refused before anything is made."""
    assert run(["generate", "secret-key", "--key", "SECRET_KEY", "--yes", *arguments]) == 2
    assert what in capsys.readouterr().err
    assert not calls.exists()


def test_a_target_that_is_gone() -> None:
    """A ledger may name a target that the policy has no more."""
    place = place_named("production", "", SETTINGS)
    assert destination_of(place, "KEY", SETTINGS).key == "shop/KEY"
    with pytest.raises(UsageError, match="no target `production`"):
        destination_of(place, "KEY", SecretSettings())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        pytest.param('platform = "aws"\nkey = "shop"', "expected `{key}` in it", id="key-without-its-place"),
        pytest.param('platfrom = "aws"', "did you mean `platform`?", id="misspelt-key"),
        pytest.param("environment = 3", "expected a string", id="type"),
    ],
)
def test_a_wrong_policy_names_the_key(table: str, said: str, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A target that cannot be one is an error that names its key."""
    Path("hardenctl.toml").write_text(f"[secrets.targets.prod]\n{table}\n", encoding="utf-8")
    assert run(["generate", "secret-key", "--push", "prod", "--key", "K", "--yes"]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "secrets.targets.prod" in printed
    assert not calls.exists()
