"""Baselines: files of runs that later ones are compared with, `.hardenctl/load/baselines/NAME.json`; commit them.

A baseline holds figures of its runs (newest last, 20 at most), never the target's address, paths of a query or a
credential. Several runs are its point: they tell how noisy the machine is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hardenctl.formats.paths import LOAD_RESULTS, PERFORMANCE
from hardenctl.load.compare import calm, middle, unfit
from hardenctl.load.outputs import write_whole
from hardenctl.model.errors import DocumentError, UsageError
from hardenctl.model.files import read_small

KIND = "load-baseline"
SCHEMA_VERSION = 1
FOLDER = LOAD_RESULTS + "baselines/"
BEGIN, END = "<!-- hardenctl load baselines: begin -->", "<!-- hardenctl load baselines: end -->"
_MOST_RUNS = 20
_NAME = re.compile(r"[\w][\w.-]{0,63}", re.ASCII)
_HEAD = (
    "| baseline | scenario | runs | users | requests/s | p50 ms | p95 ms | p99 ms | errors | CPU | machine | newest |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|",
)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The runs that others are compared with. `name` is what reports call it."""

    name: str
    runs: tuple[Mapping[str, Any], ...]


def baseline_path(root: Path, wish: str) -> Path:
    """Where a baseline lies: a name's place in the project, or a file that was named as one. Raises UsageError."""
    if wish.endswith(".json") or "/" in wish or "\\" in wish:
        return Path(wish)
    if not _NAME.fullmatch(wish):
        raise UsageError(
            f"`{wish}` is no name for a baseline", help="letters, digits, `.`, `_` and `-`; or a .json file"
        )
    return root / FOLDER / f"{wish}.json"


def read_baseline(path: Path, name: str) -> Baseline:
    """Read a baseline, or a single result of `load run --output json=FILE`. Raises UsageError or DocumentError."""
    try:
        text = read_small(path).decode("utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no baseline {path}", help="make it with `load run --save-baseline NAME`") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", help="put a readable file there") from None
    except UnicodeDecodeError:
        text = ""
    try:
        document = json.loads(text)
        if document["kind"] == "load" and document["schema_version"] == 1:
            return Baseline(name, (to_run(document),))
        if document["kind"] == KIND and document["schema_version"] == SCHEMA_VERSION:
            runs = tuple(_checked(run) for run in document["runs"])
            if runs:
                return Baseline(name, runs)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise DocumentError(
        f"{path} is no baseline", help="name one of `load run --save-baseline`, or a result of --output"
    )


def to_run(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a baseline keeps of a run's result. Raises KeyError where the result is of an older version."""
    machine, generator = document["machine"], document["generator"]
    gib = round(machine["memory"] / 2**30)
    target = urlsplit(document["target"]["url"]).hostname or ""
    where = f"{machine['cpus']} x {machine['cpu']}, {gib} GiB, {machine['system']}; target {target}"
    return {
        "started": document["started"],
        "scenario": document["scenario"],
        "setup": {
            "digest": document["digest"],
            "machine": f"{where}; {generator['processes']} generator(s), Locust {generator['locust']}",
        },
        "users": max((stage["users"] for stage in document["stages"]), default=0),
        "unfit": unfit(document),
        "verdict": document["verdict"],
        "cpu": document["cpu"],
        "calm": _calm(document["timeline"]),
        "metrics": _figures(document["metrics"]),
        "endpoints": {name: _figures(each) for name, each in document["endpoints"].items()},
    }


def _calm(timeline: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    found = calm(timeline)
    return found and {"p95_ms": float(f"{found[0]:.6g}"), "uneven": float(f"{found[1]:.6g}")}


def _figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("requests", "failures", "rps", "latency_ms", "bounds_ms")
    return {key: metrics[key] for key in keys}


def _checked(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """A run of a file that people edit and merge. Raises KeyError, TypeError or ValueError for one that is none."""
    for metrics in (run["metrics"], *run["endpoints"].values()):
        for key in ("p50", "p95", "p99"):
            value = metrics["latency_ms"][key]
            low, high = metrics["bounds_ms"][key]
            if any(each is not None and not each >= 0 for each in (value, low, high)):
                raise ValueError
        if not 0 <= metrics["failures"] <= metrics["requests"]:
            raise ValueError
    if (found := run["calm"]) is not None and not (found["p95_ms"] > 0 and found["uneven"] >= 0):
        raise ValueError
    for text in (run["started"], run["scenario"], run["setup"]["digest"], run["setup"]["machine"]):
        if not isinstance(text, str):
            raise TypeError
    return {**run, "cpu": run["cpu"], "users": run["users"], "unfit": run["unfit"]}


def check_alike(baseline: Baseline, scenario: str, digest: str) -> None:
    """A baseline of another load is none. Raises UsageError; the machine is for the comparison to judge."""
    other = next((run for run in baseline.runs if run["setup"]["digest"] != digest), None)
    if other is not None:
        what = "" if other["scenario"] == scenario else f" (`{other['scenario']}`)"
        raise UsageError(
            f"the baseline `{baseline.name}` was made by another scenario{what}, size or generator than `{scenario}`",
            help="run the same scenario with the same options, or save a baseline under another name",
        )


def save_run(path: Path, baseline: Baseline | None, name: str, document: Mapping[str, Any]) -> int:
    """Add a run to a baseline's file; how many it has then. Raises UsageError where it is not fit, or ToolError."""
    run = to_run(document)
    if run["unfit"]:
        raise UsageError(
            f"the run was not added to the baseline `{name}`: {run['unfit']}", help="repeat it once that is put right"
        )
    runs = [*(baseline.runs if baseline else ()), run][-_MOST_RUNS:]
    whole = {"schema_version": SCHEMA_VERSION, "kind": KIND, "name": name, "runs": runs}
    write_whole(
        path, json.dumps(whole, ensure_ascii=False, indent=1) + "\n", help="name another file", make_folder=True
    )
    return len(runs)


def fill_guide(root: Path) -> bool:
    """Write the table of all baselines between the marks of docs/PERFORMANCE_BENCHMARKING.md; whether it has them.

    Raises ToolError where the guide cannot be written.
    """
    guide = root / PERFORMANCE
    try:
        text = read_small(guide, root).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return False
    table = "\n".join((*_HEAD, *_lines(root)))
    write_whole(guide, f"{before}{BEGIN}\n{table}\n{END}{after}", help="free the file")
    return True


def _lines(root: Path) -> Iterator[str]:
    for path in sorted((root / FOLDER).glob("*.json")):
        try:
            yield _line(read_baseline(path, path.stem))
        except DocumentError:
            yield f"| {path.stem} | unreadable |" + " |" * 10


def _line(baseline: Baseline) -> str:
    runs = baseline.runs
    newest = runs[-1]
    latency = " | ".join(
        _cell(middle([run["metrics"]["latency_ms"][key] for run in runs]), ",.1f") for key in ("p50", "p95", "p99")
    )
    failed = sum(run["metrics"]["failures"] for run in runs) / max(1, sum(run["metrics"]["requests"] for run in runs))
    cpu = _cell(middle([run["cpu"] for run in runs]), ".0%")
    rate = _cell(middle([run["metrics"]["rps"] for run in runs]), ",.1f")
    machine = newest["setup"]["machine"].partition(";")[0].replace("|", "/")
    return (
        f"| {baseline.name} | {newest['scenario'].replace('|', '/')} | {len(runs)} | {newest['users']:,} | {rate} "
        f"| {latency} | {failed:.3%} | {cpu} | {machine} | {newest['started'][:10]} |"
    )


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def merged(name: str, baselines: Sequence[Baseline]) -> Baseline:
    """Several results as one baseline."""
    return Baseline(name, tuple(run for each in baselines for run in each.runs))
