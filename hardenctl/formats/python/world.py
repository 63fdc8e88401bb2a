"""Worlds: which environment variables are set, and which way each undecided branch goes; and how they are planned."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hardenctl.model.text import Span

RUNS = 12  # undecided branches are followed both ways until this many runs of one world

_SELECTOR = re.compile(
    r"(?:^|_)(?:ENV|ENVIRONMENT|STAGE|DEPLOYMENT|DEPLOY_ENV|RUNTIME_ENV|APP_MODE|RUN_MODE|MODE|TIER|PROFILE)$"
    r"|^(?:ENV|ENVIRONMENT)_"
)
_SWITCH = re.compile(r"(?:^|_)(?:DEBUG|DEV|DEVELOPMENT|DEV_MODE|IS_DEV|LOCAL|IS_LOCAL|TESTING|DEVMODE)$")
_REVERSED = re.compile(r"(?:^|_)(?:PRODUCTION|IS_PROD|PROD|IS_PRODUCTION)$")
_PRODUCTION = frozenset({"production", "prod", "prd", "live"})
_NAMES = {
    **dict.fromkeys(("dev", "develop", "development", "local", "localhost", "debug", "devel"), "development"),
    **dict.fromkeys(("test", "tests", "testing", "ci", "pytest", "unittest"), "development"),
    **dict.fromkeys(_PRODUCTION, "production"),
    **dict.fromkeys(("stage", "staging", "stg", "uat", "preprod", "preview"), "staging"),
}
# A variable that is compared with one of these says which environment it is. (`debug` may be a log level.)
_TELLING = _PRODUCTION | {"development", "dev", "staging", "local"}
_SWITCHED = frozenset({"true", "false", "0", "1"})
TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})


def environment_name(word: str) -> str:
    """The usual name of an environment (`dev` and `local` are development), the word itself where there is none."""
    return _NAMES.get(word.lower(), word.lower())


@dataclass(frozen=True, slots=True)
class Configured:
    """A value that a file of the repository gives a variable, None for one that only the deployment knows.

    `environment` is which deployment the file is for, empty for none in particular. `taken_by` is where another file
    takes this one: a compose service's `env_file`.
    """

    value: str | None
    span: Span
    environment: str = ""
    taken_by: Span | None = None


@dataclass(frozen=True, slots=True)
class World:
    """`environment` names the deployment; `spans` says which file set a variable (forced selectors have none).

    `files` is the environment that the names of those files say, empty for none: what a switch in one of them says of
    itself is another matter.
    """

    environment: str
    variables: Mapping[str, str | None] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)
    taken_by: Mapping[str, Span] = field(default_factory=dict)
    files: str = ""

    @property
    def configured(self) -> frozenset[str]:
        """The variables that files of the repository set."""
        return frozenset(self.spans)


@dataclass
class Reads:
    """What runs asked of the environment: the defaults of each variable read, and the constants it met."""

    defaults: dict[str, set[str]] = field(default_factory=dict)
    compared: dict[str, set[str]] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)  # read without a default: the program does not start without them

    def size(self) -> int:
        """Grows with everything learnt."""
        return len(self.defaults) + len(self.required) + sum(map(len, self.compared.values()))


@dataclass
class Choices:
    """The way taken at each undecided branch of one run; replayed, then extended with False."""

    taken: dict[str, bool]
    order: list[str] = field(default_factory=list)

    def choose(self, key: str) -> bool:
        """Which way to go on this unknown; the same way each time."""
        if key not in self.taken:
            self.taken[key] = True
        if key not in self.order:
            self.order.append(key)
        return self.taken[key]


def explore(run: Callable[[Choices], None], enough: Callable[[], bool] = lambda: False) -> bool:
    """Run once for every combination of undecided branches. False where there were too many to follow them all.

    `enough` is asked before each run but the first; its yes ends the exploration.
    """
    waiting: list[dict[str, bool]] = [{}]
    for number in range(RUNS):
        if not waiting:
            return True
        if number and enough():
            return False
        given = waiting.pop(0)
        choices = Choices(dict(given))
        run(choices)
        fresh = [key for key in choices.order if key not in given]
        for index, key in enumerate(fresh[: RUNS + 1 - len(waiting)]):  # no more of them can come to a run
            waiting.append({**given, **{each: choices.taken[each] for each in fresh[:index]}, key: False})
    return not waiting


def plan(reads: Reads, configured: Mapping[str, Sequence[Configured]]) -> Iterator[World]:
    """The worlds worth a run: nothing set, production, each environment the code names, each the repository sets up."""
    selectors = [name for name in sorted(reads.defaults) if _selects(name, reads)]
    switches = [name for name in sorted(reads.defaults) if _SWITCH.search(name) or _REVERSED.search(name)]
    if reads.required.isdisjoint([*selectors, *switches]):
        yield World(_default_environment(reads, selectors, switches))
    production = {**_forced(reads, selectors, "production"), **_switched(reads, switches, on=False)}
    if selectors or switches:
        yield World("production", production)
        yield World("development", {**_forced(reads, selectors, "development"), **_switched(reads, switches, on=True)})
    for selector in selectors:
        for word in sorted(reads.compared.get(selector, ())):
            name = environment_name(word)
            if word != production.get(selector) and name != "development":
                yield World(name, {**production, selector: word})
    relevant = {name: configured[name] for name in reads.defaults if configured.get(name)}
    for environment in sorted({each.environment for values in relevant.values() for each in values}):
        chosen = {name: _pick(values, environment) for name, values in relevant.items()}
        files = {name: each for name, each in chosen.items() if each is not None}
        named = next((each.value for name in selectors if (each := files.get(name)) and each.value), environment)
        label = environment_name(named) if named else "production"
        values = {name: (each.value or "").lower() for name, each in files.items()}
        if any(values.get(name) in TRUE for name in switches if _SWITCH.search(name)):
            label = "development" if not any(name in files for name in selectors) else label
        forced = production if label == "production" else {}
        yield World(
            label,
            {**forced, **{name: each.value for name, each in files.items()}},
            {name: each.span for name, each in files.items()},
            {name: each.taken_by for name, each in files.items() if each.taken_by is not None},
            environment,
        )


def _selects(name: str, reads: Reads) -> bool:
    """Whether a variable says which environment it is, by its name or by what it is compared with."""
    if _SWITCH.search(name) or _REVERSED.search(name):
        return False
    words = reads.compared.get(name, set())
    if reads.defaults[name] and all(each.lower() in _SWITCHED for each in reads.defaults[name]) and not words:
        return False  # `MAINTENANCE_MODE=false`
    return bool(_SELECTOR.search(name)) or any(word.lower() in _TELLING for word in words)


def _pick(values: Sequence[Configured], environment: str) -> Configured | None:
    """The value for an environment; the one of a file for no environment in particular otherwise."""
    own = [each for each in values if each.environment == environment]
    general = [each for each in values if not each.environment]
    return own[-1] if own else general[-1] if general else None


def _default_environment(reads: Reads, selectors: Sequence[str], switches: Sequence[str]) -> str:
    """What the code takes itself for when nothing is set; empty where it says nothing."""
    for name in selectors:
        for default in reads.defaults[name]:
            if default:
                return environment_name(default)
    for name in switches:
        on = any(default.lower() in TRUE for default in reads.defaults[name])
        if on and _SWITCH.search(name):
            return "development"
    return ""


def _forced(reads: Reads, selectors: Sequence[str], environment: str) -> dict[str, str]:
    """Selectors set to the word the code itself uses for an environment."""
    chosen = {}
    for name in selectors:
        words = sorted(word for word in reads.compared.get(name, ()) if environment_name(word) == environment)
        chosen[name] = words[0] if words else environment
    return chosen


def _switched(reads: Reads, switches: Sequence[str], *, on: bool) -> dict[str, str]:
    """Debug switches on or off; one that is as wanted by default stays unset."""
    chosen = {}
    for name in switches:
        wanted = on if _SWITCH.search(name) else not on
        defaults = {default.lower() for default in reads.defaults[name]}
        if wanted != bool(defaults & TRUE) or name in reads.required:
            words = reads.compared.get(name, set())
            digits = any(word in {"0", "1"} for word in words) and "true" not in map(str.lower, words)
            capital = any(word in {"True", "False"} for word in words)
            chosen[name] = (
                ("1" if wanted else "0") if digits else str(wanted) if capital or not words else str(wanted).lower()
            )
    return chosen
