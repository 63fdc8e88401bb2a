"""Each command: what it prints and the exit code it ends with."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hardenctl.report.formats import FORMATS
from hardenctl.report.rule_page import render_page
from hardenctl.report.schema import json_schema
from hardenctl.report.style import Look
from hardenctl.rules import RULES

Run = Callable[..., Any]


@pytest.fixture
def service(make_repository: Callable[..., Any], project_files: dict[str, str]) -> Path:
    """The project as a committed repository."""
    return make_repository(project_files).root


def test_audit_names_the_problems_and_fails(hardenctl: Run, service: Path) -> None:
    """The report names rule, file and line of each problem; the gate fails with 1."""
    result = hardenctl("audit", cwd=service)
    assert result.code == 1
    for words in ("cors-any-origin-credentials", "gunicorn-hardcoded-workers", "env-file-committed", "FAIL:"):
        assert words in result.out
    assert "main.py:" in result.out
    assert result.err == ""


def test_bare_hardenctl_audits_the_current_folder(hardenctl: Run, service: Path) -> None:
    """Without a command it works rather than print usage."""
    assert hardenctl(cwd=service).code == 1
    assert "main.py" in hardenctl(typer=True).out


def test_json_validates_and_outputs_are_written_besides(hardenctl: Run, service: Path, tmp_path: Path) -> None:
    """Standard output has one format, each `--output` another, from one audit."""
    sarif, lines = tmp_path / "a.sarif", tmp_path / "b.jsonl"
    options = ("--output", f"sarif={sarif}", "--output", f"json-lines={lines}")
    result = hardenctl("audit", "--format", "json", *options, cwd=service)
    data = json.loads(result.out)
    jsonschema.validate(data, json_schema())
    assert data["target"] == {"path": ".", "source": "worktree", "commit": data["target"]["commit"]}
    assert json.loads(sarif.read_text())["version"] == "2.1.0"
    assert len(lines.read_text().splitlines()) == len(data["findings"])


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_works_from_the_command_line(hardenctl: Run, service: Path, name: str) -> None:
    """Whatever the format, the exit code is the gate's."""
    result = hardenctl("audit", "--format", name, cwd=service)
    assert result.code == 1
    assert result.out.strip()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param((), 1, id="default-gate"),
        pytest.param(("--fail-on", "critical"), 1, id="critical"),
        pytest.param(("--fail-on", "never"), 0, id="never"),
        pytest.param(("--select", "cors-wildcard-default"), 0, id="rule-that-finds-nothing"),
        pytest.param(("--select", "gunicorn", "--fail-on", "critical"), 0, id="below-the-gate"),
        pytest.param(("--ignore", "cors,env", "--ignore", "gunicorn,secret,server,gitignore,docs"), 0, id="commas"),
    ],
)
@pytest.mark.parametrize("typer", [False, True])
def test_exit_codes(hardenctl: Run, service: Path, options: tuple[str, ...], code: int, typer: bool) -> None:  # noqa: FBT001
    """The gate decides, whichever way the command line was read."""
    result = hardenctl("audit", *options, cwd=service, typer=typer)
    assert result.code == code, result.out


@pytest.mark.parametrize(
    ("options", "code", "verdict"),
    [
        pytest.param(("--fail-on", "never"), 2, "INCOMPLETE", id="a-gap-is-2"),
        pytest.param(("--fail-on", "never", "--allow-gaps"), 0, "PASS", id="gaps-allowed"),
        pytest.param((), 1, "FAIL", id="failed-beats-gaps"),
    ],
)
def test_gaps(hardenctl: Run, service: Path, options: tuple[str, ...], code: int, verdict: str) -> None:
    """What could not be parsed is named and is never a pass."""
    (service / "docker-compose.yml").write_text("services: {web: [\n")
    result = hardenctl("audit", *options, cwd=service)
    assert (result.code, f"{verdict}:" in result.out) == (code, True)
    assert "docker-compose.yml" in result.out


def test_scan_runs_the_secret_rules_alone(hardenctl: Run, service: Path) -> None:
    """Everything that scan finds is a secret."""
    data = json.loads(hardenctl("scan", "--format", "json", cwd=service).out)
    assert data["findings"]
    assert all(each["rule"].startswith("secret-") for each in data["findings"])


@pytest.mark.parametrize(
    ("subject", "prefixes"),
    [
        pytest.param("cors", ("cors-",), id="cors"),
        pytest.param("gunicorn", ("gunicorn-", "server-"), id="gunicorn"),
        pytest.param("env", ("env-",), id="env"),
        pytest.param("compose", ("compose-",), id="compose"),
        pytest.param("dockerfile", ("dockerfile-",), id="dockerfile"),
        pytest.param("app", ("app-",), id="app"),
        pytest.param("ci", ("ci-",), id="ci"),
        pytest.param("gitignore", ("gitignore-", "dockerignore-"), id="gitignore"),
    ],
)
def test_check_looks_at_one_subject(hardenctl: Run, service: Path, subject: str, prefixes: tuple[str, ...]) -> None:
    """`check` has one subject's rules and the same options."""
    result = hardenctl("check", subject, ".", "--format", "json", cwd=service)
    data = json.loads(result.out)
    assert all(each["rule"].startswith(prefixes) for each in data["findings"])
    assert (result.code == 1) == (data["verdict"] == "fail")
    if subject in {"cors", "gunicorn", "env"}:
        assert data["findings"]


def test_check_gunicorn_effective(hardenctl: Run, service: Path) -> None:
    """Every launch line with each setting and the place that sets it."""
    result = hardenctl("check", "gunicorn", "--effective", cwd=service)
    assert result.code == 1
    assert "docker-compose.prod.yml:4" in result.out
    line = next(line for line in result.out.splitlines() if line.strip().startswith("workers"))
    assert line.split() == ["workers", "4", "docker-compose.prod.yml:4", "command", "line"]


def test_check_gunicorn_effective_in_another_format(hardenctl: Run, service: Path) -> None:
    """Programs get the same launch lines in the format that they ask for, and in files."""
    result = hardenctl(
        "check", "gunicorn", "--effective", "--format", "json", "--output", "sarif=out.sarif", cwd=service
    )
    (server,) = json.loads(result.out)["servers"]
    assert server["effective"]["workers"]["value"] == 4
    assert json.loads((service / "out.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_check_gunicorn_effective_without_a_server(hardenctl: Run, tmp_path: Path) -> None:
    """No launch line is said, not silent."""
    (tmp_path / "a.txt").write_text("nothing\n")
    result = hardenctl("check", "gunicorn", "--effective", cwd=tmp_path)
    assert result.code == 0
    assert "no launch line found in 1 file" in result.out


def test_explain_prints_the_page(hardenctl: Run) -> None:
    """The page has the id, the reason and an example, and no placeholder of ours."""
    result = hardenctl("explain", "cors-any-origin-credentials")
    assert result.code == 0
    assert result.out.startswith("cors-any-origin-credentials  critical")
    assert "Why is this bad?" in result.out
    assert "{{fake" not in result.out


def test_every_page_can_be_explained() -> None:
    """No page breaks the renderer, loses its title or shows a placeholder of ours."""
    for rule in RULES:
        text = render_page(rule, Look(80))
        assert text.startswith(f"{rule.id}  {rule.severity.word}")
        assert "{{fake" not in text
        assert "References" in text or not rule.page.references


def test_rules_lists_all_or_some(hardenctl: Run) -> None:
    """Text has a line a rule; JSON has the same ids; a prefix narrows it."""
    lines = hardenctl("rules").out.splitlines()
    assert [line.split()[0] for line in lines] == [rule.id for rule in RULES]
    data = json.loads(hardenctl("rules", "--format", "json").out)
    assert [each["rule"] for each in data] == [rule.id for rule in RULES]
    assert all(line.startswith("cors-") for line in hardenctl("rules", "cors").out.splitlines())


def test_score_says_what_each_fix_would_add(hardenctl: Run, service: Path) -> None:
    """The score is there with a line for each rule that costs something."""
    result = hardenctl("score", cwd=service)
    assert result.code == 0
    assert "overall" in result.out
    assert "cors-any-origin-credentials" in result.out
    data = json.loads(hardenctl("score", "--format", "json").out)
    assert 0 <= data["score"]["overall"] <= 10
    assert [step["then"] for step in data["steps"]] == sorted(step["then"] for step in data["steps"])
    assert data["steps"][-1]["then"] > data["score"]["overall"]


def test_policy_show_prints_what_can_be_loaded_again(hardenctl: Run, tmp_path: Path) -> None:
    """The TOML shown is a policy file that means the same."""
    (tmp_path / "hardenctl.toml").write_text(
        'fail-on = "high"\nrules = { "cors-any-origin" = "off" }\n[cors]\norigins = ["https://a.example"]\n'
        '[[suppress]]\nrule = "cors"\npath = "a b/*.py"\nreason = "say \\"why\\""\nexpires = 2027-01-02\n'
    )
    shown = hardenctl("policy", "show", cwd=tmp_path)
    assert shown.code == 0
    assert tomllib.loads(shown.out)["suppress"][0]["reason"] == 'say "why"'
    before = json.loads(hardenctl("policy", "show", "--format", "json").out)
    (tmp_path / "hardenctl.toml").write_text(shown.out)
    again = hardenctl("policy", "show", "--format", "json")
    assert again.code == 0, again.err
    assert json.loads(again.out) == before


def test_policy_show_without_a_file(hardenctl: Run, tmp_path: Path) -> None:
    """The defaults are shown and said to be the defaults."""
    assert "no policy file: the defaults hold" in hardenctl("policy", "show", cwd=tmp_path).out


def test_policy_decides(hardenctl: Run, service: Path) -> None:
    """A policy file sets the gate; the command line is above it; the report says which file holds."""
    (service / "hardenctl.toml").write_text('fail-on = "never"\n')
    result = hardenctl("audit", cwd=service)
    assert result.code == 0
    assert "hardenctl.toml" in result.out
    assert hardenctl("audit", "--fail-on", "high").code == 1
    other = service / "strict.toml"
    other.write_text('fail-on = "info"\n')
    assert hardenctl("audit", "--config", "strict.toml").code == 1


def test_environment_variables_are_options(hardenctl: Run, service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HARDENCTL_ variables say what flags say, and flags are above them."""
    monkeypatch.setenv("HARDENCTL_FORMAT", "json")
    monkeypatch.setenv("HARDENCTL_FAIL_ON", "never")
    result = hardenctl("audit", cwd=service)
    assert (result.code, json.loads(result.out)["verdict"]) == (0, "pass")
    assert hardenctl("audit", "--fail-on", "high", cwd=service).code == 1


def test_quiet_and_verbose(hardenctl: Run, service: Path) -> None:
    """Quiet has findings and verdict, verbose adds what is set aside."""
    main = service / "main.py"
    text = main.read_text()
    marked = text.replace("app.add_middleware(", "app.add_middleware(  # hardenctl: ignore[cors] behind a proxy")
    main.write_text(marked)
    quiet = hardenctl("audit", "--quiet", cwd=service).out
    assert "Looked at" not in quiet
    assert "files looked at" in quiet
    assert "cors-any-origin-credentials" not in hardenctl("audit").out
    assert "suppressed: behind a proxy" in hardenctl("audit", "--verbose").out
    assert "cors-any-origin-credentials" in hardenctl("audit", "--no-ignores").out


def test_standard_input(hardenctl: Run, monkeypatch: pytest.MonkeyPatch, project_files: dict[str, str]) -> None:
    """`-` reads standard input under the name it is given."""
    import io

    stream = io.TextIOWrapper(io.BytesIO(project_files["main.py"].encode()))
    monkeypatch.setattr("sys.stdin", stream)
    data = json.loads(hardenctl("audit", "-", "--stdin-filename", "main.py", "--format", "json").out)
    assert data["target"]["source"] == "stdin"
    assert data["scanned"]["files"] == 1


def test_standard_input_that_is_closed(
    hardenctl: Run, monkeypatch: pytest.MonkeyPatch, make_repository: Callable[..., Any]
) -> None:
    """As a shell's `<&-` leaves it: said, whatever wants to read it."""
    make_repository({"a.txt": "a\n"})
    for argument in ("-", "--pre-receive"):
        monkeypatch.setattr("sys.stdin", None)
        told = hardenctl("audit", argument)
        assert told.code == 2
        assert "error: standard input is closed" in told.err
        assert "help: " in told.err


@pytest.mark.parametrize("command", [(), ("audit",), ("check",), ("check", "cors"), ("explain",), ("score",)])
def test_help(hardenctl: Run, command: tuple[str, ...]) -> None:
    """Every command explains itself; the ones with a gate document the exit codes."""
    result = hardenctl(*command, "--help")
    assert result.code == 0
    assert "Usage: hardenctl" in result.out
    if command in {("audit",), ("check", "cors")}:
        assert "Exit codes: 0 passed; 1 the gate failed" in result.out


@pytest.mark.parametrize("subject", ["django", "nonsense"])
def test_subjects_that_do_not_exist_are_not_offered(hardenctl: Run, subject: str) -> None:
    """An unknown subject is a usage error."""
    assert subject not in hardenctl("check", "--help").out
    assert hardenctl("check", subject).code == 2


def test_policy_show_gives_targets_their_units(hardenctl: Run, tmp_path: Path) -> None:
    """Targets are printed as people write them."""
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    shown = hardenctl("policy", "show", cwd=tmp_path).out
    assert 'p95 = "300ms"' in shown
    assert 'error-rate = "0.1%"' in shown
    assert 'cpu = "70%"' in shown


def test_effective_values_are_whole(hardenctl: Run, tmp_path: Path) -> None:
    """`--effective` exists to show values: however long, none is cut."""
    address = ",".join(f"10.0.0.{number}" for number in range(1, 30))
    (tmp_path / "Procfile").write_text(
        f"web: gunicorn --forwarded-allow-ips={address} --timeout 120 main:app\n", encoding="utf-8"
    )
    shown = hardenctl("check", "gunicorn", "--effective", cwd=tmp_path).out
    assert address.replace(",", ", ") in shown


def test_a_developers_line_is_theirs_to_change(hardenctl: Run, tmp_path: Path) -> None:
    """Reloading in a compose file that is perhaps for development is low, and nothing edits it."""
    (tmp_path / "docker-compose.yml").write_text(
        "services:\n  web:\n    build: .\n    command: uvicorn main:app --reload\n    volumes: ['.:/app']\n",
        encoding="utf-8",
    )
    report = json.loads(hardenctl("audit", "--format", "json", "--select", "server-development-mode", cwd=tmp_path).out)
    assert [(each["severity"], each["fix"]["applicability"]) for each in report["findings"]] == [("low", "advice")]
