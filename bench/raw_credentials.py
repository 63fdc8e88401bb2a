"""Makes the labelled documents once more with their real values, from the repositories that they were taken from.

usage: python bench/raw_credentials.py SHARED CREDDATA MIRRORS FOLDER [--held-out LIST]

The documents of SHARED are CredData's (https://github.com/Samsung/CredData, CREDDATA is a clone of it), whose real
values were replaced by random ones. CREDDATA names each repository and commit; MIRRORS holds clones of them, each in a
folder `OWNER+NAME` or `OWNER+NAME/repo`. A document whose repository or commit is not there is left out, and said.
FOLDER gets `data/credential-lines-dev.jsonl.gz` as SHARED has it: what `train_credentials.py --raw` reads. It holds
real values: keep it out of every repository.

With `--held-out LIST` (names of repositories, one a line) the documents are all that CREDDATA labels in those instead,
with CREDDATA's own labels as SHARED has them: T is a secret, but an identifier where all that is known of it is that
it is a UUID, a bucket, a nonce or a salt; X is weak or an example; F is not a secret.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

NAME = Path("data", "credential-lines-dev.jsonl.gz")
IDENTIFIERS = frozenset(("UUID", "AWS S3 Bucket", "Nonce", "Salt", "Nonce:Salt"))
LABELS = {"T": "secret", "X": "weak-or-example", "F": "not-a-secret"}
ALIGNED = 6  # places of an excerpt in its file that are tried
RARE = 3  # lines that are alike, at most, for one to say where an excerpt is from
SPREAD = 2  # characters by which a replaced value may differ in length


def git(folder: Path, *arguments: str) -> bytes:
    """The output of a git command; nothing where it fails."""
    return subprocess.run(["git", "-C", str(folder), *arguments], check=False, capture_output=True).stdout


def snapshots(creddata: Path) -> Iterator[tuple[str, str, str]]:
    """Each repository of the data set: its id there, its commit, and OWNER/NAME."""
    for key, address in json.loads(git(creddata, "show", "HEAD:snapshot.json")).items():
        yield f"{zlib.crc32(bytes.fromhex(key)):08x}", key[:40], address.partition("github.com/")[2]


def mirror(mirrors: Path, name: str, commit: str) -> Path | None:
    """The clone that has the commit."""
    folder = mirrors / name.replace("/", "+")
    places = (folder, folder / "repo", folder / "repo" / ".git")
    return next((each for each in places if git(each, "cat-file", "-t", commit) == b"commit\n"), None)


def files(folder: Path, commit: str, wanted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Id and text of the files whose path has a wanted id: how the data set names them."""
    for raw in git(folder, "ls-tree", "-r", "-z", "--name-only", commit).split(b"\0"):
        known = hashlib.sha256(raw).hexdigest()[:8]
        if known in wanted:
            data = git(folder, "cat-file", "blob", f"{commit}:{raw.decode('utf-8', 'surrogateescape')}")
            yield known, data.decode("utf-8", "replace").replace("\r\n", "\n")


def excerpt(whole: str, part: str) -> str | None:
    """The lines of a file that an excerpt shows with other values; None where they are not found."""
    lines, shown = whole.split("\n"), part.replace("\r\n", "\n").split("\n")
    places = defaultdict(list)
    for number, line in enumerate(lines):
        places[line].append(number)
    votes = Counter(
        at - number for number, line in enumerate(shown) if len(places[line]) <= RARE for at in places[line]
    ).most_common(ALIGNED)
    if not votes:
        return None
    found, shift = [], votes[0][0]
    for number, line in enumerate(shown):
        if line.strip():
            same = (each for each in (shift, *(each for each, _ in votes)) if _at(lines, number + each) == line)
            shift = next(same, shift)
        real = _at(lines, number + shift)
        found.append(
            real if line.strip() and abs(len(real) - len(line)) <= SPREAD else line
        )  # what is blank was left out
    return "\n".join(found)


def _at(lines: Sequence[str], number: int) -> str:
    return lines[number] if 0 <= number < len(lines) else ""


def again(documents: Sequence[Mapping[str, Any]], folder: Path, commit: str) -> Iterator[dict[str, Any]]:
    """The documents of one repository with the text that it has."""
    named = {PurePosixPath(each["path"]).stem: each for each in documents}
    for known, text in files(folder, commit, frozenset(named)):
        document = named[known]
        real = text if document["whole"] else excerpt(text, document["text"])
        if real is not None:
            yield {**document, "text": real}


def labelled(creddata: Path, known: str, folder: Path, commit: str) -> Iterator[dict[str, Any]]:
    """All documents of a repository, as the data set labels them."""
    rows = list(csv.DictReader(io.StringIO(git(creddata, "show", f"HEAD:meta/{known}.csv").decode())))
    paths = {row["FileID"]: row["FilePath"].partition("/")[2] for row in rows}
    for name, text in files(folder, commit, frozenset(paths)):
        labels = [_label(row) for row in rows if row["FileID"] == name and row["LineStart"]]
        yield {"path": paths[name], "whole": True, "text": text, "labels": labels}


def _label(row: Mapping[str, str]) -> dict[str, Any]:
    is_identifier = row["GroundTruth"] == "T" and row["Category"] in IDENTIFIERS
    return {
        "line_start": int(row["LineStart"]),
        "line_end": int(row["LineEnd"]),
        "value_start": int(row["ValueStart"]) if row["ValueStart"] else None,
        "value_end": int(row["ValueEnd"]) if row["ValueEnd"] else None,
        "label": "identifier" if is_identifier else LABELS[row["GroundTruth"]],
        "category": row["Category"].split(":"),
    }


def main() -> int:
    """Write the documents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("shared", "creddata", "mirrors", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--held-out", type=Path, metavar="LIST")
    options = parser.parse_args()
    documents = defaultdict(list)
    with gzip.open(options.shared / NAME, "rt", encoding="utf8") as stream:
        for line in stream:
            document = json.loads(line)
            documents[document["path"].partition("/")[0]].append(document)
    held = frozenset(options.held_out.read_text(encoding="utf8").split()) if options.held_out else frozenset()
    target = options.folder / NAME
    target.parent.mkdir(parents=True, exist_ok=True)
    count, missing = 0, []
    with gzip.open(target, "wt", encoding="utf8") as stream:
        for known, commit, name in snapshots(options.creddata):
            if (name not in held or known in documents) if held else known not in documents:
                continue
            folder = mirror(options.mirrors, name, commit)
            if folder is None:
                missing.append(name)
                continue
            made = (
                labelled(options.creddata, known, folder, commit) if held else again(documents[known], folder, commit)
            )
            for document in made:
                stream.write(json.dumps(document) + "\n")
                count += 1
    print(f"{count} documents; not there: {', '.join(missing) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
