"""Runs the real middleware on the cases of `corpus/cors` and prints, as JSON, which origins get in.

Called by tests/formats/test_cors_corpus.py in a process of its own: it imports the cases' code.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ORIGINS = {
    "https://evil.example": "any",
    "null": "null",
    "https://app.example.com.evil.example": "lookalike",
    "https://evilexample.com": "lookalike",
    "https://appxexample.com": "lookalike",
    "https://app.example.co": "lookalike",
    "https://a.example.com.evil.example": "lookalike",
    "http://localhost.evil.example": "lookalike",
    "https://evil.vercel.app": "lookalike",
    "http://app.example.com": "plaintext",
    "https://app.example.com": "own",
    "http://localhost:3000": "own",
}


@dataclass
class Case:
    """One case of the corpus."""

    name: str
    app: str = "main:app"
    environment: dict[str, str] = field(default_factory=dict)
    static: str = ""
    files: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> Iterator[Case]:
    """The cases of one file."""
    for part in ("\n" + path.read_text(encoding="utf-8")).split("\n=== ")[1:]:
        head, *files = part.split("\n--- ")
        name, *marks = head.strip().split("\n")
        case = Case(name)
        for mark in marks:
            kind, _, value = mark.removeprefix("> ").partition(" ")
            if kind == "env":
                key, _, text = value.partition("=")
                case.environment[key] = text
            else:
                setattr(case, kind, value)
        for each in files:
            file, _, text = each.partition("\n")
            case.files[file.strip()] = text.strip("\n") + "\n" if text.strip() else ""
        yield case


def run(case: Case, library: str, folder: Path, extra: Sequence[str] = ()) -> dict[str, Any]:
    """Which origins get in, each with whether credentials do: `{"admitted": {...}, "error": ...}`."""
    for path, text in case.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    before, modules, environment = list(sys.path), set(sys.modules), dict(os.environ)
    sys.path.insert(0, str(folder))
    os.environ.update(case.environment)
    importlib.invalidate_caches()
    try:
        ask = django(case) if library == "django" else web(case)
        admitted = {}
        for origin in (*ORIGINS, *extra):
            allowed, credentials = ask(origin)
            if allowed in {origin, "*"}:
                admitted[origin] = credentials == "true" and allowed == origin
    except Exception as error:  # noqa: BLE001 - what stops the app from starting is part of the truth
        return {"admitted": {}, "error": f"{type(error).__name__}: {error}"}
    finally:
        sys.path[:] = before
        os.environ.clear()
        os.environ.update(environment)
        for name in set(sys.modules) - modules:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
    return {"admitted": admitted, "error": ""}


def web(case: Case) -> Any:
    """Asks an ASGI or WSGI app."""
    module, _, name = case.app.partition(":")
    loaded = importlib.import_module(module)
    app = getattr(loaded, name.removesuffix("()"))
    app = app() if name.endswith("()") else app
    framework = type(app).__module__.partition(".")[0]
    if framework in {"aiohttp", "tornado"}:
        return _served(app, framework)
    if framework == "falcon":
        return _falcon(app)
    if framework == "flask":
        client = app.test_client()

        def ask(origin: str) -> tuple[str | None, str | None]:
            headers = client.get("/", headers={"Origin": origin, "Cookie": "a=b"}).headers
            return headers.get("Access-Control-Allow-Origin"), headers.get("Access-Control-Allow-Credentials")

        return ask
    if framework in {"fastapi", "starlette"}:
        return _asgi(app)
    from starlette.testclient import TestClient

    test_client = TestClient(app, raise_server_exceptions=framework not in {"sanic", "quart"})
    if framework == "sanic":  # extensions are set up when it starts; the optimiser works once in a process
        app.config.TOUCHUP = False
        test_client.__enter__()

    def ask_asgi(origin: str) -> tuple[str | None, str | None]:
        response = test_client.get("/", headers={"Origin": origin, "Cookie": "a=b"})
        if response.status_code >= 500:
            raise RuntimeError(response.text)
        headers = response.headers
        return headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")

    return ask_asgi


def _asgi(app: Any) -> Any:
    """Asks an ASGI application itself: the test client of an old starlette knows no new httpx."""
    import asyncio

    def ask(origin: str) -> tuple[str | None, str | None]:
        sent: list[dict[str, Any]] = []
        headers = [(b"host", b"testserver"), (b"origin", origin.encode()), (b"cookie", b"a=b")]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "headers": headers,
            "client": ("testclient", 1), "server": ("testserver", 80),
        }  # fmt: skip

        requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            for message in requests:
                return message
            return await asyncio.Event().wait() or {}  # nobody hangs up: who waits for that is cancelled in the end

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        start = next(each for each in sent if each["type"] == "http.response.start")
        if start["status"] >= 500:
            raise RuntimeError(f"status {start['status']}")
        found = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        return found.get("access-control-allow-origin"), found.get("access-control-allow-credentials")

    return ask


def _falcon(app: Any) -> Any:
    from falcon.testing import TestClient

    client = TestClient(app)

    def ask(origin: str) -> tuple[str | None, str | None]:
        headers = client.simulate_get("/", headers={"Origin": origin, "Cookie": "a=b"}).headers
        return headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")

    return ask


def _served(app: Any, framework: str) -> Any:
    """Asks an aiohttp or Tornado application on a free port of this machine."""
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def asked(origin: str) -> tuple[str | None, str | None]:
        headers = {"Origin": origin, "Cookie": "a=b"}
        if framework == "aiohttp":
            from aiohttp.test_utils import TestClient, TestServer

            async with TestClient(TestServer(app)) as client, client.get("/", headers=headers) as response:
                answer = response.headers
        else:
            from tornado.httpclient import AsyncHTTPClient

            fetched = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/", headers=headers, raise_error=False)
            answer = fetched.headers
        return answer.get("Access-Control-Allow-Origin"), answer.get("Access-Control-Allow-Credentials")

    if framework == "tornado":
        from tornado.httpserver import HTTPServer
        from tornado.testing import bind_unused_port

        async def serve() -> int:
            socket, free = bind_unused_port()
            HTTPServer(app).add_socket(socket)
            return int(free)

        port = loop.run_until_complete(serve())
    return lambda origin: loop.run_until_complete(asked(origin))


def django(case: Case) -> Any:
    """Asks django-cors-headers under a settings module; raises what `manage.py check` would say."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"])
    from corsheaders.checks import check_settings
    from corsheaders.middleware import CorsMiddleware
    from django.http import HttpResponse
    from django.test import RequestFactory, override_settings

    module = importlib.import_module(case.app)
    given = {name: getattr(module, name) for name in dir(module) if name.startswith("CORS_")}
    installed = "corsheaders.middleware.CorsMiddleware" in module.MIDDLEWARE
    with override_settings(**given):
        errors = [each.msg for each in check_settings() if "should be a bool" not in str(each.msg)]
    if errors and installed:
        raise ValueError(errors[0])

    def ask(origin: str) -> tuple[str | None, str | None]:
        if not installed:
            return None, None
        with override_settings(**given):
            response = CorsMiddleware(lambda _: HttpResponse("x"))(RequestFactory().get("/", HTTP_ORIGIN=origin))
        return response.get("access-control-allow-origin"), response.get("access-control-allow-credentials")

    return ask


def main() -> None:
    """Print the truth of all cases of the folder given, or of the files named besides.

    Standard input names further origins to try, by case.
    """
    warnings.simplefilter("ignore")
    answer, sys.stdout = sys.stdout, sys.stderr  # Sanic logs to standard output
    extra = json.load(sys.stdin)
    truth = {}
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(Path(sys.argv[1]).glob("*.txt")):
            if path.stem not in (sys.argv[2:] or [path.stem]):
                continue
            for case in load(path):
                folder = Path(scratch) / path.stem / case.name
                truth[f"{path.stem}/{case.name}"] = run(
                    case, path.stem, folder, extra.get(f"{path.stem}/{case.name}", ())
                )
    answer.write(json.dumps(truth))
    answer.flush()


if __name__ == "__main__":
    main()
