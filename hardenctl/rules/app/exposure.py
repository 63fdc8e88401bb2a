"""What an application tells, and whom it believes."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.application import Application
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.declare import rule


@rule("app-debug", on=Application, severity=Severity.MEDIUM)
def debug(application: Application) -> Iterator[Hit]:
    """The application shows its tracebacks to everybody.

    ## Why is this bad?
    With `debug=True` Starlette, FastAPI and Litestar answer an error with the source around it: names, paths, queries.

    ## Example
    ```python title="main.py"
    from fastapi import FastAPI

    app = FastAPI(debug=True)
    ```

    ## Use instead
    Let the environment say where that is wanted.

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
            message = f"{name} shows its tracebacks to everybody"
            yield Hit(span, message, identity=name, fix=advice("set debug where the environment is development"))


@rule("app-any-proxy", on=Application, severity=Severity.MEDIUM)
def any_proxy(application: Application) -> Iterator[Hit]:
    """Everybody is believed to be a proxy.

    ## Why is this bad?
    `ProxyHeadersMiddleware` takes the client's address and the scheme from headers. Where every sender is trusted to
    set them, anybody says where he comes from: limits by address, logs and allow lists mean nothing.

    Low for `TrustedHostMiddleware` with every host: it then checks nothing.

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
    for call in application.called("add_middleware", "Middleware", *_ARGUMENTS):
        names = {call.first.rpartition(".")[2], call.name.rpartition(".")[2]}
        name = next((each for each in _ARGUMENTS if each in names), "")
        if not name or call.conditional:
            continue
        argument = _ARGUMENTS[name]
        given = call.literal(argument)
        if given == "*" or (isinstance(given, list | tuple) and "*" in given):
            low = name == "TrustedHostMiddleware"
            message = f"{name} lets every host pass" if low else f"{name} believes everybody to be a proxy"
            fix = advice("name the hosts that the service is known by" if low else "name the proxy's address")
            yield Hit(call.span, message, identity=name, severity=Severity.LOW if low else None, fix=fix)


_ARGUMENTS = {"ProxyHeadersMiddleware": "trusted_hosts", "TrustedHostMiddleware": "allowed_hosts"}
