"""From settings in many deployments to one ruling: where is it bad, and what decides it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from hardenctl.formats.django.document import Deployment, DjangoSettings, Setting, Way
from hardenctl.formats.paths import is_dockerfile
from hardenctl.model.finding import Confidence, Fix, Hit, Related, Severity
from hardenctl.model.record import record, replace

Test = Callable[[Way], bool | None]  # whether it is bad; None where that is not known
_MEANT = frozenset(("production", "staging"))


@record
class Ruling:
    """`setting` is as `deployment`, where it is bad, has it. `fallback`: only where what overrules it is left out."""

    deployment: Deployment
    setting: Setting
    fallback: bool = False

    @property
    def by_files(self) -> bool:
        """Whether files of the repository set a variable that it was computed from."""
        return not self.setting.variables.isdisjoint(self.deployment.places)

    @property
    def names(self) -> str:
        """The variables that decide it, as a message names them; empty where none does."""
        return ", ".join(f"`{each}`" for each in sorted(self.setting.variables))

    @property
    def confidence(self) -> Confidence:
        """Proven where no variable takes part."""
        return Confidence.LIKELY if self.setting.variables else Confidence.PROVEN


def answer(deployment: Deployment, test: Test) -> bool | None:
    """What a test says of a deployment; None where it depends on what is not known."""
    answers = {test(way) for way in deployment.ways}
    return answers.pop() if len(answers) == 1 else None


def counted(settings: DjangoSettings) -> Iterator[Deployment]:
    """The deployments that are none of development: what a file named after production sets is always production's."""
    for each in settings.deployments:
        if each.environment != "development" or each.files in _MEANT:
            yield each


def exposed(settings: DjangoSettings, name: str) -> Iterator[Deployment]:
    """As `counted`, and where nothing is set or an image sets the variable: a switch names its own world."""
    known = [*counted(settings)]
    for each in settings.deployments:
        used = {variable for way in each.ways if name in way for variable in way[name].variables}
        in_image = any(is_dockerfile(each.places[one].path) for one in used & each.places.keys())
        if each in known or each.unset or (in_image and not each.files):
            yield each


def anywhere(settings: DjangoSettings, name: str, deployments: Collection[Deployment], test: Test) -> Ruling | None:
    """The ruling on what must not be so in any deployment; a file's doing first.

    What only a default says, or a file that names no environment, weighs less where a better file overrules it.
    """
    rulings = [Ruling(each, each.ways[0][name]) for each in deployments if answer(each, test)]
    if not rulings:
        return None
    set_so = [each for each in rulings if each.by_files]
    unset = [each for each in rulings if each.deployment.unset]
    worst = next((each for each in set_so if each.deployment.files in _MEANT), [*set_so, *unset, *rulings][0])
    good = [each for each in counted(settings) if answer(each, test) is not True and each.ways]
    overruled = any(
        not worst.setting.variables.isdisjoint(each.places) and (not worst.by_files or each.files in _MEANT)
        for each in good
    )
    return replace(worst, fallback=overruled and worst.deployment.files not in _MEANT)


def everywhere(settings: DjangoSettings, test: Test) -> Way | None:
    """Settings of one deployment, where all that count are bad."""
    deployments = [*counted(settings)]
    if deployments and all(answer(each, test) for each in deployments):
        return deployments[0].ways[0]
    return None


def lists(way: Way, name: str, *words: str) -> bool | None:
    """Whether a setting's list has an entry whose last part holds one of these words. None where that isn't known."""
    setting = way.get(name)
    if setting is None:
        return None
    if any(word in each.rpartition(".")[2] for each in setting.entries for word in words):
        return True
    return None if setting.open_ended or not (setting.known or setting.entries) else False


def is_on(way: Way, name: str, *, otherwise: bool) -> bool | None:
    """Whether a switch is on, as Python takes it (the text `"False"` is); None where that isn't known."""
    setting = way.get(name)
    if setting is None:
        return otherwise
    return bool(setting.data) if setting.known else None


def chosen(settings: DjangoSettings) -> tuple[Related, ...]:
    """Where a file says that production uses this module."""
    return (Related(settings.chosen, "production uses this settings module"),) if settings.chosen is not None else ()


def tell(
    settings: DjangoSettings,
    setting: Setting | None,
    message: str,
    identity: str,
    *,
    fix: Fix,
    severity: Severity | None = None,
    confidence: Confidence | None = None,
    related: tuple[Related, ...] = (),
    secret: str | None = None,
) -> Hit:
    """The hit: at the line that gives the setting, else at the top of the module."""
    sure = Confidence.PROVEN if setting is not None and not setting.variables else Confidence.LIKELY
    confidence = sure if confidence is None else confidence
    return Hit(
        settings.top if setting is None else setting.span,
        message,
        identity=identity,
        fix=fix,
        severity=severity,
        confidence=Confidence.POSSIBLE if settings.open_ended else confidence,
        related=(*related, *chosen(settings)),
        secret=secret,
    )
