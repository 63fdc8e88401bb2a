"""Options as environment variables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from hardenctl.cli.app import app
from hardenctl.cli.request import OPTIONS
from hardenctl.cli.variables import give_variables


def _options(command: Any) -> list[Any]:
    own = [each for each in command.params if each.param_type_name == "option" and not each.is_eager]
    return own + [each for child in getattr(command, "commands", {}).values() for each in _options(child)]


def test_every_option_has_one() -> None:
    """Of all commands; audit's keep theirs, and one name never means two things."""
    command = typer.main.get_command(app)
    names = give_variables(command)
    assert {option.variable for option in OPTIONS} <= names
    assert {"HARDENCTL_INIT_DRY_RUN", "HARDENCTL_LOAD_RUN_BASELINE", "HARDENCTL_CHECK_CORS_URL"} <= names
    shapes: dict[str, set[tuple[Any, ...]]] = {}
    for each in _options(command):
        assert each.envvar
        shapes.setdefault(each.envvar, set()).add((each.opts[0], each.is_flag, each.metavar))
    assert [name for name, found in shapes.items() if len(found) > 1] == []


@pytest.mark.parametrize(
    ("setting", "command"),
    [
        pytest.param("HARDENCTL_INIT_DRY_RUN=1", "init", id="a-commands-own"),
        pytest.param("HARDENCTL_SCORE_FORMAT=nope", "score", id="another-format"),
        pytest.param("HARDENCTL_CONFIG=no.toml", "fix", id="audits"),
        pytest.param("HARDENCTL_RENDER_SET=port=0", "render gunicorn", id="a-list"),
    ],
)
def test_a_variable_is_an_option(
    tmp_path: Path, hardenctl: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, setting: str, command: str
) -> None:
    """It does what the option does."""
    name, _, value = setting.partition("=")
    monkeypatch.setenv(name, value)
    result = hardenctl(*command.split(), cwd=tmp_path)
    assert result.code == (0 if command == "init" else 2), result.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [("HARDENCTL_DRY_RUN", "HARDENCTL_INIT_DRY_RUN"), ("HARDENCTL_FAILON", "HARDENCTL_FAIL_ON")],
)
def test_a_variable_that_was_meant_for_an_option(
    tmp_path: Path, hardenctl: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    """It is an error that names the right one, and nothing is done."""
    monkeypatch.setenv(name, "1")
    for command in ("init", "audit"):
        result = hardenctl(command, cwd=tmp_path)
        assert (result.code, f"did you mean {meant}?" in result.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_variable_of_somebody_else_is_said(
    tmp_path: Path, hardenctl: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is like no option stops nothing."""
    monkeypatch.setenv("HARDENCTL_QQQ", "1")
    result = hardenctl("rules", cwd=tmp_path)
    assert (result.code, result.err) == (0, "note: HARDENCTL_QQQ is the variable of no option\n")
