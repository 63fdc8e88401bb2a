"""The JSON Schema of the report, published as docs/schema/report-v1.json. A test holds `json_v1.py` to it."""

from __future__ import annotations

from typing import Any

from hardenctl.model.blob import SourceKind
from hardenctl.model.finding import Applicability, Category, Confidence, Severity
from hardenctl.model.report import Status, Verdict

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_FROM_ONE = {"type": "integer", "minimum": 1}
_SCORE = {"type": ["number", "null"], "minimum": 0, "maximum": 10}


def json_schema() -> dict[str, Any]:
    """The schema of `--format json`, version 1; `json-lines` has one `#/$defs/finding` a line."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hardenctl report, version 1",
        "description": "What `hardenctl audit --format json` prints. Paths are relative to the audited root, with `/`; "
        "lines and columns count from 1 and the end column is exclusive.",
        **_closed(
            schema_version={"const": 1},
            tool=_closed(name={"const": "hardenctl"}, version=_TEXT),
            target=_closed(path=_TEXT, source=_one_of(SourceKind), commit=_MAYBE_TEXT),
            verdict=_one_of(Verdict),
            score=_closed(overall=_SCORE, categories=_closed(**{category.value: _SCORE for category in Category})),
            findings=_list({"$ref": "#/$defs/finding"}),
            servers=_list({"$ref": "#/$defs/server"}),
            gaps=_list(_closed(path=_TEXT, reason=_TEXT)),
            scanned=_closed(
                files=_COUNT,
                bytes=_COUNT,
                blobs=_COUNT,
                commits=_COUNT,
                left_out=_said(
                    {"type": "object", "additionalProperties": _COUNT},
                    "how many were left out on purpose, by reason, such as `binary`",
                ),
            ),
            elapsed_seconds={"type": "number", "minimum": 0},
        ),
        "$defs": {"finding": _finding(), "server": _server()},
    }


def _finding() -> dict[str, Any]:
    return _closed(
        rule={"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
        severity={"enum": [severity.word for severity in Severity]},
        confidence={"enum": [confidence.word for confidence in Confidence]},
        message=_TEXT,
        path=_TEXT,
        line=_FROM_ONE,
        column=_FROM_ONE,
        end_line=_FROM_ONE,
        end_column=_FROM_ONE,
        commit=_said(_MAYBE_TEXT, "null outside history sources, as author, date and occurrences"),
        author=_MAYBE_TEXT,
        date=_said(_MAYBE_TEXT, "ISO 8601"),
        occurrences=_or_null(_closed(commits=_COUNT, paths=_list(_TEXT), in_head={"type": "boolean"})),
        services=_said(_or_null(_list(_TEXT)), "compose services; null outside compose"),
        fingerprint=_said(_TEXT, "the same wherever the finding moves; a secret's doesn't give the value away"),
        status=_one_of(Status),
        related=_list(_closed(path=_TEXT, line=_FROM_ONE, message=_TEXT)),
        evidence={"type": "object", "additionalProperties": _TEXT},
        fix=_or_null(_closed(title=_TEXT, applicability=_one_of(Applicability))),
    )


def _server() -> dict[str, Any]:
    setting = _closed(
        value=_said({}, "a number, boolean, string or list; null where only the running machine knows it"),
        expression=_said(_TEXT, "what computes a value that is null"),
        path=_TEXT,
        line=_COUNT,
        origin=_TEXT,
    )
    setting["required"].remove("expression")
    return _closed(
        path=_TEXT,
        line=_COUNT,
        service=_MAYBE_TEXT,
        server=_TEXT,
        command=_list(_TEXT),
        effective={"type": "object", "additionalProperties": setting},
    )


def _closed(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly these keys."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _one_of(words: Any) -> dict[str, Any]:
    return {"enum": [word.value for word in words]}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _said(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description}
