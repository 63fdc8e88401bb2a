"""Golden files, and the samples' own rules in place of the real ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import report_samples

from hardenctl.report import pages


@pytest.fixture(autouse=True)
def sample_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that no other room changes."""
    monkeypatch.setattr(pages, "RULES", SimpleNamespace(find=report_samples.RULES.get))


@pytest.fixture
def accept_golden() -> Callable[[Path, str], None]:
    """Compare a text with its golden file; GOLDEN=write in the environment writes it instead."""

    def check(path: Path, text: str) -> None:
        if os.environ.get("GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs: if it should, run with GOLDEN=write"

    return check
