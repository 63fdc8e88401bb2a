"""The way of a text: matcher -> spans of known formats and candidates -> classification -> hits."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator

from hardenctl.detect.secrets.assign import Memo, candidates
from hardenctl.detect.secrets.candidate import Candidate, How, is_name
from hardenctl.detect.secrets.custom import custom_matches
from hardenctl.detect.secrets.decode import decoded
from hardenctl.detect.secrets.features import entropy, features
from hardenctl.detect.secrets.filters import is_own_name, is_surrounded, refusal
from hardenctl.detect.secrets.guessable import guesses, is_no_leak
from hardenctl.detect.secrets.headers import basic
from hardenctl.detect.secrets.language import Setting, quoting, setting
from hardenctl.detect.secrets.matcher import Anchor, Match, Matcher
from hardenctl.detect.secrets.place import UNTRUSTED, eased, standing
from hardenctl.detect.secrets.score import probability, reasons
from hardenctl.detect.secrets.stores import Stored, is_store, is_stored, stored
from hardenctl.detect.secrets.tables import columns, is_table
from hardenctl.model.blob import Blob, Gap
from hardenctl.model.finding import Confidence, Hit, Severity, advice
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import field, record, replace
from hardenctl.model.settings import CustomSecret
from hardenctl.model.text import Span, is_binary
from hardenctl.rules.secrets import RULES, generic
from hardenctl.rules.secrets.declare import Proof, SecretRule
from hardenctl.rules.secrets.values import is_credential_key, is_placeholder, is_reference, is_stand_in

BELIEVED = 0.4  # probability from which a candidate is reported; the best F1 in cross-validation
LIKELY = 0.8
SHORTEST_KEYED = 14  # characters of a value that a rule for keys knows
LONGEST = 2000  # characters of a value that is scored: a longer one is text, or encoded
REMEMBERED = 300  # characters of a value whose verdict is kept for the next time
MOST = 500  # credentials that are told of one blob
MASKED = 0.05  # probability from which a candidate is masked in what is shown

# What everybody has, by the start of its SHA-256: keys of the storage and Cosmos emulators, the token of jwt.io,
# the user and password of RFC 7617, the seed in the notes on one-time passwords.
_PUBLISHED = frozenset(
    {"8be5d113c0871ce1", "0011cc25eb432071", "aa6547439583c3a2", "7f75367e78812551", "cf4d418ed3de92d7"}
)
_PUBLISHED_LENGTHS = frozenset({16, 28, 88, 155})
_SLUG = lazy_pattern(r"[a-z]+(?:[-_]{1,2}[a-z]+)+")
_PEM_END = lazy_pattern(r"-----END [A-Z0-9 ]{0,60}-----")
_PEM_BODY = lazy_pattern(r"(?:[A-Za-z0-9+/=\s\\\"',.:()]|-(?!----)){0,12000}(?:-----)?")
_PEM_LINE = lazy_pattern(r"[A-Za-z0-9+/=]{32}")
_AROUND = 80  # characters of base64 around a token: no path or query has as many without a mark of punctuation
_BASE64_BEFORE = lazy_pattern(r"[A-Za-z0-9+/]*")
_BASE64_AFTER = lazy_pattern(r"[A-Za-z0-9+/]*={0,2}")
_SWITCH = lazy_pattern(r"(?i)true|false|yes|no|on|off|null|none")
_LOOSE_USERINFO = lazy_pattern(r"://[^\s/:@]{0,100}:(?!\$?\{)([^\s\"'<>`]{1,200})@")


@record
class Token:
    """A span that matches a known format."""

    start: int
    end: int
    value: str = field(repr=False)
    rule: SecretRule
    proof: Proof


@record
class Settled:
    """A hit that needs no score."""

    rule: SecretRule
    hit: Hit

    @property
    def span(self) -> Span:
        """Where it is."""
        return self.hit.span


@functools.cache
def matcher() -> Matcher:
    """The process's matcher: it learns how much there is to scan."""
    return Matcher(tuple(each for each in RULES if each.pattern and not each.key))


@functools.lru_cache(maxsize=4096)
def _keyed(key: str) -> tuple[SecretRule, ...]:
    """The rules for values under this key."""
    if not _any_key().search(key):
        return ()
    return tuple(each for each in RULES if each.key and each.key_regex.search(key))


@functools.cache
def _any_key() -> re.Pattern[str]:
    """All keyed rules' keys in one expression: most keys fit none of them."""
    return re.compile("|".join(f"(?:{each.key})" for each in RULES if each.key), re.ASCII | re.IGNORECASE)


@record(slots=False, frozen=False)
class Bounds:
    """How much of one blob is looked at and told: hostile and generated files must not stop an audit.

    `reached` says what was left out, for a gap.
    """

    anchors: int
    candidates: int
    reached: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, size: int) -> Bounds:
        """The bounds of a text of so many characters: a second for a million of them."""
        return cls(20_000 + size // 100, 4_000 + size // 500)


def detect(
    blob: Blob,
    rules: frozenset[str],
    tell: Callable[[Gap], None] | None = None,
    custom: tuple[CustomSecret, ...] = (),
    memo: Memo | None = None,
) -> Iterator[tuple[SecretRule, Hit]]:
    """The credentials in a blob, by the rules whose ids are given, in the order of their places.

    `tell` is called with what was left out where there is more than one blob may hold. `custom` are the project's own.
    `memo` is that of the file's other versions.
    """
    found: list[tuple[SecretRule, Hit]] = []
    bounds = Bounds.of(len(blob.data))
    for each in weighed(blob, bounds, custom, memo):
        result = _believed(each, blob) if isinstance(each, Candidate) else (each.rule, each.hit)
        if result is None or result[0].id not in rules:
            continue
        if len(found) == MOST:
            bounds.reached.append(f"more than {MOST} credentials in it: the others are not listed")
            break
        found.append(result)
    if tell is not None:
        for reason in dict.fromkeys(bounds.reached):
            tell(Gap(blob.path, reason))
    found.sort(key=lambda each: (each[1].span.start, each[1].span.end))
    yield from found


def weighed(
    blob: Blob, bounds: Bounds | None = None, custom: tuple[CustomSecret, ...] = (), memo: Memo | None = None
) -> Iterator[Settled | Candidate]:
    """What is settled by its format, and the candidates that only the score can tell: what it is trained on."""
    bounds = bounds or Bounds.of(len(blob.data))
    if is_binary(blob.data):
        return
    text, path = blob.text, blob.path
    match = matcher().match(text, blob.utf8)
    known = _known(text, match.rules)
    spans = [(token.start, token.end) for token in known]
    for token in known:
        yield Settled(token.rule, _token_hit(token, text, path))
    own = _custom(text, path, custom, spans, bounds) if custom else []
    yield from own
    spans += [(each.span.start, each.span.end) for each in own]
    taken = _Taken(spans)
    kept = [each for each in stored(text, path) if not taken.overlaps(each.start, each.end)]
    for each in kept:
        yield _stored_hit(each, path)
    if not match.anchors and not is_table(path):
        return  # half of all files
    if Setting.GENERATED in setting(path):
        # Everything else in there looks random, but a registry's password in an address is one in a lock file too.
        match = replace(match, anchors=tuple(each for each in match.anchors if each[1] is Anchor.USERINFO))
    taken = _Taken([*spans, *((each.start, each.end) for each in kept)])
    for candidate in _bounded(blob, match, bounds, memo):
        if taken.overlaps(candidate.start, candidate.end) or _is_nothing(candidate, path):
            continue
        settled = _by_key(candidate, path) or _by_decoding(candidate, path) or _by_store(candidate, path)
        if settled is not None:
            yield settled
        elif not is_surrounded(candidate, text, path) and not is_no_leak(
            candidate, path, own_name=is_own_name(candidate, text)
        ):
            yield candidate


def _custom(
    text: str, path: str, custom: tuple[CustomSecret, ...], spans: Iterable[tuple[int, int]], bounds: Bounds
) -> list[Settled]:
    """What the project's own rules find beside what ours know better; the first of two at one place."""
    taken, found = _Taken(spans), dict[tuple[int, int], Settled]()
    for rule, start, end in custom_matches(text, path, custom, bounds.reached):
        if taken.overlaps(start, end) or (start, end) in found:
            continue
        own = rule.definition.id
        hit = _hit(
            rule, Span(path, start, end), text[start:end], rule.name, rule.severity, Confidence.LIKELY,
            why=(f"the policy's rule `{own}`",), evidence={"rule": own},
        )  # fmt: skip
        found[start, end] = Settled(rule, replace(hit, severity=rule.severity))  # the catalogue's rule has another
    return list(found.values())


def _bounded(blob: Blob, match: Match, bounds: Bounds, memo: Memo | None) -> Iterator[Candidate]:
    """The candidates of a blob, as many as are looked at."""
    anchors = match.anchors
    if len(anchors) > bounds.anchors:
        bounds.reached.append(_too_many(blob, anchors[bounds.anchors][0]))
        anchors = anchors[: bounds.anchors]
    memo = memo and memo.at(blob.path)
    found = itertools.chain(candidates(blob.text, anchors, quoting(blob.path), memo), columns(blob.text, blob.path))
    for count, candidate in enumerate(found):
        if count >= bounds.candidates:
            bounds.reached.append(_too_many(blob, candidate.start))
            return
        yield candidate


def _too_many(blob: Blob, offset: int) -> str:
    line = blob.lines.position(offset).line
    return f"more assignments than are looked at: from line {line} on, only tokens of known formats are found"


def candidate_lines(blob: Blob) -> list[int]:
    """The lines on which a credential word stands before a value, or a token's format: where more may be looked for."""
    if is_binary(blob.data):
        return []
    match = matcher().match(blob.text, blob.utf8)
    offsets = [offset for offset, _ in match.anchors[: Bounds.of(len(blob.data)).anchors]]
    offsets += [token.start for token in _known(blob.text, match.rules, strict=False)]
    return sorted({blob.lines.position(offset).line for offset in offsets})


def sensitive(blob: Blob, custom: tuple[CustomSecret, ...] = ()) -> list[tuple[int, int]]:
    """What must not be shown of a blob: all that could be a credential, weak ones included."""
    if is_binary(blob.data):
        return []
    text = blob.text
    match = matcher().match(text, blob.utf8)
    bounds = Bounds.of(len(blob.data))
    spans = [(token.start, token.end) for token in _known(text, match.rules, strict=False)]
    spans += [(start, end) for _, start, end in custom_matches(text, blob.path, custom)]
    spans += [(each.start, each.end) for each in stored(text, blob.path)]
    told = candidates(text, match.anchors[: bounds.anchors], quoting(blob.path))
    for count, candidate in enumerate(itertools.chain(told, columns(text, blob.path))):
        if count >= bounds.candidates:  # not looked at closely, so not shown
            spans.append((candidate.start, candidate.end))
            continue
        if len(candidate.value) > LONGEST:  # what it is takes longer to find out than its mask can harm
            spans.append((candidate.start, candidate.end))
            continue
        if is_reference(candidate.value) or is_placeholder(candidate.value) or _SWITCH.fullmatch(candidate.value):
            continue
        if (
            candidate.how in {How.USERINFO, How.BASIC, How.FLAG}
            or is_credential_key(candidate.key)
            or _keyed_rule(candidate) is not None
            or probability(features(candidate, text, blob.path, near=True)) >= MASKED
        ):
            spans.append((candidate.start, candidate.end))
    # A password with an unescaped `/` makes no URL that a client can read, but it is a password all the same.
    if len(match.anchors) > bounds.anchors:
        spans.append((match.anchors[bounds.anchors][0], len(text)))
    spans.extend(found.span(1) for found in _LOOSE_USERINFO.finditer(text))
    return sorted(spans)


def tokens(text: str) -> list[tuple[int, int]]:
    """The spans of known formats in a text: in a name, say."""
    return [(token.start, token.end) for token in _known(text, matcher().match(text).rules)]


class _Taken:
    """Spans that are spoken for; asked in logarithmic time."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._spans = sorted(spans)
        self._starts = [start for start, _ in self._spans]

    def overlaps(self, start: int, end: int) -> bool:
        at = bisect.bisect_left(self._starts, end)
        return at > 0 and self._spans[at - 1][1] > start


def _known(text: str, rules: Iterable[SecretRule], *, strict: bool = True) -> list[Token]:
    """The spans of known formats, overlapping ones settled for the longest. Not `strict`: placeholders too."""
    tokens: list[Token] = []
    for rule in rules:
        for match in itertools.islice(rule.regex.finditer(text), MOST + 1 if strict else None):
            group = next((name for name in rule.regex.groupindex if match[name]), 0)
            start, end = match.span(group)
            if rule is generic.PRIVATE_KEY:
                end = _pem_end(text, start)
            value, tag, _ = text[start:end].partition("</")  # some tokens may hold a `<`, but not where XML closes
            end -= len(text[start:end]) - len(value) if tag else 0
            if not value or (strict and (entropy(value) < rule.floor or _is_dummy(value))):
                continue
            proof = _prove(rule, value, text, match)
            if strict and not proof.valid and _is_embedded(text, start, end):
                continue
            tokens.append(Token(start, end, value, rule, proof))
    tokens.sort(key=lambda token: (token.start, -token.end))
    kept: list[Token] = []
    for token in tokens:
        if kept and token.start < kept[-1].end:
            if token.end - token.start > kept[-1].end - kept[-1].start:
                kept[-1] = token
            continue
        kept.append(token)
    return kept


def _is_published(value: str) -> bool:
    if len(value) not in _PUBLISHED_LENGTHS:
        return False
    import hashlib

    return hashlib.sha256(value.encode()).hexdigest()[:16] in _PUBLISHED


def _is_dummy(value: str) -> bool:
    """Whether a value of a known format is a placeholder, or words joined by hyphens: a CSS variable, a slug."""
    if len(value) >= 400:  # noqa: PLR2004 - in longer ones, words turn up by chance
        return False
    return _is_published(value) or is_placeholder(value) or bool(_SLUG.fullmatch(value))


def _is_embedded(text: str, start: int, end: int) -> bool:
    """Whether a token is a stretch of something longer in base64, of an image say, in which any letters turn up."""
    before = _BASE64_BEFORE.match(text[max(0, start - _AROUND) : start][::-1])
    after = _BASE64_AFTER.match(text, end, end + _AROUND)
    return (before.end() if before else 0) + (after.end() - end if after else 0) >= _AROUND


def _prove(rule: SecretRule, value: str, text: str, match: re.Match[str]) -> Proof:
    if rule.check is None:
        return Proof()
    if "secret" in rule.regex.groupindex:  # what proves it stands around it
        return rule.check(text[max(0, match.start() - 600) : match.end() + 2400])
    return rule.check(value)


def _pem_end(text: str, start: int) -> int:
    """Where a private key's block ends; its start where only its header is there."""
    begin = text.index("-----", start + 5) + 5
    body = _PEM_BODY.match(text, begin)
    limit = body.end() if body else begin
    stop = text.find("-----", begin, limit)
    if len(_PEM_LINE.findall(text, begin, stop if stop >= 0 else limit)) < 2:  # noqa: PLR2004 - the shortest key
        return start
    end = _PEM_END.match(text, stop) if stop >= 0 else None
    return end.end() if end else stop if stop >= 0 else limit


def _token_hit(token: Token, text: str, path: str) -> Hit:
    rule, proof = token.rule, token.proof
    severity = rule.severity if proof.severity is None else min(rule.severity, proof.severity)
    confidence = {True: Confidence.PROVEN, False: Confidence.POSSIBLE, None: Confidence.LIKELY}[proof.valid]
    untrusted = bool(setting(path) & UNTRUSTED)
    if (
        confidence is Confidence.POSSIBLE
        or (untrusted and rule in generic.RULES)
        or (untrusted and confidence is not Confidence.PROVEN and severity < Severity.CRITICAL)
    ):
        severity = min(severity, Severity.LOW)
    elif untrusted:
        severity = min(severity, Severity.MEDIUM)
    severity, confidence = eased(rule.id, severity, confidence, text, (token.start, token.end), path)
    return _hit(
        rule, Span(path, token.start, token.end), token.value, rule.name, severity, confidence,
        why=(f"the format of {rule.name}", *((proof.note,) if proof.note else ())), evidence=dict(proof.evidence),
    )  # fmt: skip


def _by_key(candidate: Candidate, path: str) -> Settled | None:
    """What a rule for values under certain keys says."""
    rule = _keyed_rule(candidate)
    if rule is None or is_reference(candidate.value) or _is_dummy(candidate.value):
        return None
    untrusted = setting(path) & UNTRUSTED
    severity = min(rule.severity, Severity.MEDIUM) if untrusted else rule.severity
    confidence = Confidence.POSSIBLE if untrusted else Confidence.LIKELY
    span = Span(path, candidate.start, candidate.end)
    message = f"{rule.name} in `{_shown(candidate.key)}`"
    why = (f"the format of {rule.name}", f"key `{_shown(candidate.key)}`")
    return Settled(rule, _hit(rule, span, candidate.value, message, severity, confidence, why=why))


def _stored_hit(each: Stored, path: str) -> Settled:
    rule = generic.HASH if each.hashed else generic.STORED
    severity = min(rule.severity, Severity.MEDIUM) if each.weak else rule.severity
    severity, confidence = standing(severity, Confidence.LIKELY, "", 0, path)
    span = Span(path, each.start, each.end)
    why = (f"the form of {rule.name}",)
    return Settled(rule, _hit(rule, span, each.value, each.what, severity, confidence, why=why))


def _by_store(candidate: Candidate, path: str) -> Settled | None:
    """What a file says that exists to hold credentials: there, guessable ones count too."""
    if not is_store(path) or not is_stored(candidate, path):
        return None
    weak = not _looks_random(candidate.value)
    what = f"Password in `{_shown(candidate.key)}`"
    return _stored_hit(Stored(candidate.start, candidate.end, candidate.value, what, weak=weak), path)


def _by_decoding(candidate: Candidate, path: str) -> Settled | None:
    """A token of a known format, or a URL with a password, that a value says only when it is decoded."""
    if candidate.how is How.BASIC:
        return None
    for text in decoded(candidate.value):
        match = matcher().match(text)
        for token in _known(text, match.rules):
            outer = replace(token, start=0, end=0)
            hit = _token_hit(outer, "", path)
            span = Span(path, candidate.start, candidate.end)
            return Settled(
                token.rule, replace(hit, span=span, secret=candidate.value, why=(*hit.why, "encoded in the value"))
            )
        for inner in candidates(text, match.anchors, quoting("a.json")):
            if inner.how is How.USERINFO and not _refused(inner, text, path):
                severity, confidence = standing(generic.URL.severity, Confidence.LIKELY, "", 0, path)
                span = Span(path, candidate.start, candidate.end)
                message, why = f"Password in an encoded `{_shown(inner.key)}://` URL", ("encoded in the value",)
                hit = _hit(generic.URL, span, candidate.value, message, severity, confidence, why=why)
                return Settled(generic.URL, hit)
    return None


def _is_nothing(candidate: Candidate, path: str) -> bool:
    """Whether a candidate's own parts say that it is none, wherever in its file it stands."""
    parts = candidate.value, candidate.key, candidate.how, candidate.quote, candidate.user
    return _are_nothing(*parts, path) if len(candidate.value) <= REMEMBERED else _are_nothing.__wrapped__(*parts, path)


@functools.lru_cache(maxsize=1 << 13)  # versions of a file say the same again and again
def _are_nothing(value: str, key: str, how: How, quote: str, user: str, path: str) -> bool:  # noqa: PLR0917 - the parts of a candidate
    candidate = Candidate(0, len(value), value, key, how, quote, user)
    if _by_key(candidate, path) or _by_decoding(candidate, path) or _by_store(candidate, path):
        return False
    return len(value) > LONGEST or _is_refused(candidate, path)


def _refused(candidate: Candidate, text: str, path: str) -> bool:
    return (
        _is_refused(candidate, path)
        or bool(guesses(candidate))
        or is_own_name(candidate, text)
        or is_surrounded(candidate, text, path)
    )


def _is_refused(candidate: Candidate, path: str) -> bool:
    """Whether a candidate's value or key speaks against it."""
    if _is_published(candidate.value):
        return True
    if candidate.how is How.BASIC:
        decoded = basic(candidate.value)
        if decoded is None:
            return True
        user, password = decoded
        is_user = not password and bool(guesses(candidate))  # and no key in its place
        return is_user or is_stand_in(password or user) or is_no_leak(candidate, path)
    if Setting.TRANSLATION in setting(path) and (" " in candidate.value or not any(map(str.isdigit, candidate.value))):
        return True
    parts = candidate.value, candidate.key, candidate.how, candidate.quote, candidate.user
    return _speaks_against(*parts) or is_no_leak(candidate, path)


@functools.lru_cache(maxsize=1 << 14)
def _speaks_against(value: str, key: str, how: How, quote: str, user: str) -> bool:
    """Whether its own parts refuse a candidate, wherever it stands: half of them are the same in other files."""
    return bool(refusal(Candidate(0, len(value), value, key, how, quote, user)))


def _believed(candidate: Candidate, blob: Blob) -> tuple[SecretRule, Hit] | None:
    """What the score says."""
    found = features(candidate, blob.text, blob.path)
    chance = probability(found)
    if chance < BELIEVED:
        return None
    rule, message = _generic(candidate)
    if any(name.startswith("weak:") for name in found):
        rule, message = generic.GUESSABLE, f"{message}, which can be guessed,"
    named = is_credential_key(candidate.key) or candidate.how in {How.USERINFO, How.BASIC, How.SCHEME}
    likely = rule is not generic.GUESSABLE and chance >= LIKELY and named and _looks_random(candidate.value)
    severity, confidence = standing(
        rule.severity if likely else Severity.LOW,
        Confidence.LIKELY if likely else Confidence.POSSIBLE,
        blob.text,
        candidate.start,
        blob.path,
    )
    span = Span(blob.path, candidate.start, candidate.end)
    why = (f"probability {chance:.2f}", *reasons(found))
    return rule, _hit(rule, span, candidate.value, message, severity, confidence, why=why)


def _keyed_rule(candidate: Candidate) -> SecretRule | None:
    if len(candidate.value) < SHORTEST_KEYED:
        return None
    for rule in _keyed(candidate.key):
        if (
            rule.regex.fullmatch(candidate.value)
            and entropy(candidate.value) >= rule.floor
            and not is_name(candidate.value)
        ):
            return rule
    return None


def _generic(candidate: Candidate) -> tuple[SecretRule, str]:
    if candidate.how is How.USERINFO:
        return generic.URL, f"Password in a `{_shown(candidate.key)}://` URL"
    if candidate.how is How.BASIC:
        return generic.BASIC, "User and password in a Basic authorization header"
    if candidate.how is How.SCHEME:
        return generic.BEARER, f"{candidate.key.capitalize()} token in an authorization header"
    return generic.ASSIGNMENT, f"Credential in `{_shown(candidate.key)}`"


def _looks_random(value: str) -> bool:
    """Whether a value is long and mixed enough that no person would call it a word."""
    kinds = sum(
        (any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value)), not value.isalnum())
    )
    return len(value) >= 8 and kinds >= 2 and entropy(value) >= 2.5  # noqa: PLR2004 - measured on real services


def _hit(  # noqa: PLR0917 - the parts of a hit
    rule: SecretRule, span: Span, value: str, message: str, severity: Severity, confidence: Confidence,
    *, why: tuple[str, ...], evidence: dict[str, str] | None = None,
) -> Hit:  # fmt: skip
    hit = Hit(
        span,
        f"{message} is written down here",
        fix=advice(f"{rule.remedy}, then read it from the environment"),
        severity=severity,
        confidence=confidence,
        evidence=evidence or {},
        secret=value,
        why=why,
    )
    return replace(hit, severity=None) if severity is rule.severity else hit


def _shown(key: str) -> str:
    """A key as a message may name it: a stray value that was taken for a key must not get out."""
    return key if len(key) <= 64 and entropy(key) < 4.2 else key[:4] + "…"  # noqa: PLR2004 - keys are short words
