"""`hardenctl import detect-secrets|gitleaks`: take over what another tool was told to accept.

Their files know places or other hashes; ours knows content. So each entry is looked up in the file it is about, and
accepted only where the very secret is still found. What can't be matched is said and stays open.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hardenctl.cli.auditing import root_of, show
from hardenctl.cli.request import Request
from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.stamp import Stamper
from hardenctl.model.blob import Blob, Provenance
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.model.files import read_small, top_of
from hardenctl.model.finding import Hit
from hardenctl.policy.baseline import BASELINE, Entry, load_baseline, new_baseline, save_baseline, with_entries
from hardenctl.policy.load import is_gitleaks
from hardenctl.report.style import visible
from hardenctl.rules import RULES
from hardenctl.rules.declare import DocumentRule, Rule
from hardenctl.sources import open_source
from hardenctl.sources.git import Git

app = typer.Typer(help="Take over another tool's baseline.", no_args_is_help=True, rich_markup_mode=None)

PathArgument = Annotated[str, typer.Argument(help="The project's folder.", metavar="[PATH]")]
FileOption = Annotated[str | None, typer.Option("--file", metavar="FILE", help="The other tool's file.")]

_TOKEN = re.compile(r"[^\s\"'`=:,;()\[\]{}<>]+|[^\s\"'`]+|\"[^\"]*\"|'[^']*'")
_IGNORED = re.compile(r"(?:(?P<commit>[0-9a-f]{7,64}):)?(?P<path>[^:]+):(?P<rule>[\w-]+):(?P<line>\d+)")


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry of another tool: a secret in a file, known by its SHA-1 or its line, in a commit or on disk."""

    path: str
    sha1: str = ""
    line: int = 0
    commit: str = ""
    real: bool = False  # the other tool's users said that it is a real secret

    @property
    def shown(self) -> str:
        """The entry for people."""
        return visible(f"{self.path}:{self.line}" if self.line else self.path)


@app.callback()
def group() -> None:
    """Take over another tool's baseline."""


@app.command("detect-secrets")
def detect_secrets_(path: PathArgument = ".", file: FileOption = None) -> int:
    """Take over .secrets.baseline (slim ones too). Exit code 1 if entries could not be matched."""
    return _take_over(path, file, ".secrets.baseline", _of_detect_secrets)


@app.command()
def gitleaks(path: PathArgument = ".", file: FileOption = None) -> int:
    """Take over .gitleaksignore, entries about commits too. Exit code 1 if entries could not be matched."""
    return _take_over(path, file, ".gitleaksignore", _of_gitleaks)


def _take_over(path: str, file: str | None, name: str, read: Callable[[str], Iterator[Accepted]]) -> int:
    root = root_of(Request(paths=(path,)))
    theirs = Path(file) if file else root / name
    if is_gitleaks(theirs.name):
        raise UsageError(
            f"{theirs.name} holds rules, not accepted findings",
            help=f'the policy reads it: write `extends = ["{theirs.name}"]` there',
        )
    try:
        data = read_small(theirs, None if file else top_of(root))
        entries = list(read(data.decode("utf-8", "replace").replace("\r\n", "\n")))
    except OSError as error:
        raise UsageError(
            f"{theirs}: {error.strerror}", help=f"name the file with --file; {name} is the default"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{theirs} is not a {name}", help="name the right file with --file") from None
    ours = root / BASELINE
    baseline = load_baseline(root) or new_baseline()
    snapshot = open_source([path]).snapshot()
    stamper = Stamper(baseline.salt)
    matched: list[Entry] = []
    lines: list[str] = []
    real = {(each.path, each.sha1) for each in entries if each.real}  # one secret may have several entries
    for entry in entries:
        if (entry.path, entry.sha1) in real:
            lines.append(f"not accepted, marked as a real secret: {entry.shown}\n")
            continue
        blob = _at_commit(root, entry) if entry.commit else snapshot.read(entry.path) if snapshot else None
        found = [Entry.of(stamper.stamp(rule, hit, blob)) for rule, hit in _hits(blob, entry)] if blob else []
        matched += found
        if not found:
            reason = "no secret is found there" if blob else "there is no such file"
            lines.append(f"not accepted, {reason}: {entry.shown}\n")
    left_out = len(lines)
    if matched:
        save_baseline(with_entries(baseline, matched), ours)
    kept = len({each.fingerprint for each in matched})
    lines.append(
        f"{BASELINE}: {len(entries) - left_out} of {len(entries)} entries taken over, {kept} different secrets\n"
    )
    show("".join(lines))
    return 1 if left_out else 0


def _hits(blob: Blob, entry: Accepted) -> Iterator[tuple[Rule, Hit]]:
    """The secrets in a file that an entry is about."""
    ids = frozenset(each.id for each in RULES if not isinstance(each, DocumentRule))
    for rule, hit in detect_secrets(blob, ids):
        first = blob.lines.position(hit.span.start).line
        last = blob.lines.position(hit.span.end).line
        if entry.sha1:
            if entry.sha1 in _hashes(hit.secret or "", *map(blob.lines.line, range(first, min(last, first + 2) + 1))):
                yield rule, hit
        elif first <= entry.line <= last:
            yield rule, hit


def _hashes(*texts: str) -> Iterator[str]:
    """The SHA-1 of a secret and of each word beside it: detect-secrets cuts some secrets out differently."""
    for text in texts:
        for word in (text, *_TOKEN.findall(text)):
            for form in {word, word.strip("\"'"), word.strip("-")}:
                yield hashlib.sha1(form.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _at_commit(root: Path, entry: Accepted) -> Blob | None:
    try:
        data = Git(root).run("cat-file", "blob", f"{entry.commit}:./{entry.path}")
    except SourceError:
        return None
    return Blob(Provenance(entry.path), data)


def _of_detect_secrets(text: str) -> Iterator[Accepted]:
    data: Any = json.loads(text)
    for path, entries in data["results"].items():
        for each in entries:
            real = each.get("is_secret") is True
            yield Accepted(path.replace("\\", "/"), each["hashed_secret"], each.get("line_number", 0), real=real)


def _of_gitleaks(text: str) -> Iterator[Accepted]:
    for line in text.splitlines():
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        match = _IGNORED.fullmatch(entry)
        if not match:
            raise ValueError
        yield Accepted(match["path"], line=int(match["line"]), commit=match["commit"] or "")
