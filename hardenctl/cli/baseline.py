"""`hardenctl baseline create|update|show`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.audit import audit
from hardenctl.cli.auditing import policy_of, root_of, show
from hardenctl.cli.request import Request
from hardenctl.model.errors import UsageError
from hardenctl.model.report import Report
from hardenctl.policy.baseline import (
    BASELINE,
    Baseline,
    Entry,
    accept,
    load_baseline,
    new_baseline,
    save_baseline,
    update,
)
from hardenctl.report.style import visible
from hardenctl.sources import open_source
from hardenctl.sources.renames import renames_since

PathArgument = Annotated[str, typer.Argument(help="The project's folder.", metavar="[PATH]")]
BaselineOption = Annotated[
    str | None, typer.Option("--baseline", metavar="FILE", help=f"The baseline, instead of {BASELINE}.")
]
ConfigOption = Annotated[str | None, typer.Option(metavar="FILE", help="The policy file to use.")]


app = typer.Typer(help="Findings that are accepted for now.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def create(
    path: PathArgument = ".",
    *,
    file: BaselineOption = None,
    config: ConfigOption = None,
    force: Annotated[bool, typer.Option("--force", help="Accept all again where there is a baseline.")] = False,
) -> int:
    """Accept every open finding there is now. Exit code 2 if something could not be looked at."""
    root, target = _target(path, file)
    old = load_baseline(root, target) if target.exists() else None
    if old and not force:
        raise UsageError(
            f"there is a baseline already: {target.name}",
            help="`hardenctl baseline update` keeps it true; --force accepts everything again",
        )
    base = old or new_baseline()
    report = _look(path, base, config)
    made = accept(base, (each.finding for each in report.open))
    save_baseline(made, target)
    show(f"{target.name}: {_findings(len(made.entries))} accepted\n" + "".join(_gaps(report)))
    return 2 if report.gaps else 0


@app.command("update")
def update_baseline(
    path: PathArgument = ".",
    *,
    file: BaselineOption = None,
    config: ConfigOption = None,
    add: Annotated[bool, typer.Option("--add", help="Accept what is new, too.")] = False,
) -> int:
    """Drop what is gone and follow renames; what is new stays out unless --add.

    Exit code 1 if new findings were left out, 2 if something could not be looked at: what is there is kept.
    """
    root, target = _target(path, file)
    old = load_baseline(root, target)
    if old is None:
        raise UsageError(f"there is no baseline `{target}`", help="`hardenctl baseline create` makes one")
    report = _look(path, old, config)
    result = update(
        old,
        (each.finding for each in report.open),
        renamed=renames_since(root, target),
        unseen={gap.path for gap in report.gaps},
        add=add,
    )
    if result.baseline != old:
        save_baseline(result.baseline, target)
    lines = [
        *_entries("gone", result.dropped),
        *_entries("moved", result.moved),
        *_entries("added" if add else "new, not accepted", result.new),
        f"{target.name}: {_findings(len(result.baseline.entries))} accepted\n",
        *_gaps(report),
    ]
    show("".join(lines))
    if result.new and not add:
        return 1
    return 2 if report.gaps else 0


@app.command("show")
def show_baseline(
    path: PathArgument = ".",
    *,
    file: BaselineOption = None,
    format: Annotated[  # noqa: A002 - the option's name
        str, typer.Option(metavar="FORMAT", help="`text` or `json`.")
    ] = "text",
) -> None:
    """List what is accepted, by path."""
    if format not in {"text", "json"}:
        raise UsageError(f"there is no format `{format}`", help="formats: text, json")
    root, target = _target(path, file)
    found = load_baseline(root, target)
    entries = sorted(found.entries, key=lambda each: (each.path, each.rule)) if found else []
    if format == "json":
        listed = [{"fingerprint": each.fingerprint, "rule": each.rule, "path": each.path} for each in entries]
        show(json.dumps(listed, indent=2) + "\n")
        return
    show("".join(f"{visible(each.path)}  {each.rule}  {each.fingerprint[:12]}\n" for each in entries))


def _target(path: str, file: str | None) -> tuple[Path, Path]:
    """The project's root and its baseline file."""
    root = root_of(Request(paths=(path,)))
    if not Path(path).is_dir():
        raise UsageError("a baseline is of a whole project", help="name its folder")
    return root, Path(file) if file else root / BASELINE


def _look(path: str, baseline: Baseline, config: str | None) -> Report:
    """Audit the project as if there were no baseline, with the baseline's salt."""
    request = Request(paths=(path,), config=config)
    policy = policy_of(request, root_of(request))
    return audit(open_source([path], exclude=policy.exclude, salt=baseline.salt), policy)


def _entries(word: str, entries: tuple[Entry, ...]) -> Iterator[str]:
    return (f"{word}: {visible(each.path)}  {each.rule}\n" for each in entries)


def _gaps(report: Report) -> Iterator[str]:
    return (f"not looked at: {visible(gap.path)}: {gap.reason}\n" for gap in report.gaps)


def _findings(count: int) -> str:
    return f"{count} finding" if count == 1 else f"{count} findings"
