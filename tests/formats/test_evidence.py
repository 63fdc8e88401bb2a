"""Stored load results: what counts as one, and what is a gap."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hardenctl.formats.evidence import LoadEvidence, LoadResult, read
from hardenctl.formats.paths import is_load_result
from hardenctl.model.blob import Gap
from hardenctl.sources.memory import MemorySnapshot

PATH = ".hardenctl/load/normal.json"
GATE = {"gate": "p95<300ms", "target": 300, "value": 180, "outcome": "pass"}
MISSED = {**GATE, "outcome": "fail"}
RESULT = {
    "schema_version": 1,
    "kind": "load-evidence",
    "scenario": "normal",
    "verdict": "pass",
    "date": "2026-01-31T23:30:00-02:00",
    "requests": 10,
    "failures": 0,
    "gates": [GATE],
}


def read_one(data: Any) -> list[LoadEvidence | Gap]:
    """What is read of one file; `data` is JSON, or text or bytes as they are."""
    return list(read(MemorySnapshot({PATH: data if isinstance(data, str | bytes) else json.dumps(data)})))


def test_a_result_is_read() -> None:
    """Its day is in UTC, whatever the zone it was written in."""
    assert read_one(RESULT) == [LoadEvidence(PATH, None, (LoadResult(PATH, "normal", "pass", date(2026, 2, 1)),))]
    broken = {**RESULT, "verdict": "fail", "gates": [GATE, MISSED | {"gate": "rps>=500"}], "held_users": 300}
    (found,) = read_one(broken)
    assert isinstance(found, LoadEvidence)
    assert (found.results[0].missed, found.results[0].held) == (("rps>=500",), 300)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("{", id="no-json"),
        pytest.param(b"\0\1\2", id="binary"),
        pytest.param("[" * 100_000, id="deeply-nested"),
        pytest.param([], id="a-list"),
        pytest.param({}, id="empty"),
        pytest.param({**RESULT, "schema_version": 2}, id="another-version"),
        pytest.param({**RESULT, "kind": "load"}, id="a-whole-report"),
        pytest.param({**RESULT, "verdict": "great"}, id="unknown-verdict"),
        pytest.param({**RESULT, "scenario": ""}, id="no-scenario"),
        pytest.param({**RESULT, "scenario": "a\nb"}, id="a-name-of-two-lines"),
        pytest.param({**RESULT, "scenario": 5}, id="scenario-is-a-number"),
        pytest.param({**RESULT, "date": "yesterday"}, id="no-date"),
        pytest.param({**RESULT, "date": "2026-01-31T10:00:00"}, id="no-zone"),
        pytest.param({**RESULT, "date": (datetime.now(UTC) + timedelta(days=9)).isoformat()}, id="in-the-future"),
        pytest.param({**RESULT, "gates": [{**GATE, "outcome": "ok"}]}, id="unknown-outcome"),
        pytest.param({**RESULT, "gates": ["p95"]}, id="a-gate-is-text"),
        pytest.param({**RESULT, "requests": "10"}, id="requests-are-text"),
        pytest.param({**RESULT, "requests": 1, "failures": 2}, id="more-failures-than-requests"),
        pytest.param({**RESULT, "gates": []}, id="a-pass-without-gates"),
        pytest.param({**RESULT, "gates": [GATE, MISSED | {"gate": "rps>=5"}]}, id="a-pass-with-a-missed-gate"),
        pytest.param({**RESULT, "requests": 0}, id="a-pass-without-requests"),
        pytest.param({**RESULT, "failures": 10}, id="a-pass-without-success"),
    ],
)
def test_what_cannot_be_trusted_is_a_gap(data: Any) -> None:
    """It names the file, and the document says that something is there."""
    gap, document = read_one(data)
    assert isinstance(gap, Gap)
    assert gap.path == PATH
    assert document == LoadEvidence(PATH, None, (), damaged=True)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(PATH, True, id="a-result"),
        pytest.param(".hardenctl/load/own.scenario.json", True, id="a-dot-in-the-name"),
        pytest.param(".hardenctl/load/old/normal.json", False, id="a-folder-below"),
        pytest.param(".hardenctl/rotation.json", False, id="another-file"),
        pytest.param("app/.hardenctl/load/normal.json", False, id="of-another-project"),
    ],
)
def test_which_files_are_results(path: str, expected: bool) -> None:  # noqa: FBT001
    """Those directly in the project's own folder."""
    assert is_load_result(path) is expected


def test_a_part_of_a_project_has_no_document() -> None:
    """Named files say nothing about what is missing."""
    assert list(read(MemorySnapshot({"main.py": ""}, whole=False))) == []
