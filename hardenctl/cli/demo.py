"""`hardenctl demo`: a project to try everything on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hardenctl.demo import write_demo

_NEXT = """\
{folder}: a small FastAPI service with the four problems of the founding story, committed to git.
Its credentials were made just now and open nothing.

  cd {folder}
  hardenctl audit                                             what is wrong
  hardenctl fix --apply --unsafe-fixes                        what can be repaired
  hardenctl generate env --write .env.production              fresh credentials
  hardenctl render compose --write --force                    a hardened compose file
  hardenctl render locustfile --write                         a load test
  hardenctl audit                                             what is left
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("demo")
    def command(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or not there yet.")],
        *,
        quiet: Annotated[bool, typer.Option("--quiet", help="Print the folder and nothing else.")] = False,
        seed: Annotated[
            str | None, typer.Option(metavar="TEXT", help="The same credentials every time, for pictures and tests.")
        ] = None,
    ) -> None:
        """Write a small insecure FastAPI project, as a git repository, to try everything on."""
        write_demo(folder, seed=seed)
        sys.stdout.write(f"{folder}\n" if quiet else _NEXT.format(folder=folder))
