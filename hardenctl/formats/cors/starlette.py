"""Starlette's and FastAPI's `CORSMiddleware`: added, listed, or wrapped around an app."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hardenctl.formats.cors.acceptance import Acceptance
from hardenctl.formats.cors.build import outcome, setting_arguments
from hardenctl.formats.cors.values import Strings, pattern, strings, truth
from hardenctl.formats.python.values import Class, External, Instance, Value

if TYPE_CHECKING:
    from hardenctl.formats.cors.sink import Sighting
    from hardenctl.formats.python.interpreter import Call, Interpreter

MIDDLEWARE = frozenset({"starlette.middleware.cors.CORSMiddleware", "fastapi.middleware.cors.CORSMiddleware"})
_LISTED = frozenset({"starlette.middleware.Middleware", "fastapi.middleware.Middleware"})
_PARAMETERS = (
    "allow_origins",
    "allow_methods",
    "allow_headers",
    "allow_credentials",
    "allow_origin_regex",
)
_KNOWN = frozenset({*_PARAMETERS, "app", "allow_private_network", "expose_headers", "max_age"})


def wants(name: str) -> bool:
    """Whether a callee may be, or may be given, the middleware."""
    return name in MIDDLEWARE or name in _LISTED or name.endswith(".add_middleware")


def sight(run: Interpreter, call: Call) -> Sighting | None:
    """The set-up of a call, None where it is about another middleware."""
    args, keywords = list(call.args), dict(call.keywords)
    own: frozenset[str] = frozenset()
    if call.name not in MIDDLEWARE:
        middleware = args.pop(0) if args else keywords.pop("middleware_class", keywords.pop("cls", None))
        if middleware is None or not is_middleware(middleware):
            return None
        own = _own_parameters(middleware)
    elif args:
        args.pop(0)  # the app
    keywords |= dict(zip(_PARAMETERS, args, strict=False))
    origins, regex = strings(keywords.get("allow_origins")), pattern(keywords.get("allow_origin_regex"))
    return outcome(
        run,
        call,
        "starlette",
        acceptance=Acceptance(
            "starlette",
            everyone="*" in (origins.text if origins.text is not None else origins.entries),
            literals=origins.entries,
            text=origins.text,
            patterns=regex.patterns,
            dead=origins.dead,
        ),
        origins=(origins, regex, *([Strings(open_ended=True, unresolved=True)] if call.open_ended else [])),
        credentials=truth(keywords.get("allow_credentials")),
        credentials_value=keywords.get("allow_credentials"),
        methods=keywords.get("allow_methods"),
        headers=keywords.get("allow_headers"),
        arguments=setting_arguments(run, call, keywords, _PARAMETERS),
        startup_error=_startup_error(keywords, own),
    )


def is_middleware(value: Value) -> bool:
    """Whether a value is the middleware's class or the project's own subclass of it."""
    if isinstance(value.data, Class):
        return value.data.derives("CORSMiddleware")
    return isinstance(value.data, External) and value.data.name in MIDDLEWARE


def result(call: Call) -> Value | None:
    """A wrapped app is an app again."""
    return Value(Instance(External("starlette.applications.Starlette"))) if call.name in MIDDLEWARE else None


def _own_parameters(middleware: Value) -> frozenset[str]:
    """What the project's own subclasses take besides."""
    classes = middleware.data.lineage() if isinstance(middleware.data, Class) else ()
    return frozenset(
        argument.arg
        for each in classes
        for node in each.node.body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
        for argument in (*node.args.args, *node.args.kwonlyargs)
    )


def _startup_error(keywords: dict[str, Value], own: frozenset[str]) -> str:
    strange = sorted(set(keywords) - _KNOWN - own)
    return f"`CORSMiddleware` has no parameter `{strange[0]}`" if strange else ""
