"""Django's settings as rules see them: what each comes to in each deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardenctl.formats.cors.document import Source
from hardenctl.model.record import field, record
from hardenctl.model.text import Span


@record
class Setting:
    """One setting's value. `span` is the line that gives it.

    `known` says whether the text decides `data`. `entries` are the strings of a list, `open_ended` that it may hold
    others. `operators`: nothing but a variable's text is missing, so that whoever deploys decides. `variables` are
    what it was computed from, `by_default` that none of them is set, `refused` that the code does not start with what
    they are. `literal` is the text it goes back to, where that stands in the code.
    """

    span: Span
    known: bool
    data: Any = field(default=None, repr=False)
    entries: tuple[str, ...] = ()
    open_ended: bool = False
    operators: bool = False
    variables: frozenset[str] = frozenset()
    by_default: bool = True
    refused: bool = False
    literal: Source | None = field(default=None, repr=False)


Way = Mapping[str, Setting]  # the settings that are given, where undecided branches go one way


@record
class Deployment:
    """The settings under one environment.

    `environment` names it, empty where nothing does; `files` is the environment in the names of the files that set
    variables in it; `unset` says that no variable is set. `places` are where files set the variables.
    """

    environment: str
    files: str
    unset: bool
    ways: tuple[Way, ...]
    places: Mapping[str, Span] = field(default_factory=dict)


@record(slots=False)
class DjangoSettings:
    """A settings module that production uses.

    `top` is its first line; `chosen` where a file names it for production, None where only its own name or its place
    says so. `open_ended`: other code that reading does not show may give settings, too.
    """

    path: str
    name: str
    top: Span
    deployments: tuple[Deployment, ...]
    chosen: Span | None = None
    open_ended: bool = False
    complete: bool = True
