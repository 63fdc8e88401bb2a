"""`hardenctl score`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from hardenctl.cli.auditing import EXIT, make_report, show
from hardenctl.cli.request import Request
from hardenctl.model.errors import UsageError
from hardenctl.model.finding import Severity
from hardenctl.model.report import Report, Verdict
from hardenctl.policy.score import basis_of, gains
from hardenctl.policy.score import score as rate
from hardenctl.report.score import Step, render_score
from hardenctl.report.style import look_of


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def score(
        path: Annotated[str, typer.Argument(help="The project.", metavar="[PATH]", show_default=False)] = ".",
        format: Annotated[  # noqa: A002 - the option's name
            str, typer.Option(metavar="FORMAT", help="`text` or `json`.")
        ] = "text",
        config: Annotated[str | None, typer.Option(metavar="FILE", help="The policy file to use.")] = None,
    ) -> int:
        """The readiness score, and what each fix would add. Exit code 2 if something could not be looked at, else 0."""
        if format not in {"text", "json"}:
            raise UsageError(f"there is no format `{format}`", help="formats: text, json")
        report = make_report(Request(paths=(path,), config=config))
        steps = _steps(report)
        if format == "json":
            score = asdict(report.score)
            show(json.dumps({"score": score, "steps": [asdict(step) for step in steps]}, indent=2) + "\n")
        else:
            show(render_score(report, steps, look_of(sys.stdout)))
        return EXIT[Verdict.INCOMPLETE] if report.gaps else 0


def _steps(report: Report) -> list[Step]:
    """The rules with open findings, the worst first, and the score as one after the other is fixed."""
    basis = basis_of(report)
    left, steps = report.findings, []
    costly = (gain for gain in gains(report.findings, basis) if gain.severity > Severity.INFO)
    for gain in sorted(costly, key=lambda gain: -gain.severity):
        left = tuple(judged for judged in left if judged.finding.rule != gain.rule)
        steps.append(Step(gain.rule, gain.severity, gain.findings, gain.overall, rate(left, basis).overall or 0.0))
    return steps
