"""What can stop hardenctl, and what the user can do about it.

HardenctlError          exit 2; printed as `error: ...` and `help: ...`, never as a traceback
├── UsageError          the command line asks for something that cannot be
├── PolicyError         the policy file cannot be used
├── SourceError         git or the file system does not give what was asked for
├── DocumentError       a document is not what its format says; an audit turns it into a gap
└── ToolError           another program is missing, failed or timed out
"""

from __future__ import annotations


class HardenctlError(Exception):
    """Something the user can act on.

    `what` says what is wrong and `help` what to do: neither is left out. Neither ever holds the value of a secret.
    """

    def __init__(self, what: str, *, help: str) -> None:  # noqa: A002 - the word the user reads
        super().__init__(what)
        self.what = what
        self.help = help


class UsageError(HardenctlError):
    """The command line asks for something that cannot be."""


class PolicyError(HardenctlError):
    """The policy file cannot be used."""


class SourceError(HardenctlError):
    """Git or the file system does not give what was asked for."""


class DocumentError(HardenctlError):
    """A document is not what its format says. `line` counts from 1; 0 means the whole file.

    Only one that reaches the user as an error needs `help`: a gap has a reason alone.
    """

    def __init__(self, what: str, *, line: int = 0, help: str = "") -> None:  # noqa: A002 - as above
        super().__init__(what, help=help)
        self.line = line


class ToolError(HardenctlError):
    """Another program is missing, failed or timed out."""
