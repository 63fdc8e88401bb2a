"""Docker's ignore file: does it keep env files out of images?"""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.dockerignore import ContextCopy
from hardenctl.formats.paths import environment_of
from hardenctl.model.finding import Append, Applicability, Fix, Hit, Severity
from hardenctl.rules.declare import rule
from hardenctl.rules.env.keys import of_class
from hardenctl.rules.secrets.values import ValueClass, is_credential_key

_SHOWN = 3
LINES = ("**/.env", "**/.env.*", "!**/.env.example")


@rule("dockerignore-env-not-ignored", on=ContextCopy, severity=Severity.MEDIUM)
def dockerignore_env_not_ignored(copy: ContextCopy) -> Iterator[Hit]:
    """A Docker build copies env files into the image.

    ## Why is this bad?
    Everyone who can pull the image can read the env file that lay beside the code when it was built.
    Docker does not read `.gitignore`: what git ignores is copied all the same, and a later `RUN rm` leaves it in its
    layer.

    It is `low` where no env file or example in the project names a credential, and where what is copied never reaches
    the final image; and in Dockerfiles for development.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    COPY . /app
    ```
    ```sh title=".env"
    SECRET_KEY={{fake:secret-key}}
    ```

    ## Use instead
    Keep env files out of the build context.
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    COPY . /app
    ```
    ```text title=".dockerignore"
    **/.env
    **/.env.*
    !**/.env.example
    ```
    ```sh title=".env"
    SECRET_KEY={{fake:secret-key}}
    ```

    ## Fix safety
    Unsafe: an image that reads its settings from a copied env file no longer starts with them. An env file that git
    tracks and that names no credential, such as a front end's `VITE_` settings, is kept for the build.

    ## References
    - https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    wanted = tuple(_wanted(copy))
    if not copy.possible and set(copy.exposed) <= set(wanted):
        return  # only settings that anyone may read
    credentials = any(is_credential_key(entry.key) for document in copy.near for entry in document.entries)
    used = bool(copy.exposed) or ".env" in copy.possible
    grave = copy.ships and credentials and used and environment_of(copy.path) not in {"development", "test"}
    where = f"`{copy.ignore_path}` does not leave out" if copy.ignore_exists else "no `.dockerignore` leaves out"
    verb = "copies" if copy.exposed else "would copy"
    title = f"Keep env files out of the build context in `{copy.ignore_path}`"
    kept = tuple(f"!{path}" for path in wanted)
    if kept:
        title += f", all but {_listed(wanted)}, which holds no credential"
    yield Hit(
        copy.span,
        f"this {verb} env files into the image: {where} {_listed(copy.exposed or copy.possible)}",
        identity=copy.ignore_path,
        fix=Fix(
            title, (Append(copy.ignore_path, "".join(f"{line}\n" for line in (*LINES, *kept))),), Applicability.UNSAFE
        ),
        severity=Severity.MEDIUM if grave else Severity.LOW,
    )


def _wanted(copy: ContextCopy) -> Iterator[str]:
    """Env files without a credential that the repository holds: a front end's build may read them."""
    for path in copy.tracked:
        document = next((each for each in copy.near if f"/{each.path}".endswith(f"/{path}")), None)
        if document is None or not document.entries:
            continue
        named = any(is_credential_key(entry.key) for entry in document.entries)
        if not named and not of_class(document, ValueClass.LIVE, ValueClass.WEAK):
            yield path


def _listed(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(f"`{path}`" for path in paths[:_SHOWN]) + more
