"""The published JSON schema of a policy file agrees with what is loaded."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import jsonschema
import pytest

from hardenctl.model.errors import PolicyError
from hardenctl.policy.plain import to_plain
from hardenctl.policy.policy import Policy
from hardenctl.policy.schema import json_schema, validate

VALID = """
extends = ["standard"]
fail-on = "medium"
exclude = ["vendor/**"]
rules = { "compose" = "off", "cors-any-origin" = "low" }
cors = { origins = ["https://app.example.com"], wildcard-environments = [] }
gunicorn = { workers = "max(2, cpu * 2 - 1)", timeout = 120 }
secrets = { rotation-days = 90, minimum-bits = 128 }
load = { targets = { p95 = "300ms", rps = 500, error-rate = "0.1%", cpu = 0.7 }, hosts = ["a.example.com"] }
[[suppress]]
rule = "cors"
reason = "why"
expires = "2027-03-31"
"""


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        pytest.param("", True, id="empty"),
        pytest.param(VALID, True, id="every-key"),
        pytest.param("extends = 'strict'", True, id="one-preset"),
        pytest.param("gunicorn = { workers = 4 }", True, id="a-number-of-workers"),
        pytest.param("orgins = []", False, id="unknown-key"),
        pytest.param("cors = { orgins = [] }", False, id="unknown-inner-key"),
        pytest.param("fail-on = 'severe'", False, id="unknown-severity"),
        pytest.param("exclude = 'a'", False, id="no-list"),
        pytest.param("gunicorn = { timeout = 0 }", False, id="zero"),
        pytest.param("suppress = [{ rule = 'cors' }]", False, id="no-reason"),
    ],
)
def test_schema_and_loader_agree(text: str, valid: bool):  # noqa: FBT001
    """An editor that uses the schema says the same as `hardenctl audit`."""
    table: dict[str, Any] = tomllib.loads(text)
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(json.loads(json.dumps(table))) is valid
    if valid:
        validate(table, file="f", prefix="", rules=("cors-any-origin", "compose-x"))
    else:
        with pytest.raises(PolicyError):
            validate(table, file="f", prefix="", rules=("cors-any-origin", "compose-x"))


def test_the_schema_itself():
    """It is a valid schema, and every key says what it is for."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for table in (schema, *schema["$defs"].values()):
        for name, value in table["properties"].items():
            described = schema["$defs"][value["$ref"].rpartition("/")[2]] if "$ref" in value else value
            assert described["description"], name


def test_what_policy_show_prints_is_a_policy():
    """The effective policy validates as a policy file."""
    jsonschema.validate(to_plain(Policy()), json_schema())
