"""The baseline: findings accepted for now, known by content and not by place.

`.hardenctl-baseline.json` holds one finding a line, sorted by fingerprint, so that two branches rarely touch the same
place of it. Rule and path are for people; only the fingerprint decides. It holds no value: fingerprints of secrets are
slow salted hashes, and the salt, random and the baseline's own, makes them the same on every machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from hardenctl.model.errors import PolicyError
from hardenctl.model.files import read_small, replace_file, top_of, usual_mode
from hardenctl.model.finding import Finding, fingerprint
from hardenctl.model.record import record, replace

BASELINE = ".hardenctl-baseline.json"
VERSION = 1


@record(order=True)
class Entry:
    """An accepted finding."""

    fingerprint: str
    rule: str
    path: str

    @classmethod
    def of(cls, finding: Finding) -> Entry:
        """The entry that accepts a finding."""
        return cls(finding.fingerprint, finding.rule, finding.location.path)


@record
class Baseline:
    """Accepted findings and the salt their fingerprints were made with."""

    salt: bytes
    entries: tuple[Entry, ...] = ()

    @property
    def fingerprints(self) -> frozenset[str]:
        """What `judge` asks."""
        return frozenset(each.fingerprint for each in self.entries)


@record
class Update:
    """What an update makes of a baseline: what stays, what followed a rename, what is gone, what is new."""

    baseline: Baseline
    moved: tuple[Entry, ...]
    dropped: tuple[Entry, ...]
    new: tuple[Entry, ...]


def new_baseline() -> Baseline:
    """An empty baseline with a salt of its own."""
    import secrets  # here: a hook run does without it

    return Baseline(secrets.token_bytes(16))


def accept(baseline: Baseline, findings: Iterable[Finding]) -> Baseline:
    """The baseline that accepts exactly these findings."""
    return replace(baseline, entries=_sorted(map(Entry.of, findings)))


def with_entries(baseline: Baseline, entries: Iterable[Entry]) -> Baseline:
    """The baseline with these entries besides its own."""
    return replace(baseline, entries=_sorted([*baseline.entries, *entries]))


def update(
    baseline: Baseline,
    findings: Iterable[Finding],
    *,
    renamed: Mapping[str, str] | None = None,
    unseen: Collection[str] = (),
    add: bool = False,
) -> Update:
    """Keep what is still found, follow renames, drop what is gone; take in what is new only if `add`.

    `renamed` maps a new path to its old one. `unseen` are the paths of gaps: what could not be looked at (`.` stands
    for all of it) is not gone.
    """
    findings = tuple(findings)
    accepted = baseline.fingerprints
    kept, moved, new, followed = [], [], [], set()
    for finding in findings:
        entry = Entry.of(finding)
        before = (renamed or {}).get(entry.path)
        former = fingerprint(finding.rule, before, finding.identity) if before else None
        if entry.fingerprint in accepted:
            kept.append(entry)
        elif former in accepted:
            moved.append(entry)
            followed.add(former)
        else:
            new.append(entry)
    present = {each.fingerprint for each in kept} | followed
    kept += [each for each in baseline.entries if each.fingerprint not in present and ({each.path, "."} & {*unseen})]
    present.update(each.fingerprint for each in kept)
    return Update(
        replace(baseline, entries=_sorted([*kept, *moved, *(new if add else ())])),
        _sorted(moved),
        tuple(each for each in baseline.entries if each.fingerprint not in present),
        _sorted(new),
    )


def load_baseline(root: Path, file: Path | None = None) -> Baseline | None:
    """The baseline of a project, or the named one; None where the project has none. Raises PolicyError."""
    path = file or root / BASELINE
    shown = path.name if file is None else str(file)
    try:
        data = read_small(path, top_of(root) if file is None else None)
    except FileNotFoundError:
        if file is None:
            return None
        raise PolicyError(f"there is no baseline `{shown}`", help="`hardenctl baseline create` makes one") from None
    except OSError as error:
        raise PolicyError(f"{shown}: {error.strerror or 'cannot be read'}", help="put a readable file there") from None
    import json  # here and below: a hook run without a baseline does without it

    try:
        return _baseline(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        conflict = b"\n<<<<<<< " in data
        what = "holds the marks of a merge conflict" if conflict else "is no baseline of version 1"
        help_ = "keep the lines of both sides" if conflict else "`hardenctl baseline create` makes a new one"
        raise PolicyError(f"{shown}: {what}", help=help_) from None


def save_baseline(baseline: Baseline, file: Path) -> None:
    """Write a baseline, atomically. Raises PolicyError where that can't be done."""
    import json

    lines = ",\n".join(
        "    " + json.dumps({"fingerprint": each.fingerprint, "rule": each.rule, "path": each.path}, ensure_ascii=False)
        for each in _sorted(baseline.entries)
    )
    listed = f"[\n{lines}\n  ]" if lines else "[]"
    text = f'{{\n  "version": {VERSION},\n  "salt": "{baseline.salt.hex()}",\n  "findings": {listed}\n}}\n'
    try:
        mode = file.stat().st_mode & 0o777 if file.exists() else usual_mode()
        replace_file(file, text.encode("utf-8", "surrogateescape"), mode)
    except OSError as error:
        raise PolicyError(f"{file}: {error.strerror or 'cannot be written'}", help="make the folder writable") from None


def _baseline(data: Any) -> Baseline:
    if data["version"] != VERSION:
        raise ValueError
    entries = [Entry(each["fingerprint"], each["rule"], each["path"]) for each in data["findings"]]
    if not all(isinstance(value, str) for each in entries for value in (each.fingerprint, each.rule, each.path)):
        raise TypeError
    return Baseline(bytes.fromhex(data["salt"]), _sorted(entries))


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Sorted, one a fingerprint: the same secret in two files is one leak."""
    by_fingerprint = {each.fingerprint: each for each in sorted(entries, reverse=True)}
    return tuple(sorted(by_fingerprint.values()))
