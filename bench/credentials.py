"""Precision, recall and speed of the secret pipeline on labelled data.

usage: python bench/credentials.py SHARED [--weak-ignored]

SHARED is the folder that holds `tools/score_credentials.py` and `data/`. The data is unpacked to a temporary folder,
scanned with hardenctl's own pipeline, and scored by that script; nothing of it is kept.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.secrets.pipeline import matcher
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.secrets import RULES


def scan(root: Path) -> tuple[list[dict[str, object]], int, float]:
    """All findings below a folder as the scorer reads them, the bytes scanned, and the CPU seconds it took."""
    ids = frozenset(each.id for each in RULES)
    blobs = [
        Blob(Provenance(path.relative_to(root).as_posix()), path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    ]
    matcher().budget = 0  # as in any larger audit: hyperscan from the first file on
    list(detect_secrets(Blob(Provenance("warm-up.env"), b"A_TOKEN=1\n"), ids))
    started = time.process_time()
    found = [(blob, rule, hit) for blob in blobs for rule, hit in detect_secrets(blob, ids)]
    elapsed = time.process_time() - started
    rows: list[dict[str, object]] = [
        {
            "path": blob.path,
            "line": blob.lines.position(hit.span.start).line,
            "end_line": blob.lines.position(hit.span.end).line,
            "rule": rule.id,
        }
        for blob, rule, hit in found
    ]
    return rows, sum(len(blob.data) for blob in blobs), elapsed


def main(arguments: list[str]) -> int:
    """Unpack, scan, score."""
    if not arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    scorer = Path(arguments[0]) / "tools" / "score_credentials.py"
    with tempfile.TemporaryDirectory() as folder:
        root, findings = Path(folder) / "data", Path(folder) / "findings.jsonl"
        root.mkdir()
        subprocess.run([sys.executable, scorer, "unpack", root], check=True)
        rows, size, elapsed = scan(root)
        findings.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        subprocess.run([sys.executable, scorer, "score", root, findings, *arguments[1:]], check=True)
    print(f"{size / 1e6:.1f} MB in {elapsed:.2f} CPU seconds: {size / 1e6 / elapsed:.1f} MB/s with classification")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
