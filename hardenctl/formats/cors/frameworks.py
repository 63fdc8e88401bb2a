"""Litestar, quart-cors, aiohttp-cors, Falcon, Sanic Extensions: what each makes of its settings.

Read in and run against litestar 2.25, quart-cors 0.8, aiohttp-cors 0.8, falcon 4.4, sanic-ext 25.12.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hardenctl.formats.cors.acceptance import EVIL, Acceptance
from hardenctl.formats.cors.build import outcome, setting_arguments
from hardenctl.formats.cors.values import Strings, pattern, strings, truth
from hardenctl.formats.python.values import External, Instance, Scope, Value, all_variables

if TYPE_CHECKING:
    from hardenctl.formats.cors.sink import Sighting
    from hardenctl.formats.python.interpreter import Call, Interpreter

_OPEN = Strings(open_ended=True, unresolved=True)
_QUART = {
    "allow_origin": "QUART_CORS_ALLOW_ORIGIN",
    "allow_credentials": "QUART_CORS_ALLOW_CREDENTIALS",
    "allow_methods": "QUART_CORS_ALLOW_METHODS",
    "allow_headers": "QUART_CORS_ALLOW_HEADERS",
}


def wants(name: str) -> bool:
    """Whether a callee belongs to one of these libraries."""
    return name in _READERS or name in _APPS or (name.endswith(_CONFIGURES) and name.startswith(_CONFIGURED))


def sight(run: Interpreter, call: Call) -> tuple[Value | None, list[Sighting]]:
    """A call's result, and the set-ups it makes."""
    if call.name in _READERS:
        return _READERS[call.name](run, call)
    if call.name in _APPS:
        config = Value(Instance(External(f"{call.name}.config")))
        app = Value(Instance(External(call.name), {**call.keywords, "config": config}))
        return app, _falcon_app(run, call) if "falcon" in call.name else []
    _update(call)
    return Value(None), []


def _one(
    run: Interpreter,
    call: Call,
    acceptance: Acceptance,
    *,
    values: dict[str, Value],
    origins: Sequence[Strings],
    credentials: bool | None,
    names: tuple[str, str, str, str],
    startup_error: str = "",
    single_route: bool = False,
) -> Sighting:
    """The sighting of a call; `names` are what the library calls origins, credentials, methods and headers."""
    _, secret, methods, headers = names
    return outcome(
        run,
        call,
        acceptance.library,
        acceptance=acceptance,
        origins=(*origins, *([_OPEN] if call.open_ended else [])),
        credentials=credentials,
        credentials_value=values.get(secret),
        methods=values.get(methods),
        headers=values.get(headers),
        arguments=setting_arguments(run, call, values, ()),
        startup_error=startup_error,
        single_route=single_route,
    )


def _litestar(run: Interpreter, call: Call) -> tuple[Value | None, list[Sighting]]:
    """A `*` inside an entry stands for any text; without `allow_origins` everyone gets in."""
    names = ("allow_origins", "allow_credentials", "allow_methods", "allow_headers")
    positions = ("allow_origins", "allow_methods", "allow_headers", "allow_credentials", "allow_origin_regex")
    values = {**dict(zip(positions, call.args, strict=False)), **call.keywords}
    given = strings(values.get("allow_origins"))
    entries = given.entries if given.text is None else tuple(given.text)  # a string is a list of its characters
    if "allow_origins" not in values and not call.open_ended:
        entries = ("*",)
    regex = pattern(values.get("allow_origin_regex"))
    wild = tuple(".*".join(map(re.escape, each.split("*"))) for each in entries if "*" in each and each != "*")
    acceptance = Acceptance(
        "litestar",
        everyone="*" in entries,
        literals=tuple(each for each in entries if "*" not in each or each == "*"),
        patterns=(*wild, *regex.patterns),
    )
    credentials = truth(values.get("allow_credentials"))
    found = _one(run, call, acceptance, values=values, origins=(given, regex), credentials=credentials, names=names)
    return Value(Instance(External(call.name), dict(values))), [found]


def _quart(run: Interpreter, call: Call, *, decorator: bool = False) -> tuple[Value | None, list[Sighting]]:
    """`cors(app, ...)` gives the app back; what is not given is taken from the app's configuration."""
    names = ("allow_origin", "allow_credentials", "allow_methods", "allow_headers")
    app = None if decorator else next(iter(call.args), None)
    configured = _config_of(app)
    values = {own: configured[key] for own, key in _QUART.items() if key in configured}
    values |= {key: value for key, value in call.keywords.items() if value.data is not None}
    given = strings(values.get("allow_origin"))
    entries = given.entries if given.text is None else (given.text,)
    if "allow_origin" not in values and not call.open_ended:
        entries = ("*",)
    everyone, credentials = "*" in entries, truth(values.get("allow_credentials"))
    acceptance = Acceptance("quart-cors", everyone=everyone, literals=entries, patterns=given.patterns, dead=given.dead)
    error = "quart-cors answers no request with credentials and `*` together" if everyone and credentials else ""
    found = _one(
        run,
        call,
        acceptance,
        values=values,
        origins=(given,),
        credentials=credentials,
        names=names,
        startup_error=error,
        single_route=decorator,
    )
    return app, [found]


def _quart_route(run: Interpreter, call: Call) -> tuple[Value | None, list[Sighting]]:
    return None, _quart(run, call, decorator=True)[1]


def _aiohttp(run: Interpreter, call: Call) -> tuple[Value | None, list[Sighting]]:
    """`setup(app, defaults={origin: options})` and `add(route, {origin: options})`; `*` names whoever asks."""
    setup = call.name == "aiohttp_cors.setup"
    result = Value(Instance(External("aiohttp_cors.CorsConfig"))) if setup else None
    given = call.keywords.get("defaults" if setup else "config") or (call.args[1] if len(call.args) > 1 else None)
    if given is None or given.data is None or given.data == {}:
        return result, []
    table = given.data if isinstance(given.data, dict) else {None: given}
    origins = tuple(key for key in table if isinstance(key, str))
    options = {key: _options(value) for key, value in table.items()}
    decisive = options.get("*") or next(iter(options.values()))
    secrets = [truth(each.get("allow_credentials")) for each in ([decisive] if "*" in options else options.values())]
    used = frozenset[str]().union(*(all_variables(each) for each in table.values()), given.variables)
    known = isinstance(given.data, dict) and None not in table
    found = _one(
        run,
        call,
        Acceptance("aiohttp-cors", everyone="*" in origins, literals=origins),
        values={"defaults" if setup else "config": given, **decisive},
        origins=(Strings(origins, open_ended=not known, unresolved=not known, variables=used),),
        credentials=True if True in secrets else None if None in secrets else False,
        names=("defaults", "allow_credentials", "allow_methods", "allow_headers"),
        single_route=not setup,
    )
    return result, [found]


def _options(value: Value) -> dict[str, Value]:
    """The settings in a `ResourceOptions` or a dictionary."""
    if isinstance(value.data, Instance):
        return dict(value.data.attributes)
    return {str(key): each for key, each in value.data.items()} if isinstance(value.data, dict) else {}


def _falcon(run: Interpreter, call: Call) -> tuple[Value | None, list[Sighting]]:
    """`*` only works as a plain string, for origins and for credentials, which are given per origin."""
    positions = ("allow_origins", "expose_headers", "allow_credentials")
    values = {**dict(zip(positions, call.args, strict=False)), **call.keywords}
    given, secret = strings(values.get("allow_origins")), strings(values.get("allow_credentials"))
    entries = given.entries if given.text is None else (given.text,)
    if "allow_origins" not in values and not call.open_ended:
        entries = ("*",)
    allowed = secret.entries if secret.text is None else (secret.text,)
    everyone = "*" in entries
    credentials: bool | None = EVIL in allowed or "*" in allowed if everyone else bool(set(entries) & {*allowed, "*"})
    if not everyone and "*" in allowed:
        credentials = True
    if secret.open_ended:
        credentials = None
    listed = [name for name, each in (("allow_origins", given), ("allow_credentials", secret)) if "*" in each.entries]
    error = f"Falcon refuses `*` inside a list for `{listed[0]}`" if listed else ""
    found = _one(
        run,
        call,
        Acceptance("falcon", everyone=everyone, literals=entries, dead=given.dead),
        values=values,
        origins=(given,),
        credentials=credentials,
        names=("allow_origins", "allow_credentials", "", ""),
        startup_error=error,
    )
    return None, [found]


def _falcon_app(run: Interpreter, call: Call) -> list[Sighting]:
    """`App(cors_enable=True)` lets everyone in, without credentials."""
    enabled = truth(call.keywords.get("cors_enable"))
    if enabled is False:
        return []
    switch = call.keywords["cors_enable"]
    found = _one(
        run,
        call,
        Acceptance("falcon", everyone=bool(enabled), literals=("*",) if enabled else ()),
        values={"cors_enable": switch},
        origins=(Strings(open_ended=enabled is None, unresolved=enabled is None, variables=switch.variables),),
        credentials=False,
        names=("cors_enable", "", "", ""),
    )
    return [found]


def sanic(run: Interpreter, call: Call, values: dict[str, Value], *, single_route: bool = False) -> Sighting | None:
    """Sanic Extensions by its configuration. A plain string is split at commas; only a lone `*` stands for everyone."""
    if not values.keys() & {"CORS_ORIGINS", "CORS_SEND_WILDCARD"} and not call.open_ended:
        return None
    given = strings(values.get("CORS_ORIGINS"))
    entries = given.entries
    everyone = given.text == "*"
    if given.text is not None:
        entries = ("*",) if everyone else tuple(each.strip() for each in given.text.split(",")) if given.text else ()
    credentials = truth(values.get("CORS_SUPPORTS_CREDENTIALS"))
    acceptance = Acceptance(
        "sanic-ext",
        everyone=everyone or bool(truth(values.get("CORS_SEND_WILDCARD"))),
        literals=tuple(each for each in entries if everyone or each != "*"),
        patterns=given.patterns,
        dead=tuple(each for each in entries if not everyone and each == "*"),
    )
    error = ""
    if everyone and credentials and not single_route:
        error = "Sanic Extensions refuses credentials together with `*`"
    return _one(
        run,
        call,
        acceptance,
        values=values,
        origins=(given,),
        credentials=credentials if not truth(values.get("CORS_SEND_WILDCARD")) else False,
        names=("CORS_ORIGINS", "CORS_SUPPORTS_CREDENTIALS", "CORS_METHODS", "CORS_ALLOW_HEADERS"),
        startup_error=error,
        single_route=single_route,
    )


def extended(run: Interpreter, call: Call, app: Value) -> Sighting | None:
    """What an application of Sanic comes to by its own configuration."""
    return sanic(run, call, _config_of(app))


def assign(run: Interpreter, target: ast.expr, value: Value, scope: Scope) -> None:
    """Keep `app.config["CORS_..."] = value`."""
    if isinstance(target, ast.Subscript):
        owner, key = run.expression(target.value, scope).data, run.expression(target.slice, scope).data
        is_config = isinstance(owner, Instance) and isinstance(owner.cls, External) and owner.cls.name in _CONFIGS
        if is_config and isinstance(key, str):
            owner.attributes[key] = value


def _sanic_extend(run: Interpreter, call: Call) -> tuple[Value | None, list[Sighting]]:
    """`Extend(app, config=...)`, `app.extend(config=...)`, over what the app's own configuration says."""
    app = next(iter(call.args), None) or call.keywords.get("app") or call.owner
    values = {**_config_of(app), **_config_of_value(call.keywords.get("config"))}
    found = sanic(run, call, values)
    return Value(Instance(External("sanic_ext.Extend"))), [found] if found is not None else []


def _sanic_route(run: Interpreter, call: Call) -> tuple[Value | None, list[Sighting]]:
    words = {"origin": "CORS_ORIGINS", "supports_credentials": "CORS_SUPPORTS_CREDENTIALS"}
    values = {words[key]: value for key, value in call.keywords.items() if key in words}
    found = sanic(run, call, values, single_route=True)
    return None, [found] if found is not None else []


def _config_of(app: Value | None) -> dict[str, Value]:
    """The configuration of an app."""
    if app is None or not isinstance(app.data, Instance):
        return {}
    return _config_of_value(app.data.attributes.get("config"))


def _config_of_value(config: Value | None) -> dict[str, Value]:
    data = config.data if config is not None else None
    given = data.attributes if isinstance(data, Instance) else data if isinstance(data, dict) else {}
    return {key.upper(): value for key, value in given.items() if isinstance(key, str)}


def _update(call: Call) -> None:
    """`app.config.update({...})` and its kin."""
    owner = call.owner.data if call.owner is not None else None
    if isinstance(owner, Instance):
        for each in call.args:
            if isinstance(each.data, dict):
                owner.attributes.update({str(key): value for key, value in each.data.items()})
        owner.attributes.update(call.keywords)


_Reader = Callable[["Interpreter", "Call"], tuple[Value | None, "list[Sighting]"]]
_READERS: dict[str, _Reader] = {
    "litestar.config.cors.CORSConfig": _litestar,
    "litestar.config.CORSConfig": _litestar,
    "starlite.CORSConfig": _litestar,
    "quart_cors.cors": _quart,
    "quart_cors.route_cors": _quart_route,
    **dict.fromkeys(("aiohttp_cors.setup", "aiohttp_cors.CorsConfig().add"), _aiohttp),
    **dict.fromkeys(("falcon.CORSMiddleware", "falcon.middleware.CORSMiddleware"), _falcon),
    **dict.fromkeys(("sanic_ext.Extend", "sanic.Sanic().extend"), _sanic_extend),
    **dict.fromkeys(("sanic_ext.cors", "sanic_ext.extensions.http.cors.cors"), _sanic_route),
}
_APPS = frozenset({"quart.Quart", "quart.app.Quart", "sanic.Sanic", "sanic.app.Sanic", "falcon.App", "falcon.asgi.App"})
_CONFIGS = frozenset(f"{each}.config" for each in _APPS)
_CONFIGURED = tuple(f"{each}()" for each in _CONFIGS)
_CONFIGURES = (".update", ".from_mapping", ".update_config")
