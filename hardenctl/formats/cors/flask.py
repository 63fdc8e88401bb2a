"""flask-cors: the extension, its `init_app`, `resources`, `app.config`, and the decorator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardenctl.formats.cors.acceptance import Acceptance
from hardenctl.formats.cors.build import outcome, setting_arguments
from hardenctl.formats.cors.values import Strings, strings, truth
from hardenctl.formats.python.project import Module
from hardenctl.formats.python.values import Class, External, Instance, Scope, Value

if TYPE_CHECKING:
    from hardenctl.formats.cors.sink import Sighting
    from hardenctl.formats.python.interpreter import Call, Interpreter

# sanic-cors is flask-cors with other names.
_EXTENSION = frozenset({"flask_cors.CORS", "flask_cors.extension.CORS", "sanic_cors.CORS", "sanic_cors.extension.CORS"})
_INIT = "flask_cors.CORS().init_app"
_DECORATOR = frozenset({"flask_cors.cross_origin", "flask_cors.decorator.cross_origin", "sanic_cors.cross_origin"})
_APPS = frozenset({"flask.Flask", "flask.app.Flask"})
_CONFIG = (".from_object", ".from_mapping")
_OPTIONS = ("origins", "methods", "allow_headers", "supports_credentials", "send_wildcard", "resources")


def wants(name: str) -> bool:
    """Whether a callee belongs to flask-cors, or fills an app's configuration."""
    return (
        name in _EXTENSION
        or name == _INIT
        or name in _DECORATOR
        or name in _APPS
        or (name.startswith("dict.") and name.endswith(_CONFIG))
    )


def sight(run: Interpreter, call: Call) -> tuple[Value | None, list[Sighting]]:
    """A call's result, and the set-ups it makes."""
    if call.name in _APPS:
        return Value(Instance(External("flask.Flask"), {"config": Value({})})), []
    if call.name.endswith(_CONFIG):
        _configure(run, call)
        return Value(None), []
    if call.name in _DECORATOR:
        return None, [_one(run, call, dict(call.keywords), single_route=True)]
    args, keywords = list(call.args), dict(call.keywords)
    if call.name in _EXTENSION:
        app = args.pop(0) if args else keywords.pop("app", None)
        result = Value(Instance(External("flask_cors.CORS"), keywords))
        if app is None or app.data is None:
            return result, []
    else:
        result = Value(None)
        app = args.pop(0) if args else keywords.pop("app", None)
        if call.owner is not None and isinstance(call.owner.data, Instance):
            keywords = {**call.owner.data.attributes, **keywords}
    options = {**_of_app(app), **keywords}
    resources = options.pop("resources", None)
    if resources is None or not isinstance(resources.data, dict):
        return result, [_one(run, call, options)]
    return result, [
        _one(run, call, {**options, **(part.data if isinstance(part.data, dict) else {})}, scope=str(path))
        for path, part in resources.data.items()
        if path is not None
    ]


def _one(
    run: Interpreter, call: Call, options: dict[str, Value], *, scope: str = "", single_route: bool = False
) -> Sighting:
    found = strings(options.get("origins"))
    entries = found.entries if found.text is None else (found.text,)
    if "origins" not in options and not call.open_ended:
        entries = ("*",)
    credentials = truth(options.get("supports_credentials"))
    everyone = "*" in entries or ".*" in entries
    fails = everyone and credentials and truth(options.get("send_wildcard"))
    return outcome(
        run,
        call,
        "flask-cors",
        acceptance=Acceptance(
            "flask-cors", everyone=everyone, literals=entries, text=found.text, patterns=found.patterns, dead=found.dead
        ),
        origins=(found, *([Strings(open_ended=True, unresolved=True)] if call.open_ended else [])),
        credentials=credentials,
        credentials_value=options.get("supports_credentials"),
        methods=options.get("methods"),
        headers=options.get("allow_headers"),
        arguments=setting_arguments(run, call, options, ()),
        startup_error="flask-cors refuses `send_wildcard` together with credentials and `*`" if fails else "",
        scope=scope,
        single_route=single_route,
    )


def _of_app(app: Value | None) -> dict[str, Value]:
    """The options in an app's configuration: `CORS_ORIGINS` is `origins`."""
    if app is None or not isinstance(app.data, Instance):
        return {}
    config = app.data.attributes.get("config")
    data = config.data if config is not None else None
    given = data.attributes if isinstance(data, Instance) else data
    if not isinstance(given, dict):
        return {}
    return {
        key.lower().replace("cors_", ""): value
        for key, value in given.items()
        if isinstance(key, str) and key.startswith("CORS_") and value.data is not None
    }


def _configure(run: Interpreter, call: Call) -> None:
    """`config.from_object(...)` and `config.from_mapping(...)`."""
    if call.owner is None or not isinstance(call.owner.data, dict):
        return
    for each in call.args:
        call.owner.data.update(_settings_of(run, call, each))
    call.owner.data.update(call.keywords)


def _settings_of(run: Interpreter, call: Call, given: Value) -> dict[str | None, Value]:
    """The capital-letter attributes of a class, object, module or its dotted name; under None what is not known."""
    data = given.data
    if isinstance(data, str):
        data = _imported(run, call, data)
    if isinstance(data, dict):
        return data
    if isinstance(data, Class):
        names = {key for cls in data.lineage() for key in cls.scope.names}
    elif isinstance(data, Instance):
        own = {key for cls in data.cls.lineage() for key in cls.scope.names} if isinstance(data.cls, Class) else set()
        names = set(data.attributes) | own
    elif isinstance(data, Module):
        names = set(run.module(data).names)
    else:
        return {None: given}
    return {name: run.attribute(Value(data), name) for name in names if name.isupper()}


def _imported(run: Interpreter, call: Call, name: str) -> object:
    """`"package.module.Class"` or `"package.module"` as Flask imports it."""
    module = run.project.find(name, call.scope.module)
    if module is not None:
        return module
    parent, _, attribute = name.rpartition(".")
    module = run.project.find(parent, call.scope.module) if parent else None
    if module is None:
        return None
    scope: Scope = run.module(module)
    return run.of_module(module, attribute).data if attribute in scope.names else None
