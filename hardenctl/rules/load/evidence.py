"""Whether stored load results show that a service holds its load. Libraries are left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from hardenctl.formats.evidence import FAIL, INCONCLUSIVE, PASS, LoadEvidence, LoadResult
from hardenctl.model.finding import Category, Confidence, Fix, Hit, Related, Severity, advice
from hardenctl.model.text import Span
from hardenctl.rules.declare import rule

STALE_DAYS = 90  # after which a result speaks of another program


def shows_load(results: Iterable[LoadResult]) -> bool:
    """Whether one of the results passed, and lately. What the readiness score asks."""
    return any(each.verdict == PASS and _age(each) <= STALE_DAYS for each in results)


def _age(result: LoadResult) -> int:
    return (datetime.now(UTC).date() - result.day).days


@rule("load-no-evidence", on=LoadEvidence, severity=Severity.INFO, category=Category.PERFORMANCE)
def no_evidence(evidence: LoadEvidence) -> Iterator[Hit]:
    """No load result shows what the service holds.

    ## Why is this bad?
    Configuration alone doesn't show that a service holds its load, and the first busy day is a late time to find out.
    The score's performance starts at 8.0 without a result that passed in the last 90 days. A run that was inconclusive
    shows nothing either way.

    ## Example
    ```procfile title="Procfile"
    web: gunicorn main:app
    ```

    ## Use instead
    Run `hardenctl load run --scenario normal --host URL` in the project, and commit the result it stores.

    ```procfile title="Procfile"
    web: gunicorn main:app
    ```

    ```json title=".hardenctl/load/normal.json"
    {"schema_version": 1, "kind": "load-evidence", "scenario": "normal", "verdict": "pass",
     "date": "2026-01-31T10:00:00+00:00", "requests": 4711, "failures": 0,
     "gates": [{"gate": "p95<300ms", "target": 300, "value": 180, "outcome": "pass"}]}
    ```
    """
    if not evidence.service or evidence.damaged or any(each.verdict != INCONCLUSIVE for each in evidence.results):
        return
    where, message = evidence.path, "no load result shows what the service holds"
    if evidence.results:
        where = evidence.results[0].path
        message = f"no load run came to a verdict: {_named(evidence.results)} inconclusive"
    shows = Related(Span(evidence.service, 0, 0), "what shows that this is a service")
    remedy = advice("Run `hardenctl load run --scenario normal --host URL` and commit what it stores")
    yield Hit(Span(where, 0, 0), message, fix=remedy, related=(shows,))


@rule("load-evidence-stale", on=LoadEvidence, severity=Severity.LOW, category=Category.PERFORMANCE)
def evidence_stale(evidence: LoadEvidence) -> Iterator[Hit]:
    """The newest load result is older than 90 days.

    ## Why is this bad?
    Code, data and traffic have changed since. An old result speaks of another program, and the score no longer counts
    it.

    ## Example
    ```json title=".hardenctl/load/normal.json"
    {"schema_version": 1, "kind": "load-evidence", "scenario": "normal", "verdict": "pass",
     "date": "2020-01-31T10:00:00+00:00", "requests": 4711, "failures": 0,
     "gates": [{"gate": "p95<300ms", "target": 300, "value": 180, "outcome": "pass"}]}
    ```

    ## Use instead
    Run the scenario again, and commit the new result:

    ```sh
    hardenctl load run --scenario normal --host http://127.0.0.1:8000
    ```
    """
    newest = max(evidence.results, key=lambda each: each.day, default=None)
    if newest is not None and (age := _age(newest)) > STALE_DAYS:
        yield Hit(
            Span(newest.path, 0, 0),
            f"the newest load result, of `{newest.scenario}`, is {age} days old; after {STALE_DAYS} it shows nothing",
            confidence=Confidence.PROVEN,
            evidence={"date": newest.day.isoformat()},
            fix=_again(newest),
        )


@rule("load-target-missed", on=LoadEvidence, severity=Severity.MEDIUM, category=Category.PERFORMANCE)
def target_missed(evidence: LoadEvidence) -> Iterator[Hit]:
    """The last load run of a scenario failed.

    ## Why is this bad?
    The service was measured, and it doesn't hold what its targets ask of it.
    A stress run that ends at the users where the service breaks has found what it looked for, and is none.

    ## Example
    ```json title=".hardenctl/load/peak.json"
    {"schema_version": 1, "kind": "load-evidence", "scenario": "peak", "verdict": "fail",
     "date": "2026-01-31T10:00:00+00:00", "requests": 4711, "failures": 0,
     "gates": [{"gate": "p95<300ms", "target": 300, "value": 812, "outcome": "fail"}]}
    ```

    ## Use instead
    Make the service faster, or set the target in policy that it really has to meet, and run the scenario again.

    ```json title=".hardenctl/load/peak.json"
    {"schema_version": 1, "kind": "load-evidence", "scenario": "peak", "verdict": "pass",
     "date": "2026-01-31T10:00:00+00:00", "requests": 4711, "failures": 0,
     "gates": [{"gate": "p95<300ms", "target": 300, "value": 180, "outcome": "pass"}]}
    ```
    """
    for result in evidence.results:
        if result.verdict == FAIL and not result.held:
            what = f"missed {', '.join(f'`{gate}`' for gate in result.missed)}" if result.missed else "failed"
            yield Hit(
                Span(result.path, 0, 0),
                f"the last load run of `{result.scenario}` {what}",
                identity=result.scenario,
                confidence=Confidence.PROVEN,
                evidence={"date": result.day.isoformat(), "missed": ", ".join(result.missed) or "the run itself"},
                fix=_again(result),
            )


def _again(result: LoadResult) -> Fix:
    return advice(f"Run the scenario `{result.scenario}` again with `hardenctl load run` and commit what it stores")


def _named(results: Iterable[LoadResult]) -> str:
    names = [f"`{each.scenario}`" for each in results]
    return f"{', '.join(names)} {'was' if len(names) == 1 else 'were'}"
