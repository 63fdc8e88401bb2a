"""The target as Prometheus sees it: two instant queries of the user's own."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlencode, urlsplit

from hardenctl.load.http import opener
from hardenctl.load.watch import Usage
from hardenctl.load.watch.polled import Polled
from hardenctl.model.errors import UsageError

_SECONDS = 5.0
_EVERY = 1.0
_MOST_BYTES = 1_000_000


class PrometheusWatch(Polled):
    """Asks a Prometheus server. No series, several of them, or no number is a problem, never zero."""

    def __init__(self, url: str, cpu_query: str, memory_query: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise UsageError(
                "--target-prometheus is no URL of a Prometheus server", help="write it as http://127.0.0.1:9090"
            )
        self._url = url.rstrip("/")
        self._queries = (cpu_query, memory_query)
        super().__init__(f"Prometheus at {parts.hostname}", self._look, _EVERY)

    def _look(self) -> Usage:
        cpu, memory = self._queries
        return Usage(self._ask(cpu), self._ask(memory) if memory else None)

    def _ask(self, query: str | None) -> float:
        url = f"{self._url}/api/v1/query?{urlencode({'query': query or ''})}"
        try:
            with opener().open(url, timeout=_SECONDS) as answer:
                found = json.loads(answer.read(_MOST_BYTES))["data"]["result"]
            series = [found[1]] if found and not isinstance(found[0], dict) else [each["value"][1] for each in found]
            if len(series) != 1:
                raise LookupError(f"Prometheus answered {len(series)} series where one was expected")
            value = float(series[0])
        except urllib.error.HTTPError as error:
            error.close()
            raise LookupError(f"Prometheus answered HTTP {error.code}") from None
        except (OSError, HTTPException):
            raise LookupError("Prometheus gave no answer") from None
        except (ValueError, TypeError, KeyError, IndexError):
            raise LookupError("Prometheus answered no number") from None
        if not math.isfinite(value):
            raise LookupError("Prometheus answered no number")
        return value
