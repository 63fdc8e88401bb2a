"""What a command line can ask of an audit, declared once: Typer and the fast path both read this table."""

from __future__ import annotations

import enum

from hardenctl.model.record import record
from hardenctl.report.formats import FORMATS


class Kind(enum.Enum):
    """How an option is given."""

    FLAG = "flag"
    VALUE = "value"
    LIST = "list"  # may be repeated


@record
class Option:
    """An option of every command that audits. `field` is its name in `Request`."""

    flag: str
    field: str
    kind: Kind
    help: str
    metavar: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "HARDENCTL_" + self.flag.removeprefix("--").upper().replace("-", "_")


@record
class Request:
    """A parsed command line; the defaults are those of a bare `hardenctl`."""

    paths: tuple[str, ...] = ()
    staged: bool = False
    since: str | None = None
    history: bool = False
    all_objects: bool = False
    pre_receive: bool = False
    submodules: bool = False
    archives: bool = False
    stdin_filename: str | None = None
    format: str = "full"
    outputs: tuple[str, ...] = ()
    fail_on: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    baseline: str | None = None
    config: str | None = None
    no_ignores: bool = False
    allow_gaps: bool = False
    plugins: tuple[str, ...] = ()
    jobs: str | None = None
    quiet: bool = False
    verbose: bool = False
    no_progress: bool = False
    no_cache: bool = False

    @property
    def asks_git(self) -> bool:
        """Whether git's store is looked at, and not the disk."""
        return bool(self.staged or self.since is not None or self.history or self.all_objects or self.pre_receive)


OPTIONS = (
    Option("--staged", "staged", Kind.FLAG, "Look at the index: what the next commit would take."),
    Option("--since", "since", Kind.VALUE, "Look at what the commits REV..HEAD added.", "REV"),
    Option("--history", "history", Kind.FLAG, "Look at every reachable commit besides."),
    Option("--all-objects", "all_objects", Kind.FLAG, "Look at unreachable objects too."),
    Option("--pre-receive", "pre_receive", Kind.FLAG, "Look at a push, as git's hook of that name on a server."),
    Option("--submodules", "submodules", Kind.FLAG, "Look at the files of submodules too."),
    Option(
        "--archives",
        "archives",
        Kind.FLAG,
        "Look into archives and saved images too (zip, tar, gz, bz2, xz, wheels, jars, `docker save`): "
        "by their names, and outside history by what they begin with.",
    ),
    Option("--stdin-filename", "stdin_filename", Kind.VALUE, "The name of what `-` reads.", "PATH"),
    Option("--format", "format", Kind.VALUE, f"How to print the report: {', '.join(FORMATS)}.", "FORMAT"),
    Option("--output", "outputs", Kind.LIST, "Write the report to a file as well; repeatable.", "FORMAT=FILE"),
    Option(
        "--fail-on",
        "fail_on",
        Kind.VALUE,
        "The least severity that fails the gate: info, low, medium (default), high, critical, or never.",
        "SEVERITY",
    ),
    Option("--select", "select", Kind.LIST, "Only these rules; an id or the start of one.", "RULE"),
    Option("--ignore", "ignore", Kind.LIST, "Not these rules; an id or the start of one.", "RULE"),
    Option("--baseline", "baseline", Kind.VALUE, "The baseline to use instead of .hardenctl-baseline.json.", "FILE"),
    Option("--config", "config", Kind.VALUE, "The policy file to use instead of the project's.", "FILE"),
    Option("--no-ignores", "no_ignores", Kind.FLAG, "Count what comments, policy and baseline set aside."),
    Option("--allow-gaps", "allow_gaps", Kind.FLAG, "Pass although something could not be looked at."),
    Option(
        "--plugin",
        "plugins",
        Kind.LIST,
        "A plugin of detect-secrets to run besides, by its class, or a Python file of yours with some; repeatable.",
        "NAME",
    ),
    Option("--jobs", "jobs", Kind.VALUE, "How many processes may run at a time; all processors by default.", "N"),
    Option("--quiet", "quiet", Kind.FLAG, "Findings, gaps and verdict only."),
    Option("--verbose", "verbose", Kind.FLAG, "Also what doesn't count, and what spoke for each finding."),
    Option("--no-cache", "no_cache", Kind.FLAG, "Look at versions again that held nothing before (history, ranges)."),
    Option("--no-progress", "no_progress", Kind.FLAG, "Show no progress on a terminal."),
)
