"""Stamps in the rotation ledger: what was made, where it went, and when."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hardenctl.formats.paths import LEDGER, environment_of
from hardenctl.formats.rotation import RotationLedger, Stamp, parse_ledger, write_ledger
from hardenctl.generate.private import read_private
from hardenctl.model.errors import SourceError
from hardenctl.sources.git import find_top

FILE = "file:"
TARGET = "target:"  # of the policy


@dataclass(frozen=True, slots=True)
class Place:
    """Where a credential is: a platform and its environment, a target of the policy, or a file."""

    name: str
    environment: str = ""

    @property
    def path(self) -> str | None:
        """The file's path from the project's top; None for a platform."""
        return self.name.removeprefix(FILE) if self.name.startswith(FILE) else None

    @property
    def target(self) -> str | None:
        """The name of the policy's target; None for a platform or a file."""
        return self.name.removeprefix(TARGET) if self.name.startswith(TARGET) else None

    def __str__(self) -> str:
        return self.path or self.target or self.name + (f" ({self.environment})" if self.environment else "")


class Ledger:
    """The ledger of the project that a folder belongs to: the repository's, else the folder's own."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read it. Raises DocumentError where it is damaged: before anything is made."""
        here = Path(os.path.realpath(folder or Path()))
        self.top = find_top(here) or here
        self.path = self.top / LEDGER
        text = read_private(self.path, self.top)
        self.ledger = RotationLedger(LEDGER, secrets.token_hex(16), ()) if text is None else parse_ledger(text)

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """What was stamped so far."""
        return self.ledger.stamps

    def place_of(self, path: Path) -> Place:
        """The place that a file is."""
        relative = Path(os.path.relpath(os.path.realpath(path), self.top)).as_posix()
        return Place(FILE + relative, environment_of(relative) or "")

    def of_key(self, key: str) -> list[Stamp]:
        """The stamps of one key."""
        return [each for each in self.stamps if each.key == key]

    def has(self, key: str, place: Place, value: str) -> bool:
        """Whether this very value was delivered there."""
        return any(
            Place(each.place, each.environment) == place and each.fingerprint == self._fingerprint(value)
            for each in self.of_key(key)
        )

    def stamp(self, key: str, place: Place, value: str, kind: str) -> None:
        """Note a delivery of today (UTC). Raises SourceError, which says that the credential has arrived."""
        self.stamp_all([(key, value, kind)], place)

    def stamp_all(self, made: Iterable[tuple[str, str, str]], place: Place) -> None:
        """Note several deliveries to one place: key, value and kind of each."""
        today = datetime.now(UTC).date()
        fresh = [
            Stamp(key, place.name, place.environment, kind, today, self._fingerprint(value))
            for key, value, kind in made
        ]
        if not fresh:
            return
        replaced = {(each.key, each.place, each.environment) for each in fresh}
        kept = [each for each in self.stamps if (each.key, each.place, each.environment) not in replaced]
        self.ledger = RotationLedger(LEDGER, self.ledger.nonce, (*kept, *fresh))
        text = write_ledger(self.ledger)
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(exist_ok=True)
            temporary.write_text(text, encoding="utf-8", newline="\n")
            os.replace(temporary, self.path)  # noqa: PTH105 - the name every reader of this code knows
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            names = ", ".join(each.key for each in fresh)
            raise SourceError(
                f"{names} arrived at {place}, but `{LEDGER}` cannot be written: {error.strerror}",
                help="check the folder; the date of this rotation is not noted",
            ) from None

    def _fingerprint(self, value: str) -> str:
        """Slow and salted: nobody can try values, not even where a policy allows weak ones."""
        salt = self.ledger.nonce.encode()
        return hashlib.scrypt(value.encode(), salt=salt, n=1024, r=8, p=1, dklen=16).hex()
