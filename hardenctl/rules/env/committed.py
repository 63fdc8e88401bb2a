"""Env files that git holds: in the index, or in a past commit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.dotenv import Entry
from hardenctl.formats.envfile import EnvironmentFile
from hardenctl.model.finding import Append, Applicability, Fix, Hit, Severity, Untrack, advice
from hardenctl.model.text import Span
from hardenctl.rules.declare import rule
from hardenctl.rules.env.keys import is_public, live, names

_TELLING = 12  # characters; in an example a shorter value is an example

# How bad a live credential is by the environment it opens; a plain `.env` may be any.
_BY_ENVIRONMENT = {"development": Severity.HIGH, "staging": Severity.HIGH, "test": Severity.MEDIUM}


@rule("env-file-committed", on=EnvironmentFile, severity=Severity.HIGH)
def env_file_committed(file: EnvironmentFile) -> Iterator[Hit]:
    """An env file is committed.

    ## Why is this bad?
    Everyone who can read the repository, now or later, can use the credentials in it.
    Taking the file out of the newest commit is not enough: the credentials stay in history and in every clone.

    A committed file without any live credential is named too, as `low`, because the next edit may put one in.
    Examples and templates (`.env.example`, `.env.sample`, `.env.dist`) are only named where they hold a live one.

    ## Example
    ```sh title=".env.prod"
    SECRET_KEY={{fake:secret-key}}
    DATABASE_URL={{fake:database-url}}
    ```

    ## Use instead
    Keep the values in the platform's secret store or in an ignored file, and commit an example with placeholders.
    ```sh title=".env.example"
    SECRET_KEY=
    DATABASE_URL=postgresql://app:<password>@db:5432/app
    ```

    ## Fix safety
    Safe: the file leaves git and stays on disk. Whoever deploys by pulling the repository needs it from elsewhere.
    The credentials must still be rotated.

    ## References
    - https://12factor.net/config
    - https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/removing-sensitive-data-from-a-repository
    """
    document = file.dotenv
    if not file.is_committed or not document.entries:
        return
    found = live(document)
    if document.is_example:
        found = [entry for entry in found if len(entry.value or "") >= _TELLING]
        if found:
            yield Hit(
                _span(found),
                f"an example file is committed with live credentials ({names(found)})",
                fix=advice("Put placeholders in the example, and rotate these credentials: they stay in history"),
            )
        return
    if not found:
        mild = is_public(document) or document.environment == "test"
        yield Hit(
            _span(document.entries),
            f"an env file is committed; none of its {len(document.values)} settings is a live credential",
            fix=advice("Rename it to an example, or suppress this with the reason why it belongs in git"),
            severity=Severity.INFO if mild else Severity.LOW,
        )
        return
    title = f"Stop tracking `{file.path}` and ignore it; rotate its credentials too, they stay in history"
    ignore = () if file.covered else (Append(".gitignore", ignore_line(file.path)),)
    yield Hit(
        _span(found),
        f"an env file is committed with live credentials ({names(found)})",
        fix=Fix(title, (Untrack(file.path), *ignore), Applicability.SAFE),
        severity=_BY_ENVIRONMENT.get(document.environment or "", Severity.CRITICAL),
    )


@rule("env-file-in-history", on=EnvironmentFile, severity=Severity.HIGH)
def env_file_in_history(file: EnvironmentFile) -> Iterator[Hit]:
    """An env file with live credentials is in history.

    ## Why is this bad?
    The file is gone from the newest commit, but every clone still carries what it held.
    Only an audit with `--history` or `--since` looks there.

    ## Example
    Committed, and deleted by a later commit:
    ```sh title=".env"
    SECRET_KEY={{fake:secret-key}}
    ```

    ## Use instead
    Rotate the credentials; rewriting history comes second and helps only those who never cloned.
    What was committed and deleted should have been an example:
    ```sh title=".env.example"
    SECRET_KEY=
    ```

    ## References
    - https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/removing-sensitive-data-from-a-repository
    """
    document = file.dotenv
    found = live(document) if document.is_past else []
    if found:
        yield Hit(
            _span(found),
            f"an env file with live credentials ({names(found)}) was committed and is still in history",
            fix=advice("Rotate these credentials; then rewrite history with git filter-repo if it must be clean"),
        )


def ignore_line(path: str) -> str:
    """The line of the top `.gitignore` that covers exactly this path, and its line break."""
    escaped = re.sub(r"[\r\n]", "?", re.sub(r"([\\*?\[\]])", r"\\\1", path))  # a pattern is one line
    return "/" + re.sub(r" $", r"\\ ", escaped) + "\n"


def _span(entries: list[Entry] | tuple[Entry, ...]) -> Span:
    return entries[0].key_span
