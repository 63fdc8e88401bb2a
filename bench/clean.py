"""False alarms on repositories that are known to be clean: `python bench/clean.py REPOSITORY... [--list]`.

Each REPOSITORY is a work tree or a bare git directory, of which the newest commit is scanned. What is counted are
findings of confidence `likely` or `proven` per 100,000 lines of text, which should be two at most. `--list` names
their places: whether one is a false alarm only a reader can say, for a private key in a test is found rightly.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from credentials import blobs
from peers import table

from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.secrets.pipeline import matcher
from hardenctl.model.blob import Blob, Provenance
from hardenctl.model.finding import Confidence
from hardenctl.model.text import is_binary
from hardenctl.rules.secrets import RULES

IDS = frozenset(each.id for each in RULES)


@dataclass
class Count:
    """What was found in one repository."""

    name: str
    files: int = 0
    lines: int = 0
    found: dict[Confidence, list[str]] = field(default_factory=lambda: {each: [] for each in Confidence})

    @property
    def sure(self) -> list[str]:
        """The places of what is said to be likely or proven."""
        return [*self.found[Confidence.PROVEN], *self.found[Confidence.LIKELY]]

    def row(self) -> dict[str, str]:
        """One line of the table."""
        return {
            "repository": self.name,
            "files": f"{self.files:,}",
            "lines": f"{self.lines:,}",
            **{each.name.lower(): str(len(self.found[each])) for each in reversed(Confidence)},
            "likely or proven per 100,000 lines": f"{100_000 * len(self.sure) / max(1, self.lines):.2f}",
        }


def files_of(repository: Path) -> Iterator[Blob]:
    """The text files of a work tree, or of the newest commit of a bare repository."""
    bare = not (repository / ".git").exists() and (repository / "objects").is_dir()
    yield from (blob for blob in (committed(repository) if bare else blobs(repository)) if not is_binary(blob.data))


def committed(repository: Path) -> Iterator[Blob]:
    """The files of the newest commit, without those that a partial clone has not got."""
    listed = subprocess.run(["git", "ls-tree", "-rz", "HEAD"], cwd=repository, check=True, capture_output=True)
    rows = [row.partition("\t") for row in listed.stdout.decode("utf-8", "replace").split("\0") if " blob " in row]
    command = ["git", "cat-file", "--batch", "--buffer"]
    wanted = "".join(f"{head.split()[2]}\n" for head, _, _ in rows).encode()
    told = subprocess.run(command, cwd=repository, check=True, capture_output=True, input=wanted).stdout
    at = 0
    for _, _, path in rows:
        end = told.index(b"\n", at)
        head, at = told[at:end].split(), end + 1
        if head[1] == b"missing":
            continue
        size = int(head[2])
        yield Blob(Provenance(path), told[at : at + size])
        at += size + 1


def count(repository: Path) -> Count:
    """Scan one repository."""
    told = Count(repository.name if repository.name != "repo" else repository.parent.name)
    for blob in files_of(repository):
        told.files += 1
        told.lines += blob.data.count(b"\n")
        for rule, hit in detect_secrets(blob, IDS):
            place = blob.lines.position(hit.span.start)
            told.found[hit.confidence].append(f"{blob.path}:{place.line}:{place.column} {rule.id} {hit.severity or ''}")
    return told


def main() -> int:
    """Count in each, print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", type=Path, nargs="+", metavar="REPOSITORY")
    parser.add_argument("--list", action="store_true", help="name the places of what is likely or proven")
    options = parser.parse_args()
    matcher().budget = 0
    counts: Sequence[Count] = [count(each) for each in options.repositories]
    print(table([each.row() for each in counts]))
    lines, sure = sum(each.lines for each in counts), sum(len(each.sure) for each in counts)
    print(f"\ntogether: {sure} in {lines:,} lines, {100_000 * sure / max(1, lines):.2f} per 100,000")
    if options.list:
        for each in counts:
            print(f"\n{each.name}", *each.sure, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
