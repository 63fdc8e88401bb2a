"""`hardenctl load compare`, and the baselines of `load run`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hardenctl.cli.auditing import show
from hardenctl.load.baseline import (
    FOLDER,
    Baseline,
    baseline_path,
    check_alike,
    fill_guide,
    merged,
    read_baseline,
    save_run,
    to_run,
)
from hardenctl.load.compare import compare, metric_name, show_noise, with_comparison
from hardenctl.load.document import cell, comparison_cases, comparison_lines, junit
from hardenctl.load.outputs import Writers, check_outputs, read_document, write_outputs
from hardenctl.load.plan import Plan
from hardenctl.model.errors import DocumentError, UsageError
from hardenctl.report.style import Look, look_of, visible

EPILOG = "Exit codes: 0 no slower, 1 slower, 2 could not compare, 3 inconclusive: more runs are needed."
_COLOURS = {"worse": "red", "better": "green", "same": "grey", "unknown": "ochre"}
_VERDICTS = {"pass": ("green", "no slower"), "fail": ("red", "slower"), "inconclusive": ("ochre", "inconclusive")}


@dataclass(frozen=True, slots=True)
class Baselines:
    """The baselines a run has to do with: the one it is compared with, and the one it is added to."""

    compared: Baseline | None = None
    save: tuple[str, Path, Baseline | None] | None = None

    @classmethod
    def of(cls, compared: str | None, save: str | None) -> Baselines:
        """Read them, before any load is made. Raises UsageError or DocumentError."""
        root = Path()
        against = read_baseline(baseline_path(root, compared), compared) if compared is not None else None
        if save is None:
            return cls(against)
        path = baseline_path(root, save)
        if path.is_dir() or (path.parent != root / FOLDER and not path.parent.is_dir()):
            raise UsageError(f"--save-baseline: {path} cannot be written", help="name a file in a folder that exists")
        return cls(against, (save, path, read_baseline(path, save) if path.exists() else None))

    def check(self, plan: Plan) -> None:
        """That the run to come is of the same load. Raises UsageError."""
        for each in (self.compared, self.save[2] if self.save else None):
            if each:
                check_alike(each, plan.scenario.name, plan.digest)

    def judge(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The run's document, with the comparison where there is one to make."""
        if self.compared is None:
            return document
        return with_comparison(document, compare(self.compared.name, self.compared.runs, [to_run(document)]))

    def keep(self, document: Mapping[str, Any]) -> None:
        """Add the run to the baseline, but not one that was found to be slower. Raises UsageError or ToolError."""
        if self.save is None:
            return
        name, path, before = self.save
        if (document.get("baseline") or {}).get("verdict") == "fail":
            sys.stderr.write(f"warning: not added to the baseline `{name}`: the run is slower\n")
            return
        count = save_run(path, before, name, document)
        sys.stderr.write(f"added to the baseline `{name}`, {count} run(s), to be committed: {path}\n")
        if fill_guide(Path()):
            sys.stderr.write("its table in docs/PERFORMANCE_BENCHMARKING.md is up to date\n")


def compare_results(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULT.json...", help="Runs of now: what --output json=FILE wrote.")
    ],
    *,
    baseline: Annotated[
        list[str],
        typer.Option(
            "--baseline", metavar="NAME-OR-FILE", help="A baseline, or earlier results. Repeatable.", show_default=False
        ),
    ],
    format: Annotated[str, typer.Option(metavar="FORMAT", help="full, json, markdown or junit.")] = "full",  # noqa: A002 - the option's name
    output: Annotated[list[str] | None, typer.Option(metavar="FORMAT=FILE", help="Write a report. Repeatable.")] = None,
) -> int:
    """Compare runs with a baseline: slower, no slower, or more runs needed. Several on each side say more."""
    if format != "full" and format not in WRITERS:
        raise UsageError(f"there is no format `{format}`", help=f"formats: full, {', '.join(WRITERS)}")
    outputs = check_outputs(output or (), WRITERS)
    before = merged(", ".join(baseline), [read_baseline(baseline_path(Path(), wish), wish) for wish in baseline])
    now = [_run(path) for path in results]
    for run in now:
        check_alike(before, run["scenario"], run["setup"]["digest"])
    found = {"schema_version": 1, "kind": "load-comparison", "scenario": now[0]["scenario"]}
    found |= compare(before.name, before.runs, now)
    write_outputs(outputs, found, WRITERS)
    show(summary(found, look_of(sys.stdout)) if format == "full" else WRITERS[format](found))
    return int(found["exit_code"])


def comparison(found: Mapping[str, Any], look: Look) -> Iterator[str]:
    """A comparison for people, a line for each metric."""
    yield (
        f"  against the baseline {visible(found['name'])}: {found['now_runs']} run(s) against {found['runs']}; "
        "judged: those with a mark"
    )
    width = max(len(metric_name(row)) for row in found["comparison"])
    marks = {"worse": "✗", "better": "✓", "same": "✓", "unknown": "?"}
    for row in found["comparison"]:
        mark = look.paint(marks[row["outcome"]] if row["judged"] else " ", _COLOURS[row["outcome"]])
        figures = f"{_figure(row, 'baseline')} -> {_figure(row, 'now')}"
        change = "-" if row["change"] is None else f"{row['change']:+.1%}"
        noise = "" if row["noise"] is None else f"noise {show_noise(row['noise'])}"
        yield f"  {mark} {visible(metric_name(row)):<{width}}  {figures:>24}  {change:>7}  {row['outcome']:<8}{noise}"
    yield from (look.dim(f"  note: {visible(note)}") for note in found["notes"])
    yield ""


def _figure(row: Mapping[str, Any], side: str) -> str:
    value = row[side]
    if value is None:
        return "-"
    match row["metric"]:
        case "error_rate" | "cpu":
            return f"{value:.3g}" if value > 1 else f"{value:.2%}"
        case "rps":
            return f"{value:,.1f}"
        case _:
            return f"{value:,.1f} ms"


def summary(found: Mapping[str, Any], look: Look) -> str:
    """What came of a comparison, for people."""
    colour, words = _VERDICTS[found["verdict"]]
    lines = [look.paint(f"load {visible(found['scenario'])}", bold=True), *comparison(found, look)]
    lines += [f"  {visible(reason)}" for reason in found["reasons"]]
    return "\n".join([*lines, look.paint(words, colour, bold=True), ""])


def _markdown(found: Mapping[str, Any]) -> str:
    head = [f"## Load test `{found['scenario']}` compared: {found['verdict']}", ""]
    head += [f"- {cell(reason)}" for reason in found["reasons"]]
    return "\n".join([*head, "", *comparison_lines(found)]).rstrip("\n") + "\n"


def _junit(found: Mapping[str, Any]) -> str:
    return junit(f"load {found['scenario']} compared", f"load.{found['scenario']}", list(comparison_cases(found)))


WRITERS: Writers = {
    "json": lambda found: json.dumps(found, ensure_ascii=False) + "\n",
    "markdown": _markdown,
    "junit": _junit,
}


def _run(path: Path) -> dict[str, Any]:
    try:
        return to_run(read_document(path))
    except (KeyError, TypeError):
        raise DocumentError(f"{path} is of a version that kept too little", help="run it again") from None
