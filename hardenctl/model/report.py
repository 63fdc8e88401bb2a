"""What an audit ends in: judged findings, gaps, what was looked at, the score and the verdict."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from hardenctl.model.blob import Gap, Target
from hardenctl.model.finding import Category, Finding, Severity
from hardenctl.model.record import field, record


class Status(enum.StrEnum):
    """What policy makes of a finding."""

    OPEN = "open"
    SUPPRESSED = "suppressed"
    BASELINED = "baselined"


class Verdict(enum.StrEnum):
    """What the whole report says."""

    PASS = "pass"  # noqa: S105 - a word, no password
    FAIL = "fail"
    INCOMPLETE = "incomplete"


@record
class JudgedFinding:
    """A finding after policy: `severity` is the effective one, `reason` says why it is not open."""

    finding: Finding
    status: Status
    severity: Severity
    reason: str = ""


@record
class Setting:
    """One effective setting of a server. `value` is JSON-ready; None with an `expression` if only the machine knows.

    `origin` says where the value comes from: `command line`, `GUNICORN_CMD_ARGS`, `config file`,
    `environment`, `default`.
    """

    value: Any
    path: str
    line: int
    origin: str
    expression: str | None = None


@record
class Server:
    """A launch line with each setting that something set; `service` is the compose service."""

    path: str
    line: int
    service: str | None
    server: str
    command: tuple[str, ...]
    effective: Mapping[str, Setting]


@record
class Scanned:
    """How much was looked at. `skipped` counts files left out on purpose (binary, excluded), by reason.

    `requests` counts what a running application was asked.
    """

    files: int = 0
    bytes: int = 0
    blobs: int = 0
    commits: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0


@record
class Score:
    """Readiness of 10. A category nothing was looked at for is None, and so is an overall without any.

    `notes` say why a figure is missing or capped; `load_evidence` that a load result was counted.
    """

    overall: float | None
    categories: Mapping[Category, float | None]
    notes: tuple[str, ...] = ()
    load_evidence: bool = False


@record
class Report:
    """Reporters only print it. `fail_on` is the severity that fails the gate, None for never."""

    target: Target
    findings: tuple[JudgedFinding, ...]
    gaps: tuple[Gap, ...]
    scanned: Scanned
    score: Score
    verdict: Verdict
    fail_on: Severity | None
    servers: tuple[Server, ...] = ()
    elapsed_seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[JudgedFinding, ...]:
        """The findings that count."""
        return tuple(judged for judged in self.findings if judged.status is Status.OPEN)
