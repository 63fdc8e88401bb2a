"""`hardenctl fix`, and the first half of `audit --fix`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TextIO

import typer

from hardenctl.cli.auditing import policy_of, root_of, show
from hardenctl.cli.request import Request
from hardenctl.fix import Applied, Proposal, Skipped, apply, propose, unified
from hardenctl.fix.write import uncommitted
from hardenctl.model.errors import UsageError
from hardenctl.policy.baseline import load_baseline
from hardenctl.report.style import Look, look_of, visible
from hardenctl.sources import open_source

EPILOG = """Exit codes: 0 nothing to fix, or all of it written; 1 fixes are available (dry run), or some could not be
made; 2 usage, could not run, or a gap: something could not be looked at (unless --allow-gaps)."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=EPILOG)
    def fix(
        path: Annotated[str, typer.Argument(help="The project, or a file of it.", metavar="[PATH]")] = ".",
        *,
        write: Annotated[bool, typer.Option("--apply", help="Write the fixes instead of showing them.")] = False,
        unsafe_fixes: Annotated[
            bool, typer.Option("--unsafe-fixes", help="Also those that change what the program does.")
        ] = False,
        select: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Only these rules.")] = None,
        ignore: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Not these rules.")] = None,
        config: Annotated[str | None, typer.Option(metavar="FILE", help="The policy file to use.")] = None,
        baseline: Annotated[str | None, typer.Option(metavar="FILE", help="The baseline to use.")] = None,
        no_ignores: Annotated[
            bool, typer.Option("--no-ignores", help="Fix what comments, policy and baseline set aside, too.")
        ] = False,
        allow_gaps: Annotated[
            bool, typer.Option("--allow-gaps", help="Succeed although something could not be looked at.")
        ] = False,
    ) -> int:
        """Show the fixes as a diff, secrets masked; --apply writes them."""
        request = Request(
            paths=(path,),
            select=tuple(select or ()),
            ignore=tuple(ignore or ()),
            config=config,
            baseline=baseline,
            no_ignores=no_ignores,
            allow_gaps=allow_gaps,
        )
        return run_fix(request, write=write, unsafe=unsafe_fixes, stream=sys.stdout)


def run_fix(request: Request, *, write: bool, unsafe: bool, stream: TextIO) -> int:
    """Propose the fixes of what a request looks at, show or write them, and say so on `stream`; the exit code.

    `audit --fix` calls this first, with standard error as the stream. Raises HardenctlError.
    """
    if request.asks_git or "-" in request.paths:
        raise UsageError("only the work tree can be fixed", help="name files or a folder")
    proposal = _proposal(request, unsafe=unsafe)
    look = look_of(stream)
    if write:
        dirty = uncommitted(proposal)
        applied = apply(proposal)
        lines = list(_applied(proposal, applied, dirty, look))
        left_out = bool(proposal.skipped or applied.skipped)
    else:
        lines = [*_painted(unified(proposal), look), *_proposed(proposal, look)]
        left_out = bool(proposal or proposal.skipped)
    text = look.final("".join(f"{line}\n" for line in [*lines, *_rest(proposal, look, unsafe=unsafe)]))
    if stream is sys.stdout:
        show(text)
    else:
        stream.write(text)
    if left_out:
        return 1
    return 2 if proposal.gaps and not request.allow_gaps else 0


def _proposal(request: Request, *, unsafe: bool) -> Proposal:
    root = root_of(request)
    policy = policy_of(request, root)
    baseline = load_baseline(root, Path(request.baseline) if request.baseline else None)
    source = open_source(request.paths, exclude=policy.exclude, salt=baseline.salt if baseline else None)
    return propose(source, root, policy, unsafe=unsafe, baseline=baseline.fingerprints if baseline else ())


def _painted(diff: str, look: Look) -> Iterator[str]:
    colours = {"+": "green", "-": "red", "@": "blue", "#": "grey"}
    for line in diff.splitlines():
        head = line.startswith(("--- ", "+++ "))
        yield look.paint(line, "" if head else colours.get(line[:1], ""), bold=head)
    if diff:
        yield ""


def _proposed(proposal: Proposal, look: Look) -> Iterator[str]:
    if not proposal.done:
        yield "Nothing to fix."
        return
    yield look.paint(f"{_fixes(len(proposal.done))} would be made:", bold=True)
    yield from (f"  {visible(each.path)}:{each.line}  {each.rule}  {each.title}" for each in proposal.done)
    yield "Nothing was written: --apply does that."


def _applied(proposal: Proposal, applied: Applied, dirty: tuple[str, ...], look: Look) -> Iterator[str]:
    if not proposal.done:
        yield "Nothing to fix."
        return
    yield look.paint(f"{_fixes(len(applied.done))} made:", bold=True)
    yield from (f"  {visible(each.path)}:{each.line}  {each.rule}  {each.title}" for each in applied.done)
    yield from (f"no longer tracked, still on disk: {visible(path)}" for path in applied.untracked)
    changed = [visible(path) for path in dirty if path in applied.written]
    if changed:
        yield f"note: these files held uncommitted work besides: {', '.join(changed)}"
    yield from _skipped(applied.skipped)


def _rest(proposal: Proposal, look: Look, *, unsafe: bool) -> Iterator[str]:
    yield from _skipped(proposal.skipped)
    if proposal.unsafe and not unsafe:
        noun, them = ("fix", "it") if proposal.unsafe == 1 else ("fixes", "them")
        yield f"{proposal.unsafe} more {noun} would change what the program does; --unsafe-fixes adds {them}."
    if proposal.advice:
        noun = "finding needs" if proposal.advice == 1 else "findings need"
        yield look.dim(f"{proposal.advice} {noun} a person: `hardenctl audit` says what to do.")
    yield from (f"not looked at: {visible(gap.path)}: {gap.reason}" for gap in proposal.gaps)


def _skipped(skipped: tuple[Skipped, ...]) -> Iterator[str]:
    for each in skipped:
        yield f"left out: {visible(each.path)}:{each.line}  {each.rule}: {visible(each.reason)}"


def _fixes(count: int) -> str:
    return f"{count} fix" if count == 1 else f"{count} fixes"
