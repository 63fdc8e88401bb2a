"""What a search for capacity came to as JSON, version 1, with its schema; Markdown and JUnit made from that."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

from hardenctl import __version__
from hardenctl.load.capacity import Capacity, Holds, Limits, Probe
from hardenctl.load.document import cell, junit
from hardenctl.load.gates import Outcome
from hardenctl.load.machine import machine
from hardenctl.load.plan import Plan
from hardenctl.load.verdict import FAILED, INCONCLUSIVE, INTERRUPTED, PASSED

SCHEMA_VERSION = 1
KIND = "load-capacity"
COULD_NOT_RUN = 2


def to_document(found: Capacity, plan: Plan, limits: Limits, started: dt.datetime) -> dict[str, Any]:
    """The whole search, JSON-ready. Rates per second, latencies in milliseconds, shares of 1."""
    ceiling = found.ceiling
    code = {Outcome.PASS: PASSED, Outcome.FAIL: FAILED}.get(found.verdict, INCONCLUSIVE)
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "tool": {"name": "hardenctl", "version": __version__},
        "target": {"url": plan.target.url, "addresses": list(plan.target.addresses)},
        "started": started.isoformat(timespec="seconds"),
        "verdict": found.verdict.value,
        "exit_code": INTERRUPTED if found.interrupted else COULD_NOT_RUN if found.error else code,
        "said": found.said,
        "interrupted": found.interrupted,
        "held_rate": found.held,
        "missed_rate": found.missed,
        "ceiling": {"rate": ceiling.rate, "holds": ceiling.holds.value, "reason": ceiling.reason} if ceiling else None,
        "tolerance": limits.tolerance,
        "seconds": round(found.seconds, 3),
        "gates": [str(gate) for gate in plan.gates],
        "probes": [_probe(each) for each in found.probes],
        "notes": list(plan.notes),
        "processes": plan.generators,
        "machine": machine(),
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "rate": probe.rate,
        "seconds": round(probe.seconds, 3),
        "holds": probe.holds.value,
        "reason": probe.reason,
        "requests": probe.requests,
        "rps": _round(probe.rps),
        "p95_ms": _round(probe.p95),
        "error_rate": _round(probe.error_rate),
        "cpu": _round(probe.cpu),
        "headroom": _round(probe.headroom),
        "interrupted": probe.interrupted,
        "only_asked": probe.only_asked,
    }


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def called(probe: Mapping[str, Any]) -> str:
    """What a probe of a document came to, in a word or two."""
    if probe["interrupted"]:
        return "interrupted"
    return "asked if there" if probe["only_asked"] else str(probe["holds"])


def to_markdown(document: Mapping[str, Any]) -> str:
    """A search for a pull request or a step summary."""
    lines = [
        f"## Load capacity: {cell(document['said'])}",
        "",
        (
            f"{document['target']['url']} under {', '.join(f'`{gate}`' for gate in document['gates'])}; "
            f"{len(document['probes'])} probes in {document['seconds']:.0f} s, started {document['started']}: "
            f"**{document['verdict']}**."
        ),
        "",
        "| rate | | requests/s | p95 ms | errors | CPU | |",
        "|--:|---|--:|--:|--:|--:|---|",
    ]
    for probe in document["probes"]:
        figures = [
            _figure(probe["rps"], "{:,.1f}"),
            _figure(probe["p95_ms"], "{:,.1f}"),
            _figure(probe["error_rate"], "{:.2%}"),
            _figure(probe["cpu"], "{:.0%}"),
        ]
        lines.append(f"| {probe['rate']:g} | {called(probe)} | {' | '.join(figures)} | {cell(probe['reason'])} |")
    lines += [f"\n> {cell(note)}" for note in document["notes"]]
    return "\n".join(lines) + "\n"


def to_junit(document: Mapping[str, Any]) -> str:
    """One test case: the search. Inconclusive is an error: neither passed nor failed."""
    case = (", ".join(document["gates"]), document["verdict"], document["said"])
    return junit("load capacity", "load.capacity", [case], document["seconds"])


WRITERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "json": lambda document: json.dumps(document, ensure_ascii=False) + "\n",
    "markdown": to_markdown,
    "junit": to_junit,
}


def json_schema() -> dict[str, Any]:
    """The schema of `load capacity --output json=FILE`, version 1. Keys may be added to it; none is taken away."""
    text, flag, number = {"type": "string"}, {"type": "boolean"}, {"type": "number", "minimum": 0}
    maybe = {"type": ["number", "null"], "minimum": 0}
    count = {"type": "integer", "minimum": 0}
    texts = {"type": "array", "items": text}
    holds = {"enum": [each.value for each in Holds]}
    probe = {
        "rate": {**number, "description": "arrivals a second"},
        "seconds": {**number, "description": "measured ones, without the warm-up"},
        "holds": holds,
        "reason": text,
        "requests": count,
        "rps": {**maybe, "description": "successful requests a second"},
        "p95_ms": maybe,
        "error_rate": maybe,
        "cpu": maybe,
        "headroom": {**maybe, "description": "the share of a CPU that each generator process left free"},
        "interrupted": flag,
        "only_asked": {**flag, "description": "whether the target answers at all; says nothing of the rate"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hardenctl load capacity, version 1",
        "description": "What `hardenctl load capacity --output json=FILE` writes. Rates per second, latencies in "
        "milliseconds, CPU and shares as fractions of 1.",
        **_with(
            schema_version={"const": SCHEMA_VERSION},
            kind={"const": KIND},
            tool=_with(name={"const": "hardenctl"}, version=text),
            target=_with(url=text, addresses=texts),
            started={"type": "string", "format": "date-time"},
            verdict={"enum": [Outcome.PASS.value, Outcome.FAIL.value, Outcome.INCONCLUSIVE.value]},
            exit_code={"enum": [0, 1, 2, 3, 130]},
            said={**text, "description": "the answer in words"},
            interrupted=flag,
            held_rate={**maybe, "description": "the highest rate that held every gate, below any that missed"},
            missed_rate={**maybe, "description": "the lowest rate that missed a gate"},
            ceiling={
                "anyOf": [_with(rate=number, holds=holds, reason=text), {"type": "null"}],
                "description": "the lowest rate above the one that held that did not, for whatever cause",
            },
            tolerance=number,
            seconds=number,
            gates=texts,
            probes={"type": "array", "items": _with(**probe)},
            notes=texts,
            processes=count,
            machine=_with(cpus=count, cpu=text, memory=count, system=text, python=text),
        ),
    }


def _with(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
