"""Docker's ignore file: does it keep env files out of images?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.dockerignore import ContextCopy, DockerIgnore
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
    exposed = tuple(path for path in copy.exposed if path not in wanted)
    possible = tuple(path for path in copy.possible if path not in wanted)
    if not (exposed or possible):
        return  # only settings that anyone may read
    credentials = any(is_credential_key(entry.key) for document in copy.near for entry in document.entries)
    used = bool(exposed) or ".env" in possible
    grave = copy.ships and credentials and used and environment_of(copy.path) not in {"development", "test"}
    where = f"`{copy.ignore_path}` does not leave out" if copy.ignore_exists else "no `.dockerignore` leaves out"
    verb = "copies" if exposed else "would copy"
    title = f"Keep env files out of the build context in `{copy.ignore_path}`"
    if wanted:
        title += f", all but {_listed(wanted)}, which holds no credential"
    yield Hit(
        copy.span,
        f"this {verb} env files into the image: {where} {_listed(exposed or possible)}",
        identity=copy.ignore_path,
        fix=Fix(
            title,
            (Append(copy.ignore_path, "".join(f"{line}\n" for line in _lines(exposed, wanted))),),
            Applicability.UNSAFE,
        ),
        severity=Severity.MEDIUM if grave else Severity.LOW,
    )


def _lines(exposed: tuple[str, ...], wanted: tuple[str, ...]) -> Iterator[str]:
    """What leaves all of them out: the usual lines, and one for each file with another name (`prod.env`)."""
    yield from LINES
    usual = DockerIgnore.parse("\n".join(LINES))
    yield from (_exact(path) for path in exposed if not usual.excludes(path))
    yield from (f"!{_exact(path)}" for path in wanted)


def _exact(path: str) -> str:
    """The pattern that only this path matches."""
    return re.sub(r"([\\*?\[\]])", r"\\\1", path)


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
