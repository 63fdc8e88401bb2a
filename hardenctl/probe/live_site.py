"""What a live target's TLS and response headers say: its certificate, HSTS, the security headers."""

from __future__ import annotations

import datetime as dt
import re
import ssl
import time
import warnings
from collections.abc import Callable, Iterator, Mapping

from hardenctl.formats.cors.acceptance import is_local
from hardenctl.model.checklist import Check, State
from hardenctl.probe.live import Address, Client, Response, dial_tls

RENEWAL = 14  # days before its end by which a certificate has been renewed, where something renews it
HSTS_DAYS = 180
_MODERN = frozenset(("TLSv1.2", "TLSv1.3"))
_MAX_AGE = re.compile(r'(?i)(?:^|;)\s*max-age\s*=\s*"?(\d+)"?\s*(?:;|$)')
_DATE = "%b %d %H:%M:%S %Y GMT"


def site_checks(client: Client, *, today: Callable[[], dt.datetime] | None = None) -> Iterator[Check]:
    """TLS, certificate, HSTS and security headers. Raises ToolError where the target cannot be asked."""
    now = (today or (lambda: dt.datetime.now(tz=dt.UTC)))()
    response = client.ask("GET")
    if response.elsewhere:
        reason = f"redirects to {response.elsewhere}, another host, which was not asked"
        yield from (Check(name, State.UNCHECKED, reason) for name in ("TLS", "HSTS", "security headers"))
        return
    if response.address.scheme == "http":
        yield from _without_tls(response.address)
    else:
        version, certificate = Client(response.address, patience=client.patience, context=client.context).certificate()
        yield _tls(response.address, version, client.patience)
        yield _certificate(certificate, now)
        yield _hsts(response)
    yield _headers(response)


def _without_tls(address: Address) -> Iterator[Check]:
    if is_local(address.host):
        yield Check("TLS", State.UNCHECKED, f"{address.origin} is no public address", asked=False)
    else:
        yield Check("TLS", State.NO_GO, f"{address.origin} answers without TLS, and does not redirect to https")


def _tls(address: Address, version: str, patience: float) -> Check:
    if version not in _MODERN:
        return Check("TLS", State.NO_GO, f"speaks {version}; TLS 1.2 is the least")
    old = _speaks_old(address, patience)
    if old:
        return Check("TLS", State.NO_GO, f"speaks {version}, and {old} with whoever asks for it")
    return Check("TLS", State.GO, f"{version}, with a certificate the system trusts")


def _speaks_old(address: Address, patience: float) -> str:
    """An outdated version that the target agrees to; empty where it refuses, or where this machine cannot try."""
    context = ssl.create_default_context()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that these versions are outdated is the point
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with dial_tls(address, time.monotonic() + patience, context) as sock:
            return sock.version() or ""
    except (OSError, ValueError):
        return ""


def _certificate(certificate: Mapping[str, object], now: dt.datetime) -> Check:
    """Whether it ends soon: within two weeks, or the last third of a shorter life."""
    start, end = _date(certificate.get("notBefore")), _date(certificate.get("notAfter"))
    if start is None or end is None:
        return Check("certificate", State.UNCHECKED, "its dates could not be read")
    left, life = (end - now).days, (end - start).days
    text = f"issued {start:%Y-%m-%d}, ends {end:%Y-%m-%d}, in {left} days"
    soon = left < min(RENEWAL, life / 3)
    return Check("certificate", State.NO_GO if soon else State.GO, f"{text}: renewal is overdue" if soon else text)


def _date(text: object) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(str(text), _DATE).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _hsts(response: Response) -> Check:
    header = response.headers.get("strict-transport-security")
    if header is None:
        return Check("HSTS", State.NO_GO, "no Strict-Transport-Security header: a first visit over http can be read")
    match = _MAX_AGE.search(header)
    days = int(match[1]) // 86_400 if match else 0
    if days < HSTS_DAYS:
        return Check("HSTS", State.NO_GO, f"max-age is {days} days; {HSTS_DAYS} are the least that helps")
    return Check("HSTS", State.GO, f"{days} days" + (", subdomains too" if "includesub" in header.lower() else ""))


def _headers(response: Response) -> Check:
    """What every answer needs, and what a page needs besides. A policy that only reports protects from nothing."""
    headers = response.headers
    policy = headers.get("content-security-policy", "").lower()
    page = "html" in headers.get("content-type", "").lower()
    missing = []
    if headers.get("x-content-type-options", "").strip().lower() != "nosniff":
        missing.append("X-Content-Type-Options: nosniff (a browser may take data for a script)")
    if page and not policy:
        missing.append("Content-Security-Policy (an injected script runs)")
    framed = headers.get("x-frame-options", "").strip().upper() in {"DENY", "SAMEORIGIN"} or "frame-ancestors" in policy
    if page and not framed:
        missing.append("frame-ancestors in Content-Security-Policy, or X-Frame-Options (other sites may frame it)")
    if page and not headers.get("referrer-policy"):
        missing.append("Referrer-Policy (addresses go to other sites)")
    what = "a page" if page else "an answer that is no page"
    if response.status >= 500:  # noqa: PLR2004 - the service itself fails
        return Check("security headers", State.UNCHECKED, f"the target answers with {response.status}")
    if missing:
        return Check("security headers", State.NO_GO, f"{what} lacks {len(missing)} of them", tuple(missing))
    return Check("security headers", State.GO, f"{what} has all it needs")
