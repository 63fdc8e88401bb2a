"""The lines of the pre-deployment checklist, but for those that need the target."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from hardenctl.formats.dotenv import Dotenv, parse_dotenv
from hardenctl.formats.paths import is_example
from hardenctl.model.checklist import Check, State
from hardenctl.model.errors import UsageError
from hardenctl.model.files import read_small
from hardenctl.model.report import Report, Verdict
from hardenctl.model.settings import LoadSettings
from hardenctl.model.text import decode
from hardenctl.rules.env.keys import names, of_class, unfilled
from hardenctl.rules.secrets.values import ValueClass

_SHOWN = 5
_STALE = 30  # days after which a load result speaks of another program


def report_check(name: str, report: Report, more: str) -> Check:
    """What an audit, or a probe, comes to. `more` is the command that shows all of it."""
    counts = Counter(judged.severity for judged in report.open)
    found = ", ".join(f"{counts[severity]} {severity.word}" for severity in sorted(counts, reverse=True))
    worst = tuple(
        f"{judged.severity.word} {judged.finding.rule}: {judged.finding.location.path}:{judged.finding.location.line}"
        for judged in report.open
        if report.fail_on is not None and judged.severity >= report.fail_on
    )
    items = worst[:_SHOWN] + ((f"and {len(worst) - _SHOWN} more (`{more}`)",) if len(worst) > _SHOWN else ())
    if report.verdict is Verdict.FAIL:
        return Check(name, State.NO_GO, found, items)
    if report.verdict is Verdict.INCOMPLETE:
        gaps = tuple(f"{gap.path}: {gap.reason}" for gap in report.gaps)
        return Check(name, State.UNCHECKED, "something could not be looked at", gaps[:_SHOWN])
    return Check(name, State.GO, f"{found}, none of it fails the gate" if found else "nothing found")


def read_env(path: Path) -> Dotenv:
    """An env file by its path. Raises UsageError."""
    try:
        return parse_dotenv(path.name, decode(read_small(path)))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", help="name a file with --env-file") from None


def find_example(*folders: Path) -> Path | None:
    """The example that says which variables there are: the plainest name in the first folder that has one."""
    for folder in folders:
        found = [each for each in sorted(folder.glob(".env*")) if is_example(each.name) and each.is_file()]
        if found:
            return min(found, key=lambda each: (len(each.name), each.name))
    return None


def environment_check(given: Dotenv, example: Dotenv | None) -> Check:
    """Every variable the example names is there, and no credential is missing, a placeholder or guessable."""
    items = []
    if example is not None:
        present = {entry.key for entry in given.entries}
        lacking = list({entry.key: entry for entry in example.entries if entry.key not in present}.values())
        items += [f"`{example.path}` names {names(lacking)}, and the file does not"] if lacking else []
    weak, placeholders = of_class(given, ValueClass.WEAK), of_class(given, ValueClass.PLACEHOLDER)
    empty = unfilled(given, ValueClass.EMPTY)
    items += [f"guessable: {names(weak)}"] if weak else []
    items += [f"a placeholder: {names(placeholders)}"] if placeholders else []
    items += [f"empty: {names(empty)}"] if empty else []
    if items:
        return Check("environment", State.NO_GO, f"{given.path} does not hold what the service needs", tuple(items))
    if example is None:
        reason = f"{given.path} holds no weak credential, but no .env.example says which variables it needs"
        return Check("environment", State.UNCHECKED, reason)
    return Check("environment", State.GO, f"{given.path} has every variable of {example.path}, none of them weak")


def platform_check(platform: str, held: Collection[str], example: Dotenv | None) -> Check:
    """Every variable the example names is at the platform, by name."""
    if example is None:
        return Check("platform variables", State.UNCHECKED, "no .env.example says which variables are needed")
    lacking = list({entry.key: entry for entry in example.entries if entry.key not in held}.values())
    if lacking:
        return Check("platform variables", State.NO_GO, f"{platform} lacks {names(lacking)}")
    return Check("platform variables", State.GO, f"{platform} has every variable of {example.path}, by name")


def load_check(document: Mapping[str, Any], targets: LoadSettings, *, today: dt.date | None = None) -> Check:
    """A stored load result against its own gates and the policy's targets."""
    today = today or dt.datetime.now(tz=dt.UTC).date()
    when = str(document.get("started", ""))[:10]
    metrics = document.get("metrics") or {}
    p95, errors = (metrics.get("latency_ms") or {}).get("p95"), metrics.get("error_rate")
    items = [
        f"{gate['gate']}: {gate['outcome']}, measured {gate['shown']}"
        for gate in document.get("gates") or ()
        if gate["outcome"] == "fail"
    ]
    if isinstance(p95, int | float) and p95 > targets.p95_ms:
        items.append(f"p95 {p95:g} ms; the policy's target is {targets.p95_ms:g} ms")
    if isinstance(errors, int | float) and errors > targets.error_rate:
        items.append(f"error rate {errors:.2%}; the policy's target is {targets.error_rate:.2%}")
    what = f"scenario {document.get('scenario')} of {when}"
    if items or document.get("verdict") == "fail":
        return Check("load", State.NO_GO, f"{what} missed its targets", tuple(dict.fromkeys(items)))
    if document.get("verdict") != "pass" or p95 is None or errors is None:
        reasons = tuple(str(each) for each in document.get("reasons") or ())[:_SHOWN]
        return Check("load", State.UNCHECKED, f"{what} is inconclusive", reasons)
    age = _days_since(when, today)
    if age is None or age > _STALE:
        return Check("load", State.UNCHECKED, f"{what} is older than {_STALE} days: it speaks of another program")
    return Check("load", State.GO, f"{what}: p95 {p95:g} ms, error rate {errors:.2%}")


def _days_since(date: str, today: dt.date) -> int | None:
    try:
        return (today - dt.date.fromisoformat(date)).days
    except ValueError:
        return None
