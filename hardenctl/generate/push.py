"""Credentials to platforms, through each platform's own program and its standard input.

A value is never in an argument or an environment variable, where other users of the machine could read it, and never in
what the program prints, which is shown with the value masked.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hardenctl.model.errors import ToolError, UsageError
from hardenctl.model.nearest import nearest

PATIENCE = 60.0  # seconds a platform's program may take


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a value goes: `key` at a platform, in one of its environments (Kubernetes: a namespace)."""

    platform: str
    key: str
    environment: str = ""

    def __str__(self) -> str:
        """For the preview: names, never values."""
        return f"{self.platform}: {self.key}" + (f" in {self.environment}" if self.environment else "")


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform's program: how to ask whether it is ready, how to deliver, and what goes to its standard input."""

    program: str
    ready: Callable[[Destination], list[str]]
    log_in: str
    deliver: Callable[[Destination], list[str]]
    key: re.Pattern[str]
    key_help: str
    payload: Callable[[Destination, str], str] = lambda _, value: value


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value else []


def _secret(destination: Destination, value: str) -> str:
    """A Kubernetes Secret with one key. Keys that others own in the same Secret stay: the apply is server-side."""
    name, _, key = destination.key.partition("/")
    data = {key: base64.b64encode(value.encode()).decode()}
    return json.dumps(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data}
    )


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

PLATFORMS: Mapping[str, Platform] = {
    "github": Platform(
        "gh",
        lambda _: ["auth", "status"],
        "gh auth login",
        lambda to: ["secret", "set", to.key, *_option("--env", to.environment)],
        _VARIABLE,
        "letters, digits and `_`",
    ),
    "railway": Platform(
        "railway",
        lambda _: ["whoami"],
        "railway login",
        lambda to: ["variable", "set", to.key, "--stdin", *_option("--environment", to.environment)],
        _VARIABLE,
        "letters, digits and `_`",
    ),
    "gcp": Platform(
        "gcloud",
        lambda _: ["auth", "print-access-token", "--quiet"],
        "gcloud auth login",
        lambda to: ["secrets", "versions", "add", to.key, "--data-file=-", *_option("--project", to.environment)],
        re.compile(r"[A-Za-z0-9_-]{1,255}"),
        "letters, digits, `-` and `_`",
    ),
    "kubernetes": Platform(
        "kubectl",
        lambda to: ["auth", "can-i", "patch", "secrets", *_option("--namespace", to.environment)],
        "kubectl config use-context NAME",
        # One field manager a key: server-side apply removes what the same manager applied before and leaves out now.
        lambda to: [
            "apply",
            "--server-side",
            f"--field-manager=hardenctl-{to.key.partition('/')[2]}",
            *_option("--namespace", to.environment),
            "--filename=-",
        ],
        re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9._-]+"),
        "SECRET/KEY, such as shop/SECRET_KEY",
        _secret,
    ),
}


def prepare(destination: Destination) -> None:
    """Raise before anything is made: UsageError for names that cannot be, ToolError where the program isn't ready."""
    if destination.platform not in PLATFORMS:
        raise UsageError(
            f"there is no platform `{destination.platform}`",
            help=nearest(destination.platform, PLATFORMS) or f"choose from {', '.join(PLATFORMS)}",
        )
    platform = PLATFORMS[destination.platform]
    if not platform.key.fullmatch(destination.key):
        raise UsageError(f"`{destination.key}` cannot be a key at {destination.platform}", help=platform.key_help)
    if destination.environment.startswith("-"):
        raise UsageError("an environment's name cannot start with `-`", help="name the environment")
    if shutil.which(platform.program) is None:
        raise ToolError(
            f"`{platform.program}` is not installed, or not on PATH", help="install the platform's own tool"
        )
    if _run(platform, platform.ready(destination)).returncode:
        raise ToolError(
            f"`{platform.program}` is not logged in, or may not do this",
            help=f"try `{platform.log_in}`; nothing was made",
        )


def push(destination: Destination, value: str) -> None:
    """Deliver a value, exactly its bytes. Raises ToolError where the platform's program fails or takes too long."""
    platform = PLATFORMS[destination.platform]
    payload = platform.payload(destination, value)
    done = _run(platform, platform.deliver(destination), payload)
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.strip()), "it said nothing")
        for hidden in (value, base64.b64encode(value.encode()).decode(), payload):
            said = said.replace(hidden, "••••••••")
        raise ToolError(
            f"`{platform.program}` failed: {said.strip()[:200]}", help=f"{destination} was not delivered; try again"
        )


def _run(platform: Platform, arguments: list[str], payload: str = "") -> subprocess.CompletedProcess[str]:
    program = (
        shutil.which(platform.program) or platform.program
    )  # on Windows: the `.cmd` that subprocess would not find
    try:
        return subprocess.run(  # noqa: S603 - the platform's own program; the value goes through its standard input
            [program, *arguments],
            input=payload,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # From None: the exception carries what was sent.
        raise ToolError(
            f"`{platform.program}` took longer than {PATIENCE:.0f} s", help="look at the platform: it may have arrived"
        ) from None
    except OSError as error:
        raise ToolError(f"`{platform.program}` could not be started: {error.strerror}") from None
