"""The ignore rules: does git, and does Docker, leave env files out?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hardenctl.audit import audit
from hardenctl.model.finding import Append, Finding, Severity
from hardenctl.policy.policy import Policy
from hardenctl.rules import ignore
from hardenctl.rules.fakes import scramble
from hardenctl.sources import open_source

Make = Callable[..., Any]
MANIFEST = {"pyproject.toml": "[project]\ndependencies = ['pydantic-settings']\n"}
CREDENTIAL = f"SECRET_KEY={scramble('ignore', 40)}\n"


def run(repository: Any, rule: str, **asked: Any) -> list[Finding]:
    """The findings of one rule."""
    report = audit(open_source([repository.root], **asked), Policy(select=(rule,)), rules=ignore.RULES)
    assert report.gaps == ()
    return [judged.finding for judged in report.findings]


def gitignore(repository: Any, **asked: Any) -> list[Finding]:
    """What is said of git's ignore files."""
    return run(repository, "gitignore-env-not-ignored", **asked)


@pytest.mark.parametrize(
    ("files", "severity", "added"),
    [
        pytest.param(MANIFEST, Severity.MEDIUM, ".env\n.env.*\n!.env.example\n", id="no-gitignore"),
        pytest.param(
            MANIFEST | {".gitignore": ".env\n.env.*\n!.env.testing\n", ".env.testing": "A=1\n"},
            None,
            "",
            id="excepted-by-name",
        ),
        pytest.param({"a.py": "1"}, Severity.LOW, ".env\n.env.*\n!.env.example\n", id="no-env-in-use"),
        pytest.param(
            MANIFEST | {".gitignore": ".env\n"}, Severity.LOW, ".env.*\n!.env.example\n", id="common-template"
        ),
        pytest.param(
            MANIFEST | {".gitignore": ".env\n", "compose.yml": "services: {a: {image: b, env_file: .env.prod}}"},
            Severity.MEDIUM,
            ".env.*\n!.env.example\n",
            id="a-variant-is-in-use",
        ),
        pytest.param(
            {"settings.py": "Settings(env_file=('.env.one', '.env.two'))", ".gitignore": ".env.one\n.env.two\n"},
            Severity.LOW,
            ".env\n.env.*\n!.env.example\n",
            id="all-that-is-in-use-is-covered",
        ),
        pytest.param(
            {"settings.py": "load_dotenv(os.environ.env('x'), '.env')", ".gitignore": ".env.*\n"},
            Severity.MEDIUM,
            ".env\n",
            id="named-in-the-settings",
        ),
        pytest.param(
            MANIFEST | {".gitignore": ".env*\n!.env.example\n", "web.env": "PORT=1"},
            Severity.LOW,
            "*.env\n",
            id="a-tracked-file-is-there-by-design",
        ),
        pytest.param(MANIFEST | {".gitignore": ".env\n.env.*\n!.env.example\n"}, None, "", id="covered"),
        pytest.param(MANIFEST | {".gitignore": ".env*\n!.env.example\n"}, None, "", id="covered-by-one-glob"),
        pytest.param(MANIFEST | {".gitignore": "*\n!*.py\n!pyproject.toml\n"}, None, "", id="covered-by-an-allow-list"),
        pytest.param(
            MANIFEST | {".gitignore": "/.env*\n", "api/pyproject.toml": ""},
            Severity.MEDIUM,
            ".env\n.env.*\n!.env.example\n",
            id="a-rooted-pattern-misses-a-folder",
        ),
        pytest.param(
            {"api/pyproject.toml": "", "api/.gitignore": ".env*\n"}, None, "", id="covered-where-the-project-is"
        ),
        pytest.param(
            MANIFEST
            | {".gitignore": "", ".env.sample": "A=", "dev.env.example": "A=", "prod.env": "A=1", ".env": "A=1"},
            Severity.MEDIUM,
            ".env\n.env.*\n*.env\n!.env.example\n!.env.sample\n",
            id="the-projects-own-examples-are-excepted",
        ),
    ],
)
def test_gitignore(make_repository: Make, files: Mapping[str, str], severity: Severity | None, added: str) -> None:
    """What isn't covered is named as badly as the project needs it, and the fix adds only what is missing."""
    repository = make_repository(files)
    found = gitignore(repository)
    assert [each.severity for each in found] == ([] if severity is None else [severity])
    if severity is not None:
        assert found[0].fix is not None
        assert found[0].fix.edits == (Append(".gitignore", added),)
        path = repository.root / ".gitignore"
        path.write_text((path.read_text() if path.exists() else "") + added)
        assert gitignore(repository) == []


def test_an_env_file_that_the_next_add_takes(make_repository: Make) -> None:
    """An untracked env file that nothing ignores is named first."""
    repository = make_repository({".gitignore": "*.log\n"})
    repository.write({"deploy/.env.prod": CREDENTIAL})
    (found,) = gitignore(repository)
    assert found.severity is Severity.MEDIUM
    assert found.message == "git does not ignore `deploy/.env.prod`: the next `git add .` commits it"


def test_an_example_that_is_ignored(make_repository: Make) -> None:
    """An ignored example never reaches those it is meant for; one that is tracked does."""
    repository = make_repository({".gitignore": ".env*\n"})
    assert gitignore(repository) == []
    repository.write({".env.example": "A="})
    (found,) = gitignore(repository)
    assert (found.severity, found.fix and found.fix.edits) == (
        Severity.LOW,
        (Append(".gitignore", "!.env.example\n"),),
    )
    repository.git("add", "-f", ".env.example")
    assert gitignore(repository) == []


def test_staged_ignore_files_count(make_repository: Make) -> None:
    """In a hook the staged ignore file is judged, when it is staged and not otherwise."""
    repository = make_repository(MANIFEST | {".gitignore": ".env*\n"})
    repository.write({".gitignore": "\n"})
    assert gitignore(repository, staged=True) == []
    repository.git("add", ".gitignore")
    repository.write({".gitignore": ".env*\n"})
    assert [each.severity for each in gitignore(repository, staged=True)] == [Severity.MEDIUM]
    repository.git("rm", "-q", "-f", ".gitignore")
    (found,) = gitignore(repository, staged=True)
    assert "there is no `.gitignore`" in found.message


def test_a_plain_folder_needs_no_gitignore(tmp_path: Any) -> None:
    """Without git there is nothing to ignore for; an empty repository has nothing to judge."""
    (tmp_path / "a.py").write_text("1")
    assert audit(open_source([tmp_path]), Policy(), rules=ignore.RULES).findings == ()


def test_an_empty_repository(make_repository: Make) -> None:
    """Before there are files, nothing is missing."""
    assert gitignore(make_repository()) == []


DOCKERFILE = "FROM python:3.13\nCOPY . /app\n"


@pytest.mark.parametrize(
    ("files", "severity", "words"),
    [
        pytest.param({"Dockerfile": DOCKERFILE, ".env": CREDENTIAL}, Severity.MEDIUM, "this copies", id="taken"),
        pytest.param(
            {"Dockerfile": DOCKERFILE, ".env.example": "SECRET_KEY="}, Severity.MEDIUM, "would copy", id="example"
        ),
        pytest.param({"Dockerfile": DOCKERFILE, ".env": "PORT=1"}, Severity.LOW, "would copy", id="no-credential"),
        pytest.param({"Dockerfile": DOCKERFILE}, Severity.LOW, "no `.dockerignore`", id="no-env-file"),
        pytest.param({"Dockerfile.dev": DOCKERFILE, ".env": CREDENTIAL}, Severity.LOW, "copies", id="development"),
        pytest.param(
            {"Dockerfile": DOCKERFILE, ".env.example": "SECRET_KEY=", ".dockerignore": ".env\n"},
            Severity.LOW,
            "`.env.local`",
            id="only-names-not-in-use",
        ),
        pytest.param(
            {"Dockerfile": DOCKERFILE, ".env": CREDENTIAL, ".dockerignore": ".git\n"},
            Severity.MEDIUM,
            "`.dockerignore` does not leave out `.env`",
            id="not-covered",
        ),
        pytest.param(
            {"Dockerfile": DOCKERFILE, ".env": CREDENTIAL, ".dockerignore": ".env*\n"}, None, "", id="covered"
        ),
        pytest.param({"Dockerfile": "FROM x\nCOPY app /app\n", ".env": CREDENTIAL}, None, "", id="another-folder"),
        pytest.param({"Dockerfile": "FROM x\nCOPY app /app\n", "app/.env": CREDENTIAL}, Severity.MEDIUM, "`app/.env`",
                     id="the-folder-with-it"),
    ],
)  # fmt: skip
def test_dockerignore(make_repository: Make, files: Mapping[str, str], severity: Severity | None, words: str) -> None:
    """A build that takes env files is named as badly as what they hold."""
    found = run(make_repository(files), "dockerignore-env-not-ignored")
    assert [each.severity for each in found] == ([] if severity is None else [severity])
    assert all(words in each.message for each in found)


def test_many_env_files_are_counted(make_repository: Make) -> None:
    """A message names three and counts the rest."""
    files = {f"{name}/.env": CREDENTIAL for name in "abcde"} | {"Dockerfile": DOCKERFILE}
    (found,) = run(make_repository(files), "dockerignore-env-not-ignored")
    assert "`c/.env` and 2 more" in found.message


def test_settings_that_a_build_needs_are_kept(make_repository: Make) -> None:
    """A tracked env file without a credential stays in the build context; the others go, examples aside."""
    files = {"frontend/.env": "VITE_API_URL=http://localhost:8000\n", ".env": CREDENTIAL, "Dockerfile": DOCKERFILE}
    (found,) = run(make_repository(files), "dockerignore-env-not-ignored")
    assert found.fix is not None
    (edit,) = found.fix.edits
    assert isinstance(edit, Append)
    assert edit.text.splitlines()[-1] == "!frontend/.env"
    assert "!.env" not in edit.text.splitlines()
    assert "all but `frontend/.env`" in found.fix.title
    files = {**files, ".dockerignore": edit.text}
    assert run(make_repository(files, name="fixed"), "dockerignore-env-not-ignored") == []


@pytest.mark.parametrize(
    "env_files",
    [
        pytest.param({".env.production": "VITE_API=https://a.example.com\n"}, id="a-probed-name-is-kept"),
        pytest.param({"prod.env": CREDENTIAL}, id="another-name"),
        pytest.param({".envs/.production/.django": CREDENTIAL, "a[1]*.env": CREDENTIAL}, id="odd-names"),
    ],
)
def test_the_fix_ends_the_finding(make_repository: Make, env_files: Mapping[str, str]) -> None:
    """What it appends leaves nothing to be found, whatever the env files are called and hold."""
    files = {"Dockerfile": DOCKERFILE, **env_files}
    (found,) = run(make_repository(files), "dockerignore-env-not-ignored")
    assert found.fix is not None
    (edit,) = found.fix.edits
    assert isinstance(edit, Append)
    assert run(make_repository({**files, edit.path: edit.text}, name="fixed"), "dockerignore-env-not-ignored") == []
