"""Which origins each CORS library lets in, as its own code decides it, and origins an attacker can have.

Read in and tried against starlette 0.27 to 1.10, flask-cors 6.0 and django-cors-headers 4.9.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from hardenctl.formats.cors.samples import samples
from hardenctl.model.record import record

EVIL = "https://evil.example"
ALSO_EVIL = "https://attacker-7f3a.example.net:8443"
_LOCAL = re.compile(
    r"localhost|.*\.(?:localhost|local|internal|test|lan|home|docker)|127\.[\d.]+|0\.0\.0\.0|\[?::1\]?|10\.[\d.]+"
    r"|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+|[\w-]+"
)
# Domains below which anyone can have a name.
SHARED = frozenset(
    {
        "amazonaws.com", "amplifyapp.com", "azurestaticapps.net", "azurewebsites.net", "cloudfront.net",
        "firebaseapp.com", "fly.dev", "github.io", "gitlab.io", "herokuapp.com", "loca.lt", "lovable.app",
        "netlify.app", "ngrok-free.app", "ngrok.app", "ngrok.io", "onrender.com", "pages.dev", "railway.app",
        "repl.co", "replit.dev", "run.app", "surge.sh", "trycloudflare.com", "vercel.app", "web.app",
        "workers.dev",
    }
)  # fmt: skip
# Libraries whose patterns need not match to the end, or from the start on.
_HOW = {"quart-cors": re.match, "sanic-ext": re.match, "traefik": re.search, "kong": re.search}
SEEN = frozenset({"headers", "nginx"})  # what they answer is tried: see Acceptance.literals
# In front of the application: what is written there is configuration already.
EDGE = frozenset({"nginx", "traefik", "istio", "envoy", "ingress-nginx", "kong", "api-gateway"})
_REGEX_HINT = frozenset("*\\]?$^[]()")


@record
class Acceptance:
    """Who gets in. `library` is the package whose code decides, or `headers`.

    `text` is a plain string where a list was wanted; `patterns` are regular expressions; `dead` are entries that are
    no strings. For hand-written headers, nginx's included, `literals` are attackers' origins that were seen to get in,
    and `plain` the program's own ones that got in over plain http.
    """

    library: str
    everyone: bool = False
    literals: tuple[str, ...] = ()
    text: str | None = None
    patterns: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()

    def accepts(self, origin: str) -> bool:
        """Whether a page of this origin may read responses."""
        if self.everyone:
            return True
        if self.library == "flask-cors":
            return any(_flask(entry, origin) for entry in (*self.literals, *self.patterns))
        if self.library == "django-cors-headers":
            return _django(self.literals, origin) or any(_tries(re.match, each, origin) for each in self.patterns)
        if self.text is not None and origin in self.text:
            return True
        how = _HOW.get(self.library, re.fullmatch)
        return origin in self.literals or any(_tries(how, each, origin) for each in self.patterns)

    @property
    def any_origin(self) -> bool:
        """Whether pages of any origin get in."""
        return self.accepts(EVIL) and self.accepts(ALSO_EVIL)

    def broken_pattern(self) -> str | None:
        """A regular expression that cannot be compiled."""
        for each in self.patterns:
            try:
                re.compile(each)
            except re.error:
                return each
        return None

    def never_match(self) -> Iterator[tuple[str, str]]:
        """Entries that no browser's `Origin` header can equal, each with the reason."""
        for each in self.dead:
            yield each, "is a URL object of pydantic: as text it ends in `/`"
        for each in self.literals if self.library not in SEEN else ():
            reason = _why_dead(each, self.library)
            if reason:
                yield each, reason

    def lookalike(self) -> str | None:
        """An origin that an attacker can register and that gets in beside the intended ones; None without one."""
        if self.any_origin:
            return None
        if self.library in SEEN:
            return next((each for each in self.literals if each != "null"), None)
        own = {each.casefold() for each in self.literals}
        return next((each for each in self._lookalikes() if each.casefold() not in own and self.accepts(each)), None)

    def plaintext(self) -> str | None:
        """An `http://` origin of another machine that gets in."""
        if self.library in SEEN:
            return next(iter(self.plain), None)
        candidates = [*self.literals, *([self.text] if self.text else [])]
        for pattern in self.patterns:
            candidates.extend(re.sub(r"^https:", "http:", sample) for sample in samples(pattern))
        for each in candidates:
            with contextlib.suppress(ValueError):
                parts = urlsplit(each)
                if (
                    "@" not in each
                    and parts.scheme == "http"
                    and parts.hostname
                    and not is_local(parts.hostname)
                    and self.accepts(each)
                ):
                    return each
        return None

    def _lookalikes(self) -> Iterator[str]:
        seeds = [*self.literals, *re.split(r"[,\s]+", self.text or "")]
        for pattern in self.patterns:
            seeds.extend(samples(pattern))
        if self.library == "flask-cors":
            seeds.extend(each for entry in self.literals if _is_regex(entry) for each in samples(entry))
        for seed in seeds:
            yield from mutants(seed)


def _why_dead(entry: str, library: str) -> str:
    if entry in {"", "*", "null", "file://"} or (library == "flask-cors" and _is_regex(entry)):
        return ""
    scheme, separator, rest = entry.partition("://")
    default = {"https": ":443", "http": ":80"}.get(scheme, "\0")
    reasons = (
        (entry != entry.strip(), "has blanks around it"),
        (not separator, "has no scheme"),
        ("*" in rest, "is no pattern here: the `*` is compared as it stands"),
        ("/" in rest and library != "django-cors-headers", "ends in `/` or a path, which an `Origin` header never has"),
        (rest != rest.lower() and library != "flask-cors", "has capital letters, which an `Origin` header never has"),
        (rest.endswith(default), "names the default port, which an `Origin` header leaves out"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def mutants(origin: str) -> Iterator[str]:
    """Origins that look like one and belong to someone else."""
    try:
        parts = urlsplit(origin)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        return
    scheme = f"{parts.scheme}://"
    labels = host.split(".")
    yield f"{scheme}{host}.evil.example{port}"
    yield f"{scheme}{host}.evil.example"
    yield f"{scheme}{host}evil.example"
    if len(labels) > 1 and not is_local(host):
        domain = ".".join(labels[-2:])
        yield f"{scheme}evil{domain}{port}"
        yield f"{scheme}evil-{domain}{port}"
        if len(labels) > 2:  # noqa: PLR2004 - a dot that is not the one before the top-level domain
            yield f"{scheme}{'.'.join(labels[:-2])}x{domain}{port}"
        if len(labels[-1]) > 2:  # noqa: PLR2004 - `.com` cut to `.co`
            yield f"{scheme}{host[:-1]}"
        if domain in SHARED:
            yield f"{scheme}evil.{domain}"
            yield f"{scheme}evil-{host}"


def shown(entry: str) -> str:
    """An entry as a message may quote it: only what looks like an origin, and never its user and password."""
    if re.fullmatch(r"\s*(?:https?://)?[\w.*:/\[\]-]{1,80}\s*", entry) and not re.search(r"[\w-]{24}", entry):
        return f"`{entry}`"
    return "an entry"


def is_local(host: str) -> bool:
    """Whether a host name means this machine or network: no attacker's page has it."""
    return bool(_LOCAL.fullmatch(host))


def _tries(how: object, pattern: str, origin: str) -> bool:
    try:
        return bool(how(pattern, origin))  # type: ignore[operator]
    except re.error:
        return False


def _is_regex(entry: str) -> bool:
    return not _REGEX_HINT.isdisjoint(entry)


def _flask(entry: str, origin: str) -> bool:
    entry = ".*" if entry == "*" else entry
    if _is_regex(entry):
        return _tries(lambda pattern, text: re.match(pattern, text, re.IGNORECASE), entry, origin)
    return entry.casefold() == origin.casefold()


def _django(literals: tuple[str, ...], origin: str) -> bool:
    if origin == "null":
        return "null" in literals
    try:
        wanted = urlsplit(origin)
    except ValueError:
        return False
    for each in literals:
        with contextlib.suppress(ValueError):
            parts = urlsplit(each)
            if (parts.scheme, parts.netloc) == (wanted.scheme, wanted.netloc):
                return True
    return False
