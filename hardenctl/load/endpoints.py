"""What to ask of a target that no scenario file describes: its OpenAPI document, or else `/` alone, and says so."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any

from hardenctl.load.openapi import Api
from hardenctl.load.scenario import Authentication, Endpoint
from hardenctl.model.errors import DocumentError, UsageError

TOKEN = "HARDENCTL_LOAD_TOKEN"  # noqa: S105 - the variable's name
USERNAME = "HARDENCTL_LOAD_USERNAME"
PASSWORD = "HARDENCTL_LOAD_PASSWORD"  # noqa: S105 - the variable's name
_SECONDS = 5.0
_MOST_BYTES = 20_000_000

Found = tuple[tuple[Endpoint, ...], Authentication | None, list[str]]


def find_endpoints(url: str, openapi: str | None, environment: Mapping[str, str] = os.environ) -> Found:
    """The endpoints of a target, how to log in, and what there is to say about them.

    `openapi` is a file or a URL of the target; without it `/openapi.json` of the target is tried. Raises UsageError or
    DocumentError where a document that was named cannot be used.
    """
    try:
        document = _document(url, openapi)
    except DocumentError as error:
        if openapi is not None:
            raise
        return (), None, [error.what]
    api = Api(document)
    how = _authentication(api, environment)
    endpoints, left_out = api.endpoints(authenticated=how is not None)
    notes = [f"endpoints come from the target's OpenAPI document: {len(endpoints)} requests"]
    if left_out.secured:
        notes.append(
            f"{left_out.secured} operations need a login and are left out: set {TOKEN}, or {USERNAME} and {PASSWORD}, "
            "or write a scenario file"
        )
    if left_out.risky:
        notes.append(f"{left_out.risky} operations that nothing here could undo or fill in are left out")
    return endpoints, how, notes if endpoints else [*notes[1:], "the OpenAPI document names nothing to ask for"]


def _authentication(api: Api, environment: Mapping[str, str]) -> Authentication | None:
    if not api.secured:
        return None
    if environment.get(TOKEN):
        return Authentication(token_env=TOKEN, header=api.header, scheme=api.scheme)
    if api.token_path and environment.get(USERNAME) and environment.get(PASSWORD):
        form = {"grant_type": "password", "username": f"${USERNAME}", "password": f"${PASSWORD}"}
        return Authentication(login=Endpoint("log in", "POST", api.token_path, form=form))
    return None


def _document(url: str, openapi: str | None) -> Mapping[str, Any]:
    if openapi is not None and not openapi.startswith(("http://", "https://")):
        path = Path(openapi)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", help="check --openapi") from None
        where = str(path)
    else:
        where = openapi or f"{url}/openapi.json"
        if not where.startswith(f"{url}/"):
            raise UsageError("--openapi names another host than --host", help="download it and name the file")
        data = _fetch(where)
    try:
        document = json.loads(data)
    except ValueError:
        document = _yaml(data)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise DocumentError(f"{where} is no OpenAPI document")
    return document


def _yaml(data: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another host was never confirmed."""

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


def _fetch(url: str) -> bytes:
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_SECONDS) as answer:  # the target was checked; the scheme is http or https
            return bytes(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        raise DocumentError(f"{url} answered HTTP {error.code}: no OpenAPI document") from None
    except (OSError, HTTPException, ValueError):
        raise DocumentError(f"{url} gave no answer: no OpenAPI document") from None
