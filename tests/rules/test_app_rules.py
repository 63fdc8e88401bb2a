"""The application rules on code as people write it."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from hardenctl.audit import audit
from hardenctl.detect.config import detect_config
from hardenctl.formats.application import read
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Hit
from hardenctl.model.settings import Settings
from hardenctl.policy.policy import Policy
from hardenctl.rules import app
from hardenctl.rules.declare import Rule
from hardenctl.sources import open_source
from hardenctl.sources.memory import MemorySnapshot

VERIFYING = "import jwt\njwt.decode(token, key, algorithms=['HS256'])\n"
SESSIONS = "from starlette.middleware.sessions import SessionMiddleware as S\n"


def results(files: dict[str, str]) -> list[tuple[Rule, Hit]]:
    """What the rules say."""
    return [each for each in detect_config(MemorySnapshot(files), app.RULES, Settings()) if isinstance(each, tuple)]


def severities(text: str, **others: str) -> list[tuple[str, str]]:
    """Rule and severity of each hit in one module; `others` are more modules by name."""
    files = {"main.py": textwrap.dedent(text), **{f"{name}.py": other for name, other in others.items()}}
    return [(rule.id, (rule.severity if hit.severity is None else hit.severity).word) for rule, hit in results(files)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("jwt.decode(t, options={'verify_signature': False})", True, id="an-option"),
        pytest.param("jwt.decode(t, verify=False)", True, id="an-argument"),
        pytest.param("jwt.decode(t, '', algorithms=['none', 'HS256'])", True, id="the-algorithm-none"),
        pytest.param("jwt.decode(t, k, algorithms=['HS256'])", False, id="verified"),
        pytest.param("jwt.decode(t, k, options={'verify_aud': False})", False, id="another-option"),
        pytest.param("jwt.decode(t, options=options)", False, id="not-known"),
        pytest.param("jwt.decode(t, k, ['HS256'], {'verify_signature': False, 'verify_aud': x})", True, id="by-place"),
        pytest.param("jwt.decode(t, options=dict(verify_signature=False))", True, id="a-call-of-dict"),
        pytest.param("jwt.decode(t, k, False)", True, id="as-of-old"),
        pytest.param("jwt.decode_complete(t, options={'verify_signature': False})", True, id="complete"),
        pytest.param("if settings.DEBUG:\n    jwt.decode(t, verify=False)", False, id="not-in-production"),
    ],
)
@pytest.mark.parametrize("how", ["import jwt", "from jose import jwt", "import jwt as j; jwt = j"])
def test_tokens_without_signature(text: str, how: str, *, expected: bool) -> None:
    """Found by whichever library; what is worked out at run time is not guessed at."""
    if "as j" in how:
        text, how = text.replace("jwt.", "j."), "import jwt as j"
    assert severities(f"{how}\n{text}\n") == ([("app-token-unverified", "medium")] if expected else [])


def test_a_look_at_the_issuer_is_none() -> None:
    """Where the project verifies tokens somewhere, an unverified look finds the key."""
    assert severities("import jwt\njwt.decode(t, options={'verify_signature': False})", other=VERIFYING) == []
    assert severities("import jwt\njwt.decode(t, verify=False)", other="from jwt import decode\ndecode(t, k)") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("response.set_cookie('access_token', t)", ["medium"], id="for-scripts"),
        pytest.param("response.set_cookie(key='session', value=t, secure=True)", ["medium"], id="by-name"),
        pytest.param("response.set_cookie('sessionid', t, httponly=True)", ["low"], id="over-plain-http"),
        pytest.param("response.set_cookie('jwt', t, httponly=True, secure=False)", ["low"], id="said-to-be"),
        pytest.param("response.set_cookie('jwt', t, httponly=True, secure=settings.secure)", [], id="a-setting"),
        pytest.param("response.set_cookie('jwt', t, **options)", [], id="options"),
        pytest.param("response.set_cookie('theme', t)", [], id="no-login"),
        pytest.param("response.set_cookie('last_login_method', t)", [], id="about-a-login"),
        pytest.param("response.set_cookie('csrf_token', t)", [], id="for-scripts-on-purpose"),
        pytest.param("response.set_cookie('has_session', 'yes')", [], id="a-flag"),
        pytest.param("if settings.debug:\n    response.set_cookie('jwt', t)", [], id="not-in-production"),
        pytest.param("r.set_cookie('jwt', t)\nr.set_cookie('jwt', u)", ["medium"], id="once"),
        pytest.param(f"{SESSIONS}app.add_middleware(S, secret_key=k)", ["low"], id="sessions"),
        pytest.param(f"{SESSIONS}app.add_middleware(S, secret_key=k, https_only=True)", [], id="sessions-over-tls"),
        pytest.param(f"{SESSIONS}app.add_middleware(S, secret_key=k, https_only=x)", [], id="sessions-by-setting"),
        pytest.param(f"{SESSIONS}x = [Middleware(S, secret_key=k)]", ["low"], id="sessions-in-a-list"),
        pytest.param(
            "from django.contrib.sessions.middleware import SessionMiddleware\nSessionMiddleware(get)", [], id="django"
        ),
        pytest.param("app.config['SESSION_COOKIE_HTTPONLY'] = False", ["medium"], id="flask"),
        pytest.param("app.config.update(SESSION_COOKIE_SECURE=False)", ["low"], id="flask-update"),
        pytest.param("app.config.update(SESSION_COOKIE_SECURE=x)", [], id="flask-setting"),
        pytest.param("app.config.update({'SESSION_COOKIE_SECURE': False})", ["low"], id="flask-dictionary"),
        pytest.param("if app.debug:\n    app.config['SESSION_COOKIE_SECURE'] = False", [], id="flask-in-a-branch"),
        pytest.param("r.set_cookie('jwt', t, 60, None, '/', None, True, True)", [], id="by-place"),
        pytest.param("r.set_cookie('jwt', t, 60, None, '/', None, False, True)", ["low"], id="off-by-place"),
        pytest.param("r.set_cookie('jwt', t, *rest)", [], id="unknown-places"),
        pytest.param("r.set_cookie('jwt', t, httponly=True, secure=None)", ["low"], id="none-is-off"),
        pytest.param("r.set_cookie(name='jwt', value=t, httponly=True)", ["low"], id="aiohttp"),
        pytest.param("r.set_cookie('session', expires=0)", [], id="taken-away"),
        pytest.param("r.set_cookie('last_access', t)", [], id="a-time"),
        pytest.param("r.set_cookie('is_session', t)", [], id="a-question"),
        pytest.param("NAME = 'jwt'\nr.set_cookie(NAME, t, secure=True)", ["medium"], id="a-constant"),
        pytest.param("r.set_cookie(settings.session_cookie_name, t, secure=s)", ["medium"], id="named-by-a-setting"),
        pytest.param("r.set_cookie(settings.login_hint_cookie_name, t)", [], id="another-setting"),
        pytest.param("helper.set_cookie(session, t)", [], id="a-wrapper"),
        pytest.param("import falcon\nr.set_cookie('session', t)", [], id="falcon-is-safe"),
        pytest.param("import falcon\nr.set_cookie('session', t, http_only=False)", ["medium"], id="falcon-is-told-not"),
        pytest.param(
            "from litestar.datastructures import Cookie\nCookie(key='jwt', value=t, secure=True)",
            ["medium"],
            id="litestar",
        ),
        pytest.param(
            "from litestar.middleware.session.server_side import ServerSideSessionConfig as C\nC()",
            ["low"],
            id="litestar-sessions",
        ),
        pytest.param(
            "from aiohttp_session.cookie_storage import EncryptedCookieStorage\nEncryptedCookieStorage(k)",
            ["low"],
            id="aiohttp-sessions",
        ),
    ],
)
def test_cookies_of_logins(text: str, expected: list[str]) -> None:
    """Those that scripts can read, and those that are sent over plain HTTP; a setting is nobody's finding."""
    assert severities(text) == [("app-insecure-cookie", each) for each in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("from fastapi import FastAPI\napp = FastAPI(debug=True)", [("app-debug", "medium")], id="fastapi"),
        pytest.param("import fastapi\napp = fastapi.FastAPI(debug=settings.debug)", [], id="a-setting"),
        pytest.param(
            "from fastapi import FastAPI\nif settings.DEBUG:\n    app = FastAPI(debug=True)", [], id="in-a-branch"
        ),
        pytest.param(
            "from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware as P\n"
            "app.add_middleware(P, trusted_hosts=['*'])",
            [("app-any-proxy", "medium")],
            id="any-proxy",
        ),
        pytest.param(
            "app.add_middleware(ProxyHeadersMiddleware, trusted_hosts='10.0.0.1')", [], id="a-proxy"
        ),
        pytest.param(
            "app.add_middleware(TrustedHostMiddleware, allowed_hosts=['*'])", [("app-any-host", "low")], id="any-host"
        ),
        pytest.param("app = ProxyHeadersMiddleware(a, trusted_hosts='*')", [("app-any-proxy", "medium")], id="wrapped"),
        pytest.param("app = ProxyHeadersMiddleware(a, '*')", [("app-any-proxy", "medium")], id="by-place"),
        pytest.param("app.add_middleware(ProxyHeadersMiddleware, '*')", [("app-any-proxy", "medium")], id="added"),
        pytest.param(
            "from fastapi import FastAPI\nif is_debug():\n    pass\nelse:\n    app = FastAPI(debug=True)",
            [("app-debug", "medium")],
            id="in-the-other-branch",
        ),
        pytest.param(
            "from fastapi import FastAPI\napp = FastAPI(debug=True) if DEBUG else FastAPI()", [], id="in-an-expression"
        ),
        pytest.param(
            "from fastapi import FastAPI\nif ENV == 'production':\n    app = FastAPI(debug=True)",
            [("app-debug", "medium")],
            id="in-production",
        ),
        pytest.param(
            "from fastapi import FastAPI\nif env != 'prod':\n    app = FastAPI(debug=True)", [], id="not-in-production"
        ),
        pytest.param(
            "from fastapi import FastAPI\nif latest_device:\n    app = FastAPI(debug=True)",
            [("app-debug", "medium")],
            id="another-question",
        ),
    ],
)  # fmt: skip
def test_what_is_shown_and_believed(text: str, expected: list[tuple[str, str]]) -> None:
    """Tracebacks for everybody, and everybody's word."""
    assert severities(text) == expected


def test_a_cookie_that_browsers_refuse_is_said() -> None:
    """Of `samesite=none` only where `secure` is missing: with it, it can be what a service needs."""
    ((_, hit),) = results({"main.py": "r.set_cookie('jwt', t, httponly=True, samesite='none')\n"})
    assert hit.message == "the cookie jwt is refused by browsers: samesite none needs secure"
    assert severities("r.set_cookie('jwt', t, httponly=True, secure=True, samesite='none')") == []


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("starlette.responses", "Response"),
        ("flask", "Response"),
        ("quart", "Response"),
        ("django.http", "HttpResponse"),
        ("litestar", "Response"),
    ],
)
def test_the_order_of_arguments_is_that_of_the_frameworks(where: str, name: str) -> None:
    """What the rule takes by its place stands there."""
    method = getattr(pytest.importorskip(where), name).set_cookie
    places = list(inspect.signature(method).parameters)[1:]
    assert (places.index("secure"), places.index("httponly"), places.index("samesite")) == (6, 7, 8)


def test_a_hook_run_needs_no_list_of_the_project() -> None:
    """Where it is known what changed, nothing else is asked for, unless a token is read unverified."""

    class Changed(MemorySnapshot):
        asked = ("main.py", "gone.py")

        def paths(self) -> list[str]:
            raise AssertionError("the index is listed")

    text = "import jwt\njwt.decode(t, k)\nr.set_cookie('jwt', t)\n"
    snapshot = Changed({"main.py": text, "other.py": text})
    assert [rule.id for rule in app.RULES for document in read(snapshot) for _ in rule.hits(document, Settings())] == [
        "app-insecure-cookie"
    ]


def test_tests_and_examples_are_left_aside(make_repository: Callable[..., Any]) -> None:
    """They run nowhere that counts; the service beside them does."""
    text = "from fastapi import FastAPI\napp = FastAPI(debug=True)\n"
    files = dict.fromkeys(("tests/test_app.py", "app/conftest.py", "examples/main.py", "app/main.py"), text)
    report = audit(open_source([make_repository(files).root]), Policy(), rules=app.RULES)
    assert [each.finding.location.path for each in report.findings] == ["app/main.py"]


def test_what_cannot_be_parsed_is_a_gap() -> None:
    """And no silence: nobody has looked at its tokens."""
    files = {"auth.py": "import jwt\ndef f(:\n    jwt.decode(t, verify=False)\n", "plain.py": "def g(:\n"}
    (gap,) = detect_config(MemorySnapshot(files), app.RULES, Settings())
    assert isinstance(gap, Gap)
    assert gap.path == "auth.py"
