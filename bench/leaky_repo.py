"""The public leaky-repo benchmark, by its own definition: `python bench/leaky_repo.py CHECKOUT [--peers FOLDER]`.

CHECKOUT is a checkout of Plazmaz/leaky-repo. Its `.leaky-meta/secrets.csv` says how many lines of each file are a risk
(and how many only inform). What a tool has found in a file is the number of lines it names there, of which no more
count than the file has: the benchmark names no lines, so a tool that names wrong ones in the right files looks better
than it is. How many lines a tool names beyond that stands beside it; some of them are those that inform.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import copytree, ignore_patterns

from peers import HOMES, Found, asked, table

from hardenctl import __version__
from hardenctl.cli.auditing import make_report
from hardenctl.cli.request import Request


def expected(checkout: Path) -> dict[str, int]:
    """The lines of risk by file."""
    text = (checkout / ".leaky-meta" / "secrets.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name: int(risk) for name, risk, _ in csv.reader(lines)}


def lines_found(found: Iterable[Found]) -> Counter[str]:
    """How many lines of each file a tool names."""
    return Counter(path for path, _ in {(each.path, each.line) for each in found})


def ours(root: Path) -> list[Found]:
    """The findings of an audit that say that a value is a credential, guessable ones included."""
    report = make_report(Request(paths=(str(root),), no_ignores=True))
    findings = [each.finding for each in report.findings]
    return [
        Found(each.location.path, each.location.line, each.location.end_line, each.rule)
        for each in findings
        if each.rule.startswith("secret-") or each.rule.endswith("weak-credential")
    ]


def row(name: str, risks: Mapping[str, int], found: Iterable[Found]) -> dict[str, str]:
    """One line of the table."""
    lines = lines_found(found)
    hit = sum(min(count, lines[path]) for path, count in risks.items())
    files = sum(lines[path] > 0 for path, count in risks.items() if count)
    total = sum(risks.values())
    return {
        "tool": name,
        "risk lines found": f"{hit} of {total} ({100 * hit / total:.1f} %)",
        "files": f"{files} of {sum(count > 0 for count in risks.values())}",
        "lines beyond": str(lines.total() - hit),
    }


def main() -> None:
    """Scan with everybody, print one table and what we miss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--peers", type=Path, default=HOMES, help="folder of the peers' environments")
    options = parser.parse_args()
    risks = expected(options.checkout)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "leaky-repo"  # without its own notes, and without history
        copytree(options.checkout, root, ignore=ignore_patterns(".git", ".leaky-meta"))
        found = ours(root)
        rows = [row(f"hardenctl {__version__}", risks, found)]
        for peer, program in asked(options.peers):
            rows.append(row(f"{peer.name} {peer.told_version(program)}", risks, peer.scan(program, root)[0]))
    print(table(rows))
    lines = lines_found(found)
    missed = [f"{path} {lines[path]} of {count}" for path, count in risks.items() if lines[path] < count]
    print(f"\nmissed by hardenctl: {', '.join(missed) or 'nothing'}")


if __name__ == "__main__":
    main()
