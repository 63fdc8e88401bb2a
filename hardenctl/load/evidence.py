"""A run's result as evidence in the project: small, readable in a diff, and without anything secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hardenctl.formats.evidence import KIND, SCHEMA_VERSION
from hardenctl.formats.paths import LOAD_RESULTS
from hardenctl.load.outputs import write_whole
from hardenctl.model.errors import HardenctlError
from hardenctl.policy.load import FILES, PYPROJECT
from hardenctl.sources import open_source

_QUERY = re.compile(r"\?[^}]*")  # in a gate's endpoint: queries can carry tokens


def is_project(folder: Path) -> bool:
    """Whether a folder is a project's own: the top of a repository, or one with a pyproject.toml or a policy file."""
    return any((folder / name).exists() for name in (".git", PYPROJECT, *FILES))


def store_evidence(folder: Path, document: Mapping[str, Any]) -> str | None:
    """Write a result to `.hardenctl/load/SCENARIO.json`; its path in the project, or None where it is no evidence.

    An interrupted run is none, and outside of a project there is nowhere to keep it. Raises ToolError.
    """
    if document["interrupted"] or not is_project(folder):
        return None
    name = re.sub(r"[^\w.-]+", "-", document["scenario"], flags=re.ASCII).strip("-.")[:64] or "load"
    path = folder / LOAD_RESULTS / f"{name}.json"
    text = json.dumps(to_evidence(document, _commit(folder)), ensure_ascii=False, indent=2) + "\n"
    write_whole(path, text, help="or leave it out with --no-evidence", make_folder=True)
    return path.relative_to(folder).as_posix()


def to_evidence(document: Mapping[str, Any], commit: str | None) -> dict[str, Any]:
    """What is kept of a result. Of the target its host name alone: paths and queries can carry tokens."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "scenario": document["scenario"],
        "verdict": document["verdict"],
        "date": document["started"],
        "commit": commit,
        "host": urlsplit(document["target"]["url"]).hostname,
        "measured_seconds": document["measured_seconds"],
        "users": max((stage["users"] for stage in document["stages"]), default=0),
        "held_users": document["held_users"],
        "requests": document["metrics"]["requests"],
        "failures": document["metrics"]["failures"],
        "gates": [
            {
                "gate": _QUERY.sub("", gate["gate"]),
                "target": gate["target"],
                "value": gate["value"],
                "outcome": gate["outcome"],
            }
            for gate in document["gates"]
        ],
        "machine": {"cpus": document["machine"]["cpus"]},
        "tool": document["tool"],
    }


def _commit(folder: Path) -> str | None:
    try:
        return open_source([folder]).target.commit
    except HardenctlError:  # a repository git won't read: the result is as good without
        return None
