"""Which keys of an environment file speak of the same account, and connection URLs taken apart and put together.

`POSTGRES_PASSWORD` (which the server is set up with), `DB_PASSWORD` (which the service logs in with) and the password
inside `DATABASE_URL` must agree, or the service cannot connect. They agree by being one account: a database family and
a user.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import quote, unquote

from hardenctl.rules.secrets.values import is_placeholder

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]*)://(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^/?#]*))?@)?"
    r"(?P<hosts>[^/?#@]*)(?P<path>/[^?#]*)?(?P<rest>.*)",
    re.DOTALL,
)
_FAMILIES = {
    "postgres": "postgres", "postgresql": "postgres", "psycopg": "postgres", "timescaledb": "postgres",
    "postgis": "postgres", "cockroachdb": "postgres", "pgsql": "postgres",
    "mysql": "mysql", "mariadb": "mysql",
    "redis": "redis", "rediss": "redis", "valkey": "redis",
    "mongodb": "mongodb", "mongodb+srv": "mongodb",
    "amqp": "amqp", "amqps": "amqp",
}  # fmt: skip
_PREFIXES = {
    "postgres": ("POSTGRES_", "POSTGRESQL_", "PG_", "PG"),
    "mysql": ("MYSQL_", "MARIADB_"),
    "redis": ("REDIS_", "VALKEY_"),
    "mongodb": ("MONGO_INITDB_ROOT_", "MONGODB_", "MONGO_"),
    "amqp": ("RABBITMQ_DEFAULT_", "RABBITMQ_", "AMQP_"),
}
_SQL = ("DB_", "DATABASE_", "SQL_")  # of the SQL family the file speaks of
_PASSWORD = ("PASSWORD", "PASS", "PASSWD", "PWD")
_USER = ("USER", "USERNAME")
_SCHEMES = {"postgres": "postgresql", "mysql": "mysql", "redis": "redis", "mongodb": "mongodb", "amqp": "amqp"}
_ANYBODY = frozenset({"", "user", "username", "usr", "name", "login", "dbuser", "db_user", "myuser", "youruser"})
_ANYTHING = frozenset({"", "db", "dbname", "db_name", "name", "mydb", "database", "mydatabase", "database_name"})
_ANYWHERE = frozenset({"", "host", "hostname", "server", "your-host", "dbhost", "db_host"})


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in where. `user` is empty where the family's main account is meant."""

    family: str
    user: str


@dataclass(frozen=True, slots=True)
class Url:
    """A connection URL. `user` and `password` are decoded, None where the URL has none; the rest is as written."""

    scheme: str
    user: str | None
    password: str | None
    hosts: str
    path: str
    rest: str

    @classmethod
    def parse(cls, value: str) -> Url | None:
        """A URL's parts; None for what is no URL."""
        match = _URL.fullmatch(value)
        if match is None:
            return None
        decoded = {name: unquote(match[name]) if match[name] is not None else None for name in ("user", "password")}
        return cls(
            match["scheme"], decoded["user"], decoded["password"], match["hosts"], match["path"] or "", match["rest"]
        )

    def __str__(self) -> str:
        """The URL, user and password percent-encoded."""
        user = "" if self.user is None else quote(self.user, safe="")
        password = "" if self.password is None else ":" + quote(self.password, safe="")
        return f"{self.scheme}://{user}{password}{'@' if user or password else ''}{self.hosts}{self.path}{self.rest}"

    @property
    def family(self) -> str | None:
        """The kind of server, None where its credentials are not ours to make."""
        scheme = self.scheme.lower()
        return _FAMILIES.get(scheme) or _FAMILIES.get(scheme.split("+", 1)[0])


@dataclass(frozen=True)
class Accounts:
    """The accounts an environment file speaks of. `hosts` maps a family to where its server is known to be."""

    values: Mapping[str, str]
    hosts: Mapping[str, str]

    def of_key(self, key: str) -> Account | None:
        """The account a password key belongs to, None for a password of anything else."""
        if key in {"MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"}:
            return Account("mysql", "root")
        for family in _PREFIXES:
            for prefix in self._prefixes(family):
                if key in {prefix + suffix for suffix in _PASSWORD}:
                    return Account(family, self._own_user(prefix) or self._main_user(family))
        return None

    def of_url(self, url: Url) -> Account | None:
        """The account a URL logs in as."""
        if url.family is None:
            return None
        anybody = url.user is None or url.user.lower() in _ANYBODY or is_placeholder(url.user)
        return Account(url.family, self._main_user(url.family) if anybody else url.user or "")

    def complete(self, url: Url, password: str) -> Url:
        """The URL with a password, its placeholders filled from the parts that stand in the same file."""
        family = url.family or ""
        account = self.of_url(url)
        user = (account.user if account else "") or url.user
        path = url.path
        if path.strip("/").lower() in _ANYTHING or is_placeholder(path):
            name = self._part(family, "DB", "DATABASE", "DBNAME", "NAME")
            path = "/" + quote(name, safe="") if name else path
        hosts = url.hosts
        if lacks_host(url):
            host = self._part(family, "HOST", "HOSTNAME", "SERVER") or self.hosts.get(family, "")
            port = url.hosts.partition(":")[2] or self._part(family, "PORT")
            hosts = host + (f":{port}" if host and port and ":" not in host else "") if host else hosts
        return replace(url, user=user, password=password, hosts=hosts, path=path)

    def blank(self, key: str) -> Url | None:
        """A URL to complete for an empty `DATABASE_URL`-like key; None where the file doesn't say what server it is."""
        words = key.upper()
        for family, scheme in _SCHEMES.items():
            spoken = any(words.startswith(prefix.rstrip("_")) for prefix in _PREFIXES[family])
            general = family in {"postgres", "mysql"} and words.startswith(tuple(each.rstrip("_") for each in _SQL))
            parts = {prefix + part for prefix in self._prefixes(family) for part in (*_PASSWORD, *_USER, "HOST")}
            if (spoken or general) and parts & self.values.keys():
                return Url(scheme, None, None, "", "", "")
        return None

    def _prefixes(self, family: str) -> tuple[str, ...]:
        return (*_PREFIXES[family], *_SQL) if family == self._sql_family else _PREFIXES[family]

    @cached_property
    def _sql_family(self) -> str:
        schemes = [url.family for value in self.values.values() if (url := Url.parse(value))]
        for family in ("postgres", "mysql"):
            if family in schemes or any(key.startswith(_PREFIXES[family][:2]) for key in self.values):
                return family
        return "postgres"

    def _own_user(self, prefix: str) -> str:
        return next((user for suffix in _USER if (user := self._filled(prefix + suffix))), "")

    def _main_user(self, family: str) -> str:
        return next((user for prefix in self._prefixes(family) if (user := self._own_user(prefix))), "")

    def _part(self, family: str, *suffixes: str) -> str:
        names = (prefix + suffix for prefix in self._prefixes(family) for suffix in suffixes)
        return next((value for name in names if (value := self._filled(name))), "")

    def _filled(self, key: str) -> str:
        value = self.values.get(key, "")
        return "" if is_placeholder(value) or "$" in value else value


def family_of_key(key: str) -> str | None:
    """The kind of server that a key's name speaks of; None for `DB_PASSWORD`, which could be any."""
    words = key.upper()
    return next((name for name, prefixes in _PREFIXES.items() if words.startswith(prefixes)), None)


def lacks_host(url: Url) -> bool:
    """Whether a URL does not say yet where the server is."""
    host = url.hosts.partition(":")[0].lower()
    return host in _ANYWHERE or is_placeholder(host)
