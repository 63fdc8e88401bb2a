"""Tokens and cookies: whether who comes with one is who he says he is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hardenctl.formats.application import DECODE, Application, Call, literal
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.declare import rule

_LOGIN = re.compile(r"(?i)(?:session|token|jwt|sid|auth|credentials?|refresh|access|remember(?:_?me)?)(?:_?id)?$")
_SESSIONS = frozenset(
    ("starlette.middleware.sessions.SessionMiddleware", "fastapi.middleware.sessions.SessionMiddleware")
)
_HARMLESS = re.compile(r"(?i)csrf|xsrf")


@rule("app-token-unverified", on=Application, severity=Severity.MEDIUM)
def token_unverified(application: Application) -> Iterator[Hit]:
    """A token is believed without its signature.

    ## Why is this bad?
    A JSON Web Token says who somebody is; only its signature says that this is so. Without the check, anybody writes
    himself one.

    Nothing is said where the project verifies tokens elsewhere: then such a look is mostly one at the issuer, to find
    the key.

    ## Example
    ```python title="auth.py"
    import jwt


    def user(token: str) -> str:
        return jwt.decode(token, options={"verify_signature": False})["sub"]
    ```

    ## Use instead
    Give the key and the algorithms that tokens are signed with.

    ```python title="auth.py"
    import jwt


    def user(token: str, key: str) -> str:
        return jwt.decode(token, key, algorithms=["HS256"])["sub"]
    ```

    ## References
    - https://pyjwt.readthedocs.io/en/stable/usage.html
    - https://datatracker.ietf.org/doc/html/rfc8725
    """
    if not all(map(_unverified, application.decodes)):
        return
    for call in application.called(*DECODE):
        message = f"a token is believed without its signature: {_unverified(call)}"
        fix = advice("give the key and the algorithms, and leave the check on")
        yield Hit(call.span, message, fix=fix)


def _unverified(call: Call) -> str:
    """What switches the check of a signature off; empty where nothing does."""
    options: Any = call.literal("options")
    if isinstance(options, dict) and options.get("verify_signature", True) is False:
        return "verify_signature is False"
    if call.literal("verify") is False:
        return "verify is False"
    algorithms = call.literal("algorithms", 2)
    names = algorithms if isinstance(algorithms, list | tuple) else [algorithms]
    if any(isinstance(each, str) and each.lower() == "none" for each in names):
        return "the algorithm none is accepted"
    return ""


@rule("app-insecure-cookie", on=Application, severity=Severity.LOW)
def insecure_cookie(application: Application) -> Iterator[Hit]:
    """A login's cookie goes where it should not.

    ## Why is this bad?
    Without `httponly` every script on the page can read it, a foreign one as well: one hole for scripts is every
    login. Without `secure` the browser sends it over plain HTTP too, where anybody on the way reads it.

    Medium where scripts can read it. Cookies are meant whose names speak of a session, a token or a login.

    ## Example
    ```python title="login.py"
    from fastapi import Response


    def login(response: Response, token: str) -> None:
        response.set_cookie("access_token", token)
    ```

    ## Use instead
    Keep it from scripts and from plain HTTP.

    ```python title="login.py"
    from fastapi import Response


    def login(response: Response, token: str) -> None:
        response.set_cookie("access_token", token, httponly=True, secure=True, samesite="lax")
    ```

    ## References
    - https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Cookies#security
    """
    said: set[str] = set()
    for call in application.called("set_cookie"):
        name = call.literal("key", 0)
        if not isinstance(name, str) or not _LOGIN.search(name) or _HARMLESS.search(name) or call.conditional:
            continue
        if name not in said and call.literal("value", 1) is ...:  # what is written down opens nothing
            said.add(name)
            yield from _cookie(call, name)
    for call in application.called("add_middleware", "Middleware", "SessionMiddleware"):
        given = {call.name, call.first} & _SESSIONS
        if given and not call.conditional and (not call.has("https_only") or call.literal("https_only") is False):
            message = "the session's cookie is sent over plain HTTP too"
            yield Hit(call.span, message, identity="session", fix=advice("set https_only=True"))
    for key, value in application.configured:
        if literal(value) is False and key in {"SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SECURE"}:
            readable = key.endswith("HTTPONLY")
            how = "can be read by scripts" if readable else "is sent over plain HTTP too"
            severity = Severity.MEDIUM if readable else None
            yield Hit(application.module.span(value), f"the session's cookie {how}", identity=key, severity=severity,
                      fix=advice(f"set {key} to True"))  # fmt: skip


def _cookie(call: Call, name: str) -> Iterator[Hit]:
    readable = not call.has("httponly") or call.literal("httponly") is False
    plain = not call.has("secure") or call.literal("secure") is False
    if readable:
        message = f"the cookie {name} can be read by scripts" + (" and is sent over plain HTTP too" if plain else "")
        fix = advice("set httponly=True, and secure=True")
        yield Hit(call.span, message, identity=name, severity=Severity.MEDIUM, fix=fix)
    elif plain:
        yield Hit(
            call.span, f"the cookie {name} is sent over plain HTTP too", identity=name, fix=advice("set secure=True")
        )
