"""`hardenctl policy show`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hardenctl.cli.auditing import show
from hardenctl.model.errors import UsageError
from hardenctl.policy.load import load_policy
from hardenctl.policy.plain import to_plain
from hardenctl.report.style import visible
from hardenctl.sources.repository import find_place


def register(app: typer.Typer) -> None:
    """Add the group."""
    policy = typer.Typer(help="The project's policy.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(policy, name="policy")

    @policy.callback()
    def group() -> None:
        """The project's policy."""

    @policy.command("show")
    def show_policy(
        path: Annotated[str, typer.Argument(help="The project.", metavar="[PATH]", show_default=False)] = ".",
        format: Annotated[  # noqa: A002 - the option's name
            str, typer.Option(metavar="FORMAT", help="`toml` or `json`.")
        ] = "toml",
        config: Annotated[str | None, typer.Option(metavar="FILE", help="The policy file to use.")] = None,
    ) -> None:
        """Print the effective policy: the defaults, what the file extends, and the file."""
        if format not in {"toml", "json"}:
            raise UsageError(f"there is no format `{format}`", help="formats: toml, json")
        found = load_policy(find_place([path]).root, Path(config) if config else None)
        if format == "json":
            show(json.dumps(to_plain(found), indent=2) + "\n")
            return
        where = found.path or "no policy file: the defaults hold"
        show("".join(f"{line}\n" for line in [f"# {visible(where)}", *_toml(_as_written(to_plain(found)), "")]))


def _as_written(plain: dict[str, Any]) -> dict[str, Any]:
    """Targets with their units, as people write them in a policy."""
    targets = plain["load"]["targets"]
    written = {
        "p95": f"{targets['p95']:g}ms",
        "rps": targets["rps"],
        "error-rate": f"{targets['error-rate'] * 100:g}%",
        "cpu": f"{targets['cpu'] * 100:g}%",
    }
    return {**plain, "load": {**plain["load"], "targets": written}}


def _toml(table: Mapping[str, Any], name: str) -> Iterator[str]:
    """A table as TOML that hardenctl.toml takes; strings as JSON writes them, which TOML reads the same."""
    for key, value in table.items():
        if not isinstance(value, dict) and not _is_tables(value):
            yield f"{_key(key)} = {json.dumps(value)}"
    for key, value in table.items():
        path = f"{name}.{_key(key)}" if name else _key(key)
        if isinstance(value, dict):
            yield from ["", f"[{path}]", *_toml(value, path)]
        elif _is_tables(value):
            for each in value:
                yield from ["", f"[[{path}]]", *_toml(each, path)]


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
