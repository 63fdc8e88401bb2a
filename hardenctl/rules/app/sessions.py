"""Tokens and cookies: whether whoever comes with one is who it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from hardenctl.formats.application import DECODE, Application, Call, entries, literal
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.declare import rule

_LOGIN = re.compile(
    r"(?i)(?:sess(?:ion)?(?:_?id)?|token|jwt|(?<![a-z])s?id_?token|(?<![a-z])sid|auth|credentials?|remember(?:_?me)?)$"
    r"|^(?:access|refresh)$"
)
_HARMLESS = re.compile(r"(?i)csrf|xsrf|captcha|^(?:is|has)_")
_NAMED = re.compile(r"(?i)_?(?:cookie)?_?(?:name|key)$")  # `session_cookie_name` is the name of a session's cookie
# Where a framework's own sessions are switched to HTTPS alone, by what is called; all are off unless it is said.
_SESSIONS = {
    "starlette.middleware.sessions.SessionMiddleware": "https_only",
    "fastapi.middleware.sessions.SessionMiddleware": "https_only",
    "litestar.middleware.session.client_side.CookieBackendConfig": "secure",
    "litestar.middleware.session.server_side.ServerSideSessionConfig": "secure",
    "aiohttp_session.SimpleCookieStorage": "secure",
    "aiohttp_session.cookie_storage.EncryptedCookieStorage": "secure",
    "aiohttp_session.nacl_storage.NaClCookieStorage": "secure",
}


@rule("app-token-unverified", on=Application, severity=Severity.MEDIUM)
def token_unverified(application: Application) -> Iterator[Hit]:
    """A token is accepted without checking its signature.

    ## Why is this bad?
    A JSON Web Token states who its bearer is; only the signature proves it. Where it is not checked, anybody can write
    a token that names any user.

    Nothing is reported where the project verifies tokens elsewhere: an unverified read is then usually a look at the
    issuer, to find the right key.

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
    found = [(call, how) for call in application.called(*DECODE) if (how := _unverified(call)) and not call.conditional]
    if not found or not all(map(_unverified, application.decodes())):
        return
    for call, how in found:
        message = f"a token is accepted without checking its signature: {how}"
        yield Hit(call.span, message, fix=advice("give the key and the algorithms, and leave the check on"))


def _unverified(call: Call) -> str:
    """What switches the check of a signature off; empty where nothing does."""
    if entries(call.argument("options", 3)).get("verify_signature", True) is False:
        return "`verify_signature` is off"
    algorithms = call.literal("algorithms", 2)
    if call.literal("verify") is False or algorithms is False:  # the third argument of PyJWT 1 was `verify`
        return "`verify` is off"
    names = algorithms if isinstance(algorithms, list | tuple) else [algorithms]
    if any(isinstance(each, str) and each.lower() == "none" for each in names):
        return "the algorithm `none` is accepted"
    return ""


@rule("app-insecure-cookie", on=Application, severity=Severity.LOW)
def insecure_cookie(application: Application) -> Iterator[Hit]:
    """A login's cookie can be read by scripts, or is sent over plain HTTP.

    ## Why is this bad?
    Without `httponly` every script on the page can read the cookie, an injected one too, and use the login as its own.
    Without `secure` the browser sends it over plain HTTP as well, where anybody on the way can read it.

    Medium where scripts can read it. Only cookies whose names speak of a session, a token or a login are meant. A
    `samesite` of `none` can be what a service needs; browsers refuse it without `secure`.

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
    yield from _cookies(application)
    for call in application.called("add_middleware", "Middleware", *_SESSIONS):
        switch = _SESSIONS.get(call.name) or _SESSIONS.get(call.first)
        if switch and not call.conditional and call.is_off(switch):
            message = "the session's cookie is also sent over plain HTTP"
            yield Hit(call.span, message, identity="session", fix=advice(f"set {switch}=True"))
    for key, value in application.configured:
        if literal(value) is False and key in {"SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SECURE"}:
            readable = key.endswith("HTTPONLY")
            how = "can be read by scripts" if readable else "is also sent over plain HTTP"
            severity = Severity.MEDIUM if readable else None
            yield Hit(application.module.span(value), f"the session's cookie {how}", identity=key, severity=severity,
                      fix=advice(f"set {key} to True"))  # fmt: skip


def _cookies(application: Application) -> Iterator[Hit]:
    """The cookies that the module sets itself, each once."""
    falcon = application.imports("falcon")  # its cookies are safe unless they are told not to be
    said: set[str] = set()
    for call in application.called(
        "set_cookie", "litestar.datastructures.Cookie", "litestar.datastructures.cookie.Cookie"
    ):
        name = _name(application, call)
        is_object = not call.name.endswith("set_cookie")
        value = call.argument("value", 2 if is_object else 1)
        if not name or name in said or call.conditional or value is None or literal(value) is not ...:
            continue  # what is written down, or empty, opens nothing
        said.add(name)
        # The order of Starlette, Flask, Quart, Django and Litestar; aiohttp and Tornado take these by name alone.
        secure, httponly = (6, 7)
        readable = call.is_off("http_only" if falcon else "httponly", httponly, default=falcon)
        plain = call.is_off("secure", secure, default=falcon)
        yield from _cookie(call, name, readable=readable, plain=plain)


def _name(application: Application, call: Call) -> str:
    """The name of a login's cookie, or of the setting that names it; empty for any other cookie."""
    node = call.argument("key", 0) or call.argument("name")
    given = application.constant(node)
    if isinstance(given, str):
        speaks = given
    elif isinstance(node, ast.Name | ast.Attribute):
        given = ast.unparse(node)
        last = given.rpartition(".")[2]
        speaks = _NAMED.sub("", last)
        if speaks == last:
            return ""
    else:
        return ""
    return given if _LOGIN.search(speaks) and not _HARMLESS.search(speaks) else ""


def _cookie(call: Call, name: str, *, readable: bool, plain: bool) -> Iterator[Hit]:
    if not readable and not plain:
        return
    refused = plain and call.literal("samesite", 8) in ("none", "None")
    how = ["can be read by scripts"] if readable else []
    if plain:
        how.append("is refused by browsers: samesite none needs secure" if refused else "is also sent over plain HTTP")
    wanted = [*(["httponly=True"] if readable else []), *(["secure=True"] if plain else [])]
    severity = Severity.MEDIUM if readable else None
    message = f"the cookie {name} {' and '.join(how)}"
    yield Hit(call.span, message, identity=name, severity=severity, fix=advice(f"set {' and '.join(wanted)}"))
