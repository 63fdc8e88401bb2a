"""A credential in a name is printed nowhere: not in a path, a service, an author, in no format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hardenctl.cli.auditing import make_report, run_audit
from hardenctl.cli.request import Request
from hardenctl.detect.redact import BULLETS
from hardenctl.detect.veil import veiled
from hardenctl.report.formats import FORMATS
from hardenctl.rules.fakes import FAKES

TOKEN = FAKES["github-token"]()


@pytest.fixture
def named(make_repository: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository with a token in a path, in a service's name, in an author's and in a file."""
    monkeypatch.setenv("GIT_AUTHOR_NAME", f"Ada {TOKEN}")
    service = f"services:\n  web-{TOKEN}:\n    image: postgres:16\n    ports: ['5432:5432']\n"
    repository = make_repository({f"a-{TOKEN}.py": f"t = '{TOKEN}'\n", "compose.yml": service})
    monkeypatch.chdir(repository.root)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("name", FORMATS)
def test_no_format_prints_a_token_of_a_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The finding is there, with bullets in the token's place."""
    run_audit(Request(history=True, format=name, no_progress=True, no_cache=True, verbose=True))
    shown = capsys.readouterr().out
    assert TOKEN not in shown
    assert TOKEN[10:30] not in shown


@pytest.mark.usefixtures("named")
def test_what_holds_none_stays() -> None:
    """Other names are as they are, and a report without a token in its names is the same object."""
    report = make_report(Request(history=True, no_cache=True))
    paths = {each.finding.location.path for each in veiled(report).findings}
    assert {"compose.yml", f"a-{BULLETS}.py"} <= paths
    plain = make_report(Request(select=("gitignore",)))
    assert plain.findings
    assert veiled(plain) is plain
