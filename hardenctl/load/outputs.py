"""Report files: checked before a run, so that no hour of load ends in a path that does not exist; written whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hardenctl.load.document import SCHEMA_VERSION, WRITERS
from hardenctl.model.errors import DocumentError, ToolError, UsageError
from hardenctl.model.files import different_files, read_small, replace_file, usual_mode

Writers = Mapping[str, Callable[[Mapping[str, Any]], str]]


def check_outputs(wishes: Sequence[str], writers: Writers = WRITERS) -> tuple[tuple[str, Path], ...]:
    """Read `FORMAT=FILE` wishes. Raises UsageError."""
    outputs = []
    for wish in wishes:
        format_, separator, name = wish.partition("=")
        if not separator or not name:
            raise UsageError(f"--output {wish} names no file", help="write it as json=load.json")
        if format_ not in writers:
            raise UsageError(f"there is no format `{format_}`", help=f"formats: {', '.join(writers)}")
        path = Path(name)
        if path.is_dir() or not path.parent.is_dir():
            raise UsageError(f"--output: {path} cannot be written", help="name a file in a folder that exists")
        outputs.append((format_, path))
    different_files(path for _, path in outputs)
    return tuple(outputs)


def write_outputs(outputs: Sequence[tuple[str, Path]], document: Mapping[str, Any], writers: Writers = WRITERS) -> None:
    """Write each report, or leave what was there.

    Raises the first ToolError (a full disk, a folder without permission) when the others are written.
    """
    failed = []
    for format_, path in outputs:
        try:
            write_whole(path, writers[format_](document), help="free space or another --output")
        except ToolError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def write_whole(path: Path, text: str, *, help: str, make_folder: bool = False) -> None:  # noqa: A002 - as errors call it
    """Write a file at once, or leave what was there. Raises ToolError."""
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode(), usual_mode())
    except OSError as error:
        raise ToolError(f"{path} could not be written: {error.strerror}", help=help) from None


def read_document(path: Path) -> Mapping[str, Any]:
    """A result that a run wrote. Raises UsageError or DocumentError."""
    try:
        document = json.loads(read_small(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", help="name a file of --output json=FILE") from None
    except ValueError:
        document = None
    wanted = {"kind": "load", "schema_version": SCHEMA_VERSION}
    if not isinstance(document, dict) or any(document.get(key) != value for key, value in wanted.items()):
        raise DocumentError(f"{path} is no load result", help="name a file that `load run --output json=FILE` wrote")
    return document
