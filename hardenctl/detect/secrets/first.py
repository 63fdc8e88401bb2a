"""The first look at a small file: most hold nothing that could be a credential, which can be told without any rule.

Importing the 320 secret rules and the pipeline takes a third of a hook run. What the matcher asks of them stands in a
table of its own, `formats.txt`, which `make docs` generates. It says "nothing" only where the matcher would: a match of
any kind is the pipeline's to judge.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hardenctl.detect.secrets.matcher import SMALL, anchors
from hardenctl.model.blob import Blob
from hardenctl.model.text import is_binary

if TYPE_CHECKING:
    from hardenctl.rules.secrets.declare import SecretRule

FORMATS = Path(__file__).with_name("formats.txt")
_PIPELINE = "hardenctl.detect.secrets.pipeline"

# What the paths of files that are kept for credentials end in or hold: in such, a credential needs no key.
_ENDINGS = (".xml", ".key", ".sql", ".dump", ".ldif", ".csv", ".tsv")
_MANIFESTS = (".yml", ".yaml")
_NAMES = ("pass", "auth", "netrc", "credentials", "htdigest", "shadow")


class FirstLook:
    """Looks at the first `budget` bytes of a process, as long as the pipeline isn't there anyway."""

    def __init__(self, budget: int = SMALL) -> None:
        self._left = budget

    def is_enough(self, blob: Blob) -> bool:
        """Whether it says that a blob holds nothing. False where that takes a closer look."""
        self._left -= len(blob.data)
        return self._left >= 0 and _PIPELINE not in sys.modules and holds_nothing(blob)


def holds_nothing(blob: Blob) -> bool:
    """Whether it is plain that the pipeline would find nothing in a blob."""
    return is_binary(blob.data) or not (
        may_be_kept(blob.path, blob.text) or holds_format(blob.text, formats()) or anchors(blob.text)
    )


def may_be_kept(path: str, text: str) -> bool:
    """Whether a file may be one that exists to hold credentials, by its name; a Kubernetes Secret by what it says."""
    lowered = path.rstrip("\n").lower()
    if lowered.endswith(_MANIFESTS) and "Secret" in text:
        return True
    return lowered.endswith(_ENDINGS) or any(name in lowered for name in _NAMES)


def holds_format(text: str, rows: Iterable[str]) -> bool:
    """Whether one of these formats matches in a text."""
    for row in rows:
        pattern, *keywords = row.split("\t")
        if any(word in text for word in keywords) and re.search(pattern, text, re.ASCII):
            return True
    return False


def table(rules: Iterable[SecretRule]) -> str:
    """The text of the table: the formats that stand alone. Those under a key follow an anchor."""
    alone = [each for each in rules if each.pattern and not each.key]
    return "".join("\t".join((each.pattern, *each.keywords)) + "\n" for each in alone)


def formats() -> list[str]:
    """The table: a line a format, its expression and then the literals of which each match holds one, between tabs."""
    return FORMATS.read_text(encoding="utf-8").split("\n")[:-1]
