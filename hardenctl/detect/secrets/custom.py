"""What a project says of credentials itself: rules of its own, and what is allowed."""

from __future__ import annotations

import contextlib
import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from hardenctl.detect.patience import TooSlow, at_most
from hardenctl.detect.secrets.cache import database
from hardenctl.detect.secrets.features import entropy
from hardenctl.detect.secrets.matcher import SMALL
from hardenctl.model.blob import Blob
from hardenctl.model.finding import Hit, Severity
from hardenctl.model.glob import glob_match
from hardenctl.model.record import field, record
from hardenctl.model.settings import AllowedSecret, CustomSecret
from hardenctl.rules.declare import Rule
from hardenctl.rules.secrets import generic
from hardenctl.rules.secrets.declare import SecretRule

MOST = 500  # places that one rule is told to have in one file
PATIENCE = 5.0  # seconds of processor time that one expression of the policy may take in one file
TRIES = 3  # times that one may take longer, before it is tried in no other file
_SINGLE_MATCH = 8  # HS_FLAG_SINGLEMATCH
_AROUND = 4000  # characters before and after a secret in which its rule's match is looked for again


@record(slots=False)
class CustomRule(SecretRule):
    """A rule of the project's own, as the pipeline runs it: the one rule `secret-custom` in many kinds."""

    definition: CustomSecret = field(default=CustomSecret("", ""))

    @functools.cached_property
    def regex(self) -> re.Pattern[str]:
        """`pattern`, compiled as all of a policy's are."""
        return compiled(self.pattern)

    def concerns(self, path: str) -> bool:
        """Whether it is looked for in a file."""
        own = self.definition
        return (not own.paths or any(glob_match(path, each) for each in own.paths)) and (
            not own.path_pattern or compiled(own.path_pattern).search(path) is not None
        )

    def place(self, match: re.Match[str]) -> tuple[int, int]:
        """The group named `secret`, else the one given, else the first that took part, else all of it."""
        if "secret" in match.re.groupindex and match["secret"] is not None:
            return match.span("secret")
        if self.definition.group:
            return match.span(self.definition.group)
        return next((match.span(each) for each in range(1, (match.re.groups or 0) + 1) if match[each]), match.span())


@functools.lru_cache(maxsize=4)
def custom_rules(custom: tuple[CustomSecret, ...]) -> tuple[CustomRule, ...]:
    """The rules of a project's definitions."""
    return tuple(map(_rule, custom))


def custom_matches(
    text: str, path: str, custom: tuple[CustomSecret, ...], reached: list[str] | None = None
) -> Iterator[tuple[CustomRule, int, int]]:
    """Where a project's own rules find something: the rule, and the credential's place.

    With `reached`, which takes what was left out, each rule has a bound of matches: masking has none. One that takes
    too long in a file has found nothing in it, or, for masking, all of it.
    """
    present = _words(custom).present(text) if custom else frozenset()
    for rule in custom_rules(custom):
        if not rule.keywords or not present.isdisjoint(rule.keywords):
            name = f"the policy's rule `{rule.definition.id}`"
            try:
                places = _places(rule, text, path, None if reached is None else MOST)
            except TooSlow:
                if reached is None:
                    places = [(0, len(text))]
                else:
                    places = []
                    reached.append(f"{name} takes too long: nothing was looked for with it")
            if reached is not None and len(places) > MOST:
                reached.append(f"more than {MOST} matches of {name} in it")
                del places[MOST:]
            yield from ((rule, start, end) for start, end in places)


def _places(rule: CustomRule, text: str, path: str, most: int | None) -> list[tuple[int, int]]:
    """Where a rule finds something: one more place than `most`, if there are as many. Raises TooSlow."""
    found = []
    with _patience(rule.definition):
        for match in rule.regex.finditer(text) if rule.concerns(path) else ():
            start, end = rule.place(match)
            if start < end and not (rule.floor and entropy(text[start:end]) <= rule.floor):
                found.append((start, end))
                if most is not None and len(found) > most:
                    break
    return found


_slow: Counter[CustomSecret | AllowedSecret] = Counter()


@contextlib.contextmanager
def _patience(asked: CustomSecret | AllowedSecret) -> Iterator[None]:
    """Let expressions of the policy run so long, and not again and again. Raises TooSlow."""
    if _slow[asked] >= TRIES:
        raise TooSlow
    try:
        with at_most(PATIENCE):
            yield
    except TooSlow:
        _slow[asked] += 1
        raise


@record(slots=False, frozen=False)
class Words:
    """Which of some words, in lower case, a text holds in any case.

    One after the other for the first `budget` bytes of a process, hyperscan for the rest: there may be hundreds.
    """

    words: tuple[str, ...]
    budget: int = SMALL
    database: Any = None
    settled: bool = False

    def present(self, text: str) -> frozenset[str]:
        """The words that are there."""
        if not self.words:
            return frozenset()
        self.budget -= len(text)
        lowered = text.lower()
        if self.budget < 0 and not self.settled:
            self.settled = True
            with contextlib.suppress(ImportError):
                self.database = database([(re.escape(each), _SINGLE_MATCH) for each in self.words])
        if self.database is None:
            return frozenset(each for each in self.words if each in lowered)
        found: list[int] = []

        def on_match(word: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            found.append(word)

        self.database.scan(lowered.encode("utf-8", "surrogatepass"), match_event_handler=on_match)
        return frozenset(self.words[each] for each in found)


@functools.lru_cache(maxsize=4)
def _words(custom: tuple[CustomSecret, ...]) -> Words:
    return Words(tuple(dict.fromkeys(word for rule in custom_rules(custom) for word in rule.keywords)))


@functools.lru_cache(maxsize=2048)
def compiled(pattern: str) -> re.Pattern[str]:
    r"""An expression of the policy. `\w` is ASCII, as in Go's, unless the expression itself is not."""
    return re.compile(pattern, re.ASCII if pattern.isascii() else 0)


def allowance(
    rule: Rule, hit: Hit, blob: Blob, allow: Sequence[AllowedSecret], custom: tuple[CustomSecret, ...] = ()
) -> str | None:
    """Why a hit doesn't count; None where nothing allows it. Raises TooSlow."""
    for each in allow:
        if _concerns(each, rule, hit, custom):
            with _patience(each):
                if _allows(each, rule, hit, blob, custom):
                    return each.reason
    return None


def _rule(custom: CustomSecret) -> CustomRule:
    base = generic.CUSTOM
    name = custom.description or custom.id
    return CustomRule(
        id=base.id,
        severity=Severity[custom.severity.upper()],
        category=base.category,
        page=base.page,
        name=name[:1].upper() + name[1:],
        sample=base.sample,
        variable=base.variable,
        revoke=custom.revoke or base.revoke,
        remedy=f"Revoke it: {custom.revoke}" if custom.revoke else base.remedy,
        pattern=custom.pattern,
        keywords=tuple(dict.fromkeys(each.lower() for each in custom.keywords)),
        floor=custom.entropy,
        definition=custom,
    )


def _concerns(allowed: AllowedSecret, rule: Rule, hit: Hit, custom: tuple[CustomSecret, ...]) -> bool:
    """Whether an exception is about a hit: by the id of a custom rule, which stands for that one alone, or a prefix."""
    own = {each.id for each in custom}
    return not allowed.rules or any(
        hit.evidence.get("rule") == each
        if each in own
        else rule.id == each or rule.id.startswith(each if each.endswith("-") else f"{each}-")
        for each in allowed.rules
    )


def _allows(allowed: AllowedSecret, rule: Rule, hit: Hit, blob: Blob, custom: tuple[CustomSecret, ...]) -> bool:
    conditions: list[bool] = []
    path, secret = hit.span.path, hit.secret or ""
    if allowed.paths or allowed.path_patterns:
        conditions.append(
            any(glob_match(path, each) for each in allowed.paths)
            or any(compiled(each).search(path) for each in allowed.path_patterns)
        )
    if allowed.patterns:
        texts = [secret] if allowed.target == "secret" else list(_target(allowed.target, rule, hit, blob, custom))
        conditions.append(any(compiled(each).search(text) for each in allowed.patterns for text in texts))
    if allowed.words:
        lowered = secret.lower()
        conditions.append(any(each.lower() in lowered for each in allowed.words))
    return bool(conditions) and (all(conditions) if allowed.all_of else any(conditions))


def _target(target: str, rule: Rule, hit: Hit, blob: Blob, custom: tuple[CustomSecret, ...]) -> Iterator[str]:
    """The line or lines of a hit, or the whole match of its rule."""
    start, end = hit.span.start, hit.span.end
    lines = blob.lines
    first, last = lines.position(start).line, lines.position(max(start, end - 1)).line
    line = "\n".join(lines.line(number) for number in range(first, last + 1))
    if target == "line":
        yield line
        return
    named = hit.evidence.get("rule")
    rules = [each for each in custom_rules(custom) if each.definition.id == named] if named else [rule]
    for each in rules:
        if isinstance(each, SecretRule) and each.pattern:
            for match in each.regex.finditer(blob.text, max(0, start - _AROUND), min(len(blob.text), end + _AROUND)):
                if match.start() <= start and end <= match.end():
                    yield match[0]
                    return
    yield line  # found by a parser: there is no match to speak of
