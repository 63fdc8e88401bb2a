"""`.dockerignore` as Docker reads it. The cases are those of Docker's documentation and of moby's patternmatcher."""

from __future__ import annotations

import pytest

from hardenctl.formats.dockerignore import ContextCopy, DockerIgnore, read
from hardenctl.sources.memory import MemorySnapshot


@pytest.mark.parametrize(
    ("patterns", "path", "excluded"),
    [
        pytest.param("*/temp*", "somedir/temporary.txt", True, id="docs-one-level"),
        pytest.param("*/temp*", "a/b/temporary.txt", False, id="docs-one-level-only"),
        pytest.param("*/*/temp*", "somedir/subdir/temporary.txt", True, id="docs-two-levels"),
        pytest.param("temp?", "tempa", True, id="docs-one-character"),
        pytest.param("temp?", "temp", False, id="docs-one-character-is-needed"),
        pytest.param("**/*.go", "main.go", True, id="docs-double-star-root"),
        pytest.param("**/*.go", "a/b/main.go", True, id="docs-double-star-deep"),
        pytest.param("*.md\n!README.md", "README.md", False, id="docs-exception"),
        pytest.param("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True, id="docs-last-match-wins"),
        pytest.param("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False, id="docs-exception-last"),
        pytest.param("/foo/bar", "foo/bar", True, id="docs-leading-slash"),
        pytest.param("foo/bar/", "foo/bar/baz", True, id="docs-folder"),
        pytest.param(".env", "sub/.env", False, id="rooted-at-the-context"),
        pytest.param("**/.env", "sub/.env", True, id="anywhere"),
        pytest.param("**/.env", ".env", True, id="anywhere-is-the-root-too"),
        pytest.param(".env*", ".env.prod", True, id="star-after-a-dot"),
        pytest.param("*", ".env", True, id="star-takes-dotfiles"),
        pytest.param("*\n!src", "src/.env", False, id="allow-list-opens-a-folder"),
        pytest.param("*\n!src\n**/.env", "src/.env", True, id="allow-list-closed-again"),
        pytest.param("# .env", ".env", False, id="comment"),
        pytest.param("  .env  ", ".env", True, id="blanks-are-trimmed"),
        pytest.param("! .env", ".env", False, id="exception-with-a-blank"),
        pytest.param("./sub/../.env", ".env", True, id="cleaned"),
        pytest.param("\ufeff.env", ".env", True, id="byte-order-mark"),
        pytest.param("[a-c]x", "bx", True, id="class"),
        pytest.param("[^a-c]x", "bx", False, id="negated-class"),
        pytest.param("a\\*b", "a*b", True, id="escape"),
        pytest.param("a\\*b", "axb", False, id="escaped-star-is-no-star"),
        pytest.param("[", "[", False, id="malformed"),
        pytest.param("a.env", "aXenv", False, id="dot-is-a-dot"),
        pytest.param("foo/**", "foo/a/b", True, id="all-below"),
        pytest.param("a/**/b", "a/b", True, id="double-star-matches-nothing-too"),
        pytest.param("!.env", ".env", False, id="only-an-exception"),
        pytest.param("!", ".env", False, id="bare-exclamation"),
    ],
)
def test_patterns(patterns: str, path: str, excluded: bool) -> None:  # noqa: FBT001
    """Each pattern leaves out what Docker leaves out."""
    assert DockerIgnore.parse(patterns).excludes(path) is excluded


def copies(**files: str) -> list[ContextCopy]:
    """The copies of a project; `__` in a name is a slash, `_` a dot."""
    return list(read(MemorySnapshot({name.replace("__", "/").replace("_", "."): text for name, text in files.items()})))


BROAD = "FROM python\nCOPY . /app\n"
COMPOSE = "services:\n  web:\n    build:\n      context: .\n      dockerfile: {}\n"


def test_a_copy_of_the_context_takes_what_is_there() -> None:
    """Env files anywhere in the context are exposed; examples are none."""
    (copy,) = copies(Dockerfile=BROAD, _env="A=1", sub___env="B=1", _env_example="A=")
    assert (copy.exposed, copy.ignore_exists, copy.ships) == ((".env", "sub/.env"), False, True)


@pytest.mark.parametrize(
    ("dockerfile", "exposed"),
    [
        pytest.param("FROM x\nCOPY . .\n", (".env",), id="dot"),
        pytest.param("FROM x\nCOPY ./ ./\n", (".env",), id="dot-slash"),
        pytest.param("FROM x\nADD . /app\n", (".env",), id="add"),
        pytest.param('FROM x\nCOPY [".", "/app"]\n', (".env",), id="exec-form"),
        pytest.param("FROM x\nCOPY * /app/\n", (".env",), id="star"),
        pytest.param("FROM x\nCOPY --chown=app:app . .\n", (".env",), id="flag"),
        pytest.param("FROM x\nCOPY / /app\n", (".env",), id="root-of-the-context"),
        pytest.param("FROM x\nCOPY --exclude=.env* . .\n", None, id="exclude-flag"),
        pytest.param(
            "FROM x\nCOPY --exclude=.env* --exclude=docs \\\n  --exclude=a . .\n", None, id="several-exclude-flags"
        ),
        pytest.param("FROM x\nCOPY --from=build . .\n", None, id="another-stage"),
        pytest.param("FROM x\nCOPY requirements.txt .\n", None, id="one-file"),
        pytest.param("FROM x\nCOPY src /app\n", None, id="a-folder-without-env-files"),
        pytest.param("FROM x\nCOPY .env .\n", None, id="by-name-is-another-rules"),
        pytest.param("FROM x\nCOPY $SOURCE .\n", None, id="unknown"),
        pytest.param("FROM x\nADD https://example.com/x .\n", None, id="url"),
    ],
)
def test_which_copies_take_env_files(dockerfile: str, exposed: tuple[str, ...] | None) -> None:
    """A whole context or a folder with env files in it is taken; single files, other stages and URLs are not."""
    found = copies(Dockerfile=dockerfile, _env="A=1")
    assert [copy.exposed for copy in found] == ([] if exposed is None else [exposed])


def test_the_ignore_file_of_the_dockerfile_counts() -> None:
    """`Dockerfile.dockerignore` replaces the context's `.dockerignore`."""
    files = {"Dockerfile": BROAD, ".dockerignore": "**/.env*", "Dockerfile.dockerignore": "docs", ".env": "A=1"}
    (copy,) = read(MemorySnapshot(files))
    assert (copy.ignore_path, copy.exposed) == ("Dockerfile.dockerignore", (".env",))


def test_the_context_is_the_one_compose_builds() -> None:
    """A Dockerfile in a folder is built in the context that compose names, whose ignore file counts."""
    compose = "services:\n  web:\n    build:\n      context: .\n      dockerfile: docker/Dockerfile\n"
    files = {"compose.yml": compose, "docker/Dockerfile": BROAD, ".env": "A=1"}
    (copy,) = read(MemorySnapshot(files))
    assert (copy.ignore_path, copy.exposed) == (".dockerignore", (".env",))
    assert not list(read(MemorySnapshot({**files, ".dockerignore": "**/.env\n**/.env.*\n"})))


@pytest.mark.parametrize(
    ("final", "ships"),
    [
        pytest.param("FROM scratch\nCOPY --from=build /app /app\n", True, id="copied-on"),
        pytest.param("FROM scratch\nCOPY --from=0 /app /app\n", True, id="copied-on-by-number"),
        pytest.param("FROM build\n", True, id="built-on"),
        pytest.param("FROM scratch\nCOPY --from=build / /\n", True, id="copied-on-with-everything"),
        pytest.param("FROM scratch\nCOPY --from=build /app/dist /app\n", False, id="only-a-part-copied-on"),
        pytest.param("FROM scratch\nCOPY x /x\n", False, id="left-behind"),
    ],
)
def test_whether_a_stage_ships(final: str, ships: bool) -> None:  # noqa: FBT001
    """A stage matters to the image where the final one is built on it or copies from it."""
    (copy,) = copies(Dockerfile=f"FROM python AS build\nCOPY . /app\n{final}", _env="A=1")
    assert copy.ships is ships


WORKFLOW = """on: push
jobs:
  image:
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: .
          file: ./docker/web.Dockerfile
"""


@pytest.mark.parametrize(
    ("files", "ignore_path"),
    [
        pytest.param({}, "docker/.dockerignore", id="its-own-folder"),
        pytest.param({".github/workflows/image.yml": WORKFLOW}, ".dockerignore", id="workflow"),
        pytest.param(
            {".github/workflows/image.yml": WORKFLOW.replace("context: .", "push: true")}, ".dockerignore",
            id="a-workflows-default"),
        pytest.param({"build.sh": "docker build -t a -f docker/web.Dockerfile .\n"}, ".dockerignore", id="script"),
        pytest.param({"scripts/build.sh": "docker build -f ../docker/web.Dockerfile ..\n"}, ".dockerignore",
                     id="script-seen-from-its-folder"),
        pytest.param({"build.sh": 'docker buildx build --push \\\n -f "docker/$1.Dockerfile" \\\n -t a .\n'},
                     ".dockerignore", id="script-with-a-variable"),
        pytest.param({"Makefile": "image:\n\tdocker build . --file=docker/web.Dockerfile -t a\n"}, ".dockerignore",
                     id="makefile"),
        pytest.param({"README.md": "Run `docker build -f docker/web.Dockerfile [--build-arg a=1] $(pwd)`.\n"},
                     ".dockerignore", id="guide"),
        pytest.param({"build.sh": "docker build -f docker/web.Dockerfile $SOURCES\n"}, "docker/.dockerignore",
                     id="a-context-nobody-knows"),
        pytest.param({"build.sh": "docker build -f docker/api.Dockerfile .\n"}, "docker/.dockerignore",
                     id="another-one"),
        pytest.param({"build.sh": "docker build -f docker/api.Dockerfile .\n", "docker/api.Dockerfile": "FROM python"},
                     ".dockerignore", id="as-its-sibling"),
        pytest.param({"build.sh": "docker build -f docker/web.Dockerfile docker && echo .\n"}, "docker/.dockerignore",
                     id="said-to-be-its-own"),
        pytest.param({"compose.yml": COMPOSE.format("./docker/${IMAGE}/Dockerfile")}, "docker/.dockerignore",
                     id="compose-with-a-variable-that-does-not-fit"),
        pytest.param({"compose.yml": COMPOSE.format("./docker/${IMAGE}.Dockerfile")}, ".dockerignore",
                     id="compose-with-a-variable"),
        pytest.param({"compose.yml": COMPOSE.format("docker/${IMAGE:-web}.Dockerfile")}, ".dockerignore",
                     id="compose-with-a-default"),
        pytest.param({"backend/requirements.txt": ""}, ".dockerignore", id="sources-at-the-root"),
        pytest.param({"backend/requirements.txt": "", "docker/backend/requirements.txt": ""}, "docker/.dockerignore",
                     id="sources-in-both"),
    ],
)  # fmt: skip
def test_where_the_context_is(files: dict[str, str], ignore_path: str) -> None:
    """A Dockerfile in a folder is built where something says so, else where its sources lie."""
    dockerfile = "FROM python\nCOPY backend/requirements.txt /tmp/\nCOPY . /app\n"
    found = read(MemorySnapshot({"docker/web.Dockerfile": dockerfile, "docker/main.py": "", **files}))
    (copy,) = (each for each in found if each.path == "docker/web.Dockerfile")
    assert copy.ignore_path == ignore_path


def test_what_a_run_mounts_lies_in_the_context() -> None:
    """A Dockerfile that copies everything and mounts a lock file by name is built where that file is."""
    mounts = "--mount=type=cache,target=/c --mount=type=bind,source=uv.lock,target=uv.lock"
    files = {"docker/web.Dockerfile": f"FROM python\nRUN {mounts} uv sync\nCOPY . /app\n", "uv.lock": ""}
    (copy,) = read(MemorySnapshot(files))
    assert copy.ignore_path == ".dockerignore"


def test_a_folder_of_dockerfiles_alone_is_no_context() -> None:
    """There is nothing in it that copying everything could be for."""
    files = {"deploy/docker/Dockerfile": BROAD, "deploy/docker/compose.yml": "services: {}\n", "deploy/app.py": ""}
    (copy,) = read(MemorySnapshot(files))
    assert copy.ignore_path == "deploy/.dockerignore"


def test_an_allow_list_at_the_root_keeps_env_files_out() -> None:
    """The root's file counts, and so there is nothing to find."""
    dockerfile = "FROM python\nCOPY src/requirements.txt .\nCOPY . .\n"
    files = {"docker/web.Dockerfile": dockerfile, "src/requirements.txt": "", ".env": "A=1", ".dockerignore": "*\n!src"}
    assert not list(read(MemorySnapshot(files)))
    beside = {**files, "docker/web.Dockerfile.dockerignore": "docs"}
    (copy,) = read(MemorySnapshot(beside))
    assert (copy.ignore_path, copy.exposed) == ("docker/web.Dockerfile.dockerignore", (".env",))
