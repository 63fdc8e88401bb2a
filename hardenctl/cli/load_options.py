"""The options that load commands share: where a target and its endpoints are, how it is watched, what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OpenApi = Annotated[
    str | None, typer.Option(metavar="URL-OR-FILE", help="Endpoints from there. [default: HOST/openapi.json]")
]
Har = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Endpoints from a browser's recording, without its credentials.")
]
HarHost = Annotated[
    str | None, typer.Option(metavar="HOST", help="The host that was recorded, where it isn't --host's.")
]
TargetPid = Annotated[
    int | None, typer.Option(metavar="PID", help="Watch CPU and memory of this process and its children.")
]
TargetPort = Annotated[int | None, typer.Option(metavar="PORT", help="Of what listens on this port of this machine.")]
TargetContainer = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of this Docker container (asks the docker command).")
]
TargetPrometheus = Annotated[
    str | None, typer.Option(metavar="URL", help="Ask this Prometheus (network: that host); needs --cpu-query.")
]
CpuQuery = Annotated[
    str | None, typer.Option(metavar="PROMQL", help="The share of 1 that the target uses of its CPUs.")
]
Processes = Annotated[int, typer.Option(metavar="N", min=1, help="Generator processes.")]
ConfirmHost = Annotated[
    str | None, typer.Option(metavar="NAME", help="Repeat the name of a host outside of private networks.")
]
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="The policy file.")]
Output = Annotated[list[str] | None, typer.Option(metavar="FORMAT=FILE", help="Write a report. Repeatable.")]
NoProgress = Annotated[bool, typer.Option("--no-progress", "--quiet", help="Nothing while it runs.")]
