"""One rotation: a new value, the server told, every place given it; or everything as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hardenctl.generate.accounts import Url, family_of_key
from hardenctl.generate.credential import RECIPES, Recipe, generate
from hardenctl.generate.naming import recipe_for
from hardenctl.generate.private import write_private
from hardenctl.generate.push import Destination, prepare, push
from hardenctl.generate.stamps import Ledger, Place
from hardenctl.generate.targets import destination_of
from hardenctl.model.errors import HardenctlError, ToolError, UsageError
from hardenctl.model.settings import SecretSettings
from hardenctl.rotate.change import HeldCredential
from hardenctl.rotate.mariadb import MariaDB
from hardenctl.rotate.postgres import PostgreSQL, owner_of, twin_of
from hardenctl.rotate.redis import Redis
from hardenctl.rotate.server import Server


@dataclass(frozen=True, slots=True)
class Step:
    """A key to a platform. `old` is empty where nobody here knows what is there."""

    key: str
    place: Place
    destination: Destination
    new: str = field(repr=False)
    old: str = field(repr=False)

    def deliver(self, value: str) -> None:
        """Give the platform a value."""
        push(self.destination, value)


@dataclass
class Rotation:
    """What is to be done for one key. Made by `plan`, which asks everything that can be asked before."""

    key: str
    recipe: Recipe
    files: list[HeldCredential]
    platforms: list[tuple[str, Place]]
    server: Server | None
    role: str
    alternate: bool
    ledger: Ledger
    settings: SecretSettings

    def __str__(self) -> str:
        """For the preview: names, never values."""
        places = [str(each.path) for each in self.files] + [f"{place} {key}" for key, place in self.platforms]
        server = f"role {self.next_role} on the server, then " if self.server else ""
        return f"{self.key}: {server}{', '.join(places)}"

    @property
    def next_role(self) -> str:
        """The role that logs in afterwards."""
        return twin_of(self.role) if self.alternate else self.role

    def run(self) -> list[str]:
        """Rotate. The names of what changed. Raises ToolError, after putting back what had been changed."""
        secret = generate(self.recipe, settings=self.settings).value
        user = self.next_role if self.alternate else ""
        texts = [each.changed(secret, user) for each in self.files]
        new = {key: value for _, changes in texts for key, value in changes.items()} or {self.key: secret}
        old = {key: each.values[key] for each in self.files for key in new if key in each.values}
        steps = [
            Step(key, place, destination_of(place, key, self.settings), new[key], old.get(key, ""))
            for key, place in self.platforms
        ]
        undo: list[tuple[str, Callable[[], None]]] = []
        lost: list[str] = []  # what has the new value and cannot be given the old one
        try:
            if self.server is not None:
                undo += self._tell(self.server, secret)
            for step in steps:
                if step.old:
                    undo.append((str(step.place), _undoing(step)))
                step.deliver(step.new)
                if not step.old:
                    lost.append(f"{step.key} at {step.place}")
            for each, (text, _) in zip(self.files, texts, strict=True):
                write_private(each.path, text)  # whole or not at all: one that fails has nothing to put back
                undo.append((str(each.path), _writing(each.path, each.text)))
        except (HardenctlError, KeyboardInterrupt) as error:
            raise _undone(self.key, error, undo, lost) from None
        try:
            self._note(texts, steps, user)
        finally:  # a date that cannot be noted leaves no old password valid
            if self.server is not None and not self.alternate:
                self._finish(self.server)
        return list(new)

    def _finish(self, server: Server) -> None:
        try:
            server.finish(self.role)
        except HardenctlError as error:
            raise ToolError(
                f"{self.key} is new everywhere, but the old password of `{self.role}` still opens the server: "
                f"{error.what}",
                help="take it away there",
            ) from None

    def _note(self, texts: list[tuple[str, dict[str, str]]], steps: list[Step], user: str) -> None:
        """Stamp what arrived in the ledger."""
        for each, (_, changes) in zip(self.files, texts, strict=True):
            made = [(key, value, self.kind(key)) for key, value in changes.items() if value != user]
            self.ledger.stamp_all(made, self.ledger.place_of(each.path))
        for step in steps:
            self.ledger.stamp(step.key, step.place, step.new, self.kind(step.key))

    def kind(self, key: str) -> str:
        """How a key's value is made, for the ledger."""
        known = next((each.kind for each in self.ledger.of_key(key)), "")
        return known or (self.recipe.name if key == self.key else "connection-url")

    def _tell(self, server: Server, secret: str) -> list[tuple[str, Callable[[], None]]]:
        """The server first: a place that has a password which does not work yet would be refused."""
        if self.alternate and isinstance(server, PostgreSQL):
            server.change_twin(self.next_role, secret)
            return []  # nobody uses it: there is nothing to put back
        return [(f"role {self.role}", server.change(self.role, secret, [each.secret for each in self.files]))]


def plan(
    key: str,
    places: Sequence[Place],
    ledger: Ledger,
    *,
    settings: SecretSettings,
    apply: bool = False,
    role: str = "",
    alternate: bool = False,
) -> Rotation:
    """Everything that can be asked before anything is made. `places` empty: where the ledger says that the key is."""
    stamps = ledger.of_key(key)
    places = places or [Place(each.place, each.environment) for each in stamps]
    if not places:
        raise UsageError(
            f"the ledger does not know where `{key}` is", help="name it once: --write FILE or --push PLATFORM"
        )
    files = [HeldCredential.read(ledger.top / each.path, key) for each in places if each.path is not None]
    recipe = _recipe(
        key, [each.kind for each in stamps], is_login=any(each.values[key] != each.secret for each in files)
    )
    following = {name for each in files for name in each.changed("x" * 40)[1]} | {key}
    platforms = [(key, each) for each in places if each.path is None]
    platforms += [
        (each.key, place)
        for each in ledger.stamps
        if each.key in following - {key} and (place := Place(each.place, each.environment)).path is None
    ]
    role = role or next((each.user for each in files if each.user), "")
    server = server_of(key, files) if apply else None
    if server is not None:
        if isinstance(server, Redis):
            role = role or "default"
        if not role:
            raise UsageError(f"no file says who logs in with `{key}`", help="name the role with --role")
        server.prepare(owner_of(role) if alternate else role)
    if alternate:
        _check_alternate(key, files, platforms, server)
    for name, place in platforms:
        prepare(destination_of(place, name, settings))
    return Rotation(key, recipe, files, platforms, server, role, alternate, ledger, settings)


def server_of(key: str, files: Sequence[HeldCredential]) -> Server:
    """The kind of server that a credential opens: what the URLs with it, or the key's name, say."""
    urls = [url for each in files for value in each.values.values() if (url := Url.parse(value))]
    families = [url.family for url in urls if url.password in {each.secret for each in files}]
    family = next(filter(None, families), None) or family_of_key(key)
    if family in {"mongodb", "amqp"}:
        raise UsageError(
            "--apply knows PostgreSQL, MariaDB and Redis", help="rotate without it, and tell the server yourself"
        )
    return MariaDB() if family == "mysql" else Redis() if family == "redis" else PostgreSQL()


def _check_alternate(
    key: str, files: list[HeldCredential], platforms: list[tuple[str, Place]], server: Server | None
) -> None:
    if not isinstance(server, PostgreSQL):
        raise UsageError(
            "--alternate is for PostgreSQL, and needs --apply",
            help="Redis needs none: both passwords are good until every place has the new one",
        )
    if not files:
        raise UsageError(
            "--alternate needs a file that says who logs in", help="--write FILE with the connection's URL"
        )
    for name, place in platforms:
        if not any("://" in each.values.get(name, "") for each in files):
            raise UsageError(
                f"`{name}` at {place} is a password without its user, and --alternate changes both",
                help=f"deliver a connection's URL there instead of `{key}`",
            )


def _recipe(key: str, kinds: list[str], *, is_login: bool) -> Recipe:
    if is_login or "connection-url" in kinds:
        return RECIPES["db-password"]
    recipe = next((RECIPES[each] for each in kinds if each in RECIPES), None) or recipe_for(key)
    if recipe is None:
        raise UsageError(f"`{key}` was issued by somebody else", help="renew it there, then deliver it")
    return recipe


def _undoing(step: Step) -> Callable[[], None]:
    return lambda: step.deliver(step.old)


def _writing(path: Path, text: str) -> Callable[[], None]:
    return lambda: write_private(path, text)


def _undone(
    key: str, error: HardenctlError | KeyboardInterrupt, undo: list[tuple[str, Callable[[], None]]], lost: list[str]
) -> HardenctlError:
    """Put back what was changed, the last first; the error that says what came of it."""
    what, help_ = (error.what, error.help) if isinstance(error, HardenctlError) else ("interrupted", "")
    stuck = list(lost)
    for name, restore in reversed(undo):
        try:
            restore()
        except HardenctlError:
            stuck.append(name)
    if not stuck:
        return ToolError(f"{key}: {what}; everything is as it was", help=help_ or "try again")
    return ToolError(
        f"{key}: {what}; not put back: {', '.join(stuck)}",
        help="run the same command again: it gives every place one new value",
    )
