"""Credentials to platforms, through each platform's own program and its standard input.

A value is never in an argument or an environment variable, where other users of the machine could read it, and never in
what the program prints, which is shown with the value masked.
"""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from hardenctl.generate import program
from hardenctl.generate.platforms import PIPE, PLATFORMS, Destination, Platform
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.model.nearest import nearest

if TYPE_CHECKING:
    import subprocess

__all__ = ["PLATFORMS", "Destination", "names", "platform_of", "prepare", "push"]

PATIENCE = 60.0  # seconds a platform's program may take
HAS_PIPE_NAME = os.path.exists(PIPE)  # noqa: PTH110 - not on Windows
_PIECE = 6  # characters of a value, together, that are not shown
_PIECE = 6  # characters of a value, together, that are not shown
_BULLETS = "••••••••"
_OWN = "the platform's own tool"
_SHORTEST = 8  # characters; a shorter piece of a value is no piece to hide


def platform_of(name: str) -> Platform:
    """The platform of a name; UsageError where there is none."""
    if name not in PLATFORMS:
        raise UsageError(
            f"there is no platform `{name}`",
            help=nearest(name, PLATFORMS) or f"choose from {', '.join(PLATFORMS)}",
        )
    return PLATFORMS[name]


def prepare(destination: Destination) -> None:
    """Raise before anything is made: UsageError for names that cannot be, ToolError where the program isn't ready."""
    check_key(destination)
    _check_ready(platform_of(destination.platform), destination)


def check_key(destination: Destination) -> None:
    """Raise UsageError for a key that cannot be one at its platform."""
    platform = platform_of(destination.platform)
    if not platform.key.fullmatch(destination.key):
        raise UsageError(f"`{destination.key}` cannot be a key at {destination.platform}", help=platform.key_help)


def check_platform(name: str, environment: str) -> None:
    """Raise as `prepare`, for keys that are not known yet."""
    _check_ready(platform_of(name), Destination(name, "", environment))


def names(destination: Destination) -> list[str]:
    """The names of what a platform has, never a value. Raises as `prepare`."""
    platform = platform_of(destination.platform)
    if platform.lists_by_key and not platform.key.fullmatch(destination.key):
        raise UsageError(f"{destination.platform} lists what one key's neighbours are", help=platform.key_help)
    _check_ready(platform, destination)
    done = _run(platform, platform.present(destination), platform.asked(destination))
    if done.returncode:
        raise ToolError(f"`{platform.program}` could not list anything", help=f"try `{platform.log_in}`")
    return sorted({each.strip() for each in platform.names(done.stdout, destination)} - {""})


def push(destination: Destination, value: str) -> None:
    """Deliver a value, exactly its bytes. Raises ToolError where the platform's program fails or takes too long."""
    platform = platform_of(destination.platform)
    fetched = ""
    if platform.fetch is not None:
        done = _run(platform, platform.fetch(destination))
        if done.returncode:
            raise ToolError(
                f"`{platform.program}` could not fetch what {destination.key} belongs to",
                help=f"{destination} was not delivered; is the name right?",
            )
        fetched = done.stdout
    payload = platform.payload(destination, value, fetched)
    done = (
        _edit(platform, destination, payload)
        if platform.editor
        else _run(platform, platform.deliver(destination), payload)
    )
    if done.returncode:
        # What was fetched holds other values, and any of them may be quoted.
        said = "it said why, with other values perhaps" if fetched else _masked(done.stderr, value, payload)
        raise ToolError(f"`{platform.program}` failed: {said}", help=f"{destination} was not delivered; try again")


def _check_ready(platform: Platform, destination: Destination) -> None:
    if platform.asks_environment and not destination.environment:
        raise UsageError(f"{destination.platform} needs --environment", help=f"it is the {platform.environment}")
    if destination.environment.startswith("-"):
        raise UsageError("an environment's name cannot start with `-`", help="name the environment")
    program.find(platform.program, _OWN)
    if platform.editor and os.name == "nt":
        raise ToolError(
            f"`{platform.program}` starts no script as its editor on Windows", help="use the platform's dashboard"
        )
    if _run(platform, platform.ready(destination), platform.asked(destination)).returncode:
        raise ToolError(
            f"`{platform.program}` is not logged in, or may not do this",
            help=f"try `{platform.log_in}`; nothing was made",
        )


def _masked(text: str, value: str, payload: str) -> str:
    """The first line of what a program said, without the value in any form it was sent in."""
    forms = {value, payload, base64.b64encode(value.encode()).decode(), json.dumps(value)[1:-1]}
    forms |= {line for each in list(forms) for line in each.splitlines() if len(line) >= _SHORTEST}
    for hidden in sorted(forms, key=len, reverse=True):
        text = _without(text, hidden)
    return program.first_line(text)


def _without(text: str, hidden: str) -> str:
    """A text without a value, and without what it quotes of one: some programs cut what they complain about."""
    text = text.replace(hidden, _BULLETS)
    pieces = {hidden[at : at + _PIECE] for at in range(len(hidden) - _PIECE + 1)}
    shown = [False] * len(text)
    for piece in pieces:
        at = text.find(piece)
        while at >= 0:
            shown[at : at + _PIECE] = [True] * _PIECE
            at = text.find(piece, at + 1)
    kept = ("\0" if is_piece else character for character, is_piece in zip(text, shown, strict=True))
    return re.sub("\0+", _BULLETS, "".join(kept))


# Reads the value's lines off the standard input that the program hands on, and nothing beyond: the rest is the answer
# to what the program asks afterwards. A shell's own words only, so that no other process sees a line.
_EDITOR = """\
#!/bin/sh
left={lines}
: > "$1"
while [ "$left" -gt 1 ]; do IFS= read -r line; printf '%s\\n' "$line" >> "$1"; left=$((left - 1)); done
IFS= read -r line
printf '%s' "$line" >> "$1"
"""


def _edit(platform: Platform, destination: Destination, payload: str) -> subprocess.CompletedProcess[str]:
    """Deliver through an editor. What the program writes down for it goes to a folder of ours, which is wiped."""
    with tempfile.TemporaryDirectory(prefix="hardenctl-") as folder:
        script = os.path.join(folder, "editor")  # noqa: PTH118 - as given to os.open
        descriptor = os.open(script, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        os.write(descriptor, _EDITOR.format(lines=payload.count("\n") + 1).encode())
        os.close(descriptor)
        return _run(platform, platform.deliver(destination), f"{payload}\ny\n", {"VISUAL": script, "TMPDIR": folder})


def _run(
    platform: Platform, arguments: list[str], payload: str = "", more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    with ExitStack() as stack:
        if payload and not HAS_PIPE_NAME and any(PIPE in each for each in arguments):
            path = stack.enter_context(_file_of(payload))
            arguments, payload = [each.replace(PIPE, path) for each in arguments], ""
        return program.ask(
            platform.program,
            arguments,
            payload,
            install=_OWN,
            patience=PATIENCE,
            late="look at the platform: it may have arrived",
            environment={**os.environ, **more} if more else None,
        )


@contextmanager
def _file_of(payload: str) -> Iterator[str]:
    """A file that only its owner reads, for programs that want one where pipes have no names; wiped afterwards."""
    descriptor, path = tempfile.mkstemp(prefix="hardenctl-")
    data = payload.encode()
    try:
        os.write(descriptor, data)
        os.close(descriptor)
        yield path
    finally:
        with open(path, "r+b") as stream:  # noqa: PTH123 - the pair of mkstemp
            stream.write(bytes(len(data)))
            stream.flush()
            os.fsync(stream.fileno())
        os.unlink(path)  # noqa: PTH108 - as above
