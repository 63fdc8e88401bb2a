"""The names of the variables a platform holds, asked of its own program. Values are never kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hardenctl.generate.platforms import PLATFORMS, Destination
from hardenctl.generate.program import ask
from hardenctl.generate.push import names, platform_of
from hardenctl.model.errors import ToolError

PATIENCE = 60.0  # seconds a platform's program may take


@dataclass(frozen=True, slots=True)
class _Listing:
    """For platforms that have variables beside secrets, which `generate --list` does not name.

    The commands whose output names them all, by an environment; `names` reads one output.
    """

    commands: Callable[[str], list[list[str]]]
    names: Callable[[str], list[str]] = str.split


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value else []


def _keys(text: str) -> list[str]:
    found = json.loads(text)
    return list(found) if isinstance(found, dict) else []


_LISTINGS: Mapping[str, _Listing] = {
    "github": _Listing(
        lambda where: [
            ["gh", kind, "list", "--json=name", "--jq=.[].name", *_option("--env", where)]
            for kind in ("secret", "variable")
        ]
    ),
    "railway": _Listing(lambda where: [["railway", "variables", "--json", *_option("--environment", where)]], _keys),
    "gcp": _Listing(
        lambda where: [["gcloud", "secrets", "list", "--format=value(name.basename())", *_option("--project", where)]]
    ),
    "kubernetes": _Listing(
        lambda where: [
            [
                "kubectl",
                "get",
                "secrets,configmaps",
                '--output=go-template={{range .items}}{{range $key, $value := .data}}{{$key}}{{"\\n"}}{{end}}{{end}}',
                *_option("--namespace", where),
            ]
        ]
    ),
}
LISTABLE = tuple(name for name, each in PLATFORMS.items() if name in _LISTINGS or not each.lists_by_key)


def platform_names(destination: Destination) -> frozenset[str]:
    """The names of variables, without what stands before them: `shop/SECRET_KEY` is `SECRET_KEY`.

    Raises ToolError where the platform's program is missing, fails or takes too long, UsageError where there is no such
    platform, or none that a value could be delivered to.
    """
    listing = _LISTINGS.get(destination.platform)
    if listing is None:
        platform_of(destination.platform)
        return frozenset(each.rpartition("/")[2] for each in names(destination))
    commands = listing.commands(destination.environment)
    return frozenset(name for command in commands for name in _names(listing, command))


def _names(listing: _Listing, command: list[str]) -> list[str]:
    done = ask(command[0], command[1:], install="the platform's own tool", patience=PATIENCE)
    if done.returncode:
        raise ToolError(f"`{command[0]}` failed with exit code {done.returncode}", help="is it logged in?")
    try:
        return listing.names(done.stdout)
    except ValueError:
        raise ToolError(f"`{command[0]}` answered in a form that cannot be read", help="is it recent?") from None
