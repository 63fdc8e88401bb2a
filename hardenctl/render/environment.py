"""A project's environment as templates show it: what compose keeps of it, and an example without live values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hardenctl.formats.project import ProjectFacts
from hardenctl.formats.project_variables import Variable
from hardenctl.formats.python.world import environment_name
from hardenctl.rules.secrets.values import ValueClass, classify_value, is_credential_key

PLACEHOLDER = "change-me"
_ACCOUNT = re.compile(r"(?:POSTGRES|PG|MYSQL|MARIADB|MONGO\w*?|REDIS)_(?!.*(?:HOST|HOSTNAME|SERVER|PORT)$)\w+")
_HOST = re.compile(
    r"(?:.*_)?(?:(?P<cache>REDIS|CACHE)|POSTGRES|PG|MYSQL|MONGO(?:DB)?|DB|DATABASE)_?(?:HOST|HOSTNAME|SERVER)"
)
_URL = re.compile(
    r"(?:.*_)?(?:(?P<cache>REDIS|CACHE|CELERY|BROKER)\w*|POSTGRES\w*|PG|MYSQL|MONGO(?:DB)?|DB|DATABASE|SQLALCHEMY_\w+)_"
    r"(?:URL|URI|DSN)"
)
_PORT = re.compile(r"(?:.*_)?(?:(?P<cache>REDIS|CACHE)|POSTGRES|PG|MYSQL|MONGO(?:DB)?|DB|DATABASE)_PORT")
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+]*)://")
_ENVIRONMENT = re.compile(r"(?:.*_)?(?:ENV|ENVIRONMENT|APP_ENV|STAGE)")
_SWITCH = re.compile(r"(?:.*_)?(?:DEBUG|RELOAD|TESTING)")
_ADDRESS = re.compile(r".*_(?:URL|URI|DSN)")
_SHOWN = frozenset({ValueClass.PLAIN, ValueClass.EMPTY})
_STORES: Mapping[str, tuple[str, int, tuple[str, ...]]] = {
    "postgres": ("postgresql", 5432, ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")),
    "mysql": ("mysql", 3306, ("MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE")),
    "mongodb": ("mongodb", 27017, ("MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_PASSWORD")),
}
# What the schemes of a database's drivers begin with.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "postgres": ("postgres",),
    "mysql": ("mysql", "mariadb"),
    "mongodb": ("mongodb",),
}
_ABOUT = {
    "ENVIRONMENT": "development or production",
    "CORS_ORIGINS": "Origins that browsers may call from, commas between them. Never `*` together with credentials.",
    "SECRET_KEY": "Signs sessions and tokens. Whoever has it can be any user.",
    "ALLOWED_HOSTS": "Hosts the service answers for, with commas between them.",
}
_USUAL = {"ENVIRONMENT": "production", "CORS_ORIGINS": "https://app.example.com", "ALLOWED_HOSTS": "app.example.com"}


def kept_environment(facts: ProjectFacts) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """What of the web service's own environment stands in a production compose file, and the names of what doesn't.

    Credentials and what names a store's account come from the env file; a value for development is none for production.
    """
    kept, left = [], []
    for key, value in facts.environment:
        if key in {"PORT", "FORWARDED_ALLOW_IPS"} or not re.fullmatch(r"[A-Za-z_][\w.-]*", key, re.ASCII):
            continue  # what is no variable's name reaches no process
        secret = is_credential_key(key) or classify_value(key, value) in {ValueClass.LIVE, ValueClass.WEAK}
        if secret or _ACCOUNT.fullmatch(key) or _is_for_development(key, value):
            left.append(key)
        else:
            kept.append((key, value))
    return tuple(kept), tuple(left)


def example(facts: ProjectFacts) -> list[list[str]]:
    """The lines of an example env file, in blocks: what the code reads, and what Compose and the stores do."""
    read = {each.name: each for each in facts.variables}
    passed = {each.name: each for each in facts.references if each.name not in read}
    blocks = [_about(facts, read[name]) for name in _ABOUT if name in read]
    store = [*_store(facts, read, passed)]
    cache = [*_cache(facts, read, passed)]
    named = {line.partition("=")[0] for block in [*blocks, store, cache] for line in block}
    others = [_line(facts, each) for name, each in read.items() if name not in named]
    put = [_line(facts, each) for name, each in passed.items() if name not in named]
    if others:
        others.insert(0, "# Read by the code. A commented one may be left out.")
    if put:
        put.insert(0, "# Put into the compose file")
    return [block for block in (*blocks, store, cache, others, put) if block]


def _about(facts: ProjectFacts, variable: Variable) -> list[str]:
    usual = _USUAL.get(variable.name)
    if usual is not None and variable.many:
        usual = f'["{usual}"]'
    line = _line(facts, variable) if usual is None else f"{variable.name}={usual}"
    return [f"# {_ABOUT[variable.name]}", line]


def _store(facts: ProjectFacts, read: Mapping[str, Variable], passed: Mapping[str, Variable]) -> Iterator[str]:
    if facts.database in _STORES:
        for key in _STORES[facts.database][2]:
            if key in read or key in passed or facts.database in facts.fed:
                yield f"{key}={PLACEHOLDER if 'PASSWORD' in key else _account(facts)}"
    if facts.database != "none":
        yield from (f"{name}={_database_url(facts, read[name])}" for name in _urls(read, of_cache=False))


def _cache(facts: ProjectFacts, read: Mapping[str, Variable], passed: Mapping[str, Variable]) -> Iterator[str]:
    """A store without a password takes no connection with one."""
    if facts.cache != "redis":
        return
    protected = "REDIS_PASSWORD" in read or "REDIS_PASSWORD" in passed
    if protected:
        yield f"REDIS_PASSWORD={PLACEHOLDER}"
    account = f":{PLACEHOLDER}@" if protected else ""
    yield from (f"{name}=redis://{account}{facts.cache_host}:6379/0" for name in _urls(read, of_cache=True))


def _urls(read: Mapping[str, Variable], *, of_cache: bool) -> Iterator[str]:
    for name in read:
        match = _URL.fullmatch(name)
        if match and bool(match["cache"]) is of_cache:
            yield name


def _account(facts: ProjectFacts) -> str:
    return facts.name.replace("-", "_")


def _database_url(facts: ProjectFacts, variable: Variable) -> str:
    """With the scheme the project has for it already: drivers differ in what they take."""
    if facts.database == "sqlite":
        return f"sqlite:///./data/{facts.name}.db"
    scheme, port, _ = _STORES[facts.database]
    for present in (dict(facts.environment).get(variable.name), variable.default):
        match = _SCHEME.match(present or "")
        if match and match["scheme"].startswith(_ALIASES[facts.database]):
            scheme = match["scheme"]
            break
    tail = "?authSource=admin" if facts.database == "mongodb" else ""
    return f"{scheme}://{_account(facts)}:{PLACEHOLDER}@{facts.database_host}:{port}/{_account(facts)}{tail}"


def _line(facts: ProjectFacts, variable: Variable) -> str:
    """One variable as the example has it: what may be left out is commented, with its default where that is known.

    An empty value is no default: code that asks whether a variable is there takes it for a yes.
    """
    name, default = variable.name, variable.default
    if variable.many and not default:
        return f"# {name}=[]"
    if is_credential_key(name) and not _ADDRESS.fullmatch(name):
        off = "" if variable.required or default is not None else "# "
        return f"{off}{name}={PLACEHOLDER if not off else ''}"
    if place := _place(facts, name):
        return f"{name}={place}"
    off = "" if variable.required else "# "
    if default is None or classify_value(name, default) not in _SHOWN:
        return f"{off}{name}="
    if _is_for_development(name, default):
        return f"{name}={'production' if _ENVIRONMENT.fullmatch(name) else 'false'}"
    return f"{off}{name}={_quoted(default)}"


def _place(facts: ProjectFacts, name: str) -> str:
    """The host or port of a store that a variable is for; empty for all others."""
    for pattern, is_host in ((_HOST, True), (_PORT, False)):
        if match := pattern.fullmatch(name):
            if match["cache"]:
                return "" if facts.cache == "none" else facts.cache_host if is_host else "6379"
            if facts.database in _STORES:
                return facts.database_host if is_host else str(_STORES[facts.database][1])
    return ""


def _quoted(value: str) -> str:
    """As a dotenv file has it: in quotes where blanks, signs or quotes would end or change it."""
    if re.fullmatch(r"[\w./:@%+,*=?&~^-]*", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _is_for_development(key: str, value: str) -> bool:
    if _SWITCH.fullmatch(key.upper()):
        return value.strip().lower() in {"1", "true", "yes", "on"}
    return bool(_ENVIRONMENT.fullmatch(key.upper())) and environment_name(value.strip()) in {"development", "test"}
