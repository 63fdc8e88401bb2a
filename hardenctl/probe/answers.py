"""What a running application answered to attack origins, and what is wrong with it: facts, nothing guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hardenctl.model.finding import Confidence, Severity
from hardenctl.model.settings import CorsSettings
from hardenctl.probe.origins import Attack, Trick

# No application lists these: whoever agrees to them agrees to everything.
INVENTED_METHOD = "HARDENCTL"
INVENTED_HEADER = "x-hardenctl-probe"
# Among what starlette sends for `*`, and flask-cors where nothing is set; or somebody has listed them all.
_EVERY_METHOD = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
_HARMLESS = frozenset(("HEAD", "OPTIONS", "GET", "QUERY"))  # they change nothing


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request with an `Origin`. Header names are lower case."""

    attack: Attack
    status: int
    headers: Mapping[str, str]
    preflight: bool = False

    @property
    def lets_in(self) -> bool:
        """Whether a browser would show the response to a page of this origin (a preflight: go on and ask)."""
        allowed = self.headers.get("access-control-allow-origin", "").strip()
        if self.preflight and not 200 <= self.status < 300:  # noqa: PLR2004 - browsers want a successful preflight
            return False
        return allowed in {"*", self.attack.origin}

    @property
    def with_credentials(self) -> bool:
        """Whether it would with the user's cookies; browsers refuse that for `*`."""
        named = self.headers.get("access-control-allow-origin", "").strip() == self.attack.origin
        return self.lets_in and named and self.headers.get("access-control-allow-credentials", "").strip() == "true"

    def listed(self, name: str) -> tuple[str, ...]:
        """The entries of a header that is a list."""
        return tuple(part.strip() for part in self.headers.get(name, "").split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class Observed:
    """Something wrong that was seen. `severity` None is the rule's own."""

    rule: str
    message: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None
    confidence: Confidence = Confidence.PROVEN


def judge_answers(answers: Sequence[Answer], settings: CorsSettings) -> Iterator[Observed]:
    """What the answers show. An origin that policy names is meant, whatever it looks like."""
    counted = [each for each in answers if each.attack.trick is Trick.OWN or each.attack.origin not in settings.origins]
    # A simple request alone reads; an API whose requests all need a preflight may answer only that one.
    let_in = [each for each in counted if each.lets_in and each.attack.trick is Trick.ANYONE]
    simple = [each for each in let_in if not each.preflight]
    inside = simple if len({each.attack.origin for each in simple}) > 1 else let_in
    everyone = len({each.attack.origin for each in inside}) > 1
    if everyone:
        yield _everyone(inside)
    else:
        yield from _one_by_one(counted)
    yield from _preflights(counted, settings, everyone=everyone)


def _everyone(inside: Sequence[Answer]) -> Observed:
    reads = next((each for each in inside if each.with_credentials), None)
    first = reads or inside[0]
    can = "passes the preflight, and can send requests" if first.preflight else "can read responses"
    if reads is not None:
        message = f"any origin {can} with the user's credentials: the answer names whoever asks"
        return Observed("cors-any-origin-credentials", message, evidence(reads))
    how = (
        "the answer is `*`" if first.headers["access-control-allow-origin"].strip() == "*" else "whoever asks is named"
    )
    return Observed("cors-any-origin", f"any origin {can}: {how}, without credentials", evidence(first))


def _one_by_one(answers: Sequence[Answer]) -> Iterator[Observed]:
    """One finding a kind of trick: the origin that gets furthest speaks for the others."""
    kinds = {
        "cors-lookalike-origin": (Trick.LOOKALIKE, Trick.ANYONE),
        "cors-null-origin": (Trick.NULL,),
        "cors-plaintext-origin": (Trick.PLAINTEXT,),
    }
    for rule, tricks in kinds.items():
        inside = [each for each in answers if each.attack.trick in tricks and each.lets_in]
        if not inside:
            continue
        worst = next((each for each in inside if each.with_credentials), inside[0])
        also = list(dict.fromkeys(each.attack.origin for each in inside if each.attack != worst.attack))
        more = {"also": ", ".join(also)} if also else {}
        yield Observed(rule, _words(rule, worst), {**evidence(worst), **more}, _severity(rule, worst))


def _words(rule: str, answer: Answer) -> str:
    tail = " with the user's credentials" if answer.with_credentials else ""
    origin = f"`{answer.attack.origin}`"
    if rule == "cors-null-origin":
        return f"the origin `null`, which any website can send, gets in{tail}"
    if rule == "cors-plaintext-origin":
        return f"{origin} gets in over plain http{tail}"
    like = f", which only looks like `{answer.attack.own}`," if answer.attack.own else ""
    return f"{origin}{like} gets in{tail}"


def _severity(rule: str, answer: Answer) -> Severity | None:
    """As the rules judge code: worse with credentials, milder without."""
    if rule == "cors-lookalike-origin":
        return None if answer.with_credentials else Severity.MEDIUM
    if rule == "cors-null-origin":
        return Severity.HIGH if answer.with_credentials else None
    return None if answer.with_credentials else Severity.LOW


def _preflights(answers: Sequence[Answer], settings: CorsSettings, *, everyone: bool) -> Iterator[Observed]:
    """Methods and headers that a preflight agreed to; each is said once, the worst first."""
    agreed = [each for each in answers if each.preflight and each.lets_in]
    severity = None if everyone else Severity.LOW
    wanted = _HARMLESS | {each.upper() for each in settings.methods}
    found: list[tuple[int, Observed]] = []
    for each in agreed:
        methods = tuple(name.upper() for name in each.listed("access-control-allow-methods"))
        seen = evidence(each, "access-control-allow-methods")
        beyond = sorted(set(methods) - wanted)
        if "*" in methods or INVENTED_METHOD in methods:
            message = "every HTTP method is allowed, an invented one too"
            found.append((0, Observed("cors-wildcard-methods", message, seen, severity)))
        elif beyond:
            message = f"methods outside the policy's list are allowed: {', '.join(beyond)}"
            found.append((1, Observed("cors-wildcard-methods", message, seen, severity)))
        elif _EVERY_METHOD.issubset(methods):
            message = "every HTTP method is allowed, as starlette does for `*`, and flask-cors by default"
            found.append((2, Observed("cors-wildcard-methods", message, seen, Severity.LOW, Confidence.LIKELY)))
    if found:
        yield min(found, key=lambda pair: pair[0])[1]
    for each in agreed:
        headers = {name.lower() for name in each.listed("access-control-allow-headers")}
        if "*" in headers or INVENTED_HEADER in headers:
            message = "every request header is allowed, an invented one too"
            seen = evidence(each, "access-control-allow-headers")
            yield Observed("cors-wildcard-headers", message, seen, severity)
            return


def evidence(answer: Answer, *names: str) -> dict[str, str]:
    """What was sent and what came back, cut to what a line holds; nothing but CORS headers, which are no secret."""
    shown = ("access-control-allow-origin", "access-control-allow-credentials", *names)
    found = {name: answer.headers[name].strip()[:200] for name in shown if name in answer.headers}
    request = "preflight" if answer.preflight else "simple request"
    return {"origin": answer.attack.origin, "request": request, "status": str(answer.status), **found}
