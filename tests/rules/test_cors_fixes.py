"""The fixes of the CORS rules: what they edit, and that the rule is silent afterwards."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from hardenctl.audit import audit
from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Applicability, Hit, Replace
from hardenctl.model.settings import Settings
from hardenctl.policy.policy import Policy
from hardenctl.rules.cors import RULES
from hardenctl.sources import open_source
from hardenctl.sources.memory import MemorySnapshot

FASTAPI = '''"""The service."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins={origins},
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)
'''
FLASK = "from flask import Flask\nfrom flask_cors import CORS\n\napp = Flask(__name__)\n{call}\n"
DJANGO = 'MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]\n'
LISTED = '[origin.strip() for origin in os.environ.get("CORS_ORIGINS", "").split(",") if origin.strip()]'


def hits(files: Mapping[str, str]) -> dict[str, Hit]:
    """Rule id to its hit."""
    found = list(detect_config(MemorySnapshot(files), RULES, Settings()))
    assert not [each for each in found if isinstance(each, Gap)]
    return {each[0].id: each[1] for each in found if not isinstance(each, Gap)}


def apply(files: Mapping[str, str], *rules: str) -> dict[str, str]:
    """The files after the fixes of these rules, all at once: their edits must not overlap."""
    edits: list[Replace] = []
    for rule in rules:
        fix = hits(files)[rule].fix
        assert fix is not None
        assert fix.applicability is Applicability.UNSAFE
        edits.extend(edit for edit in fix.edits if isinstance(edit, Replace))
    fixed = dict(files)
    ends: dict[str, int] = {}
    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        assert edit.span.end <= ends.get(edit.span.path, len(fixed[edit.span.path]))
        ends[edit.span.path] = edit.span.start
        text = fixed[edit.span.path]
        fixed[edit.span.path] = text[: edit.span.start] + edit.text + text[edit.span.end :]
    for text in fixed.values():
        ast.parse(text)
    return fixed


@pytest.mark.parametrize("origins", ['["*"]', "['*']", '("*",)', '[\n        "*",\n    ]', '"*"'])
def test_literal_wildcard_of_fastapi_becomes_a_variable(origins: str) -> None:
    """Origins, methods and headers are fixed together, `os` is imported after `__future__`, and nothing fires."""
    files = {"main.py": FASTAPI.replace("{origins}", origins)}
    fixed = apply(files, "cors-any-origin-credentials", "cors-wildcard-methods", "cors-wildcard-headers")
    assert f"allow_origins={LISTED}" in fixed["main.py"]
    assert fixed["main.py"].index("from __future__") < fixed["main.py"].index("import os")
    assert 'allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"]' in fixed["main.py"]
    assert 'allow_headers=["Content-Type", "Authorization"]' in fixed["main.py"]
    assert hits(fixed) == {}


@pytest.mark.parametrize(
    ("files", "rule", "wanted"),
    [
        pytest.param(
            {"app.py": FLASK.replace("{call}", "CORS(app)")},
            "cors-any-origin",
            f"CORS(app, origins={LISTED})",
            id="flask",
        ),
        pytest.param(
            {"app.py": FLASK.replace("{call}", "CORS(app, supports_credentials=True)")},
            "cors-any-origin-credentials",
            f"CORS(app, supports_credentials=True, origins={LISTED})",
            id="flask-with-credentials",
        ),
        pytest.param(
            {"app.py": FLASK.replace("{call}", 'CORS(app, resources={r"/api/*": {"origins": "*"}})')},
            "cors-any-origin",
            f'{{"origins": {LISTED}}}',
            id="flask-resources",
        ),
        pytest.param(
            {"app.py": "import os\n" + FLASK.replace("{call}", 'CORS(app, origins=os.getenv("ORIGINS", "*"))')},
            "cors-any-origin",
            'os.getenv("ORIGINS", "")',
            id="default-of-a-variable",
        ),
        pytest.param(
            {"settings.py": DJANGO + "CORS_ALLOW_ALL_ORIGINS = True\n"},
            "cors-any-origin",
            f"CORS_ALLOWED_ORIGINS = {LISTED}",
            id="django",
        ),
        pytest.param(
            {
                "settings.py": DJANGO
                + 'CORS_ORIGIN_ALLOW_ALL = True\nCORS_ALLOWED_ORIGINS = ["https://app.example.com"]\n'
            },
            "cors-any-origin",
            "CORS_ORIGIN_ALLOW_ALL = False",
            id="django-with-a-list",
        ),
        pytest.param(
            {
                "main.py": FASTAPI.replace("{origins}", "settings.origins").replace(
                    "app = ", "from config import settings\n\napp = "
                ),
                "config.py": "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
                '    origins: list[str] = ["*"]\n\n\nsettings = Settings()\n',
            },
            "cors-any-origin-credentials",
            "origins: list[str] = []",
            id="default-of-a-settings-field",
        ),
        pytest.param(
            {
                "main.py": "from origins import ORIGINS\n"
                + FASTAPI.split("\n\n", 2)[2].replace("{origins}", "ORIGINS"),
                "origins.py": 'ORIGINS = ["*"]\n',
            },
            "cors-any-origin-credentials",
            f"ORIGINS = {LISTED}",
            id="constant-of-another-module",
        ),
    ],
)
def test_simple_shapes_are_fixed(files: dict[str, str], rule: str, wanted: str) -> None:
    """The wildcard goes where it is written, the code still parses, and the rule is silent."""
    fixed = apply(files, rule)
    assert wanted in "".join(fixed.values())
    assert rule not in hits(fixed)


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        pytest.param(
            {"main.py": FASTAPI.replace("{origins}", '["*", "https://app.example.com"]')},
            "cors-any-origin-credentials",
            id="among-others",
        ),
        pytest.param(
            {"main.py": FASTAPI.replace("{origins}", '"*".split(",")')}, "cors-any-origin-credentials", id="computed"
        ),
        pytest.param(
            {"app.py": FLASK.replace("{call}", 'CORS(app, origins=["https://.*"])')}, "cors-any-origin", id="pattern"
        ),
        pytest.param(
            {"settings.py": DJANGO + 'CORS_ALLOW_ALL_ORIGINS = bool("yes")\n'}, "cors-any-origin", id="django-computed"
        ),
        pytest.param(
            {
                "app.py": "import os\n" + FLASK.replace("{call}", 'CORS(app, origins=os.environ["ORIGINS"])'),
                ".env.production": "ORIGINS=*\n",
            },
            "cors-any-origin",
            id="set-in-a-file",
        ),
    ],
)
def test_other_shapes_get_advice(files: dict[str, str], rule: str) -> None:
    """What is more than a plain literal is for a person to change."""
    fix = hits(files)[rule].fix
    assert fix is not None
    assert fix.applicability is Applicability.ADVICE
    assert not fix.edits


@pytest.mark.parametrize(
    ("default", "rules"),
    [
        pytest.param("[]", [], id="nobody by default: quiet"),
        pytest.param('["*"]', ["cors-any-origin-credentials"], id="everybody by default"),
    ],
)
def test_settings_chosen_from_a_table_of_environments(default: str, rules: list[str], tmp_path: Path) -> None:
    """The table's own words for environments (`prod`) are found by their usual names; an empty default is resolved."""
    (tmp_path / "main.py").write_text(
        "from enum import Enum\n"
        "from fastapi import FastAPI\n"
        "from fastapi.middleware.cors import CORSMiddleware\n"
        "from pydantic_settings import BaseSettings\n\n\n"
        "class Kind(Enum):\n    prod = 'prod'\n    dev = 'dev'\n\n\n"
        "class Base(BaseSettings):\n    app_env: Kind = Kind.prod\n\n\n"
        f"class Settings(Base):\n    allowed_hosts: list[str] = {default}\n\n\n"
        "class Dev(Settings):\n    pass\n\n\n"
        "environments = {Kind.dev: Dev, Kind.prod: Settings}\n"
        "settings = environments[Base().app_env]()\n"
        "app = FastAPI()\n"
        "app.add_middleware(CORSMiddleware, allow_origins=settings.allowed_hosts, allow_credentials=True)\n",
        encoding="utf-8",
    )
    report = audit(open_source([tmp_path]), Policy(select=("cors-",)))
    assert [each.finding.rule for each in report.open] == rules
