"""`hardenctl generate`: credentials that nobody needs to see."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.cli.confirm import confirm
from hardenctl.cli.errors import output_is_closed
from hardenctl.formats.project import store_hosts
from hardenctl.generate.alphabets import ALPHABETS
from hardenctl.generate.credential import RECIPES, Credential, Recipe, generate
from hardenctl.generate.env import Filled
from hardenctl.generate.files import TEMPLATE, check_key_file, check_store, fill_file, store, store_key_pair
from hardenctl.generate.htpasswd import check_entry, entry, store_entry
from hardenctl.generate.htpasswd import require as require_bcrypt
from hardenctl.generate.keypair import RSA_STRENGTH, KeyPair, generate_pair, require
from hardenctl.generate.push import PLATFORMS, Destination, check_key, check_platform, names, prepare, push
from hardenctl.generate.stamps import Ledger, Place
from hardenctl.generate.targets import destination_of, place_named
from hardenctl.model.errors import HardenctlError, ToolError, UsageError
from hardenctl.model.settings import SecretSettings
from hardenctl.policy.load import load_policy
from hardenctl.sources.repository import find_place
from hardenctl.sources.worktree import WorkTreeSnapshot

app = typer.Typer(
    help="Generate credentials. On a terminal only bits and fingerprint are shown; a pipe gets the bare value.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


_Write = Annotated[Path | None, typer.Option("--write", metavar="FILE", help="Put it into this dotenv file.")]
_Push = Annotated[
    str | None,
    typer.Option(
        "--push", metavar="PLATFORM", help=f"Deliver it: {', '.join(PLATFORMS)}, or one of the policy's targets."
    ),
]
_Environment = Annotated[
    str,
    typer.Option(
        "--environment",
        metavar="NAME",
        help="Which environment; "
        + ", ".join(
            f"{name}: {each.environment}" for name, each in PLATFORMS.items() if each.environment != "environment"
        )
        + ".",
    ),
]
_Key = Annotated[str | None, typer.Option("--key", metavar="NAME", help="The key to set with --write or --push.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Deliver without asking.")]
_Force = Annotated[bool, typer.Option("--force", help="Replace a value that is there.")]
_Show = Annotated[bool, typer.Option("--show", help="Print the value on a terminal too.")]
_List = Annotated[bool, typer.Option("--list", help="With --push: name what the platform has, and make nothing.")]


def _command(recipe: Recipe) -> Callable[..., None]:
    def command(
        *,
        bits: Annotated[int | None, typer.Option(min=1, help="At least so much entropy.")] = None,
        length: Annotated[int | None, typer.Option(min=1, help="So many characters.")] = None,
        alphabet: Annotated[str | None, typer.Option(help=f"One of: {', '.join(ALPHABETS)}.")] = None,
        prefix: Annotated[
            str, typer.Option(help="For tokens: start with this and end with a checksum, so that scanners know yours.")
        ] = "",
        write: _Write = None,
        push_to: _Push = None,
        environment: _Environment = "",
        key: _Key = None,
        yes: _Yes = False,
        force: _Force = False,
        show: _Show = False,
        list_names: _List = False,
    ) -> None:
        if list_names:
            _print_names(push_to, key or "", environment)
            return
        settings = _settings()
        name = key or recipe.key
        options = _Options(write, push_to, key, environment, force=force, show=show)
        options.check(recipe.key)
        ledger = Ledger()
        delivery = _delivery(push_to, name, environment, settings, yes=yes)
        if write is not None:
            check_store(write, name, force=force)
        credential = generate(recipe, bits=bits, length=length, alphabet=alphabet, prefix=prefix, settings=settings)
        if write is not None:
            store(write, name, credential.value, force=force)
            ledger.stamp(name, ledger.place_of(write), credential.value, recipe.name)
            sys.stdout.write(f"{write}: {name} set ({credential.describe()})\n")
        else:
            _hand_over(recipe.name, credential, delivery, ledger, show=show)

    return command


def _pair_command(kind: str) -> Callable[..., None]:
    def command(
        *,
        bits: Annotated[
            int | None, typer.Option(min=1, help=f"The size of an RSA key: {', '.join(map(str, RSA_STRENGTH))}.")
        ] = None,
        write: Annotated[
            Path | None,
            typer.Option("--write", metavar="FILE", help="Put the private key there, the public one into FILE.pub."),
        ] = None,
        push_to: _Push = None,
        environment: _Environment = "",
        key: _Key = None,
        yes: _Yes = False,
        force: _Force = False,
        show: _Show = False,
    ) -> None:
        require()
        options = _Options(write, push_to, key if write is None else None, environment, force=force, show=show)
        options.check("JWT_PRIVATE_KEY")
        ledger = Ledger()
        settings = _settings()
        delivery = _delivery(push_to, key or "JWT_PRIVATE_KEY", environment, settings, yes=yes)
        if write is not None:
            check_key_file(write, force=force)
        with _interruptible():
            pair = generate_pair(kind, modulus=bits, floor=settings.minimum_bits)
        if write is not None:
            public = store_key_pair(write, pair.value, pair.public, force=force)
            ledger.stamp(write.name, ledger.place_of(write), pair.value, kind)
            sys.stdout.write(f"{write} and {public} written ({pair.describe()})\n")
        else:
            _hand_over(kind, pair, delivery, ledger, show=show)

    return command


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process at once: a large key takes minutes in which no Python runs that could hear of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class _Delivery:
    """A key on its way to a place, and what the platform there calls it."""

    key: str
    place: Place
    destination: Destination


def _hand_over(
    name: str, made: Credential | KeyPair, delivery: _Delivery | None, ledger: Ledger, *, show: bool
) -> None:
    """To the platform, into the pipe, or onto the screen where that was asked for."""
    if delivery is not None:
        value = made.value.rstrip("\n")  # of a PEM: gh and doppler drop a line break at the end, so none has one
        push(delivery.destination, value)
        ledger.stamp(delivery.key, delivery.place, value, name)
        sys.stdout.write(f"{delivery.destination} delivered ({made.describe()})\n")
    elif not sys.stdout.isatty():
        sys.stdout.write(made.value)  # bare; a PEM has its last line break, without which nothing could follow it
    elif show:
        sys.stdout.write(made.value.rstrip("\n") + "\n")
    else:
        sys.stdout.write(f"{name}: {made.describe()}\n")
        sys.stderr.write("not shown: use --show, a pipe, or --write FILE\n")


def _require_output() -> None:
    if output_is_closed():
        raise UsageError("standard output is closed: the value would be lost", help="use a pipe, --write or --push")


def _print_names(push_to: str | None, key: str, environment: str) -> None:
    if push_to is None:
        raise UsageError("--list needs --push PLATFORM", help="name the platform")
    settings = _settings()
    place = place_named(push_to, environment, settings)
    sys.stdout.writelines(f"{each}\n" for each in names(destination_of(place, key, settings)))


@dataclass(frozen=True)
class _Options:
    """What a command was given, and what of it says nothing together."""

    write: Path | None
    push_to: str | None
    key: str | None
    environment: str
    force: bool
    show: bool

    def check(self, usual: str) -> None:
        """Refuse options that say nothing together, and a value that would go nowhere."""
        if self.write is None and self.push_to is None:
            _require_output()
        if self.key == "":
            raise UsageError("--key names no key", help="is a variable unset? without --key the usual name is taken")
        if self.write is not None and self.push_to is not None:
            raise UsageError("--write and --push exclude each other", help="`hardenctl rotate KEY` delivers to several")
        if self.write is None and self.force:
            raise UsageError("--force needs --write FILE", help="name the file to write to")
        if self.write is None and self.push_to is None and self.key is not None:
            raise UsageError(
                "--key needs --write FILE or --push PLATFORM", help=f"for example --write .env --key {usual}"
            )
        if self.push_to is None and self.environment:
            raise UsageError("--environment needs --push PLATFORM", help="name the platform")
        if self.show and (self.write is not None or self.push_to is not None):
            raise UsageError("--show excludes --write and --push", help="what is delivered need not be seen")


def _delivery(
    push_to: str | None, key: str, environment: str, settings: SecretSettings, *, yes: bool
) -> _Delivery | None:
    """The delivery, its destination ready and confirmed."""
    if push_to is None:
        return None
    place = place_named(push_to, environment, settings)
    destination = destination_of(place, key, settings)
    prepare(destination)
    confirm(f"{destination}: make a new value and deliver it?", yes=yes)
    return _Delivery(key, place, destination)


for _recipe in RECIPES.values():
    app.command(_recipe.name, help=f"{_recipe.summary}.")(_command(_recipe))
app.command("rsa", help="An RSA key pair for signing (PEM).")(_pair_command("rsa"))
app.command("ed25519", help="An Ed25519 key pair for signing (PEM).")(_pair_command("ed25519"))


@app.command("htpasswd")
def htpasswd(
    *,
    user: Annotated[str, typer.Option(metavar="NAME", help="Who logs in.")],
    write: Annotated[Path, typer.Option(metavar="FILE", help="The password file; other users' lines stay.")],
    bits: Annotated[int | None, typer.Option(min=1, help="At least so much entropy.")] = None,
    length: Annotated[int | None, typer.Option(min=1, help="So many characters.")] = None,
    push_to: _Push = None,
    environment: _Environment = "",
    key: Annotated[str | None, typer.Option("--key", metavar="NAME", help="The key to set with --push.")] = None,
    yes: _Yes = False,
    force: _Force = False,
    show: Annotated[bool, typer.Option("--show", help="Print the password on a terminal too.")] = False,
) -> None:
    """A line of a password file (bcrypt) for HTTP Basic authentication; the password goes into the pipe, or --push."""
    require_bcrypt()
    if push_to is None:
        _require_output()
    if push_to is None and not (show or not sys.stdout.isatty()):
        raise UsageError("nobody would know the password", help="use a pipe, --push PLATFORM, or --show")
    if show and push_to is not None:
        raise UsageError("--show excludes --push", help="what is delivered need not be seen")
    ledger = Ledger()
    settings = _settings()
    check_entry(write, user, force=force)
    delivery = _delivery(push_to, key or "BASIC_AUTH_PASSWORD", environment, settings, yes=yes)
    made = generate(RECIPES["password"], bits=bits, length=length, settings=settings)
    line = entry(user, made.value)
    if delivery is not None:  # first: an entry whose password arrived nowhere would lock the user out
        _hand_over("password", made, delivery, ledger, show=False)
    store_entry(write, line, force=force)
    ledger.stamp(user, ledger.place_of(write), made.value, "htpasswd")
    sys.stderr.write(f"{write}: entry for {user} set\n")
    if delivery is None:
        _hand_over("password", made, None, ledger, show=show)


@app.command("env")
def env(
    *,
    write: Annotated[Path, typer.Option(metavar="FILE", help="The file to write, mode 0600.")],
    template: Annotated[Path, typer.Option(metavar="FILE", help="The template to fill.")] = TEMPLATE,
    rotate: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Make this credential anew, and what follows it. Repeatable."),
    ] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting (no credential). Repeatable.")
    ] = None,
    push_to: _Push = None,
    environment: _Environment = "",
    yes: _Yes = False,
) -> None:
    """Fill a template with credentials: nothing is overwritten, nothing is echoed.

    With --push its credentials are delivered too. Run it again after a failure: what has arrived is not sent twice.
    """
    if environment and push_to is None:
        raise UsageError("--environment needs --push PLATFORM", help="name the platform")
    ledger = Ledger()
    settings = _settings()
    place = None
    if push_to is not None:
        place = place_named(push_to, environment, settings)
        to = destination_of(place, "", settings)
        check_platform(to.platform, to.environment)
    filled = fill_file(
        template,
        write,
        rotate=rotate or (),
        assign=dict(map(_pair, assign or ())),
        hosts=_hosts(template),
        settings=settings,
    )
    ledger.stamp_all(filled.made, ledger.place_of(write))
    sys.stdout.write(_summary(filled, write))
    if place is not None:
        _push_file(filled, place, ledger, settings, yes=yes)


def _push_file(filled: Filled, place: Place, ledger: Ledger, settings: SecretSettings, *, yes: bool) -> None:
    due = [each for each in filled.credentials if not ledger.has(each.key, place, each.value)]
    if not due:
        sys.stdout.write(f"{place} has all of them\n")
        return
    for each in due:
        check_key(destination_of(place, each.key, settings))
    confirm(f"deliver {', '.join(each.key for each in due)} to {place}?", yes=yes)
    for number, each in enumerate(due):
        try:
            push(destination_of(place, each.key, settings), each.value)
        except HardenctlError as error:
            there, open_ = (", ".join(one.key for one in part) or "none" for part in (due[:number], due[number:]))
            raise ToolError(
                f"{error.what}; at {place} arrived: {there}; still to come: {open_}",
                help=f"{error.help}; the same command goes on where this one stopped",
            ) from None
        ledger.stamp(each.key, place, each.value, each.kind)
    sys.stdout.write(f"delivered to {place}: {', '.join(each.key for each in due)}\n")


def _hosts(template: Path) -> dict[str, str]:
    """Where compose runs the servers that the template's URLs speak of."""
    folder = template.parent
    return store_hosts(WorkTreeSnapshot(find_place([folder]))) if folder.is_dir() else {}


def _settings() -> SecretSettings:
    return load_policy(Path()).settings.secrets


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        # The text is not shown: it may be a credential that somebody pasted.
        raise UsageError("--set takes KEY=VALUE", help="for example --set ENVIRONMENT=production")
    return key, value


def _summary(filled: Filled, path: Path) -> str:
    """Names, never values."""
    lines = [f"{path} written" if filled.changed else f"{path} is up to date"]
    width = max(map(len, filled.generated), default=0)
    sections = (
        ("generated", [f"{key:<{width}}  {made.describe()}" for key, made in filled.generated.items()]),
        ("put together from other keys", list(filled.assembled)),
        ("kept", list(filled.kept)),
        ("set", [", ".join(filled.given)] if filled.given else []),
        ("copied as they stand", [", ".join(filled.copied)] if filled.copied else []),
        ("check", [f"{key}: {why}" for key, why in filled.check.items()]),
        ("you must fill", [f"{key}: {why}" for key, why in filled.missing.items()]),
    )
    for title, rows in sections:
        if rows:
            lines += [f"{title}:", *(f"  {row}" for row in rows)]
    return "\n".join(lines) + "\n"
