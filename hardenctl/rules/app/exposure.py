"""What an application shows, and whom it believes."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.application import Application, Call
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.declare import rule


@rule("app-debug", on=Application, severity=Severity.MEDIUM)
def debug(application: Application) -> Iterator[Hit]:
    """The application shows tracebacks to everybody.

    ## Why is this bad?
    With `debug=True`, Starlette, FastAPI and Litestar answer an error with its traceback and the code around it: file
    names, queries, and sometimes values.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI

    app = FastAPI(debug=True)
    ```

    ## Use instead
    Let the environment decide.

    ```python title="main.py"
    import os

    from fastapi import FastAPI

    app = FastAPI(debug=os.getenv("ENVIRONMENT") == "development")
    ```

    ## References
    - https://www.starlette.io/applications/
    """
    for call in application.called("FastAPI", "Starlette", "Litestar"):
        if call.literal("debug") is True and not call.conditional:
            node = call.argument("debug")
            span = application.module.span(node) if node is not None else call.span
            name = call.name.rpartition(".")[2]
            message = f"{name} shows tracebacks to everybody"
            yield Hit(span, message, identity=name, fix=advice("let the environment decide about debug"))


@rule("app-any-proxy", on=Application, severity=Severity.MEDIUM)
def any_proxy(application: Application) -> Iterator[Hit]:
    """The headers of a proxy are believed from any sender.

    ## Why is this bad?
    `ProxyHeadersMiddleware` takes the client's address and the scheme from headers. Where any sender may set them, any
    client can claim any address: rate limits, logs and allow lists mean nothing.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    app = FastAPI()
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts="*")
    ```

    ## Use instead
    Name the proxy's address or network.

    ```python title="main.py"
    from fastapi import FastAPI
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    app = FastAPI()
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts="10.0.0.0/8")
    ```

    ## References
    - https://www.uvicorn.org/deployment/#proxies-and-forwarded-headers
    """
    for call in _open_to_all(application, "ProxyHeadersMiddleware", "trusted_hosts"):
        message = "ProxyHeadersMiddleware believes any sender to be the proxy"
        yield Hit(call.span, message, identity="ProxyHeadersMiddleware", fix=advice("name the proxy's address"))


@rule("app-any-host", on=Application, severity=Severity.LOW)
def any_host(application: Application) -> Iterator[Hit]:
    """The check of the host name lets every host pass.

    ## Why is this bad?
    `TrustedHostMiddleware` refuses requests for hosts that the service is not known by. With `*` it checks nothing, and
    whoever reads the code believes that it does: links in mails and cache keys can be made of a forged `Host` header.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI()
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"])
    ```

    ## Use instead
    Name the hosts that the service is known by.

    ```python title="main.py"
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI()
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["app.example.com"])
    ```

    ## References
    - https://www.starlette.io/middleware/#trustedhostmiddleware
    """
    for call in _open_to_all(application, "TrustedHostMiddleware", "allowed_hosts"):
        message = "TrustedHostMiddleware lets every host pass"
        fix = advice("name the hosts that the service is known by")
        yield Hit(call.span, message, identity="TrustedHostMiddleware", fix=fix)


def _open_to_all(application: Application, middleware: str, argument: str) -> Iterator[Call]:
    """Where a middleware is set up, or wrapped around an application, with a list that holds everybody."""
    for call in application.called("add_middleware", "Middleware", middleware):
        if middleware not in {call.first.rpartition(".")[2], call.name.rpartition(".")[2]} or call.conditional:
            continue
        given = call.literal(argument, 1)
        if given == "*" or (isinstance(given, list | tuple | set) and "*" in given):
            yield call
