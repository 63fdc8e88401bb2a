"""Counts finished requests by endpoint and hands them out as deltas. Locust's own statistics keep two digits."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from hardenctl.load.histogram import bucket_of

_SHORTEST = 3  # characters of a credential: masking shorter ones would mask words
_FIRST_ERROR = 400  # of HTTP's statuses
_MOST_ENDPOINTS = 300  # a name per id would grow without end
_QUERY_VALUE = re.compile(r"=[^&]*")
_LONG_WORD = re.compile(r"[\w.~+/=-]{20,}")
_SECRET_NAME = re.compile(r"TOKEN|PASS|SECRET|KEY|CREDENTIAL", re.IGNORECASE)


class CheckFailed(Exception):  # noqa: N818 - what the report reads
    """An answer that came but isn't right. Its text is ours and never the answer's."""


class Recorder:
    """Listens to Locust's request event. Requests that started before `measure_from` (epoch seconds) don't count."""

    def __init__(self) -> None:
        self.measure_from = float("inf")
        self.warm = [0, 0]
        self._deltas: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}
        self._secrets = [
            value for name, value in os.environ.items() if _SECRET_NAME.search(name) and len(value) > _SHORTEST
        ]

    def on_request(
        self,
        name: str,
        response_time: float | None,
        exception: BaseException | None = None,
        start_time: float | None = None,
        response: Any = None,
        **_: Any,
    ) -> None:
        """Count one finished request."""
        response_time = response_time or 0.0  # a custom client's event may carry none
        started = start_time if start_time is not None else time.time() - response_time / 1000
        if started < self.measure_from:
            self.warm[exception is not None] += 1
            return
        delta = self._deltas.get(name)
        if delta is None:
            delta = self._delta(name)
        if exception is None:
            delta["ok"] += 1
            latency = delta["latency"]
            bucket = bucket_of(response_time)
            latency[bucket] = latency.get(bucket, 0) + 1
        else:
            delta["failed"] += 1
            kind = self._kind(exception, response)
            delta["errors"][kind] = delta["errors"].get(kind, 0) + 1

    def unfinished(self, name: str, started: float, waited: float) -> None:
        """Count a request that still had no answer when its user was stopped, as a failure if it had time enough.

        One that was sent during the warm-up counts too when it hung through so much of what is measured: its user
        sent no other, and a target that froze early would look idle.
        """
        if time.time() - max(started, self.measure_from) >= waited:
            delta = self._delta(name)
            delta["failed"] += 1
            delta["errors"]["no answer before the run ended"] = (
                delta["errors"].get("no answer before the run ended", 0) + 1
            )

    def take(self) -> dict[str, dict[str, Any]]:
        """What came in since the last call."""
        deltas, self._deltas = self._deltas, {}
        merged: dict[str, dict[str, Any]] = {}
        for name, delta in deltas.items():
            shown = self._shown(name)
            if shown in merged:
                into = merged[shown]
                into["ok"] += delta["ok"]
                into["failed"] += delta["failed"]
                into["latency"] += delta["latency"].items()
                for kind, count in delta["errors"].items():
                    into["errors"][kind] = into["errors"].get(kind, 0) + count
            else:
                merged[shown] = {**delta, "latency": list(delta["latency"].items())}
        return merged

    def _delta(self, name: str) -> dict[str, Any]:
        return self._deltas.setdefault(name, {"ok": 0, "failed": 0, "latency": {}, "errors": {}})

    def _shown(self, name: str) -> str:
        """The name as reports show it: values of a query string could be credentials."""
        if name not in self._names:
            path, mark, query = str(name).partition("?")
            shown = path + (mark + _QUERY_VALUE.sub("=…", query) if mark else "")
            if len(self._names) >= _MOST_ENDPOINTS:
                return "(other)"
            self._names[name] = self._masked(shown)[:120]
        return self._names[name]

    def _kind(self, exception: BaseException, response: Any) -> str:
        """An error in a few words, without anything that the answer or the exception's text could give away."""
        if isinstance(exception, CheckFailed):
            return str(exception)
        status = getattr(response, "status_code", 0)
        if status and status >= _FIRST_ERROR:
            return f"HTTP {status}"
        text = str(exception).lower()
        name = type(exception).__name__
        for words, kind in _KINDS:
            if any(word in text or word in name.lower() for word in words):
                return kind
        if name == "CatchResponseError":  # a check of the user's own Locust file
            return f"check failed: {_LONG_WORD.sub('…', self._masked(str(exception)))[:80]}"
        return name

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "••••••••")
        return text


_KINDS = (
    (("refused",), "connection refused"),
    (("reset", "broken pipe", "connectionclosed", "connection closed", "aborted"), "connection closed"),
    (("certificate",), "TLS: certificate not trusted"),
    (("ssl", "tls"), "TLS: handshake failed"),
    (("timeout", "timed out"), "timed out"),
    (("name or service", "getaddrinfo", "gaierror", "nodename"), "name not resolved"),
    (("unreachable", "no route"), "host unreachable"),
)
