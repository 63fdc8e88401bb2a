"""What gets into an image, and how it is started."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from hardenctl.formats.dockerfile import Dockerfile
from hardenctl.formats.paths import is_env_file
from hardenctl.model.finding import Category, Hit, Severity, advice
from hardenctl.rules.declare import rule
from hardenctl.rules.secrets.values import ValueClass, asks_for_change, classify_value, is_credential_key

_EXAMPLE = re.compile(r"example|sample|template|dist|default|test|ci\b", re.IGNORECASE)
_PIPED = re.compile(r"\b(?:curl|wget)\b[^|;&]*\|\s*(?:sudo\s+)?(?:ba|z|a)?sh\b|\b(?:ba)?sh\s+<\(\s*(?:curl|wget)\b")
_COMPOUND = re.compile(r"&&|\|\||;|\|")


@rule("dockerfile-credential-in-env", on=Dockerfile, severity=Severity.MEDIUM)
def credential_in_env(dockerfile: Dockerfile) -> Iterator[Hit]:
    """A guessable credential is baked into the image.

    ## Why is this bad?
    ENV and ARG stay readable in the image for everybody who can pull it, and the default is what production gets
    when nobody sets another.

    A live credential is reported by the secret rules. Low for ARG and for a build stage that is not shipped, where a
    value that says that it is a dummy (`dummy-for-build`) is none; low for such a one in the image's ENV.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    ENV DB_PASSWORD=postgres
    USER app
    ```

    ## Use instead
    Set it at start, or mount it while building with `RUN --mount=type=secret`.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    USER app
    ```

    ## References
    - https://docs.docker.com/build/building/secrets/
    """
    shipped = {id(stage) for stage in dockerfile.final.lineage}
    for stage in dockerfile.stages:
        for instruction in stage.of("ENV", "ARG"):
            build_only = id(stage) not in shipped or instruction.keyword == "ARG"
            for name, value in instruction.pairs:
                if value is None or not (severity := _guessable(name.text, value.text, build_only=build_only)):
                    continue
                if build_only or dockerfile.development:
                    severity = Severity.LOW
                message = f"{instruction.keyword} {name.text} has a guessable value"
                fix = advice("set it when the container starts")
                yield Hit(value.span, message, identity=name.text, severity=severity, fix=fix)


def _guessable(name: str, value: str, *, build_only: bool) -> Severity | None:
    """How bad a value is as an image's default: `changeme` works as any password does, a dummy for the build too."""
    found = classify_value(name, value)
    if found is ValueClass.WEAK:
        return Severity.MEDIUM
    if found is not ValueClass.PLACEHOLDER or not is_credential_key(name) or "<" in value or "{" in value:
        return None
    if asks_for_change(value):
        return Severity.MEDIUM
    return None if build_only else Severity.LOW


@rule("dockerfile-env-copied", on=Dockerfile, severity=Severity.MEDIUM)
def env_copied(dockerfile: Dockerfile) -> Iterator[Hit]:
    """An env file is copied into the image.

    ## Why is this bad?
    Everybody who can pull the image reads every credential in it, and a new image is needed to change one.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    COPY .env /app/.env
    USER app
    ```

    ## Use instead
    Give the file to the container when it starts (`env_file`, `--env-file`).

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    COPY main.py /app/
    USER app
    ```

    ## References
    - https://docs.docker.com/build/building/secrets/
    """
    shipped = {id(stage) for stage in dockerfile.final.lineage}
    for stage in dockerfile.stages:
        for instruction in stage.of("COPY", "ADD"):
            if "from" in instruction.flags:
                continue
            for word in instruction.words[:-1]:
                name = posixpath.basename(word.text.rstrip("*"))
                if is_env_file(name) and not _EXAMPLE.search(word.text):
                    low = id(stage) not in shipped or dockerfile.development
                    severity = Severity.LOW if low else Severity.MEDIUM
                    message = f"{word.text} is copied into the image"
                    fix = advice("give it to the container when it starts")
                    yield Hit(word.span, message, identity=word.text, severity=severity, fix=fix)


@rule("dockerfile-add-url", on=Dockerfile, severity=Severity.LOW)
def add_url(dockerfile: Dockerfile) -> Iterator[Hit]:
    """A file is downloaded without a checksum.

    ## Why is this bad?
    Whatever the server sends on the day of the build becomes part of the image.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    ADD https://example.com/tool.tar.gz /opt/
    USER app
    ```

    ## Use instead
    Give the checksum.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/t /opt/
    USER app
    ```

    ## References
    - https://docs.docker.com/reference/dockerfile/#add---checksum
    """
    for instruction in dockerfile.instructions:
        remote = [word for word in instruction.words[:-1] if re.match(r"https?://", word.text)]
        if instruction.keyword == "ADD" and remote and "checksum" not in instruction.flags:
            message = "downloaded without a checksum"
            yield Hit(remote[0].span, message, identity=remote[0].text, fix=advice("add `--checksum=sha256:...`"))


@rule("dockerfile-piped-download", on=Dockerfile, severity=Severity.LOW)
def piped_download(dockerfile: Dockerfile) -> Iterator[Hit]:
    """A downloaded script is run unseen.

    ## Why is this bad?
    Whatever the server sends on the day of the build is run, and a broken download is run half.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    RUN curl -sSL https://example.com/install.sh | sh
    USER app
    ```

    ## Use instead
    Install a package of a fixed version, or check a checksum first.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    RUN pip install example-tool==1.4
    USER app
    ```

    ## References
    - https://docs.docker.com/build/building/best-practices/#using-pipes
    """
    for instruction in dockerfile.instructions:
        match = _PIPED.search(instruction.rest.text) if instruction.keyword == "RUN" else None
        if match:
            where = re.search(r"https?://[^\s\"'|?]+", match[0])
            span = instruction.rest.span(*match.span())
            message = "a downloaded script is run unseen"
            yield Hit(span, message, identity=where[0] if where else "", fix=advice("download, check, then run"))


@rule("dockerfile-shell-form", on=Dockerfile, severity=Severity.LOW, category=Category.PERFORMANCE)
def shell_form(dockerfile: Dockerfile) -> Iterator[Hit]:
    """The command is started through a shell that keeps signals to itself.

    ## Why is this bad?
    The shell is process 1 and passes no SIGTERM on: requests in flight are cut off when the container stops.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    USER app
    CMD python migrate.py && gunicorn --bind 0.0.0.0:8000 main:app
    ```

    ## Use instead
    Use the exec form, or start the last command with `exec`.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    USER app
    CMD python migrate.py && exec gunicorn --bind 0.0.0.0:8000 main:app
    ```

    ## References
    - https://docs.docker.com/reference/dockerfile/#shell-and-exec-form
    """
    stage = dockerfile.final
    for instruction in (stage.entrypoint, stage.command):
        if instruction is None or instruction.items is not None:
            continue
        text = instruction.rest.text.strip()
        last = _COMPOUND.split(text)[-1].strip()
        if "{%" in text:  # a template: what it becomes may be an exec form
            continue
        if text and not last.startswith("exec ") and text.lower() != "none":
            message = f"the shell form of {instruction.keyword} keeps signals from the server"
            fix = advice("use the exec form, or put `exec` before the last command")
            yield Hit(instruction.span, message, identity=instruction.keyword, fix=fix)
