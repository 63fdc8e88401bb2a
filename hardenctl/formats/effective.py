"""One effective setting of a server: what it is, and the place that says so."""

from __future__ import annotations

from typing import Any

from hardenctl.model.record import record
from hardenctl.model.text import Span

COMMAND_LINE = "command line"
CMD_ARGS = "GUNICORN_CMD_ARGS"
CONFIG_FILE = "config file"
ENVIRONMENT = "environment"
DEFAULT = "default"
CODE = "code"  # an argument of the call that starts the server


@record
class Effective:
    """A setting that holds. `known` False: only the running machine knows the `value`, by its `expression`.

    `span` covers all of it (flag and value, or the value of an assignment) and `value_span` the value; both are None
    for a default. `configurable` says that an environment variable can change it without a change of the code.
    `error` says why the server would refuse it. `flag_span` is the flag's own word on a command line, where it has one.
    """

    value: Any
    known: bool = True
    span: Span | None = None
    value_span: Span | None = None
    origin: str = DEFAULT
    expression: str | None = None
    configurable: bool = False
    counts_cpus: bool = False
    error: str | None = None
    flag_span: Span | None = None

    @property
    def is_set(self) -> bool:
        """Whether something in the repository sets it."""
        return self.origin != DEFAULT
