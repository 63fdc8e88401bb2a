"""GitLab's secret detection report, held to what GitLab's published schema 15.0.7 requires."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import report_samples as samples

from hardenctl.model.blob import SourceKind, Target
from hardenctl.model.report import Report
from hardenctl.report.formats import render
from hardenctl.report.gitlab_secrets import as_report
from hardenctl.report.style import Look

ENDED = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
_TEXT = {"type": "string", "minLength": 1}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}


def _required(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_TOOL = _required(id=_TEXT, name=_TEXT, version=_TEXT, vendor=_required(name=_TEXT))
# the parts that GitLab requires, and the limits it sets on what we write besides
SCHEMA = _required(
    version={"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
    scan=_required(
        analyzer=_TOOL,
        scanner=_TOOL,
        start_time=_TIME,
        end_time=_TIME,
        status={"enum": ["success", "failure"]},
        type={"const": "secret_detection"},
        messages={"type": "array", "items": _required(level={"enum": ["info", "warn", "fatal"]}, value=_TEXT)},
    ),
    vulnerabilities={
        "type": "array",
        "items": _required(
            id=_TEXT,
            identifiers={"type": "array", "minItems": 1, "items": _required(type=_TEXT, name=_TEXT, value=_TEXT)},
            location=_required(commit=_required(sha=_TEXT)),
            name={"type": "string", "maxLength": 255},
            description={"type": "string"},
            severity={"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
            solution={"type": "string", "maxLength": 7000},
        ),
    },
)


@pytest.mark.parametrize("sample", [samples.everything, samples.report, samples.hostile])
def test_it_is_what_gitlab_requires(sample: Callable[[], Report]) -> None:
    """Reports that don't validate are not taken in at all."""
    jsonschema.validate(json.loads(render(sample(), "gitlab-secrets", Look())), SCHEMA)


def test_open_secrets_alone() -> None:
    """Other rules are for the code quality report; what policy set aside is no vulnerability."""
    data = as_report(samples.everything(), ENDED)
    found = data["vulnerabilities"]
    assert {each["identifiers"][0]["value"] for each in found} == {"secret-generic-assignment"}
    assert len(found) == len({each["id"] for each in found}) == 7
    assert found[0]["location"] == {
        "file": "app/settings.py",
        "start_line": 12,
        "end_line": 12,
        "commit": {"sha": "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"},
    }
    old = next(each for each in found if each["location"]["file"] == "config/old.env")
    assert old["location"]["commit"]["author"] == "Ada <ada@example.com>"
    assert old["location"]["commit"]["sha"].startswith("9f8e7d6c")


def test_ids_survive_a_new_run() -> None:
    """The same finding keeps its id, so that GitLab knows what was dismissed; the same secret twice has two."""
    twice = [samples.judged(samples.finding(line=line, fingerprint="same")) for line in (1, 2)]
    first, second = (as_report(samples.report(*twice), ENDED + dt.timedelta(days=days)) for days in (0, 1))
    ids = [each["id"] for each in first["vulnerabilities"]]
    assert ids == [each["id"] for each in second["vulnerabilities"]]
    assert len(set(ids)) == 2


def test_gaps_are_a_failed_scan() -> None:
    """What could not be looked at is said, and the scan doesn't pass as whole."""
    scan = as_report(samples.everything(), ENDED)["scan"]
    assert scan["status"] == "failure"
    assert scan["messages"][0]["value"] == "app/broken.py could not be looked at: not valid Python: line 7"
    assert (scan["start_time"], scan["end_time"]) == ("2026-01-02T03:04:04", "2026-01-02T03:04:05")
    assert as_report(samples.report(), ENDED)["scan"]["status"] == "success"


def test_no_line_of_code_is_in_it() -> None:
    """GitLab's field for the raw line is left out: it would be the secret."""
    assert "raw_source_code_extract" not in render(samples.everything(), "gitlab-secrets", Look())


def test_a_folder_without_git() -> None:
    """It has the commit that GitLab's own analyzer writes there."""
    report = samples.report(samples.judged(samples.finding()), target=Target(".", SourceKind.WORKTREE))
    assert as_report(report, ENDED)["vulnerabilities"][0]["location"]["commit"] == {"sha": "0000000"}
