"""What env files hold: weak credentials, placeholders in production, settings that nobody documents."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.dotenv import Dotenv, Entry
from hardenctl.formats.envfile import EnvironmentFile
from hardenctl.model.finding import Category, Hit, Related, Severity, advice
from hardenctl.model.text import Span
from hardenctl.rules.declare import rule
from hardenctl.rules.env.keys import class_of, names, of_class, unfilled
from hardenctl.rules.secrets.values import ValueClass, asks_for_change, is_chosen_key, is_credential_key

_WEAK = {"production": Severity.HIGH, "development": Severity.LOW}


@rule("env-weak-credential", on=EnvironmentFile, severity=Severity.MEDIUM)
def env_weak_credential(file: EnvironmentFile) -> Iterator[Hit]:
    """An env file sets a guessable credential.

    ## Why is this bad?
    Default and dictionary passwords are the first that an attacker tries, and the file's values run the service.
    It is `high` in a production file and `low` in one for development; test files and examples are left alone.
    A password of `changeme` counts, because the service runs with it; in a production file
    `env-placeholder-in-production` says so.

    ## Example
    ```sh title=".env.production"
    POSTGRES_PASSWORD=postgres
    ```

    ## Use instead
    Generate one: `hardenctl generate db-password --write .env.production --key POSTGRES_PASSWORD`.
    ```sh title=".env.production"
    POSTGRES_PASSWORD={{fake:password}}
    ```

    ## References
    - https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
    """
    document = file.dotenv
    if document.is_past or document.is_example or document.environment == "test":
        return
    for entry in of_class(document, ValueClass.WEAK, ValueClass.PLACEHOLDER):
        if class_of(document, entry) is ValueClass.PLACEHOLDER and not _runs(document, entry):
            continue
        yield Hit(
            entry.key_span,
            f"`{entry.key}` holds a guessable credential",
            identity=entry.key,
            severity=_WEAK.get(document.environment or ""),
            fix=advice(f"Generate a new one: `hardenctl generate password --write {file.path} --key {entry.key}`"),
        )


def _runs(document: Dotenv, entry: Entry) -> bool:
    """Whether production may start with a placeholder as its password: its own files are another rule's."""
    runs = is_credential_key(entry.key) and is_chosen_key(entry.key) and asks_for_change(entry.value or "")
    return runs and document.environment is None


@rule("env-placeholder-in-production", on=EnvironmentFile, severity=Severity.MEDIUM)
def env_placeholder_in_production(file: EnvironmentFile) -> Iterator[Hit]:
    """A production env file has credentials that are not filled in.

    ## Why is this bad?
    The service starts with a placeholder that everyone can read, or without the credential at all.
    It is `low` where values are only empty, since some settings are optional.

    ## Example
    ```sh title=".env.production"
    SECRET_KEY=changeme
    ```

    ## Use instead
    Fill the file from its example with `hardenctl generate env`, or rename it if it is one.
    ```sh title=".env.production"
    SECRET_KEY={{fake:secret-key}}
    ```

    ## References
    - https://12factor.net/config
    """
    document = file.dotenv
    if document.is_past or document.is_example or document.environment != "production":
        return
    placeholders = unfilled(document, ValueClass.PLACEHOLDER)
    empty = unfilled(document, ValueClass.EMPTY)
    if not placeholders and not empty:
        return
    first = (placeholders or empty)[0]
    yield Hit(
        first.key_span,
        "; ".join(
            text
            for text, entries in (
                (f"a placeholder stands for {names(placeholders)}", placeholders),
                (f"{names(empty)} {'is' if len(empty) == 1 else 'are'} empty", empty),
            )
            if entries
        ),
        severity=None if placeholders else Severity.LOW,
        fix=advice(f"Fill it in: `hardenctl generate env --template .env.example --write {file.path}`"),
    )


@rule("env-undocumented-variable", on=EnvironmentFile, severity=Severity.INFO, category=Category.DOCUMENTATION)
def env_undocumented_variable(file: EnvironmentFile) -> Iterator[Hit]:
    """An env file sets variables that its example doesn't name.

    ## Why is this bad?
    Who sets the service up from the example finds out at run time what is missing.
    A commented-out line in the example counts as documented.

    ## Example
    ```sh title=".env"
    DEBUG=false
    SENTRY_ENVIRONMENT=eu
    ```
    ```sh title=".env.example"
    DEBUG=false
    ```

    ## Use instead
    Name every variable in the example, without its value: `hardenctl render env-example` does it.
    ```sh title=".env"
    DEBUG=false
    SENTRY_ENVIRONMENT=eu
    ```
    ```sh title=".env.example"
    DEBUG=false
    # SENTRY_ENVIRONMENT=
    ```

    ## References
    - https://12factor.net/config
    """
    document, example = file.dotenv, file.example
    if document.is_past or example is None or document.environment == "test":
        return
    documented = example.documented
    missing = [entry for entry in of_class(document, *ValueClass) if entry.key not in documented]
    if missing:
        yield Hit(
            missing[0].key_span,
            f"`{example.path}` does not name {names(missing)}",
            fix=advice(f"Add the name to `{example.path}`, without the value"),
            related=(Related(Span(example.path, 0, 0), "the example"),),
        )
