"""Runs inside the audited project's interpreter: imports its application and answers requests, a JSON line each.

A program of its own, and on purpose without an import of ours: the interpreter need not know hardenctl.
Usage: `python inside.py MODULE:ATTRIBUTE`, started in the project's folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import io
import json
import os
import sys
from typing import Any

PATIENCE = 20  # seconds for one answer


def load(name: str) -> Any:
    """The application; `module:create_app()` calls a factory."""
    module, _, attribute = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in (attribute or "app").removesuffix("()").split("."):
        found = getattr(found, part)
    return found() if attribute.endswith("()") else found


def is_asgi(app: Any) -> bool:
    """Whether an application is called with scope, receive and send."""
    call = app if inspect.isfunction(app) or inspect.ismethod(app) else getattr(app, "__call__", app)  # noqa: B004 - the method itself
    if inspect.iscoroutinefunction(call):
        return True
    try:
        return len(inspect.signature(call).parameters) > 2  # noqa: PLR2004 - WSGI has environ and start_response
    except (TypeError, ValueError):
        return False


async def over_asgi(app: Any, method: str, path: str, headers: dict[str, str]) -> tuple[int, list[tuple[str, str]]]:
    """The start of an ASGI answer. No lifespan event is sent: nothing connects to a database for this."""
    answer: list[tuple[int, list[tuple[str, str]]]] = []
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            pairs = [
                (bytes(key).decode("latin-1"), bytes(value).decode("latin-1")) for key, value in message["headers"]
            ]
            answer.append((message["status"], pairs))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(key.lower().encode(), value.encode("latin-1")) for key, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "state": {},
    }
    with contextlib.suppress(Exception):  # an application that fails after its answer still has answered
        await asyncio.wait_for(app(scope, receive, send), PATIENCE)
    return answer[0] if answer else (500, [])


def over_wsgi(app: Any, method: str, path: str, headers: dict[str, str]) -> tuple[int, list[tuple[str, str]]]:
    """The start of a WSGI answer."""
    answer: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, pairs: list[tuple[str, str]], error: object = None) -> Any:
        del error
        answer.append((int(status.partition(" ")[0]), list(pairs)))
        return lambda _: None

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": "0",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers.items()},
    }
    with contextlib.suppress(Exception):  # as for ASGI
        body = app(environ, start_response)
        for _ in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return answer[-1] if answer else (500, [])


def main() -> None:
    """Answer until standard input ends. What the application prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path[0] = os.getcwd()  # in place of this file's folder  # noqa: PTH109 - as Python itself puts it
    try:
        app = load(sys.argv[1])
        asgi = is_asgi(app)
    except BaseException as error:  # noqa: BLE001 - the kind alone is told: a message could hold a secret
        answers.write(json.dumps({"error": type(error).__name__}) + "\n")
        return
    answers.write(json.dumps({"kind": "asgi" if asgi else "wsgi"}) + "\n")
    answers.flush()
    loop = asyncio.new_event_loop()
    for line in sys.stdin:
        asked = json.loads(line)
        given = (asked["method"], asked["path"], asked["headers"])
        status, pairs = loop.run_until_complete(over_asgi(app, *given)) if asgi else over_wsgi(app, *given)
        kept = [pair for pair in pairs if pair[0].lower().startswith(("access-control-", "location", "vary"))]
        answers.write(json.dumps({"status": status, "headers": kept}) + "\n")
        answers.flush()
    loop.close()


if __name__ == "__main__":
    main()
