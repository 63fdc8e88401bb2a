"""What a file is, by its path alone. Light: every hook run asks this of every staged path."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from hardenctl.model.address import past_path
from hardenctl.model.pattern import lazy_pattern

GITIGNORE = ".gitignore"
LEDGER = ".hardenctl/rotation.json"  # of rotations; holds no value
LOAD_RESULTS = ".hardenctl/load/"  # a file for each scenario: what its last load run came to
LOAD_RESULT = LOAD_RESULTS + "normal.json"  # where findings about a missing result point
README = "README.md"
ENV_EXAMPLE = ".env.example"
DEPLOYMENT = "docs/DEPLOYMENT.md"
SECRETS = "docs/SECRETS_MANAGEMENT.md"
PERFORMANCE = "docs/PERFORMANCE_BENCHMARKING.md"
DJANGO_ENTRIES = ("wsgi.py", "asgi.py", "manage.py")  # they name the settings module
GUIDES = (README, ENV_EXAMPLE, DEPLOYMENT, SECRETS, PERFORMANCE)  # where findings about what is missing point

# Code that runs nowhere that counts: tests, examples, documents, and what others wrote.
ASIDE = lazy_pattern(
    r"(?:^|/)(?:tests?|testing|docs?|docs_src|examples?|samples?|node_modules|site-packages|\.?venv|migrations|vendor|benchmarks?)/"
    r"|(?:^|/)[^/]*(?:example|sample|template)[^/]*\.py$"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_tests?|conftest|tests)\.py$"
)
_EXAMPLES = frozenset(
    """
    example examples exemple sample samples template templates tmpl tpl dist defaults default skeleton blank copy
    """.split()  # noqa: SIM905 - one word a line is no easier to read
)
# What a file is instead, by its last suffix: code, documents, other configuration, encrypted.
_OTHER = frozenset(
    """
    js jsx ts tsx mjs cjs py pyc pyi rb php go rs java kt cs sh bash zsh fish ps1 bat md rst html css json json5
    yml yaml toml xml lock j2 jinja jinja2 erb vault keys enc gpg asc age sops swp svg png patch diff
    """.split()  # noqa: SIM905 - as above
)
_ENVIRONMENTS = {
    "production": "production prod prd live",
    "staging": "staging stage stg preprod uat qa preview",
    "development": "development develop dev devel devcontainer local localhost",
    "test": "test tests testing ci e2e pytest integration",
}
_WORDS = {word: name for name, words in _ENVIRONMENTS.items() for word in words.split()}
_SEPARATOR = lazy_pattern(r"[._-]+")
_COMPOSE = lazy_pattern(r"(?:[\w.-]+[._-])?(?:docker-?)?compose(?:[._-][\w.-]+)?\.ya?ml", re.IGNORECASE)
_DJANGO = lazy_pattern(  # a module's name has no dot: `gunicorn.conf.py` is none
    r"(?:^|/)(?:[^/]*(?:setting|conf|env|django|server)[^/]*/.*|[^/.]*(?:setting|conf|env|django|server)[^/.]*)\.py$"
)
_WORKFLOWS = lazy_pattern(r"(?:^|/)\.(?:github|gitlab|circleci|gitea|forgejo|buildkite)/")
_WORKFLOW = lazy_pattern(r"(?:^|/)\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml$")
_ACTION = lazy_pattern(r"(?:^|/)action\.ya?ml$")
_PIPELINE = lazy_pattern(
    r"(?:^|/)(?:[\w.-]*\.)?gitlab-ci(?:[.-][\w.-]+)?\.ya?ml$|(?:^|/)\.gitlab/(?:ci/)?[\w./-]+\.ya?ml$"
)
_DOCKERFILE = lazy_pattern(r"(?:.*[._-])?(?:dockerfile|containerfile)(?:[._-].*)?", re.IGNORECASE)
_NO_DOCKERFILE = lazy_pattern(
    r".*[._-](?:dockerignore|md|rst|txt|py|sh|js|ts|json|ya?ml|toml|j2|jinja2?|tmpl|tpl|erb|html|go|rs)", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def is_env_file(path: str) -> bool:
    """Whether a path is an env file's by name: `.env`, `.env.*`, `*.env`, examples, and all in an `.envs` folder.

    `.envrc` is a shell script, and `.env.vault`, `.env.enc` and the like are encrypted: they are none.
    """
    folder, _, name = (past_path(path) or path).rpartition("/")
    name = name.lower().rstrip("~")
    words = _words(name)
    if not words or words[-1] in _OTHER:
        return False
    if name == ".env" or name.startswith((".env.", ".env-", ".env_")) or name.endswith(".env"):
        return True
    if {"env", "dotenv"}.intersection(words):
        return bool(_EXAMPLES.intersection(words)) and len(words) <= 3  # noqa: PLR2004 - env, an environment, example
    return ".envs" in folder.split("/") and name.startswith(".")


@lru_cache(maxsize=4096)
def is_example(path: str) -> bool:
    """Whether an env file is a template by its name: `.env.example`, `sample.env`, `.env.prod.dist`.

    So is what lies in a folder with a template's name, `{{cookiecutter.slug}}/.env`.
    """
    path = past_path(path) or path
    return "{{" in path or bool(_EXAMPLES.intersection(_words(path.rpartition("/")[2].lower())))


@lru_cache(maxsize=4096)
def environment_of(path: str) -> str | None:
    """The environment in an env file's name or in its nearest folders: `.env.prod`, `.envs/.production/.django`."""
    *folders, name = (past_path(path) or path).lower().split("/")
    for part in (name, *reversed(folders[-2:])):
        for word in _words(part):
            if word in _WORDS:
                return _WORDS[word]
    return None


def _words(name: str) -> list[str]:
    return [word for word in _SEPARATOR.split(name) if word]


def is_compose(path: str) -> bool:
    """Whether a file is a compose file by its name, in any folder but those of CI workflows."""
    return bool(_COMPOSE.fullmatch(posixpath.basename(path))) and not _WORKFLOWS.search(path)


def is_workflow(path: str) -> bool:
    """Whether a file is a workflow of GitHub's, or of a forge that reads the same."""
    return bool(_WORKFLOW.search(path))


def is_action(path: str) -> bool:
    """Whether a file describes an action: `action.yml`, in whatever folder."""
    return bool(_ACTION.search(path))


def is_pipeline(path: str) -> bool:
    """Whether a file is a pipeline of GitLab's, or a part of one by its name."""
    return bool(_PIPELINE.search(path))


def is_load_result(path: str) -> bool:
    """Whether a file is a stored load result, `.hardenctl/load/SCENARIO.json`."""
    return path.startswith(LOAD_RESULTS) and path.endswith(".json") and "/" not in path.removeprefix(LOAD_RESULTS)


def is_dockerfile(path: str) -> bool:
    """Whether a file is named as one: `Dockerfile`, `Dockerfile.prod`, `web.Dockerfile`, `Containerfile`."""
    name = posixpath.basename(path)
    return bool(_DOCKERFILE.fullmatch(name)) and not _NO_DOCKERFILE.fullmatch(name)


def is_django_settings(path: str) -> bool:
    """Whether a Python file may hold Django's settings by its name or folders: `settings/base.py`, `app/conf.py`."""
    return path.endswith(".py") and bool(_DJANGO.search(path))


def is_django(path: str) -> bool:
    """Whether a file may hold Django's settings, or name the module that does."""
    return is_django_settings(path) or posixpath.basename(path) in DJANGO_ENTRIES
