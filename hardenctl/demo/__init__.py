"""The founding story's "before": a small insecure FastAPI service as a git repository, to try everything on.

It really runs. Its credentials are made when it is written: none stands in our own repository.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from hardenctl.formats.project import PYTHON
from hardenctl.model.errors import SourceError, UsageError
from hardenctl.render import template_text
from hardenctl.rules.fakes import scramble
from hardenctl.sources.git import Git

# Commit by commit: message, then path to template.
_HISTORY: tuple[tuple[str, Mapping[str, str]], ...] = (
    (
        "Reminders: accounts, items, entries, a summary",
        {
            "main.py": "main.py.j2",
            "auth.py": "auth.py.j2",
            "store.py": "store.py.j2",
            "settings.py": "settings.py.j2",
            "requirements.txt": "requirements.txt.j2",
            ".env.example": "env.example.j2",
            ".gitignore": "gitignore.j2",
            "README.md": "README.md.j2",
        },
    ),
    ("Run it in containers", {"Dockerfile": "Dockerfile.j2", "docker-compose.yml": "docker-compose.yml.j2"}),
    ("Settings of the production server", {".env.prod": "env.prod.j2"}),
)
_AUTHOR = ("-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false")


def write_demo(folder: Path, *, seed: str | None = None) -> None:
    """Write the project into a folder that is empty or not there yet, and commit it.

    With a `seed` the credentials are the same every time: for pictures and tests. Raises UsageError for a folder that
    holds something, SourceError where it cannot be written or git is missing; then nothing is left behind.
    """
    existed = folder.exists()
    if existed and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"`{folder}` is not empty", help="name a folder that is not there yet")
    values = {**_credentials(seed), "python": PYTHON}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        git = Git(folder)
        git.run("init", "--quiet", "--initial-branch=main", "--template=")
        for message, files in _HISTORY:
            for path, template in files.items():
                text = template_text(f"demo/{template}", values)
                (folder / path).write_text(text, encoding="utf-8", newline="\n")
            # Forced: the user's own excludes may cover `.env.prod`, and that it is committed is the point.
            git.run("add", "--force", "--", *files)
            git.run(*_AUTHOR, "commit", "--quiet", "--no-verify", "--message", message)
    except BaseException as error:
        _remove(folder, existed=existed)
        if isinstance(error, OSError):
            raise SourceError(
                f"`{folder}` cannot be written: {error.strerror}", help="name a folder that you may write to"
            ) from None
        raise


def _credentials(seed: str | None) -> dict[str, str]:
    seed = seed if seed is not None else secrets.token_hex(32)

    def draw(name: str, length: int) -> str:
        return scramble(f"{seed}:{name}", length)

    return {
        "secret_key": draw("secret-key", 48),
        "postgres_password": draw("postgres-password", 24),
        "stripe_api_key": "sk" + "_live_" + draw("stripe-api-key", 24),
        "smtp_password": draw("smtp-password", 20),
    }


def _remove(folder: Path, *, existed: bool) -> None:
    if not folder.is_dir():
        return
    if not existed:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for each in folder.iterdir():  # it was empty: all of it is ours
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink(missing_ok=True)
