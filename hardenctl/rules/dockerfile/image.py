"""What an image is built from, and as whom it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardenctl.formats.dockerfile import Dockerfile, Stage
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.declare import rule

# Official images whose own user is root. Any other image may set one itself.
_ROOT_IMAGES = re.compile(
    r"(?:(?:docker\.io|public\.ecr\.aws/docker|mirror\.gcr\.io)/)?(?:library/)?(?:python|pypy|debian|ubuntu|alpine|"
    r"fedora|centos|rockylinux|almalinux|amazonlinux|node|golang|ruby|php|rust|openjdk|eclipse-temurin|buildpack-deps)"
    r"(?:[:@].*)?|scratch|ghcr\.io/astral-sh/uv:.*|(?:tiangolo|continuumio)/.*"
)
# Images that are made to run as another user. Source: their manuals. Wolfi's own base starts as root.
_OTHER_USER = re.compile(r".*(?:[:-]nonroot|-unprivileged)(?:[-:@].*)?|cgr\.dev/(?!.*/wolfi-base).*", re.IGNORECASE)
_DROPS = re.compile(
    r"\b(?:gosu|su-exec|setpriv|runuser|s6-overlay|s6-setuidgid|chpst|step-down|setuidgid|fixuid|start-stop-daemon)\b"
)
_ROOT = re.compile(r"(?:root|0)(?::.*)?")


@rule("dockerfile-user-root", on=Dockerfile, severity=Severity.MEDIUM)
def user_root(dockerfile: Dockerfile) -> Iterator[Hit]:
    """The container runs as root.

    ## Why is this bad?
    Root in a container is root on the host for every kernel bug and mounted folder: a user of its own costs one line.

    Low where the image's own user is not known, or where an entrypoint may step down from root. Images that are made
    to run as another user (`:nonroot`, Chainguard's, `nginx-unprivileged`) need no USER.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    WORKDIR /app
    COPY main.py .
    CMD ["python", "main.py"]
    ```

    ## Use instead
    Add a user, and switch to it last.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    WORKDIR /app
    COPY main.py .
    RUN useradd --system app
    USER app
    CMD ["python", "main.py"]
    ```

    ## References
    - https://docs.docker.com/build/building/best-practices/#user
    """
    final = dockerfile.final
    user = final.user
    name = final.expand(user.rest.text.strip()) if user else ""
    base = final.lineage[0].image
    if not _ROOT.fullmatch(name) if user else _OTHER_USER.fullmatch(base):
        return
    span = user.span if user else (final.command or final.entrypoint or final.start).keyword_span
    if user:
        message = "the last USER is root"
    elif _ROOT_IMAGES.fullmatch(base):
        message = "no USER: the container runs as root"
    else:
        message = f"no USER: the container runs as root unless {base} sets another user"
    add = "adduser -S app" if "alpine" in base else "useradd --system app"
    fix = advice(f"add a user with `RUN {add}`, and `USER app` before the command")
    yield Hit(span, message, identity="user", severity=_severity(dockerfile, final, named=user is not None), fix=fix)


@rule("dockerfile-latest-tag", on=Dockerfile, severity=Severity.LOW)
def latest_tag(dockerfile: Dockerfile) -> Iterator[Hit]:
    """A base image has no fixed version.

    ## Why is this bad?
    `latest`, or no tag at all, is another image tomorrow: the same commit builds something else.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python
    USER app
    ```

    ## Use instead
    Name the version, or the digest.

    ```dockerfile title="Dockerfile"
    FROM python:3.13-slim
    USER app
    ```

    ## References
    - https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
    """
    for stage in dockerfile.stages:
        image = stage.image
        if stage.parent is not None or image == "scratch" or "@" in image or "$" in image:
            continue
        name, colon, tag = image.rpartition(":")
        if not colon or "/" in tag or (tag == "latest" and name):
            message = f"the base image {image} has no fixed version"
            yield Hit(stage.image_span, message, identity=image, fix=advice("name the version"))


def _severity(dockerfile: Dockerfile, final: Stage, *, named: bool) -> Severity:
    """Medium for an image that starts something as root for sure, low for all others."""
    starts = final.command is not None or final.entrypoint is not None
    drops = any(_DROPS.search(each.rest.text) for stage in final.lineage for each in stage.instructions)
    drops = drops or any(_DROPS.search(text) for text in dockerfile.scripts)
    known = named or _ROOT_IMAGES.fullmatch(final.lineage[0].image)
    if dockerfile.development or drops or not starts or not known:
        return Severity.LOW
    return Severity.MEDIUM
