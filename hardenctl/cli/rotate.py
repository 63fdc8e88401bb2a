"""`hardenctl rotate`: a new credential where the old one is."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.cli.confirm import confirm
from hardenctl.generate.push import PLATFORMS
from hardenctl.generate.stamps import Ledger, Place
from hardenctl.generate.targets import place_named
from hardenctl.model.errors import HardenctlError, ToolError, UsageError
from hardenctl.policy.load import load_policy
from hardenctl.report.style import visible
from hardenctl.rotate.mariadb import identifier as quoted_for_mysql
from hardenctl.rotate.postgres import identifier as quoted_for_postgres
from hardenctl.rotate.redis import argument
from hardenctl.rotate.rotation import Rotation, plan


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rotate")(rotate)


def rotate(
    keys: Annotated[list[str] | None, typer.Argument(metavar="KEY...", help="The credentials to replace.")] = None,
    *,
    write: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Where it is; without, where the ledger says. Repeatable.")
    ] = None,
    push_to: Annotated[
        list[str] | None,
        typer.Option(
            "--push",
            metavar="PLATFORM",
            help=f"Where it is: {', '.join(PLATFORMS)}, or one of the policy's targets. Repeatable.",
        ),
    ] = None,
    environment: Annotated[str, typer.Option(metavar="NAME", help="The environment at the platforms of --push.")] = "",
    apply: Annotated[
        bool,
        typer.Option(
            "--apply",
            help="Change it in PostgreSQL, MariaDB or Redis too, over the connection PGHOST, MYSQL_HOST etc. give.",
        ),
    ] = False,
    alternate: Annotated[
        bool,
        typer.Option(
            "--alternate", help="With --apply, in PostgreSQL: two login roles take turns: no client is refused."
        ),
    ] = False,
    role: Annotated[str, typer.Option(help="Who logs in, where no file says it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Rotate without asking.")] = False,
    list_stamps: Annotated[bool, typer.Option("--list", help="Say what is where and how old, and do nothing.")] = False,
) -> None:
    """Replace credentials: make, deliver to where they are, note the date; roll back where a delivery fails.

    Files and platforms are told, then the URLs that hold the same password. Values are never shown.
    """
    ledger = Ledger()
    settings = load_policy(Path()).settings.secrets
    if list_stamps:
        _print_stamps(ledger, settings.rotation_days)
        return
    if not keys:
        raise UsageError("no key is named", help="hardenctl rotate SECRET_KEY; --list shows what there is")
    if alternate and not apply:
        raise UsageError("--alternate needs --apply", help="it is done on the server")
    places = [ledger.place_of(each) for each in write or ()]
    places += [place_named(each, environment, settings) for each in push_to or ()]
    plans = [plan(key, places, ledger, settings=settings, apply=apply, role=role, alternate=alternate) for key in keys]
    confirm("rotate " + "; ".join(map(str, plans)) + "?", yes=yes)
    for number, each in enumerate(plans):
        try:
            changed = each.run()
        except HardenctlError as error:
            done = ", ".join(one.key for one in plans[:number]) or "none"
            raise ToolError(f"{error.what} (rotated before: {done})", help=error.help) from None
        sys.stdout.write(f"rotated {', '.join(changed)}{f'; login is now {each.next_role}' if alternate else ''}\n")
        sys.stdout.write(_statement(each))


def _statement(rotation: Rotation) -> str:
    """What is left to do on a server, with a placeholder: the value is in the file and nowhere else."""
    if rotation.server is not None or rotation.recipe.name != "db-password":
        return ""
    role = rotation.role or "ROLE"
    redis = role if re.fullmatch(r"[\w.-]+", role, re.ASCII) else argument(role)
    postgres, mysql = visible(quoted_for_postgres(role)), visible(quoted_for_mysql(role))
    place = next((str(each.path) for each in rotation.files), "the platform")
    return (
        f"now tell the server; <new> is what {place} has:\n"
        f"  PostgreSQL  ALTER ROLE {postgres} PASSWORD '<new>';   (better: \\password {postgres}, or --apply)\n"
        f"  MySQL       ALTER USER {mysql} IDENTIFIED BY '<new>' RETAIN CURRENT PASSWORD;\n"
        f"  Redis       ACL SETUSER {redis} ><new>   (later: <<old> takes the old one away)\n"
    )


def _print_stamps(ledger: Ledger, limit: int) -> None:
    today = datetime.now(UTC).date()
    for each in sorted(ledger.stamps, key=lambda stamp: stamp.date):
        age = (today - each.date).days
        due = "  due" if age > limit else ""
        place = Place(each.place, each.environment)
        sys.stdout.write(f"{each.date}  {age:4} days  {each.key}  {place}{due}\n")
