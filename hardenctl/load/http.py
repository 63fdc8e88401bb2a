"""One way to ask over HTTP: no redirects (another host was never confirmed) and no proxy."""

from __future__ import annotations

import urllib.request
from http.client import HTTPMessage
from typing import IO


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - as urllib calls it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        del req, fp, code, msg, headers, newurl


def opener() -> urllib.request.OpenerDirector:
    """What opens http and https URLs."""
    return urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
