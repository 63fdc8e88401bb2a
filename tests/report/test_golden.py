"""Golden reports: look at a changed one as its reader would, then `GOLDEN=write pytest tests/report` accepts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import report_samples as samples

from hardenctl.model.report import Report
from hardenctl.report.formats import render
from hardenctl.report.style import Look

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("name", "sample", "format_name", "look"),
    [
        pytest.param("full-80", samples.everything, "full", Look(80), id="full-at-80-columns"),
        pytest.param("full-140", samples.everything, "full", Look(140), id="full-at-140-columns"),
        pytest.param("full-40", samples.everything, "full", Look(40), id="full-at-40-columns"),
        pytest.param("full-colour", samples.everything, "full", Look(80, colour=True), id="full-in-colour"),
        pytest.param("full-ascii", samples.everything, "full", Look(80, unicode=False), id="full-without-unicode"),
        pytest.param("full-quiet", samples.everything, "full", Look(80, quiet=True), id="full-quiet"),
        pytest.param("full-verbose", samples.everything, "full", Look(80, verbose=True), id="full-verbose"),
        pytest.param("full-clean", samples.report, "full", Look(80), id="full-nothing-found"),
        pytest.param("full-hostile", samples.hostile, "full", Look(80), id="full-escape-sequences-in-names"),
        pytest.param("concise", samples.everything, "concise", Look(80), id="concise"),
        pytest.param("concise-verbose", samples.everything, "concise", Look(80, verbose=True), id="concise-verbose"),
        pytest.param("github", samples.everything, "github", Look(80), id="github"),
        pytest.param("junit", samples.everything, "junit", Look(80), id="junit"),
        pytest.param("markdown", samples.everything, "markdown", Look(80), id="markdown"),
        pytest.param("markdown-hostile", samples.hostile, "markdown", Look(80), id="markdown-no-injection"),
    ],
)
def test_report_is_the_golden_one(
    name: str,
    sample: Callable[[], Report],
    format_name: str,
    look: Look,
    accept_golden: Callable[[Path, str], None],
) -> None:
    """A report's text changes only when someone has looked at the change."""
    accept_golden(GOLDEN / f"{name}.txt", render(sample(), format_name, look))
