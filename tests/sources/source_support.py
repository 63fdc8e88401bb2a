"""What the tests of sources share."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from hardenctl.model.blob import Blob, Gap, Source

Make = Callable[..., Any]  # the fixture `make_repository`; it makes a `Repository` of the top conftest


def blobs_of(source: Source) -> dict[str, Blob]:
    """Path to blob of all a source yields."""
    return {blob.path: blob for blob in source.blobs() if isinstance(blob, Blob)}


def gaps_of(source: Source) -> list[Gap]:
    """The gaps a source yields."""
    return [gap for gap in source.blobs() if isinstance(gap, Gap)]


def status(repository: Any, *arguments: str) -> int:
    """The exit code of a git command that may fail."""
    return subprocess.run(["git", *arguments], cwd=repository.root, check=False, capture_output=True).returncode


def feed(repository: Any, *arguments: str) -> str:
    """The output of a git command that reads its last argument on standard input."""
    *command, text = arguments
    return subprocess.run(
        ["git", *command], cwd=repository.root, check=True, capture_output=True, input=text.encode()
    ).stdout.decode()
