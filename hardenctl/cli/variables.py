"""Environment variables for the options of all commands, and a word about those that are no option's.

What `audit` has is called the same everywhere: HARDENCTL_CONFIG is the `--config` of `fix`, too. Everything else bears
its command's name, as in HARDENCTL_INIT_DRY_RUN, because the same word means different things elsewhere: the `--write`
of `render` is a switch and that of `generate` a file, the `--baseline` of `load run` is a name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from hardenctl.cli.request import OPTIONS
from hardenctl.load.endpoints import TOKEN, USERNAME
from hardenctl.load.openapi import PASSWORD
from hardenctl.model.errors import UsageError
from hardenctl.model.nearest import close_to
from hardenctl.report.style import visible

PREFIX = "HARDENCTL_"
_OTHERS = frozenset({"HARDENCTL_DEBUG", TOKEN, USERNAME, PASSWORD})  # no option's
_OWN = frozenset({"--format", "--output"})  # other commands have other formats
_NEAR = 0.8  # of 1: how much like an option's name a mistyped one is
_SHARED = {option.flag: option for option in OPTIONS if option.flag not in _OWN}


def give_variables(command: Any, path: tuple[str, ...] = ()) -> set[str]:
    """Give each option of a command and of those below it its variable; returns all names.

    The command is of Typer's own click, whose types it doesn't export.
    """
    names = set()
    for param in command.params:
        if param.param_type_name == "option" and not param.is_eager:
            param.envvar = param.envvar or _variable(param, path)
            names.add(param.envvar)
    for name, child in getattr(command, "commands", {}).items():
        names |= give_variables(child, (*path, name))
    return names


def check_environment(known: Iterable[str]) -> None:
    """Raise UsageError for a variable that was meant for an option and is none's; others are said, and no error."""
    known = {*known, *_OTHERS}
    for name, value in sorted(os.environ.items()):
        if not name.startswith(PREFIX) or name in known or not value:
            continue
        word, words = name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in sorted(known)]
        meant = next((each for each in words if each.endswith(f"_{word}")), "") or close_to(word, words, cutoff=_NEAR)
        if meant:
            raise UsageError(f"{visible(name)} is the variable of no option", help=f"did you mean {PREFIX}{meant}?")
        sys.stderr.write(f"note: {visible(name)} is the variable of no option\n")


def _variable(param: Any, path: tuple[str, ...]) -> str:
    flag = param.opts[0]
    shared = _SHARED.get(flag)
    if shared and shared.metavar == (param.metavar or ""):
        return shared.variable
    return PREFIX + "_".join((*path, flag.removeprefix("--"))).upper().replace("-", "_")
