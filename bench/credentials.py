"""Precision, recall and F1 of the secret pipeline on labelled data, beside the peers', by one and the same scorer.

usage: python bench/credentials.py SHARED [--raw FOLDER | --held-out] [--peers FOLDER] [--no-peers] [--weak-ignored]
       [--details]

SHARED holds `tools/score_credentials.py` and `data/`. The data is unpacked to a temporary folder, scanned, and scored
by that script; nothing of it is kept. Our figures are cross-validated: each fifth of the repositories is scanned with
weights that were trained on the other four, so that no repository is judged by what was learned from it. With `--raw`
the training has the documents of FOLDER besides, as what we ship had (see `raw_credentials.py`). "No words" is the
same without anything that knows words in values (see `train_credentials.py`). `--held-out`: nothing was trained on
SHARED, so that ours is scanned once, as shipped. The peers' FOLDER holds them, each in an
environment named as its package; one that is missing is made there with venv and pip.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from peers import HOMES, Found, asked, table
from train_credentials import folds, forget, load, no_words

from hardenctl import __version__
from hardenctl.detect.secrets import detect_secrets, score
from hardenctl.detect.secrets.pipeline import matcher
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.secrets import RULES

_FIGURES = re.compile(r"^(?P<kind>labelled|strict): +P (?P<P>[\d.]+) R (?P<R>[\d.]+) F1 (?P<F1>[\d.]+)$", re.MULTILINE)


def blobs(root: Path) -> list[Blob]:
    """Every file below a folder."""
    return [
        Blob(Provenance(path.relative_to(root).as_posix()), path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    ]


def scan(files: Iterable[Blob]) -> Iterator[Found]:
    """All findings of the pipeline, with the weights of the moment."""
    ids = frozenset(each.id for each in RULES)
    for blob in files:
        for rule, hit in detect_secrets(blob, ids):
            place = blob.lines.position
            yield Found(blob.path, place(hit.span.start).line, place(hit.span.end).line, rule.id)


def cross_validated(shared: Path, raw: Path | None, files: Sequence[Blob], *, words: bool) -> list[Found]:
    """The findings in each fifth of the repositories, with weights from the other four."""
    found: list[Found] = []
    with nullcontext() if words else no_words():
        for held, weights in folds(*(load(each, words=words) for each in (shared, raw) if each)):
            with patch.object(score, "weights", lambda weights=weights: weights):
                forget()
                found += scan(blob for blob in files if blob.path.split("/")[0] in held)
    forget()
    return found


def scored(scorer: Path, root: Path, found: Iterable[Found], options: Sequence[str]) -> str:
    """What the scorer says of findings."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as rows:
        rows.writelines(json.dumps(vars(each)) + "\n" for each in found)
        rows.flush()
        command = [sys.executable, str(scorer), "score", str(root), rows.name, *options]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def row(name: str, told: str, seconds: float) -> Mapping[str, str]:
    """One line of the table."""
    figures = {match["kind"]: match for match in _FIGURES.finditer(told)}
    labelled, strict = figures["labelled"], figures["strict"]
    return {
        "tool": name,
        "F1": labelled["F1"],
        "F1 strict": strict["F1"],
        "P": labelled["P"],
        "P strict": strict["P"],
        "R": labelled["R"],
        "CPU s": f"{seconds:.1f}" if seconds else "",
    }


def main() -> int:
    """Unpack, scan, score, print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--raw", type=Path, help="the same documents with their real values")
    parser.add_argument("--held-out", action="store_true", help="nothing was trained on this data")
    parser.add_argument("--peers", type=Path, default=HOMES, help="folder of the peers' environments")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--weak-ignored", action="store_true", help="findings on weak or example values count nothing")
    parser.add_argument("--details", action="store_true", help="all that the scorer says of our own findings")
    options = parser.parse_args()
    scorer = options.shared / "tools" / "score_credentials.py"
    flags = ["--weak-ignored"] if options.weak_ignored else []
    matcher().budget = 0  # as in any larger audit: hyperscan from the first file on
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "data"
        root.mkdir()
        subprocess.run([sys.executable, str(scorer), "unpack", str(root)], check=True)
        files = blobs(root)
        rows = []
        for name, words in () if options.held_out else (("", True), (", no words", False)):
            told = scored(scorer, root, cross_validated(options.shared, options.raw, files, words=words), flags)
            rows.append(row(f"hardenctl {__version__}, cross-validated{name}", told, 0))
            if options.details:
                print(f"{rows[-1]['tool']}\n{told}")
        started = time.process_time()
        shipped = list(scan(files))
        seconds = time.process_time() - started
        how = f"{__version__}, held out" if options.held_out else "as shipped (trained on this data)"
        rows.append(row(f"hardenctl {how}", scored(scorer, root, shipped, flags), seconds))
        for peer, program in () if options.no_peers else asked(options.peers):
            found, seconds = peer.scan(program, root)
            rows.append(row(f"{peer.name} {peer.told_version(program)}", scored(scorer, root, found, flags), seconds))
    print(table(rows))
    size = sum(len(blob.data) for blob in files)
    print(f"\n{len(files)} files, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
