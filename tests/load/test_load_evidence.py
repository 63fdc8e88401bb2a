"""What a run leaves in the project: compact, readable by the audit, nothing secret, and only where it belongs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hardenctl.audit import audit
from hardenctl.cli.load import _keep
from hardenctl.formats.evidence import LoadEvidence, read
from hardenctl.load.evidence import is_project, store_evidence
from hardenctl.policy.policy import Policy
from hardenctl.sources import open_source


def document(**changes: Any) -> dict[str, Any]:
    """A result as far as the evidence takes from it, with a marker wherever something secret could stand."""
    return {
        "scenario": "normal",
        "verdict": "pass",
        "started": "2026-01-31T10:00:00+00:00",
        "interrupted": False,
        "held_users": None,
        "target": {"url": "https://staging.example.com:8443/MARK", "addresses": ["10.0.0.1"]},
        "measured_seconds": 9.0,
        "stages": [{"users": 5}, {"users": 50}],
        "metrics": {"requests": 100, "failures": 1, "errors": {"MARK": 1}},
        "endpoints": {"GET /a?token=MARK": {}},
        "gates": [{"gate": "p95{GET /a?t=MARK}<1s", "target": 1000, "value": 4.2, "outcome": "pass", "reason": "MARK"}],
        "notes": ["MARK"],
        "machine": {"cpus": 2, "system": "MARK"},
        "tool": {"name": "hardenctl", "version": "0"},
        **changes,
    }


def test_a_result_is_stored_and_read_back(make_repository: Any) -> None:
    """With the commit it speaks of; the host by its name alone; and no secret rule trips on it."""
    repository = make_repository({"Procfile": "web: gunicorn main:app\n"})
    assert store_evidence(repository.root, document()) == ".hardenctl/load/normal.json"
    text = (repository.root / ".hardenctl/load/normal.json").read_text(encoding="utf-8")
    assert "MARK" not in text
    data = json.loads(text)
    assert data["commit"] == repository.git("rev-parse", "HEAD").strip()
    assert (data["host"], data["users"], data["requests"]) == ("staging.example.com", 50, 100)
    assert data["gates"] == [{"gate": "p95{GET /a}<1s", "target": 1000, "value": 4.2, "outcome": "pass"}]
    source = open_source([repository.root])
    snapshot = source.snapshot()
    assert snapshot is not None
    (evidence,) = read(snapshot)
    assert isinstance(evidence, LoadEvidence)
    assert [(each.scenario, each.verdict) for each in evidence.results] == [("normal", "pass")]
    assert not [each for each in audit(source, Policy()).open if each.finding.location.path.startswith(".hardenctl")
                and each.finding.rule.startswith("secret")]  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        pytest.param("my own/../scenario", "my-own-..-scenario", id="separators"),
        pytest.param("../../x", "x", id="upwards"),
        pytest.param("äöü", "load", id="nothing-left"),
        pytest.param("x" * 300, "x" * 64, id="long"),
    ],
)
def test_a_scenario_s_name_stays_in_the_folder(tmp_path: Path, scenario: str, name: str) -> None:
    """Whatever a scenario is called, its file lies in `.hardenctl/load`."""
    (tmp_path / "pyproject.toml").touch()
    assert store_evidence(tmp_path, document(scenario=scenario)) == f".hardenctl/load/{name}.json"
    (file,) = (tmp_path / ".hardenctl" / "load").iterdir()
    data = json.loads(file.read_text(encoding="utf-8"))
    assert (data["scenario"], data["commit"]) == (scenario, None)


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        pytest.param("pyproject.toml", True, id="pyproject"),
        pytest.param("hardenctl.yaml", True, id="policy"),
        pytest.param(".git", True, id="work-tree"),
        pytest.param("README.md", False, id="any-folder"),
    ],
)
def test_only_a_project_keeps_results(tmp_path: Path, marker: str, expected: bool) -> None:  # noqa: FBT001
    """A run somewhere else leaves nothing behind."""
    (tmp_path / marker).touch()
    assert is_project(tmp_path) is expected
    assert (store_evidence(tmp_path, document()) is not None) is expected
    assert (tmp_path / ".hardenctl").exists() is expected


def test_an_interrupted_run_stores_nothing(tmp_path: Path) -> None:
    """What was there stays."""
    (tmp_path / "pyproject.toml").touch()
    store_evidence(tmp_path, document())
    assert store_evidence(tmp_path, document(interrupted=True, verdict="inconclusive")) is None
    assert json.loads((tmp_path / ".hardenctl/load/normal.json").read_text(encoding="utf-8"))["verdict"] == "pass"


def test_a_run_says_where_it_stored_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error; where it could not, that is a warning and changes nothing else."""
    monkeypatch.chdir(tmp_path)
    _keep(document())
    assert capsys.readouterr() == ("", "")
    (tmp_path / "pyproject.toml").touch()
    _keep(document())
    assert capsys.readouterr() == ("", "stored as evidence, to be committed: .hardenctl/load/normal.json\n")
    (tmp_path / ".hardenctl" / "load" / "normal.json").unlink()
    (tmp_path / ".hardenctl" / "load").rmdir()
    (tmp_path / ".hardenctl" / "load").touch()
    _keep(document())
    assert capsys.readouterr().err.startswith("warning: not stored as evidence: ")
