"""Which output formats there are, and writing a report in one of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from hardenctl.model.errors import UsageError
from hardenctl.model.files import different_files
from hardenctl.model.report import Report
from hardenctl.report.style import Look

# Name to module and function, imported when asked for: a hook run needs one of them. The function takes a report and a
# look and yields lines. No reporter ever sees a secret: a report doesn't hold one.
FORMATS = {
    "full": ("full", "lines"),
    "concise": ("concise", "lines"),
    "json": ("json_v1", "lines"),
    "json-lines": ("json_v1", "finding_lines"),
    "sarif": ("sarif", "lines"),
    "github": ("github", "lines"),
    "gitlab": ("gitlab", "lines"),
    "gitlab-secrets": ("gitlab_secrets", "lines"),
    "junit": ("junit", "lines"),
    "markdown": ("markdown", "lines"),
    "html": ("html", "lines"),
}


def check_format(name: str) -> str:
    """The name, if there is such a format. Raises UsageError."""
    if name not in FORMATS:
        raise UsageError(f"there is no format `{name}`", help=f"formats: {', '.join(FORMATS)}")
    return name


def render(report: Report, name: str, look: Look) -> str:
    """The report in a format."""
    module, function = FORMATS[check_format(name)]
    reporter: Any = getattr(importlib.import_module(f"hardenctl.report.{module}"), function)
    return "".join(look.final(line) + "\n" for line in reporter(report, look))


def split_output(text: str) -> tuple[str, Path]:
    """`FORMAT=FILE` as a pair. Raises UsageError for anything else."""
    name, equals, file = text.partition("=")
    if not equals or not file:
        raise UsageError(f"`--output {text}` names no file", help="write it as FORMAT=FILE, like sarif=hardenctl.sarif")
    return check_format(name), Path(file)


def split_outputs(texts: Iterable[str]) -> list[tuple[str, Path]]:
    """Each `FORMAT=FILE` as a pair. Raises UsageError, also where one report would replace another."""
    outputs = [split_output(text) for text in texts]
    different_files(path for _, path in outputs)
    return outputs


def write_file(report: Report, name: str, path: Path) -> None:
    """Write a report to a file, whole or not at all. Raises UsageError where it cannot be written."""
    from hardenctl.model.files import replace_file, usual_mode

    text = render(report, name, Look())
    try:
        replace_file(path, text.encode("utf-8", "backslashreplace"), usual_mode())
    except OSError as error:
        raise UsageError(
            f"cannot write `{path}`: {error.strerror}", help="name a file in a folder that exists"
        ) from None


def write_stream(text: str, out: TextIO) -> None:
    """Write a whole text at once; what the stream cannot encode is escaped, never an error."""
    reconfigure = getattr(out, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    out.write(text)
    out.flush()
