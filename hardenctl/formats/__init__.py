"""Text into positioned documents. No opinions, and the user's code is never executed.

This table is all that a run imports before there is something to read: a reader's module costs up to 40 ms.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Collection, Iterator
from typing import Any

from hardenctl.formats.launch.paths import is_config, kind_of
from hardenctl.formats.paths import (
    GITIGNORE,
    GUIDES,
    LEDGER,
    LOAD_RESULT,
    is_action,
    is_compose,
    is_django,
    is_dockerfile,
    is_env_file,
    is_pipeline,
    is_workflow,
)
from hardenctl.model.blob import Snapshot

# A Python file without one of these sets up no CORS. The last two are the header, in either case.
CORS_WORDS = (
    b"CORSMiddleware",
    b"CORSConfig",
    b"flask_cors",
    b"quart_cors",
    b"aiohttp_cors",
    b"sanic_cors",
    b"sanic_ext",
    b"cors_enable",
    b"corsheaders",
    b"CORS_ORIGIN",
    b"CORS_ALLOW",
    b"ccess-Control-Allow-Origin",
    b"ccess-control-allow-origin",
)
# What one of a Django project's settings modules gives. The others may only change some of what it gives.
DJANGO_WORDS = (b"INSTALLED_APPS", b"ROOT_URLCONF")
# What a Python file says in which a server may be started: cheap to ask of every file, where parsing one is not.
SERVER_WORDS = (
    b"uvicorn",
    b"hypercorn",
    b"ranian",
    b"gunicorn",
    b"uwsgi",
    b"app.run(",
    b"application.run(",
    b"server.run(",
)
# What a Python file says that reads a JSON Web Token.
TOKEN_WORDS = (b"import jwt", b"from jwt", b"jwt import", b"verify_signature")
# What a Python file says in which something is asked of the application itself.
APPLICATION_WORDS = (
    *TOKEN_WORDS,
    b"FastAPI(",
    b"Starlette(",
    b"Litestar(",
    b"set_cookie(",
    b"Cookie(",
    b"CookieStorage",
    b"CookieBackendConfig",
    b"ServerSideSessionConfig",
    b"SessionMiddleware",
    b"TrustedHostMiddleware",
    b"ProxyHeadersMiddleware",
    b"SESSION_COOKIE_",
)
FEW = 20  # files
_ONLY_AST = 0x400  # ast.PyCF_ONLY_AST


class Reader:
    """What reads a kind of document: `module.read(snapshot)` yields the `documents`, and a Gap for what it can't parse.

    `concerns` says by path whether a file can change a document. Where `missing` names files, a document is about
    them even if they aren't there, and only wanted where one of them is in scope. `words` are what some Python file
    has to hold: only asked of a snapshot that can search faster than a reader reads.
    A Python file that holds one of the `hints` can make a document by itself. Where a document is about nothing but
    Python files in scope, `own` are the words of which one has to hold one.
    """

    def __init__(
        self,
        module: str,
        *documents: str,
        concerns: Callable[[str], bool],
        missing: tuple[str, ...] = (),
        words: tuple[bytes, ...] = (),
        hints: tuple[bytes, ...] = (),
        own: tuple[bytes, ...] = (),
    ) -> None:
        self.module = module
        self.documents = documents
        self.concerns = concerns
        self.missing = missing
        self.words = words
        self.hints = hints
        self.own = own

    def is_wanted(self, snapshot: Snapshot, scope: Collection[str]) -> bool:
        """Whether one of the paths in scope can change a document."""
        if self.missing and not any(map(snapshot.in_scope, self.missing)):
            return False
        if self.own:
            return _have(snapshot, self.own, [path for path in scope if self.concerns(path)])
        if any(map(self.concerns, scope)):
            return not self.words or _may_hold(snapshot, self.words, scope)
        programs = [path for path in scope if path.endswith(".py")] if self.hints else []
        return bool(programs) and _holds(snapshot, self.hints, programs)

    def read(self, snapshot: Snapshot) -> Iterator[Any]:
        """The documents of a snapshot, and the gaps."""
        yield from importlib.import_module(self.module).read(snapshot)


def _may_hold(snapshot: Snapshot, words: Collection[bytes], scope: Collection[str]) -> bool:
    """Whether a Python file holds one of these words, or is one that was named and can't be parsed, which is a gap."""
    holds: Callable[[Collection[bytes]], bool] | None = getattr(snapshot, "python_holds", None)
    if holds is None:
        return True
    named = [path for path in scope if path.endswith(".py") and snapshot.named(path)]
    texts = [blob.text for path in named if (blob := snapshot.read(path))]
    return not all(map(_is_python, texts)) or holds(words)


def _holds(snapshot: Snapshot, words: Collection[bytes], paths: Collection[str]) -> bool:
    """Whether a Python file holds one of these words: any where the snapshot can search, else one of these paths."""
    holds: Callable[[Collection[bytes]], bool] | None = getattr(snapshot, "python_holds", None)
    if holds is not None:
        return holds(words)
    return any(word in blob.data for path in paths if (blob := snapshot.read(path)) for word in words)


def _have(snapshot: Snapshot, words: Collection[bytes], paths: Collection[str]) -> bool:
    """Whether one of these files may hold one of these words. A few are read, which costs less than a search."""
    if len(paths) <= FEW:
        return any(word in blob.data for path in paths if (blob := snapshot.read(path)) for word in words)
    holds: Callable[[Collection[bytes]], bool] | None = getattr(snapshot, "python_holds", None)
    return holds is None or holds(words)


def _is_python(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text.lstrip("\ufeff"), "<audited>", "exec", _ONLY_AST, dont_inherit=True)  # parsed, never run
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _env(path: str) -> bool:
    return is_env_file(path) or path.rpartition("/")[2] == GITIGNORE


def _copied(path: str) -> bool:
    return is_dockerfile(path) or path.endswith(".dockerignore") or is_compose(path) or is_env_file(path)


def _cors(path: str) -> bool:
    """Python, and the files that configure variables or pin versions."""
    name = path.rpartition("/")[2]
    return name.endswith((".py", ".env", ".yml", ".yaml", ".toml", ".txt", ".lock", ".cfg")) or name.startswith(
        (".env", "Dockerfile", "Pipfile")
    )


def _edge(path: str) -> bool:
    """What nginx, Traefik and gateways are configured with."""
    name = path.rpartition("/")[2]
    return not name.endswith(".py") and (
        ".conf" in name or "nginx" in path or "sites-" in path or name.endswith((".yml", ".yaml", ".toml"))
    )


def _launch(path: str) -> bool:
    """What may hold a launch line, or a setting of one."""
    name = path.rpartition("/")[2]
    return is_compose(path) or is_dockerfile(path) or bool(kind_of(path)) or is_config(path) or name.startswith(".env")


def _ledger(path: str) -> bool:
    return path == LEDGER


def _ci(path: str) -> bool:
    return is_workflow(path) or is_action(path) or is_pipeline(path)


def _python(path: str) -> bool:
    return path.endswith(".py")


def _any(path: str) -> bool:
    return bool(path)


READERS: tuple[Reader, ...] = (
    Reader("hardenctl.formats.envfile", "EnvironmentFile", concerns=_env),
    Reader("hardenctl.formats.rotation", "RotationLedger", concerns=_ledger),
    Reader("hardenctl.formats.ignore", "IgnoreCoverage", concerns=_any, missing=(GITIGNORE,)),
    Reader("hardenctl.formats.dockerignore", "ContextCopy", concerns=_copied),
    Reader("hardenctl.formats.compose", "ComposeFile", concerns=is_compose),
    Reader("hardenctl.formats.cors", "CorsSetup", concerns=_cors, words=CORS_WORDS),
    Reader("hardenctl.formats.cors.edge", "CorsSetup", concerns=_edge),
    Reader("hardenctl.formats.django", "DjangoSettings", concerns=is_django, words=DJANGO_WORDS),
    Reader("hardenctl.formats.dockerfile", "Dockerfile", concerns=is_dockerfile),
    Reader("hardenctl.formats.ci", "Workflow", "Pipeline", concerns=_ci),
    Reader("hardenctl.formats.application", "Application", concerns=_python, own=APPLICATION_WORDS),
    Reader("hardenctl.formats.launch.reader", "ServerLaunch", concerns=_launch, hints=SERVER_WORDS),
    Reader("hardenctl.formats.project_docs", "Documentation", concerns=_any, missing=GUIDES),
    Reader("hardenctl.formats.evidence", "LoadEvidence", concerns=_any, missing=(LOAD_RESULT,)),
)
