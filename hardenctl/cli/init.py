"""`hardenctl init`."""

from __future__ import annotations

from typing import Annotated

import typer

from hardenctl.cli.auditing import root_of, show
from hardenctl.cli.request import Request
from hardenctl.fix import apply, unified
from hardenctl.fix.adopt import adopt
from hardenctl.model.errors import UsageError
from hardenctl.report.style import visible
from hardenctl.sources import open_source
from hardenctl.sources.git import find_top


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def init(
        path: Annotated[str, typer.Argument(help="The project's folder.", metavar="[PATH]")] = ".",
        *,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written.")] = False,
    ) -> int:
        """Adopt hardenctl: policy, ignore files, pre-commit hook, CI workflow. Overwrites nothing; run it again freely.

        Exit code 0; 2 if it could not run.
        """
        root = root_of(Request(paths=(path,)))
        snapshot = open_source([path]).snapshot()
        if snapshot is None or not snapshot.in_scope("hardenctl.toml"):
            raise UsageError("a project is adopted as a whole", help="name its folder")
        if find_top(root) not in {None, root}:
            raise UsageError("this is a folder inside a repository", help="hooks and CI live at its top: run it there")
        adoption = adopt(snapshot, root)
        lines = [visible(part) for note in adoption.notes for part in note.splitlines()]
        if dry_run:
            show("".join([unified(adoption.proposal), *(f"{line}\n" for line in lines)]))
            return 0
        applied = apply(adoption.proposal)
        created = {each.path for each in adoption.proposal.changes if each.before is None}
        written = [f"{'wrote' if each in created else 'added to'} {visible(each)}" for each in applied.written]
        next_steps = ["next: `pre-commit install`, then `hardenctl audit`"] if written else []
        show("".join(f"{line}\n" for line in [*written, *lines, *next_steps]))
        return 0
