"""The JSON Schema of a load result, published as docs/schema/load-v1.json. A test holds `document.py` to it."""

from __future__ import annotations

from typing import Any

from hardenctl.load.gates import Outcome

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_FLAG = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number", "minimum": 0}
_MAYBE = {"type": ["number", "null"], "minimum": 0}
_SIGNED = {"type": ["number", "null"]}
_TEXTS = {"type": "array", "items": _TEXT}
_PAIR = {"type": "array", "items": _MAYBE, "minItems": 2, "maxItems": 2}


def json_schema() -> dict[str, Any]:
    """The schema of `load run --output json=FILE`, version 1. Keys may be added to it; none is taken away."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hardenctl load result, version 1",
        "description": "What `hardenctl load run --output json=FILE` writes. Latencies in milliseconds, times in "
        "seconds from the start of the run, rates per second, CPU and shares as fractions of 1, memory in bytes.",
        **_with(
            schema_version={"const": 1},
            kind={"const": "load"},
            tool=_with(name={"const": "hardenctl"}, version=_TEXT),
            scenario=_TEXT,
            digest=_said(_TEXT, "of the scenario's load, requests and generator: runs with equal ones compare"),
            model={"enum": ["open", "closed"]},
            target=_with(url=_TEXT, addresses=_TEXTS),
            started={"type": "string", "format": "date-time"},
            verdict={"enum": [Outcome.PASS.value, Outcome.FAIL.value, Outcome.INCONCLUSIVE.value]},
            exit_code={"enum": [0, 1, 3, 130]},
            reasons=_said(_TEXTS, "why it did not pass"),
            notes=_TEXTS,
            interrupted=_FLAG,
            aborted=_said(_MAYBE_TEXT, "why the run was ended early"),
            held_users={"type": ["integer", "null"], "minimum": 0},
            seconds=_NUMBER,
            warm_up_seconds=_NUMBER,
            measured_seconds=_NUMBER,
            warm_up_requests=_COUNT,
            gates=_list(_gate()),
            metrics=_with(**_metrics()),
            endpoints={"type": "object", "additionalProperties": _with(**_metrics())},
            stages=_list(_with(users=_COUNT, rate=_MAYBE, seconds=_NUMBER, cpu=_MAYBE, **_metrics())),
            cpu=_said(_MAYBE, "the target's mean share of the CPUs it may use"),
            memory={"anyOf": [_with(first=_NUMBER, last=_NUMBER, peak=_NUMBER), {"type": "null"}]},
            watched={"anyOf": [_with(what=_TEXT, problem=_MAYBE_TEXT), {"type": "null"}]},
            generator=_generator(),
            machine=_with(cpus=_COUNT, cpu=_TEXT, memory=_COUNT, system=_TEXT, python=_TEXT),
            timeline=_list(
                _with(
                    at=_NUMBER,
                    stage=_COUNT,
                    users=_COUNT,
                    rps=_said(_NUMBER, "successful requests a second"),
                    failed=_said(_NUMBER, "failed requests a second"),
                    p50=_MAYBE,
                    p95=_MAYBE,
                    p99=_MAYBE,
                    cpu=_MAYBE,
                    memory=_MAYBE,
                    measured=_said(_FLAG, "false in the warm-up"),
                )
            ),
            histogram=_said(
                _list({"type": "array", "prefixItems": [_COUNT, _COUNT], "minItems": 2, "maxItems": 2}),
                "buckets of successful requests with their counts. Whole microseconds up to 4,095; from there on "
                "the bucket is shift * 2048 + (microseconds >> shift), where shift is the bit length minus 12",
            ),
        ),
    }
    schema["properties"]["baseline"] = _said(_comparison(), "there with `--baseline` alone")
    return schema


def _comparison() -> dict[str, Any]:
    share = {"type": ["number", "null"], "description": "as a fraction of the baseline's value"}
    return _with(
        name=_TEXT,
        runs=_COUNT,
        now_runs=_COUNT,
        verdict={"enum": [Outcome.PASS.value, Outcome.FAIL.value, Outcome.INCONCLUSIVE.value]},
        exit_code={"enum": [0, 1, 3]},
        reasons=_TEXTS,
        comparison=_list(
            _with(
                metric=_TEXT,
                endpoint=_MAYBE_TEXT,
                baseline=_said(_MAYBE, "median of its runs"),
                now=_MAYBE,
                change=share,
                low=share,
                high=share,
                noise=share,
                outcome={"enum": ["worse", "same", "better", "unknown"]},
                judged=_said(_FLAG, "whether it counts for the verdict"),
                reason=_TEXT,
            )
        ),
        notes=_TEXTS,
    )


def _gate() -> dict[str, Any]:
    return _with(
        gate=_TEXT,
        metric=_TEXT,
        endpoint=_MAYBE_TEXT,
        operator={"enum": ["<", "<=", ">", ">="]},
        target=_NUMBER,
        asked=_said(_FLAG, "false for the built-in gates of the policy"),
        outcome={"enum": [each.value for each in Outcome]},
        value=_said(_SIGNED, "drift: the share of the level at the start that is added an hour"),
        low=_said(_SIGNED, "one-sided 95 % bound"),
        high=_said(_SIGNED, "one-sided 95 % bound"),
        samples=_COUNT,
        shown=_TEXT,
        reason=_TEXT,
    )


def _metrics() -> dict[str, Any]:
    return {
        "requests": _COUNT,
        "failures": _COUNT,
        "error_rate": _MAYBE,
        "rps": _MAYBE,
        "latency_ms": _with(mean=_MAYBE, p50=_MAYBE, p95=_MAYBE, p99=_MAYBE, max=_MAYBE),
        "bounds_ms": _said(_with(p50=_PAIR, p95=_PAIR, p99=_PAIR), "one-sided 95 % bounds of the percentiles"),
        "errors": {"type": "object", "additionalProperties": _COUNT},
    }


def _generator() -> dict[str, Any]:
    return _with(
        processes=_COUNT,
        workers=_said(_list(_with(name=_TEXT, joined=_NUMBER, lost=_MAYBE)), "empty without a master"),
        cpu_mean=_NUMBER,
        cpu_max=_NUMBER,
        headroom=_NUMBER,
        loop_late_ms_max=_NUMBER,
        saturated=_FLAG,
        dropped_arrivals=_COUNT,
        locust=_TEXT,
    )


def _with(**properties: Any) -> dict[str, Any]:
    """An object with these keys at least."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _said(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description}
