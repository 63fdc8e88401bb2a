"""The env rules: what is committed, what it holds, what is weak, unfilled or undocumented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hardenctl.audit import audit
from hardenctl.model.finding import Append, Applicability, Finding, Severity, Untrack
from hardenctl.policy.policy import Policy
from hardenctl.rules import env
from hardenctl.rules.env.committed import ignore_line
from hardenctl.rules.fakes import scramble
from hardenctl.sources import open_source

LIVE = scramble("env-rules", 40)
Make = Callable[..., Any]


def run(repository: Any, **asked: Any) -> dict[str, list[Finding]]:
    """Rule to findings of an audit with the env rules."""
    report = audit(open_source([repository.root], **asked), Policy(), rules=env.RULES)
    assert report.gaps == ()
    found: dict[str, list[Finding]] = {}
    for judged in report.findings:
        found.setdefault(judged.finding.rule, []).append(judged.finding)
    return found


@pytest.mark.parametrize(
    ("path", "content", "severity"),
    [
        pytest.param(".env", f"SECRET_KEY={LIVE}", Severity.CRITICAL, id="live"),
        pytest.param(".env.prod", f"SECRET_KEY={LIVE}", Severity.CRITICAL, id="live-production"),
        pytest.param("deploy/app.env", f"export SECRET_KEY='{LIVE}'", Severity.CRITICAL, id="live-in-a-folder"),
        pytest.param(".env.dev", f"SECRET_KEY={LIVE}", Severity.HIGH, id="live-development"),
        pytest.param(".env.test", f"SECRET_KEY={LIVE}", Severity.MEDIUM, id="live-test"),
        pytest.param(".envs/.production/.django", f"SECRET_KEY={LIVE}", Severity.CRITICAL, id="live-cookiecutter"),
        pytest.param(".env", f"SECRET_KEY={LIVE}\nSECRET_KEY=changeme", Severity.CRITICAL, id="overwritten-but-there"),
        pytest.param(".env", f'SECRET_KEY="{LIVE}', Severity.CRITICAL, id="unparsable-but-there"),
        pytest.param(".env.prod", "SECRET_KEY=changeme", Severity.LOW, id="placeholders-are-named"),
        pytest.param(".env.prod", "SECRET=ThisShouldBeChangedInProduction", Severity.LOW, id="a-whole-sentence"),
        pytest.param(".env.dist", "SECRET=ThisShouldBeChangedInProduction", None, id="a-sentence-in-an-example"),
        pytest.param(".env", "DB_USER=fief\nDB_PASSWORD=fiefpassword", Severity.LOW, id="its-users-name-and-a-word"),
        pytest.param(".env", "SECRET_KEY=${SECRET}\nPORT=80", Severity.LOW, id="references-are-named"),
        pytest.param(".env", "DATABASE_URL=postgres://postgres:postgres@db/app", Severity.LOW, id="weak-is-not-live"),
        pytest.param(".env", "SECRET_KEY=!!!SET SECRET_KEY!!!", Severity.LOW, id="shouted-placeholder"),
        pytest.param(".env", "A_TOKEN=OTHER_TOKEN", Severity.LOW, id="a-variables-name"),
        pytest.param(".env", "SECRET_KEY=insecure_key_for_dev", Severity.LOW, id="admittedly-insecure"),
        pytest.param(".env", "POSTGRES_PASSWORD=plane", Severity.LOW, id="a-short-word"),
        pytest.param(".env", "ECLAIR_PASS=eclairpw", Severity.LOW, id="the-services-own-name"),
        pytest.param(".env", "NAME=Ab1cD2eF3gH4\nA_TOKEN=Ab1cD2eF3gH4", Severity.LOW, id="said-by-another-setting"),
        pytest.param("{{slug}}/.env", "SECRET_KEY={{ key }}", None, id="a-template-folder"),
        pytest.param("web/.env.production", "VITE_API=https://x.y\nVITE_B=1", Severity.INFO, id="published-anyway"),
        pytest.param(".env.test", "PORT=80", Severity.INFO, id="test-settings"),
        pytest.param(".env.example", f"SECRET_KEY={LIVE}", Severity.HIGH, id="live-key-in-an-example"),
        pytest.param(".env.example", "SECRET_KEY=<your key>", None, id="example"),
        pytest.param(".env.example", f"SECRET_KEY={LIVE[:10]}", None, id="short-in-an-example"),
        pytest.param("env.sample", "SECRET_KEY=changeme", None, id="sample"),
        pytest.param(".env", "", None, id="empty"),
        pytest.param(".env", "# nothing\n", None, id="only-a-comment"),
        pytest.param(".envrc", f"export SECRET_KEY={LIVE}", None, id="a-script-is-the-secret-rules-business"),
        pytest.param("env.py", f"SECRET_KEY='{LIVE}'", None, id="code-is-the-secret-rules-business"),
        pytest.param(".env", f"SECRET_KEY={LIVE}\0", Severity.CRITICAL, id="a-stray-nul-hides-nothing"),
        pytest.param(".env", f"SECRET_KEY={LIVE}" + "\0\1\2" * 40, None, id="binary"),
    ],
)
def test_committed(make_repository: Make, path: str, content: str, severity: Severity | None) -> None:
    """How bad a committed env file is depends on what it holds and for which environment."""
    found = run(make_repository({path: content})).get("env-file-committed", [])
    assert [each.severity for each in found] == ([] if severity is None else [severity])
    assert all(LIVE not in str(each) for each in found)


def test_a_message_names_keys_and_no_values(make_repository: Make) -> None:
    """The first five keys are named; a line of a private key that looks like an assignment is not."""
    keys = "".join(f"TOKEN_{letter}_SECRET={scramble(letter, 32)}\n" for letter in "ABCDEF")
    lost = scramble("a line of a key", 30) + "Ab1Password=" + LIVE
    (found,) = run(make_repository({".env": f"PORT=1\n{keys}{lost}\n"}))["env-file-committed"]
    assert found.message.endswith("`TOKEN_D_SECRET`, `TOKEN_E_SECRET` and 1 more)")
    assert found.location.line == 2
    assert lost[:12] not in str(found)


@pytest.mark.parametrize("asked", [{}, {"staged": True}])
def test_the_fix_untracks_and_ignores(make_repository: Make, asked: Mapping[str, bool]) -> None:
    """The file leaves git; a line is added to `.gitignore` unless one covers it. Rotation is said."""
    repository = make_repository()
    repository.write({"a/.env": f"TOKEN={LIVE}", "b/.env": f"TOKEN={LIVE}", ".gitignore": "/b/.env\n"})
    repository.git("add", "-f", ".")
    one, other = run(repository, **asked)["env-file-committed"]
    assert one.fix is not None
    assert other.fix is not None
    assert one.fix.applicability is Applicability.SAFE
    assert one.fix.edits == (Untrack("a/.env"), Append(".gitignore", "/a/.env\n"))
    assert other.fix.edits == (Untrack("b/.env"),)
    assert "rotate" in one.fix.title


@pytest.mark.parametrize(
    "path", [".env", "a b/.env.x ", "we*ird[1]/.env", "back\\slash/.env", "!x/.env", "#x/.env", "new\nline.env"]
)
def test_the_ignore_line_covers_exactly_this_path(make_repository: Make, path: str) -> None:
    """Git reads the line as the path, whatever characters are in it."""
    repository = make_repository({"x": "1"})
    repository.write({".gitignore": ignore_line(path)})
    snapshot = open_source([repository.root]).snapshot()
    assert snapshot is not None
    assert snapshot.ignored([path, path + "x", "z/" + path]) == {path}


def test_what_is_not_committed_is_no_leak(make_repository: Make) -> None:
    """Untracked and ignored env files are not committed."""
    repository = make_repository({".gitignore": ".env\n"})
    repository.write({".env": f"TOKEN={LIVE}", ".env.prod": f"TOKEN={LIVE}"})
    assert run(repository) == {}


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        pytest.param(".env", "POSTGRES_PASSWORD=postgres", Severity.MEDIUM, id="weak"),
        pytest.param(".env.prod", "DATABASE_URL=mysql://root:root@db/x", Severity.HIGH, id="weak-url-in-production"),
        pytest.param(".env.local", "REDIS_PASSWORD=123456", Severity.LOW, id="weak-in-development"),
        pytest.param(".env", "DB_PASSWORD=changeme", Severity.MEDIUM, id="a-placeholder-that-runs"),
        pytest.param(".env", "DB_PASSWORD=<password>", None, id="a-placeholder-that-says-so"),
        pytest.param(".env", "API_TOKEN=changeme", None, id="a-token-is-given-out-elsewhere"),
        pytest.param(".env.prod", "DB_PASSWORD=changeme", None, id="a-placeholder-in-production-is-another-rules"),
        pytest.param(".env.example", "DB_PASSWORD=changeme", None, id="a-placeholder-in-an-example"),
        pytest.param(".env.local", "DB_PASSWORD=changeme", None, id="a-placeholder-on-one-machine"),
        pytest.param(".env.development", "DB_PASSWORD=changeme", None, id="a-placeholder-in-development"),
        pytest.param(".env.test", "POSTGRES_PASSWORD=postgres", None, id="tests-may"),
        pytest.param(".env.example", "POSTGRES_PASSWORD=postgres", None, id="examples-may"),
        pytest.param(".env", f"POSTGRES_PASSWORD={LIVE}", None, id="strong"),
        pytest.param(".env", "POSTGRES_USER=postgres", None, id="no-credential"),
        pytest.param(".env", f"DB_PASSWORD=postgres\nDB_PASSWORD={LIVE}", None, id="the-last-one-counts"),
    ],
)
@pytest.mark.parametrize("ignored", [False, True], ids=["tracked", "ignored"])
def test_weak(make_repository: Make, path: str, content: str, expected: Severity | None, ignored: bool) -> None:  # noqa: FBT001
    """Guessable credentials are named, in ignored files as well: that is what runs."""
    repository = make_repository({".gitignore": path} if ignored else {path: content})
    repository.write({path: content})
    found = run(repository).get("env-weak-credential", [])
    assert [each.severity for each in found] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        pytest.param(".env.production", "SECRET_KEY=changeme", (Severity.MEDIUM, "placeholder"), id="placeholder"),
        pytest.param("prod/.env", "SECRET_KEY=", (Severity.LOW, "is empty"), id="empty"),
        pytest.param("prod.env", "A_TOKEN=\nSECRET_KEY=<key>", (Severity.MEDIUM, "`A_TOKEN` is empty"), id="both"),
        pytest.param("prod.env", "A_TOKEN=\nB_TOKEN=", (Severity.LOW, "are empty"), id="plural"),
        pytest.param(".env.production", "SECRET_KEY=${SECRET_KEY}", None, id="reference"),
        pytest.param(".env.production", "APP_NAME=changeme\nLOG_FILE=", None, id="no-credential"),
        pytest.param(".env.production", f"SECRET_KEY={LIVE}", None, id="filled"),
        pytest.param(".env.production.example", "SECRET_KEY=changeme", None, id="example"),
        pytest.param(".env", "SECRET_KEY=changeme", None, id="not-production"),
    ],
)
def test_placeholder_in_production(
    make_repository: Make, path: str, content: str, expected: tuple[Severity, str] | None
) -> None:
    """A production file's credentials must be filled in; one finding for the file."""
    repository = make_repository({"x": "1"})
    repository.write({path: content, ".gitignore": "*\n"})
    repository.git("add", "-f", "--", path)
    found = run(repository).get("env-placeholder-in-production", [])
    assert len(found) == (expected is not None)
    if expected:
        assert (found[0].severity, expected[1] in found[0].message) == (expected[0], True)


def test_undocumented(make_repository: Make) -> None:
    """A key that the example beside the file lacks is named; a commented-out line documents it."""
    files = {
        ".env": "A=1\nB=2\nC=3\nNEW=4\n",
        ".env.example": "A=\n# B=\n",
        ".env.prod.example": "A=\n",
        "sub/.env": "ALONE=1\n",
        ".env.test": "T=1\n",
    }
    (found,) = run(make_repository(files))["env-undocumented-variable"]
    assert found.message == "`.env.example` does not name `C`, `NEW`"
    assert (found.location.path, found.location.line) == (".env", 3)
    assert found.related[0].location.path == ".env.example"


def test_the_example_of_the_same_environment_counts(make_repository: Make) -> None:
    """`.env.prod` is documented by `.env.prod.example` where there is one."""
    files = {".env.prod": "P=1\n", ".env.example": "A=\n", ".env.prod.example": "P=\n"}
    assert "env-undocumented-variable" not in run(make_repository(files))


def test_history_remembers_an_env_file(make_repository: Make) -> None:
    """A deleted file with a live credential is named once, at the first commit that held one, and not by others."""
    repository = make_repository({".env": "TOKEN=changeme"})
    first = repository.commit({".env": f"TOKEN={LIVE}"})
    repository.commit({".env": f"TOKEN={LIVE}\nDB_PASSWORD=postgres"})
    repository.git("rm", "-q", ".env")
    repository.git("commit", "-q", "-m", "out")
    repository.write({".env": "TOKEN=changeme", ".gitignore": ".env"})
    assert run(repository) == {}
    found = run(repository, history=True)
    assert set(found) == {"env-file-in-history"}
    (past,) = found["env-file-in-history"]
    assert past.commit is not None
    assert past.occurrences is not None
    assert (past.location.path, past.commit.id) == (".env", first)
    assert (past.occurrences.commits, past.occurrences.in_head) == (2, False)
    assert LIVE not in str(past)


def test_since_remembers_what_came_and_went(make_repository: Make) -> None:
    """A range that adds and removes an env file still leaks it; a range after that doesn't."""
    repository = make_repository({"a": "1"})
    base = repository.git("rev-parse", "HEAD").strip()
    repository.commit({".env": f"TOKEN={LIVE}"})
    repository.git("rm", "-q", ".env")
    repository.git("commit", "-q", "-m", "out")
    assert set(run(repository, since=base)) == {"env-file-in-history"}
    assert run(repository, since="HEAD~1") == {}
