"""A planted secret is in no format's output, whatever it looks like and wherever it stands."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardenctl.cli.auditing import make_report
from hardenctl.cli.request import Request
from hardenctl.report.formats import FORMATS, render
from hardenctl.report.style import Look
from hardenctl.rules.fakes import scramble

SEEDS = st.integers(0, 10**6)
SHAPES = {
    ".env.prod": "DEBUG=1\nSECRET_KEY={0}\nAPI_TOKEN='{1}'\n",
    "settings.py": 'ALLOWED = ["*"]\nSECRET_KEY = "{0}"\nTOKENS = {{"api_key": "{1}"}}\n',
    "docker-compose.yml": "services:\n  db:\n    image: postgres\n    ports: ['5432:5432']\n"
    "    environment:\n      POSTGRES_PASSWORD: {0}\n      DATABASE_URL: postgresql://app:{1}@db/app\n",
    "config.json": '{{"password": "{0}", "nested": {{"client_secret": "{1}"}}}}\n',
    "Dockerfile": "FROM python:3.12\nENV API_KEY={0}\nARG TOKEN={1}\nCMD gunicorn -w 4 app:app\n",
}


@pytest.mark.parametrize("path", SHAPES)
@given(seed=SEEDS, length=st.integers(20, 64), punctuation=st.sampled_from(["", "-_", "+/", "!%^"]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_planted_secret_is_never_printed(tmp_path: Path, path: str, seed: int, length: int, punctuation: str) -> None:
    """No format, verbose included, holds more than the first four characters of a value."""
    alphabet = string.ascii_letters + string.digits + punctuation
    values = [scramble(f"{seed}-{name}", length, alphabet).strip("-_+/!%^") + "9x" for name in ("first", "second")]
    (tmp_path / path).write_text(SHAPES[path].format(*values))
    report = make_report(Request(paths=(str(tmp_path),), no_ignores=True))
    assert report.findings
    for name in FORMATS:
        text = render(report, name, Look(140, verbose=True))
        for value in values:
            assert value not in text
            assert value[4:] not in text
            assert value[:8] not in text
