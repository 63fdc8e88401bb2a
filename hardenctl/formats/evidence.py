"""Stored load results, `.hardenctl/load/SCENARIO.json`: what the last load run of each scenario came to.

    {"schema_version": 1, "kind": "load-evidence", "scenario": "normal", "verdict": "pass",
     "date": "2026-01-31T10:00:00+00:00", "requests": 4711, "failures": 0,
     "gates": [{"gate": "p95<300ms", "target": 300, "value": 180, "outcome": "pass"}]}

`hardenctl load run` writes them, with more beside it for people: host, machine, commit, tool. Files are edited and
merged, so what contradicts itself is a gap, never evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hardenctl.formats.paths import LOAD_RESULT, is_load_result
from hardenctl.formats.project_docs import service_of
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.text import is_binary

SCHEMA_VERSION = 1
KIND = "load-evidence"
PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
_VERDICTS = (PASS, FAIL, INCONCLUSIVE)
_OUTCOMES = (*_VERDICTS, "not measured")
_LONGEST = 500  # characters of a name
_SKEW = timedelta(days=1)  # of the clock that wrote it


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one scenario came to. `day` is in UTC; `missed` are the gates that failed, as `p95<300ms`.

    `held` is how many users a stress run reached before it broke, which is what it is for; 0 for others.
    """

    path: str
    scenario: str
    verdict: str
    day: date
    missed: tuple[str, ...] = ()
    held: int = 0


@dataclass(frozen=True, slots=True)
class LoadEvidence:
    """All readable results of a project. `service` is the file that shows that it is one, None for a library."""

    path: str
    service: str | None
    results: tuple[LoadResult, ...]
    damaged: bool = False


DOCUMENTS = (LoadEvidence,)


def read(snapshot: Snapshot) -> Iterator[LoadEvidence | Gap]:
    """The one document of a project, also where there is no result; a Gap for each file that is none."""
    if not snapshot.in_scope(LOAD_RESULT):
        return
    found = list(results(snapshot))
    gaps = [each for each in found if isinstance(each, Gap)]
    yield from gaps
    sound = tuple(each for each in found if isinstance(each, LoadResult))
    yield LoadEvidence(LOAD_RESULT, service_of(snapshot), sound, damaged=bool(gaps))


def results(snapshot: Snapshot) -> Iterator[LoadResult | Gap]:
    """The stored results of a snapshot."""
    for path in filter(is_load_result, snapshot.paths()):
        blob = snapshot.read(path)
        if blob is None or is_binary(blob.data):
            yield Gap(path, "the load result could not be read")
            continue
        try:
            yield _result(path, json.loads(blob.text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
            yield Gap(path, "the file is no load result that can be trusted: delete it and run the load test again")


def _result(path: str, data: dict[str, Any]) -> LoadResult:
    """Check a file's data. Raises ValueError, KeyError, TypeError or AttributeError for what is none."""
    if (data["schema_version"], data["kind"]) != (SCHEMA_VERSION, KIND):
        raise ValueError
    scenario, verdict = data["scenario"], data["verdict"]
    outcomes = {str(gate["gate"]): gate["outcome"] for gate in data["gates"]}
    when = datetime.fromisoformat(data["date"])
    requests, failures, held = data["requests"], data["failures"], data.get("held_users") or 0
    # A pass without a passing gate or an answered request, or beside a missed gate, is none.
    sound = verdict != PASS or (
        requests > failures and PASS in outcomes.values() and {FAIL, INCONCLUSIVE}.isdisjoint(outcomes.values())
    )
    if not (
        isinstance(scenario, str)
        and all(0 < len(each) <= _LONGEST and each.isprintable() for each in (scenario, *outcomes))
        and verdict in _VERDICTS
        and all(each in _OUTCOMES for each in outcomes.values())
        and type(requests) is type(failures) is type(held) is int
        and 0 <= failures <= requests
        and when.tzinfo is not None
        and when <= datetime.now(UTC) + _SKEW
        and sound
    ):
        raise ValueError
    missed = tuple(gate for gate, outcome in outcomes.items() if outcome == FAIL)
    return LoadResult(path, scenario, verdict, when.astimezone(UTC).date(), missed, held)
