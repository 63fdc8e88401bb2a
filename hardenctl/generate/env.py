"""`generate env`: a template becomes an environment file with credentials of its own.

What is filled: keys whose name says credential and whose value is empty, a placeholder, or (in the template, whose
values everybody knows) anything at all. What is not: settings, which are copied as they stand, and credentials that
only their issuer can make. Both are named, values never are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from hardenctl.generate import dotenv
from hardenctl.generate.accounts import Account, Accounts, Url, lacks_host
from hardenctl.generate.credential import RECIPES, Credential, Recipe, generate
from hardenctl.generate.naming import asks_for, common_prefix, is_credential, recipe_for
from hardenctl.model.errors import UsageError
from hardenctl.model.nearest import nearest
from hardenctl.model.settings import SecretSettings
from hardenctl.rules.secrets.values import ValueClass, classify_value, is_placeholder

_OPEN = frozenset({ValueClass.EMPTY, ValueClass.PLACEHOLDER})
_KNOWN = frozenset({ValueClass.WEAK, ValueClass.LIVE})  # in a template: known to everybody who can read it
_DEVELOPMENT = re.compile(r"(?i)dev|development|local|test|testing|\*|.*\b(?:localhost|127\.0\.0\.1)\b.*")
_SWITCHED_ON = re.compile(r"(?i)1|true|yes|on")
_SHELL = re.compile(r"[\s;&|<>()$`\\\"'*?!#~]")


@dataclass(frozen=True, slots=True)
class Held:
    """A credential of the file: the recipe it was made by (`kind`), or `connection-url`, or `other`."""

    key: str
    value: str = field(repr=False)
    kind: str


@dataclass(frozen=True)
class Filled:
    """The new file and what happened to each of its keys. Values are in `text` and nowhere else."""

    text: str = field(repr=False)
    generated: Mapping[str, Credential]
    assembled: tuple[str, ...]  # connection URLs put together from their parts, and passwords that follow another key
    kept: tuple[str, ...]  # credentials that were there already
    copied: tuple[str, ...]  # settings
    missing: Mapping[str, str]  # what a person must fill, and why
    check: Mapping[str, str]  # settings that look like development, or that `sh` would read differently
    credentials: tuple[Held, ...] = ()  # all that are filled, in the file's order
    given: tuple[str, ...] = ()  # settings that `assign` gave a value
    changed: bool = True  # whether the file has become another one

    @property
    def made(self) -> list[tuple[str, str, str]]:
        """Key, value and kind of what this run has made or put together."""
        fresh = {*self.generated, *self.assembled}
        return [(each.key, each.value, each.kind) for each in self.credentials if each.key in fresh]


def fill(
    template: str,
    target: str | None,
    *,
    name: str = "the template",
    target_name: str = "the target",
    rotate: Collection[str] = (),
    assign: Mapping[str, str] | None = None,
    hosts: Mapping[str, str] | None = None,
    settings: SecretSettings | None = None,
) -> Filled:
    """Fill a template, or complete the file that was made from it before (`target`, its present text).

    Values in `target` stay, except those of keys in `rotate` and placeholders. `assign` sets settings (never
    credentials). `hosts` maps a database family to its server's name, for URLs that don't say.
    Raises UsageError for keys that cannot be rotated or assigned, DocumentError for a file that cannot be read.
    """
    entries = dotenv.parse(target, target_name) if target is not None else []
    present = {each.key for each in entries if each.key is not None}
    given = dotenv.parse(template, name)
    # What the file has and the template has not was written by somebody, an earlier `--set` perhaps.
    decided = dotenv.values(entries).items() - dotenv.values(given).items()
    entries = _merge(entries, given)
    for key, value in (assign or {}).items():
        if is_credential(key) or classify_value(key, value) is ValueClass.LIVE:
            raise UsageError(
                f"`{key}` is a credential: on a command line, others on this machine can read it",
                help="edit the file, or pipe it: hardenctl generate token --write FILE --key NAME makes one",
            )
        entries = dotenv.set_value(entries, key, value)
    filling = _Filling(entries, present, rotate, hosts or {}, settings or SecretSettings())
    return filling.run(decided={key for key, _ in decided}, given=assign or ())


def _merge(target: list[dotenv.Entry], template: list[dotenv.Entry]) -> list[dotenv.Entry]:
    """The target's entries, then the template's that it lacks, each with the comments above it."""
    if not target:
        return template
    present = {each.key for each in target}
    added, above = list[dotenv.Entry](), list[dotenv.Entry]()
    for each in template:
        if each.key is None:
            above = [*above, each] if each.text.strip() and not each.text.startswith(("\n", "\r")) else [each]
            continue
        if each.key not in present:
            added += [*above, each]
        above = []
    text = dotenv.join(target)
    if added and not text.endswith(("\n", "\r")):
        added.insert(0, dotenv.Entry(None, None, "\r\n" if "\r\n" in text else "\n"))
    return target + added


class _Filling:
    """One run of `fill`: the entries as they become, and what is known of each account's password."""

    def __init__(
        self,
        entries: list[dotenv.Entry],
        present: Collection[str],
        rotate: Collection[str],
        hosts: Mapping[str, str],
        settings: SecretSettings,
    ) -> None:
        self.entries = entries
        self.settings = settings
        self.values = dict(dotenv.values(entries))
        self.prefix = common_prefix(self.values)
        self.accounts = Accounts({self._name(key): value for key, value in self.values.items()}, hosts)
        self.comments = _comments(entries)
        self.present = present
        self.generated: dict[str, Credential] = {}
        self.assembled: list[str] = []
        self.missing: dict[str, str] = {}
        self.urls = {key: url for key in self.values if (url := self._url(key))}
        self.fresh = {key for key in self.values if self._is_open(key)} | self._rotated(rotate)
        self.passwords = self._known_passwords()

    def run(self, *, decided: Collection[str] = (), given: Collection[str] = ()) -> Filled:
        """Fill what is open. `decided` settings and those `given` now are no placeholders, whatever they look like."""
        # Passwords first: URLs are put together from them.
        for key in sorted(self.fresh, key=lambda each: each in self.urls):
            value = self._make_url(key) if key in self.urls else self._make(key)
            if value is not None:
                self.values[key] = value
                self.entries = dotenv.set_value(self.entries, key, value)
        settings = {key for key in self.values if not self._is_credential(key)}
        for key in settings:
            if key not in {*decided, *given} and self.values[key] != "*" and is_placeholder(self.values[key]):
                self.missing[key] = "a placeholder that only you can replace"
        order = list(self.values)
        return Filled(
            text=dotenv.join(self.entries),
            generated={key: self.generated[key] for key in order if key in self.generated},
            assembled=tuple(key for key in order if key in self.assembled),
            kept=tuple(key for key in order if key in self.present and key not in self.fresh and key not in settings),
            copied=tuple(key for key in order if key in settings and key not in self.missing and key not in given),
            given=tuple(key for key in order if key in given),
            missing={key: self.missing[key] for key in order if key in self.missing},
            check={key: why for key in order if key in settings - set(self.missing) and (why := self._suspicion(key))},
            credentials=tuple(
                Held(key, self.values[key], self._kind(key))
                for key in order
                if key not in settings
                and self.values[key]
                and key not in self.missing
                and classify_value(key, self.values[key]) not in {*_OPEN, ValueClass.REFERENCE}
            ),
        )

    def _kind(self, key: str) -> str:
        if key in self.urls:
            return "connection-url"
        recipe = self._recipe(key)
        return recipe.name if recipe else "other"

    def _name(self, key: str) -> str:
        """A key without what the project puts before all of its names."""
        return key.removeprefix(self.prefix)

    def _url(self, key: str) -> Url | None:
        value = self.values[key]
        if not value and is_credential(key) and key.upper().endswith(("URL", "URI", "DSN")):
            return self.accounts.blank(self._name(key))
        url = Url.parse(value)
        if url is None:
            return None
        account = self.accounts.of_url(url)
        asks = (
            account is not None
            and account.family == "redis"
            and any(self.accounts.of_key(self._name(each)) == account for each in self.values)
        )  # a Redis with a password refuses a URL without one
        return url if url.password is not None or (asks and is_credential(key)) else None

    def _is_credential(self, key: str) -> bool:
        if key in self.urls:
            return True
        value = self.values[key]
        if not is_credential(key):
            return not value and asks_for(self.comments.get(key, ""))
        if classify_value(key, value) is not ValueClass.PLAIN:
            return True
        if _is_issued(value):
            return True
        return value.isdigit() and recipe_for(self._name(key)) is not None  # `DB_PASSWORD=123`

    def _is_open(self, key: str) -> bool:
        value = self.values[key]
        if not self._is_credential(key):
            return False
        kind = classify_value(key, value)
        if kind in _OPEN:
            return True
        if key in self.present or kind is ValueClass.REFERENCE:
            return False
        return kind in _KNOWN or key in self.urls or value.isdigit() or _is_issued(value)

    def _rotated(self, asked: Collection[str]) -> set[str]:
        rotated: set[str] = set()
        for key in asked:
            if key not in self.values:
                raise UsageError(
                    f"there is no `{key}` to rotate", help=nearest(key, self.values) or "name a key that it has"
                )
            if not self._is_credential(key):
                raise UsageError(f"`{key}` is no credential", help="rotate credentials; edit settings in the file")
            if key in self.urls and self.urls[key].family is None:
                raise UsageError(f"`{key}` was issued by somebody else", help="renew it there, then edit the file")
            if key not in self.urls and self._recipe(key) is None:
                raise UsageError(f"`{key}` was issued by somebody else", help="renew it there, then edit the file")
            rotated.add(key)
            account, old = self._account(key), self._password(key)
            if account is not None and old:  # whatever logs in with the same password follows
                rotated |= {
                    each for each in self.values if self._account(each) == account and self._password(each) == old
                }
        return rotated

    def _known_passwords(self) -> dict[Account, str]:
        known: dict[Account, str] = {}
        for key in self.values:
            account = self._account(key)
            if account is not None and key not in self.fresh and (password := self._password(key)):
                known.setdefault(account, password)
        return known

    def _account(self, key: str) -> Account | None:
        return self.accounts.of_url(self.urls[key]) if key in self.urls else self.accounts.of_key(self._name(key))

    def _password(self, key: str) -> str:
        """The password a key holds now; empty for none, and for a reference to another variable."""
        value = self.values[key]
        if key in self.urls and classify_value(key, value) is not ValueClass.REFERENCE:
            return self.urls[key].password or ""
        return "" if key in self.urls or classify_value(key, value) is ValueClass.REFERENCE else value

    def _recipe(self, key: str) -> Recipe | None:
        if self.accounts.of_key(self._name(key)) is not None:
            return RECIPES["db-password"]
        return recipe_for(self._name(key), self.comments.get(key, ""))

    def _make(self, key: str) -> str | None:
        account = self.accounts.of_key(self._name(key))
        if account is not None and account in self.passwords:
            self.assembled.append(key)
            return self.passwords[account]
        recipe = self._recipe(key)
        if recipe is None:
            self.missing[key] = "only its issuer can make it"
            return None
        self.generated[key] = made = self._draw(key, recipe)
        if account is not None:
            self.passwords[account] = made.value
        return made.value

    def _draw(self, key: str, recipe: Recipe) -> Credential:
        """A credential that the next run knows for one: about one in 50,000 holds a word such as `-any-` by chance."""
        while True:
            made = generate(recipe, settings=self.settings)
            if not is_placeholder(made.value) and classify_value(key, made.value) not in _OPEN:
                return made

    def _make_url(self, key: str) -> str | None:
        url = self.urls[key]
        account = self.accounts.of_url(url)
        if account is None:
            self.missing[key] = "only its issuer can make it"
            return None
        if lacks_host(self.accounts.complete(url, "")):
            self.missing[key] = "it does not say where the server is"
            if not self.values[key]:
                return None  # half a URL is worse than none
        if account not in self.passwords:
            self.generated[key] = made = self._draw(key, RECIPES["db-password"])
            self.passwords[account] = made.value
        else:
            self.assembled.append(key)
        return str(self.accounts.complete(url, self.passwords[account]))

    def _suspicion(self, key: str) -> str | None:
        value = self.values[key]
        if _DEVELOPMENT.fullmatch(value) or ("DEBUG" in key.upper() and _SWITCHED_ON.fullmatch(value)):
            return "looks like development"
        entry = next(each for each in self.entries if each.key == key)
        written = entry.text.strip().partition("=")[2]
        if written[:1] not in {"'", '"'} and _SHELL.search(value):
            return "`sh` reads it differently; put it in quotes"
        return None


def _is_issued(value: str) -> bool:
    """Whether a value is an address with a key in it, as Sentry issues: it belongs to whoever wrote the template."""
    url = Url.parse(value)
    return url is not None and url.scheme in {"http", "https"} and bool(url.user)


def _comments(entries: list[dotenv.Entry]) -> Mapping[str, str]:
    """Key to the comments right above it and behind its value."""
    comments: dict[str, str] = {}
    above = ""
    for each in entries:
        if each.key is None:
            above = each.text if each.text.startswith(("\n", "\r")) else above + each.text
            continue
        if each.text.startswith(("\n", "\r")):
            above = ""
        comments[each.key] = above + each.text[each.text.find("#") :] if "#" in each.text else above
        above = ""
    return comments
