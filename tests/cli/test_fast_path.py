"""The start-up path without Typer: what it loads, and that it behaves as Typer does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl import __version__
from hardenctl.cli import subjects
from hardenctl.cli.app import run
from hardenctl.cli.fast import CHECKED, parse, run_fast
from hardenctl.cli.request import OPTIONS, Request

Run = Callable[..., Any]
HEAVY = ("typer", "click", "rich", "pydantic", "git", "detect_secrets", "locust", "jinja2", "yaml", "gevent")


def _loaded(cwd: Path, *arguments: str) -> tuple[int, set[str]]:
    """The exit code, and the modules a fresh interpreter has loaded at the end."""
    code = (
        "import sys, atexit\n"
        "names = lambda: ' '.join(sys.modules)\n"
        "atexit.register(lambda: sys.stderr.write('\\nMODULES ' + names()))\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "from hardenctl.__main__ import main\nmain()\n"
    )
    # Without the measuring of coverage, which loads modules of its own.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=cwd, env=plain, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, set(done.stderr.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        pytest.param({}, ("--version",), id="version"),
        pytest.param({}, ("--help",), id="help"),
        pytest.param({"app.py": "x = 1\n"}, ("audit", "--staged"), id="nothing-found"),
        pytest.param({"main.py": None}, ("audit", "--staged"), id="a-finding"),
        pytest.param({"main.py": None}, ("scan", "--staged", "--quiet"), id="scan"),
        pytest.param({"main.py": None}, ("audit", "--staged", "--format", "json", "main.py"), id="json"),
        pytest.param({"notes.txt": "hello\n"}, ("audit", "--staged", "--format", "concise"), id="concise"),
    ],
)
def test_hook_path_loads_nothing_heavy(
    make_repository: Callable[..., Any],
    project_files: dict[str, str],
    files: dict[str, str | None],
    arguments: tuple[str, ...],
) -> None:
    """A staged audit of a Python or text file loads none of the libraries that cost more than the audit."""
    repository = make_repository({"README.md": "# x\n"})
    repository.write({path: text or project_files[path] for path, text in files.items()})
    repository.git("add", "-A")
    code, modules = _loaded(repository.root, *arguments)
    assert code == (1 if arguments[0] == "audit" and "main.py" in files else 0)
    assert not modules & set(HEAVY)


# What a plain file must not load: readers and rules of subjects that it doesn't concern, and what they would bring.
SUBJECTS = ("formats.compose", "formats.cors", "formats.dotenv", "formats.gunicorn", "formats.python",
            "formats.yaml", "formats.dockerfile", "formats.launch.reader", "formats.project_docs",
            "formats.workflow", "rules.ci", "rules.cors", "rules.compose", "rules.gunicorn", "rules.env",
            "rules.docs", "rules.dockerfile", "rules.ignore")  # fmt: skip
DECLARING = ("dataclasses", "inspect", "ast", "tempfile", "shutil", "argparse", "importlib.metadata")


def test_a_plain_python_file_loads_no_reader(make_repository: Callable[..., Any]) -> None:
    """Nothing is imported that the staged file doesn't concern, though others in the repository would."""
    repository = make_repository(
        {"compose.yml": "services: {}\n", "Dockerfile": "FROM scratch\n", "other.py": "x = 1\n"}
    )
    repository.write({"app/plain.py": "def one() -> int:\n    return 1\n"})
    repository.git("add", "-A")
    for arguments in (("audit", "--staged"), ("audit", "--staged", "app/plain.py")):
        code, modules = _loaded(repository.root, *arguments)
        assert code == 0
        assert not modules & {*(f"hardenctl.{name}" for name in SUBJECTS), *DECLARING, "json", *HEAVY}
        assert "hardenctl.detect.secrets.first" in modules
        assert not any(name.startswith(("hardenctl.rules.secrets", *PIPELINE)) for name in modules)


# What only a file that may hold a credential takes, and what that would bring.
PIPELINE = ("hardenctl.detect.secrets.pipeline", "hardenctl.detect.secrets.assign", "base64", "threading", "signal")


@pytest.mark.parametrize("text", ["token = get()\n", "x = 'AKIA" + "Q" * 16 + "'\n"], ids=["an-anchor", "a-format"])
def test_a_file_that_may_hold_a_credential_loads_the_rules(make_repository: Callable[..., Any], text: str) -> None:
    """The check above can fail: a word before an operator, or a token's form, is judged by the pipeline."""
    repository = make_repository({"a.py": "x = 1\n"})
    repository.write({"b.py": text})
    repository.git("add", "-A")
    assert {"hardenctl.rules.secrets", PIPELINE[0]} <= _loaded(repository.root, "audit", "--staged")[1]


def test_a_file_loads_what_it_concerns(make_repository: Callable[..., Any], project_files: dict[str, str]) -> None:
    """The check above can fail: CORS anywhere in the index, or a named file that can't be parsed, loads the reader."""
    repository = make_repository({"main.py": project_files["main.py"]})
    repository.write({"app/plain.py": "x = 1\n"})
    repository.git("add", "-A")
    assert "hardenctl.formats.cors.reader" in _loaded(repository.root, "audit", "--staged")[1]
    broken = make_repository({"a.py": "x = 1\n"}, "broken")
    broken.write({"b.py": "def (\n"})
    broken.git("add", "-A")
    assert _loaded(broken.root, "audit", "--staged")[0] == 0
    assert _loaded(broken.root, "audit", "--staged", "b.py")[0] == 2


def test_nothing_staged_loads_no_rule(make_repository: Callable[..., Any]) -> None:
    """The cheapest of all."""
    code, modules = _loaded(make_repository({"a.py": "x = 1\n"}).root, "audit", "--staged")
    assert code == 0
    assert not modules & {"hardenctl.rules.secrets", "hardenctl.rules.secrets.providers", *DECLARING, *HEAVY}


def test_yaml_is_loaded_for_a_staged_compose_file(
    make_repository: Callable[..., Any], project_files: dict[str, str]
) -> None:
    """The check above can fail: a compose file needs yaml, and Typer is loaded for help."""
    repository = make_repository({"README.md": "# x\n"})
    repository.write({"docker-compose.prod.yml": project_files["docker-compose.prod.yml"]})
    repository.git("add", "-A")
    assert "yaml" in _loaded(repository.root, "audit", "--staged")[1]
    assert "typer" in _loaded(repository.root, "audit", "--help")[1]


def test_a_compose_file_loads_the_rules_of_what_it_holds(make_repository: Callable[..., Any]) -> None:
    """Subjects that it concerns by its name alone, and of which nothing stands in it, stay out."""
    repository = make_repository({"a.py": "x = 1\n"})
    repository.write({"compose.yml": "services:\n  web:\n    image: nginx:1.27.3\n"})
    repository.git("add", "-A")
    modules = _loaded(repository.root, "audit", "--staged")[1]
    assert "hardenctl.rules.compose" in modules
    assert "hardenctl.rules.cors" not in modules


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("audit", "--staged"), id="staged"),
        pytest.param(("audit",), id="work-tree"),
        pytest.param(("scan", "--staged"), id="scan"),
        pytest.param(("audit", "--staged", "main.py", "--quiet"), id="quiet-with-a-path"),
        pytest.param(("audit", "--staged", "--format", "concise"), id="concise"),
        pytest.param(("audit", "--staged", "--format=json"), id="json"),
        pytest.param(("audit", "--staged", "--fail-on", "never", "--verbose"), id="verbose"),
        pytest.param(("audit", "--staged", "--select", "cors", "--select=env"), id="select-twice"),
        pytest.param(("audit", "--staged", "--fail-on", "nope"), id="an-error"),
        pytest.param(("check", "env"), id="a-subject"),
        pytest.param(("check", "cors", "--staged", "--format", "concise"), id="a-subject-with-options"),
        pytest.param(("check", "gunicorn", "--effective"), id="an-option-of-one-subject"),
        pytest.param(("check", "nope"), id="no-subject"),
        pytest.param(("audit", "--nope"), id="an-unknown-option"),
    ],
)
def test_fast_path_and_typer_agree(
    hardenctl: Run, make_repository: Callable[..., Any], project_files: dict[str, str], arguments: tuple[str, ...]
) -> None:
    """Output and exit code are the same whoever read the command line."""
    repository = make_repository({"README.md": "# x\n"})
    repository.write(project_files)
    repository.git("add", "-A", "-f")
    results = [hardenctl(*arguments, cwd=repository.root, typer=typer) for typer in (False, True)]
    texts = [re.sub(r'\d+\.\d s|"elapsed_seconds": [\d.]+', "", result.out) for result in results]
    assert texts[0] == texts[1]
    assert (results[0].code, results[0].err) == (results[1].code, results[1].err)


@pytest.mark.parametrize("columns", ["80", "200", "60"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(hardenctl: Run, monkeypatch: pytest.MonkeyPatch, flag: str, columns: str) -> None:
    """The top-level help is Typer's own text, also where Typer isn't loaded."""
    monkeypatch.setenv("COLUMNS", columns)
    assert hardenctl(flag).out == hardenctl(flag, typer=True).out
    assert (run_fast((flag,)) is None) is (columns == "60")


def test_every_subject_starts_without_typer() -> None:
    """The names that the start-up path knows are those of the table."""
    assert CHECKED | {"audit", "scan"} == subjects.SUBJECTS.keys()


def test_version(hardenctl: Run) -> None:
    """Both paths print it."""
    assert hardenctl("--version").out == hardenctl("--version", typer=True).out == f"hardenctl {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        pytest.param((), Request(), id="nothing"),
        pytest.param(("-",), Request(paths=("-",)), id="standard-input"),
        pytest.param(("a", "--staged", "b"), Request(paths=("a", "b"), staged=True), id="paths-around-a-flag"),
        pytest.param(("--format=json",), Request(format="json"), id="equals"),
        pytest.param(("--output", "a=b", "--output", "c=d"), Request(outputs=("a=b", "c=d")), id="repeated"),
        pytest.param(("--help",), None, id="help"),
        pytest.param(("--staged=1",), None, id="a-flag-with-a-value"),
        pytest.param(("--format",), None, id="no-value"),
        pytest.param(("--format", "--staged"), None, id="an-option-for-a-value"),
        pytest.param(("-q",), None, id="short-option"),
        pytest.param(("--", "a"), None, id="double-dash"),
    ],
)
def test_parse(arguments: tuple[str, ...], request_: Request | None) -> None:
    """What is plain is parsed; all else is left to Typer."""
    assert parse(arguments) == request_


@pytest.mark.parametrize(
    "arguments",
    [("explain", "x"), ("--help", "x"), ("audit", "--help"), ("check", "cors", "--url", "http://127.0.0.1")],
    ids=" ".join,
)
def test_everything_else_is_typers(arguments: tuple[str, ...]) -> None:
    """Other commands are left alone."""
    assert run_fast(arguments) is None


def test_a_variable_is_left_to_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    """HARDENCTL_ variables are options, which Typer reads."""
    monkeypatch.setenv("HARDENCTL_FORMAT", "json")
    assert run_fast(("audit", "--staged")) is None


def test_every_option_is_a_field_of_the_request() -> None:
    """The table and the dataclass name the same things."""
    assert {option.field for option in OPTIONS} | {"paths"} == set(Request.__slots__)


@pytest.mark.parametrize(
    "options", [[], ["--quiet"], ["--format", "json"], ["--select", "env-", "--verbose"]], ids=" ".join
)
@pytest.mark.parametrize("runner", ["fast", "typer"])
def test_options_alone_are_an_audits(
    options: list[str], runner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a command, `audit .` runs with the options given, on either path."""
    (tmp_path / "Procfile").write_text("web: gunicorn main:app\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def printed(arguments: list[str]) -> str:
        code = run(arguments) if runner == "typer" else run_fast(arguments)
        return re.sub(r'in \d+\.\d s|"elapsed_seconds": [\d.e-]+', "", f"{code} {capsys.readouterr().out}")

    assert printed(options) == printed(["audit", *options])
    assert not printed(options).startswith("None")
