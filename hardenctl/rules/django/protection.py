"""What Django would protect by itself and is not asked to: middleware, cookies, headers."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.django.document import DjangoSettings, Way
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.declare import rule
from hardenctl.rules.django.fixes import switch_on
from hardenctl.rules.django.ruling import everywhere, is_on, lists, tell

_SESSIONS = ("SessionMiddleware",)
_CSRF = ("Csrf", "CSRF")
_SECURITY = ("SecurityMiddleware",)
_FRAMES = ("XFrame", "Clickjack", "CSP", "ContentSecurityPolicy")


def _lacks(way: Way, *words: str) -> bool | None:
    found = lists(way, "MIDDLEWARE", *words)
    return None if found is None else not found


@rule("django-no-csrf-middleware", on=DjangoSettings, severity=Severity.MEDIUM)
def no_csrf_middleware(settings: DjangoSettings) -> Iterator[Hit]:
    """Requests are not checked for coming from the service's own pages.

    ## Why is this bad?
    Sessions are kept in cookies, which a browser sends along with whatever another site makes it send: without
    `CsrfViewMiddleware`, that site acts in the name of the logged-in user. Where there are no sessions, nothing is
    missing.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    ```

    ## Use instead
    Put it back, and exempt single views where they need it.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/ref/csrf/
    - https://docs.djangoproject.com/en/stable/ref/checks/#security
    """
    way = everywhere(settings, lambda way: lists(way, "MIDDLEWARE", *_SESSIONS) and _lacks(way, *_CSRF))
    if way is not None:
        yield tell(
            settings,
            way["MIDDLEWARE"],
            "`MIDDLEWARE` has sessions and no `CsrfViewMiddleware`: another site can act for a logged-in user",
            "CsrfViewMiddleware",
            fix=advice("Add `django.middleware.csrf.CsrfViewMiddleware` behind the sessions"),
        )


@rule("django-no-security-middleware", on=DjangoSettings, severity=Severity.LOW)
def no_security_middleware(settings: DjangoSettings) -> Iterator[Hit]:
    """`SecurityMiddleware` is missing, so that no `SECURE_` setting does anything.

    ## Why is this bad?
    The redirect to https, HSTS and the headers against content sniffing and leaking referrers are all set by it.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    SECURE_SSL_REDIRECT = True
    MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    ```

    ## Use instead
    Put it first.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    SECURE_SSL_REDIRECT = True
    MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/ref/middleware/#module-django.middleware.security
    """
    way = everywhere(settings, lambda way: _lacks(way, *_SECURITY))
    if way is not None:
        yield tell(
            settings,
            way["MIDDLEWARE"],
            "`MIDDLEWARE` has no `SecurityMiddleware`: no `SECURE_` setting does anything",
            "SecurityMiddleware",
            fix=advice("Put `django.middleware.security.SecurityMiddleware` first"),
        )


@rule("django-no-frame-middleware", on=DjangoSettings, severity=Severity.LOW)
def no_frame_middleware(settings: DjangoSettings) -> Iterator[Hit]:
    """Other sites may show the service's pages in a frame.

    ## Why is this bad?
    A page that lies invisible over another one takes clicks that were meant for something else. Where there are no
    sessions, there is nobody whose clicks would count, and nothing is said.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ]
    ```

    ## Use instead
    Refuse frames, and allow them for single views with a decorator.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/ref/clickjacking/
    """
    way = everywhere(settings, lambda way: lists(way, "MIDDLEWARE", *_SESSIONS) and _lacks(way, *_FRAMES))
    if way is not None:
        yield tell(
            settings,
            way["MIDDLEWARE"],
            "`MIDDLEWARE` has nothing that keeps pages out of other sites' frames",
            "XFrameOptionsMiddleware",
            fix=advice("Add `django.middleware.clickjacking.XFrameOptionsMiddleware`"),
        )


def _unprotected(way: Way, settings: DjangoSettings) -> list[str]:
    """The settings for https that are off, where something would use them.

    A proxy may redirect and send HSTS, so that these two count only where neither is on and no proxy is spoken of.
    """

    def off(name: str) -> bool:
        found = is_on(way, name, otherwise=False)
        return found is False and not (settings.open_ended and name not in way)

    missing = []
    if lists(way, "MIDDLEWARE", *_SESSIONS) and off("SESSION_COOKIE_SECURE"):
        missing.append("SESSION_COOKIE_SECURE")
    if lists(way, "MIDDLEWARE", *_CSRF) and off("CSRF_COOKIE_SECURE") and off("CSRF_USE_SESSIONS"):
        missing.append("CSRF_COOKIE_SECURE")
    transport = ("SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")
    if lists(way, "MIDDLEWARE", *_SECURITY) and "SECURE_PROXY_SSL_HEADER" not in way and all(map(off, transport)):
        missing.extend(transport)
    return missing


@rule("django-https-not-enforced", on=DjangoSettings, severity=Severity.LOW)
def https_not_enforced(settings: DjangoSettings) -> Iterator[Hit]:
    """Cookies or pages may travel without https.

    ## Why is this bad?
    A browser sends a cookie that is not marked as secure over plain http too, where anyone on the way can take the
    session. A proxy may redirect to https, but cannot know which cookies are Django's.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ]
    ```

    ## Use instead
    Mark both cookies, and redirect where no proxy does.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 3600
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/topics/security/#ssl-https
    - https://docs.djangoproject.com/en/stable/howto/deployment/checklist/#https
    """
    way = everywhere(settings, lambda way: bool(_unprotected(way, settings)))
    if way is not None:
        missing = _unprotected(way, settings)
        names = ", ".join(f"`{each}`" for each in missing)
        yield tell(
            settings,
            next((way[each] for each in missing if each in way), None),
            f"https is not enforced: {names} {'is' if len(missing) == 1 else 'are'} off",
            "https",
            fix=advice(f"Set {names} in production's settings"),
        )


@rule("django-nosniff-off", on=DjangoSettings, severity=Severity.LOW)
def nosniff_off(settings: DjangoSettings) -> Iterator[Hit]:
    """Browsers may guess what a file is.

    ## Why is this bad?
    A browser that guesses runs an uploaded text as a script; Django sends the header against it unless told not to.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    SECURE_CONTENT_TYPE_NOSNIFF = False
    ```

    ## Use instead
    Leave it on.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    SECURE_CONTENT_TYPE_NOSNIFF = True
    ```

    ## Fix safety
    Unsafe: files that are served under a wrong type are no longer taken for what they are.

    ## References
    - https://docs.djangoproject.com/en/stable/ref/settings/#secure-content-type-nosniff
    """
    name = "SECURE_CONTENT_TYPE_NOSNIFF"
    # Without the middleware, the setting does nothing either way, which another rule tells.
    way = everywhere(settings, lambda way: is_on(way, name, otherwise=True) is False and not _lacks(way, *_SECURITY))
    if way is not None:
        yield tell(
            settings,
            way[name],
            f"`{name}` is off: browsers may take an upload for a script",
            name,
            fix=switch_on(way[name], name),
        )


@rule("django-proxy-header-unseen", on=DjangoSettings, severity=Severity.LOW)
def proxy_header_unseen(settings: DjangoSettings) -> Iterator[Hit]:
    """The header that should say https is under a name that Django never sees.

    ## Why is this bad?
    Django looks for it among the request's variables, where `X-Forwarded-Proto` is `HTTP_X_FORWARDED_PROTO`: under any
    other name it takes every request for plain http, and redirects it for ever. Name it only behind a proxy that
    sets the header itself, whatever the client sent: else any client can claim https.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    SECURE_PROXY_SSL_HEADER = ("X-Forwarded-Proto", "https")
    ```

    ## Use instead
    Write the name with `HTTP_`, capitals and underscores.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/ref/settings/#secure-proxy-ssl-header
    """
    name = "SECURE_PROXY_SSL_HEADER"

    def unseen(way: Way) -> bool:
        setting = way.get(name)
        header = setting.entries[0] if setting is not None and setting.known and setting.entries else ""
        return bool(header) and not (header.startswith("HTTP_") and header == header.upper() and "-" not in header)

    way = everywhere(settings, unseen)
    if way is not None:
        yield tell(
            settings,
            way[name],
            f"`{name}` names a header as no request has it: every request counts as plain http",
            name,
            fix=advice("Write the name with `HTTP_`, capitals and underscores (`HTTP_X_FORWARDED_PROTO`)"),
        )


RULES = (
    no_csrf_middleware,
    no_security_middleware,
    no_frame_middleware,
    https_not_enforced,
    nosniff_off,
    proxy_header_unseen,
)
