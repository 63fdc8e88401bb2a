"""Golden reports: look at a changed one as its reader would, then `GOLDEN=write pytest tests/report` accepts it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import report_samples as samples

from hardenctl.model.blob import Gap
from hardenctl.model.finding import Severity
from hardenctl.model.report import Report, Verdict
from hardenctl.report.formats import render
from hardenctl.report.style import Look, cells
from hardenctl.report.summary import size

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
        pytest.param("html", samples.everything, "html", Look(80), id="html"),
        pytest.param("html-clean", samples.report, "html", Look(80), id="html-nothing-found"),
        pytest.param("html-hostile", samples.hostile, "html", Look(80), id="html-no-injection"),
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


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("sample", [samples.everything, samples.hostile, samples.report])
def test_full_fits_the_terminal(sample: Callable[[], Report], width: int) -> None:
    """No line is wider than the terminal, with colour or without, and colour changes no column."""
    plain = render(sample(), "full", Look(width, verbose=True))
    coloured = render(sample(), "full", Look(width, colour=True, verbose=True))
    assert all(cells(line) <= width for line in plain.splitlines())
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_a_failing_finding_without_page_or_fix_is_still_a_finding() -> None:
    """A rule that this version has no page of is shown without reason and remedy."""
    text = render(samples.report(samples.judged(samples.finding("unknown-rule", fix=None))), "full", Look())
    assert "unknown-rule" in text
    assert "  why" not in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"verdict": Verdict.INCOMPLETE}, "--allow-gaps accepts that", id="incomplete"),
        pytest.param({"verdict": Verdict.PASS}, "nothing found; 1 gap", id="gap-allowed"),
        pytest.param({"verdict": Verdict.PASS, "fail_on": None}, "the gate is off", id="never"),
    ],
)
def test_verdict_words(changes: dict[str, Any], words: str) -> None:
    """The verdict says what it rests on."""
    report = samples.report(gaps=(Gap("a", "b"),), **changes)
    assert words in " ".join(render(report, "full", Look(140)).split())


@pytest.mark.parametrize(
    ("fail_on", "words"),
    [
        pytest.param(Severity.HIGH, "1 medium; none at high or above", id="below-the-gate"),
        pytest.param(Severity.CRITICAL, "1 medium; none critical", id="critical-only"),
        pytest.param(Severity.MEDIUM, "1 medium; 1 at medium or above fails the gate", id="at-the-gate"),
    ],
)
def test_gate_words(fail_on: Severity, words: str) -> None:
    """The verdict line names the gate."""
    found = samples.judged(samples.finding(severity=Severity.MEDIUM))
    assert words in render(samples.report(found, fail_on=fail_on), "concise", Look())


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(999, "999 bytes", id="bytes"),
        pytest.param(1500, "1.5 kB", id="kilobytes"),
        pytest.param(34_567, "35 kB", id="tens-of-kilobytes"),
        pytest.param(12_345_678_901, "12346 MB", id="megabytes-are-the-largest"),
    ],
)
def test_sizes(number: int, words: str) -> None:
    """Sizes are shown as people read them."""
    assert size(number) == words
