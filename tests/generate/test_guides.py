from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from hardenctl.cli.app import app
from hardenctl.rules import RULES

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = ("SECRETS_MANAGEMENT.md", "DEPLOYMENT.md", "tutorial.md")


def commands(name: str) -> list[str]:
    """Every hardenctl call of a guide: in `sh` blocks, and in backquotes."""
    text = (DOCS / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`(hardenctl [^`]+)`", text)
    calls = [re.split(r"[|>]|&&|\s#", each)[0] for line in [*lines, *inline] for each in line.split("&&")]
    return [each.strip() for each in calls if each.strip().startswith("hardenctl ")]


@functools.cache
def root() -> Any:
    """The command line as click sees it."""
    return typer.main.get_command(app)


@pytest.mark.parametrize(("name", "call"), [(name, call) for name in GUIDES for call in dict.fromkeys(commands(name))])
def test_commands_of_the_guides_exist(name: str, call: str) -> None:
    """A guide names only commands, options, templates and rules that there are."""
    del name
    command = root()
    words = shlex.split(call)[1:]
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, call
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, call
    if command.name == "explain":
        assert words[0] in {rule.id for rule in RULES}


@pytest.mark.parametrize("name", GUIDES)
def test_links_of_the_guides(name: str) -> None:
    """Links between the guides lead somewhere."""
    text = (DOCS / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (DOCS / target).exists(), target
