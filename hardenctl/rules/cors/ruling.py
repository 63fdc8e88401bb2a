"""From outcomes in many worlds to one ruling: is it bad, how sure are we, and what decides it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hardenctl.formats.cors.document import CorsSetup, Outcome
from hardenctl.model.finding import Confidence, Related
from hardenctl.model.settings import CorsSettings
from hardenctl.model.text import Span

Test = Callable[[Outcome], str | None]


@dataclass(frozen=True, slots=True)
class Ruling:
    """`evidence` is what the test found in `outcome`. `fallback`: only where a variable that is set stays unset."""

    outcome: Outcome
    evidence: str
    confidence: Confidence
    fallback: bool = False

    @property
    def decided_by(self) -> str:
        """A clause about the variables that decide it; empty where none does."""
        names = ", ".join(f"`{name}`" for name in sorted(self.outcome.variables))
        if not names:
            where = self.outcome.environment
            return f" (in {where})" if where and self.confidence is not Confidence.PROVEN else ""
        several = len(self.outcome.variables) > 1
        decides, it = ("decide", "them") if several else ("decides", "it")
        its = "what holds without them" if several else "its default"
        if self.outcome.decided_by_files:
            return f" ({names} {decides}, and {_files(self.outcome)} sets {it} so)"
        return f" ({names} {decides}, and {its} does)"


def judge(setup: CorsSetup, settings: CorsSettings, test: Test) -> Ruling | None:
    """Apply a test to every outcome that counts: where the application starts, outside development."""
    counted = [each for each in outcomes(setup, settings) if each.starts]
    bad = [(each, evidence) for each in counted if (evidence := test(each)) is not None]
    if not bad:
        return None
    by_files = [(each, evidence) for each, evidence in bad if each.decided_by_files]
    if by_files:
        return Ruling(*by_files[0], Confidence.LIKELY)
    first = next((pair for pair in bad if not pair[0].unset), bad[0])
    if len(bad) == len(counted):
        certain = not any(each.variables for each, _ in bad)
        return Ruling(*first, Confidence.PROVEN if certain else Confidence.LIKELY)
    worse = [each for each, _ in bad]
    # What could not be worked out is no proof that a configured value is good.
    good = [each for each in counted if each not in worse and not each.unresolved]
    only_unset = all(each.unset for each in worse) and any(not each.unset for each in good)
    only_default = any(each.decided_by_files for each in good) and all(each.variables for each in worse)
    falls_back = only_unset or only_default
    return Ruling(*first, Confidence.LIKELY, fallback=falls_back)


def outcomes(setup: CorsSetup, settings: CorsSettings) -> list[Outcome]:
    """The outcomes outside the environments in which policy accepts a wildcard."""
    return [each for each in setup.outcomes if each.environment not in settings.wildcard_environments]


def place(setup: CorsSetup, *names: str) -> Span:
    """Where the first of these settings is given, else the whole set-up."""
    return next((setup.arguments[name].span for name in names if name in setup.arguments), setup.span)


def related(setup: CorsSetup, ruling: Ruling, *names: str) -> tuple[Related, ...]:
    """The chain behind a value: the files that set it, and the literal it goes back to where that stands elsewhere."""
    found = list(ruling.outcome.related)
    for name in names:
        argument = setup.arguments.get(name)
        if argument is None or argument.source is None:
            continue
        inside = argument.source.span.path == setup.path and (
            setup.span.start <= argument.source.span.start < setup.span.end
        )
        if not inside:
            found.append(Related(argument.source.span, "the value is written here"))
    return tuple(found)


def identity(setup: CorsSetup) -> str:
    """Tells the set-ups of one file apart without line numbers."""
    return ":".join(part for part in (setup.library, setup.name, setup.scope) if part)


def covered(setup: CorsSetup) -> str:
    """A clause naming the paths a set-up covers; empty for all."""
    return f" for `{setup.scope}`" if setup.scope else " on one route" if setup.single_route else ""


def _files(outcome: Outcome) -> str:
    return ", ".join(sorted({each.span.path for each in outcome.related})) or "a file of the repository"
