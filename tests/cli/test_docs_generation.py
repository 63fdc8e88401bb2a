"""The generated documentation: complete, checked, and without leftovers."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from hardenctl.cli import docs
from hardenctl.cli.errors import guarded
from hardenctl.cli.request import OPTIONS
from hardenctl.rules import RULES


def test_docs_are_written_checked_and_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fresh tree fails the check and passes once written; an edit or a leftover fails it again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    assert docs.main(["--check"]) == 2
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    stale = tmp_path / "docs" / "rules" / "no-such-rule.md"
    stale.write_text("old")
    assert docs.main(["--check"]) == 2
    assert "no-such-rule.md" in capsys.readouterr().err
    assert docs.main([]) == 0
    assert not stale.exists()
    (tmp_path / "docs" / "CLI.md").write_text("edited")
    assert docs.main(["--check"]) == 2


def test_docs_outside_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somewhere else nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert guarded(lambda: docs.main([])) == 2
    assert "no pyproject.toml" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_everything_is_in_the_docs() -> None:
    """Each rule has a page and a line in the index; each option is in CLI.md; the schemas are valid."""
    generated = docs.generate()
    index, commands = generated[docs.DOCS / "rules" / "index.md"], generated[docs.DOCS / "CLI.md"]
    for rule in RULES:
        page = generated[docs.DOCS / "rules" / f"{rule.id}.md"]
        assert f"# {rule.id}\n" in page
        assert "{{fake" not in page
        assert f"[{rule.id}]({rule.id}.md)" in index
    for option in OPTIONS:
        assert f"`{option.flag}" in commands
    assert "Exit codes: 0 passed" in commands
    for name in ("report-v1", "policy"):
        schema = json.loads(generated[docs.DOCS / "schema" / f"{name}.json"])
        jsonschema.validators.validator_for(schema).check_schema(schema)
