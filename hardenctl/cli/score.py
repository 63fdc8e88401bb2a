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
from hardenctl.model.report import Verdict
from hardenctl.policy.score import basis_of, gains
from hardenctl.report.score import render_score
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
        each_gain = gains(report.findings, basis_of(report))
        if format == "json":
            data = {"score": asdict(report.score), "gains": [asdict(gain) for gain in each_gain]}
            show(json.dumps(data, indent=2) + "\n")
        else:
            rows = [(gain.rule, gain.severity, gain.findings, gain.overall) for gain in each_gain]
            show(render_score(report, rows, look_of(sys.stdout)))
        return EXIT[Verdict.INCOMPLETE] if report.gaps else 0
