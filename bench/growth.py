"""Whether cost grows with the history and no faster: `python bench/growth.py [COMMITS]` (1,000 by default).

Makes repositories of 1, 4 and 16 times as many commits (git fast-import; the same seed, so the small one is the start
of the large one): 400 files of 200 lines, of which each commit changes three by a line, now and then a merge, a tag, a
new file with a credential that the next commit takes out again. Prints wall and CPU time and the most memory (PSS of
all processes together) of a first and a second `scan --history` and of bare `git log -p -U0 --all`, and by commit.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import history

FILES, LINES = 400, 200
TOLD = 0.04  # of the lines assign something that is named as a credential, and is none
EVERY = 200  # commits from one credential to the next
WORDS = "value count name order user item page line total state index result store group field".split()  # noqa: SIM905


def main(arguments: Sequence[str]) -> int:
    """Generate, measure, print; returns the exit code."""
    base = int(arguments[0]) if arguments else 1000
    print(f"{'commits':>8}  {'':<22}{'wall s':>8}{'CPU s':>8}{'MB':>6}{'ms a commit':>13}{'kB a commit':>13}  exit")
    with tempfile.TemporaryDirectory() as temporary:
        for commits in (base, 4 * base, 16 * base):
            folder = Path(temporary) / str(commits)
            generate(folder, commits)
            ours = [
                sys.executable,
                "-m",
                "hardenctl",
                "scan",
                "--history",
                "--quiet",
                "--format",
                "json",
                "--no-progress",
            ]
            environment = dict(os.environ) | {"XDG_CACHE_HOME": str(folder / "cache")}
            for name, command in (
                ("git log -p -U0 --all", ["git", "log", "-p", "-U0", "--all"]),
                ("hardenctl, first run", ours),
                ("hardenctl, second run", ours),
            ):
                wall, cpu, memory, code = history._measure(command, folder, environment)  # noqa: SLF001 - a sibling
                print(
                    f"{commits:>8}  {name:<22}{wall:>8.2f}{cpu:>8.2f}{memory >> 20:>6}"
                    f"{cpu / commits * 1000:>13.3f}{memory / commits / 1024:>13.1f}  {code:>4}",
                    flush=True,
                )
    return 0


def generate(folder: Path, commits: int) -> None:
    """A bare repository with a history."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    command = ["git", "fast-import", "--quiet", "--date-format=raw"]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE) as process:
        if process.stdin is None:
            raise SystemExit("git fast-import could not be started")
        for piece in stream(commits):
            process.stdin.write(piece.encode())
        process.stdin.close()
    if process.returncode:
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "repack", "-q", "-a", "-d", "-f"], cwd=folder, check=True)  # as a server stores it


def stream(commits: int) -> Iterator[str]:
    """The commands of fast-import. Marks are the commits' numbers."""
    chance = random.Random(4)  # noqa: S311 - the same each time
    files = {f"src/part{number % 20}/module{number}.py": _text(chance) for number in range(FILES)}
    for number in range(1, commits + 1):
        changed = list(files) if number == 1 else chance.sample(list(files), 3)
        for path in changed[:3] if number > 1 else ():
            files[path][chance.randrange(LINES)] = _line(chance)
        yield from _commit(number, "".join(_put(path, "".join(files[path])) for path in changed) + _leak(number))
        if number % 50 == 0:
            yield f"tag v{number}\nfrom :{number}\ntagger {_who(number)}\n{_data('a release')}"


def _commit(number: int, changes: str) -> Iterator[str]:
    yield f"commit refs/heads/main\nmark :{number}\ncommitter {_who(number)}\n"
    yield _data(f"Change {number}")
    if number > 1:
        yield f"from :{number - 1}\n"
    if number % 25 == 0:
        yield f"merge :{number - 20}\n"
    yield changes


def _who(number: int) -> str:
    return f"A <a@example.com> {1_600_000_000 + number * 60} +0000"


def _leak(number: int) -> str:
    path, turn = "config/local.py", number % EVERY
    if turn == EVERY - 2:
        token = "".join(random.Random(number).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=24))  # noqa: S311
        return _put(path, f'STRIPE_KEY = "{"sk_" + "live_"}{token}"\n')
    return f"D {path}\n" if turn == EVERY - 1 else ""


def _put(path: str, text: str) -> str:
    return f"M 100644 inline {path}\n{_data(text)}"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _text(chance: random.Random) -> list[str]:
    return [_line(chance) for _ in range(LINES)]


def _line(chance: random.Random) -> str:
    first, second, third = chance.choices(WORDS, k=3)
    if chance.random() < TOLD:
        second = "token"
    return f"    {first}_{second} = {third}({chance.randrange(10_000)}, {second!r})\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
