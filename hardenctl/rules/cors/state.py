"""What is wrong besides the origins that get in: wildcards elsewhere, dead entries, errors, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.cors.acceptance import EDGE, SEEN, is_local, shown
from hardenctl.formats.cors.document import CorsSetup, Outcome
from hardenctl.model.finding import Confidence, Hit, Severity, advice
from hardenctl.model.settings import Settings
from hardenctl.rules.cors.fixes import list_out
from hardenctl.rules.cors.origins import ORIGINS, PATTERNS, open_to_all
from hardenctl.rules.cors.ruling import covered, identity, judge, outcomes, place, related
from hardenctl.rules.declare import rule

_METHODS = ("allow_methods", "methods", "CORS_ALLOW_METHODS", "CORS_METHODS")
_HEADERS = ("allow_headers", "CORS_ALLOW_HEADERS")


@rule("cors-wildcard-methods", on=CorsSetup, severity=Severity.MEDIUM)
def wildcard_methods(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """Other origins may use every HTTP method.

    ## Why is this bad?
    A page that gets in may also change and delete; a list says what the frontend needs, and new methods stay closed.
    It weighs less where the origins are a list, and is then of low severity.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_methods=["*"])
    ```

    ## Use instead
    List the methods the frontend uses.
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_methods=["GET", "POST"])
    ```

    ## Fix safety
    Unsafe: methods outside the policy's list are refused.
    """
    ruling = judge(setup, settings.cors, lambda outcome: "*" if "*" in (outcome.methods or ()) else None)
    if ruling is not None:
        everyone = open_to_all(setup, settings.cors)
        name = next((each for each in _METHODS if each in setup.arguments), "")
        yield Hit(
            place(setup, *_METHODS),
            f"`*` allows every HTTP method{covered(setup)}",
            identity=identity(setup),
            fix=list_out(setup.arguments.get(name), settings.cors.methods, "methods"),
            severity=None if everyone is not None and not everyone.fallback else Severity.LOW,
            confidence=ruling.confidence,
            related=related(setup, ruling, *_METHODS),
        )


@rule("cors-wildcard-headers", on=CorsSetup, severity=Severity.MEDIUM)
def wildcard_headers(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """Other origins may send every request header.

    ## Why is this bad?
    With `*` the middleware agrees to whatever header a page asks for, internal ones of proxies included.
    It weighs less where the origins are a list, and is then of low severity.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_headers=["*"])
    ```

    ## Use instead
    List the headers the frontend sends.
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_headers=["Authorization"])
    ```

    ## Fix safety
    Unsafe: headers outside the policy's list are refused.
    """
    ruling = judge(setup, settings.cors, lambda outcome: "*" if "*" in (outcome.headers or ()) else None)
    if ruling is not None:
        everyone = open_to_all(setup, settings.cors)
        name = next((each for each in _HEADERS if each in setup.arguments), "")
        yield Hit(
            place(setup, *_HEADERS),
            f"`*` allows every request header{covered(setup)}",
            identity=identity(setup),
            fix=list_out(setup.arguments.get(name), settings.cors.headers, "headers"),
            severity=None if everyone is not None and not everyone.fallback else Severity.LOW,
            confidence=ruling.confidence,
            related=related(setup, ruling, *_HEADERS),
        )


@rule("cors-dead-origin", on=CorsSetup, severity=Severity.LOW)
def dead_origin(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """An allowed origin can never match.

    ## Why is this bad?
    The entry does nothing: the frontend it is meant for is shut out, and someone will reach for `*` to mend it.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com/"])
    ```

    ## Use instead
    Write an origin as browsers send it: scheme, host and port, nothing behind.
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"])
    ```

    ## References
    - https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Origin
    """

    def test(outcome: Outcome) -> str | None:
        if outcome.acceptance.any_origin:
            return None
        return "; ".join(f"{shown(entry)} {why}" for entry, why in outcome.acceptance.never_match()) or None

    ruling = judge(setup, settings.cors, test)
    if ruling is not None:
        yield Hit(
            place(setup, *ORIGINS),
            f"{ruling.evidence}{covered(setup)}",
            identity=identity(setup),
            fix=advice("Write the origin as scheme, host and port only (`https://app.example.com`)"),
            confidence=ruling.confidence,
            related=related(setup, ruling, *ORIGINS),
        )


@rule("cors-startup-error", on=CorsSetup, severity=Severity.MEDIUM)
def startup_error(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """The CORS set-up stops the application from starting.

    ## Why is this bad?
    The library refuses these settings, so the deployment fails, or Django's system check does.

    ## Example
    ```python title="app.py"
    from flask import Flask
    from flask_cors import CORS

    app = Flask(__name__)
    CORS(app, origins="*", supports_credentials=True, send_wildcard=True)
    ```

    ## Use instead
    List the origins, and leave `send_wildcard` off.
    ```python title="app.py"
    from flask import Flask
    from flask_cors import CORS

    app = Flask(__name__)
    CORS(app, origins=["https://app.example.com"], supports_credentials=True)
    ```
    """
    counted = outcomes(setup, settings.cors)
    failing = [each for each in counted if each.startup_error]
    if failing:
        certain = len(failing) == len(counted) and not any(each.variables for each in failing)
        yield Hit(
            setup.span,
            f"{failing[0].startup_error}{covered(setup)}",
            identity=identity(setup),
            fix=advice("Correct the setting the message names"),
            confidence=Confidence.PROVEN if certain else Confidence.LIKELY,
            related=failing[0].related,
        )


@rule("cors-hardcoded-origins", on=CorsSetup, severity=Severity.LOW)
def hardcoded_origins(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """The allowed origins are written into the code.

    ## Why is this bad?
    Each environment needs its own origins: a list in the code opens production to development's, or needs a release.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com", "http://localhost:3000"])
    ```

    ## Use instead
    Read them from the environment, or list them as `origins` in the policy.
    ```python title="main.py"
    import os

    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=os.environ["CORS_ORIGINS"].split(","))
    ```
    """

    def literals(outcome: Outcome) -> tuple[str, ...]:
        given = outcome.acceptance.literals if setup.library not in (*SEEN, *EDGE) else ()
        return tuple(each for each in given if each.startswith(("http://", "https://")))

    counted = outcomes(setup, settings.cors)
    if not counted or any(each.variables or not literals(each) for each in counted):
        return
    if len({literals(each) for each in counted}) > 1 or any(each.acceptance.any_origin for each in counted):
        return
    strange = [each for each in literals(counted[0]) if each not in settings.cors.origins]
    if not strange:
        return
    local = [each for each in strange if is_local(each.split("://", 1)[1].split(":")[0].split("/")[0])]
    if len(local) == len(strange):
        detail = "only this machine's own origins are allowed, in production too"
    elif local:
        detail = f"{shown(local[0])} is allowed in production too"
    else:
        detail = "each environment gets the same ones"
    yield Hit(
        place(setup, *ORIGINS),
        f"the allowed origins are written into the code: {detail}{covered(setup)}",
        identity=identity(setup),
        fix=advice("Read the origins from the environment (`CORS_ORIGINS`), or name them in the policy"),
        confidence=Confidence.LIKELY,
    )


@rule("cors-unresolved", on=CorsSetup, severity=Severity.INFO)
def unresolved(setup: CorsSetup, settings: Settings) -> Iterator[Hit]:
    """Which origins get in could not be worked out from the code.

    ## Why is this bad?
    Nobody has checked this set-up: the value comes from a place that reading the code does not show.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware
    from somewhere import load_origins

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=load_origins())
    ```

    ## Use instead
    Read the origins from the environment, where a check can follow them.
    ```python title="main.py"
    import os

    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=os.environ["CORS_ORIGINS"].split(","))
    ```
    """
    counted = outcomes(setup, settings.cors)
    followed = setup.complete and not any(each.unresolved for each in counted)
    if counted and not followed and open_to_all(setup, settings.cors) is None:
        yield Hit(
            place(setup, *ORIGINS, *PATTERNS),
            f"the allowed origins could not be worked out{covered(setup)}",
            identity=identity(setup),
            fix=advice("Check it against the running application (`hardenctl check cors --url URL`)"),
            confidence=Confidence.POSSIBLE,
        )


RULES = (
    wildcard_methods,
    wildcard_headers,
    dead_origin,
    startup_error,
    hardcoded_origins,
    unresolved,
)
