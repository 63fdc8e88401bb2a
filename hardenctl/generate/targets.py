"""Where `--push NAME` leads: a target of the policy, which is one environment's, or a platform."""

from __future__ import annotations

from hardenctl.generate.platforms import Destination
from hardenctl.generate.stamps import TARGET, Place
from hardenctl.model.errors import UsageError
from hardenctl.model.nearest import nearest
from hardenctl.model.settings import SecretSettings


def place_named(name: str, environment: str, settings: SecretSettings) -> Place:
    """The place of a `--push` and its `--environment`. Raises UsageError for a target with an environment beside it."""
    if name not in settings.targets:
        return Place(name, environment)
    if environment:
        raise UsageError(
            f"`{name}` is a target of the policy, which says its environment", help="leave out --environment"
        )
    return Place(TARGET + name, name)


def destination_of(place: Place, key: str, settings: SecretSettings) -> Destination:
    """A key's destination at a place that is no file. Raises UsageError where the policy no longer has the target."""
    if place.target is None:
        return Destination(place.name, key, place.environment)
    target = settings.targets.get(place.target)
    if target is None:
        raise UsageError(
            f"the policy has no target `{place.target}`",
            help=nearest(place.target, settings.targets) or "add it to [tool.hardenctl.secrets.targets]",
        )
    return Destination(target.platform, target.key.replace("{key}", key) if key else "", target.environment)
