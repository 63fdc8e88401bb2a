"""Static effective settings against the real gunicorn, case by case."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hardenctl.formats.gunicorn.options import OPTIONS, Kind
from hardenctl.formats.launch import reader
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.sources.memory import MemorySnapshot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")

HERE = Path(__file__).parent
DATA = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))
CASES = [*({"id": name, "args": args} for name, args in DATA["args"].items()), *DATA["case"]]
# What the machine decides, what is no value, and gunicorn's own bookkeeping.
MACHINE = {"chdir", "user", "group", "ssl_version", "cert_reqs", "control_socket", "default_proc_name", "config"}
MACHINE |= {"secure_scheme_headers", "logconfig_dict"}
COMPARED = [option.name for option in OPTIONS if option.kind is not Kind.HOOK and option.name not in MACHINE]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}


@pytest.fixture(scope="session")
def truth() -> dict[str, dict]:
    """What gunicorn makes of each case, by id."""
    done = subprocess.run(
        [sys.executable, str(HERE / "oracle.py")],
        input=json.dumps(CASES),
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
        timeout=120,
    )
    return {case["id"]: found for case, found in zip(CASES, json.loads(done.stdout), strict=True)}


def resolve(case: dict) -> ServerLaunch:
    """Our reading of a case: the arguments as a Dockerfile's shell form, the environment as its ENV."""
    environment = "".join(f'ENV {name}="{value}"\n' for name, value in case.get("env", {}).items())
    dockerfile = f"FROM python:3.13\nWORKDIR /app\nCOPY . .\n{environment}CMD gunicorn {case['args']}\n"
    snapshot = MemorySnapshot({"Dockerfile": dockerfile, **case.get("files", {})})
    (launch,) = (each for each in reader.read(snapshot) if isinstance(each, ServerLaunch) and each.launch.words)
    return launch


def as_json(value: object) -> object:
    """Tuples as lists, as the oracle's JSON has them."""
    return [*value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_effective_settings_are_gunicorns_own(case: dict, truth: dict[str, dict]):
    """Every setting is what gunicorn says, and what gunicorn refuses is known to be refused."""
    launch, answer = resolve(case), truth[case["id"]]
    refused = [*launch.errors, *(each for each in launch.settings.values() if each.error), *launch.opaque]
    if "exit" in answer:
        assert refused
        return
    assert not refused
    unresolved = set(case.get("unresolved", ()))
    ours = {name: as_json(launch.setting(name).value) for name in COMPARED if name not in unresolved}
    assert ours == {name: answer["settings"][name] for name in COMPARED if name not in unresolved}
    assert {name for name in COMPARED if not launch.setting(name).known} == unresolved


@pytest.mark.slow
@pytest.mark.parametrize("chosen", ["later-wins", "environment-arguments-over-file", "file-web-concurrency-pattern"])
def test_the_oracle_is_what_print_config_prints(chosen: str, truth: dict[str, dict], tmp_path: Path):
    """`gunicorn --print-config` run for real shows the same values as the oracle."""
    case = next(each for each in CASES if each["id"] == chosen)
    for path, text in case.get("files", {}).items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    (tmp_path / "app.py").write_text("def app(environ, start_response):\n    return []\n", encoding="utf-8")
    printed = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--print-config", *shlex.split(case["args"])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**ENVIRONMENT, **case.get("env", {})},
        timeout=60,
    ).stdout
    shown = dict(re.findall(r"^(\w+) += (.*)$", printed, re.MULTILINE))
    for name in ("workers", "timeout", "bind", "threads", "reload", "graceful_timeout", "worker_class"):
        assert shown[name] == str(truth[chosen]["settings"][name])


def test_the_corpus_is_large_enough():
    """The contract asks for 80 cases."""
    assert len(CASES) >= 80
    assert len({case["id"] for case in CASES}) == len(CASES)
