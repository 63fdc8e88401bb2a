"""The target's Docker container, as `docker stats` sees it from outside."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

from hardenctl.load.watch import Usage
from hardenctl.load.watch.polled import Gone, Polled
from hardenctl.model.errors import ToolError, UsageError

_SECONDS = 20.0
_EVERY = 0.5  # on top of the two seconds in which `docker stats` measures
_UNITS = {"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(r"([\d.]+)\s*([kKMGT]?i?B)")


class ContainerWatch(Polled):
    """Asks the docker command. A container that no longer runs is a problem, never an idle one."""

    def __init__(self, name: str) -> None:
        self._name = name
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
            raise UsageError(f"`{name}` is no container's name", help="check --target-container")
        self._docker = shutil.which("docker") or ""
        if not self._docker:
            raise ToolError("--target-container needs the docker command", help="install it, or use --target-pid")
        try:
            self.cpus = self._allowed()
        except LookupError as error:
            raise UsageError(str(error.args[0]), help="check --target-container with `docker ps`") from None
        super().__init__(f"container {name} ({self.cpus:g} CPUs)", self._look, _EVERY)

    def _look(self) -> Usage:
        answer = self._ask("stats", "--no-stream", "--format", "{{json .}}", self._name)
        try:
            data = json.loads(answer)
            share = float(str(data["CPUPerc"]).rstrip("%")) / 100 / self.cpus
            size = _SIZE.match(str(data.get("MemUsage", "")))
        except (ValueError, KeyError, TypeError):
            raise LookupError(f"docker stats says nothing of `{self._name}`") from None
        # of a stopped container docker prints zeros instead of an error
        if not self._inspect()["State"].get("Running"):
            raise Gone("the target's container ended")
        return Usage(share, float(size[1]) * _UNITS[size[2]] if size else None)

    def _allowed(self) -> float:
        """How many CPUs it may use."""
        found = self._inspect()
        if not found["State"].get("Running"):
            raise LookupError(f"the container `{self._name}` does not run")
        limits = found["HostConfig"]
        host = self._ask("info", "--format", "{{.NCPU}}").strip()
        cpus = float(host) if host.isdecimal() and int(host) else 1.0
        if limits.get("CpusetCpus"):
            cpus = min(cpus, _count(str(limits["CpusetCpus"])))
        if limits.get("NanoCpus"):
            cpus = min(cpus, limits["NanoCpus"] / 1e9)
        elif limits.get("CpuQuota") and limits["CpuQuota"] > 0:
            cpus = min(cpus, limits["CpuQuota"] / (limits.get("CpuPeriod") or 100_000))
        return cpus

    def _inspect(self) -> dict[str, Any]:
        answer = self._ask("inspect", "--type", "container", self._name)
        try:
            found = json.loads(answer)[0]
            return {"State": dict(found["State"]), "HostConfig": dict(found["HostConfig"])}
        except (ValueError, KeyError, TypeError, IndexError):
            raise LookupError(f"docker inspect says nothing of `{self._name}`") from None

    def _ask(self, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - the user's own docker, and a name that was checked
                [self._docker, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
        except (OSError, subprocess.TimeoutExpired):
            raise LookupError("the docker command gave no answer") from None
        if done.returncode:
            raise LookupError(f"docker {arguments[0]} failed for `{self._name}`")
        return done.stdout


def _count(cpuset: str) -> int:
    """How many CPUs `0-3,8` names."""
    total = 0
    for part in cpuset.split(","):
        low, _, high = part.partition("-")
        total += int(high or low) - int(low) + 1
    return total
