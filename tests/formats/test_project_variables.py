from __future__ import annotations

import pytest

from hardenctl.formats.project_variables import Variable, variables_read

SETTINGS = "from pydantic_settings import BaseSettings, SettingsConfigDict\nfrom pydantic import Field\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param('import os\nos.environ["A"]\n', [Variable("A", required=True)], id="subscript"),
        pytest.param('import os\nos.environ["A"] = "1"\n', [], id="written, not read"),
        pytest.param('from os import environ\nenviron.get("A", "x")\n', [Variable("A", "x")], id="get with default"),
        pytest.param('import os\nos.getenv("A")\n', [Variable("A", "")], id="getenv without default"),
        pytest.param('import os\nos.getenv("A", str(f()))\n', [Variable("A")], id="a computed default"),
        pytest.param('import os\nos.getenv("PATH")\n', [], id="the system's own"),
        pytest.param(
            'from decouple import config\nA = config("A", default=True, cast=bool)\nB = config("B")\n',
            [Variable("A", "true"), Variable("B", required=True)],
            id="decouple",
        ),
        pytest.param(
            'import environ\nenv = environ.Env()\nA = env.int("A", default=3)\nD = env.db()\nenv.read_env("X")\n',
            [Variable("A", "3"), Variable("DATABASE_URL", required=True)],
            id="django-environ",
        ),
        pytest.param('import environ\nconfig("users", x)\n', [], id="another config"),
        pytest.param(
            SETTINGS + 'class Settings(BaseSettings):\n    a: int = 60 * 2\n    b: str\n    c: list[str] = ["*"]\n'
            "    d: str | None = None\n    _e: int = 1\n    model_config = SettingsConfigDict(env_file='x')\n",
            [
                Variable("A"),
                Variable("B", required=True),
                Variable("C", '["*"]', many=True),
                Variable("D"),
            ],
            id="pydantic fields",
        ),
        pytest.param(
            SETTINGS + 'class Base(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix="APP_")\n'
            'class Child(Base):\n    a: str = Field(default="x")\n    b: str = Field(..., validation_alias="OTHER")\n',
            [Variable("APP_A", "x"), Variable("OTHER", required=True)],
            id="a prefix, inherited, and an alias",
        ),
        pytest.param(
            SETTINGS + 'class S(BaseSettings):\n    a: str = "x"\n    class Config:\n        env_prefix = "S_"\n',
            [Variable("S_A", "x")],
            id="the first pydantic's Config",
        ),
        pytest.param(
            SETTINGS + 'class S(BaseSettings):\n    a: str = "x"\n    model_config = {"env_prefix": "S_"}\n',
            [Variable("S_A", "x")],
            id="a plain dict",
        ),
        pytest.param("class M(BaseModel):\n    a: str  # no BaseSettings\n", [], id="no settings class"),
        pytest.param("import os\nos.environ[\n", [], id="a syntax error says nothing"),
    ],
)
def test_variables_read(code: str, expected: list[Variable]) -> None:
    """What the code reads, what it does without it, and whether it can."""
    assert list(variables_read([("settings.py", code)])) == expected


def test_settings_across_files() -> None:
    """A settings class may build on one of another file; a default found anywhere counts."""
    files = [
        ("a.py", 'import os\nos.getenv("LEVEL", f())\n'),
        ("b.py", 'from base import Base\nclass Settings(Base):\n    level: str = "info"\n'),
        ("base.py", SETTINGS + "class Base(BaseSettings):\n    pass\n"),
    ]
    assert variables_read(files) == (Variable("LEVEL", "info"),)
