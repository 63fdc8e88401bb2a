"""Who gets in: any origin, lookalikes, `null`, plain http."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.cors.acceptance import EVIL
from hardenctl.formats.cors.document import CorsSetup, Outcome
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.model.settings import CorsSettings, Settings
from hardenctl.rules.cors.fixes import restrict_origins
from hardenctl.rules.cors.ruling import Ruling, covered, identity, judge, place, related
from hardenctl.rules.declare import rule

ORIGINS = (
    *("allow_origins", "origins", "CORS_ALLOW_ALL_ORIGINS", "CORS_ALLOWED_ORIGINS"),
    *("allow_origin", "defaults", "config", "CORS_ORIGINS", "cors_enable"),
)
PATTERNS = ("allow_origin_regex", "CORS_ALLOWED_ORIGIN_REGEXES", "allow_origins", "origins", "CORS_ALLOWED_ORIGINS")


def _with_credentials(outcome: Outcome) -> str | None:
    return _at_all(outcome) if outcome.credentials else None


def _at_all(outcome: Outcome) -> str | None:
    return EVIL if outcome.acceptance.any_origin else None


def open_to_all(setup: CorsSetup, settings: CorsSettings) -> Ruling | None:
    """The ruling on any origin getting in, with or without credentials; with them if both."""
    with_credentials = judge(setup, settings, _with_credentials)
    if with_credentials is not None and not with_credentials.fallback:
        return with_credentials
    return judge(setup, settings, _at_all)


def _position(ruling: Ruling) -> tuple[str, ...]:
    return PATTERNS if ruling.outcome.acceptance.patterns and not ruling.outcome.acceptance.everyone else ORIGINS


def _mechanism(setup: CorsSetup) -> str:
    """How the pinned version lets any origin in with credentials."""
    if setup.library == "starlette":
        known = setup.version.split(".")[0] if setup.version else ""
        if known == "0":
            return f"starlette {setup.version} sends the caller's origin back to every request with a cookie"
        return "starlette sends the caller's origin back"
    if setup.library == "headers":
        return "the code sends the caller's origin back"
    return f"{setup.library} sends the caller's origin back"


@rule("cors-any-origin-credentials", on=CorsSetup, severity=Severity.CRITICAL)
def any_origin_credentials(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """Any website can read responses in the name of the logged-in user.

    ## Why is this bad?
    Any page that a user opens can call this service with the user's cookies and read what it answers. Browsers do not
    stop this: where credentials are allowed, the middleware does not send `*` but the origin of whoever asks.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    ```

    ## Use instead
    List the origins of your own frontends, read from the environment.
    ```python title="main.py"
    import os

    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[origin.strip() for origin in os.environ.get("CORS_ORIGINS", "").split(",") if origin.strip()],
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Content-Type", "Authorization"],
    )
    ```

    ## Fix safety
    Unsafe: with `CORS_ORIGINS` unset no other origin gets in.

    ## References
    - https://fetch.spec.whatwg.org/#http-access-control-allow-credentials
    - https://www.starlette.io/middleware/#corsmiddleware
    """
    ruling = judge(setup, settings.cors, _with_credentials)
    if ruling is None or ruling.fallback:
        return
    names = _position(ruling)
    yield Hit(
        setup.span,
        f"any origin can read responses with the user's credentials{covered(setup)}: "
        f"{_mechanism(setup)}{ruling.decided_by}",
        identity=identity(setup),
        fix=restrict_origins(setup, ruling, *names),
        confidence=ruling.confidence,
        related=related(setup, ruling, *names),
        evidence={"origin": ruling.evidence},
    )


@rule("cors-any-origin", on=CorsSetup, severity=Severity.MEDIUM)
def any_origin(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """Any website can read responses.

    ## Why is this bad?
    Any page that a user opens can read what this service answers, including services that only the user's network
    reaches. Cookies are not sent, so it is right for a public API, and only for one.

    ## Example
    ```python title="app.py"
    from flask import Flask
    from flask_cors import CORS

    app = Flask(__name__)
    CORS(app)
    ```

    ## Use instead
    List the origins of your own frontends, read from the environment.
    ```python title="app.py"
    import os

    from flask import Flask
    from flask_cors import CORS

    app = Flask(__name__)
    CORS(app, origins=[origin.strip() for origin in os.environ.get("CORS_ORIGINS", "").split(",") if origin.strip()])
    ```

    ## Fix safety
    Unsafe: with `CORS_ORIGINS` unset no other origin gets in.

    ## References
    - https://flask-cors.readthedocs.io/en/latest/configuration.html
    - https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
    """
    ruling = open_to_all(setup, settings.cors)
    if ruling is None or ruling.fallback or ruling.outcome.credentials:
        return
    names = _position(ruling)
    unknown = ruling.outcome.credentials is None
    given = "" if any(name in setup.arguments for name in names) else ", which is the default"
    yield Hit(
        place(setup, *names),
        f"any origin can read responses{covered(setup)}{given}{ruling.decided_by}",
        identity=identity(setup),
        fix=restrict_origins(setup, ruling, *names),
        severity=Severity.HIGH if unknown else Severity.LOW if setup.single_route else None,
        confidence=ruling.confidence,
        related=related(setup, ruling, *names),
        evidence={"origin": ruling.evidence},
    )


@rule("cors-wildcard-default", on=CorsSetup, severity=Severity.LOW)
def wildcard_default(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """Any origin gets in when a variable is not set.

    ## Why is this bad?
    The configured value is fine, but a deployment that forgets the variable lets every website in, silently.

    ## Example
    ```python title="main.py"
    import os

    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=os.getenv("CORS_ORIGINS", "*").split(","))
    ```
    ```dotenv title=".env.production"
    CORS_ORIGINS=https://app.example.com
    ```

    ## Use instead
    Let nobody in by default.
    ```python title="main.py"
    import os

    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=os.getenv("CORS_ORIGINS", "").split(","))
    ```
    ```dotenv title=".env.production"
    CORS_ORIGINS=https://app.example.com
    ```

    ## Fix safety
    Unsafe: with the variable unset no other origin gets in.
    """
    ruling = open_to_all(setup, settings.cors)
    if ruling is None or not ruling.fallback:
        return
    names = ", ".join(f"`{name}`" for name in sorted(ruling.outcome.variables)) or "the environment"
    yield Hit(
        place(setup, *_position(ruling)),
        f"any origin gets in where {names} is not set{covered(setup)}",
        identity=identity(setup),
        fix=restrict_origins(setup, ruling, *_position(ruling)),
        confidence=ruling.confidence,
        related=related(setup, ruling, *_position(ruling)),
    )


@rule("cors-lookalike-origin", on=CorsSetup, severity=Severity.HIGH)
def lookalike_origin(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    r"""An origin that only looks like yours gets in.

    ## Why is this bad?
    The origin is compared by a pattern, or a piece of text, that fits a domain which an attacker can register.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origin_regex=r"https://.*example\.com", allow_credentials=True)
    ```

    ## Use instead
    Escape every dot, name the separator before the domain, and end the pattern with `$`.
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origin_regex=r"https://(\w+\.)*example\.com", allow_credentials=True)
    ```

    ## References
    - https://portswigger.net/web-security/cors#errors-parsing-origin-headers
    """
    ruling = judge(setup, settings.cors, lambda outcome: outcome.acceptance.lookalike())
    if ruling is None or ruling.fallback:
        return
    yield Hit(
        place(setup, *PATTERNS),
        f"`{ruling.evidence}` gets in{covered(setup)}{ruling.decided_by}",
        identity=identity(setup),
        fix=advice("Compare whole origins: a list of exact ones, or a pattern with escaped dots and `$` at its end"),
        severity=None if ruling.outcome.credentials is not False else Severity.MEDIUM,
        confidence=ruling.confidence,
        related=related(setup, ruling, *PATTERNS),
        evidence={"origin": ruling.evidence},
    )


@rule("cors-null-origin", on=CorsSetup, severity=Severity.MEDIUM)
def null_origin(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """The origin `null` gets in.

    ## Why is this bad?
    Every website can send `Origin: null`, from a sandboxed iframe or a `data:` page.

    ## Example
    ```python title="app.py"
    from flask import Flask
    from flask_cors import CORS

    app = Flask(__name__)
    CORS(app, origins=["https://app.example.com", "null"], supports_credentials=True)
    ```

    ## Use instead
    Leave `null` out.
    ```python title="app.py"
    from flask import Flask
    from flask_cors import CORS

    app = Flask(__name__)
    CORS(app, origins=["https://app.example.com"], supports_credentials=True)
    ```

    ## References
    - https://portswigger.net/web-security/cors#whitelisted-null-origin-value
    """

    def test(outcome: Outcome) -> str | None:
        return "null" if not outcome.acceptance.any_origin and outcome.acceptance.accepts("null") else None

    ruling = judge(setup, settings.cors, test)
    if ruling is not None and not ruling.fallback:
        yield Hit(
            place(setup, *ORIGINS, *PATTERNS),
            f"the origin `null`, which any website can send, gets in{covered(setup)}{ruling.decided_by}",
            identity=identity(setup),
            fix=advice("Take `null` out of the allowed origins"),
            severity=Severity.HIGH if ruling.outcome.credentials else None,
            confidence=ruling.confidence,
            related=related(setup, ruling, *ORIGINS),
            evidence={"origin": "null"},
        )


@rule("cors-plaintext-origin", on=CorsSetup, severity=Severity.MEDIUM)
def plaintext_origin(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """An origin on plain http gets in.

    ## Why is this bad?
    Whoever sits on the network can answer in the name of an `http://` site, and read this service through it.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["http://app.example.com"], allow_credentials=True)
    ```

    ## Use instead
    Serve the frontend over https and allow that origin.
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_credentials=True)
    ```
    """

    def test(outcome: Outcome) -> str | None:
        return None if outcome.acceptance.any_origin else outcome.acceptance.plaintext()

    ruling = judge(setup, settings.cors, test)
    if ruling is not None and not ruling.fallback:
        yield Hit(
            place(setup, *ORIGINS, *PATTERNS),
            f"`{ruling.evidence}` gets in over plain http{covered(setup)}{ruling.decided_by}",
            identity=identity(setup),
            fix=advice("Use `https://` for every origin outside development"),
            severity=None if ruling.outcome.credentials is not False else Severity.LOW,
            confidence=ruling.confidence,
            related=related(setup, ruling, *ORIGINS),
            evidence={"origin": ruling.evidence},
        )


RULES = (any_origin_credentials, any_origin, wildcard_default, lookalike_origin, null_origin, plaintext_origin)
