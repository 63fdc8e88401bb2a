"""What to ask of a target that no scenario file describes: its OpenAPI document, or else `/` alone, and says so."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from hardenctl.load.http import opener
from hardenctl.load.openapi import NAMES, PASSWORD, Api
from hardenctl.load.scenario import Authentication, Endpoint
from hardenctl.model.errors import DocumentError, UsageError
from hardenctl.model.files import read_small

TOKEN = "HARDENCTL_LOAD_TOKEN"  # noqa: S105 - the variable's name
USERNAME = "HARDENCTL_LOAD_USERNAME"
_SECONDS = 5.0
_MOST_BYTES = 20 * 2**20
_HELP = "name one with --openapi, or the requests in a scenario file"


@dataclass(frozen=True, slots=True)
class Found:
    """The requests of a target, how to log in, what there is to say, and what the generator's environment needs.

    `think` is the range of pauses between two requests, where the source knows it.
    """

    endpoints: tuple[Endpoint, ...] = ()
    authentication: Authentication | None = None
    notes: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    think: tuple[float, float] | None = None


def find_endpoints(url: str, openapi: str | None, environment: Mapping[str, str] = os.environ) -> Found:
    """What to ask of a target.

    `openapi` is a file or a URL of the target; without it `/openapi.json` of the target is tried. Raises UsageError or
    DocumentError where a document that was named cannot be used.
    """
    try:
        api = Api(_document(url, openapi))
    except DocumentError as error:
        if openapi is not None:
            raise
        return Found(notes=(error.what,))
    how, secrets_, notes = _authentication(api, environment)
    # what a document calls open may want a login all the same
    refused = () if how else tuple(path for path in api.readable() if _status(url + path) in {401, 403})
    endpoints, left_out = api.endpoints(authenticated=how is not None, refused=refused)
    notes.insert(0, f"endpoints come from the target's OpenAPI document: {len(endpoints)} requests")
    if left_out.secured:
        notes.append(
            f"{left_out.secured} operations need a login and are left out: set {TOKEN}, or {USERNAME} and {PASSWORD}, "
            "or write a scenario file"
        )
    if left_out.risky:
        notes.append(f"{left_out.risky} operations that nothing here could undo or fill in are left out")
    return Found(endpoints, how, tuple(notes), secrets_)


def _authentication(
    api: Api, environment: Mapping[str, str]
) -> tuple[Authentication | None, Mapping[str, str], list[str]]:
    """A token from the environment, an account from there, or an account that each user registers for itself."""
    login = api.login()
    if environment.get(TOKEN):
        return Authentication(token_env=TOKEN, header=api.header, scheme=api.scheme), {}, []
    if login and environment.get(USERNAME) and environment.get(PASSWORD):
        name = f"${USERNAME}"
        request = dataclasses.replace(
            login.request,
            body=_renamed(login.request.body, name) if login.request.body else None,
            form=_renamed(login.request.form, name),
        )
        return Authentication(login=request, token=login.token), {}, []
    if login and login.register:
        made_up = {PASSWORD: secrets.token_urlsafe(18) + "aA1!"}
        note = f"each user registers an account of its own ({login.register.path}) and logs in ({login.request.path})"
        return Authentication(login=login.request, register=login.register, token=login.token), made_up, [note]
    return None, {}, []


def _renamed(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: name if key in NAMES else value for key, value in body.items()}


def _status(url: str) -> int:
    """The HTTP status of a GET; 0 where there is no answer."""
    try:
        with opener().open(url, timeout=_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, HTTPException, ValueError):
        return 0


def _document(url: str, openapi: str | None) -> Mapping[str, Any]:
    if openapi is not None and not openapi.startswith(("http://", "https://")):
        path = Path(openapi)
        try:
            data = read_small(path, most=_MOST_BYTES)
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
    except (ValueError, RecursionError):
        document = _yaml(data)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise DocumentError(f"{where} is no OpenAPI document", help=_HELP)
    return document


def _yaml(data: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _fetch(url: str) -> bytes:
    try:
        with opener().open(url, timeout=_SECONDS) as answer:  # the target was checked; the scheme is http or https
            return bytes(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        raise DocumentError(f"{url} answered HTTP {error.code}: no OpenAPI document", help=_HELP) from None
    except (OSError, HTTPException, ValueError):
        raise DocumentError(f"{url} gave no answer: no OpenAPI document", help=_HELP) from None
