"""`check cors --url`: attack origins against a live target, simple and preflight, as an ordinary report."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hardenctl.formats.cors.acceptance import is_local
from hardenctl.model.blob import Gap, SourceKind, Target
from hardenctl.model.errors import ToolError
from hardenctl.model.finding import Category, Finding, Location, advice, fingerprint
from hardenctl.model.report import Report, Scanned, Score
from hardenctl.policy.judge import judge, notes, verdict
from hardenctl.policy.policy import Policy
from hardenctl.probe.answers import INVENTED_HEADER, INVENTED_METHOD, Answer, Observed, judge_answers
from hardenctl.probe.live import Address, Response
from hardenctl.probe.origins import Attack, Trick, attacks
from hardenctl.rules.cors import RULES
from hardenctl.rules.declare import Rule

OWN_ORIGINS = 2  # whose imitations are tried: some 25 requests each
_FIX = {
    "cors-any-origin-credentials": "List the origins of the frontend, and let no other one in",
    "cors-any-origin": "List the origins of the frontend, and let no other one in",
    "cors-lookalike-origin": "Compare whole origins: a list of exact ones, or a pattern that is anchored and escaped",
    "cors-null-origin": "Take `null` out of the allowed origins",
    "cors-plaintext-origin": "Use `https://` for every origin outside development",
    "cors-wildcard-methods": "List the methods the frontend uses",
    "cors-wildcard-headers": "List the headers the frontend sends",
}


class Asked(Protocol):
    """What answers requests: a live target, or an application in process."""

    sent: int

    @property
    def address(self) -> Address:
        """Where it is, and what a report calls it."""
        ...

    def ask(self, method: str, headers: Mapping[str, str] | None = None) -> Response:
        """One request. Raises ToolError where nothing answers."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of the requests: facts, what could not be seen, and what a reader should know."""

    observed: tuple[Observed, ...]
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


def probe_cors(client: Asked, policy: Policy, own: Sequence[str] = ()) -> Probed:
    """Ask a live target with each attack origin. Raises ToolError where not even the first request is answered."""
    where, said = client.address.shown, []
    meant = [each for each in dict.fromkeys((*own, *policy.settings.cors.origins)) if "://" in each]
    if len(meant) > OWN_ORIGINS:
        said.append(f"imitations of the first {OWN_ORIGINS} of {len(meant)} origins were tried")
    if not meant:
        meant = [*_guesses(client)]
        said.append("no origin is known (--origin, or `origins` in the policy): imitations of the target's own name")
    answers: list[Answer] = []
    elsewhere: list[str] = []
    gaps: list[Gap] = []
    try:
        for attack in attacks(meant[:OWN_ORIGINS]):
            for answer, host in _try(client, attack):
                answers.append(answer)
                elsewhere += [host] if host else []
    except ToolError as error:
        if not answers:
            raise
        gaps.append(Gap(where, f"{error.what}, after {client.sent} requests"))
    simple = [each for each in answers if not each.preflight]
    gaps += [Gap(where, reason) for reason in _unseen(simple, elsewhere)]
    observed = tuple(judge_answers(answers, policy.settings.cors))
    below = next((each for each in simple if each.attack.trick is Trick.SUBDOMAIN and each.lets_in), None)
    if below and not any(each.rule.startswith("cors-any-origin") for each in observed):
        said.append(f"`{below.attack.origin}` gets in: every subdomain, so each of them has to be yours for good")
    return Probed(observed, tuple(gaps), tuple(said))


def _unseen(simple: Sequence[Answer], elsewhere: Sequence[str]) -> Iterator[str]:
    """Why the application itself was not seen, though something answered."""
    if len(elsewhere) == len(simple):
        yield f"redirects to {elsewhere[0]}, another host, which was not asked"
    elif all(each.status >= 500 for each in simple):  # noqa: PLR2004 - the service itself fails
        yield f"answers every request with {simple[0].status}: the application was not seen"


def live_report(
    client: Asked,
    policy: Policy,
    own: Sequence[str] = (),
    *,
    rules: Sequence[Rule] = RULES,
    baseline: Collection[str] = (),
    allow_gaps: bool = False,
) -> Report:
    """The probe as a report: each finding points at the URL."""
    started = time.perf_counter()
    try:
        probed = probe_cors(client, policy, own)
    finally:
        client.close()
    by_id = {each.id: each for each in policy.enabled(rules)}
    where = client.address.shown
    found = [_finding(by_id[each.rule], each, where) for each in probed.observed if each.rule in by_id]
    judged = judge(found, policy, baseline=baseline)
    return Report(
        target=Target(where, SourceKind.LIVE),
        findings=judged,
        gaps=probed.gaps,
        scanned=Scanned(requests=client.sent),
        score=Score(None, dict.fromkeys(Category), ("a live probe sees too little of a project to score it",)),
        verdict=verdict(judged, probed.gaps, policy, allow_gaps=allow_gaps),
        fail_on=policy.fail_on,
        elapsed_seconds=time.perf_counter() - started,
        notes=(*probed.notes, *notes(judged, policy, complete=False)),
    )


def _try(client: Asked, attack: Attack) -> Iterator[tuple[Answer, str]]:
    """A simple request, then a preflight; with each the host it was redirected to and that was not asked."""
    # With a cookie, since starlette before 1.0 names the origin only then.
    simple = client.ask("GET", {"Origin": attack.origin, "Cookie": "hardenctl=probe"})
    yield Answer(attack, simple.status, simple.headers), simple.elsewhere
    # What an application doesn't allow it may refuse as a whole: one invented thing a preflight.
    asked = [{"Access-Control-Request-Method": "GET"}]
    if attack.trick in {Trick.ANYONE, Trick.OWN}:
        asked.append({"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": INVENTED_HEADER})
        asked.append({"Access-Control-Request-Method": INVENTED_METHOD})
    for headers in asked:
        preflight = client.ask("OPTIONS", {"Origin": attack.origin, **headers})
        yield Answer(attack, preflight.status, preflight.headers, preflight=True), ""


def _guesses(client: Asked) -> Iterator[str]:
    """Origins the target may well be meant for: itself, and the site its name is below."""
    host = client.address.host
    yield client.address.origin
    labels = host.split(".")
    if len(labels) > 2 and not is_local(host):  # noqa: PLR2004 - a name below a site
        yield f"{client.address.scheme}://{'.'.join(labels[1:])}"


def _finding(rule: Rule, observed: Observed, where: str) -> Finding:
    return Finding(
        rule=rule.id,
        severity=rule.severity if observed.severity is None else observed.severity,
        confidence=observed.confidence,
        category=rule.category,
        message=observed.message,
        location=Location(where, 1, 1, 1, 1),
        fingerprint=fingerprint(rule.id, where, "live"),
        identity="live",
        fix=advice(_FIX[rule.id]),
        evidence=observed.evidence,
    )
