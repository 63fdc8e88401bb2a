"""From a browser's recording (HAR 1.2) to requests: the target's own, in the proportions they were made in.

A recording is full of credentials. Nothing of it is written anywhere, and of each request only this is taken over:
method, path, query, body, and the few headers that say how to read them. A credential in a query is dropped; one in a
body becomes an environment variable.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from hardenctl.load.endpoints import TOKEN, Found
from hardenctl.load.har_secrets import Masker
from hardenctl.load.scenario import Authentication, Endpoint
from hardenctl.model.errors import DocumentError, UsageError
from hardenctl.model.files import read_small

_MOST_BYTES = 200 * 2**20
_KEPT_HEADERS = frozenset({"accept", "accept-language", "content-type", "x-requested-with", "prefer"})
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
_STATIC_KINDS = frozenset({"image", "stylesheet", "script", "font", "media", "manifest", "texttrack"})
_STATIC_TYPE = re.compile(
    r"(?:image|font|audio|video)/|text/css|(?:text|application)/(?:x-)?(?:java|ecma)script|.*wasm"
)
_STATIC_PATH = re.compile(
    r".*\.(?:css|m?js|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|mp[34]|webm|wasm)", re.IGNORECASE
)
_ID = re.compile(r"\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|(?=\D*\d)[\w-]{20,}", re.IGNORECASE)
_FILLED_IN = re.compile(r"\{\w+\}|\$\{?[A-Z_][A-Z0-9_]*\}?")
_FORM = "application/x-www-form-urlencoded"
_LONGEST_PAUSE = 30.0  # seconds: someone fetched a coffee
_SHORTEST_PAUSE = 0.05


@dataclass(slots=True)
class _Reading:
    """What came of the entries so far. `left_out` counts by reason."""

    masker: Masker
    found: dict[str, Endpoint] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    times: list[tuple[float, float]] = field(default_factory=list)
    credentials: int = 0


def find_in_har(path: Path, url: str, environment: Mapping[str, str], recorded_host: str | None = None) -> Found:
    """The requests of a recording that went to the target, or to the host that was recorded in its stead.

    Raises UsageError or DocumentError.
    """
    wanted = recorded_host or urlsplit(url).netloc
    reading = _Reading(Masker())
    for entry in _entries(path):
        _read(entry, wanted.lower(), reading)
    if not reading.found:
        hosts = ", ".join(f"{host} ({count})" for host, count in reading.hosts.most_common(5))
        raise DocumentError(
            f"{path} has no request to {wanted} that can be repeated",
            help=f"its hosts are {hosts}; name one with --har-host" if hosts else "record the pages that matter",
        )
    endpoints = tuple(
        Endpoint(
            **{name: getattr(each, name) for name in ("name", "method", "path", "body", "form", "headers", "status")},
            weight=reading.counts[key],
        )
        for key, each in reading.found.items()
    )
    authenticated = bool(environment.get(TOKEN))
    return Found(
        endpoints,
        Authentication(token_env=TOKEN) if authenticated else None,
        tuple(_notes(reading, wanted, authenticated=authenticated)),
        think=_pauses(reading.times),
    )


def _entries(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        log = json.loads(read_small(path, most=_MOST_BYTES))["log"]
        entries = log["entries"]
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", help="check --har; a shorter recording does"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise DocumentError(f"{path} is no HAR recording", help="save one from a browser's network panel")
    for each in entries:
        if isinstance(each, dict) and isinstance(each.get("request"), dict):
            yield each


def _read(entry: Mapping[str, Any], wanted: str, reading: _Reading) -> None:
    """Take over an entry, or count why not."""
    request = entry["request"]
    try:
        parts = urlsplit(str(request.get("url")))
    except ValueError:
        reading.left_out["without a URL"] += 1
        return
    netloc = parts.netloc.rpartition("@")[2].lower()
    reading.hosts[netloc or "(no host)"] += 1
    if netloc != wanted:
        reading.left_out["to other hosts"] += 1
        return
    why = _unwanted(entry, parts.scheme, parts.path)
    if why:
        reading.left_out[why] += 1
        return
    endpoint = _endpoint(entry, parts.path or "/", parts.query, reading)
    if isinstance(endpoint, str):
        reading.left_out[endpoint] += 1
        return
    key = json.dumps([endpoint.method, endpoint.path, endpoint.body, dict(endpoint.form)], sort_keys=True)
    reading.found.setdefault(key, endpoint)
    reading.counts[key] += 1
    names = {str(each.get("name")).lower() for each in _list(request.get("headers"))}
    reading.credentials += bool(names & {"authorization", "cookie"} or request.get("cookies"))
    started = _time(entry.get("startedDateTime"))
    if started is not None:
        reading.times.append((started, started + max(0.0, float(_number(entry.get("time")) / 1000))))


def _unwanted(entry: Mapping[str, Any], scheme: str, path: str) -> str:
    """Why an entry is not repeated; empty where it is."""
    request, response = entry["request"], _mapping(entry.get("response"))
    method, status = str(request.get("method")).upper(), int(_number(response.get("status")))
    kind = str(_mapping(response.get("content")).get("mimeType") or "").lower()
    static = (
        str(entry.get("_resourceType")) in _STATIC_KINDS or _STATIC_TYPE.match(kind) or _STATIC_PATH.fullmatch(path)
    )
    why = {
        "static assets": bool(static),
        "of another kind (CORS preflights, WebSockets)": scheme not in {"http", "https"} or method not in _METHODS,
        "deletions, which work once": method == "DELETE",
        "without an answer": not status,
        "answered with an error": status >= 400,  # noqa: PLR2004 - HTTP's errors
    }
    return next((reason for reason, holds in why.items() if holds), "")


def _endpoint(entry: Mapping[str, Any], path: str, query: str, reading: _Reading) -> Endpoint | str:
    """The request, or why there is none."""
    request = entry["request"]
    method, masker = str(request["method"]).upper(), reading.masker
    status = int(_number(_mapping(entry.get("response")).get("status")))
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if not masker.drops(name, value)]
    body: Any = None
    form: Mapping[str, str] = {}
    data = _mapping(request.get("postData"))
    if data and method != "GET":
        kind = str(data.get("mimeType") or "").partition(";")[0].strip().lower()
        text = str(data.get("text") or "")
        if kind.endswith("json"):
            try:
                body = json.loads(text)
            except (ValueError, RecursionError):
                return "with a body that is no JSON"
        elif kind == _FORM:
            form = dict(parse_qsl(text, keep_blank_values=True) or _parameters(data))
        elif text or data.get("params"):
            return "with a body that is neither JSON nor a form (uploads)"
    if any(_FILLED_IN.search(text) for text in _texts([unquote(path), kept, body, dict(form)])):
        return "with text that would be filled in, as {name} or $NAME"
    headers = {
        str(each.get("name")).title(): str(each.get("value"))
        for each in _list(request.get("headers"))
        if str(each.get("name")).lower() in _KEPT_HEADERS - ({"content-type"} if body is not None or form else set())
        and not _FILLED_IN.search(str(each.get("value")))
    }
    return Endpoint(
        name=f"{method} {_grouped(path)}",
        method=method,
        path=path + (f"?{urlencode(kept)}" if kept else ""),
        body=masker.mask(body),
        form=masker.mask(dict(form)),
        headers=headers,
        status=(status,) if 300 <= status < 400 and status != 304 else (),  # noqa: PLR2004 - a redirect; not a cache's answer
    )


def _notes(reading: _Reading, wanted: str, *, authenticated: bool) -> Iterator[str]:
    count = sum(reading.counts.values())
    yield f"endpoints come from a recording of {wanted}: {len(reading.found)} requests, weighted by their {count} uses"
    for why, number in reading.left_out.most_common():
        yield f"of the recording are left out: {number} {why}"
    if reading.masker.dropped:
        yield f"credentials in queries are left out: {', '.join(sorted(reading.masker.dropped))}"
    if reading.masker.variables:
        yield f"credentials in bodies come from the environment: {', '.join(sorted(reading.masker.variables))}"
    if reading.credentials and not authenticated:
        yield (
            f"{reading.credentials} requests carried a cookie or an authorization, which are never taken over: "
            f"set {TOKEN}"
        )


def _pauses(times: list[tuple[float, float]]) -> tuple[float, float] | None:
    """Half to one and a half of the mean pause between an answer and the next request; None where there is no pair."""
    times.sort()
    gaps = [min(_LONGEST_PAUSE, max(0.0, after[0] - before[1])) for before, after in itertools.pairwise(times)]
    if not gaps:
        return None
    mean = max(_SHORTEST_PAUSE, sum(gaps) / len(gaps))
    return round(mean / 2, 3), round(mean * 1.5, 3)


def _grouped(path: str) -> str:
    """A path as reports call it: ids, and what could be a token, stand as one."""
    return "/".join("{id}" if _ID.fullmatch(unquote(part)) else part for part in path.split("/"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _parameters(data: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return [(str(each.get("name")), str(each.get("value") or "")) for each in _list(data.get("params"))]


def _time(value: Any) -> float | None:
    try:
        return dt.datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
