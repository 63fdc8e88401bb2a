"""Which modules can matter: found by their bytes, so that few are parsed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from hardenctl.formats import CORS_WORDS
from hardenctl.formats.python.project import Module, Project, dotted, names_in
from hardenctl.model.record import field, record

# Looked for with `in`: ten times as fast as one pattern of alternatives.
_HEADERS = CORS_WORDS[-2:]
_LIBRARY = re.compile(
    r"(?:starlette|fastapi)\.middleware(?:\.cors)?|(?:flask|quart|sanic|aiohttp)_cors(?:\.\w+)?|sanic_ext(?:\.\w+)*"
    r"|litestar(?:\.\w+)*|starlite(?:\.\w+)*|falcon(?:\.\w+)?|sanic(?:\.\w+)?"
)
_PACKAGES = re.compile(
    r"(?:flask|quart|sanic|aiohttp)_cors|falcon(?:\.asgi)?|sanic(?:_ext)?|.*middleware\.cors|litestar\.config\.cors"
)
_SETS_UP = frozenset(
    (
        "CORSMiddleware",
        "CORS",
        "cross_origin",
        "cors",
        "route_cors",
        "CORSConfig",
        "setup",
        "Extend",
        "Sanic",
        "App",
        "*",
    )
)


@record(slots=False, frozen=False)
class Site:
    """A module with a set-up in it, the modules that call its functions, and the words that matter to it."""

    module: Module
    words: frozenset[str]
    entries: frozenset[str]
    callers: list[Module] = field(default_factory=list)


def matters(data: bytes) -> bool:
    """Whether a module's bytes say that CORS may be set up in it."""
    return any(word in data for word in CORS_WORDS)


def sets_header(data: bytes) -> bool:
    """Whether a module's bytes name the header that lets an origin in."""
    return any(word in data for word in _HEADERS)


def sites(project: Project, paths: Iterable[str]) -> list[Site]:
    """The modules of `paths` in which CORS is set up through a library's objects or by hand."""
    found = []
    for path in paths:
        module = project.parse(path)
        if module is None:
            continue
        words = sink_words(module)
        if words:
            found.append(Site(module, words, functions_naming(module, words)))
    return found


def sink_words(module: Module) -> frozenset[str]:
    """The local names of CORS middlewares, extensions and decorators; `header` functions' own names."""
    words: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and _LIBRARY.fullmatch(node.module or ""):
            words |= {each.asname or each.name for each in node.names if each.name in _SETS_UP}
        elif isinstance(node, ast.ImportFrom) and node.module in {"starlette", "fastapi"}:
            words |= {each.asname or each.name for each in node.names if each.name == "middleware"}
        elif isinstance(node, ast.Import):
            words |= {each.asname or each.name.split(".")[0] for each in node.names if _PACKAGES.fullmatch(each.name)}
    if "*" in words:
        words = words - {"*"} | _SETS_UP - {"*", "setup", "App"}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and words & names_in(node.bases):
            words.add(node.name)
    if words and "CORS" in words:
        words |= _instances(module, words)
    return frozenset(words)


def _instances(module: Module, words: set[str]) -> set[str]:
    """Names bound to an extension object: `cors = CORS()`."""
    return {
        target.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign) and words & names_in([node.value])
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def functions_naming(module: Module, words: Iterable[str]) -> frozenset[str]:
    """The functions and classes of a module whose body names one of the words, or one of these functions."""
    known = set(words)
    found: set[str] = set()
    functions = [
        (node.name, names_in(node.body))
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    ]
    while True:
        more = {name for name, used in functions if name not in found and used & (known | found)}
        if not more:
            return frozenset(found)
        found |= more


def find_callers(project: Project, site: Site, paths: Sequence[str]) -> None:
    """Add the modules that use a site's functions or extension objects, and the modules that use those."""
    wanted = {name for name in site.entries | site.words if len(name) > 3 and not name.startswith("__")}  # noqa: PLR2004
    wanted -= (_SETS_UP - {"cors"}) | {"middleware", "falcon", "sanic", "litestar"}
    seen = {site.module.path}
    for _ in range(2):
        if not wanted:
            return
        needles = [each.encode() for each in wanted]
        more: set[str] = set()
        for path in paths:
            if path in seen:
                continue
            blob = project.snapshot.read(path)
            if blob is None or not any(each in blob.data for each in needles):
                continue
            module = project.parse(path)
            if module is None or not imports_from(
                module, {each.path for each in [site.module, *site.callers]}, project
            ):
                continue
            seen.add(path)
            site.callers.append(module)
            more |= functions_naming(module, wanted)
        wanted = more - wanted


def imports_from(module: Module, others: set[str], project: Project) -> bool:
    """Whether a module imports one of others (or a package above one)."""
    tails = {dotted(path).rpartition(".")[2] for path in others} | {
        dotted(path).rpartition(".")[0].rpartition(".")[2] for path in others
    }
    del project
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            names = {*(node.module or "").split("."), *(each.name for each in node.names)}
            if names & tails or (node.level and not node.module):
                return True
        elif isinstance(node, ast.Import) and any(tails & set(each.name.split(".")) for each in node.names):
            return True
    return False
