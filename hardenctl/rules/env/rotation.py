"""What the rotation ledger says: credentials past their age, and one credential for two environments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from hardenctl.formats.rotation import RotationLedger, Stamp
from hardenctl.model.finding import Hit, Related, Severity, advice
from hardenctl.model.settings import Settings
from hardenctl.rules.declare import rule


@rule("env-rotation-due", on=RotationLedger, severity=Severity.LOW)
def env_rotation_due(ledger: RotationLedger, settings: Settings) -> Iterator[Hit]:
    """A credential is due for rotation.

    ## Why is this bad?
    The longer a credential lives, the more backups, logs and laptops hold it, and the less anybody dares to replace it.
    How old it may be is `rotation-days` in `[tool.hardenctl.secrets]`; the default is 90.
    The ledger `.hardenctl/rotation.json` is written by `hardenctl generate` and `hardenctl rotate`. It holds names,
    dates and salted fingerprints, no value, and belongs into git.

    One credential in two environments of one platform, or in the files of two, is named too, as `medium`: whoever has
    the one of staging has production.

    ## Example
    ```json title=".hardenctl/rotation.json"
    {"version": 1, "ledger": "00", "stamps": [
      {"key": "SECRET_KEY", "place": "github", "environment": "production", "kind": "secret-key",
       "date": "2020-01-31", "fingerprint": "00"}
    ]}
    ```

    ## Use instead
    `hardenctl rotate SECRET_KEY` makes a new one, delivers it to where the old one went, and notes the date.
    ```json title=".hardenctl/rotation.json"
    {"version": 1, "ledger": "00", "stamps": [
      {"key": "SECRET_KEY", "place": "github", "environment": "production", "kind": "secret-key",
       "date": "2999-01-31", "fingerprint": "00"}
    ]}
    ```

    ## References
    - https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
    """
    today = datetime.now(UTC).date()
    limit = settings.secrets.rotation_days
    for stamp in ledger.stamps:
        age = (today - stamp.date).days
        if age > limit:
            yield Hit(
                stamp.span,
                f"`{stamp.key}` at {_place(stamp)} is {age} days old; the policy allows {limit}",
                identity=f"{stamp.key} {stamp.place} {stamp.environment}",
                fix=advice(f"Rotate it: `hardenctl rotate {stamp.key}`"),
            )
    yield from _shared(ledger)


def _shared(ledger: RotationLedger) -> Iterator[Hit]:
    """A value in two environments. Names of environments compare within one platform only, and among files."""
    alike: dict[tuple[str, str], list[Stamp]] = defaultdict(list)
    for stamp in ledger.stamps:
        if stamp.environment:
            alike[stamp.place.partition(":")[0], stamp.fingerprint].append(stamp)
    for stamps in alike.values():
        other = next((each for each in stamps if each.environment != stamps[0].environment), None)
        if other is not None:
            first = stamps[0]
            yield Hit(
                other.span,
                f"`{other.key}` at {_place(other)} is the same credential as `{first.key}` at {_place(first)}",
                identity=f"shared {other.key} {other.place} {other.environment}",
                severity=Severity.MEDIUM,
                fix=advice(f"Give each environment its own: `hardenctl rotate {other.key}` with its destination"),
                related=(Related(first.span, "the same credential"),),
            )


def _place(stamp: Stamp) -> str:
    if stamp.place.startswith("file:"):
        return f"`{stamp.place.removeprefix('file:')}`"
    if stamp.place.startswith("target:"):
        return stamp.environment
    return stamp.place + (f" ({stamp.environment})" if stamp.environment else "")
